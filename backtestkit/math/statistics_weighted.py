"""Returns of the money at work: time-weighted and money-weighted.

An account whose capital is never topped up earns the same by both rules. They differ for the money inside positions,
which comes and goes: the time-weighted return says what a position was worth on average over time, whatever its size,
the money-weighted one counts sizes. Both run on the clock of the market: time without a position does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Final

import numpy as np

from backtestkit.math.statistics_positions import PositionPath
from backtestkit.model.analysis import Marks
from backtestkit.model.candle import Floats, Integers

LOG_GROWTH_MAX: Final = 60.0
"""Growth beyond e^60 is no return that a figure could tell."""
BISECTIONS: Final = 200


@dataclass(frozen=True, slots=True)
class MarketClock:
    """Time in the market: `starts` and `ends` of its stretches (ms UTC), and the time `before` each of them."""

    starts: Integers
    ends: Integers
    before: Integers
    total: int

    def at(self, times: Integers) -> Integers:
        """The time in the market that had passed at each of `times`."""
        places = np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)
        inside = np.clip(times, self.starts[places], self.ends[places]) - self.starts[places]
        passed: Integers = self.before[places] + inside
        return passed


def time_in_market(paths: Sequence[PositionPath]) -> MarketClock:
    """The stretches of time in which at least one position was open."""
    starts: list[int] = []
    ends: list[int] = []
    for opened, closed in sorted((path.opened, path.closed) for path in paths):
        if ends and opened <= ends[-1]:
            ends[-1] = max(ends[-1], closed)
        else:
            starts.append(opened)
            ends.append(closed)
    begins, stops = np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
    lengths = stops - begins
    return MarketClock(begins, stops, np.cumsum(lengths) - lengths, int(lengths.sum()))


def time_weighted_return(paths: Sequence[PositionPath], marks: Mapping[str, Marks | None]) -> float | None:
    """Product of (1 + gain / money at work) over the stretches between changes of any position, less 1, percent.

    The money at work at the start of a stretch is what the positions were worth then, new money at its cost (Bacon,
    *Practical Portfolio Performance Measurement*). -100 once a stretch loses everything; None without prices.
    """
    times = np.array(sorted({t for p in paths for s in p.segments for t in (s.start, s.end)}), dtype=np.int64)
    gains, money = np.zeros(len(times)), np.zeros(len(times))
    prices: dict[str, Floats] = {}
    for path in paths:
        own = marks.get(path.symbol)
        if own is None:
            return None
        if path.symbol not in prices:
            places = np.searchsorted(own.times, times - own.offset, side="right") - 1
            prices[path.symbol] = own.prices[np.maximum(places, 0)]
        _add_stretches(path, times, prices[path.symbol], gains, money)
    growth = 1.0
    for gain, at_work in zip(gains.tolist(), money.tolist(), strict=True):
        if at_work > 0:
            growth *= max(0.0, 1 + gain / at_work)
    return (growth - 1) * 100


def _add_stretches(path: PositionPath, times: Integers, prices: Floats, gains: Floats, money: Floats) -> None:
    """Add what one position gained in each stretch, and what it was worth at its start."""
    known = worth_before = held_before = 0.0  # just before the change that begins a segment
    last = path.segments[-1]
    for segment in path.segments:
        start, end = np.searchsorted(times, (segment.start, segment.end)).tolist()
        along = prices[start : end + 1]
        profits = segment.realised + segment.level + segment.slope * along
        worth = segment.held + segment.level + segment.slope * along
        if segment.held >= held_before:  # new money counts at its cost: what entering costs is lost in this stretch
            worth[0] = worth_before + segment.held - held_before
        profits[0] = known
        if segment is last:
            profits[-1] = path.profit if end > start else profits[-1]
        if end == start:  # opened and closed in one moment: it counts with the stretch that begins there
            gains[start] += path.profit - known
            money[start] += worth[0]
            return
        gains[start:end] += np.diff(profits)
        money[start:end] += worth[:-1]
        known, worth_before, held_before = float(profits[-1]), float(worth[-1]), segment.held


def money_weighted_return(paths: Sequence[PositionPath]) -> float | None:
    """Internal rate of return of all money put into positions and taken out, over the time in the market, percent.

    None when no rate makes the flows even, as when nothing came back, or when no time passed.
    """
    clock = time_in_market(paths)
    if not clock.total:
        return None
    flows = sorted(flow for path in paths for flow in cash_flows(path))
    rest = 1 - clock.at(np.array([time for time, _ in flows], dtype=np.int64)) / clock.total
    amounts = np.array([amount for _, amount in flows])

    def value(log_growth: float) -> float:
        return float((amounts * np.exp(log_growth * rest)).sum())

    root = _root(value)
    return None if root is None else (exp(root) - 1) * 100


def cash_flows(path: PositionPath) -> list[tuple[int, float]]:
    """Money put in (negative) and taken out of a position, with its times (ms UTC)."""
    first, last = path.segments[0], path.segments[-1]
    flows = [(first.start, -first.held + first.realised)]
    for before, after in pairwise(path.segments):
        flows.append((after.start, before.held - after.held + after.realised - before.realised))
    flows.append((last.end, last.held + path.profit - last.realised))
    return flows


def _root(value: Callable[[float], float]) -> float | None:
    """Where `value` crosses 0, the crossing nearest to 0 on a doubling grid; None when it does not."""
    if value(0.0) == 0:
        return 0.0
    reach = 1.0
    while reach <= LOG_GROWTH_MAX:
        for low, high in ((0.0, reach), (-reach, 0.0)):
            if value(low) * value(high) <= 0:
                return _bisected(value, low, high)
        reach *= 2
    return None


def _bisected(value: Callable[[float], float], low: float, high: float) -> float:
    rising = value(high) > value(low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if (value(middle) > 0) == rising:
            high = middle
        else:
            low = middle
    return (low + high) / 2
