"""The report on waiting entries: which were scheduled, opened, given up, and how long they waited."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.math.statistics_events import ScheduleTally
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import CancelledResult, OpenedResult
from backtestkit.model.statistics_events import ScheduleRow, ScheduleStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import schedule_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table
from backtestkit.services.report.trade_summary import HIGHER, LOWER


def schedule_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of waiting entries."""
    return [
        c.time("timestamp", "Timestamp", "timestamp"),
        c.upper("action", "Action", "action"),
        c.text("symbol", "Symbol", "symbol"),
        c.text("signal_id", "Signal ID", "signal.id"),
        c.upper("position", "Position", "signal.position"),
        c.note("signal.note", settings),
        c.money("current_price", "Current Price", "current_price", zero=False),
        c.money("price_open", "Entry Price", "signal.price_open"),
        *c.levels("signal", "take_profit", "stop_loss"),
        Column("pnl_percentage", "PNL (net)", lambda row, _: _profit(row)),
        c.percent("partial_executed", "Partial Executed %", "signal.partial_executed", 1),
        Column("duration", "Wait Time (min)", lambda row, _: formats.number(waited_minutes(row))),
        c.upper("cancel_reason", "Cancel Reason", "reason"),
        c.text("cancel_id", "Cancel ID", "cancel_id"),
        c.time("pending_at", "Pending At", "signal.pending_at"),
        c.time("scheduled_at", "Scheduled At", "signal.scheduled_at"),
    ]


def waited_minutes(row: ScheduleRow) -> float | None:
    """Minutes from scheduling to opening or cancellation; None while it waits."""
    if isinstance(row, OpenedResult):
        return (row.signal.pending_at - row.signal.scheduled_at) / MINUTE_MS
    if isinstance(row, CancelledResult):
        return (row.close_timestamp - row.signal.scheduled_at) / MINUTE_MS
    return None


def waiting_row(result: ScheduleRow) -> ScheduleRow | None:
    """The result, unless a position opened in the moment its signal was made: it never waited."""
    signal = result.signal
    return None if isinstance(result, OpenedResult) and signal.scheduled_at == signal.pending_at else result


def _profit(row: ScheduleRow) -> str | None:
    return formats.signed_percent(row.signal.pnl.pnl_percentage, 2) if row.signal.pending_at else None


SCHEDULE_REPORT: Final[ReportSpec[ScheduleRow, ScheduleStatistics]] = ReportSpec(
    name="schedule",
    title="Scheduled Signals Report: {strategy_name}",
    empty_text="No scheduled signals recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        Table(
            key="schedule",
            rows=lambda page: page.figures.event_list,
            columns=schedule_columns,
            row_limit="max_schedule_markdown_rows",
            total=lambda page: page.figures.total_events,
        ),
        Lines(
            parts=(
                SummaryLine("Total events", lambda s: str(s.total_events)),
                SummaryLine("Scheduled signals (raw)", lambda s: str(s.total_scheduled)),
                SummaryLine("Opened signals", lambda s: str(s.total_opened)),
                SummaryLine("Cancelled signals", lambda s: str(s.total_cancelled)),
                SummaryLine("Activation rate", lambda s: formats.percent(s.activation_rate, 2), HIGHER),
                SummaryLine("Cancellation rate", lambda s: formats.percent(s.cancellation_rate, 2), LOWER),
                SummaryLine("Average activation time", lambda s: _minutes_text(s.avg_activation_time)),
                SummaryLine("Average wait time (cancelled)", lambda s: _minutes_text(s.avg_wait_time)),
            )
        ),
    ),
    legend=(
        "An entry with a price of its own waits until the market comes to it. **Activation rate**: entries that opened "
        "among those that opened or were given up; entries that still wait are not in it.",
        "A low rate with a good result says that the levels are well chosen but far away; a long wait ties up a place "
        "in the risk profile all the same.",
    ),
    feeds=(
        Feed("signal_backtest", ("scheduled", "opened", "cancelled"), waiting_row),
        Feed("signal_live", ("scheduled", "opened", "cancelled"), waiting_row),
    ),
    record=schedule_record,
    row_limit="max_schedule_markdown_rows",
    tally=ScheduleTally,
)


def _minutes_text(value: float | None) -> str | None:
    text = formats.fixed(value, 2)
    return None if text is None else f"{text} minutes"
