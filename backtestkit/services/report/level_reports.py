"""The reports on what an open position reaches: milestones, breakeven, its best and its worst point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from backtestkit.math.statistics_events import EventTally, PartialTally
from backtestkit.model.event import BreakevenEvent, ExtremeEvent, LevelEvent
from backtestkit.model.statistics_events import EventStatistics, PartialRow, PartialStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import breakeven_record, extreme_record, partial_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table


def partial_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of milestones."""
    return [
        c.upper("action", "Action", "action"),
        *c.who("data"),
        Column("level", "Level %", lambda row, _: level_text(row)),
        c.money("current_price", "Current Price", "current_price"),
        c.money("price_open", "Entry Price", "data.price_open"),
        *_position_columns(settings),
    ]


def breakeven_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of breakevens."""
    return [
        *c.who("data"),
        c.money("price_open", "Entry Price", "data.price_open"),
        c.money("current_price", "Breakeven Price", "current_price"),
        *_position_columns(settings),
    ]


def _position_columns(settings: Settings) -> list[Column[Any]]:
    return [
        *c.levels("data"),
        c.signed_percent("pnl_percentage", "PNL (net)", "data.pnl.pnl_percentage"),
        c.percent("partial_executed", "Partial Executed %", "data.partial_executed", 2),
        c.note("data.note", settings),
        c.time("pending_at", "Pending At", "data.pending_at"),
        c.time("scheduled_at", "Scheduled At", "data.scheduled_at"),
        *c.end(),
    ]


def extreme_columns(field: str, price_label: str) -> list[Column[Any]]:
    """The columns of the tables of best and worst points; `field` of the signal has the profit there."""
    return [
        *c.who("signal"),
        c.signed_percent("pnl", "PNL (net)", f"signal.{field}.pnl_percentage"),
        c.money("pnl_cost", "PNL Cost", f"signal.{field}.pnl_cost", signed=True),
        c.money("current_price", price_label, "current_price"),
        c.money("price_open", "Entry Price", "signal.price_open"),
        c.money("price_take_profit", "Take Profit", "signal.price_take_profit"),
        c.money("price_stop_loss", "Stop Loss", "signal.price_stop_loss"),
        *c.end(),
    ]


def level_text(row: PartialRow) -> str:
    """A milestone with the sign of its side."""
    return f"{'+' if row.action == 'profit' else '-'}{formats.number(row.level)}%"


def milestone(action: Literal["profit", "loss"]) -> Callable[[LevelEvent], PartialRow]:
    """Makes the rows of one side."""

    def row(event: LevelEvent) -> PartialRow:
        return PartialRow(event.key, event.timestamp, event.data, event.current_price, event.level, action)

    return row


def _total(statistics: Any) -> str:
    return str(statistics.total_events)


def _table(key: str, columns: Callable[[Settings], list[Column[Any]]]) -> Table[Any]:
    return Table(
        key=key,
        rows=lambda page: page.figures.event_list,
        columns=columns,
        row_limit=f"max_{key}_markdown_rows",
        total=lambda page: page.figures.total_events,
    )


PARTIAL_REPORT: Final[ReportSpec[PartialRow, PartialStatistics]] = ReportSpec(
    name="partial",
    title="Partial Profit/Loss Report: {symbol}:{strategy_name}",
    empty_text="No partial profit/loss events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        _table("partial", partial_columns),
        Lines(
            parts=(
                SummaryLine("Total events", _total),
                SummaryLine("Profit events", lambda s: str(s.total_profit)),
                SummaryLine("Loss events", lambda s: str(s.total_loss)),
            )
        ),
    ),
    feeds=(
        Feed("partial_profit_available", row=milestone("profit")),
        Feed("partial_loss_available", row=milestone("loss")),
    ),
    record=partial_record,
    row_limit="max_partial_markdown_rows",
    tally=PartialTally,
)

BREAKEVEN_REPORT: Final[ReportSpec[BreakevenEvent, EventStatistics[BreakevenEvent]]] = ReportSpec(
    name="breakeven",
    title="Breakeven Report: {symbol}:{strategy_name}",
    empty_text="No breakeven events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(_table("breakeven", breakeven_columns), Lines(parts=(SummaryLine("Total events", _total),))),
    feeds=(Feed("breakeven_available"),),
    record=breakeven_record,
    row_limit="max_breakeven_markdown_rows",
    tally=EventTally,
)

HIGHEST_PROFIT_REPORT: Final[ReportSpec[ExtremeEvent, EventStatistics[ExtremeEvent]]] = ReportSpec(
    name="highest_profit",
    title="Highest Profit Report: {symbol}:{strategy_name}",
    empty_text=(
        "No profitable peak recorded yet. A peak counts when closing there would have left a profit after costs."
    ),
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        _table("highest_profit", lambda _: extreme_columns("peak_profit", "Peak Price")),
        Lines(parts=(SummaryLine("Total events", _total),)),
    ),
    feeds=(Feed("highest_profit"),),
    record=extreme_record,
    row_limit="max_highest_profit_markdown_rows",
    tally=EventTally,
)

MAX_DRAWDOWN_REPORT: Final[ReportSpec[ExtremeEvent, EventStatistics[ExtremeEvent]]] = ReportSpec(
    name="max_drawdown",
    title="Max Drawdown Report: {symbol}:{strategy_name}",
    empty_text="No max drawdown events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        _table("max_drawdown", lambda _: extreme_columns("max_drawdown", "DD Price")),
        Lines(parts=(SummaryLine("Total events", _total),)),
    ),
    feeds=(Feed("max_drawdown"),),
    record=extreme_record,
    row_limit="max_max_drawdown_markdown_rows",
    tally=EventTally,
)
