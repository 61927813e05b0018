"""The report on time spent: how long runs, ticks and signals took by the wall clock."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.math.statistics_events import PerformanceTally
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.statistics_events import PerformanceStatistics, RunStep, TimeShare
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


STEP_WORDS: Final[dict[RunStep, str]] = {
    "candles": "reading candles before the first tick: the source of the exchange, or its store",
    "get_signal": "your strategy's get_signal, with the candles that it asks for",
    "listeners": "telling events to callbacks, actions and listeners, reports among them",
    "engine": "the engine itself",
}


def bottleneck_lines(statistics: PerformanceStatistics) -> list[str]:
    """What the time of whole runs went to, in words, and what took the most of it."""
    if not statistics.shares:
        return ["Known when a backtest is over."]
    most, *others = statistics.shares
    first = f"Most of the time, {_share(most)}, went to **{STEP_WORDS[most.step]}**. The rest:"
    return [first, "", *(f"- {STEP_WORDS[share.step]}: {_share(share)}" for share in others)]


def _share(share: TimeShare) -> str:
    return f"{formats.percent(share.share, 1)} ({formats.fixed(share.duration, 2)}ms)"


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
        Lines(parts=(bottleneck_lines,), heading="Bottleneck"),
    ),
    legend=(
        "Times are wall times and differ from run to run. **backtest_total** is the whole run and contains the others, "
        "**backtest_load** reading its candles, **backtest_timeframe** one tick that was looked at, "
        "**backtest_get_signal** one answer of the strategy, **backtest_signal** the life of one signal, "
        "**backtest_listeners** one event told to callbacks, actions and listeners.",
        "**Median**, **P95**, **P99**: 50, 95 and 99 of 100 took no longer. Of very many ticks only some are timed and stand "
        "for the others. **Wait**: wall time since the event before.",
    ),
    feeds=(Feed("performance"),),
    record=performance_record,
    row_limit="max_performance_markdown_rows",
    tally=PerformanceTally,
)
