"""Points of a parameter space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backtestkit.math.sampling import at_random, grid, latin_hypercube, size
from backtestkit.model.space import Axes, FloatRange, IntRange

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


RANGES: dict[str, Any] = {
    "whole": IntRange(1, 1000, log=True),
    "ratio": FloatRange(0.01, 1.0, log=True),
    "even": FloatRange(-1, 1),
    "steps": FloatRange(0.1, 0.5, step=0.1),
    "side": ("long", "short"),
}


@given(st.integers(1, 30), st.integers(0, 20), st.sampled_from([at_random, latin_hypercube]))
def test_points_of_ranges_lie_inside_and_are_different(
    count: int, seed: int, choose: Callable[[Axes, int, int], list[dict[str, Any]]]
) -> None:
    points = choose(RANGES, count, seed)
    assert points == choose(RANGES, count, seed) and len(points) == count
    assert all(point not in points[:i] for i, point in enumerate(points))
    for point in points:
        assert list(point) == list(RANGES)
        assert isinstance(point["whole"], int) and 1 <= point["whole"] <= 1000
        assert 0.01 <= point["ratio"] <= 1.0 and -1 <= point["even"] <= 1
        assert point["steps"] in (0.1, 0.2, 0.3, 0.4, 0.5) and point["side"] in ("long", "short")


def test_log_tries_each_power_of_ten_equally_often() -> None:
    points = latin_hypercube({"ratio": FloatRange(0.01, 1.0, log=True), "whole": IntRange(1, 9999, log=True)}, 400, 1)
    assert sum(point["ratio"] < 0.1 for point in points) == 200
    assert abs(sum(point["whole"] < 100 for point in points) - 200) < 40


def test_a_space_with_few_different_points_gives_no_more_than_those() -> None:
    space = {"whole": IntRange(1, 3, log=True)}
    assert sorted(point["whole"] for point in at_random(space, 10, seed=0)) == [1, 2, 3]


def test_a_grid_over_ranges_and_the_size_of_a_space() -> None:
    space: Axes = {"a": IntRange(1, 3), "b": FloatRange(0.0, 0.5, step=0.5)}
    assert grid(space) == [{"a": a, "b": b} for a in (1, 2, 3) for b in (0.0, 0.5)]
    assert size(space) == 6 and size(RANGES) is None
