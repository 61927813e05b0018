"""The report on time spent: how long runs, ticks and signals took by the wall clock."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.math.statistics_events import PerformanceTally
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.statistics_events import PerformanceStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import performance_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table


def performance_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of kinds of measurement."""
    return [
        c.text("metric_type", "Metric Type", "metric_type"),
        c.number("count", "Count", "count"),
        c.fixed("total_duration", "Total (ms)", "total_duration", 2),
        c.fixed("avg_duration", "Avg (ms)", "avg_duration", 2),
        c.fixed("min_duration", "Min (ms)", "min_duration", 2),
        c.fixed("max_duration", "Max (ms)", "max_duration", 2),
        c.fixed("std_dev", "Std Dev (ms)", "std_dev", 2),
        c.fixed("median", "Median (ms)", "median", 2),
        c.fixed("p95", "P95 (ms)", "p95", 2),
        c.fixed("p99", "P99 (ms)", "p99", 2),
        c.fixed("avg_wait_time", "Avg Wait (ms)", "avg_wait_time", 2),
        c.fixed("min_wait_time", "Min Wait (ms)", "min_wait_time", 2),
        c.fixed("max_wait_time", "Max Wait (ms)", "max_wait_time", 2),
    ]


def time_distribution(statistics: PerformanceStatistics) -> list[str]:
    """The share of each kind of measurement, largest first."""
    whole = statistics.total_duration
    lines = []
    for metric in statistics.metric_stats.values():
        share = metric.total_duration / whole * 100 if whole else 0.0
        total = formats.fixed(metric.total_duration, 2)
        lines.append(f"- **{metric.metric_type}**: {formats.percent(share, 1)} ({total}ms total)")
    return lines


PERFORMANCE_REPORT: Final[ReportSpec[PerformanceEvent, PerformanceStatistics]] = ReportSpec(
    name="performance",
    title="Performance Report: {strategy_name}",
    empty_text="No performance metrics recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        Table(
            key="performance",
            rows=lambda page: list(page.figures.metric_stats.values()),
            columns=performance_columns,
        ),
        Lines(
            parts=(
                SummaryLine("Total events", lambda s: str(s.total_events)),
                SummaryLine("Total execution time", lambda s: f"{formats.fixed(s.total_duration, 2)}ms"),
                SummaryLine("Number of metric types", lambda s: str(len(s.metric_stats))),
            )
        ),
        Lines(parts=(time_distribution,), heading="Time Distribution"),
    ),
    legend=(
        "Times are wall times and differ from run to run. **backtest_total** is the whole run and contains the others, "
        "**backtest_timeframe** one tick that was looked at, **backtest_signal** the life of one signal.",
        "**Wait**: wall time since the measurement before. **P95**, **P99**: 95 and 99 of 100 took no longer.",
    ),
    feeds=(Feed("performance"),),
    record=performance_record,
    row_limit="max_performance_markdown_rows",
    tally=PerformanceTally,
)
