"""The ticks of a backtest: when the strategy may be asked, and which candle follows each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtestkit.clients.bars import Bars
from backtestkit.clients.frame import ClientFrame
from backtestkit.model.candle import Integers


@dataclass(frozen=True, slots=True)
class Ticks:
    """Times of a frame at which a candle has just closed, a full window for the average lies before, and one follows.

    `step` is the distance of two neighbours where all are equally far apart, which makes every search an arithmetic
    one; 0 where holes in the data make them uneven.
    """

    times: Integers
    candles: Integers
    count: int
    first: int
    first_candle: int
    step: int
    candle_step: int

    @classmethod
    def of(cls, bars: Bars, frame: ClientFrame, average_count: int, earliest: int) -> Ticks:
        """The ticks of `frame` over `bars`, none before `earliest`."""
        times = bars.times[average_count - 1 :] + bars.step
        candles = np.arange(average_count, average_count + len(times))
        fits = (times >= max(frame.start, earliest)) & (times <= frame.last) & ((times - frame.start) % frame.step == 0)
        fits &= candles < bars.limit
        times, candles = times[fits], candles[fits]
        count = len(times)
        first = int(times[0]) if count else 0
        first_candle = int(candles[0]) if count else 0
        step = candle_step = 0
        if count > 1:
            gap, candle_gap = int(times[1]) - first, int(candles[1]) - first_candle
            if int(times[-1]) - first == gap * (count - 1) and (np.diff(times) == gap).all():
                step, candle_step = gap, candle_gap if (np.diff(candles) == candle_gap).all() else 0
        return cls(times, candles, count, first, first_candle, step, candle_step)

    def time(self, position: int) -> int:
        """Time of a tick, ms UTC."""
        return self.first + self.step * position if self.step else int(self.times[position])

    def candle(self, position: int) -> int:
        """The candle that opens at, or first after, a tick."""
        return self.first_candle + self.candle_step * position if self.candle_step else int(self.candles[position])

    def at_or_after(self, time: float) -> int:
        """The first tick at `time` or later; `count` when there is none."""
        if time > int(self.times[-1]):
            return self.count
        if self.step:
            return max(0, -int((self.first - time) // self.step))
        return int(np.searchsorted(self.times, time))

    def after(self, time: int) -> int:
        """The first tick later than `time`."""
        return self.at_or_after(time + 1)
