"""The live report: the newest events of a live run beside the figures of all its trades."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.math.statistics_events import LiveTally
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import AnyResult, CancelledResult, ClosedResult
from backtestkit.model.statistics import LiveStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import result_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table
from backtestkit.services.report.trade_summary import TRADE_LEGEND, trade_summary


def live_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of events; each kind of event fills those that it has something for."""
    return [
        c.time("timestamp", "Timestamp", "timestamp"),
        c.upper("action", "Action", "action"),
        c.text("symbol", "Symbol", "symbol"),
        c.text("signal_id", "Signal ID", "signal.id"),
        c.upper("position", "Position", "signal.position"),
        c.note("signal.note", settings),
        c.money("current_price", "Current Price", "current_price"),
        c.money("open_price", "Open Price", "signal.price_open"),
        c.number("multiplier", "Multiplier", "signal.multiplier", "x"),
        c.margin("signal.isolated"),
        *c.levels("signal", "take_profit", "stop_loss"),
        c.percent("partial_executed", "Partial Executed %", "signal.partial_executed", 1),
        c.percent("percent_tp", "% to TP", "percent_tp"),
        c.percent("percent_sl", "% to SL", "percent_sl"),
        c.signed_percent("pnl", "PNL (net)", "pnl.pnl_percentage"),
        c.money("pnl_cost", "PNL Cost", "pnl.pnl_cost", signed=True),
        c.text("close_reason", "Close Reason", "close_reason"),
        c.text("cancel_reason", "Cancel Reason", "reason"),
        Column("duration", "Duration (min)", lambda row, _: formats.number(_minutes(row))),
        c.time("pending_at", "Pending At", "signal.pending_at"),
        c.time("scheduled_at", "Scheduled At", "signal.scheduled_at"),
        Column("peak_pnl", "Peak PNL", lambda row, _: formats.signed_percent(_excursion(row, "peak_profit"), 2)),
        Column("fall_pnl", "Max DD PNL", lambda row, _: formats.percent(_excursion(row, "max_drawdown"), 2)),
    ]


def _minutes(row: AnyResult) -> float | None:
    if isinstance(row, ClosedResult):
        return (row.close_timestamp - row.signal.pending_at) / MINUTE_MS
    if isinstance(row, CancelledResult):
        return (row.close_timestamp - row.signal.scheduled_at) / MINUTE_MS
    return None


def _excursion(row: AnyResult, field: str) -> float | None:
    if row.signal is None or not row.signal.pending_at:
        return None
    value: float = getattr(row.signal, field).pnl_percentage
    return value


def live_row_kind(row: AnyResult) -> str | None:
    """What a row repeats: idleness, or the minutes of one signal; None for what happens once."""
    if row.action == "idle":
        return "idle"
    return f"{row.action} {row.signal.id}" if row.action == "active" or row.action == "waiting" else None


def _total_events(statistics: LiveStatistics) -> str:
    return str(statistics.total_events)


def _total_closed(statistics: LiveStatistics) -> str:
    return str(statistics.total_closed)


LIVE_REPORT: Final[ReportSpec[AnyResult, LiveStatistics]] = ReportSpec(
    name="live",
    title="Live Trading Report: {strategy_name}",
    empty_text="No events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        Table(
            key="live",
            rows=lambda page: page.figures.event_list,
            columns=live_columns,
            row_limit="max_live_markdown_rows",
            total=lambda page: page.figures.total_events,
        ),
        Lines(
            parts=(
                SummaryLine("Total events", _total_events),
                SummaryLine("Closed signals", _total_closed),
                *trade_summary(),
            )
        ),
    ),
    legend=TRADE_LEGEND,
    feeds=(Feed("signal_live"),),
    record=result_record,
    row_limit="max_live_markdown_rows",
    tally=LiveTally,
    replaces=live_row_kind,
)
