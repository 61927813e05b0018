"""Prices and quantities as text: exact, ties away from zero, and multiples of the tick."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.clients.number_format import format_decimals, round_ticks
from backtestkit.errors import UsageError


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.125, 2, "0.13"),
        (-0.125, 2, "-0.13"),
        (1.005, 2, "1.00"),
        (1234.565, 2, "1234.57"),
        (1e-7, 8, "0.00000010"),
        (-0.001, 2, "-0.00"),
        (-0.0, 2, "0.00"),
        (5, 2, "5.00"),
        (1e300, 2, f"{int(1e300)}.00"),
        (5e-324, 2, "0.00"),
    ],
)
def test_decimals_come_from_the_exact_value(value: float, decimals: int, text: str) -> None:
    assert format_decimals(value, decimals) == text


@pytest.mark.parametrize(
    ("price", "tick", "text"),
    [
        (1.26, 0.5, "1.5"),
        (1.5, 5, "0"),
        (2.5, 5, "5"),
        (1.23456, 0.001, "1.235"),
        ("1.5", 1e-7, "1.5000000"),
        (1234.5, 0.25, "1234.50"),
        (1234.625, "0.25", "1234.75"),
        (-1.26, 0.5, "-1.5"),
        (-0.01, 5, "0"),
        (12350, 100.0, "12400"),
        (12350, "1E+2", "12400"),
        (0.25, 0.1, "0.3"),
        (1e22, 0.01, "10000000000000000000000.00"),
    ],
)
def test_prices_become_multiples_of_the_tick(price: Any, tick: Any, text: str) -> None:
    assert round_ticks(price, tick) == text


@given(
    price=st.floats(-1e9, 1e9),
    tick=st.one_of(st.sampled_from([0.01, 0.5, 2.5, 5.0, 1e-8, 0.0005]), st.integers(1, 1000).map(lambda n: n / 1000)),
)
def test_the_multiple_is_the_nearest(price: float, tick: float) -> None:
    rounded, step = Fraction(Decimal(round_ticks(price, tick))), Fraction(repr(tick))
    assert (rounded / step).denominator == 1
    assert abs(rounded - Fraction(price)) <= step / 2


@pytest.mark.parametrize("tick", [0, -0.01, math.inf, math.nan, "abc", "NaN", "-1"])
def test_a_tick_must_be_a_positive_finite_number(tick: Any) -> None:
    with pytest.raises(UsageError, match="tick_size="):
        round_ticks(1.0, tick)


@pytest.mark.parametrize("price", [math.nan, math.inf, "abc", "Infinity"])
def test_a_price_must_be_a_finite_number(price: Any) -> None:
    with pytest.raises(UsageError, match="price="):
        round_ticks(price, 0.01)


def test_only_finite_values_have_decimals() -> None:
    with pytest.raises(UsageError, match="value=nan must be a finite number"):
        format_decimals(math.nan, 2)
