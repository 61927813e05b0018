"""Choosing points of a parameter space: all of them, some at random, or some spread evenly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np


def grid(space: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination, the last parameter varying fastest."""
    return [dict(zip(space, values, strict=True)) for values in product(*space.values())]


def at_random(space: Mapping[str, Sequence[Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` different combinations, drawn without replacement; all of them when there are no more than that."""
    total = _size(space)
    if count >= total:
        return grid(space)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(total, size=count, replace=False) if total < 2**62 else rng.integers(0, 2**62, count)
    return [_point(space, int(index)) for index in chosen]


def latin_hypercube(space: Mapping[str, Sequence[Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` combinations that spread every parameter evenly over its values (McKay, Beckman, Conover 1979).

    Each axis is cut into `count` equal parts, each part is used once, and the parts of the axes are paired at random.
    Where an axis has fewer values than that, values repeat, evenly; equal combinations are kept once.
    """
    rng = np.random.default_rng(seed)
    columns = []
    for values in space.values():
        cells = (rng.permutation(count) + rng.random(count)) / count
        columns.append([values[int(cell * len(values))] for cell in cells])
    points = [dict(zip(space, values, strict=True)) for values in zip(*columns, strict=True)]
    kept: list[dict[str, Any]] = []
    for point in points:
        if point not in kept:
            kept.append(point)
    return kept


def _size(space: Mapping[str, Sequence[Any]]) -> int:
    total = 1
    for values in space.values():
        total *= len(values)
    return total


def _point(space: Mapping[str, Sequence[Any]], index: int) -> dict[str, Any]:
    """The `index`-th combination of the grid."""
    point: dict[str, Any] = {}
    for name, values in reversed(list(space.items())):
        index, place = divmod(index, len(values))
        point[name] = values[place]
    return {name: point[name] for name in space}
