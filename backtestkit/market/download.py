"""Downloads of candles into a store: only what is missing, page by page, kept also when the download is interrupted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from backtestkit.market.candle_block import DamagedBlockError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.coverage import Range
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms
from backtestkit.runtime.log import logger

_FLUSH_CANDLES = 20_000


class Page(NamedTuple):
    """What a venue answered for [since, until), asked at `asked_at` (all ms UTC)."""

    since: int
    until: int
    candles: Candles
    asked_at: int


class PageSource(Protocol):
    """A venue that answers in pages."""

    def pages(self, symbol: str, interval: str, since: int, until: int) -> AsyncIterator[Page]:
        """The pages of [since, until), oldest first, without holes between them."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where downloaded candles go."""

    store: CandleStore
    exchange_name: str
    symbol: str
    interval: str

    def read(self, since: int, until: int) -> tuple[Candles, list[Range]]:
        """What is stored, and what is missing. Damaged blocks are set aside, so that they are downloaded again."""
        while True:
            try:
                return self.store.read(self.exchange_name, self.symbol, self.interval, since, until)
            except DamagedBlockError as error:
                aside = self.store.set_aside(error.path)
                logger().warning("candle_block_damaged", path=str(error.path), set_aside=str(aside), reason=str(error))

    async def write(self, since: int, until: int, candles: Candles, fetched_at: int) -> None:
        """Store one range."""
        await self.store.write(self.exchange_name, self.symbol, self.interval, since, until, candles, fetched_at)


async def download(
    source: PageSource,
    target: Target,
    since: int,
    until: int,
    *,
    worth_storing: int = 1,
    refresh: bool = False,
    on_progress: Callable[[int, int], object] | None = None,
) -> Candles:
    """Bring what `target` lacks of [since, until) (ms UTC) from `source`; returns everything there is in that range.

    A range counts as covered only between candles: before the first and behind the last candle of the venue nobody
    can tell "none" from "not yet" or "no longer". Fewer than `worth_storing` candles at the newest end are not
    stored. `refresh` asks for all of it again and replaces what is stored. `on_progress(done, total)` hears
    milliseconds of time.
    """
    stored, missing = (Candles.empty(), [(since, until)]) if refresh else target.read(since, until)
    fetched: list[Candles] = []
    total, done = sum(end - start for start, end in missing), 0
    for start, end in missing:
        keeper = _Keeper(target, start, end, worth_storing)
        try:
            async for page in source.pages(target.symbol, target.interval, start, end):
                fetched.append(page.candles)
                await keeper.take(page)
                if on_progress is not None:
                    on_progress(done + page.until - start, total)
        finally:
            # Also when the venue failed or the user gave up: what was paid for is kept.
            await keeper.flush()
        await keeper.close()
        done += end - start
    return _merged([stored, *fetched])


class _Keeper:
    """Collects the pages of one missing range and stores them in portions."""

    def __init__(self, target: Target, since: int, until: int, worth_storing: int) -> None:
        step = interval_step_ms(target.interval)
        self._target, self._step, self._until, self._worth = target, step, until, worth_storing
        self._start: int | None = since if not target.read(since - step, since)[1] else None
        self._closed = not target.read(until, until + step)[1]
        self._parts: list[Candles] = []
        self._held = 0
        self._first_asked = self._last_asked = 0

    async def take(self, page: Page) -> None:
        """Take the next page."""
        self._last_asked = page.asked_at
        if not len(page.candles):
            return
        if self._start is None:
            self._start = int(page.candles.timestamp[0])
        if not self._held:
            self._first_asked = page.asked_at
        self._parts.append(page.candles)
        self._held += len(page.candles)
        if self._held >= _FLUSH_CANDLES:
            await self.flush()

    async def flush(self) -> None:
        """Store what is held, up to its last candle."""
        if self._start is None or not self._held or (self._held < self._worth and not self._closed):
            return
        candles = Candles.concat(self._parts)
        end = int(candles.timestamp[-1]) + self._step
        await self._target.write(self._start, end, candles, self._first_asked)
        self._start, self._parts, self._held = end, [], 0

    async def close(self) -> None:
        """The range was gone through: if candles follow it, what is missing at its end is a hole."""
        if self._closed and self._start is not None and self._start < self._until:
            await self._target.write(self._start, self._until, Candles.empty(), self._last_asked)


def _merged(parts: list[Candles]) -> Candles:
    joined = Candles.concat([part for part in parts if len(part)])
    stamps = joined.timestamp
    if (stamps[1:] > stamps[:-1]).all():
        return joined
    order = stamps.argsort(kind="stable")
    newest = np.append(np.diff(stamps[order]) > 0, True)
    return joined.take(order[newest])
