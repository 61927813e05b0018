"""The rules that a signal must obey, each with its code, its limit and its message."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.clients.validation import SignalLimits, check_common, check_market
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE
from backtestkit.model.signal import SignalRow
from scenarios.rows import signal_row

LIMITS = SignalLimits(
    enable_long=True,
    enable_short=True,
    min_take_profit_percent=0.5,
    min_stop_loss_percent=0.5,
    max_stop_loss_percent=20.0,
    max_lifetime_minutes=1440.0,
)
ENDLESS = SignalLimits(True, True, 0.5, 0.5, 20.0, math.inf)


def row(position: Any = "long", **changes: Any) -> SignalRow:
    """A proper signal at 100 with levels two away, but for `changes`."""
    sign = -1 if position == "short" else 1
    levels = {"price_open": 100.0, "price_take_profit": 100.0 + sign * 2, "price_stop_loss": 100.0 - sign * 2}
    return signal_row(position, **(levels | changes))


def codes(signal: SignalRow, limits: SignalLimits = LIMITS, policy: Any = CONSERVATIVE) -> list[str]:
    return [violation.code for violation in check_common(signal, limits, policy)]


@pytest.mark.parametrize("position", ["long", "short"])
def test_a_proper_signal_breaks_no_rule(position: str) -> None:
    assert codes(row(position=position)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"position": None}, ["position_required", "position_invalid"]),
        ({"position": "up"}, ["position_invalid"]),
        ({"price_open": None}, ["price_open_not_number", "price_open_not_finite"]),
        ({"price_open": math.nan}, ["price_open_not_finite"]),
        ({"price_open": True}, ["price_open_not_number", "price_open_not_finite"]),
        ({"price_open": "100"}, ["price_open_not_number", "price_open_not_finite"]),
        ({"price_take_profit": None}, ["take_profit_not_number", "take_profit_not_finite"]),
        ({"price_take_profit": 0.0}, ["take_profit_not_positive", "take_profit_wrong_side", "take_profit_too_close"]),
        ({"price_take_profit": math.inf}, ["take_profit_not_finite"]),
        (
            {"price_stop_loss": math.inf},
            ["stop_loss_not_finite", "stop_loss_wrong_side", "stop_loss_too_close"],
        ),
        ({"price_stop_loss": -math.inf}, ["stop_loss_not_finite", "stop_loss_too_far"]),
        ({"price_stop_loss": -5.0}, ["stop_loss_not_positive", "stop_loss_too_far"]),
        ({"price_stop_loss": 101.0}, ["stop_loss_wrong_side", "stop_loss_too_close"]),
        ({"price_stop_loss": 100.0}, ["stop_loss_wrong_side", "stop_loss_too_close"]),
        ({"price_take_profit": 100.4}, ["take_profit_too_close"]),
        ({"price_stop_loss": 99.6}, ["stop_loss_too_close"]),
        ({"price_stop_loss": 79.9}, ["stop_loss_too_far"]),
        ({"position": "short", "price_take_profit": 101.0}, ["take_profit_wrong_side", "take_profit_too_close"]),
        ({"position": "short", "price_stop_loss": 99.0}, ["stop_loss_wrong_side", "stop_loss_too_close"]),
        ({"minute_estimated_time": None}, ["minute_estimated_time_not_number", "minute_estimated_time_not_integer"]),
        ({"minute_estimated_time": math.nan}, ["minute_estimated_time_not_integer"]),
        ({"minute_estimated_time": 0}, ["minute_estimated_time_not_positive"]),
        ({"minute_estimated_time": -3}, ["minute_estimated_time_not_positive"]),
        ({"minute_estimated_time": 1.5}, ["minute_estimated_time_not_integer"]),
        ({"minute_estimated_time": 1441}, ["minute_estimated_time_too_large"]),
        (
            {"minute_estimated_time": math.inf},
            ["minute_estimated_time_infinite_not_allowed", "minute_estimated_time_too_large"],
        ),
        (
            {"minute_estimated_time": -math.inf},
            ["minute_estimated_time_not_positive", "minute_estimated_time_infinite_not_allowed"],
        ),
        ({"multiplier": math.nan}, ["multiplier_not_finite"]),
        ({"multiplier": "2"}, ["multiplier_not_finite"]),
        ({"multiplier": 0}, ["multiplier_not_positive"]),
        ({"isolated": 1}, ["isolated_not_boolean"]),
        ({"cost": math.inf}, ["cost_not_finite"]),
        ({"cost": 0.0}, ["cost_not_positive"]),
        ({"cost": -1.0}, ["cost_not_positive"]),
    ],
)
def test_a_broken_rule_is_told_by_its_code(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(row(**changes)) == expected


def test_all_broken_rules_are_told_together_in_their_order() -> None:
    signal = row(
        price_open=-1.0, price_take_profit=None, price_stop_loss=math.nan, minute_estimated_time=0.5, multiplier=-2,
        isolated="yes", cost="much",
    )  # fmt: skip
    assert codes(signal) == [
        "price_open_not_positive",
        "take_profit_not_number",
        "take_profit_not_finite",
        "stop_loss_not_finite",
        "minute_estimated_time_not_integer",
        "multiplier_not_positive",
        "isolated_not_boolean",
        "cost_not_finite",
    ]


def test_an_entry_at_zero_is_infinitely_far_from_everything() -> None:
    assert codes(row(price_open=0.0, price_stop_loss=0.0)) == [
        "price_open_not_positive",
        "stop_loss_not_positive",
        "stop_loss_wrong_side",
    ]


@pytest.mark.parametrize(("position", "code"), [("long", "long_disabled"), ("short", "short_disabled")])
def test_a_side_may_be_switched_off(position: str, code: str) -> None:
    limits = SignalLimits(position != "long", position != "short", 0.5, 0.5, 20.0, 1440.0)
    assert codes(row(position=position), limits) == [code]


@pytest.mark.parametrize(
    "changes", [{"price_take_profit": 100.001}, {"price_stop_loss": 99.999}, {"price_stop_loss": 1.0}]
)
def test_a_distance_rule_of_zero_is_off(changes: dict[str, Any]) -> None:
    off = SignalLimits(True, True, 0.0, 0.0, 0.0, 1440.0)
    assert codes(row(**changes), off) == []


def test_an_endless_life_is_allowed_where_there_is_no_cap() -> None:
    assert codes(row(minute_estimated_time=math.inf), ENDLESS) == []
    assert codes(row(minute_estimated_time=10**9), ENDLESS) == []


def test_distances_include_their_limit() -> None:
    assert codes(row(price_take_profit=100.5, price_stop_loss=99.5)) == []
    assert codes(row(price_stop_loss=80.0)) == []


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 1e5), st.sampled_from(["long", "short"]))
def test_a_level_computed_from_its_limit_passes_in_spite_of_rounding(price: float, position: str) -> None:
    sign = 1 if position == "long" else -1
    near = row(
        position=position,
        price_open=price,
        price_take_profit=price * (1 + sign * 0.005),
        price_stop_loss=price * (1 - sign * 0.005),
    )
    far = near.with_changes(price_stop_loss=price * (1 - sign * 0.2))
    assert codes(near) == codes(far) == []


def test_under_reference_rounding_may_decide() -> None:
    prices = [1 + n * 0.1 for n in range(100)]
    signals = [row(price_open=p, price_take_profit=p * 1.005, price_stop_loss=p * 0.98) for p in prices]
    assert ["take_profit_too_close"] in [codes(signal, policy=REFERENCE) for signal in signals]
    assert [codes(signal) for signal in signals] == [[]] * len(signals)


def test_under_reference_the_cost_is_not_looked_at() -> None:
    assert codes(row(cost=math.nan), policy=REFERENCE) == []


@pytest.mark.parametrize(
    ("position", "price", "expected"),
    [
        ("long", 100.0, []),
        ("long", 98.0, ["already_stopped_out"]),
        ("long", 97.0, ["already_stopped_out"]),
        ("long", 102.0, ["already_past_take_profit"]),
        ("short", 100.0, []),
        ("short", 102.0, ["already_stopped_out"]),
        ("short", 97.9, ["already_past_take_profit"]),
        ("long", math.nan, ["current_price_invalid"]),
        ("long", 0.0, ["current_price_invalid", "already_stopped_out"]),
    ],
)
def test_the_market_must_lie_strictly_between_the_levels(position: str, price: float, expected: list[str]) -> None:
    assert [v.code for v in check_market(row(position=position), price)] == expected


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"price_take_profit": 100.4}, ["price_take_profit=100.4", "price_open=100.0", "0.4 %", "missing 0.1"]),
        (
            {"price_stop_loss": 79.0},
            ["price_stop_loss=79.0", "21 %", "max_stoploss_distance_percent is 20", "over by 1"],
        ),
        ({"price_stop_loss": 101.0}, ["price_stop_loss=101.0 of a long must be below", "off by 1"]),
        ({"minute_estimated_time": 2000}, ["minute_estimated_time=2000", "max_signal_lifetime_minutes=1440"]),
    ],
)
def test_a_message_names_the_value_the_limit_and_the_difference(changes: dict[str, Any], parts: list[str]) -> None:
    message = check_common(row(**changes), LIMITS, CONSERVATIVE)[0].message
    for part in parts:
        assert part in message
