"""Searches over columns: each finds what a walk over the same minutes would find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.math.levels import last_milestone, progress
from backtestkit.math.scan import first_exit, first_milestones, first_true, new_extremes

grid = st.lists(st.integers(-8, 8).map(lambda n: 100 + n * 0.25), max_size=40)


def floats(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)


@given(st.lists(st.booleans(), max_size=20))
def test_the_first_true_is_its_index_or_the_length(mask: list[bool]) -> None:
    expected = mask.index(True) if True in mask else len(mask)
    assert first_true(np.array(mask, dtype=bool)) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), max_size=40), st.booleans())
def test_the_first_exit_is_a_touched_stop_or_a_reached_take_profit(rows: list[tuple[int, int]], long: bool) -> None:
    extreme, average = floats([a for a, _ in rows]), floats([b for _, b in rows])
    stop, take = (-5.0, 5.0) if long else (5.0, -5.0)
    walked = len(rows)
    for i, (a, b) in enumerate(rows):
        if (a <= stop or b >= take) if long else (a >= stop or b <= take):
            walked = i
            break
    assert first_exit(extreme, average, stop, take, long=long) == walked


@settings(max_examples=100, deadline=None)
@given(grid, st.booleans())
def test_new_extremes_are_strictly_beyond_the_start_and_all_before(values: list[float], rising: bool) -> None:
    best, walked = 100.0, []
    for i, value in enumerate(values):
        if value > best if rising else value < best:
            best = value
            walked.append(i)
    assert new_extremes(floats(values), 100.0, rising=rising).tolist() == walked


@pytest.mark.parametrize("rising", [True, False])
def test_slack_also_names_near_misses_but_not_repetitions(rising: bool) -> None:
    near = 101.0 * (1 - 1e-13) if rising else 99.0 * (1 + 1e-13)
    top = 101.0 if rising else 99.0
    values = floats([top, top, near, 100.0])
    assert new_extremes(values, 100.0, rising=rising).tolist() == [0]
    assert new_extremes(values, 100.0, rising=rising, slack=1e-12).tolist() == [0, 2]


@settings(max_examples=100, deadline=None)
@given(grid, st.sampled_from([0, 10, 50, 90, 100]), st.sampled_from([0.25, 0.75, 1.0, 3.0]))
def test_milestones_are_first_reached_where_a_walk_reaches_them(
    values: list[float], reported: int, span: float
) -> None:
    distance = floats([value - 100 for value in values])
    walked, known = [], reported
    for i, d in enumerate(distance.tolist()):
        reached = last_milestone(progress(d, span)) if d > 0 else 0
        if reached > known:
            known = reached
            walked.append(i)
    assert first_milestones(distance, span, reported) == walked


def test_a_level_at_the_entry_is_reached_in_full_by_the_first_minute_in_profit() -> None:
    assert first_milestones(floats([0.0, -1.0, 0.5, 2.0]), 0.0, 0) == [2]
    assert first_milestones(floats([0.0, -1.0]), -1.0, 0) == []


def test_nothing_is_searched_where_nothing_can_be_found() -> None:
    assert first_milestones(floats([5.0]), 1.0, 100) == []
    assert first_milestones(floats([]), 1.0, 0) == []
    assert new_extremes(floats([]), 1.0, rising=True).tolist() == []
    assert first_true(np.array([], dtype=bool)) == 0
