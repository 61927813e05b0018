"""The columns of a closed trade, as every export has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.table import Table
from backtestkit.model.table_column import TableColumn


def _minutes(trade: ClosedResult) -> float | None:
    opened, closed = trade.signal.pending_at, trade.close_timestamp
    return (closed - opened) / MINUTE_MS if opened > 0 and closed > 0 else None


def _funding(trade: ClosedResult) -> float:
    return sum((funding.cost for funding in trade.signal.fundings), 0.0)


TRADE_COLUMNS: Final = (
    TableColumn("symbol", "text"),
    TableColumn("strategy_name", "text"),
    TableColumn("exchange_name", "text"),
    TableColumn("frame_name", "text", about="Empty in live trading."),
    TableColumn("signal_id", "text", about="Identity of the signal.", read="signal.id"),
    TableColumn("position", "text", about="long or short", read="signal.position"),
    TableColumn("signal_time", "time", about="When the strategy gave the signal.", read="signal.scheduled_at"),
    TableColumn("open_time", "time", about="When the position was opened.", read="signal.pending_at"),
    TableColumn("close_time", "time", about="When it was closed.", read="close_timestamp"),
    TableColumn("duration", "number", "minutes", "From opening to close.", _minutes),
    TableColumn("price_open", "number", "quote", "Effective entry price of what was held last.", "signal.price_open"),
    TableColumn("price_close", "number", "quote", "Price of the last exit, before slippage.", "current_price"),
    TableColumn("close_reason", "text", about="What ended the position."),
    TableColumn("ambiguous", "flag", about="Whether the last candle also reached the other level."),
    TableColumn("pnl", "number", "percent", "Net profit of everything invested.", "pnl.pnl_percentage"),
    TableColumn("pnl_cost", "number", "quote", "Net profit.", "pnl.pnl_cost"),
    TableColumn("invested", "number", "quote", "Cost of all entries.", "pnl.pnl_entries"),
    TableColumn("multiplier", "number", about="Leverage.", read="signal.multiplier"),
    TableColumn("peak_pnl", "number", "percent", "Profit at the best point.", "signal.peak_profit.pnl_percentage"),
    TableColumn("fall_pnl", "number", "percent", "Profit at the worst point.", "signal.max_drawdown.pnl_percentage"),
    TableColumn("take_profit", "number", "quote", "Level in force at the end.", "signal.price_take_profit"),
    TableColumn("stop_loss", "number", "quote", "Level in force at the end.", "signal.price_stop_loss"),
    TableColumn("original_price_open", "number", "quote", "First entry price.", "signal.original_price_open"),
    TableColumn("original_take_profit", "number", "quote", "As given.", "signal.original_price_take_profit"),
    TableColumn("original_stop_loss", "number", "quote", "As given.", "signal.original_price_stop_loss"),
    TableColumn("entries", "count", about="Number of entries.", read="signal.total_entries"),
    TableColumn("partials", "count", about="Number of partial closes.", read="signal.total_partials"),
    TableColumn(
        "partial_executed", "number", "percent", "Of the invested cost, closed in parts.", "signal.partial_executed"
    ),
    TableColumn("funding", "number", "quote", "Received; negative when it was paid.", _funding),
    TableColumn("close_id", "text", about="What a close command was called."),
    TableColumn("note", "text", about="What the strategy wrote.", read="signal.note"),
)


def trade_table(trades: Iterable[ClosedResult]) -> Table:
    """Closed trades as a table, in the order given."""
    return Table.of_rows(TRADE_COLUMNS, trades)
