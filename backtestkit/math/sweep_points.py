"""From trades to figures, for a block of points of the grid at once.

Rows are ideas in their order, columns points. Sums run over the rows one after another, so that a figure does not depend
on which points are computed together and equals that of a plain loop, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtestkit.math.statistics_formulas import EPS
from backtestkit.model.candle import Flags, Floats, Integers
from backtestkit.model.interval import DAY_MS
from backtestkit.model.sweep import SweepExitReason

EXIT_REASONS: Final[tuple[SweepExitReason, ...]] = (
    "hard_stop", "trailing_take", "profit_lock", "time_expired", "data_truncated",
)  # fmt: skip
"""The reasons in the order of their codes."""
PERCENTILES: Final = (95, 99)


@dataclass(frozen=True, slots=True)
class Exits:
    """What each idea would come to at each point, shape `(ideas, points)`.

    `opened_at` is the open time of the exit candle (ms UTC), `minutes` the time held, `reason` a code of `EXIT_REASONS`.
    """

    pnl: Floats
    opened_at: Integers
    minutes: Integers
    reason: Integers


@dataclass(frozen=True, slots=True)
class PointFigures:
    """The figures of points, one list each in their order; what the trades cannot carry is NaN, a minute -1.

    `reasons` are lists of counts, one for each of `EXIT_REASONS`. `minutes_count[m]` is how many trades of all points
    were held m minutes.
    """

    trade_count: list[int]
    total: list[float]
    mean: list[float]
    win_rate: list[float]
    profit_factor: list[float]
    drawdown: list[float]
    sharpe: list[float]
    sortino: list[float]
    calmar: list[float]
    recovery: list[float]
    mean_minutes: list[float]
    p95_minutes: list[int]
    p99_minutes: list[int]
    reasons: list[list[int]]
    minutes_count: Integers


def taken_trades(entries: Integers, authors: Integers, opened_at: Integers, step: int) -> Flags:
    """Which ideas are traded, shape `(ideas, points)`: an author has one slot, free again after the exit candle.

    `entries` are the entry times of the ideas, `authors` their authors as numbers from 0.
    """
    taken = np.empty(opened_at.shape, dtype=np.bool_)
    free_from = np.full((int(authors.max()) + 1, opened_at.shape[1]), np.iinfo(np.int64).min)
    for i, (entry, author) in enumerate(zip(entries.tolist(), authors.tolist(), strict=True)):
        np.less_equal(free_from[author], entry, out=taken[i])
        np.copyto(free_from[author], opened_at[i] + step, where=taken[i])
    return taken


def slot_holders(entries: Sequence[int], authors: Sequence[int], opened_at: Sequence[int], step: int) -> list[int]:
    """Of one point, for each idea the one whose trade has its author's slot: itself when it is traded.

    The same rule as `taken_trades`, for somebody who wants to know of one point only.
    """
    holders: list[int] = []
    free_from: dict[int, int] = {}
    holder: dict[int, int] = {}
    for row, (entry, author, exit_candle) in enumerate(zip(entries, authors, opened_at, strict=True)):
        if free_from.get(author, entry) <= entry:
            holder[author], free_from[author] = row, exit_candle + step
        holders.append(holder[author])
    return holders


def point_figures(exits: Exits, taken: Flags, start: int, days: int) -> PointFigures:
    """The figures of the `taken` trades of each point over `days` days from `start` (ms UTC) on."""
    count = taken.sum(axis=0)
    pnl = np.where(taken, exits.pnl, 0.0)
    running = np.cumsum(pnl, axis=0)
    total = running[-1]
    peak = np.maximum(np.maximum.accumulate(running, axis=0), 0.0)
    drawdown = (peak - running).max(axis=0)
    won, lost = _sum(np.maximum(pnl, 0.0)), -_sum(np.minimum(pnl, 0.0))
    sharpe, sortino = _daily_ratios(_by_day(pnl, exits.opened_at, start, days))
    trades = np.where(count > 0, count, np.nan)
    minutes = np.where(taken, exits.minutes, 0)
    high = [_percentile(exits.minutes, taken, count, p).tolist() for p in PERCENTILES]
    reasons = [((exits.reason == code) & taken).sum(axis=0) for code in range(len(EXIT_REASONS))]
    return PointFigures(
        trade_count=count.tolist(),
        total=total.tolist(),
        mean=(total / trades).tolist(),
        win_rate=((pnl > 0).sum(axis=0) / trades * 100).tolist(),
        profit_factor=_ratio(won, lost).tolist(),
        drawdown=drawdown.tolist(),
        sharpe=sharpe.tolist(),
        sortino=sortino.tolist(),
        calmar=_ratio(total * 365 / days, drawdown).tolist(),
        recovery=_ratio(total, drawdown).tolist(),
        mean_minutes=(minutes.sum(axis=0) / trades).tolist(),
        p95_minutes=high[0],
        p99_minutes=high[1],
        reasons=np.stack(reasons, axis=1).tolist(),
        minutes_count=np.bincount(exits.minutes[taken]),
    )


def percentile_index(count: int, percent: int) -> int:
    """Where the percentile of `count` sorted values stands: min(count - 1, floor(percent / 100 * count))."""
    return min(count - 1, int(percent / 100 * count))


def percentile_of_counts(counts: Integers, percent: int) -> int | None:
    """The percentile of values of which `counts[v]` equal v; None without any."""
    total = int(counts.sum())
    if not total:
        return None
    return int(np.searchsorted(np.cumsum(counts), percentile_index(total, percent), side="right"))


def _by_day(pnl: Floats, opened_at: Integers, start: int, days: int) -> Floats:
    """The profits by the day of their exit, shape `(days, points)`."""
    daily = np.zeros((days, pnl.shape[1]))
    day = (opened_at - start) // DAY_MS
    points = np.arange(pnl.shape[1])
    for i in range(len(pnl)):
        daily[day[i], points] += pnl[i]
    return daily


def _daily_ratios(daily: Floats) -> tuple[Floats, Floats]:
    """Sharpe and Sortino ratio of profits by day, each times the root of the days."""
    days = len(daily)
    mean = _sum(daily) / days
    spread = np.sqrt(_sum((daily - mean) ** 2) / days)
    downside = np.sqrt(_sum(np.minimum(daily, 0.0) ** 2) / days)
    return _ratio(mean, spread) * np.sqrt(days), _ratio(mean, downside) * np.sqrt(days)


def _sum(values: Floats) -> Floats:
    """The sums of the columns, added row after row."""
    total: Floats = np.cumsum(values, axis=0)[-1]
    return total


def _ratio(above: Floats, below: Floats) -> Floats:
    """The quotient, NaN where the divisor is next to nothing."""
    return above / np.where(below > EPS, below, np.nan)


def _percentile(minutes: Integers, taken: Flags, count: Integers, percent: int) -> Integers:
    """`percentile_index` of the sorted minutes of each point; -1 without a trade."""
    place = np.minimum(count - 1, (percent / 100 * count).astype(np.int64))
    ordered = np.sort(np.where(taken, minutes, np.iinfo(np.int64).max), axis=0)
    found = ordered[np.maximum(place, 0), np.arange(len(count))]
    return np.where(count > 0, found, -1)
