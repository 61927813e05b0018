"""Ranges of time that are known, and what is missing between them.

Coverage is what tells "the venue had no candle there" from "nobody asked yet". Ranges are half-open `(since, until)` in
ms; a coverage is a tuple of them, sorted, disjoint and not touching.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
Coverage: TypeAlias = tuple[Range, ...]


def merge_ranges(ranges: Iterable[Range]) -> Coverage:
    """The same instants as sorted, disjoint ranges; empty ranges vanish, touching ones become one."""
    merged: list[Range] = []
    for since, until in sorted(r for r in ranges if r[0] < r[1]):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return tuple(merged)


def missing_ranges(coverage: Coverage, since: int, until: int) -> list[Range]:
    """The parts of [since, until) that `coverage` lacks, oldest first."""
    missing: list[Range] = []
    cursor = since
    for start, end in coverage:
        if end <= cursor:
            continue
        if start >= until:
            break
        if start > cursor:
            missing.append((cursor, start))
        cursor = end
    if cursor < until:
        missing.append((cursor, until))
    return missing


def clip_ranges(coverage: Iterable[Range], since: int, until: int) -> Coverage:
    """The parts of `coverage` inside [since, until)."""
    return merge_ranges((max(start, since), min(end, until)) for start, end in coverage)
