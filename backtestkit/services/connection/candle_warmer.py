"""Fills the candle store ahead of runs, and tells whether it is full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from backtestkit.clients.candle_book import CandleBook, Window
from backtestkit.clients.exchange import ClientExchange
from backtestkit.errors import DataError, UsageError
from backtestkit.model.interval import interval_step_ms, iso
from backtestkit.services.connection.candle_loader import CandleLoader

if TYPE_CHECKING:
    from backtestkit.config import Config

Progress: TypeAlias = Callable[[int, int], object]


class CandleWarmer:
    """Walks ranges request by request. Nothing is kept in memory."""

    def __init__(self, loader: CandleLoader, client: ClientExchange, config: Config) -> None:
        """Over the source and the store of `loader`."""
        self._loader, self._client, self._config = loader, client, config

    async def warm(self, symbol: str, interval: str, since: int, until: int, on_progress: Progress | None) -> None:
        """Fetch what the store lacks of [since, until)."""
        await self._walk(symbol, interval, since, until, on_progress, self._bring)

    async def check(self, symbol: str, interval: str, since: int, until: int, on_progress: Progress | None) -> None:
        """Raise `DataError` for the first part of [since, until) that is not there."""
        await self._walk(symbol, interval, since, until, on_progress, self._find)

    async def cache(
        self,
        symbol: str,
        interval: str,
        since: int,
        until: int,
        on_check_start: Callable[[], object] | None,
        on_warm_start: Callable[[], object] | None,
        on_progress: Progress | None,
    ) -> None:
        """Check, and warm and check again when something is missing."""
        for second in (False, True):
            if on_check_start is not None:
                on_check_start()
            try:
                await self.check(symbol, interval, since, until, on_progress)
                return
            except DataError:
                if second:
                    raise
            if on_warm_start is not None:
                on_warm_start()
            await self.warm(symbol, interval, since, until, on_progress)

    async def _walk(
        self,
        symbol: str,
        interval: str,
        since: int,
        until: int,
        on_progress: Progress | None,
        visit: Callable[[CandleBook, Window], Awaitable[None]],
    ) -> None:
        """Visit [since, until) request by request, each with a book of its own that is thrown away."""
        if not self._loader.keeps_candles:
            raise UsageError(
                f"exchange {self._client.rules.exchange_name!r} has no candle store to fill. Use a ready exchange "
                "with a store, such as CcxtExchange(..., store='./data'), or give the kit a candle store."
            )
        stored = self._client.stored_interval(interval)
        step = interval_step_ms(stored)
        first, end = since // step * step, until // step * step
        if first >= end:
            raise UsageError(
                f"since={iso(since)} and until={iso(until)} hold no whole {stored} candle; widen the range"
            )
        page = self._config.max_candles_per_request * step
        for start in range(first, end, page):
            stop = min(start + page, end)
            book = self._client.new_book(symbol, stored)
            await visit(book, book.window(start, stop))
            if on_progress is not None:
                on_progress((stop - first) // step, (end - first) // step)

    async def _bring(self, book: CandleBook, window: Window) -> None:
        await self._loader.load(book, window, backtest=True, strict=True, ahead=False)

    async def _find(self, book: CandleBook, window: Window) -> None:
        if self._loader.store is None:
            await self._bring(book, window)
            return
        self._loader.recall(book, window)
        for since, until in book.missing(window.since, window.until):
            raise DataError(
                f"{book.subject}: [{iso(since)}, {iso(until)}) is not in the candle store. Fetch it with warm_candles "
                "or cache_candles."
            )
