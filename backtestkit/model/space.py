"""The axes of a parameter space: a list of values, or a range of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, TypeAlias

from backtestkit.errors import SchemaError


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Numbers from `low` to `high`, both included.

    With a `step` only `low + k * step`, exact to the decimals that are written. `log` tries as many values between 1 and
    10 as between 10 and 100, and needs a `low` above 0. A range that cannot be raises `SchemaError`.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if value is None and name == "step":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise SchemaError(f"FloatRange {name}={value!r} must be a finite number")
        _check(self, self.low > 0)

    def count(self) -> int | None:
        """How many values a range in steps has; None without steps."""
        if self.step is None:
            return None
        return int((Decimal(repr(self.high)) - Decimal(repr(self.low))) / Decimal(repr(self.step))) + 1

    def value(self, place: int) -> float:
        """The value at `place` in a range in steps, counted from 0."""
        return float(Decimal(repr(self.low)) + place * Decimal(repr(self.step)))


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included, `step` apart.

    `log` tries as many values between 1 and 10 as between 10 and 100; it needs a `low` of at least 1 and no `step`. A
    range that cannot be raises `SchemaError`.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise SchemaError(f"IntRange {name}={value!r} must be a whole number")
        _check(self, self.low >= 1)

    def count(self) -> int | None:
        """How many values there are; None with `log`, which does not try all of them equally often."""
        return None if self.log else (self.high - self.low) // self.step + 1

    def value(self, place: int) -> int:
        """The value at `place`, counted from 0."""
        return self.low + place * self.step


Range: TypeAlias = FloatRange | IntRange
Axis: TypeAlias = Sequence[Any] | Range
Axes: TypeAlias = Mapping[str, Axis]


def _check(axis: Range, low_for_log: bool) -> None:
    """What is wrong with a range of proper numbers."""
    name = type(axis).__name__
    if axis.low >= axis.high:
        raise SchemaError(f"{name} low={axis.low!r} must be below high={axis.high!r}")
    if axis.step is not None and axis.step <= 0:
        raise SchemaError(f"{name} step={axis.step!r} must be above 0")
    if axis.log and not low_for_log:
        raise SchemaError(
            f"{name} low={axis.low!r} must be {'above 0' if name == 'FloatRange' else 'at least 1'} with log"
        )
    if axis.log and axis.step not in (None, 1 if name == "IntRange" else None):
        raise SchemaError(f"{name} step={axis.step!r} cannot be had together with log; leave one of them out")


def count_of(axis: Axis) -> int | None:
    """How many equally likely values an axis has; None for a range of which the values cannot be counted."""
    return axis.count() if isinstance(axis, FloatRange | IntRange) else len(axis)


def value_of(axis: Axis, place: int) -> Any:
    """The value of a counted axis at `place`, counted from 0."""
    return axis.value(place) if isinstance(axis, FloatRange | IntRange) else axis[place]


def describe_value(value: Any) -> str:
    """A value of a parameter in as few characters as say exactly which one it is."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def describe_params(params: Mapping[str, Any]) -> str:
    """Parameters in one line."""
    return ", ".join(f"{name}={describe_value(value)}" for name, value in params.items())
