"""Reads market data through the functions of an exchange schema: one connection per exchange and kit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from backtestkit.clients.candle_book import CandleBook, Window
from backtestkit.clients.exchange import ClientExchange, ExchangeRules, Span, check_limit
from backtestkit.errors import InsufficientDataError, UsageError
from backtestkit.math.average_price import average_price
from backtestkit.math.candle_checks import validate_candles
from backtestkit.model.candle import Candles
from backtestkit.model.interval import iso
from backtestkit.runtime import scheduler
from backtestkit.runtime.clock import Clock, SystemClock
from backtestkit.services.connection.candle_loader import SILENT_REQUESTS_MAX, CandleLoader
from backtestkit.services.connection.candle_warmer import CandleWarmer, Progress
from backtestkit.services.connection.market_data import MarketDataConnection

if TYPE_CHECKING:
    from backtestkit.config import Config
    from backtestkit.market.candle_store import CandleStore
    from backtestkit.model.schema import ExchangeSchema


class ExchangeConnection(MarketDataConnection):
    """Market data of one exchange, held in memory and fetched when it is missing.

    A read that is in memory neither waits nor copies: it is a slice of the loaded columns. What is missing is
    fetched in pieces of `max_candles_per_request`, each tried `get_candles_retry_count` times; only the missing
    ranges are asked for. Candles of backtests stay for the life of the kit and are shared by all of its runs, live
    ones are trimmed.
    """

    def __init__(
        self,
        schema: ExchangeSchema,
        config: Config,
        *,
        on_error: Callable[[Exception], object],
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[object]] = scheduler.sleep,
        store: CandleStore | None = None,
    ) -> None:
        """Connect to the functions of `schema`. `on_error` hears errors of callbacks and of the store.

        With a `store`, candles that backtests get from `get_candles` are kept on disk and not asked for twice.
        """
        super().__init__(schema, config)
        self._client = ClientExchange(
            ExchangeRules(
                schema.exchange_name,
                schema.base_interval,
                schema.gaps,
                schema.coarser,
                config.get_candles_price_anomaly_threshold_factor,
                config.get_candles_min_candles_for_median,
            )
        )
        clock = SystemClock() if clock is None else clock
        self._loader = CandleLoader(
            schema, config, self._client, on_error=on_error, clock=clock, sleep=sleep, store=store
        )
        self._warmer = CandleWarmer(self._loader, self._client, config)

    async def columns(self, symbol: str, since_ms: int, until_ms: int, *, strict: bool) -> Candles:
        """Candles of the base interval that open in [since_ms, until_ms), as the gap policy has them, for a replay.

        `strict` validates all of them at once with the strict rules; otherwise only times are checked. Raises
        `GapError` under `refuse`, `InsufficientDataError` when the source starts later or ends earlier,
        `CandleError`, `SourceError`.
        """
        book = self._client.book(symbol, self.schema.base_interval, True)
        since, until = -(-since_ms // book.step) * book.step, -(-until_ms // book.step) * book.step
        if since >= until:
            raise UsageError(f"{book.subject}: since={iso(since_ms)} must be before until={iso(until_ms)}")
        window = book.window(since, until)
        span = await self._inside_span(book, window)
        await self._loader.load(book, window, backtest=True, strict=strict, ahead=False)
        found = book.existing(since, until)
        if book.gaps != "skip" and len(found) != window.steps:
            raise self._client.shortage(book, found, window, span)
        real = found if found.filled is None else found.take((~found.filled).nonzero()[0])
        if span is None and (not len(real) or until - int(real.timestamp[-1]) > self._patience * book.step):
            # Nobody knows where this source ends: a long silence before the end is not believed to be a hole.
            raise self._client.shortage(book, real, window)
        if strict:
            validate_candles(
                found,
                anomaly_factor=self.config.get_candles_price_anomaly_threshold_factor,
                min_candles_for_median=self.config.get_candles_min_candles_for_median,
                strict=True,
            )
        return found

    async def existing(self, symbol: str, since_ms: int, until_ms: int, *, strict: bool) -> Candles:
        """`columns` of [since_ms, until_ms) as far as the source goes; none when it has nothing at `since_ms` yet.

        A hole is still a hole: `GapError` under `refuse`.
        """
        try:
            return await self.columns(symbol, since_ms, until_ms, strict=strict)
        except InsufficientDataError as error:
            book = self._client.book(symbol, self.schema.base_interval, True)
            since = -(-since_ms // book.step) * book.step
            # What was read before the source ran out is in the book, also when the error knows nothing of it.
            first, until = (since, book.known_around(since)[1]) if error.available is None else error.available
            until += 0 if error.available is None else book.step
            if first > since or not since < until < until_ms:
                return Candles.empty()
        return await self.columns(symbol, since, until, strict=strict)

    def adopt(self, symbol: str, candles: Candles, since_ms: int, until_ms: int) -> None:
        """Take over candles of the base interval that another process has read for [since_ms, until_ms)."""
        self._client.book(symbol, self.schema.base_interval, True).add(since_ms, until_ms, candles)

    async def span(self, symbol: str) -> Span | None:
        """First and last open time of the base candles the source has, ms UTC; None when it does not say."""
        return await self._loader.span(self._client.book(symbol, self.schema.base_interval, True), True)

    async def get_candles(
        self, symbol: str, interval: str, limit: int, *, when_ms: int, backtest: bool, strict: bool = True
    ) -> Candles:
        """The last `limit` closed candles before `when_ms`; under `skip` the last that exist.

        `strict` decides how newly fetched candles are checked. Raises `InsufficientDataError` when history is too
        short, `UsageError` for a bad `limit` or `interval`.
        """
        book = self._client.find_book(symbol, interval, backtest)
        if book is not None and limit.__class__ is int and limit > 0:
            found = book.last(when_ms // book.step * book.step, limit)
            if found is not None:
                return found
        count = check_limit(limit)
        book = self._client.book(symbol, interval, backtest)
        return await self._last(book, when_ms // book.step * book.step, count, backtest, strict)

    async def get_next_candles(
        self, symbol: str, interval: str, limit: int, *, when_ms: int, backtest: bool, strict: bool = True
    ) -> Candles:
        """`limit` candles from the one that contains `when_ms` on: the replay feed of a backtest, refused in live."""
        if not backtest:
            raise UsageError("get_next_candles reads the future, which live does not have. Use get_candles.")
        count = check_limit(limit)
        book = self._client.book(symbol, interval, True)
        since = when_ms // book.step * book.step
        return await self._between(book, book.window(since, since + count * book.step), True, strict)

    async def get_raw_candles(
        self,
        symbol: str,
        interval: str,
        limit: int | None = None,
        since: int | None = None,
        until: int | None = None,
        *,
        when_ms: int,
        backtest: bool,
        strict: bool = True,
    ) -> Candles:
        """Candles by `limit`, `since` and `until` (ms UTC), any sensible combination, never past `when_ms`.

        With `since` the candles of the range, otherwise the last `limit` before `until` or `when_ms`. Raises
        `UsageError` for a range that reaches into the future, is empty or is not determined.
        """
        window = self._client.raw_window(interval, limit, since, until, when_ms)
        book = self._client.book(symbol, interval, backtest)
        if since is None:
            return await self._last(book, window.until, window.steps, backtest, strict)
        return await self._between(book, window, backtest, strict)

    async def get_average_price(self, symbol: str, *, when_ms: int, backtest: bool, strict: bool = True) -> float:
        """The average price of the last closed `avg_price_candles_count` candles of the base interval."""
        count = self.config.avg_price_candles_count
        candles = await self.get_candles(
            symbol, self.schema.base_interval, count, when_ms=when_ms, backtest=backtest, strict=strict
        )
        return average_price(
            candles.high.tolist(), candles.low.tolist(), candles.close.tolist(), candles.volume.tolist()
        )

    async def get_close_price(
        self, symbol: str, interval: str, *, when_ms: int, backtest: bool, strict: bool = True
    ) -> float:
        """The close of the last closed candle of `interval`."""
        candles = await self.get_candles(symbol, interval, 1, when_ms=when_ms, backtest=backtest, strict=strict)
        return float(candles.close[-1])

    async def warm_candles(
        self, symbol: str, interval: str, since: int, until: int, *, on_progress: Progress | None = None
    ) -> None:
        """Bring the candles of [since, until) (ms UTC, floored to the interval) into the candle store.

        What is there is not asked for. `on_progress(done, total)` counts candles. Raises `UsageError` for an empty
        range or without a store, `InsufficientDataError` for one that ends in the future.
        """
        await self._warmer.warm(symbol, interval, since, until, on_progress)

    async def check_candles(
        self, symbol: str, interval: str, since: int, until: int, *, on_progress: Progress | None = None
    ) -> None:
        """Raise `DataError` that names the first range of [since, until) which is not in the candle store.

        The source is not asked, unless it keeps its candles itself (`read_candles`). Blocks are checked against their
        hashes.
        """
        await self._warmer.check(symbol, interval, since, until, on_progress)

    async def cache_candles(
        self,
        symbol: str,
        interval: str,
        since: int,
        until: int,
        *,
        on_check_start: Callable[[], object] | None = None,
        on_warm_start: Callable[[], object] | None = None,
        on_progress: Progress | None = None,
    ) -> None:
        """Check; if something is missing, warm and check once more. The second failure is raised."""
        await self._warmer.cache(symbol, interval, since, until, on_check_start, on_warm_start, on_progress)

    @property
    def _patience(self) -> int:
        return self.config.max_candles_per_request

    async def _between(self, book: CandleBook, window: Window, backtest: bool, strict: bool) -> Candles:
        if backtest:
            await self._inside_span(book, window)
        await self._loader.load(book, window, backtest=backtest, strict=strict)
        return book.between(window.since, window.until)

    async def _inside_span(self, book: CandleBook, window: Window) -> Span | None:
        """The span of the source, if it says one; `InsufficientDataError` when `window` is not inside."""
        span = await self._loader.span(book, True)
        if span is not None and (window.since < span[0] or window.until > span[1] + book.step):
            raise self._client.shortage(book, Candles.empty(), window, span)
        return span

    async def _last(self, book: CandleBook, until: int, limit: int, backtest: bool, strict: bool) -> Candles:
        since = until - limit * book.step
        window = book.window(since, until)
        span = await self._loader.span(book, backtest) if backtest else None
        if span is not None and until > span[1] + book.step:
            raise self._client.shortage(book, Candles.empty(), window, span)
        if span is not None and since < span[0]:
            if book.gaps != "skip":
                raise self._client.too_little_history(book, limit, until, span)
            window = book.window(min(until - book.step, max(since, span[0])), until)
        try:
            await self._loader.load(book, window, backtest=backtest, strict=strict)
        except InsufficientDataError as error:
            if error.available is None or error.available[0] <= since:
                raise
            raise self._client.too_little_history(book, limit, until, error.available) from error
        held = book.existing(*book.known_around(until))
        if book.gaps != "flat" or (len(held) and int(held.timestamp[0]) <= since):
            found = book.last(until, limit)
            if found is None:
                found = await self._further_back(book, until, limit, span, backtest, strict)
            if found is not None:
                return found
            held = book.existing(*book.known_around(until))
        first = int(held.timestamp[0]) if len(held) else until
        raise self._client.too_little_history(book, limit, until, (first, until - book.step))

    async def _further_back(
        self, book: CandleBook, until: int, limit: int, span: Span | None, backtest: bool, strict: bool
    ) -> Candles | None:
        """The last `limit` candles that exist, when the last `limit` steps hold fewer; None when there are too few."""
        silent = 0
        while silent < SILENT_REQUESTS_MAX:
            start, end = book.known_around(until)
            if span is not None and start <= span[0]:
                break
            held = len(book.existing(start, end))
            earlier = start - self._patience * book.step
            window = book.window(earlier if span is None else max(earlier, span[0]), start)
            await self._loader.load(book, window, backtest=backtest, strict=strict, ahead=False)
            found = book.last(until, limit)
            if found is not None:
                return found
            silent = 0 if len(book.existing(*book.known_around(until))) > held else silent + 1
        return None
