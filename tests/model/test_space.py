"""Ranges of numbers: what they hold, and which cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backtestkit.errors import SchemaError
from backtestkit.model.space import Axis, FloatRange, IntRange, count_of, describe_params, value_of


def values(axis: Axis) -> list[object]:
    return [value_of(axis, place) for place in range(count_of(axis) or 0)]


def test_steps_of_a_fraction_are_exact_to_the_decimals_written() -> None:
    assert values(FloatRange(0.1, 0.7, step=0.1)) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert values(FloatRange(1, 2, step=0.4)) == [1.0, 1.4, 1.8]


def test_whole_numbers_go_up_to_the_last_step_inside() -> None:
    assert values(IntRange(2, 9, step=3)) == [2, 5, 8]
    assert values(IntRange(-1, 1)) == [-1, 0, 1]
    assert values(["a", 2]) == ["a", 2]


def test_what_has_no_equally_likely_values_has_no_count() -> None:
    assert count_of(FloatRange(0, 1)) is None
    assert count_of(IntRange(1, 9, log=True)) is None


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: FloatRange(2, 2), "FloatRange low=2 must be below high=2"),
        (lambda: IntRange(3, 1), "IntRange low=3 must be below high=1"),
        (lambda: FloatRange(0, float("inf")), "FloatRange high=inf must be a finite number"),
        (lambda: FloatRange("a", 1), "FloatRange low='a' must be a finite number"),  # type: ignore[arg-type]
        (lambda: IntRange(1.5, 2), "IntRange low=1.5 must be a whole number"),  # type: ignore[arg-type]
        (lambda: IntRange(True, 2), "IntRange low=True must be a whole number"),
        (lambda: FloatRange(0, 1, step=0), "FloatRange step=0 must be above 0"),
        (lambda: IntRange(0, 5, step=-1), "IntRange step=-1 must be above 0"),
        (lambda: FloatRange(0, 1, log=True), "FloatRange low=0 must be above 0 with log"),
        (lambda: IntRange(0, 5, log=True), "IntRange low=0 must be at least 1 with log"),
        (lambda: FloatRange(1, 2, step=0.1, log=True), "FloatRange step=0.1 cannot be had together with log"),
        (lambda: IntRange(1, 9, step=2, log=True), "IntRange step=2 cannot be had together with log"),
    ],
)
def test_a_range_that_cannot_be_is_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(SchemaError, match=complaint):
        make()


def test_parameters_are_described_shortly_and_exactly() -> None:
    assert describe_params({"a": 1, "b": 0.5, "c": "x"}) == "a=1, b=0.5, c=x"
    assert describe_params({"a": 0.1234567890123, "b": 1e-7}) == "a=0.1234567890123, b=1e-07"
