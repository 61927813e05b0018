"""The equity of an account that makes given trades, and the figures of it.

Trades of several symbols may overlap: each takes its own part of the capital, and the account is the sum of them. With
prices at hand open positions are valued at every minute; without, the account moves when a trade closes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

import numpy as np

from backtestkit.errors import UsageError
from backtestkit.math.statistics_formulas import EPS, MIN_SPAN_DAYS
from backtestkit.math.statistics_positions import PositionPath
from backtestkit.math.statistics_weighted import money_weighted_return, time_in_market, time_weighted_return
from backtestkit.model.analysis import EVERY_DAY, EquityCurve, EquityFigures, Marks, TradingYear
from backtestkit.model.candle import Floats, Integers
from backtestkit.model.interval import DAY_MS

DAYS_PER_YEAR: Final = 365


def prices_at(marks: Marks, times: Integers) -> Floats:
    """The price in force at each of `times`: the newest known then, before the first one the first."""
    places = np.searchsorted(marks.times, times - marks.offset, side="right") - 1
    prices: Floats = marks.prices[np.maximum(places, 0)]
    return prices


def equity_curve(
    paths: Sequence[PositionPath],
    marks: Mapping[str, Marks | None],
    first_time: int,
    last_time: int,
    capital: float | None,
    year: TradingYear = EVERY_DAY,
) -> EquityCurve:
    """The account from `first_time` to `last_time` (ms UTC); `capital` is by default the peak of the money at work.

    A `year` of market days needs prices of all symbols: `UsageError` without.
    """
    marked = all(marks.get(path.symbol) is not None for path in paths)
    if year.calendar == "market_days" and not marked:
        raise UsageError("calendar='market_days' needs the candles of all symbols; without them use 'every_day'")
    times = _grid(paths, [own for own in marks.values() if own is not None] if marked else [], first_time, last_time)
    equity, invested = np.zeros(len(times)), np.zeros(len(times))
    for symbol in dict.fromkeys(path.symbol for path in paths):
        own = [path for path in paths if path.symbol == symbol]
        prices = marks.get(symbol) if marked else None
        _add(times, equity, own, None if prices is None else prices_at(prices, times))
    _add_invested(times, invested, paths)
    start = peak_invested(paths) if capital is None else capital
    return EquityCurve(times, equity + start, invested, start, marked, year)


def _grid(paths: Sequence[PositionPath], marks: Sequence[Marks], first_time: int, last_time: int) -> Integers:
    """The times of the curve: those of the marks inside the span, and those at which a position changed."""
    changes = {time for path in paths for segment in path.segments for time in (segment.start, segment.end)}
    times = np.array(sorted({first_time, last_time, *changes}), dtype=np.int64)
    for own in marks:
        low, high = np.searchsorted(own.times, (first_time - own.offset, last_time - own.offset + 1))
        times = _merged(own.times[low:high] + own.offset, times)
    return times


def _merged(times: Integers, others: Integers) -> Integers:
    """Two rising columns as one; where nearly all times are shared, this is much faster than sorting them."""
    places = np.searchsorted(times, others)
    missing = places == len(times)
    missing[~missing] = times[places[~missing]] != others[~missing]
    merged: Integers = np.insert(times, places[missing], others[missing])
    return merged


def _add(times: Integers, equity: Floats, paths: Sequence[PositionPath], prices: Floats | None) -> None:
    """Add the profits of positions in one symbol: constant parts and slopes switch on and off at their times."""
    constant, slope = np.zeros(len(times) + 1), np.zeros(len(times) + 1)
    for path in paths:
        if prices is not None:
            for segment in path.segments:
                start, end = np.searchsorted(times, (segment.start, segment.end))
                constant[start] += segment.realised + segment.level
                constant[end] -= segment.realised + segment.level
                slope[start] += segment.slope
                slope[end] -= segment.slope
        constant[np.searchsorted(times, path.closed)] += path.profit
    equity += np.cumsum(constant[:-1])
    if prices is not None:
        equity += np.cumsum(slope[:-1]) * prices


def _add_invested(times: Integers, invested: Floats, paths: Sequence[PositionPath]) -> None:
    steps = np.zeros(len(times) + 1)
    for path in paths:
        for segment in path.segments:
            start, end = np.searchsorted(times, (segment.start, segment.end))
            steps[start] += segment.held
            steps[end] -= segment.held
    invested += np.cumsum(steps[:-1])


def peak_invested(paths: Sequence[PositionPath]) -> float:
    """The largest cost basis at work at once, quote currency. What leaves at a moment makes room for what comes then.

    A position that was opened and closed in one moment had its money at work all the same.
    """
    changes: list[tuple[int, int, float]] = []
    for path in paths:
        if path.opened == path.closed:
            changes += [(path.opened, 1, path.segments[0].held), (path.opened, 2, -path.segments[0].held)]
            continue
        for segment in path.segments:
            changes += [(segment.start, 1, segment.held), (segment.end, 0, -segment.held)]
    held = peak = 0.0
    for _, _, change in sorted(changes):
        held += change
        peak = max(peak, held)
    return peak


def max_open_positions(paths: Sequence[PositionPath]) -> int:
    """The largest number of positions that were open at once."""
    changes = [(path.opened, 1, 1) for path in paths]
    changes += [(path.closed, 2 if path.closed == path.opened else 0, -1) for path in paths]
    count = most = 0
    for _, _, change in sorted(changes):
        count += change
        most = max(most, count)
    return most


@dataclass(frozen=True, slots=True)
class Drawdowns:
    """Falls from the highest point so far: the largest in percent and in money, the longest in days, and the ulcer index."""

    percent: float
    cost: float
    days: float
    ulcer: float


def drawdowns(curve: EquityCurve) -> Drawdowns:
    """The drawdowns of an account. One that fell to 0 or below has lost 100 % and no more."""
    peaks = np.maximum.accumulate(np.concatenate(([curve.capital], curve.equity)))[1:]
    falls = peaks - curve.equity
    percent = np.minimum(falls / peaks * 100, 100.0)
    steps = np.diff(curve.times)
    span = float(steps.sum())
    at_peak = curve.times[curve.equity >= peaks]
    ends = np.concatenate(([curve.times[0]], at_peak, [curve.times[-1]]))
    ulcer = sqrt(float((percent[:-1] ** 2 * steps).sum()) / span) if span else 0.0
    return Drawdowns(float(percent.max()), float(falls.max()), float(np.diff(ends).max()) / DAY_MS, ulcer)


def day_ends(first_time: int, last_time: int) -> Integers:
    """The UTC midnights after `first_time` and before `last_time`, and `last_time` itself: where days of a span end."""
    first = first_time // DAY_MS + 1
    last = -(-last_time // DAY_MS)
    return np.append(np.arange(first, last, dtype=np.int64) * DAY_MS, np.int64(last_time))


def return_ends(curve: EquityCurve) -> Integers:
    """Where the days end that have a return, by the calendar of the account: all of them, or those with prices."""
    ends = day_ends(int(curve.times[0]), int(curve.times[-1]))
    if curve.year.calendar == "every_day":
        return ends
    known = np.searchsorted(curve.times, ends, side="right")
    there: Integers = ends[np.diff(known, prepend=1) > 0]  # the first time begins the span and belongs to no day
    return there


def daily_returns(curve: EquityCurve) -> Floats:
    """Returns of the account by day, percent; the first and the last day may be shorter. Empty once it fell to 0."""
    ends = return_ends(curve)
    values = curve.equity[np.searchsorted(curve.times, ends, side="right") - 1]
    before = np.concatenate(([curve.capital], values[:-1]))
    if (before <= 0).any() or (values <= 0).any():
        return np.zeros(0)
    returns: Floats = (values / before - 1) * 100
    return returns


def equity_figures(
    curve: EquityCurve, paths: Sequence[PositionPath], marks: Mapping[str, Marks | None], *, capital_given: bool
) -> EquityFigures:
    """The figures of an account that made at least one trade."""
    first, last = int(curve.times[0]), int(curve.times[-1])
    days = (last - first) / DAY_MS
    profit = sum(path.profit for path in paths)
    final, capital = curve.capital + profit, curve.capital
    falls = drawdowns(curve)
    working = time_in_market(paths)
    long_enough = days >= MIN_SPAN_DAYS
    yearly = yearly_return(final / capital, days) if long_enough and float(curve.equity.min()) > 0 else None
    returns = daily_returns(curve) if long_enough else np.zeros(0)
    turnover = sum(path.traded for path in paths) / capital
    at_work = sum(segment.held * (segment.end - segment.start) for path in paths for segment in path.segments)
    return EquityFigures(
        capital=capital,
        capital_given=capital_given,
        marked=curve.marked,
        days=days,
        final_equity=final,
        net_profit=profit,
        total_return=profit / capital * 100,
        yearly_return=yearly,
        time_weighted_return=time_weighted_return(paths, marks) if curve.marked else None,
        money_weighted_return=money_weighted_return(paths),
        exposure=working.total / (last - first) * 100 if last > first else 0.0,
        max_open_positions=max_open_positions(paths),
        peak_invested=peak_invested(paths),
        avg_invested=at_work / (last - first) if last > first else 0.0,
        turnover=turnover,
        turnover_per_year=turnover / days * DAYS_PER_YEAR if long_enough else None,
        max_drawdown=falls.percent,
        max_drawdown_cost=falls.cost,
        max_drawdown_days=falls.days,
        ulcer_index=falls.ulcer,
        sharpe_ratio=daily_sharpe(returns, curve.year.days),
        sortino_ratio=daily_sortino(returns, curve.year.days),
        calmar_ratio=yearly / falls.percent if yearly is not None and falls.percent > EPS else None,
        year=curve.year,
    )


def yearly_return(growth: float, days: float) -> float | None:
    """What a growth factor over so many days compounds to in a year, percent; None when no double holds it."""
    try:
        yearly = (growth ** (DAYS_PER_YEAR / days) - 1) * 100
    except OverflowError:
        return None
    return yearly if yearly < inf else None


def daily_sharpe(returns: Floats, days: float = DAYS_PER_YEAR) -> float | None:
    """Mean over deviation of daily returns, times the root of the days of a year, risk-free rate 0; None without a spread."""
    if len(returns) < 2:
        return None
    spread = float(returns.std(ddof=1))
    return float(returns.mean()) / spread * sqrt(days) if spread > EPS else None


def daily_sortino(returns: Floats, days: float = DAYS_PER_YEAR) -> float | None:
    """Mean over downside deviation of daily returns, times the root of the days of a year; None without a losing day."""
    if len(returns) < 2:
        return None
    downside = sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    return float(returns.mean()) / downside * sqrt(days) if downside > EPS else None
