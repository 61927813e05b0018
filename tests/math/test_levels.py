"""Progress, milestones, breakeven and trailing distances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.math.levels import (
    breakeven_price,
    breakeven_threshold,
    last_milestone,
    progress,
    sl_percent_shift_to_price,
    sl_price_to_percent_shift,
    tp_percent_shift_to_price,
    tp_price_to_percent_shift,
)
from backtestkit.model.signal import PositionSide

sides = pytest.mark.parametrize("side", ["long", "short"])


@pytest.mark.parametrize(
    ("distance", "span", "percent"),
    [(0.0, 2.0, 0.0), (0.5, 2.0, 25.0), (2.0, 2.0, 100.0), (9.0, 2.0, 100.0), (-1.0, 2.0, 0.0)],
)
def test_progress_is_the_share_of_the_way_between_0_and_100(distance: float, span: float, percent: float) -> None:
    assert progress(distance, span) == percent


@pytest.mark.parametrize("span", [0.0, -3.0])
def test_a_level_at_or_behind_the_entry_counts_as_reached(span: float) -> None:
    assert progress(0.1, span) == 100.0


@given(st.floats(0, 100))
def test_the_last_milestone_is_the_multiple_of_ten_that_was_reached(percent: float) -> None:
    milestone = last_milestone(percent)
    assert milestone % 10 == 0
    assert milestone <= percent < milestone + 10


def test_breakeven_needs_the_costs_of_both_sides_and_the_threshold() -> None:
    assert breakeven_threshold(0.1, 0.1, 0.2) == 0.6000000000000001


def test_breakeven_lies_beyond_the_entry_on_the_profit_side() -> None:
    assert breakeven_price("long", 100.0, 0.6) == 100.6
    assert breakeven_price("short", 100.0, 0.6) == 99.4


@pytest.mark.parametrize(
    ("side", "original", "shift", "level"),
    [
        ("long", 90.0, 5.0, 85.0),
        ("long", 90.0, -3.0, 93.0),
        ("long", 90.0, -11.0, 101.0),
        ("short", 110.0, 5.0, 114.99999999999999),
        ("short", 110.0, -3.0, 107.0),
    ],
)
def test_a_stop_shifts_from_the_distance_of_its_original(
    side: PositionSide, original: float, shift: float, level: float
) -> None:
    assert sl_percent_shift_to_price(shift, original, 100.0, side) == level


@pytest.mark.parametrize(
    ("side", "original", "shift", "level"),
    [
        ("long", 110.0, 5.0, 114.99999999999999),
        ("long", 110.0, -4.0, 106.0),
        ("short", 90.0, 5.0, 85.0),
        ("short", 90.0, -4.0, 94.0),
    ],
)
def test_a_take_profit_shifts_from_the_distance_of_its_original(
    side: PositionSide, original: float, shift: float, level: float
) -> None:
    assert tp_percent_shift_to_price(shift, original, 100.0, side) == level


@sides
@given(st.floats(50, 150))
def test_the_shift_of_a_price_leads_back_to_it(side: PositionSide, price: float) -> None:
    stop, take = (90.0, 110.0) if side == "long" else (110.0, 90.0)
    shift = sl_price_to_percent_shift(price, stop, 100.0, side)
    assert sl_percent_shift_to_price(shift, stop, 100.0, side) == pytest.approx(price, rel=1e-12)
    shift = tp_price_to_percent_shift(price, take, 100.0, side)
    assert tp_percent_shift_to_price(shift, take, 100.0, side) == pytest.approx(price, rel=1e-12)


def test_a_stop_in_the_profit_zone_has_a_negative_distance() -> None:
    assert sl_price_to_percent_shift(102.0, 90.0, 100.0, "long") == -12.0
    assert sl_price_to_percent_shift(98.0, 110.0, 100.0, "short") == -12.0
