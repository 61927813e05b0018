"""Trades and events for tests of statistics and reports, with profits that follow from their prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtestkit.math.profit import Costs, holding, profit_loss
from backtestkit.math.statistics_positions import TradeSet
from backtestkit.model.analysis import Marks
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import CancelledResult, ClosedResult, OpenedResult, ScheduledResult
from backtestkit.model.signal import (
    ZERO_PROFIT,
    CancelReason,
    CloseReason,
    Entry,
    Extreme,
    Funding,
    PartialClose,
    PositionSide,
    PublicSignal,
)
from backtestkit.runtime.context import RunKey

START = 1_735_689_600_000  # 2025-01-01T00:00Z, a Wednesday
DAY = 1440
COSTS = Costs(percent_slippage=0.1, percent_fee=0.1)
FREE = Costs(0.0, 0.0)
KEY = RunKey("BTCUSDT", "above-mean", "bybit", "june", True)


def at(minute: float) -> int:
    """Minutes after the start as ms UTC."""
    return START + round(minute * MINUTE_MS)


def run_key(symbol: str = "BTCUSDT", **changes: Any) -> RunKey:
    """The key of a run."""
    fields: dict[str, Any] = {
        "strategy_name": "above-mean",
        "exchange_name": "bybit",
        "frame_name": "june",
        "backtest": True,
    }
    return RunKey(symbol=symbol, **(fields | changes))


def signal(
    *,
    key: RunKey = KEY,
    id: str = "s1",
    position: PositionSide = "long",
    opened: float = 0,
    scheduled: float | None = None,
    price_open: float = 100.0,
    price: float = 100.0,
    cost: float = 100.0,
    multiplier: float = 1.0,
    stop: float | None = None,
    take: float | None = None,
    entries: Sequence[tuple[float, float, float]] = (),
    partials: Sequence[PartialClose] = (),
    fundings: Sequence[tuple[float, float]] = (),
    costs: Costs = COSTS,
    waiting: bool = False,
    **changes: Any,
) -> PublicSignal:
    """A signal as it is shown at `price`; times are minutes. `entries` are more entries (minute, price, cost)."""
    side = 1 if position == "long" else -1
    listed = (Entry(price_open, cost, at(opened)), *(Entry(p, c, at(m)) for m, p, c in entries))
    paid = tuple(Funding(at(m), 0.0001, 100.0, c) for m, c in fundings)
    fields: dict[str, Any] = {
        "id": id, "symbol": key.symbol, "strategy_name": key.strategy_name, "exchange_name": key.exchange_name,
        "frame_name": key.frame_name, "position": position, "note": "**why** | because", "price_open": price_open,
        "price_take_profit": take or price_open * (1 + side * 0.02), "price_stop_loss": stop or price_open * (1 - side * 0.01),
        "original_price_open": price_open, "original_price_take_profit": take or price_open * (1 + side * 0.02),
        "original_price_stop_loss": stop or price_open * (1 - side * 0.01), "minute_estimated_time": 240, "cost": cost,
        "multiplier": multiplier, "isolated": True, "scheduled_at": at(opened if scheduled is None else scheduled),
        "pending_at": 0 if waiting else at(opened), "timestamp": at(opened), "total_entries": len(listed),
        "total_partials": len(partials), "partial_executed": 0.0, "pnl": ZERO_PROFIT, "peak_profit": ZERO_PROFIT,
        "max_drawdown": ZERO_PROFIT, "peak": Extreme(price, at(opened), ZERO_PROFIT),
        "fall": Extreme(price, at(opened), ZERO_PROFIT), "entries": listed, "partials": tuple(partials),
        "fundings": paid,
    }  # fmt: skip
    made = PublicSignal(**(fields | changes))
    profit = ZERO_PROFIT if waiting else profit_loss(made, price, costs)
    worst, best = sorted((profit_loss(made, price_open, costs), profit), key=lambda p: p.pnl_percentage)
    derived: dict[str, Any] = {"pnl": profit, "partial_executed": holding(made).closed_percent}
    if not waiting:
        derived |= {"peak_profit": best, "max_drawdown": worst}
    return PublicSignal(**(fields | derived | changes))


def closed(
    minutes: float = 60, price: float = 101.0, *, reason: CloseReason = "take_profit", **fields: Any
) -> ClosedResult:
    """A position that was open for so many minutes and closed at `price`; the other fields are those of `signal`."""
    shown = signal(price=price, **fields)
    time = at(fields.get("opened", 0) + minutes)
    key = fields.get("key", KEY)
    return ClosedResult(key, time, price, shown, reason, time, shown.pnl, None, False)


def with_profit(percent: float, *, day: float = 0, **fields: Any) -> ClosedResult:
    """A trade of an hour that ends `day` days after the start with this net profit, whatever its prices."""
    made = closed(60, opened=day * DAY - 60, **fields)
    profit = type(made.pnl)(percent, percent, 100.0, 100.0, made.current_price)
    return ClosedResult(
        made.key, made.timestamp, made.current_price, made.signal, made.close_reason, made.close_timestamp, profit,
        None, False,
    )  # fmt: skip


def partial(minute: float, percent: float, price: float, basis: float = 100.0, entries: int = 1) -> PartialClose:
    """A partial close of so many percent of the cost basis held."""
    return PartialClose("profit", percent, price, basis, entries, at(minute))


def scheduled(minute: float, **fields: Any) -> ScheduledResult:
    """A signal begins to wait."""
    shown = signal(opened=minute, waiting=True, **fields)
    return ScheduledResult(fields.get("key", KEY), at(minute), 100.5, shown)


def opened_after(scheduled_at: float, minute: float, **fields: Any) -> OpenedResult:
    """A position was opened at `minute` by a signal of the minute `scheduled_at`."""
    shown = signal(opened=minute, scheduled=scheduled_at, **fields)
    return OpenedResult(fields.get("key", KEY), at(minute), 100.0, shown)


def cancelled(scheduled_at: float, minute: float, *, why: CancelReason = "timeout", **fields: Any) -> CancelledResult:
    """A waiting signal was given up."""
    shown = signal(opened=scheduled_at, waiting=True, **fields)
    return CancelledResult(fields.get("key", KEY), at(minute), 100.5, shown, why, at(minute), None)


def marks(*prices: float, first: float = 0, step: float = 1) -> Marks:
    """One price every `step` minutes from minute `first` on."""
    times = np.array([at(first + i * step) for i in range(len(prices))], dtype=np.int64)
    return Marks(times, np.array(prices, dtype=float))


def trade_set(
    trades: Sequence[ClosedResult],
    prices: Marks | None = None,
    *,
    costs: Costs = COSTS,
    symbol: str = "BTCUSDT",
    first: float = 0,
    last: float | None = None,
) -> TradeSet:
    """Trades of one symbol over a span of minutes, by default until the last close."""
    end = max((t.close_timestamp for t in trades), default=at(first)) if last is None else at(last)
    return TradeSet(symbol, trades, costs, prices, at(first), end)
