"""The rules that a signal must obey before it may become a position.

All rules of a round are evaluated, also after one failed, so a caller sees everything that is wrong at once. A
comparison with a missing value or with NaN is false and adds nothing; infinities compare normally. The market rules
are only looked at when the common ones hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backtestkit.errors import Violation
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.signal import SignalRow

TOLERANCE = 1e-9
"""Relative slack of distance rules, in the user's favour, under `distances="tolerance"`."""


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """The configured limits of a signal. Distances are percent of the entry price; 0 switches a distance rule off."""

    enable_long: bool
    enable_short: bool
    min_take_profit_percent: float
    min_stop_loss_percent: float
    max_stop_loss_percent: float
    max_lifetime_minutes: float


def check_common(signal: SignalRow, limits: SignalLimits, policy: FillPolicy) -> list[Violation]:
    """Broken rules that do not depend on the market, in the order of checking."""
    found: list[Violation] = []
    add = _collector(found)
    _check_side(signal, limits, add)
    price_open = _check_price("price_open", "price_open", signal.price_open, add)
    take = _check_price("take_profit", "price_take_profit", signal.price_take_profit, add)
    stop = _check_price("stop_loss", "price_stop_loss", signal.price_stop_loss, add)
    if signal.position in ("long", "short"):
        _check_levels(signal.position == "long", price_open, take, stop, limits, policy, add)
    _check_lifetime(signal.minute_estimated_time, limits, add)
    multiplier = _number(signal.multiplier)
    if not math.isfinite(multiplier):
        add("multiplier_not_finite", f"multiplier={signal.multiplier!r} is not a finite number")
    elif multiplier <= 0:
        add("multiplier_not_positive", f"multiplier={signal.multiplier!r} must be above 0")
    if not isinstance(signal.isolated, bool):
        add("isolated_not_boolean", f"isolated={signal.isolated!r} must be True or False")
    if policy.cost == "checked":
        cost = _number(signal.cost)
        if not math.isfinite(cost):
            add("cost_not_finite", f"cost={signal.cost!r} is not a finite number")
        elif cost <= 0:
            add("cost_not_positive", f"cost={signal.cost!r} must be above 0")
    return found


def check_market(signal: SignalRow, current_price: float) -> list[Violation]:
    """Broken rules of an entry at once: the market must lie strictly between the levels."""
    found: list[Violation] = []
    add = _collector(found)
    if not (math.isfinite(current_price) and current_price > 0):
        add("current_price_invalid", f"the current price {current_price!r} is not a positive number")
    long = signal.position == "long"
    take, stop = signal.price_take_profit, signal.price_stop_loss
    if current_price <= stop if long else current_price >= stop:
        add(
            "already_stopped_out",
            f"price_stop_loss={stop} of a {signal.position} is already reached: the price is {current_price} "
            f"({abs(current_price - stop):g} beyond)",
        )
    if current_price >= take if long else current_price <= take:
        add(
            "already_past_take_profit",
            f"price_take_profit={take} of a {signal.position} is already reached: the price is {current_price} "
            f"({abs(current_price - take):g} beyond)",
        )
    return found


def is_reached(long: bool, price_open: float, current_price: float) -> bool:
    """Whether the market is at or better than `price_open`, so that an entry there opens at once."""
    return current_price <= price_open if long else current_price >= price_open


_Add = Callable[[str, str], None]


def _collector(found: list[Violation]) -> _Add:
    return lambda code, message: found.append(Violation(code, message))


def _number(value: Any) -> float:
    """`value` as a float, NaN for what is no number: comparisons with it are false, as the rules want."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _check_side(signal: SignalRow, limits: SignalLimits, add: _Add) -> None:
    side = signal.position
    if side is None:
        add("position_required", "position is missing; give 'long' or 'short'")
    if side not in ("long", "short"):
        add("position_invalid", f"position={side!r} is neither 'long' nor 'short'")
    if side == "long" and not limits.enable_long:
        add("long_disabled", "position='long' is switched off by enable_long_signal=False")
    if side == "short" and not limits.enable_short:
        add("short_disabled", "position='short' is switched off by enable_short_signal=False")


def _check_price(label: str, name: str, value: Any, add: _Add) -> float:
    number = _number(value)
    if math.isnan(number) and not isinstance(value, float):
        add(f"{label}_not_number", f"{name}={value!r} is not a number")
    if not math.isfinite(number):
        add(f"{label}_not_finite", f"{name}={value!r} is not finite")
    elif number <= 0:
        add(f"{label}_not_positive", f"{name}={value!r} must be above 0")
    return number


def _check_levels(
    long: bool, price_open: float, take: float, stop: float, limits: SignalLimits, policy: FillPolicy, add: _Add
) -> None:
    side = "long" if long else "short"
    if take <= price_open if long else take >= price_open:
        where = "above" if long else "below"
        add(
            "take_profit_wrong_side",
            f"price_take_profit={take} of a {side} must be {where} price_open={price_open} (off by {abs(take - price_open):g})",
        )
    if stop >= price_open if long else stop <= price_open:
        where = "below" if long else "above"
        add(
            "stop_loss_wrong_side",
            f"price_stop_loss={stop} of a {side} must be {where} price_open={price_open} (off by {abs(stop - price_open):g})",
        )
    slack = TOLERANCE if policy.distances == "tolerance" else 0.0
    reward = _percent(take - price_open if long else price_open - take, price_open)
    risk = _percent(price_open - stop if long else stop - price_open, price_open)
    least, most = limits.min_stop_loss_percent, limits.max_stop_loss_percent
    wanted = limits.min_take_profit_percent
    if wanted and reward < wanted * (1 - slack):
        where = f"price_take_profit={take} is {reward:g} % from price_open={price_open}"
        add(
            "take_profit_too_close",
            f"{where}; min_takeprofit_distance_percent is {wanted:g} (missing {wanted - reward:g})",
        )
    where = f"price_stop_loss={stop} is {risk:g} % from price_open={price_open}"
    if least and risk < least * (1 - slack):
        add("stop_loss_too_close", f"{where}; min_stoploss_distance_percent is {least:g} (missing {least - risk:g})")
    if most and risk > most * (1 + slack):
        add("stop_loss_too_far", f"{where}; max_stoploss_distance_percent is {most:g} (over by {risk - most:g})")


def _percent(distance: float, base: float) -> float:
    """`distance` as percent of `base`; a base of 0 gives an infinity of the distance's sign, as IEEE division does."""
    if base == 0:
        return math.nan if distance == 0 or math.isnan(distance) else math.copysign(math.inf, distance)
    return distance / base * 100


def _check_lifetime(value: Any, limits: SignalLimits, add: _Add) -> None:
    minutes = _number(value)
    cap = limits.max_lifetime_minutes
    if math.isnan(minutes) and not isinstance(value, float):
        add("minute_estimated_time_not_number", f"minute_estimated_time={value!r} is not a number")
    if minutes <= 0:
        add("minute_estimated_time_not_positive", f"minute_estimated_time={value!r} must be above 0")
    if not math.isinf(minutes) and not minutes.is_integer():
        add("minute_estimated_time_not_integer", f"minute_estimated_time={value!r} must be whole minutes (or math.inf)")
    if math.isinf(minutes) and not math.isinf(cap):
        add(
            "minute_estimated_time_infinite_not_allowed",
            f"minute_estimated_time={value!r} needs max_signal_lifetime_minutes=inf; it is {cap:g}",
        )
    if not math.isinf(cap) and minutes > cap:
        add(
            "minute_estimated_time_too_large",
            f"minute_estimated_time={value!r} is over max_signal_lifetime_minutes={cap:g}",
        )
