"""Coarser candles from finer ones."""

from __future__ import annotations

import numpy as np

from backtestkit.errors import UsageError
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms


def resample(candles: Candles, interval: str, *, base_interval: str = "1m", until: int | None = None) -> Candles:
    """`candles` of `base_interval` as candles of the coarser `interval`.

    Buckets start at multiples of the interval counted from the epoch, UTC. A bucket takes the open of its first and
    the close of its last candle, the highest high, the lowest low and the sum of the volumes. Candles that are
    missing inside a bucket do not count; a bucket without any is missing too, and one made only of filled candles is
    marked as filled.

    The last bucket is emitted when it is complete: when its last base candle is there, or when `until` (ms, the instant
    up to which candles are known) is not before its end.
    """
    step, base = interval_step_ms(interval), interval_step_ms(base_interval)
    if step < base or step % base:
        raise UsageError(f"{interval} candles cannot be made from {base_interval} candles: not a whole multiple.")
    if not len(candles) or step == base:
        return candles
    known_until = max(int(candles.timestamp[-1]) + base, until or 0)
    bucket = candles.timestamp // step * step
    starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    ends = np.append(starts[1:], len(candles)) - 1
    whole = Candles.from_columns(
        bucket[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        np.add.reduceat(candles.volume, starts),
        None if candles.filled is None else np.logical_and.reduceat(candles.filled, starts),
    )
    return whole if bucket[-1] + step <= known_until else whole[:-1]
