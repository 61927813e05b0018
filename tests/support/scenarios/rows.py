"""Positions made by hand, for tests of formulas and rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from backtestkit.model.signal import ZERO_PROFIT, Entry, Extreme, PartialClose, PositionSide, SignalRow

from .market import START


def signal_row(
    position: PositionSide = "long",
    entries: Sequence[tuple[float, float]] = ((100.0, 100.0),),
    **fields: Any,
) -> SignalRow:
    """An open position of `(price, cost)` entries, with levels 10 % from 100 unless `fields` say otherwise."""
    first = entries[0][0] if entries else 100.0
    sign = 1 if position == "long" else -1
    start = Extreme(first, START, ZERO_PROFIT)
    values: dict[str, Any] = {
        "id": "a",
        "symbol": "BTC",
        "strategy_name": "s",
        "exchange_name": "x",
        "frame_name": "f",
        "position": position,
        "note": "",
        "price_open": first,
        "price_take_profit": 100.0 + sign * 10,
        "price_stop_loss": 100.0 - sign * 10,
        "minute_estimated_time": 60.0,
        "cost": entries[0][1] if entries else 100.0,
        "multiplier": 1.0,
        "isolated": True,
        "scheduled_at": START,
        "pending_at": START,
        "timestamp": START,
        "is_scheduled": False,
        "entries": tuple(Entry(price, cost, START) for price, cost in entries),
        "partials": (),
        "trailing_price_take_profit": None,
        "trailing_price_stop_loss": None,
        "peak": start,
        "fall": start,
    }
    return SignalRow(**(values | fields))


def partial(
    percent: float,
    price: float,
    basis: float,
    entries: int = 1,
    kind: Literal["profit", "loss"] = "profit",
) -> PartialClose:
    """A partial close of `percent` of the `basis` held, after `entries` entries."""
    return PartialClose(kind, percent, price, basis, entries, START)
