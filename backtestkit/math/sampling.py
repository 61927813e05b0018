"""Choosing points of a parameter space: all of them, some at random, or some spread evenly."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import exp, log, prod
from typing import Any, Final, TypeAlias

import numpy as np

from backtestkit.model.space import Axes, Axis, FloatRange, IntRange, count_of, value_of

Point: TypeAlias = dict[str, Any]

DRAWS_PER_POINT: Final = 100
"""How often a point is drawn again before the space is taken to have no more of them."""


def grid(space: Axes) -> list[Point]:
    """Every combination, the last parameter varying fastest. Every axis must be a list or a range in steps."""
    axes = [[value_of(axis, place) for place in range(count_of(axis) or 0)] for axis in space.values()]
    return [dict(zip(space, values, strict=True)) for values in product(*axes)]


def size(space: Axes) -> int | None:
    """How many combinations there are; None when an axis is no list and no range in steps."""
    counts = [count_of(axis) for axis in space.values()]
    return None if None in counts else prod(count or 0 for count in counts)


def at_random(space: Axes, count: int, seed: int) -> list[Point]:
    """`count` different combinations, drawn without replacement; all of them when there are no more than that.

    Axes of which the values cannot be counted are drawn one by one: uniformly, by ratio with `log`.
    """
    total = size(space)
    rng = np.random.default_rng(seed)
    if total is None:
        drawn = (rng.random(len(space)).tolist() for _ in range(count * DRAWS_PER_POINT))
        return _different(space, drawn, count)
    if count >= total:
        return grid(space)
    chosen = rng.choice(total, size=count, replace=False) if total < 2**62 else rng.integers(0, 2**62, count)
    return [_point(space, int(index)) for index in chosen]


def latin_hypercube(space: Axes, count: int, seed: int) -> list[Point]:
    """`count` combinations that spread every parameter evenly over its values (McKay, Beckman, Conover 1979).

    Each axis is cut into `count` equal parts, each part is used once, and the parts of the axes are paired at random.
    Where an axis has fewer values than that, values repeat, evenly; equal combinations are kept once.
    """
    rng = np.random.default_rng(seed)
    columns = [((rng.permutation(count) + rng.random(count)) / count).tolist() for _ in space]
    return _different(space, zip(*columns, strict=True), count)


def _different(space: Axes, rows: Iterable[Iterable[float]], count: int) -> list[Point]:
    """The first `count` different points, of which each row has a share from 0 to 1 for each axis."""
    points: dict[tuple[float, ...], Point] = {}
    for row in rows:
        places = tuple(_place(axis, share) for axis, share in zip(space.values(), row, strict=True))
        if places not in points:
            points[places] = {
                name: place if count_of(axis) is None else value_of(axis, int(place))
                for (name, axis), place in zip(space.items(), places, strict=True)
            }
            if len(points) == count:
                break
    return list(points.values())


def _place(axis: Axis, share: float) -> float:
    """Which value of a counted axis stands at `share` of it, 0 up to but not including 1; of others the value itself."""
    count = count_of(axis)
    if count is not None:
        return int(share * count)
    assert isinstance(axis, FloatRange | IntRange), axis
    # Of whole numbers each has the stretch from half below it to half above, as wide as it is by ratio.
    half = 0.5 if isinstance(axis, IntRange) else 0.0
    low, high = axis.low - half, axis.high + half
    value = exp(log(low) + share * (log(high) - log(low))) if axis.log else low + share * (high - low)
    return min(max(round(value) if half else value, axis.low), axis.high)


def _point(space: Axes, index: int) -> Point:
    """The `index`-th combination of the grid."""
    point: Point = {}
    for name, axis in reversed(list(space.items())):
        index, place = divmod(index, count_of(axis) or 1)
        point[name] = value_of(axis, place)
    return {name: point[name] for name in space}
