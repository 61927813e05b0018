"""What a question about an exchange means: which times, which candles, and what is wrong with an answer.

Pure: nothing is fetched here. The connection asks this machine what is in memory and what is missing, brings it, and
hands out slices. Every backward read ends before the bucket that contains `when`, so the pending candle and the future
are out of reach by construction.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from backtestkit.clients.candle_book import CandleBook, GapPolicy, Window
from backtestkit.errors import CandleError, DataError, InsufficientDataError, UsageError, suggest
from backtestkit.market.resample import resample
from backtestkit.math.candle_checks import find_holes, validate_candles
from backtestkit.model.candle import Candles
from backtestkit.model.interval import CANDLE_INTERVALS, INTERVAL_MS, MINUTE_MS, iso

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """What an exchange was registered with, and the candle checks of the configuration."""

    exchange_name: str
    base_interval: str = "1m"
    gaps: GapPolicy = "refuse"
    coarser: Literal["exchange", "resampled"] = "exchange"
    anomaly_factor: float = 1000.0
    median_from: int = 5


class ClientExchange:
    """The candle books of one exchange, and the rules for reading them."""

    __slots__ = ("_books", "base_step", "rules")

    def __init__(self, rules: ExchangeRules) -> None:
        """An exchange of which nothing is in memory yet."""
        self.rules = rules
        self.base_step = INTERVAL_MS[rules.base_interval]
        self._books: dict[tuple[str, str, bool], CandleBook] = {}

    def find_book(self, symbol: str, interval: str, backtest: bool) -> CandleBook | None:
        """The book if there is one already: the first step of every read, at the price of a look-up."""
        return self._books.get((symbol, interval, backtest))

    def book(self, symbol: str, interval: str, backtest: bool) -> CandleBook:
        """The book of a market. Backtest and live keep their own: what a source answers may differ.

        An interval that is unknown or finer than the base interval raises `UsageError`.
        """
        key = (symbol, interval, backtest)
        if key not in self._books:
            self._books[key] = self.new_book(symbol, interval)
        return self._books[key]

    def new_book(self, symbol: str, interval: str) -> CandleBook:
        """A book that nobody else has."""
        self._check_interval(interval)
        rules = self.rules
        return CandleBook(
            rules.exchange_name, symbol, interval, rules.gaps,
            anomaly_factor=rules.anomaly_factor, median_from=rules.median_from,
        )  # fmt: skip

    def stored_interval(self, interval: str) -> str:
        """The interval whose candles have to be kept in order to read `interval`."""
        self._check_interval(interval)
        return self.rules.base_interval if self.rules.coarser == "resampled" else interval

    def base_of(self, book: CandleBook, backtest: bool) -> CandleBook | None:
        """The book that `book` is resampled from; None when its candles come from the source."""
        if self.rules.coarser == "exchange" or book.interval == self.rules.base_interval:
            return None
        return self.book(book.symbol, self.rules.base_interval, backtest)

    def derive(self, book: CandleBook, base: CandleBook, since: int, until: int) -> None:
        """Bring [since, until) of `book`, and all else that is known, from the candles of `base`.

        What is not asked for yet and has holes stays out, so that a hole is an error when it is read, not before.
        """
        first = -(-base.known_around(since)[0] // book.step) * book.step
        end = base.known_around(until)[1] // book.step * book.step
        candles = base.existing(first, end)
        if book.gaps != "skip" and len(candles) * base.step != end - first:
            first, end, candles = since, until, base.existing(since, until)
            if len(candles) * base.step != end - first:
                raise self.shortage(base, candles, base.window(since, until))
        coarse = resample(candles, book.interval, base_interval=base.interval, until=end)
        book.add(first, end, coarse)

    def raw_window(self, interval: str, limit: int | None, since: int | None, until: int | None, when: int) -> Window:
        """The window of `get_raw_candles`; `since`, `until` and `when` in ms.

        `since` inside a bucket takes in the whole bucket, `until` inside a bucket leaves it out. Whatever would reach
        beyond `when`, is empty or is no combination of arguments raises `UsageError`.
        """
        self._check_interval(interval)
        step = INTERVAL_MS[interval]
        count = None if limit is None else check_limit(limit)
        if since is not None and until is not None and since >= until:
            raise UsageError(f"since={iso(since)} must be before until={iso(until)}")
        if until is not None and until > when:
            raise UsageError(f"until={iso(until)} lies after now ({iso(when)})")
        last = None if until is None else until // step * step
        match since, count, last:
            case int(), None, int():
                start = since // step * step
                count = (last - start) // step
                if count <= 0:
                    raise UsageError(
                        f"no {interval} candle lies whole between since={iso(since)} and until={iso(until or 0)}"
                    )
            case int(), int(), _:
                start = since // step * step
            case None, int(), int():
                start = last - count * step
            case None, int(), None:
                start = when // step * step - count * step
            case _:
                raise UsageError(
                    "get_raw_candles takes limit, limit and since, limit and until, since and until, or all three; "
                    f"got limit={limit}, since={since}, until={until}"
                )
        end = start + count * step
        if end > when:
            raise UsageError(f"{count} {interval} candles from {iso(start)} end at {iso(end)}, after now ({iso(when)})")
        if last is not None and end > last:
            raise UsageError(
                f"{count} {interval} candles from {iso(start)} end at {iso(end)}, after until={iso(until or 0)}"
            )
        return Window(start, end, count)

    def doubt(
        self,
        book: CandleBook,
        found: Candles,
        window: Window,
        *,
        live: bool,
        strict: bool,
        span: Span | None = None,
        first_known: int | None = None,
    ) -> DataError | None:
        """What is wrong with `found` as the answer for `window`, None when nothing is.

        `live` says that the newest candle may be late, `span` what the source says it has, `first_known` where the
        candles begin that precede the window without being in the book yet.
        """
        if book.gaps == "refuse" and len(found) != window.steps:
            return self.shortage(book, found, window, span, first_known)
        if live and (not len(found) or int(found.timestamp[-1]) + book.step != window.until):
            late = iso(window.until - book.step)
            return InsufficientDataError(f"{book.subject}: the candle of {late} is not there yet")
        try:
            validate_candles(
                found,
                anomaly_factor=self.rules.anomaly_factor,
                min_candles_for_median=self.rules.median_from,
                strict=strict,
            )
        except CandleError as error:
            return error
        return None

    def shortage(
        self,
        book: CandleBook,
        found: Candles,
        window: Window,
        span: Span | None = None,
        first_known: int | None = None,
    ) -> DataError:
        """Why `found` is too little for `window`: the source starts later, ends earlier, or has holes.

        Without a `span`, candles that are known on both sides of the window decide.
        """
        if span is None and len(found):
            earlier = book.existing(book.known_around(window.since)[0], window.since)
            later = book.existing(window.until, book.known_around(window.until)[1])
            starts = [int(part.timestamp[0]) for part in (earlier, found) if len(part)]
            span = (
                min(starts) if first_known is None else first_known,
                int((later if len(later) else found).timestamp[-1]),
            )
        asked = f"{book.subject}: asked for [{iso(window.since)}, {iso(window.until)})"
        if span is None:
            return InsufficientDataError(f"{asked}, the source has no candles there.")
        if span[0] > window.since or span[1] < window.until - book.step:
            return InsufficientDataError(
                f"{asked}, the source has candles from {iso(span[0])} to {iso(span[1])}. Move the range inside that.",
                span,
            )
        return book.gap_error(found, window.since, window.until)

    def too_little_history(self, book: CandleBook, limit: int, until: int, available: Span) -> InsufficientDataError:
        """The error of a read of `limit` candles before `until` that begins before the source does."""
        works = -(-available[0] // book.step) * book.step + limit * book.step
        return InsufficientDataError(
            f"{book.subject}: {limit} candles before {iso(until)} start at {iso(until - limit * book.step)}, "
            f"the source starts at {iso(available[0])}. The earliest start that works is {iso(works)}; or give the "
            f"strategy warmup={{{book.interval!r}: {limit}}}, and it is first asked then.",
            available,
        )

    def _check_interval(self, interval: str) -> None:
        if interval not in CANDLE_INTERVALS:
            hint = suggest(str(interval), CANDLE_INTERVALS, "one of these")
            raise UsageError(f"unknown interval={interval!r}. {hint}")
        if INTERVAL_MS[interval] % self.base_step:
            finer = INTERVAL_MS[interval] < self.base_step
            raise UsageError(
                f"interval={interval!r} is {'finer than' if finer else 'no multiple of'} the base interval "
                f"{self.rules.base_interval!r} of exchange {self.rules.exchange_name!r}. Ask for a multiple of it, or "
                "register the exchange with a finer base_interval."
            )


def check_limit(limit: object, name: str = "limit") -> int:
    """`limit` as an int of at least 1; everything else raises `UsageError`."""
    if not isinstance(limit, bool):
        try:
            count = operator.index(limit)  # type: ignore[arg-type]
        except TypeError:
            count = 0
        if count >= 1:
            return count
    raise UsageError(f"{name}={limit!r} must be a whole number of at least 1")


def without_repeats(candles: Candles) -> Candles:
    """Each open time once: in the place of its first, with the values of its last occurrence. The order stays."""
    stamps = candles.timestamp
    if (stamps[1:] > stamps[:-1]).all():
        return candles
    _, first = np.unique(stamps, return_index=True)
    _, from_end = np.unique(stamps[::-1], return_index=True)
    return candles.take((len(stamps) - 1 - from_end)[np.argsort(first)])


def before(candles: Candles, until: int) -> Candles:
    """The candles that open before `until`: a source may answer more than was asked for, and that is the future."""
    inside = candles.timestamp < until
    return candles if inside.all() else candles.take(np.flatnonzero(inside))


def complete_until(found: Candles, window: Window, ahead: int, step: int, gaps: GapPolicy) -> int:
    """How far an answer reaches that was asked for up to `ahead` but only had to fill `window`.

    Under `refuse` to the first hole, otherwise behind its last candle: what is missing at the end may only be
    missing yet.
    """
    if not len(found):
        return window.until
    if gaps == "refuse":
        holes = find_holes(found.timestamp, window.since, step, ahead)
        return ahead if not holes else max(window.until, holes[0][0])
    return max(window.until, int(found.timestamp[-1]) + step)


def order_book_window(when: int, offset_minutes: int, backtest: bool) -> tuple[int, int]:
    """`(since, until)` in ms of the order book to ask for: the last whole window in a backtest, now in live."""
    width = offset_minutes * MINUTE_MS
    until = when // width * width if backtest else when
    return until - width, until
