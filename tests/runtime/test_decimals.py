"""Numbers as text: exact binary value, ties away from zero, shortest form."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.runtime.decimals import format_fixed, plain_number

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.125, 2, "0.13"),
        (-0.125, 2, "-0.13"),
        (1.005, 2, "1.00"),
        (1234.565, 2, "1234.57"),
        (-0.001, 2, "-0.00"),
        (-0.0, 2, "0.00"),
        (0.0, 0, "0"),
        (2.5, 0, "3"),
        (1.5, 7, "1.5000000"),
        (3, 2, "3.00"),
        (1e300, 1, f"{int(1e300)}.0"),
        (5e-324, 100, "0." + "0" * 100),
        (1e-7, 8, "0.00000010"),
    ],
)
def test_fixed_decimals(value: float, decimals: int, text: str) -> None:
    assert format_fixed(value, decimals) == text


@given(finite, st.integers(0, 100))
def test_fixed_decimals_are_the_nearest_and_ties_go_away_from_zero(value: float, decimals: int) -> None:
    text = format_fixed(value, decimals)
    assert len(text.partition(".")[2]) == decimals
    units = abs(Fraction(value)) * 10**decimals
    assert abs(int(text.replace(".", ""))) == math.floor(units + Fraction(1, 2))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_has_no_text(value: float) -> None:
    with pytest.raises(UsageError, match="not a finite number"):
        format_fixed(value, 2)
    with pytest.raises(UsageError, match="not a finite number"):
        plain_number(value)


@pytest.mark.parametrize("decimals", [-1, 101])
def test_decimals_are_limited(decimals: int) -> None:
    with pytest.raises(UsageError, match="outside 0 to 100"):
        format_fixed(1.0, decimals)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"),
        (100, "100"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (0, "0"),
        (-2.50, "-2.5"),
        (10, "10"),
    ],
)
def test_plain_numbers(value: float, text: str) -> None:
    assert plain_number(value) == text


@given(finite)
def test_plain_number_reads_back_and_has_no_exponent(value: float) -> None:
    text = plain_number(value)
    assert float(text) == value
    assert "e" not in text.lower()
    assert not text.endswith(".0")
