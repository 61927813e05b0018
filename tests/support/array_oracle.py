"""Array tests as a plain loop over candles, written from the rules in `docs/arrays.md`, one set at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from backtestkit.math.profit import Costs, whole_profit
from backtestkit.model.candle import Candles

FREE = Costs(0.0, 0.0)


@dataclass
class Trade:
    """A trade of the loop; the candles `start` to `stop - 1` are those it was open in."""

    side: int
    start: int
    price_open: float
    stop: int = -1
    price_close: float = nan
    reason: str = ""
    ambiguous: bool = False


@dataclass
class Rules:
    """What is assumed; NaN is no level."""

    fill: str = "next_open"
    stop_loss: float = nan
    take_profit: float = nan
    trailing_stop: float = nan
    costs: Costs = FREE


def decided(long_entry: bool, long_exit: bool, short_entry: bool, short_exit: bool) -> tuple[int, bool, bool]:
    """The side that signals enter, and whether they end a long and a short."""
    if long_entry and long_exit:
        long_entry = long_exit = False
    if short_entry and short_exit:
        short_entry = short_exit = False
    if long_entry and short_entry:
        long_entry = short_entry = False
    return int(long_entry) - int(short_entry), long_exit or short_entry, short_exit or long_entry


def changed(before: int, target: int) -> tuple[int, bool, bool]:
    """The same for a target position."""
    if before == target:
        return 0, False, False
    return target, target != 1, target != -1


def trades_of(candles: Candles, decisions: Sequence[tuple[int, bool, bool]], rules: Rules) -> list[Trade]:
    """All trades of one set."""
    opens, highs, lows, closes = (
        column.tolist() for column in (candles.open, candles.high, candles.low, candles.close)
    )
    made: list[Trade] = []
    now: Trade | None = None
    best = nan
    for t in range(len(opens)):
        if now is not None:
            met = _level(now, best, opens[t], highs[t], lows[t], rules)
            best = max(best, highs[t]) if now.side == 1 else min(best, lows[t])
            if met is not None:
                now.price_close, now.reason, now.ambiguous = met
                now.stop, now = t + 1, None
        if t == len(opens) - 1:
            break
        entry, ends_long, ends_short = decisions[t]
        price = opens[t + 1] if rules.fill == "next_open" else closes[t]
        if now is not None and (ends_long if now.side == 1 else ends_short):
            now.stop, now.price_close, now.reason = t + 1, price, "closed"
            now = None
        if now is None and entry:
            now = Trade(entry, t + 1, price)
            best = price
            made.append(now)
    if now is not None:
        now.stop, now.price_close, now.reason = len(opens), closes[-1], "frame_end"
    return made


def _level(
    trade: Trade, best: float, opened: float, high: float, low: float, rules: Rules
) -> tuple[float, str, bool] | None:
    """Price, reason and doubt of a level that a candle meets."""
    side, price = trade.side, trade.price_open
    long = side == 1
    stops = []
    if not long:
        fee, slippage = rules.costs.percent_fee / 100, rules.costs.percent_slippage / 100
        stops.append(((2 - fee) / (1 + fee) * (price * (1 - slippage)) / (1 + slippage), "liquidation"))
    if not isnan(rules.stop_loss):
        stops.append((price * (1 - side * rules.stop_loss / 100), "stop_loss"))
    if not isnan(rules.trailing_stop):
        stops.append((best * (1 - side * rules.trailing_stop / 100), "trailing_stop"))
    take = price * (1 + side * rules.take_profit / 100)
    taken = not isnan(take) and (high >= take if long else low <= take)
    if stops:
        # The nearest one counts; of equal ones the first.
        level, reason = max(stops, key=lambda one: one[0]) if long else min(stops, key=lambda one: one[0])
        if low <= level if long else high >= level:
            filled = min(level, opened) if long else max(level, opened)
            if not long and filled >= stops[0][0]:
                return stops[0][0], "liquidation", taken
            return filled, reason, taken
    return (take, "take_profit", False) if taken else None


def profit(trade: Trade, price: float, costs: Costs) -> float:
    """Net profit at `price`, percent."""
    if trade.reason == "liquidation" and price == trade.price_close:
        return -100.0
    return whole_profit(trade.side == 1, trade.price_open, 100.0, 1.0, price, costs).pnl_percentage


def equity_of(candles: Candles, trades: Sequence[Trade], rules: Rules) -> list[float]:
    """The equity at each close, from 1."""
    closes = candles.close.tolist()
    values: list[float] = []
    account, waiting = 1.0, list(trades)
    for t, close in enumerate(closes):
        while waiting and _realised(waiting[0], rules) <= t:
            account *= max(0.0, 1 + profit(waiting[0], waiting[0].price_close, rules.costs) / 100)
            waiting.pop(0)
        open_now = bool(waiting) and waiting[0].start <= t
        values.append(max(0.0, account * (1 + profit_now(waiting[0], close, rules) / 100)) if open_now else account)
    return values


def profit_now(trade: Trade, price: float, rules: Rules) -> float:
    """Net profit if the trade were closed at `price`, percent."""
    return whole_profit(trade.side == 1, trade.price_open, 100.0, 1.0, price, rules.costs).pnl_percentage


def _realised(trade: Trade, rules: Rules) -> int:
    """The first candle at whose close the trade is over."""
    return trade.stop if trade.reason == "closed" and rules.fill == "next_open" else trade.stop - 1


def columns(trades: Sequence[Trade], costs: Costs) -> dict[str, list[Any]]:
    """Trades as the table of an array test has them."""
    return {
        "position": ["long" if trade.side == 1 else "short" for trade in trades],
        "price_open": [trade.price_open for trade in trades],
        "price_close": [trade.price_close for trade in trades],
        "close_reason": [trade.reason for trade in trades],
        "ambiguous": [trade.ambiguous for trade in trades],
        "pnl": [profit(trade, trade.price_close, costs) for trade in trades],
    }
