"""Searches over candle columns: the next minute at which something happens.

Every comparison here is the elementwise form of the one that the minute code makes, so a scan and a walk over the same
minutes come to the same answer bit for bit. Indices returned are relative to the arrays given.
"""

from __future__ import annotations

import numpy as np

from backtestkit.math.levels import MILESTONE
from backtestkit.model.candle import Flags, Floats, Integers


def first_true(mask: Flags) -> int:
    """Index of the first True, or the length of `mask` when there is none."""
    if not len(mask):
        return 0
    index = int(mask.argmax())
    return index if mask[index] else len(mask)


def first_exit(extreme: Floats, average: Floats, stop: float, take_profit: float, *, long: bool) -> int:
    """The first minute whose `extreme` (low of a long, high of a short) touches `stop` or whose average reaches `take_profit`."""
    if long:
        return first_true((extreme <= stop) | (average >= take_profit))
    return first_true((extreme >= stop) | (average <= take_profit))


def new_extremes(values: Floats, start: float, *, rising: bool, slack: float = 0.0) -> Integers:
    """Minutes whose value is strictly beyond `start` and all values before it.

    With a relative `slack`, also those that miss it by no more than that without being equal.
    """
    if not len(values):
        return np.empty(0, np.int64)
    sign = values if rising else -values
    best = np.empty(len(values))
    best[0] = start if rising else -start
    np.maximum.accumulate(sign[:-1], out=best[1:])
    np.maximum(best, best[0], out=best)
    if not slack:
        return np.flatnonzero(sign > best)
    return np.flatnonzero((sign > best - np.abs(best) * slack) & (sign != best))


def first_milestones(distance: Floats, span: float, reported: int) -> list[int]:
    """The first minute at which each milestone above `reported` is reached, for those that are.

    `distance` is how far the price has come from the entry towards a level, `span` how far the level is.
    """
    wanted = range(reported + MILESTONE, 100 + MILESTONE, MILESTONE)
    if not wanted or not len(distance):
        return []
    if span <= 0:
        first = first_true(distance > 0)
        return [first] if first < len(distance) else []
    running = np.maximum.accumulate(np.where(distance > 0, distance / span * 100, 0.0))
    found = np.searchsorted(running, wanted)
    return sorted({int(i) for i in found if i < len(distance)})
