"""Moving averages and crossings of columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.math.arrays_rolling import crossed_above, crossed_below, sma


@given(st.lists(st.floats(1e-8, 1e8), min_size=1, max_size=60), st.integers(1, 70))
def test_an_average_is_the_mean_of_its_window_up_to_the_rounding_that_is_promised(
    values: list[float], window: int
) -> None:
    means = sma(values, window)
    assert means.shape == (len(values),)
    assert np.isnan(means[: window - 1]).all()
    for t in range(window - 1, len(values)):
        exact = float(np.mean(np.array(values[t - window + 1 : t + 1], dtype=np.longdouble)))
        assert means[t] == pytest.approx(exact, rel=(window + 1) * 1.2e-16, abs=0)


def test_a_large_value_leaves_nothing_behind_when_it_leaves_the_window() -> None:
    values = [1e17, 0.1, 0.2, 0.3]
    assert sma(values, 2)[2:].tolist() == [np.mean([0.1, 0.2]), np.mean([0.3, 0.2])]


def test_a_value_that_is_not_finite_spoils_its_own_windows_only() -> None:
    assert np.isnan(sma([1.0, np.nan, 3.0, 5.0, 7.0], 2)).tolist() == [True, True, True, False, False]


def test_an_average_does_not_depend_on_the_others_asked_for() -> None:
    values = np.random.default_rng(1).normal(100, 5, 300)
    together = sma(values, [50, 7, 1, 7])
    assert together.shape == (4, 300)
    for window, row in zip((50, 7, 1, 7), together, strict=True):
        assert np.array_equal(row, sma(values, window), equal_nan=True)
    assert np.array_equal(together[2], values)


def test_the_values_are_left_as_they_were() -> None:
    values = np.array([1.0, 2.0, 3.0])
    sma(values, 3)
    assert values.tolist() == [1.0, 2.0, 3.0]


def test_no_windows_give_no_rows() -> None:
    assert sma([1.0, 2.0], []).shape == (0, 2)


@pytest.mark.parametrize("windows", [0, -3, [5, 2.5]])
def test_a_window_that_is_no_number_of_candles_is_refused(windows: int) -> None:
    with pytest.raises(UsageError, match="whole number of candles"):
        sma([1.0, 2.0], windows)


def test_more_than_a_column_is_refused() -> None:
    with pytest.raises(UsageError, match=r"shape \(2, 2\)"):
        sma(np.ones((2, 2)), 2)


def test_a_crossing_is_where_above_begins() -> None:
    first, second = [1.0, 3.0, 4.0, 2.0, 2.0, 2.5], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert np.flatnonzero(crossed_above(first, second)).tolist() == [1, 5]
    assert np.flatnonzero(crossed_below(second, first)).tolist() == [1, 5]
    assert np.flatnonzero(crossed_below([3.0, 1.0, 1.0], 2.0)).tolist() == [1]


def test_nothing_crosses_where_a_value_is_missing() -> None:
    assert not crossed_above([np.nan, 3.0, np.nan, 3.0], [2.0, 2.0, 2.0, 2.0]).any()


def test_crossings_broadcast_over_sets() -> None:
    fast, slow = np.arange(12.0).reshape(2, 1, 6), np.full((3, 6), 2.5)
    crossed = crossed_above(fast, slow)
    assert crossed.shape == (2, 3, 6)
    assert crossed[0, :, 3].all() and crossed.sum() == 3


def test_single_numbers_cannot_cross() -> None:
    with pytest.raises(UsageError, match="nothing can cross"):
        crossed_above(1.0, 2.0)
