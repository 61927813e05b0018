"""The average price: volume-weighted typical price of the last few candles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.math.average_price import average_column, average_price

price = st.floats(0.01, 1e6)
candle = st.tuples(price, price, price, st.one_of(st.just(0.0), st.floats(0.0, 1e9)))


def test_typical_prices_are_weighted_by_volume() -> None:
    high, low, close, volume = [12.0, 24.0], [9.0, 18.0], [9.0, 18.0], [1.0, 3.0]
    assert average_price(high, low, close, volume) == (10.0 * 1 + 20.0 * 3) / 4


def test_one_spike_with_volume_outweighs_quiet_candles() -> None:
    quiet = [100.0] * 4
    assert average_price([*quiet, 200.0], [*quiet, 97.9], [*quiet, 200.0], [1.0] * 4 + [1000.0]) > 165


def test_without_any_volume_it_is_the_mean_of_the_closes() -> None:
    closes = [95.0, 96.0, 97.0, 98.0, 99.0]
    assert average_price([200.0] * 5, [1.0] * 5, closes, [0.0] * 5) == 97.0


def test_equal_volume_gives_the_mean_of_the_typical_prices() -> None:
    prices = [100.0, 100.5, 101.0, 101.5, 102.0]
    assert average_price(prices, prices, prices, [1.0] * 5) == 101.0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        average_price([1.0, 2.0], [1.0], [1.0], [1.0])


def columns(rows: list[tuple[float, float, float, float]]) -> tuple[np.ndarray, ...]:
    block = np.array(rows, dtype=float).reshape(len(rows), 4)
    return tuple(np.ascontiguousarray(block[:, i]) for i in range(4))


@settings(max_examples=100, deadline=None)
@given(st.lists(candle, min_size=1, max_size=30), st.integers(1, 7))
def test_a_column_holds_bit_for_bit_what_each_window_gives(
    rows: list[tuple[float, float, float, float]], count: int
) -> None:
    high, low, close, volume = columns(rows)
    column = average_column(high, low, close, volume, count)
    assert len(column) == len(rows)
    for i in range(len(rows)):
        if i < count - 1:
            assert np.isnan(column[i])
            continue
        window = slice(i - count + 1, i + 1)
        expected = average_price(
            high[window].tolist(), low[window].tolist(), close[window].tolist(), volume[window].tolist()
        )
        assert column.item(i) == expected


def test_a_column_shorter_than_the_window_has_no_average() -> None:
    one = np.ones(3)
    assert np.isnan(average_column(one, one, one, one, 4)).all()
