"""Brings missing candles into the books: which pieces to ask for, how often to try, what to believe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from backtestkit.clients.candle_book import CandleBook, Window
from backtestkit.clients.exchange import ClientExchange, Span, before, complete_until, without_repeats
from backtestkit.errors import BacktestKitError, CandleError, DataError, InsufficientDataError, SourceError
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


@dataclass(frozen=True, slots=True)
class Errand:
    """What is fetched for: the book, the mode, how strictly values are checked, and what the source says it has."""

    book: CandleBook
    backtest: bool
    strict: bool
    span: Span | None


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
        return -(-span[0] // book.step) * book.step, (span[1] + base.step) // book.step * book.step - book.step

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
            if base.unsure_from is not None:
                book.doubt_from(base.unsure_from // book.step * book.step)
            return
        async with self._lock((book.symbol, book.interval)):
            _make_room(book, window, backtest)
            if backtest:
                self.recall(book, window)
            errand = Errand(book, backtest, strict, await self.span(book, backtest))
            for since, until in book.missing(window.since, window.until):
                optional = backtest and ahead and book.known_around(until)[1] == until
                await self.fetch(errand, since, until, self._ahead(errand, until, newest) if optional else until)
            if book.gaps == "flat":
                await self._reach_a_close(errand, window.since)

    def _ahead(self, errand: Errand, until: int, newest: int) -> int:
        """How far a backtest may read beyond `until`: as far as its base candles are known, else one request."""
        book, span = errand.book, errand.span
        base = self._client.find_book(book.symbol, self._schema.base_interval, True)
        horizon = until + self._config.max_candles_per_request * book.step
        if base is not None and base is not book:
            known = base.known_around(until)[1]
            horizon = known // book.step * book.step if known > until else horizon
        return max(until, min(horizon, newest, newest if span is None else span[1] + book.step))

    async def _reach_a_close(self, errand: Errand, since: int) -> None:
        """A range that begins in a hole is filled with the last close before it: go back to that."""
        book, earliest = errand.book, None if errand.span is None else errand.span[0]
        for _ in range(SILENT_REQUESTS_MAX):
            start = book.known_around(since)[0]
            if len(book.existing(start, since + book.step)) or (earliest is not None and start <= earliest):
                return
            page = start - self._config.max_candles_per_request * book.step
            try:
                await self.fetch(errand, page if earliest is None else max(page, earliest), start, start)
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

    async def fetch(self, errand: Errand, since: int, until: int, ahead: int) -> None:
        """Bring [since, until), and up to `ahead` if the source has it, into the book and into the store."""
        book = errand.book
        whole = self._schema.read_candles is not None
        page = max(ahead, until) - since if whole else self._config.max_candles_per_request * book.step
        parts: list[Candles] = []
        known, asked_at = since, self._clock.now_ms()
        try:
            for start in range(since, until, page):
                window = book.window(start, min(start + page, until))
                first_known = next((int(part.timestamp[0]) for part in parts if len(part)), None)
                found, known = await self._piece(errand, window, min(start + page, ahead), first_known)
                parts.append(found)
        finally:
            if known > since:
                found = Candles.concat([part for part in parts if len(part)])
                book.add(since, known, found)
                if errand.backtest:
                    await self._keep(book, since, known, found, asked_at)

    async def _piece(self, errand: Errand, window: Window, ahead: int, first_known: int | None) -> tuple[Candles, int]:
        """What exists from `window.since` on, and up to when that is known."""
        if ahead > window.until:
            found, known = await self._beyond(errand, window, ahead, first_known)
            if known:
                return found, known
        found = await self._attempts(errand, window, first_known)
        if self._is_fresh(errand, window):
            end = int(found.timestamp[-1]) + errand.book.step if len(found) else window.since
            if end < window.until:
                # What is missing at the end in live may only be late: the next read asks again.
                errand.book.doubt_from(end)
        return found, window.until

    async def _beyond(self, errand: Errand, window: Window, ahead: int, first_known: int | None) -> tuple[Candles, int]:
        """The answer to a longer request; nothing known when `window` has to be asked for on its own."""
        book = errand.book
        try:
            found = await self._ask(errand, book.window(window.since, ahead))
        except Exception:
            # The source may have nothing there: what matters is its answer for the window itself, which comes next.
            return Candles.empty(), 0
        known = complete_until(found, window, ahead, book.step, book.gaps)
        found = before(found, known)
        doubt = self._doubt(errand, found, book.window(window.since, known), first_known)
        return (found, known) if doubt is None else (Candles.empty(), 0)

    async def _attempts(self, errand: Errand, window: Window, first_known: int | None) -> Candles:
        """The answer for `window`, asked for until it is right or the attempts are used up."""
        subject, attempts = errand.book.subject, self._config.get_candles_retry_count
        failure: Exception = SourceError(f"{subject}: nothing was asked, because get_candles_retry_count is 0")
        # A source of ranges gives the same answer to the same question about the past.
        final = errand.backtest and self._schema.read_candles is not None
        for attempt in range(1, attempts + 1):
            if attempt > 1:
                await self._sleep(self._config.get_candles_retry_delay_ms / 1000)
            try:
                found = await self._ask(errand, window)
            except BacktestKitError as error:
                failure = error
            except Exception as error:
                failure = SourceError(
                    f"{subject}: the source failed (attempt {attempt} of {attempts}): {type(error).__name__}: {error}"
                )
                failure.__cause__ = error
                continue
            else:
                doubt = self._doubt(errand, found, window, first_known)
                if doubt is None or ((final or attempt == attempts) and _bearable(doubt, errand)):
                    return found
                failure = doubt
            if final:
                break
        raise failure

    def _doubt(self, errand: Errand, found: Candles, window: Window, first_known: int | None) -> DataError | None:
        return self._client.doubt(
            errand.book,
            found,
            window,
            live=self._is_fresh(errand, window),
            strict=errand.strict,
            span=errand.span,
            first_known=first_known,
        )

    def _is_fresh(self, errand: Errand, window: Window) -> bool:
        """Whether the newest candle of `window` closed so lately, in live, that a source may not have it yet."""
        return not errand.backtest and window.until > self._clock.now_ms() - 2 * errand.book.step

    async def _ask(self, errand: Errand, window: Window) -> Candles:
        book = errand.book
        async with self._turn():
            entered = _in_source.set(True)
            try:
                if self._schema.read_candles is not None:
                    read = user_function(self._schema.read_candles)
                    answer = await read(book.symbol, book.interval, window.since, window.until)
                else:
                    assert self._schema.get_candles is not None, "a schema has get_candles or read_candles"
                    get = user_function(self._schema.get_candles)
                    since = from_ms(window.since)
                    answer = await get(book.symbol, book.interval, since, window.steps, errand.backtest)
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
        if book.unsure_from is not None and book.unsure_from < window.until:
            book.forget_doubtful()
        book.reserve = max(book.reserve, window.steps)
        book.trim()


def _bearable(doubt: DataError, errand: Errand) -> bool:
    """Whether an answer in doubt is kept after the last attempt: values are looked at again when they are read."""
    if isinstance(doubt, CandleError):
        return not errand.strict
    return errand.book.gaps != "refuse"
