"""The markets that workloads run on: seeded random walks, the same on every machine."""

from __future__ import annotations

import numpy as np

from backtestkit import Candles
from backtestkit.model.candle import Floats

START = 1_735_689_600_000  # 2025-01-01T00:00Z
MINUTE = 60_000
YEAR = 525_600
MONTH = 43_200
SIGMA = 0.0008
STEPS = 8


def walk(count: int, seed: int, price: float = 50_000.0) -> Candles:
    """`count` minutes of a geometric random walk, 0.08 % standard deviation a minute, eight steps inside each.

    Prices are rounded to 0.01; volume is log-normal with a daily cycle.
    """
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal((count, STEPS)) * (SIGMA / STEPS**0.5)
    path = np.cumsum(moves.ravel()).reshape(count, STEPS)
    path -= SIGMA**2 / 2 * np.arange(count)[:, None]
    close = path[:, -1]
    open_ = np.concatenate(([0.0], close[:-1]))
    high = np.maximum(open_, path.max(axis=1))
    low = np.minimum(open_, path.min(axis=1))
    cycle = 1 + 0.5 * np.sin(2 * np.pi * (np.arange(count) % 1440) / 1440)
    volume = np.round(np.exp(rng.standard_normal(count) * 0.9 + 1.5) * cycle, 4) + 0.0001
    open_, high, low, close = (np.round(price * np.exp(x), 2) for x in (open_, high, low, close))
    return Candles.from_columns(START + MINUTE * np.arange(count), open_, high, low, close, volume)


def year() -> Candles:
    """The year of the workloads."""
    return walk(YEAR, 7)


def hours_of(minutes: Candles) -> Candles:
    """Whole hours made of `minutes`."""
    count = len(minutes) // 60

    def parts(column: Floats) -> Floats:
        return column[: count * 60].reshape(count, 60)

    return Candles.from_columns(
        minutes.timestamp[: count * 60 : 60],
        parts(minutes.open)[:, 0],
        parts(minutes.high).max(axis=1),
        parts(minutes.low).min(axis=1),
        parts(minutes.close)[:, -1],
        parts(minutes.volume).sum(axis=1),
    )


def month_of(symbol: int) -> Candles:
    """Thirty days of one of the further symbols."""
    return walk(MONTH, 107 + symbol, price=100.0 * (symbol + 1))
