"""The candle columns of one run, with what the machine adds to them: the average price and the time labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backtestkit.math.average_price import average_column
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.market_data import FundingRate


class Bars:
    """Columns over which a machine runs. Index i is the i-th candle that exists.

    `label(i)` is when candle i takes effect under the fill policy. `cut` is the candle at which the frame cuts what is
    still open; `limit` is the number of candles that may be used. `fundings` are funding rates and `funding_candles` the
    candles at which they are paid.
    """

    __slots__ = (
        "average",
        "candles",
        "cut",
        "funding_candles",
        "fundings",
        "high",
        "limit",
        "low",
        "offset",
        "open",
        "step",
        "times",
    )

    def __init__(self, candles: Candles, *, step: int, average_count: int, policy: FillPolicy) -> None:
        """Take the columns of `candles` (base interval of `step` ms) and compute the averages over `average_count`."""
        self.candles = candles
        self.times, self.open, self.high, self.low = candles.timestamp, candles.open, candles.high, candles.low
        self.average = average_column(candles.high, candles.low, candles.close, candles.volume, average_count)
        self.step = step
        self.offset = step if policy.label == "close" else 0
        self.limit = len(self.times)
        self.cut = self.limit
        self.fundings: Sequence[FundingRate] = ()
        self.funding_candles: list[int] = []

    def set_fundings(self, rates: Sequence[FundingRate]) -> None:
        """The funding rates of the run, oldest first, each paid at the first candle with its label or a later one."""
        self.fundings = rates
        self.funding_candles = [self.first_labelled(rate.timestamp) for rate in rates]

    def label(self, index: int) -> int:
        """When candle `index` takes effect, ms UTC."""
        return int(self.times[index]) + self.offset

    def first_labelled(self, time: float) -> int:
        """The first candle whose label is `time` or later (`limit` when there is none)."""
        if time >= 9e15:
            return self.limit
        return min(int(np.searchsorted(self.times, time - self.offset)), self.limit)
