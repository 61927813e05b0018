"""The liquidation price: where the leveraged net profit is -100 %."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtestkit.math.profit import Costs, ProfitLine, liquidation_price, profit_line, profit_loss
from backtestkit.model.signal import PositionSide, SignalRow
from scenarios.rows import partial, signal_row

COSTS = Costs(0.1, 0.1)


def liquidation(row: SignalRow) -> float | None:
    return liquidation_price(profit_line(row, COSTS))


@pytest.mark.parametrize(
    ("side", "multiplier", "expected"),
    [
        ("long", 10.0, 90.3707511315119),
        ("short", 10.0, 109.5708487316879),
        ("long", 3.0, 66.96730096796833),
        ("long", 1.0, 0.10030050070099605),
    ],
)
def test_worked_numbers(side: PositionSide, multiplier: float, expected: float) -> None:
    assert liquidation(signal_row(side, multiplier=multiplier)) == expected


def test_the_profit_there_is_minus_100_percent() -> None:
    row = signal_row(multiplier=10.0)
    assert profit_loss(row, 90.3707511315119, COSTS).pnl_percentage == -99.99999999999997


def test_it_accounts_for_entries_and_partial_closes() -> None:
    row = signal_row(
        entries=[(100.0, 100.0), (98.0, 100.0), (96.0, 200.0)],
        partials=(partial(50.0, 96.0, 200.0, 2, "loss"),),
        multiplier=5.0,
    )
    assert liquidation(row) == 72.53289109206379


def closed_form(side: str, multiplier: float) -> float:
    s, f = 0.1, 0.1
    if side == "long":
        return 100 * (1 + s / 100) * (100 + f - 100 / multiplier) / (100 - f) / (1 - s / 100)
    return 100 * (1 - s / 100) * (100 - f + 100 / multiplier) / (100 + f) / (1 + s / 100)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["long", "short"]), st.floats(1, 100))
def test_it_agrees_with_the_closed_form(side: PositionSide, multiplier: float) -> None:
    expected = closed_form(side, multiplier)
    assume(expected > 1e-3)
    assert liquidation(signal_row(side, multiplier=multiplier)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("multiplier", [0.5, 0.9])
def test_a_long_that_cannot_lose_everything_has_none(multiplier: float) -> None:
    assert liquidation(signal_row(multiplier=multiplier)) is None


def test_a_position_without_exposure_has_none() -> None:
    row = signal_row(partials=(partial(100.0, 102.0, 100.0),))
    assert profit_line(row, COSTS).slope == 0
    assert liquidation(row) is None


@pytest.mark.parametrize("slope", [math.nan, math.inf, -math.inf, 2.2e-16, -2.2e-16])
def test_a_line_without_a_usable_slope_has_none(slope: float) -> None:
    assert liquidation_price(ProfitLine(100.0, -0.4, slope)) is None


def test_a_line_that_reaches_it_at_no_finite_price_has_none() -> None:
    assert liquidation_price(ProfitLine(1e308, 1e308, 3e-16)) is None


def test_the_line_goes_through_its_points_both_ways() -> None:
    line = profit_line(signal_row(multiplier=4.0), COSTS)
    assert line.at(105.0) == pytest.approx(profit_loss(signal_row(multiplier=4.0), 105.0, COSTS).pnl_percentage)
    assert line.price_of(line.at(105.0)) == pytest.approx(105.0)
