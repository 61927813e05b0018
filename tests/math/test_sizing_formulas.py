"""Sizes: the worked numbers, the limits in their order, and what the formulas promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backtestkit.math.sizing import (
    SizeLimits,
    annual_volatility,
    average_true_range,
    kelly_fraction,
    kelly_quantity,
    limited,
    risk_quantity,
    volatility_quantity,
)

amounts = st.floats(0.01, 1e6)


def test_the_worked_size_of_one_percent_risk() -> None:
    assert risk_quantity(10_000, 1, 2) == 50.0


def test_limits_apply_in_their_order_and_the_last_that_changed_the_size_is_named() -> None:
    def size(**limits: float) -> tuple[float, str | None]:
        return limited(50.0, 10_000, 100, SizeLimits(**limits))

    assert size() == (50.0, None)
    assert size(min_position_size=5) == (50.0, None)
    assert size(min_position_size=60) == (60, "min_position_size")
    assert size(min_position_size=5, max_position_percentage=10) == (10.0, "max_position_percentage")
    assert size(min_position_size=5, max_position_percentage=10, max_position_size=3) == (3, "max_position_size")
    assert size(min_position_size=60, max_position_size=3) == (3, "max_position_size")
    assert size(max_leverage=0.25) == (25.0, "balance")
    assert size(max_position_percentage=80, max_position_size=90, max_leverage=3) == (50.0, None)


def test_the_worked_kelly_sizes() -> None:
    assert kelly_fraction(0.6, 1.5) == pytest.approx(1 / 3, rel=1e-15)
    assert kelly_quantity(10_000, 0.6, 1.5, 0.25, 100) == 8.333333333333332
    assert kelly_quantity(10_000, 0.2, 1, 0.25, 100) == 0


def test_the_worked_size_by_true_range() -> None:
    assert risk_quantity(10_000, 2, 3 * 2) == 33.333333333333336


@given(amounts, st.floats(0.01, 100), st.floats(0.01, 100), amounts)
def test_a_volatility_target_moves_the_balance_by_its_percent(
    balance: float, target: float, volatility: float, price: float
) -> None:
    value = volatility_quantity(balance, target, volatility, price) * price
    assert math.isclose(value * volatility / 100, balance * target / 100, rel_tol=1e-12)


@given(
    amounts, amounts, amounts,
    st.none() | amounts, st.none() | amounts, st.none() | amounts, st.none() | amounts,
)  # fmt: skip
def test_caps_hold_whatever_the_minimum_says(
    quantity: float,
    balance: float,
    price: float,
    least: float | None,
    percent: float | None,
    most: float | None,
    leverage: float | None,
) -> None:
    size, limit = limited(quantity, balance, price, SizeLimits(least, percent, most, leverage))
    assert percent is None or size <= balance * percent / 100 / price
    assert most is None or size <= most
    assert leverage is None or size <= balance * leverage / price
    assert (size == quantity) or limit is not None
    if limit == "min_position_size":
        assert size == least


def test_the_true_range_counts_gaps_from_the_close_before() -> None:
    high = np.array([10.0, 12.0, 9.0, 9.5])
    low = np.array([9.0, 11.0, 8.0, 9.0])
    close = np.array([10.0, 11.5, 8.5, 9.2])
    # 12 - 10 up, 11.5 - 8 down, 9.5 - 8.5 up
    assert average_true_range(high, low, close) == pytest.approx((2.0 + 3.5 + 1.0) / 3, rel=1e-15)


@given(st.floats(0.001, 0.05), st.floats(1, 1e5))
def test_alternating_returns_have_the_volatility_of_their_size(step: float, price: float) -> None:
    assume(step > 0)
    close = price * np.exp(step * (np.arange(41) % 2))
    expected = step * math.sqrt(40 / 39) * math.sqrt(365 * 24) * 100
    assert annual_volatility(close, 3_600_000) == pytest.approx(expected, rel=1e-9)


def test_a_price_that_stands_still_has_no_volatility() -> None:
    assert annual_volatility(np.full(10, 3.0), 60_000) == 0.0
