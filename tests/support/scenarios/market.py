"""Markets made of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from backtestkit.model.candle import Candles

START = 1_735_689_600_000  # 2025-01-01T00:00Z
MINUTE = 60_000

Row = tuple[float, float, float, float, float]


def flat(price: float, count: int, volume: float = 1.0) -> list[Row]:
    """`count` candles that stand still."""
    return [(price, price, price, price, volume)] * count


def still(
    count: int, price: Callable[[int], float] = lambda _: 100.0, at: Mapping[int, Row] | None = None
) -> list[Row]:
    """History and `count` candles that stand still at `price(minute)`, except the rows `at` some minutes."""
    special = at or {}
    return [special.get(m) or (p := float(price(m)), p, p, p, 1.0) for m in range(-5, count)]


def dips(count: int, low: float, minute: int) -> list[Row]:
    """Candles at 100, of which that of `minute` has a wick down to `low`, or up to it when it is above."""
    return still(count, at={minute: (100.0, max(100.0, low), min(100.0, low), 100.0, 1.0)})


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
