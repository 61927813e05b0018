"""What a command would do to a position: pure proposals over a row. The machine commits them, or says why not.

Every function answers with a `Change` (the new row and the commit to announce) or with a refused `Outcome` that names
the rule, the value and the limit. Rules are checked in a fixed order; the first broken one answers.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from backtestkit.clients.position import Levels
from backtestkit.clients.state import Commit, StrategyRules
from backtestkit.math.levels import sl_percent_shift_to_price, tp_percent_shift_to_price
from backtestkit.math.profit import holding, invested_cost
from backtestkit.model.record import record
from backtestkit.model.signal import Entry, PartialClose, SignalRow

PartialKind: TypeAlias = Literal["profit", "loss"]
Leg: TypeAlias = Literal["stop", "take"]

DUST = 1e-9
"""Share of the invested cost below which what remains counts as nothing, and above it as room for rounding."""


@record
class Outcome:
    """What a command did. True when it took effect; else `code` and `message` say why not, and nothing changed.

    `price` is the price it worked with, quote currency.
    """

    done: bool
    price: float | None = None
    code: str | None = None
    message: str = ""

    def __bool__(self) -> bool:
        return self.done


@record
class Change:
    """A proposed row and the commit that announces it."""

    row: SignalRow
    commit: Commit


Proposal: TypeAlias = Change | Outcome


def refuse(code: str, message: str, price: float | None = None) -> Outcome:
    """A command that does not apply."""
    return Outcome(False, price, code, message)


def partial_close(
    row: SignalRow, levels: Levels, rules: StrategyRules, kind: PartialKind, percent: float, price: float, now: int
) -> Proposal:
    """Close `percent` of what is held, in profit or in loss as `kind` says."""
    broken = _not_percent(percent)
    if broken is None:
        broken = _not_price(price)
    if broken is not None:
        return broken
    long, effective = levels.long, levels.effective
    if not rules.switches.partial_everywhere:
        gains = price > effective if long else price < effective
        loses = price < effective if long else price > effective
        if not (gains if kind == "profit" else loses):
            return refuse(
                "wrong_direction",
                f"a partial {kind} needs a price in {kind}; {price} against the entry {effective} is not",
                price,
            )
    if kind == "profit" and (price >= levels.take_profit if long else price <= levels.take_profit):
        return refuse(
            "beyond_take_profit", f"the price {price} has reached the take profit {levels.take_profit}", price
        )
    if kind == "loss" and (price <= levels.stop_loss if long else price >= levels.stop_loss):
        return refuse("beyond_stop_loss", f"the price {price} has reached the stop loss {levels.stop_loss}", price)
    held, total = holding(row), invested_cost(row)
    if held.closed_percent / 100 * total + percent / 100 * held.remaining > total * (1 + DUST):
        return refuse(
            "over_closed", f"percent={percent} of {held.remaining} held is more than is left of {total}", price
        )
    partial = PartialClose(kind, float(percent), price, held.remaining, len(row.entries), now)
    action: Literal["partial_profit", "partial_loss"] = "partial_profit" if kind == "profit" else "partial_loss"
    return Change(
        row.with_changes(partials=(*row.partials, partial)), Commit(action, price, percent_to_close=float(percent))
    )


def is_emptied(row: SignalRow) -> bool:
    """Whether partial closes have left nothing worth mentioning."""
    return holding(row).remaining <= invested_cost(row) * DUST


def trail(
    row: SignalRow, levels: Levels, rules: StrategyRules, leg: Leg, shift: float, price: float, *, allow_loosen: bool
) -> Proposal:
    """Move the stop or the take profit by `shift` percentage points of the distance of the original level."""
    broken = _not_shift(shift)
    if broken is None:
        broken = _not_price(price)
    if broken is not None:
        return broken
    convert = sl_percent_shift_to_price if leg == "stop" else tp_percent_shift_to_price
    original = row.price_stop_loss if leg == "stop" else row.price_take_profit
    level = convert(shift, original, levels.effective, row.position)
    name = "stop loss" if leg == "stop" else "take profit"
    below = levels.long == (leg == "stop")  # a long's stop and a short's take lie below the price
    if price < level if below else price > level:
        return refuse("price_beyond_level", f"the price {price} is already beyond the new {name} {level}", price)
    other = levels.take_profit if leg == "stop" else levels.stop_loss
    if level >= other if below else level <= other:
        return refuse("levels_cross", f"the new {name} {level} would cross the other level {other}", price)
    current = row.trailing_price_stop_loss if leg == "stop" else row.trailing_price_take_profit
    if current is None and rules.policy.first_trailing == "tighten":
        current = original
    if current is not None and not allow_loosen and not rules.switches.trailing_everywhere:
        closer = level > current if below else level < current
        if not closer:
            return refuse(
                "not_tighter",
                f"the new {name} {level} is not tighter than {current}; allow_loosen=True moves it anyway",
                price,
            )
    if leg == "stop":
        moved = row.with_changes(trailing_price_stop_loss=level)
        return Change(moved, Commit("trailing_stop", price, percent_shift=float(shift)))
    moved = row.with_changes(trailing_price_take_profit=level)
    return Change(moved, Commit("trailing_take", price, percent_shift=float(shift)))


def breakeven_reached(row: SignalRow, levels: Levels, price: float) -> Outcome:
    """Whether a breakeven at `price` would move the stop to the entry."""
    long, effective, trailing = levels.long, levels.effective, row.trailing_price_stop_loss
    stop = row.price_stop_loss if trailing is None else trailing
    if trailing is not None and (trailing > effective if long else trailing < effective):
        return Outcome(
            True, price, "already_in_profit", f"the stop {trailing} is in profit of the entry {effective} already"
        )
    if not (price >= levels.breakeven if long else price <= levels.breakeven):
        return refuse("not_reached", f"the price {price} has not reached {levels.breakeven}", price)
    if not (effective > stop if long else effective < stop):
        return refuse("not_tighter", f"the stop {stop} is not worse than the entry {effective}", price)
    return Outcome(True, price)


def breakeven(row: SignalRow, levels: Levels, rules: StrategyRules, price: float) -> Proposal:
    """Move the stop to the effective entry price."""
    broken = _not_price(price)
    if broken is not None:
        return broken
    long, effective = levels.long, levels.effective
    if effective >= levels.take_profit if long else effective <= levels.take_profit:
        return refuse(
            "take_profit_behind", f"the take profit {levels.take_profit} is at or behind the entry {effective}", price
        )
    reached = breakeven_reached(row, levels, price)
    if not reached:
        return reached
    if reached.code == "already_in_profit":
        if rules.policy.breakeven_behind == "refused":
            return refuse("already_in_profit", reached.message, price)
        return Change(row, Commit("breakeven", price))
    return Change(row.with_changes(trailing_price_stop_loss=effective), Commit("breakeven", price))


def average_buy(row: SignalRow, rules: StrategyRules, cost: float, price: float, now: int) -> Proposal:
    """Add an entry of `cost` at `price`."""
    broken = _not_price(price)
    if broken is not None:
        return broken
    if rules.policy.cost == "checked" and not (_is_number(cost) and math.isfinite(cost) and cost > 0):
        return refuse("cost_not_positive", f"cost={cost!r} must be a finite number above 0", price)
    if not rules.switches.average_buy_everywhere:
        prices = [entry.price for entry in row.entries]
        best = min(prices) if row.position == "long" else max(prices)
        if not (price < best if row.position == "long" else price > best):
            where = "below" if row.position == "long" else "above"
            return refuse(
                "not_better", f"the price {price} must be {where} all entries; the best of them is {best}", price
            )
    entries = (*row.entries, Entry(price, float(cost), now))
    return Change(row.with_changes(entries=entries), Commit("average_buy", price, cost=float(cost)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_percent(percent: float) -> Outcome | None:
    if _is_number(percent) and math.isfinite(percent) and 0 < percent <= 100:
        return None
    return refuse("percent_invalid", f"percent={percent!r} must be above 0 and at most 100")


def _not_shift(shift: float) -> Outcome | None:
    if _is_number(shift) and math.isfinite(shift) and -100 <= shift <= 100 and shift != 0:
        return None
    return refuse("shift_invalid", f"percent_shift={shift!r} must lie between -100 and 100 and not be 0")


def _not_price(price: float) -> Outcome | None:
    if _is_number(price) and math.isfinite(price) and price > 0:
        return None
    return refuse("price_invalid", f"price={price!r} must be a finite number above 0")
