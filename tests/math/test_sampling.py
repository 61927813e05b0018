"""Points of a parameter space."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backtestkit.math.sampling import at_random, grid, latin_hypercube

SPACE: dict[str, tuple[Any, ...]] = {"fast": (1, 2, 3), "slow": (10, 20), "side": ("long", "short")}


def test_a_grid_has_every_combination_and_the_last_parameter_varies_fastest() -> None:
    points = grid(SPACE)
    assert len(points) == 12
    assert points[:3] == [
        {"fast": 1, "slow": 10, "side": "long"},
        {"fast": 1, "slow": 10, "side": "short"},
        {"fast": 1, "slow": 20, "side": "long"},
    ]


def test_random_points_are_different_points_of_the_grid_and_repeatable() -> None:
    points = at_random(SPACE, 7, seed=3)
    assert points == at_random(SPACE, 7, seed=3) != at_random(SPACE, 7, seed=4)
    assert all(point in grid(SPACE) for point in points)
    assert all(point not in points[:i] for i, point in enumerate(points)) and len(points) == 7


def test_more_random_points_than_there_are_give_the_whole_grid() -> None:
    assert at_random(SPACE, 12, seed=0) == at_random(SPACE, 99, seed=0) == grid(SPACE)


def test_a_space_too_large_to_count_is_sampled_all_the_same() -> None:
    huge = {f"p{i}": tuple(range(100)) for i in range(12)}
    assert len(at_random(huge, 5, seed=1)) == 5


@given(st.integers(1, 40), st.integers(0, 10))
def test_a_latin_hypercube_uses_every_value_equally_often(count: int, seed: int) -> None:
    axis = tuple(range(count))
    points = latin_hypercube({"a": axis, "b": axis}, count, seed)
    assert len(points) == count
    for name in ("a", "b"):
        assert Counter(point[name] for point in points) == Counter(axis)


def test_a_latin_hypercube_keeps_equal_points_once() -> None:
    assert latin_hypercube({"a": (1,), "b": (2,)}, 9, seed=0) == [{"a": 1, "b": 2}]
