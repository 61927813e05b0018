"""Candle checks in the pieces in which the reference asks for candles.

Under `candles="per_request"` a bad candle only matters when it is asked for, and whether a price counts as anomalous
depends on the other candles of the same request. Columns without anything suspicious, nearly all of them, skip this.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from backtestkit.errors import CandleError
from backtestkit.math.candle_checks import is_clean, validate_candles
from backtestkit.model.candle import Candles
from backtestkit.model.signal import SignalRow


@dataclass(frozen=True, slots=True)
class RequestChecks:
    """The candles of a run and how they are asked for: a window of `average_count`, pages of `page` candles."""

    candles: Candles
    anomaly_factor: float
    min_candles_for_median: int
    average_count: int
    page: int
    await_candles: int
    clean: bool

    @classmethod
    def over(
        cls,
        candles: Candles,
        *,
        anomaly_factor: float,
        min_candles_for_median: int,
        average_count: int,
        page: int,
        await_candles: int,
    ) -> RequestChecks:
        """Screen `candles` once, so that clean ones cost nothing later."""
        clean = is_clean(candles, anomaly_factor=anomaly_factor)
        return cls(candles, anomaly_factor, min_candles_for_median, average_count, page, await_candles, clean)

    def check_average(self, index: int) -> None:
        """Raise `CandleError` if the average price before candle `index` would be refused."""
        self._check(index - self.average_count, index)

    def failure(self, row: SignalRow, index: int) -> tuple[int, CandleError] | None:
        """Where following `row` from candle `index` fails: the first candle that cannot be handled, and why."""
        for first, start, stop in self._requests(row, index):
            try:
                self._check(start, stop)
            except CandleError as error:
                return first, error
        return None

    def _requests(self, row: SignalRow, index: int) -> Iterator[tuple[int, int, int]]:
        """`(first candle handled, start, stop)` of every request; finite lives are asked for at once, in pages."""
        buffer = self.average_count - 1
        start = index - buffer
        waits = self.await_candles if row.is_scheduled else 0
        life = row.minute_estimated_time
        if math.isfinite(life):
            count = buffer + int(life) + 1 + waits
            for offset in range(0, count, self.page):
                yield index, start + offset, start + min(offset + self.page, count)
            return
        size = buffer + waits + self.page + 1 if waits else self.page
        while start + buffer < len(self.candles):
            for offset in range(0, size, self.page):
                yield start + buffer, start + offset, start + min(offset + self.page, size)
            start += size - buffer
            size = self.page

    def _check(self, start: int, stop: int) -> None:
        piece = self.candles[max(start, 0) : stop]
        validate_candles(
            piece,
            anomaly_factor=self.anomaly_factor,
            min_candles_for_median=self.min_candles_for_median,
            strict=False,
        )
