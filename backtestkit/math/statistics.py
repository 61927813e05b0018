"""Statistics of closed trades: small formulas, and the sets of figures that are put together from them.

Sums run over the trades newest first, one plain addition after the other, so that a figure does not depend on the
version of Python or on the length of the list. A formula returns None where its sample cannot carry it; which sample
that is stands in its docstring and, for users, at the field of `TradeFigures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import groupby, pairwise
from math import inf, isfinite, log, sqrt
from operator import add
from typing import Any, Final, TypeVar

from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import BacktestStatistics, PriceProfile, TradeColumns, TradeFigures, TrendName

MIN_RATIO_SIGNALS: Final = 10
MIN_ANNUAL_SIGNALS: Final = 10
MIN_SPAN_DAYS: Final = 14
MAX_TRADES_PER_YEAR: Final = 365
MAX_YEARLY_RETURN: Final = 100
RATIO_CLAMP: Final = 1000
EPS: Final = 1e-9
MIN_TREND_CONFIDENCE: Final = 0.30
MIN_TREND_STEP: Final = 0.25

Figures = TypeVar("Figures", bound=PriceProfile)


def backtest_statistics(trades: Sequence[ClosedResult], row_limit: int | None = None) -> BacktestStatistics:
    """The statistics of closed trades given in the order in which they closed, oldest first.

    All trades count. `row_limit` keeps only that many of the newest, which is how systems with a bounded report count;
    it is there to compare with them.
    """
    kept = trades if row_limit is None else trades[max(0, len(trades) - row_limit) :]
    columns = valid_trades(trade_columns(kept))
    figures = trade_figures(columns)
    return BacktestStatistics(signal_list=tuple(kept[::-1]), total_signals=len(columns), **_as_keywords(figures))


def trade_columns(trades: Sequence[ClosedResult]) -> TradeColumns:
    """The columns of closed trades given oldest first. Only here is the order turned: columns are newest first."""
    newest_first = trades[::-1]
    return TradeColumns(
        pnl=tuple(t.pnl.pnl_percentage for t in newest_first),
        pnl_cost=tuple(t.pnl.pnl_cost for t in newest_first),
        opened=tuple(t.signal.pending_at for t in newest_first),
        closed=tuple(t.close_timestamp for t in newest_first),
        peak=tuple(t.signal.peak_profit.pnl_percentage for t in newest_first),
        fall=tuple(t.signal.max_drawdown.pnl_percentage for t in newest_first),
        price=tuple(t.current_price for t in newest_first),
    )


def valid_trades(trades: TradeColumns) -> TradeColumns:
    """The trades whose opening and closing times are known (above 0)."""
    keep = [o > 0 and c > 0 for o, c in zip(trades.opened, trades.closed, strict=True)]
    if all(keep):
        return trades
    columns = {f.name: getattr(trades, f.name) for f in fields(trades)}
    return TradeColumns(**{
        name: tuple(value for value, kept in zip(column, keep, strict=True) if kept) for name, column in columns.items()
    })  # fmt: skip


def trade_figures(trades: TradeColumns) -> TradeFigures:
    """All figures of one sequence of valid trades; without a trade every figure is None and every count 0."""
    r, n = trades.pnl, len(trades)
    if n == 0:
        return TradeFigures()
    minutes = durations(trades)
    streaks = pnl_streaks(r)
    curve = equity_curve(trades)
    sharpe = sharpe_ratio(r)
    per_year = trades_per_year(trades.opened, trades.closed)
    yearly = expected_yearly_returns(curve, per_year, n)
    figures = TradeFigures(
        win_count=len(wins(r)),
        loss_count=len(losses(r)),
        win_rate=win_rate(r),
        avg_pnl=mean(r),
        total_pnl=total(r),
        total_pnl_cost=total(trades.pnl_cost),
        median_pnl=median(r),
        std_dev=standard_deviation(r),
        sharpe_ratio=sharpe,
        annualized_sharpe_ratio=annualized_sharpe_ratio(sharpe, per_year),
        sortino_ratio=sortino_ratio(r),
        certainty_ratio=certainty_ratio(r),
        profit_factor=profit_factor(r),
        expectancy=expectancy(r),
        trades_per_year=per_year,
        expected_yearly_returns=yearly,
        max_drawdown=curve.max_drawdown,
        calmar_ratio=calmar_ratio(curve, yearly),
        recovery_factor=recovery_factor(curve, n),
        avg_peak_pnl=mean([p for p in trades.peak if p is not None]),
        avg_fall_pnl=mean([f for f in trades.fall if f is not None]),
        avg_duration=mean(minutes),
        avg_win_duration=mean([m for m, x in zip(minutes, r, strict=True) if x > 0]),
        avg_loss_duration=mean([m for m, x in zip(minutes, r, strict=True) if x < 0]),
        max_win_streak=max(streaks.win_lengths, default=0),
        max_loss_streak=max(streaks.loss_lengths, default=0),
        avg_consecutive_win_pnl=mean(streaks.win_sums),
        avg_consecutive_loss_pnl=mean(streaks.loss_sums),
        **_as_keywords(price_profile(trades.closed, trades.price)),
    )
    return finite_figures(figures)


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
class EquityCurve:
    """A compounded curve that starts at 1: where it ends (None when it fell to 0) and its drawdown in percent."""

    end: float | None
    max_drawdown: float


def equity_curve(trades: TradeColumns) -> EquityCurve:
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
                return EquityCurve(None, 100.0)
            drawdown = max(drawdown, (peak - trough) / peak * 100)
        equity *= 1 + trades.pnl[i] / 100
        if equity <= 0:
            return EquityCurve(None, 100.0)
        peak = max(peak, equity)
        drawdown = max(drawdown, (peak - equity) / peak * 100)
    return EquityCurve(equity, drawdown)


def expected_yearly_returns(curve: EquityCurve, per_year: float | None, trades: int) -> float | None:
    """What a year at this pace compounds to, percent; None beyond 100 in either direction or for a curve at 0."""
    if curve.end is None or per_year is None:
        return None
    try:
        yearly = (curve.end ** (per_year / trades) - 1) * 100
    except OverflowError:
        return None
    return yearly if abs(yearly) <= MAX_YEARLY_RETURN else None


def calmar_ratio(curve: EquityCurve, yearly: float | None) -> float | None:
    """Yearly return over drawdown (Young 1991), within -1000..1000; None without either."""
    return None if yearly is None or curve.max_drawdown <= 0 else _clamp(yearly / curve.max_drawdown)


def recovery_factor(curve: EquityCurve, trades: int) -> float | None:
    """Net return over drawdown, within -1000..1000; needs 10 trades, a drawdown and a curve above 0."""
    if trades < MIN_RATIO_SIGNALS or curve.end is None or curve.max_drawdown <= 0:
        return None
    return _clamp((curve.end - 1) * 100 / curve.max_drawdown)


def price_profile(times: Sequence[int], prices: Sequence[float]) -> PriceProfile:
    """How prices moved from one to the next in the order of `times` (ms UTC); needs 10 times and prices above 0."""
    points = [(t, p) for t, p in zip(times, prices, strict=True) if t > 0 and 0 < p < inf]
    if len(points) < MIN_RATIO_SIGNALS:
        return PriceProfile()
    points.sort(key=lambda point: point[0])
    moves = [(p - before) / before for (_, before), (_, p) in pairwise(points)]
    ups, downs = wins(moves), losses(moves)
    way = total(abs(m) for m in moves)
    strength_up = total(ups) / way if way > 0 else None
    strength_down = total(abs(m) for m in downs) / way if way > 0 else None
    step = (median([abs(m) for m in moves]) or 0.0) * 100
    slope, confidence = trend_line(points)
    return PriceProfile(
        median_step_size=step,
        buyer_pressure=len(ups) / (len(ups) + len(downs)) if ups or downs else None,
        seller_pressure=len(downs) / (len(ups) + len(downs)) if ups or downs else None,
        buyer_strength=strength_up,
        seller_strength=strength_down,
        pressure_imbalance=None if strength_up is None or strength_down is None else strength_up - strength_down,
        trend=None if slope is None or confidence is None else trend_name(slope, confidence, step),
        trend_strength=slope,
        trend_confidence=confidence,
    )


def trend_line(points: Sequence[tuple[int, float]]) -> tuple[float | None, float | None]:
    """Least-squares line through the logarithm of price over days: its slope in percent a day, and R squared.

    `points` are times in ms and prices above 0, in order of time. Both are None when all points share one time.
    """
    start = points[0][0]
    if points[-1][0] == start:
        return None, None
    days = [(t - start) / DAY_MS for t, _ in points]
    logs = [log(p) for _, p in points]
    day_mean, log_mean = total(days) / len(days), total(logs) / len(logs)
    sxx = total((d - day_mean) * (d - day_mean) for d in days)
    syy = total((v - log_mean) * (v - log_mean) for v in logs)
    sxy = total((d - day_mean) * (v - log_mean) for d, v in zip(days, logs, strict=True))
    r_squared = sxy * sxy / (sxx * syy) if syy > 0 else 0.0
    return sxy / sxx * 100, min(1.0, max(0.0, r_squared))


def trend_name(slope: float, confidence: float, step: float) -> TrendName:
    """A word for a trend of `slope` percent a day, given R squared and the median step between trades (percent)."""
    if confidence < MIN_TREND_CONFIDENCE:
        return "sideways"
    if abs(slope) < MIN_TREND_STEP * step:
        return "neutral"
    return "bullish" if slope > 0 else "bearish"


def finite_figures(figures: Figures) -> Figures:
    """The figures with None in place of what is infinite or not a number."""
    broken = {
        f.name: None
        for f in fields(figures)
        if isinstance(value := getattr(figures, f.name), float) and not isfinite(value)
    }
    return replace(figures, **broken) if broken else figures


def _clamp(ratio: float) -> float:
    return min(float(RATIO_CLAMP), max(-float(RATIO_CLAMP), ratio))


def _as_keywords(figures: PriceProfile) -> dict[str, Any]:
    return {f.name: getattr(figures, f.name) for f in fields(figures)}
