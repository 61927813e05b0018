"""Ranges that are known, and what is missing between them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from backtestkit.market.coverage import clip_ranges, merge_ranges, missing_ranges

ranges = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def instants(spans: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> set[int]:
    return {i for since, until in spans for i in range(since, until)}


def test_touching_and_overlapping_ranges_become_one() -> None:
    assert merge_ranges([(5, 8), (0, 3), (3, 5), (20, 21), (9, 9)]) == ((0, 8), (20, 21))


def test_missing_ranges_lie_between() -> None:
    assert missing_ranges(((2, 4), (6, 8)), 0, 10) == [(0, 2), (4, 6), (8, 10)]
    assert missing_ranges((), 3, 5) == [(3, 5)]
    assert missing_ranges(((0, 10),), 3, 5) == []


@given(ranges)
def test_merging_keeps_the_instants_and_leaves_no_two_ranges_touching(spans: list[tuple[int, int]]) -> None:
    merged = merge_ranges(spans)
    assert instants(merged) == instants(spans)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(merged))


@given(ranges, st.integers(0, 40), st.integers(0, 40))
def test_known_and_missing_make_the_whole(spans: list[tuple[int, int]], since: int, until: int) -> None:
    coverage = merge_ranges(spans)
    whole = set(range(since, until))
    assert instants(missing_ranges(coverage, since, until)) == whole - instants(coverage)
    assert instants(clip_ranges(coverage, since, until)) == whole & instants(coverage)
