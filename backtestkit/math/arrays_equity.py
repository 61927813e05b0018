"""Profits, equity and figures of the trades of many sets.

The profit of a trade is that of a position in the engine (`profit.whole_profit`), in the same order of operations. A set
puts all it has into every trade, so its equity is a product; it starts at 1, ends at 0 at the worst, and is then out of
the market for good. While a trade is open the equity is a straight line over the price, net of what closing would cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from backtestkit.math.profit import Costs
from backtestkit.math.statistics_formulas import EPS
from backtestkit.model.arrays import CLOSED, LIQUIDATION, ArrayMarket, ArrayTrades
from backtestkit.model.candle import Floats, Integers

FIGURES: Final = (
    "trades", "win_rate", "total_return", "total_pnl", "avg_pnl", "profit_factor", "sharpe_ratio", "max_drawdown",
    "exposure", "turnover", "fee_paid", "slippage_paid", "ambiguous_exits",
)  # fmt: skip
MARKED_CELLS: Final = 1 << 17
"""Sets times candles that are valued at once: three columns of them stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayProfits:
    """What trades came to; columns of equal length.

    `pnl` is the net profit, percent of what the trade cost. `before` and `after` are the equity of the set around the
    trade, from 1 at its start. `quotient` is the slipped price of the exit divided by that of the entry, `slipped` the
    slipped price of the entry.
    """

    pnl: Floats
    before: Floats
    after: Floats
    quotient: Floats
    slipped: Floats


def array_profits(trades: ArrayTrades, sets: int, costs: Costs) -> ArrayProfits:
    """Profits of trades that are ordered by set, which are numbered from 0 to `sets - 1`, and by time."""
    slippage, fee = costs.percent_slippage, costs.percent_fee
    opened = trades.price_open * (1 + trades.side * slippage / 100)
    closed = trades.price_close * (1 - trades.side * slippage / 100)
    pnl = trades.side * (closed - opened) / opened * 100
    pnl -= fee * (1 + closed / opened)
    pnl[trades.reason == LIQUIDATION] = -100.0
    before, after = _compounded(np.maximum(1 + pnl / 100, 0.0), trades.set, sets)
    return ArrayProfits(pnl, before, after, closed / opened, opened)


def _compounded(growth: Floats, own: Integers, sets: int) -> tuple[Floats, Floats]:
    """The running product of `growth` within each set, before and after each trade, multiplied in order of time.

    Sets with similar numbers of trades share a table, so that one set with very many does not make all rows long.
    """
    counts = np.bincount(own, minlength=sets)
    rank = np.arange(len(own)) - (np.cumsum(counts) - counts)[own]
    sizes = np.frexp(counts)[1]
    before, after, row = np.empty(len(own)), np.empty(len(own)), np.zeros(sets, dtype=np.int64)
    for size in np.unique(sizes):
        members, places = np.flatnonzero(sizes == size), np.flatnonzero(sizes[own] == size)
        row[members] = np.arange(len(members))
        rows, ranks = row[own[places]], rank[places]
        table = np.ones((len(members), int(counts[members].max()) + 1))
        table[rows, ranks + 1] = growth[places]
        np.multiply.accumulate(table, axis=1, out=table)
        before[places], after[places] = table[rows, ranks], table[rows, ranks + 1]
    return before, after


