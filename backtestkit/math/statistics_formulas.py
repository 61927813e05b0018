"""Small formulas over the profits of trades.

Sums run one plain addition after the other, so that a figure does not depend on the version of Python or on the length
of the list. A formula returns None where its sample cannot carry it; which sample that is stands in its docstring and,
for users, at the field of `TradeFigures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from math import sqrt
from operator import add
from typing import Final

from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.statistics import TradeColumns

MIN_RATIO_SIGNALS: Final = 10
MIN_ANNUAL_SIGNALS: Final = 10
MIN_SPAN_DAYS: Final = 14
MAX_TRADES_PER_YEAR: Final = 365
MAX_YEARLY_RETURN: Final = 100
RATIO_CLAMP: Final = 1000
EPS: Final = 1e-9


def total(values: Iterable[float]) -> float:
    """Sum, left to right. `sum` rounds otherwise since Python 3.12."""
    return reduce(add, values, 0.0)


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean; None of nothing."""
    return total(values) / len(values) if values else None


def median(values: Sequence[float]) -> float | None:
    """Middle of the sorted values, mean of the two middle ones for an even number; None of nothing."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def wins(pnl: Iterable[float]) -> list[float]:
    """The profits above 0."""
    return [r for r in pnl if r > 0]


def losses(pnl: Iterable[float]) -> list[float]:
    """The profits below 0."""
    return [r for r in pnl if r < 0]


def win_rate(pnl: Sequence[float]) -> float | None:
    """Percent of the decisive trades that won; None without a decisive trade."""
    won, lost = len(wins(pnl)), len(losses(pnl))
    return won / (won + lost) * 100 if won + lost else None


def standard_deviation(pnl: Sequence[float]) -> float | None:
    """Sample standard deviation (divisor n - 1); needs 10 trades."""
    if len(pnl) < MIN_RATIO_SIGNALS:
        return None
    centre = total(pnl) / len(pnl)
    return sqrt(total((r - centre) * (r - centre) for r in pnl) / (len(pnl) - 1))


def sharpe_ratio(pnl: Sequence[float]) -> float | None:
    """Mean over standard deviation, per trade, risk-free rate 0 (Sharpe 1994); needs 10 trades and a deviation."""
    deviation = standard_deviation(pnl)
    return total(pnl) / len(pnl) / deviation if deviation is not None and deviation > EPS else None


def annualized_sharpe_ratio(sharpe: float | None, per_year: float | None) -> float | None:
    """Sharpe ratio times the square root of the trades a year, right for independent returns (Lo 2002)."""
    return None if sharpe is None or per_year is None else sharpe * sqrt(per_year)


def sortino_ratio(pnl: Sequence[float]) -> float | None:
    """Mean over downside deviation with target 0 (Sortino and Price 1994); needs 10 trades and a loss."""
    lost = losses(pnl)
    if len(pnl) < MIN_RATIO_SIGNALS or not lost:
        return None
    downside = sqrt(total(r * r for r in lost) / len(pnl))
    return total(pnl) / len(pnl) / downside if downside > EPS else None


def certainty_ratio(pnl: Sequence[float]) -> float | None:
    """Mean win over absolute mean loss (payoff ratio); needs 10 trades, a win and a loss."""
    won, lost = mean(wins(pnl)), mean(losses(pnl))
    if len(pnl) < MIN_RATIO_SIGNALS or won is None or lost is None or abs(lost) <= EPS:
        return None
    return won / abs(lost)


def profit_factor(pnl: Sequence[float]) -> float | None:
    """Sum of the wins over the absolute sum of the losses; needs a win and a loss."""
    won, lost = wins(pnl), losses(pnl)
    if not won or not lost or abs(total(lost)) <= EPS:
        return None
    return total(won) / abs(total(lost))


def expectancy(pnl: Sequence[float]) -> float | None:
    """Share of wins times mean win plus share of losses times mean loss (Tharp); needs 10 trades."""
    n = len(pnl)
    if n < MIN_RATIO_SIGNALS:
        return None
    won, lost = wins(pnl), losses(pnl)
    return len(won) / n * (mean(won) or 0.0) + len(lost) / n * (mean(lost) or 0.0)


def trades_per_year(opened: Sequence[int], closed: Sequence[int]) -> float | None:
    """Trades a year at the pace of the span from the first opening to the last close.

    Needs 10 trades over at least 14 days; more than 365 a year are None, since the square-root rule and a compounded
    year say little about trades that overlap or follow each other within the day.
    """
    n = len(closed)
    if n < MIN_ANNUAL_SIGNALS:
        return None
    span_days = (max(closed) - min(opened)) / DAY_MS
    if span_days < MIN_SPAN_DAYS:
        return None
    per_year = n / span_days * 365
    return per_year if per_year <= MAX_TRADES_PER_YEAR else None


def durations(trades: TradeColumns) -> list[float]:
    """Minutes from opening to close, per trade."""
    return [(c - o) / MINUTE_MS for o, c in zip(trades.opened, trades.closed, strict=True)]


@dataclass(frozen=True, slots=True)
class Streaks:
    """Runs of trades of one sign, oldest first: the sum of the profits in each and its length."""

    win_sums: list[float]
    loss_sums: list[float]
    win_lengths: list[int]
    loss_lengths: list[int]


def pnl_streaks(pnl: Sequence[float]) -> Streaks:
    """The longest unbroken runs of wins and of losses in profits given newest first.

    A break-even trade ends both kinds, and the run that is still open at the end counts.
    """
    streaks = Streaks([], [], [], [])
    for sign, run in groupby(reversed(pnl), key=lambda r: (r > 0) - (r < 0)):
        members = list(run)
        if sign > 0:
            streaks.win_sums.append(total(members))
            streaks.win_lengths.append(len(members))
        elif sign < 0:
            streaks.loss_sums.append(total(members))
            streaks.loss_lengths.append(len(members))
    return streaks


@dataclass(frozen=True, slots=True)
class SequentialCurve:
    """A compounded curve that starts at 1: where it ends (None when it fell to 0) and its drawdown in percent."""

    end: float | None
    max_drawdown: float


def sequential_curve(trades: TradeColumns) -> SequentialCurve:
    """Put the whole capital into one trade after the other, in the order of their closing times.

    The worst profit inside a trade is applied to the equity before that trade, so what a trade had gained before it
    fell is not part of the drawdown. Trades that overlap in time are compounded all the same: for several symbols at
    once this is a worst case of concentration and not the return of a portfolio.
    """
    equity = peak = 1.0
    drawdown = 0.0
    for i in sorted(range(len(trades)), key=trades.closed.__getitem__):
        fall = trades.fall[i]
        if fall is not None and fall < 0:
            trough = equity * (1 + fall / 100)
            if trough <= 0:
                return SequentialCurve(None, 100.0)
            drawdown = max(drawdown, (peak - trough) / peak * 100)
        equity *= 1 + trades.pnl[i] / 100
        if equity <= 0:
            return SequentialCurve(None, 100.0)
        peak = max(peak, equity)
        drawdown = max(drawdown, (peak - equity) / peak * 100)
    return SequentialCurve(equity, drawdown)


def expected_yearly_returns(curve: SequentialCurve, per_year: float | None, trades: int) -> float | None:
    """What a year at this pace compounds to, percent; None beyond 100 in either direction or for a curve at 0."""
    if curve.end is None or per_year is None:
        return None
    try:
        yearly = (curve.end ** (per_year / trades) - 1) * 100
    except OverflowError:
        return None
    return yearly if abs(yearly) <= MAX_YEARLY_RETURN else None


def calmar_ratio(curve: SequentialCurve, yearly: float | None) -> float | None:
    """Yearly return over drawdown (Young 1991), within -1000..1000; None without either."""
    return None if yearly is None or curve.max_drawdown <= 0 else _clamp(yearly / curve.max_drawdown)


def recovery_factor(curve: SequentialCurve, trades: int) -> float | None:
    """Net return over drawdown, within -1000..1000; needs 10 trades, a drawdown and a curve above 0."""
    if trades < MIN_RATIO_SIGNALS or curve.end is None or curve.max_drawdown <= 0:
        return None
    return _clamp((curve.end - 1) * 100 / curve.max_drawdown)


def _clamp(ratio: float) -> float:
    return min(float(RATIO_CLAMP), max(-float(RATIO_CLAMP), ratio))
