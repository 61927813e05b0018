"""Trades of many sets with exit levels: all sets take their next trade together, round after round.

Inside a round the candles of all open trades are read in blocks, until each trade has met a level or its end. Prices
of shorts are negated, so that below the stop and above the target mean the same for both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtestkit.math.arrays_decisions import Decisions
from backtestkit.math.arrays_trades import liquidation_price
from backtestkit.math.profit import Costs
from backtestkit.model.arrays import (
    CLOSED,
    FRAME_END,
    LIQUIDATION,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    ArrayLevels,
    ArrayMarket,
    ArrayTrades,
    Small,
    joined,
)
from backtestkit.model.candle import Flags, Floats, Integers

FIRST_BLOCK = 16
LAST_BLOCK = 256
"""Candles that are read of each trade at once: few at first, since tight levels are met soon."""
CELLS_READ = 1 << 18
"""Trades times candles that are read at once, unless there are very many trades."""


def levelled_trades(decisions: Decisions, market: ArrayMarket, levels: ArrayLevels, costs: Costs) -> ArrayTrades:
    """The trades from each entry to the first of: a level, the decision that ends it, the last close.

    After a level was met the set is flat, and the next entry that it decides, at the close of that candle or later,
    opens the next trade. A short that has lost what it cost is liquidated at that price, whatever its levels.
    """
    ways, candles = _Sides.of(market), decisions.candles
    entries, long_ends, short_ends = (
        np.append(decisions.at[wanted], decisions.sets * candles)  # a last one that belongs to no set
        for wanted in (decisions.entry != 0, decisions.ends_long, decisions.ends_short)
    )
    entered = decisions.entry[decisions.entry != 0]
    sets, wait_until = np.arange(decisions.sets), np.zeros(decisions.sets, dtype=np.int64)
    rounds: list[ArrayTrades] = [_none()]
    while len(sets):
        places = np.searchsorted(entries, sets * candles + wait_until)
        there = entries[places] // candles == sets
        sets, places = sets[there], places[there]
        side, at = entered[places], entries[places]
        start = at - sets * candles + 1
        ends = [_next_after(own, at, sets, candles) for own in (long_ends, short_ends)]
        trades = ways.until_exit(sets, side, start, np.where(side == 1, *ends), market, levels.of(sets), costs)
        rounds.append(trades)
        # The close of a candle on which a level was met decides again; a boundary is decided one candle before it.
        wait_until = trades.stop - 1
        more = trades.reason != FRAME_END
        sets, wait_until = sets[more], wait_until[more]
    trades = joined(rounds)
    return trades.of(np.argsort(trades.set, kind="stable"))


def _next_after(decided: Integers, at: Integers, sets: Integers, candles: int) -> Integers:
    """The boundary of the first of `decided` after `at`, `candles` when its set has none."""
    found = decided[np.searchsorted(decided, at, side="right")]
    return np.where(found // candles == sets, found - sets * candles + 1, candles)


def _none() -> ArrayTrades:
    whole, price, small = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int8)
    return ArrayTrades(whole, small, whole, whole, price, price, small, np.zeros(0, dtype=np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The market as a long sees it, and after that as a short does: `open`, `best` and `worst` of each candle.

    Either is followed by candles of NaN, which meet no level, so that a block may reach beyond the last candle. `best`
    and `worst` are windows: row i holds the candles from i on.
    """

    open: Floats
    best: Floats
    worst: Floats
    length: int
    """Where the candles of the short begin."""

    @classmethod
    def of(cls, market: ArrayMarket) -> _Sides:
        none = np.full(LAST_BLOCK, np.nan)
        pairs = ((market.open, market.open), (market.high, market.low), (market.low, market.high))
        opened, best, worst = (np.concatenate((long, none, -short, none)) for long, short in pairs)
        windows = np.lib.stride_tricks.sliding_window_view
        return cls(opened, windows(best, LAST_BLOCK), windows(worst, LAST_BLOCK), len(market) + LAST_BLOCK)

    def until_exit(
        self,
        sets: Integers,
        side: Small,
        start: Integers,
        end: Integers,
        market: ArrayMarket,
        levels: ArrayLevels,
        costs: Costs,
    ) -> ArrayTrades:
        """One trade of each set, which ends at the boundary `end` unless a level is met before."""
        count, candles = len(sets), len(market)
        price_open = market.fill[start]
        watch = _Watch.over(side, price_open, levels, costs)
        cut = end == candles
        price_close = np.where(cut, market.close[-1], market.fill[np.minimum(end, candles - 1)])
        reason = np.where(cut, np.int8(FRAME_END), np.int8(CLOSED))
        ambiguous, stop = np.zeros(count, dtype=np.bool_), end.copy()
        left, place, width = np.arange(count), start.copy(), FIRST_BLOCK
        while len(left):
            index = place + watch.row[left] * self.length
            best, worst = self.best[index, :width], self.worst[index, :width]
            stops, trailing = watch.stops(left, best)
            stopped, taken = worst <= stops, best >= watch.take[left, None]
            met = stopped | taken
            first = met.argmax(axis=1)
            hit = met[np.arange(len(left)), first] & (place + first < end[left])
            own, on = left[hit], (np.flatnonzero(hit), first[hit])
            opened = self.open[index[hit] + first[hit]]
            prices, reasons = watch.exits(own, stops[on], trailing[on], stopped[on], opened)
            price_close[own], reason[own] = prices, reasons
            ambiguous[own] = stopped[on] & taken[on]
            stop[own] = place[hit] + first[hit] + 1
            going = ~hit & (place + width < end[left])
            watch.peak[left] = np.maximum(watch.peak[left], best.max(axis=1))
            left, place = left[going], place[going] + width
            width = max(FIRST_BLOCK, min(2 * width, LAST_BLOCK, CELLS_READ // max(len(left), 1)))
        return ArrayTrades(sets, side, start, stop, price_open, price_close, reason, ambiguous)


@dataclass(frozen=True, slots=True, eq=False)
class _Watch:
    """The levels of trades in the prices of their side, infinite where there is none; `peak` moves with the market."""

    row: Integers
    sign: Floats
    stop: Floats
    take: Floats
    liquidation: Floats
    factor: Floats
    peak: Floats

    @classmethod
    def over(cls, side: Small, price_open: Floats, levels: ArrayLevels, costs: Costs) -> _Watch:
        sign = side.astype(np.float64)
        signed = sign * price_open
        stop = signed * (1 - sign * levels.stop_loss / 100)
        take = signed * (1 + sign * levels.take_profit / 100)
        ruin = np.where(side == -1, -liquidation_price(price_open, costs), -np.inf)
        return cls(
            row=(side == -1).astype(np.int64),
            sign=sign,
            stop=np.where(np.isnan(stop), -np.inf, stop),
            take=np.where(np.isnan(take), np.inf, take),
            liquidation=ruin,
            factor=1 - sign * levels.trailing_stop / 100,
            peak=signed.copy(),
        )

    def stops(self, left: Integers, best: Floats) -> tuple[Floats, Flags]:
        """The stop in force on each candle, from what was known before it, and whether that is the trailing one."""
        fixed = np.maximum(self.stop[left], self.liquidation[left])[:, None]
        factor = self.factor[left, None]
        if np.isnan(factor).all():
            return np.broadcast_to(fixed, best.shape), np.zeros(best.shape, dtype=np.bool_)
        before = np.concatenate((self.peak[left, None], best[:, :-1]), axis=1)
        np.maximum.accumulate(before, axis=1, out=before)
        trailed = before * factor
        trailing = trailed > fixed
        return np.where(trailing, trailed, fixed), trailing

    def exits(
        self, own: Integers, stops: Floats, trailing: Flags, stopped: Flags, opened: Floats
    ) -> tuple[Floats, Small]:
        """Price and reason of the exits of the trades `own`.

        A stop that the candle opened beyond fills at that open, no further than the liquidation; a take profit at its
        level.
        """
        filled = np.minimum(stops, opened)
        ruined = stopped & (filled <= self.liquidation[own])
        price = np.where(stopped, np.maximum(filled, self.liquidation[own]), self.take[own])
        reason = np.where(stopped, np.where(trailing, TRAILING_STOP, STOP_LOSS), TAKE_PROFIT)
        return self.sign[own] * price, np.where(ruined, LIQUIDATION, reason).astype(np.int8)
