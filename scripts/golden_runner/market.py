"""The market of a scenario: recorded minutes, flat before the first and after the last."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtestkit import Candles

MINUTE = 60_000


class Market:
    """Minute candles by symbol, for any range; larger intervals are aggregated from the minutes."""

    def __init__(self, candles: dict[str, dict[str, Any]]) -> None:
        self._symbols = {symbol: (c["start"], _expand(c["rows"])) for symbol, c in candles.items()}

    def read(self, symbol: str, interval_ms: int, since: int, until: int) -> Candles:
        """All candles with open time in [since, until)."""
        start, rows = self._symbols[symbol]
        if interval_ms == MINUTE:
            return _minutes(start, rows, since, until)
        first = -(-since // interval_ms) * interval_ms
        count = max(0, -(-(until - first) // interval_ms))
        minutes = _minutes(start, rows, first, first + count * interval_ms)
        shape = (count, interval_ms // MINUTE)
        return Candles.from_columns(
            first + interval_ms * np.arange(count),
            minutes.open.reshape(shape)[:, 0],
            minutes.high.reshape(shape).max(axis=1),
            minutes.low.reshape(shape).min(axis=1),
            minutes.close.reshape(shape)[:, -1],
            minutes.volume.reshape(shape).sum(axis=1),
        )


def _expand(rows: list[list[float]]) -> np.ndarray:
    return np.repeat(
        np.array([row[:5] for row in rows], dtype=float), [int(row[5]) if len(row) > 5 else 1 for row in rows], axis=0
    )


def _minutes(start: int, rows: np.ndarray, since: int, until: int) -> Candles:
    times = np.arange(-(-since // MINUTE) * MINUTE, until, MINUTE)
    index = (times - start) // MINUTE
    block = rows[np.clip(index, 0, len(rows) - 1)].copy()
    before, after = index < 0, index >= len(rows)
    block[before, :4], block[before, 4] = rows[0, 0], 1.0
    block[after, :4], block[after, 4] = rows[-1, 3], 1.0
    return Candles.from_columns(times, *(block[:, i] for i in range(5)))