def trade_figures(
    trades: ArrayTrades, profits: ArrayProfits, sets: int, candles: int, costs: Costs
) -> dict[str, Floats]:
    """The figures of trades, each of shape (sets,); NaN where the sample cannot carry one. Sums run in order of time."""
    pnl, own = profits.pnl, trades.set

    def summed(values: Floats) -> Floats:
        sums: Floats = np.bincount(own, weights=values, minlength=sets).astype(np.float64)
        return sums  # without a single trade they would be whole numbers

    count = np.bincount(own, minlength=sets).astype(np.float64)
    wins, losses = summed(np.maximum(pnl, 0.0)), -summed(np.minimum(pnl, 0.0))
    won, lost = summed((pnl > 0).astype(np.float64)), summed((pnl < 0).astype(np.float64))
    final = np.ones(sets)
    final[own] = profits.after  # of several trades of a set the last one stays
    fee = costs.percent_fee * (1 + profits.quotient)
    slippage = trades.side * (trades.price_close / trades.price_open - profits.quotient) * 100
    total = summed(pnl)
    return {
        "trades": count,
        "win_rate": _ratio(won * 100, won + lost),
        "total_return": (final - 1) * 100,
        "total_pnl": total,
        "avg_pnl": _ratio(total, count),
        "profit_factor": _ratio(np.where(won > 0, wins, np.nan), losses),
        "exposure": summed((trades.stop - trades.start).astype(np.float64)) / candles * 100,
        "turnover": summed(profits.before * (1 + trades.price_close / trades.price_open)),
        "fee_paid": summed(profits.before * fee),
        "slippage_paid": summed(profits.before * slippage),
        "ambiguous_exits": summed(trades.ambiguous.astype(np.float64)),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio = np.full(len(below), np.nan)
    np.divide(above, below, out=ratio, where=below != 0)
    return ratio


@dataclass(frozen=True, slots=True, eq=False)
class EquityLines:
    """The equity of sets as straight lines over the closing price: stretches of `lengths` candles, set after set.

    In each, the equity at the close of a candle is `level + slope * close`.
    """

    lengths: Integers
    level: Floats
    slope: Floats
    firsts: Integers
    """The first stretch of each set, and one more for the end."""


def equity_lines(
    trades: ArrayTrades, profits: ArrayProfits, sets: int, market: ArrayMarket, costs: Costs
) -> EquityLines:
    """A flat stretch before each trade, the trade until it is realised, and a flat stretch at the end of each set."""
    slippage, fee = costs.percent_slippage / 100, costs.percent_fee / 100
    candles, count = len(market), len(trades)
    counts = np.bincount(trades.set, minlength=sets)
    firsts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(2 * counts + 1)))
    flat = 2 * np.arange(count) + trades.set
    edges = np.zeros(2 * count + sets + 1, dtype=np.int64)
    level, slope = np.ones(2 * count + sets), np.zeros(2 * count + sets)
    # What was decided is realised at the open of the candle after the trade; everything else within its last candle.
    at_open = (trades.reason == CLOSED) & (market.fill_at == "next_open")
    edges[flat + 1] = trades.set * candles + trades.start
    edges[flat + 2] = trades.set * candles + trades.stop - ~at_open
    edges[firsts[1:]] = np.arange(1, sets + 1) * candles
    long = trades.side == 1
    level[flat] = profits.before
    level[flat + 1] = profits.before * np.where(long, -fee, 2 - fee)
    slope[flat + 1] = np.where(long, (1 - slippage) * (1 - fee), -(1 + slippage) * (1 + fee)) / profits.slipped
    slope[flat + 1] *= profits.before
    level[flat + 2] = profits.after
    return EquityLines(np.diff(edges), level, slope, firsts)


def equity(lines: EquityLines, first: int, last: int, close: Floats) -> Floats:
    """The equity of the sets `first` to `last - 1` at each close, shape (last - first, candles), from 1."""
    own = slice(int(lines.firsts[first]), int(lines.firsts[last]))
    lengths = lines.lengths[own]
    values = np.repeat(lines.slope[own], lengths).reshape(last - first, len(close))
    values *= close
    values += np.repeat(lines.level[own], lengths).reshape(values.shape)
    if float(values.min(initial=0.0)) < 0:
        np.maximum(values, 0.0, out=values)
    return values


def marked_figures(lines: EquityLines, sets: int, close: Floats, periods_per_year: float) -> dict[str, Floats]:
    """What needs the value of open trades at every close: Sharpe ratio and drawdown, each of shape (sets,).

    - `sharpe_ratio`: mean / sample standard deviation of the returns from close to close, flat candles included, times
      the root of `periods_per_year`; risk-free rate 0 (Sharpe 1994). NaN without a spread.
    - `max_drawdown`: the largest fall from the highest value so far, percent of that.
    """
    candles = len(close)
    sharpe, drawdown = np.full(sets, np.nan), np.zeros(sets)
    rows = max(1, MARKED_CELLS // candles)
    peaks, moves = np.empty((rows, candles)), np.empty((rows, candles - 1))
    for first in range(0, sets, rows):
        last = min(first + rows, sets)
        values, peak, move = equity(lines, first, last, close), peaks[: last - first], moves[: last - first]
        np.subtract(values[:, 1:], values[:, :-1], out=move)
        base = values[:, :-1]
        if float(values.min()) > 0:
            np.divide(move, base, out=move)
        else:  # from nothing there is no return
            np.divide(move, base, out=move, where=base > 0)
            move[base <= 0] = 0.0
        sharpe[first:last] = _sharpe(move, periods_per_year)
        np.maximum.accumulate(values, axis=1, out=peak)
        np.divide(values, peak, out=values)
        drawdown[first:last] = (1 - values.min(axis=1)) * 100
    return {"sharpe_ratio": sharpe, "max_drawdown": drawdown}


def _sharpe(returns: Floats, periods_per_year: float) -> Floats:
    """Of rows of returns; they are used up."""
    count = returns.shape[1]
    mean = returns.sum(axis=1) / count
    returns -= mean[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", returns, returns) / max(count - 1, 1))
    moved = spread > EPS / 100
    return np.where(moved, mean / np.where(moved, spread, 1.0) * sqrt(periods_per_year), np.nan)
