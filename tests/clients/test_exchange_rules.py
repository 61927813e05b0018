"""What a question about an exchange means in times, and what is wrong with an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtestkit.clients.candle_book import CandleBook, GapPolicy, Window
from backtestkit.clients.exchange import (
    ClientExchange,
    ExchangeRules,
    before,
    check_limit,
    complete_until,
    order_book_window,
    without_repeats,
)
from backtestkit.errors import CandleError, GapError, InsufficientDataError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.model.interval import MINUTE_MS, parse_time, to_ms


def at(text: str) -> int:
    return to_ms(parse_time(f"2025-01-01T{text}"))


def minutes(start: str, count: int, without: tuple[int, ...] = ()) -> Candles:
    stamps = np.array([at(start) + i * MINUTE_MS for i in range(count) if i not in without], dtype=np.int64)
    price = 100 + np.arange(len(stamps), dtype=np.float64)
    return Candles.from_columns(stamps, price, price + 1, price - 1, price, np.ones(len(stamps)))


def client(gaps: GapPolicy = "refuse", base: str = "1m", coarser: Any = "exchange") -> ClientExchange:
    return ClientExchange(ExchangeRules("bybit", base, gaps, coarser))


def book(of: ClientExchange, interval: str = "1m") -> CandleBook:
    return of.book("BTCUSDT", interval, True)


class TestBooks:
    def test_there_is_one_book_per_market_and_mode(self) -> None:
        exchange = client()
        assert exchange.find_book("BTCUSDT", "1m", True) is None
        made = exchange.book("BTCUSDT", "1m", True)
        assert exchange.book("BTCUSDT", "1m", True) is exchange.find_book("BTCUSDT", "1m", True) is made
        assert exchange.book("BTCUSDT", "1m", False) is not made
        assert exchange.new_book("BTCUSDT", "1m") is not made

    def test_an_unknown_interval_suggests_the_near_ones(self) -> None:
        with pytest.raises(UsageError, match=r"unknown interval='15min'\. Did you mean '15m'"):
            client().book("BTCUSDT", "15min", True)
        with pytest.raises(UsageError, match="unknown interval='12h'"):
            client().book("BTCUSDT", "12h", True)

    def test_an_interval_finer_than_the_base_is_refused(self) -> None:
        with pytest.raises(UsageError, match="interval='1m' is finer than the base interval '1h' of exchange 'bybit'"):
            client(base="1h").book("BTCUSDT", "1m", True)

    def test_an_interval_that_the_base_does_not_divide_is_refused(self) -> None:
        with pytest.raises(UsageError, match="interval='5m' is no multiple of the base interval '3m'"):
            client(base="3m").book("BTCUSDT", "5m", True)

    def test_coarser_candles_have_a_base_only_when_they_are_resampled(self) -> None:
        assert client().base_of(book(client(), "5m"), True) is None
        exchange = client(coarser="resampled")
        assert exchange.base_of(book(exchange), True) is None
        assert exchange.base_of(book(exchange, "5m"), True) is book(exchange)
        assert (exchange.stored_interval("5m"), client().stored_interval("5m")) == ("1m", "5m")


class TestDeriving:
    def test_all_whole_buckets_that_are_known_come_at_once(self) -> None:
        exchange = client(coarser="resampled")
        base, coarse = book(exchange), book(exchange, "5m")
        base.add(at("10:02"), at("10:29"), minutes("10:02", 27))
        exchange.derive(coarse, base, at("10:10"), at("10:15"))
        assert coarse.coverage == ((at("10:05"), at("10:25")),)
        found = coarse.last(at("10:25"), 4)
        assert found is not None
        assert found[0] == (at("10:05"), 103.0, 108.0, 102.0, 107.0, 5.0)

    def test_a_hole_that_was_not_asked_for_is_no_error(self) -> None:
        exchange = client(coarser="resampled")
        base, coarse = book(exchange), book(exchange, "5m")
        base.add(at("10:00"), at("10:30"), minutes("10:00", 30, without=(22,)))
        exchange.derive(coarse, base, at("10:00"), at("10:15"))
        assert coarse.coverage == ((at("10:00"), at("10:15")),)
        with pytest.raises(GapError):
            exchange.derive(coarse, base, at("10:15"), at("10:25"))

    def test_skip_makes_buckets_of_what_exists(self) -> None:
        exchange = client("skip", coarser="resampled")
        base, coarse = book(exchange), book(exchange, "5m")
        base.add(at("10:00"), at("10:30"), minutes("10:00", 30, without=(6, *range(10, 15))))
        exchange.derive(coarse, base, at("10:00"), at("10:05"))
        assert coarse.existing(at("10:00"), at("10:30")).volume.tolist() == [5.0, 4.0, 5.0, 5.0, 5.0]


WHEN = at("10:37:30")


class TestRawWindow:
    """The five cases, from the examples of the specification."""

    @pytest.mark.parametrize(
        ("interval", "limit", "since", "until", "expected"),
        [
            ("1h", None, at("00:30"), at("05:59"), (at("00:00"), at("05:00"), 5)),
            ("1m", 3, at("10:00:30"), at("10:10"), (at("10:00"), at("10:03"), 3)),
            ("1m", 3, None, at("10:10:59"), (at("10:07"), at("10:10"), 3)),
            ("1m", 3, at("10:34:10"), None, (at("10:34"), at("10:37"), 3)),
            ("15m", 3, None, None, (at("09:45"), at("10:30"), 3)),
            ("1m", 10, at("10:00"), at("10:10"), (at("10:00"), at("10:10"), 10)),
        ],
    )
    def test_cases(self, interval: str, limit: Any, since: Any, until: Any, expected: Window) -> None:
        assert client().raw_window(interval, limit, since, until, WHEN) == expected

    @pytest.mark.parametrize(
        ("limit", "since", "until", "complaint"),
        [
            (5, at("10:10"), at("10:10"), "must be before until"),
            (5, at("10:00"), at("10:38"), r"until=2025-01-01 10:38 lies after now \(2025-01-01 10:37:30\)"),
            (20, at("10:30"), at("10:37"), "end at 2025-01-01 10:50, after now"),
            (8, at("10:00"), at("10:05:30"), "end at 2025-01-01 10:08, after until=2025-01-01 10:05:30"),
            (None, at("10:30"), at("10:20"), "must be before until"),
            (None, at("10:30"), at("10:40"), "lies after now"),
            (5, None, at("10:40"), "lies after now"),
            (8, at("10:30"), None, "end at 2025-01-01 10:38, after now"),
            (None, at("10:30"), None, "limit and until, since and until, or all three; got limit=None"),
            (None, None, at("10:30"), "or all three"),
            (None, None, None, "or all three"),
            (0, None, None, "limit=0 must be a whole number of at least 1"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, limit: Any, since: Any, until: Any, complaint: str) -> None:
        with pytest.raises(UsageError, match=complaint):
            client().raw_window("1m", limit, since, until, WHEN)

    def test_a_range_without_a_whole_candle_is_refused(self) -> None:
        with pytest.raises(UsageError, match="no 1h candle lies whole between"):
            client().raw_window("1h", None, at("00:10"), at("00:50"), WHEN)

    def test_the_interval_is_checked(self) -> None:
        with pytest.raises(UsageError, match="unknown interval"):
            client().raw_window("7m", 1, None, None, WHEN)


class TestDoubts:
    WINDOW = Window(at("10:00"), at("10:10"), 10)

    def doubt(self, found: Candles, gaps: GapPolicy = "refuse", live: bool = False, **more: Any) -> Any:
        exchange = client(gaps)
        return exchange.doubt(book(exchange), found, self.WINDOW, live=live, **{"strict": True, **more})

    def test_a_complete_answer_is_not_doubted(self) -> None:
        assert self.doubt(minutes("10:00", 10)) is None
        assert self.doubt(minutes("10:00", 10), live=True) is None

    def test_a_hole_is_doubted_only_under_refuse(self) -> None:
        holed = minutes("10:00", 10, without=(4,))
        assert isinstance(self.doubt(holed), GapError)
        assert self.doubt(holed, "skip") is None

    @pytest.mark.parametrize("found", [minutes("10:00", 9), Candles.empty()])
    def test_in_live_the_newest_candle_must_be_there(self, found: Candles) -> None:
        doubt = self.doubt(found, "skip", live=True)
        assert isinstance(doubt, InsufficientDataError)
        assert "the candle of 2025-01-01 10:09 is not there yet" in str(doubt)

    def test_values_are_checked_as_strictly_as_asked(self) -> None:
        good = minutes("10:00", 10)
        odd = Candles.from_columns(good.timestamp, good.open + 50, good.high, good.low, good.close, good.volume)
        assert isinstance(self.doubt(odd), CandleError)
        assert self.doubt(odd, strict=False) is None


class TestShortage:
    WINDOW = Window(at("10:00"), at("10:10"), 10)

    def shortage(self, found: Candles, **more: Any) -> Any:
        exchange = client()
        return exchange.shortage(book(exchange), found, self.WINDOW, **more)

    def test_a_source_without_candles_there(self) -> None:
        error = self.shortage(Candles.empty())
        assert isinstance(error, InsufficientDataError) and error.available is None
        assert str(error) == (
            "bybit BTCUSDT 1m: asked for [2025-01-01 10:00, 2025-01-01 10:10), the source has no candles there."
        )

    def test_a_source_that_starts_later(self) -> None:
        error = self.shortage(minutes("10:03", 7))
        assert isinstance(error, InsufficientDataError)
        assert error.available == (at("10:03"), at("10:09"))
        assert "has candles from 2025-01-01 10:03 to 2025-01-01 10:09. Move the range inside that." in str(error)

    def test_a_source_that_ends_earlier(self) -> None:
        error = self.shortage(minutes("10:00", 7))
        assert isinstance(error, InsufficientDataError) and error.available == (at("10:00"), at("10:06"))

    def test_what_the_source_says_of_itself_counts_more(self) -> None:
        error = self.shortage(minutes("10:03", 7), span=(at("09:00"), at("11:00")))
        assert isinstance(error, GapError) and error.holes == ((at("10:00"), 3),)
        error = self.shortage(Candles.empty(), span=(at("12:00"), at("13:00")))
        assert isinstance(error, InsufficientDataError) and error.available == (at("12:00"), at("13:00"))

    def test_with_candles_known_on_both_sides_it_is_a_hole(self) -> None:
        exchange = client()
        known = book(exchange)
        known.add(at("09:50"), at("10:00"), minutes("09:50", 10))
        known.add(at("10:10"), at("10:20"), minutes("10:10", 10))
        assert isinstance(exchange.shortage(known, minutes("10:03", 4), self.WINDOW), GapError)

    def test_a_request_that_continues_another_begins_in_a_hole(self) -> None:
        assert isinstance(self.shortage(minutes("10:03", 7), first_known=at("09:00")), GapError)

    def test_too_little_history_names_a_start_that_works_and_a_warmup(self) -> None:
        exchange = client()
        error = exchange.too_little_history(book(exchange, "15m"), 48, at("10:30"), (at("08:01"), at("23:00")))
        assert error.available == (at("08:01"), at("23:00"))
        assert str(error) == (
            "bybit BTCUSDT 15m: 48 candles before 2025-01-01 10:30 start at 2024-12-31 22:30, the source starts at "
            "2025-01-01 08:01. The earliest start that works is 2025-01-01 20:15; or give the strategy "
            "warmup={'15m': 48}, and it is first asked then."
        )


class TestAnswers:
    def test_repeats_keep_the_place_of_the_first_and_the_value_of_the_last(self) -> None:
        rows = [(t, c, c, c, c, 1) for t, c in [(1, 10), (3, 30), (2, 20), (3, 33), (1, 11)]]
        found = without_repeats(Candles.from_rows(rows))
        assert [(row.timestamp, row.close) for row in found] == [(1, 11.0), (3, 33.0), (2, 20.0)]

    def test_candles_without_repeats_are_not_copied(self) -> None:
        single = minutes("10:00", 5)
        assert without_repeats(single) is single
        assert before(single, at("10:05")) is single

    def test_what_opens_at_the_end_or_later_is_dropped(self) -> None:
        assert before(minutes("10:00", 5), at("10:03")) == minutes("10:00", 3)

    @pytest.mark.parametrize(
        ("without", "gaps", "end"),
        [
            ((), "refuse", "10:20"),
            ((15,), "refuse", "10:15"),
            ((5,), "refuse", "10:10"),
            ((15,), "skip", "10:20"),
            ((19,), "skip", "10:19"),
            (tuple(range(5, 20)), "flat", "10:10"),
            (tuple(range(20)), "skip", "10:10"),
        ],
    )
    def test_an_answer_counts_as_far_as_it_can_be_believed(
        self, without: tuple[int, ...], gaps: GapPolicy, end: str
    ) -> None:
        window = Window(at("10:00"), at("10:10"), 10)
        found = minutes("10:00", 20, without=without)
        assert complete_until(found, window, at("10:20"), MINUTE_MS, gaps) == at(end)


class TestSmallQuestions:
    @pytest.mark.parametrize("limit", [0, -1, 1.5, True, None, "3", float("nan")])
    def test_a_limit_must_be_a_whole_number_of_at_least_one(self, limit: Any) -> None:
        with pytest.raises(UsageError, match=r"depth=.* must be a whole number of at least 1"):
            check_limit(limit, "depth")

    @pytest.mark.parametrize("limit", [1, np.int64(7)])
    def test_whole_numbers_of_any_kind_are_taken(self, limit: Any) -> None:
        assert check_limit(limit) == int(limit)

    def test_a_backtest_sees_the_book_of_the_last_whole_window(self) -> None:
        assert order_book_window(WHEN, 10, True) == (at("10:20"), at("10:30"))

    def test_live_sees_the_book_of_now(self) -> None:
        assert order_book_window(WHEN, 10, False) == (at("10:27:30"), WHEN)
