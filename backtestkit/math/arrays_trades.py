"""From decisions to trades, for many sets at once, when nothing but decisions ends a trade.

A decision at the close of candle t is carried out at the boundary between t and t + 1: at the open of candle t + 1, or
at the close of candle t itself.
"""

from __future__ import annotations

import numpy as np

from backtestkit.math.arrays_decisions import Decisions, states
from backtestkit.math.profit import Costs
from backtestkit.model.arrays import CLOSED, FRAME_END, ArrayMarket, ArrayTrades
from backtestkit.model.candle import Floats


def decided_trades(decisions: Decisions, market: ArrayMarket) -> ArrayTrades:
    """The trades from each entry to the decision that ends it, or to the last close."""
    candles = decisions.candles
    before, after = states(decisions)
    changes = np.flatnonzero(before != after)
    after, at = after[changes], decisions.at[changes]
    sets = at // candles
    boundary = at - sets * candles + 1
    stop = np.full(len(at), candles)
    followed = np.flatnonzero(sets[:-1] == sets[1:])
    stop[followed] = boundary[followed + 1]
    opened = after != 0
    sets, side, start, stop = sets[opened], after[opened], boundary[opened], stop[opened]
    cut = stop == candles
    price_close = np.where(cut, market.close[-1], market.fill[np.minimum(stop, candles - 1)])
    reason = np.where(cut, np.int8(FRAME_END), np.int8(CLOSED))
    return ArrayTrades(
        sets, side, start, stop, market.fill[start], price_close, reason, np.zeros(len(sets), dtype=np.bool_)
    )


def lost_everything(trades: ArrayTrades, market: ArrayMarket, costs: Costs) -> bool:
    """Whether the market reached, during one of these shorts, the price at which it has lost all that it cost."""
    short = trades.of(trades.side == -1)
    levels = liquidation_price(short.price_open, costs)
    if not len(short) or float(market.high.max()) < float(levels.min()):
        return False
    high = np.append(market.high, -np.inf)  # so that the end of the last candle is a place too
    peaks = np.maximum.reduceat(high, np.column_stack((short.start, short.stop)).ravel())[::2]
    return bool((peaks >= levels).any())


def liquidation_price(price_open: Floats, costs: Costs) -> Floats:
    """The price at which a short from `price_open` has lost exactly what it cost, costs included."""
    fee, slippage = costs.percent_fee / 100, costs.percent_slippage / 100
    level: Floats = (2 - fee) / (1 + fee) * (price_open * (1 - slippage)) / (1 + slippage)
    return level
