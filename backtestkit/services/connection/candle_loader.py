"""Brings missing candles into the books: which pieces to ask for, how often to try, what to believe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from backtestkit.clients.candle_book import CandleBook, Window
from backtestkit.clients.exchange import ClientExchange, Span, before, complete_until, without_repeats
from backtestkit.errors import BacktestKitError, CandleError, GapError, InsufficientDataError, SourceError
from backtestkit.market.coverage import merge_ranges, missing_ranges
from backtestkit.market.download import Target
from backtestkit.math.candle_checks import check_order
from backtestkit.model.candle import Candles
from backtestkit.model.interval import from_ms, iso
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.log import logger
from backtestkit.runtime.user_code import user_function

if TYPE_CHECKING:
    from backtestkit.config import Config
    from backtestkit.market.candle_store import CandleStore
    from backtestkit.model.schema import ExchangeSchema

SILENT_REQUESTS_MAX = 10

_in_source: ContextVar[bool] = ContextVar("backtestkit_in_candle_source", default=False)


class CandleLoader:
    """Fetches what the books of one exchange lack, through the functions of its schema."""

    def __init__(
        self,
        schema: ExchangeSchema,
        config: Config,
        client: ClientExchange,
        *,
        on_error: Callable[[Exception], object],
        clock: Clock,
        sleep: Callable[[float], Awaitable[object]],
        store: CandleStore | None = None,
    ) -> None:
        """A loader that fills the books of `client`; with a `store`, backtests only ask for what that lacks."""
        self._schema, self._config, self._client = schema, config, client
        self._on_error, self._clock, self._sleep = on_error, clock, sleep
        # A source that answers by range keeps its own candles.
        self.store = store if schema.read_candles is None else None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, asyncio.Lock]] = WeakKeyDictionary()

    async def span(self, book: CandleBook, backtest: bool) -> Span | None:
        """The first and the last whole candle that the source has for `book`; None when it does not say."""
        if self._schema.span is None:
            return None
        base = self._client.base_of(book, backtest)
        span: Span | None = await user_function(self._schema.span)(book.symbol, (base or book).interval)
        if span is None or base is None:
            return span
        return span[0], (span[1] + base.step) // book.step * book.step - book.step

    async def load(self, book: CandleBook, window: Window, *, backtest: bool, strict: bool, ahead: bool = True) -> None:
        """See to it that `window` is known to `book`; `ahead` allows a backtest to bring more than that.

        Returns without waiting when it is. In live only what was read lately is kept.
        """
        if not book.missing(window.since, window.until):
            return
        newest = self._clock.now_ms() // book.step * book.step
        if backtest and window.until > newest:
            raise InsufficientDataError(
                f"{book.subject}: asked for [{iso(window.since)}, {iso(window.until)}), but the newest closed candle "
                f"opened at {iso(newest - book.step)}. End the range there."
            )
        base = self._client.base_of(book, backtest)
        if base is not None:
            whole = base.window(window.since, window.until)
            await self.load(base, whole, backtest=backtest, strict=strict, ahead=ahead)
            _make_room(book, window, backtest)
            self._client.derive(book, base, window.since, window.until)
            return
        async with self._lock((book.symbol, book.interval)):
            _make_room(book, window, backtest)
            if backtest:
                self.recall(book, window)
            for since, until in book.missing(window.since, window.until):
                optional = backtest and ahead and book.known_around(until)[1] == until
                limit = await self._ahead(book, until, newest) if optional else until
                await self.fetch(book, since, until, limit, backtest, strict)
            if book.gaps == "flat":
                await self._reach_a_close(book, window.since, backtest, strict)

    async def _reach_a_close(self, book: CandleBook, since: int, backtest: bool, strict: bool) -> None:
        """A range that begins in a hole is filled with the last close before it: go back to that."""
        span = await self.span(book, backtest)
        for _ in range(SILENT_REQUESTS_MAX):
            start = book.known_around(since)[0]
            if len(book.existing(start, since + book.step)) or (span is not None and start <= span[0]):
                return
            earlier = start - self._config.max_candles_per_request * book.step
            try:
                await self.fetch(
                    book, earlier if span is None else max(earlier, span[0]), start, start, backtest, strict
                )
            except BacktestKitError:
                # Without an earlier candle the hole stays open, and reading it says so.
                return

    @property
    def keeps_candles(self) -> bool:
        """Whether what is fetched outlives this process as far as we know."""
        return self.store is not None or self._schema.read_candles is not None

    def recall(self, book: CandleBook, window: Window) -> None:
        """Take over what the store has of what is missing."""
        if self.store is None:
            return
        target = Target(self.store, self._schema.exchange_name, book.symbol, book.interval)
        for since, until in book.missing(window.since, window.until):
            stored, unknown = target.read(since, until)
            for start, end in missing_ranges(merge_ranges(unknown), since, until):
                book.add(start, end, before(stored, end)[int(stored.timestamp.searchsorted(start)) :])

    async def _keep(self, book: CandleBook, since: int, until: int, candles: Candles, asked_at: int) -> None:
        """Store what was fetched; a store that fails is reported and does not fail the read."""
        if self.store is None:
            return
        try:
            target = Target(self.store, self._schema.exchange_name, book.symbol, book.interval)
            await target.write(since, until, candles, asked_at)
        except (BacktestKitError, OSError) as error:
            await user_function(self._on_error)(error)

    async def _ahead(self, book: CandleBook, until: int, newest: int) -> int:
        """How far a backtest may read beyond `until`: as far as its base candles are known, else one request."""
        page = self._config.max_candles_per_request * book.step
        base = self._client.find_book(book.symbol, self._schema.base_interval, True)
        horizon = until + page
        if base is not None and base is not book:
            known = base.known_around(until)[1]
            horizon = known // book.step * book.step if known > until else horizon
        span = await self.span(book, True)
        return max(until, min(horizon, newest, newest if span is None else span[1] + book.step))

    async def fetch(self, book: CandleBook, since: int, until: int, ahead: int, backtest: bool, strict: bool) -> None:
        """Bring [since, until), and up to `ahead` if the source has it, into the book and into the store."""
        whole = self._schema.read_candles is not None
        page = max(ahead, until) - since if whole else self._config.max_candles_per_request * book.step
        parts: list[Candles] = []
        known, asked_at = since, self._clock.now_ms()
        try:
            for start in range(since, until, page):
                window = book.window(start, min(start + page, until))
                reach = min(start + page, ahead)
                found, known = await self._piece(book, window, reach, backtest, strict, continues=len(parts) > 0)
                parts.append(found)
        finally:
            if known > since:
                found = Candles.concat([part for part in parts if len(part)])
                book.add(since, known, found)
                if backtest:
                    await self._keep(book, since, known, found, asked_at)

    async def _piece(
        self, book: CandleBook, window: Window, ahead: int, backtest: bool, strict: bool, continues: bool
    ) -> tuple[Candles, int]:
        """What exists from `window.since` on, and up to when that is known."""
        if ahead > window.until:
            found, known = await self._beyond(book, window, ahead, strict, continues)
            if known:
                return found, known
        found = await self._attempts(book, window, backtest, strict, continues)
        if book.gaps == "refuse" or not self._is_fresh(book, window, backtest):
            return found, window.until
        # What is missing at the end in live may only be late: it stays unknown and is asked for again.
        return found, int(found.timestamp[-1]) + book.step if len(found) else window.since

    async def _beyond(
        self, book: CandleBook, window: Window, ahead: int, strict: bool, continues: bool
    ) -> tuple[Candles, int]:
        """The answer to a longer request; nothing known when `window` has to be asked for on its own."""
        try:
            found = await self._ask(book, book.window(window.since, ahead), True)
        except Exception:
            # The source may have nothing there: what matters is its answer for the window itself, which comes next.
            return Candles.empty(), 0
        known = complete_until(found, window, ahead, book.step, book.gaps)
        found, asked = before(found, known), book.window(window.since, known)
        doubt = self._client.doubt(book, found, asked, live=False, strict=strict, continues=continues)
        return (found, known) if doubt is None else (Candles.empty(), 0)

    async def _attempts(
        self, book: CandleBook, window: Window, backtest: bool, strict: bool, continues: bool
    ) -> Candles:
        attempts = self._config.get_candles_retry_count
        failure: Exception = SourceError(f"{book.subject}: nothing was asked, because get_candles_retry_count is 0")
        # A local source gives the same answer to the same question.
        settled_source = backtest and self._schema.read_candles is not None
        for attempt in range(attempts):
            if attempt:
                await self._sleep(self._config.get_candles_retry_delay_ms / 1000)
            try:
                found = await self._ask(book, window, backtest)
            except BacktestKitError as error:
                if settled_source:
                    raise
                failure = error
            except Exception as error:
                times = "" if attempt == 0 else f" (attempt {attempt + 1} of {attempts})"
                failure = SourceError(f"{book.subject}: the source failed{times}: {type(error).__name__}: {error}")
                failure.__cause__ = error
            else:
                fresh = self._is_fresh(book, window, backtest)
                doubt = self._client.doubt(book, found, window, live=fresh, strict=strict, continues=continues)
                if doubt is None or ((settled_source or attempt == attempts - 1) and _bearable(doubt, book, strict)):
                    return found
                failure = doubt
                if settled_source:
                    break
        raise failure

    def _is_fresh(self, book: CandleBook, window: Window, backtest: bool) -> bool:
        """Whether the newest candle of `window` closed so lately, in live, that a source may not have it yet."""
        return not backtest and window.until > self._clock.now_ms() - 2 * book.step

    async def _ask(self, book: CandleBook, window: Window, backtest: bool) -> Candles:
        async with self._turn():
            entered = _in_source.set(True)
            try:
                if self._schema.read_candles is not None:
                    read = user_function(self._schema.read_candles)
                    answer = await read(book.symbol, book.interval, window.since, window.until)
                else:
                    assert self._schema.get_candles is not None, "a schema has get_candles or read_candles"
                    get = user_function(self._schema.get_candles)
                    answer = await get(book.symbol, book.interval, from_ms(window.since), window.steps, backtest)
            finally:
                _in_source.reset(entered)
        rows = Candles.coerce(answer)
        single = without_repeats(rows)
        if len(single) != len(rows):
            logger().warning("candles_repeated", market=book.subject, removed=len(rows) - len(single))
        found = before(single, window.until)
        check_order(found, window.since, book.step, window.until, book.subject)
        await self._announce(book, window, found)
        return found

    async def _announce(self, book: CandleBook, window: Window, found: Candles) -> None:
        callbacks = self._schema.callbacks
        if callbacks is None or callbacks.on_candle_data is None:
            return
        try:
            tell = user_function(callbacks.on_candle_data)
            await tell(book.symbol, book.interval, from_ms(window.since), window.steps, found)
        except Exception as error:
            await user_function(self._on_error)(error)

    def _turn(self) -> AbstractAsyncContextManager[Any]:
        """One request at a time, except for a source that asks this exchange in turn, which would wait for itself."""
        if not self._config.enable_candle_fetch_mutex or _in_source.get():
            return nullcontext()
        return self._lock(None)

    def _lock(self, of: object) -> asyncio.Lock:
        # A lock belongs to the loop that waited for it first, and a kit may outlive a loop.
        return self._locks.setdefault(asyncio.get_running_loop(), {}).setdefault(of, asyncio.Lock())


def _make_room(book: CandleBook, window: Window, backtest: bool) -> None:
    if not backtest:
        book.reserve = max(book.reserve, window.steps)
        book.trim()


def _bearable(doubt: Exception, book: CandleBook, strict: bool) -> bool:
    """Whether an answer in doubt is kept after the last attempt: values are looked at again when they are read."""
    if isinstance(doubt, CandleError):
        return not strict
    return book.gaps != "refuse" and isinstance(doubt, GapError | InsufficientDataError)
