"""The candles that ideas are graded on: what exists of them, and up to when that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backtestkit.errors import InsufficientDataError
from backtestkit.market.coverage import Range, merge_ranges
from backtestkit.model.candle import Candles
from backtestkit.services.connection.exchange import ExchangeConnection


class Feed(NamedTuple):
    """Candles, and up to when the market is known (ms UTC): what lies before that and is missing is a hole."""

    candles: Candles
    known_until: int


class SweepCandles:
    """Reads the windows of ideas through an exchange connection: overlapping ones once, and no more than there is."""

    def __init__(self, exchange: ExchangeConnection, symbol: str, *, step: int, newest: int, strict: bool) -> None:
        """`step` is the length of a candle and `newest` where the closed ones end, ms; `strict` is how they are checked."""
        self._exchange, self._symbol = exchange, symbol
        self._step, self._newest, self._strict = step, newest, strict
        self._read: dict[Range, Candles | None] = {}

    async def load(self, windows: Sequence[Range]) -> None:
        """Prepare to answer for `windows`; holes under `gaps="refuse"` raise `GapError`."""
        span = await self._exchange.span(self._symbol)
        if span is not None:
            self._newest = min(self._newest, span[1] + self._step)
        earliest = 0 if span is None else span[0]
        for since, until in merge_ranges((max(since, earliest), min(until, self._newest)) for since, until in windows):
            try:
                self._read[since, until] = await self._exchange.columns(self._symbol, since, until, strict=self._strict)
            except InsufficientDataError:
                # Only part of it exists, and the source did not say which: ask window by window.
                self._read[since, until] = None

    async def window(self, since: int, until: int) -> Feed:
        """The candles of [since, until) that exist from `since` on; none when there is none at `since` itself."""
        for (start, end), candles in self._read.items():
            if start <= since < end:
                stop = min(until, end)
                feed = await self._existing(since, stop) if candles is None else Feed(_cut(candles, since, stop), stop)
                break
        else:
            return Feed(Candles.empty(), since)
        begins = len(feed.candles) > 0 and int(feed.candles.timestamp[0]) == since
        return feed if begins else Feed(Candles.empty(), since)

    async def _existing(self, since: int, until: int) -> Feed:
        """What there is of a window near an end of the data that the source does not tell."""
        candles = await self._exchange.existing(self._symbol, since, until, strict=self._strict)
        return Feed(candles, int(candles.timestamp[-1]) + self._step if len(candles) else since)


def _cut(candles: Candles, since: int, until: int) -> Candles:
    start, stop = candles.timestamp.searchsorted((since, until))
    return candles[int(start) : int(stop)]
