"""Records of closed trades and their statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from backtestkit import ClosedResult, Extreme, ProfitLoss, PublicSignal, RunKey
from backtestkit.math.statistics import backtest_statistics, live_statistics
from backtestkit.math.statistics_heat import heat_statistics

from . import compare

ROW_LIMIT = 250
"""The newest rows that every report of the reference counts."""


def first_difference(record: dict[str, Any]) -> str | None:
    """The first difference between the statistics of the record's trades and what it expects, or None."""
    trades = [closed(signal) for signal in record["signals"]]
    suspect = frozenset(record.get("suspect_fields", ()))
    found = compare.difference(figures(trades, ROW_LIMIT), record["expected"], ignored=suspect)
    if found is None and "expected_unlimited" in record:
        found = compare.difference(figures(trades, None), record["expected_unlimited"], ignored=suspect)
        found = found and f"unlimited: {found}"
    return found


def figures(trades: Sequence[ClosedResult], limit: int | None) -> dict[str, Any]:
    """All statistics that a record expects."""
    symbols = by_symbol(trades)
    newest = trades if limit is None else trades[-limit:]
    return {
        "pooled": plain(backtest_statistics(trades, limit)),
        "live": plain(live_statistics(newest, newest[::-1])),
        "by_symbol": {symbol: plain(backtest_statistics(own, limit)) for symbol, own in symbols.items()},
        "heat": heat(symbols, limit),
    }


def heat(symbols: Mapping[str, Sequence[ClosedResult]], limit: int | None) -> dict[str, Any]:
    """The heat map in the form of the records."""
    statistics = heat_statistics(symbols, limit)
    return plain(statistics) | {"symbols": [plain(row) for row in statistics.symbols]}


def by_symbol(trades: Sequence[ClosedResult]) -> dict[str, list[ClosedResult]]:
    """Trades by symbol, symbols in the order in which they appear."""
    groups: dict[str, list[ClosedResult]] = {}
    for trade in trades:
        groups.setdefault(trade.symbol, []).append(trade)
    return groups


def plain(figures: Any) -> dict[str, Any]:
    """The fields of a set of figures by name."""
    return {field.name: getattr(figures, field.name) for field in fields(figures)}


def closed(row: dict[str, Any]) -> ClosedResult:
    """A recorded trade as the result that closes it."""
    profit = ProfitLoss(**row["pnl"])
    peak, fall = (ProfitLoss(**row[name]) for name in ("peak_profit", "max_drawdown"))
    names = (
        "id", "symbol", "position", "price_open", "price_take_profit", "price_stop_loss", "cost", "total_entries",
        "total_partials", "partial_executed", "scheduled_at", "pending_at",
    )  # fmt: skip
    life = row["minute_estimated_time"]
    signal = PublicSignal(
        **{name: row[name] for name in names},
        strategy_name="golden",
        exchange_name="golden",
        frame_name="golden",
        note="",
        original_price_open=row["price_open"],
        original_price_take_profit=row["price_take_profit"],
        original_price_stop_loss=row["price_stop_loss"],
        minute_estimated_time=float("inf") if life is None else life,
        multiplier=1.0,
        isolated=True,
        timestamp=row["scheduled_at"],
        pnl=profit,
        peak_profit=peak,
        max_drawdown=fall,
        peak=Extreme(peak.price_close, row["pending_at"], peak),
        fall=Extreme(fall.price_close, row["pending_at"], fall),
        entries=(),
        partials=(),
    )
    key = RunKey(row["symbol"], "golden", "golden", "golden", True)
    time = row["close_timestamp"]
    return ClosedResult(key, time, profit.price_close, signal, "take_profit", time, profit, None, False)
