"""Columns for charts: thinned and resampled so that a page stays light, and derived from an equity curve.

Pure functions over NumPy columns. Times are ms UTC; percent is plain percent (1.5 is 1.5 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

import numpy as np

from backtestkit.math.statistics_equity import daily_returns, return_ends
from backtestkit.math.statistics_formulas import EPS
from backtestkit.model.analysis import EquityCurve
from backtestkit.model.candle import Candles, Floats, Integers
from backtestkit.model.interval import DAY_MS, MINUTE_MS

BARS_MAX: Final = 60_000
"""Candles that a page keeps."""
FIGURE_BARS_MAX: Final = 5_000
"""Bars of a figure that has no other ones to show."""
POINTS_MAX: Final = 3_000
PRICES_MAX: Final = 12_000
STRETCHES_MAX: Final = 120
ROLLING_DAYS: Final = 30
BINS_MAX: Final = 40

# Widths of bars that people read, in minutes, and their names.
BAR_STEPS: Final = {
    1: "1m", 3: "3m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 120: "2h", 240: "4h", 480: "8h", 720: "12h",
    1440: "1d", 4320: "3d", 10080: "7d",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """Candles of one `width` (ms), `name` says which; `time` is when each opens."""

    name: str
    width: int
    time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats


def resampled(candles: Candles, limit: int = BARS_MAX) -> BarColumns:
    """`candles` as they are when at most `limit`, else as the narrowest readable bars that are not more than that.

    A bar opens at a multiple of its width; it has the first open, the highest high, the lowest low and the last close.
    """
    times = candles.timestamp
    if len(times) == 0:
        return BarColumns("", MINUTE_MS, times, candles.open, candles.high, candles.low, candles.close)
    base = int(np.diff(times).min()) // MINUTE_MS if len(times) > 1 else 1
    for minutes in (base, *(step for step in BAR_STEPS if step > base)):
        buckets = times // (minutes * MINUTE_MS)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(buckets)) + 1))
        if len(starts) <= limit:
            return _grouped(candles, starts, minutes, buckets[starts] * (minutes * MINUTE_MS))
    minutes *= ceil(len(starts) / limit)
    buckets = times // (minutes * MINUTE_MS)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(buckets)) + 1))
    return _grouped(candles, starts, minutes, buckets[starts] * (minutes * MINUTE_MS))


def _grouped(candles: Candles, starts: Integers, minutes: int, times: Integers) -> BarColumns:
    ends = np.append(starts[1:], len(candles.timestamp)) - 1
    name = BAR_STEPS.get(minutes) or (f"{minutes // 1440}d" if minutes % 1440 == 0 else f"{minutes}m")
    high, low = np.maximum.reduceat(candles.high, starts), np.minimum.reduceat(candles.low, starts)
    return BarColumns(name, minutes * MINUTE_MS, times, candles.open[starts], high, low, candles.close[ends])


def thinned(values: Floats, limit: int = POINTS_MAX) -> Integers:
    """The places to draw of a line, rising: all, or the first, the last and both extremes of each of `limit // 2` parts."""
    count = len(values)
    if count <= limit:
        return np.arange(count, dtype=np.int64)
    edges = np.linspace(0, count, max(1, limit // 2 - 1) + 1).astype(np.int64)
    places = {0, count - 1}
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:end]
        places |= {start + int(part.argmin()), start + int(part.argmax())}
    return np.array(sorted(places), dtype=np.int64)


def underwater(curve: EquityCurve) -> Floats:
    """How far the account is below its highest point so far, percent of that point; 0 or negative, -100 at most."""
    peaks = np.maximum.accumulate(np.concatenate(([curve.capital], curve.equity)))[1:]
    below: Floats = -np.minimum((peaks - curve.equity) / peaks * 100, 100.0)
    return below


@dataclass(frozen=True, slots=True, eq=False)
class Months:
    """Returns by month, percent: one row a year, twelve columns, NaN outside the span; `totals` are those of the years."""

    years: list[int]
    returns: Floats
    totals: Floats


def monthly_returns(curve: EquityCurve) -> Months | None:
    """The return of the account in each UTC month, the first and the last may be shorter. None once it fell to 0."""
    first, last = int(curve.times[0]), int(curve.times[-1])
    if float(curve.equity.min()) <= 0:
        return None
    begin, end = (int(np.datetime64(time, "ms").astype("datetime64[M]").astype(np.int64)) for time in (first, last))
    edges = np.arange(begin + 1, end + 1).astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    values = curve.equity[np.searchsorted(curve.times, np.append(edges, last), side="right") - 1]
    growth = values / np.concatenate(([curve.capital], values[:-1]))
    years = list(range(1970 + begin // 12, 1970 + end // 12 + 1))
    table = np.full((len(years), 12), np.nan)
    months = np.arange(begin, end + 1) - (years[0] - 1970) * 12
    table[months // 12, months % 12] = (growth - 1) * 100
    filled = np.where(np.isnan(table), 1.0, 1 + table / 100)
    totals: Floats = (filled.prod(axis=1) - 1) * 100
    return Months(years, table, totals)


def rolling_sharpe(curve: EquityCurve, days: int = ROLLING_DAYS) -> tuple[Integers, Floats]:
    """Sharpe ratio of the last `days` daily returns at the end of each day, yearly; NaN without a spread.

    Both columns are empty when there are fewer days, or when the account fell to 0.
    """
    returns = daily_returns(curve)
    if len(returns) < days:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    ends = return_ends(curve)[days - 1 :]
    windows = np.lib.stride_tricks.sliding_window_view(returns, days)
    spread = windows.std(axis=1, ddof=1)
    flat = spread <= EPS
    ratio: Floats = windows.mean(axis=1) / np.where(flat, 1.0, spread) * np.sqrt(curve.year.days)
    ratio[flat] = np.nan
    return ends, ratio


def exposure(curve: EquityCurve) -> tuple[Integers, Floats, int]:
    """The share of each stretch with money at work, percent: times, shares, and the length of a stretch in days.

    A stretch is a day, of long spans as many days as keep them below `STRETCHES_MAX`. The first and the last may be
    shorter.
    """
    first, last = int(curve.times[0]), int(curve.times[-1])
    days = max(1, ceil((last - first) / DAY_MS / (STRETCHES_MAX)))
    starts = np.arange(first // DAY_MS, last // DAY_MS + 1, days, dtype=np.int64) * DAY_MS
    edges = np.clip(np.append(starts, starts[-1] + days * DAY_MS), first, last)
    working = np.where(curve.invested[:-1] > EPS, np.diff(curve.times), 0)
    spent = np.concatenate(([0.0], np.cumsum(working, dtype=float)))
    lengths = np.diff(edges)
    shares = np.diff(np.interp(edges, curve.times, spent)) / np.maximum(lengths, 1) * 100
    there = lengths > 0
    return starts[there], shares[there], days


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """A histogram: `edges` has one more than `counts`. 0 is an edge wherever the values lie on both sides of it."""

    edges: Floats
    counts: Integers


def binned(values: Floats, limit: int = BINS_MAX) -> Bins:
    """`values` counted in bins of a round width (1, 2 or 5 times a power of ten), at most `limit + 2` of them."""
    if len(values) == 0:
        return Bins(np.zeros(1), np.zeros(0, dtype=np.int64))
    low, high = float(values.min()), float(values.max())
    width = _round_width(max((high - low) / limit, abs(high) / 200, abs(low) / 200, 1e-6))
    first, last = floor(low / width), floor(high / width) + 1
    places = np.clip(np.floor(values / width).astype(np.int64) - first, 0, last - first - 1)
    edges = np.arange(first, last + 1, dtype=np.float64) * width
    return Bins(edges, np.bincount(places, minlength=last - first).astype(np.int64))


def _round_width(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1 - 1e-9))


def roomy(values: Sequence[float], share: float) -> list[float]:
    """The ends of an axis that has 0 and `values` on it, and a share of room for texts on the sides where they go."""
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        return [0.0, 1.0]
    air = (high - low) * share
    return [low - (air if low < 0 else 0.0), high + (air if high > 0 else 0.0)]
