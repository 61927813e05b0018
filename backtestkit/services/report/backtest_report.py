"""The backtest report: its columns, its summary and its legend."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.math.statistics import backtest_statistics
from backtestkit.math.statistics_formulas import total
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.analysis_sections import ANALYSIS_LEGEND, ANALYSIS_SECTIONS, breakdown_table
from backtestkit.services.report.journal_records import result_record
from backtestkit.services.report.run_lines import RUN_LINES
from backtestkit.services.report.spec import Column, Feed, Lines, ReportedRun, ReportSpec, Settings, SummaryLine, Table
from backtestkit.services.report.trade_summary import TRADE_LEGEND, trade_summary


def backtest_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of closed trades."""
    return [
        c.text("signal_id", "Signal ID", "signal.id"),
        c.text("symbol", "Symbol", "symbol"),
        c.upper("position", "Position", "signal.position"),
        c.note("signal.note", settings),
        c.money("open_price", "Open Price", "signal.price_open"),
        c.money("close_price", "Close Price", "current_price"),
        *c.levels("signal", "take_profit", "stop_loss"),
        c.number("multiplier", "Multiplier", "signal.multiplier", "x"),
        c.margin("signal.isolated"),
        c.signed_percent("pnl", "PNL (net)", "pnl.pnl_percentage"),
        c.money("pnl_cost", "PNL Cost", "pnl.pnl_cost", signed=True),
        c.percent("partial_executed", "Partial Executed %", "signal.partial_executed", 1),
        Column("partial_closes", "Partials by Outcome", lambda trade, _: partials_by_outcome(trade)),
        c.text("close_reason", "Close Reason", "close_reason"),
        Column("duration", "Duration (min)", lambda trade, _: whole_minutes(trade)),
        c.time("open_timestamp", "Open Time", "signal.pending_at"),
        c.time("close_timestamp", "Close Time", "close_timestamp"),
        c.signed_percent("peak_pnl", "Peak PNL", "signal.peak_profit.pnl_percentage"),
        c.percent("fall_pnl", "Max DD PNL", "signal.max_drawdown.pnl_percentage"),
    ]


def partials_by_outcome(trade: ClosedResult) -> str | None:
    """How many partial closes there were, and the sums of their percents by outcome; None without any."""
    if not trade.signal.partials:
        return None
    sides = []
    for arrow, outcome in (("↑", "profit"), ("↓", "loss")):
        percents = [p.percent for p in trade.signal.partials if p.type == outcome]
        sides.append(f"{arrow}{len(percents)}: {formats.percent(total(percents), 1)}")
    return f"{len(trade.signal.partials)} ({', '.join(sides)})"


def whole_minutes(trade: ClosedResult) -> str | None:
    """Minutes from opening to close, halves upwards; None when a time is missing."""
    if trade.signal.pending_at <= 0 or trade.close_timestamp <= 0:
        return None
    return str((trade.close_timestamp - trade.signal.pending_at + MINUTE_MS // 2) // MINUTE_MS)


def run_statistics(run: ReportedRun) -> BacktestStatistics:
    """The figures of what a run kept."""
    return backtest_statistics(run.closed)


def _total_signals(statistics: BacktestStatistics) -> str:
    return str(statistics.total_signals)


BACKTEST_REPORT: Final[ReportSpec[Any, BacktestStatistics]] = ReportSpec(
    name="backtest",
    title="Backtest Report: {strategy_name}",
    empty_text="No signals closed yet.",
    is_empty=lambda statistics: statistics.total_signals == 0,
    figures=run_statistics,
    sections=(
        Table(
            key="backtest",
            rows=lambda page: page.figures.signal_list,
            columns=backtest_columns,
            row_limit="max_backtest_markdown_rows",
        ),
        Lines(
            parts=(
                SummaryLine("Total signals", _total_signals),
                SummaryLine("Closed signals", _total_signals),
                *trade_summary(),
            )
        ),
        *ANALYSIS_SECTIONS,
        breakdown_table("backtest_breakdown"),
        RUN_LINES,
    ),
    legend=(*TRADE_LEGEND, *ANALYSIS_LEGEND),
    feeds=(Feed("signal_backtest", ("scheduled", "opened", "closed", "cancelled")),),
    record=result_record,
    row_limit="max_backtest_markdown_rows",
)
