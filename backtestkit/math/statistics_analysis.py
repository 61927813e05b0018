"""The analysis of closed trades: equity, daily returns, quality, costs, benchmark and breakdowns together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs, costs_paid, profit_loss
from backtestkit.math.statistics_equity import daily_returns, equity_curve, equity_figures, prices_at, return_ends
from backtestkit.math.statistics_formulas import EPS
from backtestkit.math.statistics_positions import TradeSet, position_path
from backtestkit.math.statistics_quality import breakdown, trade_quality
from backtestkit.math.statistics_returns import MIN_SHAPE_RETURNS, return_figures
from backtestkit.model.analysis import (
    EVERY_DAY,
    BenchmarkFigures,
    CostFigures,
    EquityCurve,
    EquityFigures,
    Marks,
    ReturnFigures,
    TradeAnalysis,
    TradingYear,
)
from backtestkit.model.candle import Floats


def analyse(sets: Sequence[TradeSet], capital: float | None = None, year: TradingYear | None = None) -> TradeAnalysis:
    """The analysis of trades of one or several symbols over one span, from the first to the last time of all sets.

    - `capital` (quote currency) is what the account starts with, by default the largest cost basis that was at work at
      once. It must be above 0, else `UsageError`. An account that loses all of it has no yearly and no daily figures.
    - `year` says how daily figures are taken to a year, by default that of the markets, which must be the same for all
      sets, else `UsageError`.
    """
    year = _common_year(sets) if year is None else year
    if capital is not None and not 0 < capital < float("inf"):
        raise UsageError(
            f"capital={capital!r} must be a finite number above 0, or None for the peak of the money at work"
        )
    sets = valid_sets(sets)
    trades = sorted(chain.from_iterable(own.trades for own in sets), key=lambda trade: trade.close_timestamp)
    pnl = np.array([trade.pnl.pnl_percentage for trade in trades])
    figures, curve = _equity(sets, capital, year)
    return TradeAnalysis(
        equity=figures,
        daily=ReturnFigures() if curve is None else return_figures(daily_returns(curve)),
        per_trade=return_figures(pnl),
        quality=trade_quality(trades),
        costs=cost_figures(sets),
        benchmark=None if curve is None else _benchmark(sets, curve),
        breakdown=breakdown(trades),
        curve=curve,
    )


def _common_year(sets: Sequence[TradeSet]) -> TradingYear:
    years = list(dict.fromkeys(own.year for own in sets)) or [EVERY_DAY]
    if len(years) > 1:
        raise UsageError(
            f"the markets have different years, {years[0]!r} and {years[1]!r}; say with year=TradingYear(...) which counts"
        )
    return years[0]


def valid_sets(sets: Sequence[TradeSet]) -> list[TradeSet]:
    """The sets without the trades that lack a time."""
    return [
        replace(
            own, trades=[trade for trade in own.trades if trade.signal.pending_at > 0 and trade.close_timestamp > 0]
        )
        for own in sets
    ]


def cost_figures(sets: Sequence[TradeSet]) -> CostFigures:
    """From gross to net, with the costs that each set was charged, and with none or twice of them."""
    fee = slippage = funding = net = free = double = 0.0
    for own in sets:
        costs = own.costs
        twice = Costs(2 * costs.percent_slippage, 2 * costs.percent_fee)
        for trade in own.trades:
            paid = costs_paid(trade.signal, trade.current_price, costs)
            fee, slippage, funding = fee + paid.fee, slippage + paid.slippage, funding + paid.funding
            net += profit_loss(trade.signal, trade.current_price, costs).pnl_cost
            free += profit_loss(trade.signal, trade.current_price, Costs(0.0, 0.0)).pnl_cost
            double += profit_loss(trade.signal, trade.current_price, twice).pnl_cost
    return CostFigures(
        gross=net + fee + slippage + funding,
        fee=fee,
        slippage=slippage,
        funding=funding,
        net=net,
        net_without_costs=free,
        net_at_double_costs=double,
    )


def _equity(
    sets: Sequence[TradeSet], capital: float | None, year: TradingYear
) -> tuple[EquityFigures | None, EquityCurve | None]:
    paths = [position_path(trade, own.costs) for own in sets for trade in own.trades]
    if not paths:
        return None, None
    marks: dict[str, Marks | None] = {own.symbol: own.marks for own in sets}
    first, last = min(own.first_time for own in sets), max(own.last_time for own in sets)
    curve = equity_curve(paths, marks, first, last, capital, year)
    return equity_figures(curve, paths, marks, capital_given=capital is not None), curve


def _benchmark(sets: Sequence[TradeSet], curve: EquityCurve) -> BenchmarkFigures | None:
    """Holding the symbols in equal parts beside the account; None when one of them has no prices."""
    marks = {own.symbol: own.marks for own in sets}
    held = np.zeros(len(curve.times))
    for own in marks.values():
        if own is None:
            return None
        prices = prices_at(own, curve.times)
        held += prices / prices[0] / len(marks)
    peaks = np.maximum.accumulate(held)
    holding = (float(held[-1]) - 1) * 100
    final = (float(curve.equity[-1]) / curve.capital - 1) * 100
    beta, alpha, correlation = _regression(curve, held)
    return BenchmarkFigures(
        total_return=holding,
        max_drawdown=float(((peaks - held) / peaks * 100).max()),
        excess_return=final - holding,
        beta=beta,
        alpha=alpha,
        correlation=correlation,
    )


def _regression(curve: EquityCurve, held: Floats) -> tuple[float | None, float | None, float | None]:
    """Slope, intercept (percent a year) and correlation of the account's daily returns over those of holding."""
    own = daily_returns(curve)
    ends = return_ends(curve)
    values = held[np.searchsorted(curve.times, ends, side="right") - 1]
    theirs = (values / np.concatenate(([1.0], values[:-1])) - 1) * 100
    if len(own) < MIN_SHAPE_RETURNS or float(theirs.std()) <= EPS:
        return None, None, None
    offsets = theirs - theirs.mean()
    beta = float((offsets * (own - own.mean())).sum() / (offsets**2).sum())
    alpha = (float(own.mean()) - beta * float(theirs.mean())) * curve.year.days
    spread = float(own.std())
    return beta, alpha, beta * float(theirs.std()) / spread if spread > EPS else None
