"""Columns inside a page come out as they went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sheets import unpacked

from backtestkit.services.report.html.packing import SMALL, decimals_of, packed


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=SMALL, max_size=60))
def test_no_double_loses_anything(values: list[float]) -> None:
    assert unpacked(packed(np.array(values))).tolist() == values


@given(st.lists(st.integers(0, 10_000_000), min_size=SMALL, max_size=60), st.integers(0, 4))
def test_prices_of_few_decimals_take_four_bytes_and_lose_nothing(ticks: list[int], decimals: int) -> None:
    prices = np.array(ticks) / 10**decimals
    column = packed(prices)
    assert "i32" in column
    assert unpacked(column).tolist() == prices.tolist()


@pytest.mark.parametrize(("column", "kind"), [
    (np.arange(100) * 60_000 + 1_735_689_600_000, "count"),
    (np.array([*range(50), 51]), "f64"),
    (np.full(40, 0.1) + 0.2, "f64"),
    (np.full(40, 30_000_000.01), "f64"),
    (np.full(40, np.nan), "f64"),
])  # fmt: skip
def test_each_column_takes_the_form_that_holds_it(column: Any, kind: str) -> None:
    assert kind in packed(column)
    np.testing.assert_array_equal(unpacked(packed(column)), column)


def test_short_columns_stay_lists_and_what_is_no_number_becomes_null() -> None:
    assert packed(np.array([1.5, np.nan])) == [1.5, None]
    assert packed(np.array([], dtype=np.int64)) == []


def test_decimals_are_the_fewest_that_write_all_values() -> None:
    assert [decimals_of(np.array(v)) for v in ([1.0, 20.0], [1.25, 3.0], [1 / 3], [np.inf])] == [0, 2, None, None]
