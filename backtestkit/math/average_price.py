"""The average price: volume-weighted typical price of the last few candles.

The order of operations is fixed (oldest candle first, plain additions from 0), so that a column computed for a whole
market and a value computed for one minute agree to the last bit. Moving sums as differences of a cumulative sum, dot
products and pairwise sums all round differently and are therefore not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backtestkit.model.candle import Floats


def average_price(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], volume: Sequence[float]
) -> float:
    """Volume-weighted mean of (high + low + close) / 3 in quote currency; the mean of the closes when nothing traded.

    The sequences hold Python floats, oldest first, equally long and not empty.
    """
    total = 0.0
    weighted = 0.0
    closes = 0.0
    for h, lo, c, v in zip(high, low, close, volume, strict=True):
        total += v
        weighted += (h + lo + c) / 3 * v
        closes += c
    return weighted / total if total != 0 else closes / len(close)


def average_column(high: Floats, low: Floats, close: Floats, volume: Floats, count: int) -> Floats:
    """`average_price` of the window of `count` candles that ends with each candle, shape `(n,)`.

    The first `count - 1` values have no full window and are NaN.
    """
    n = len(close)
    averages = np.full(n, np.nan)
    size = n - count + 1
    if size <= 0:
        return averages
    typical_volume = (high + low + close) / 3 * volume
    total, weighted, closes = np.zeros(size), np.zeros(size), np.zeros(size)
    for k in range(count):
        total += volume[k : k + size]
        weighted += typical_volume[k : k + size]
        closes += close[k : k + size]
    silent = total == 0
    if silent.any():
        total[silent] = 1.0
        averages[count - 1 :] = np.where(silent, closes / count, weighted / total)
    else:
        averages[count - 1 :] = weighted / total
    return averages
