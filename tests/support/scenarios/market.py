"""Markets made of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backtestkit.model.candle import Candles

START = 1_735_689_600_000  # 2025-01-01T00:00Z
MINUTE = 60_000

Row = tuple[float, float, float, float, float]


def flat(price: float, count: int, volume: float = 1.0) -> list[Row]:
    """`count` candles that stand still."""
    return [(price, price, price, price, volume)] * count


def path(closes: Sequence[float], volume: float = 1.0) -> list[Row]:
    """Candles that open at the previous close and go straight to their own."""
    rows: list[Row] = []
    last = closes[0]
    for close in closes:
        rows.append((last, max(last, close), min(last, close), close, volume))
        last = close
    return rows


def candles(rows: Sequence[Row], start: int = START, step: int = MINUTE) -> Candles:
    """Columns of consecutive candles from `start`."""
    block = np.array(rows, dtype=float)
    return Candles.from_columns(start + step * np.arange(len(rows)), *(block[:, i] for i in range(5)))
