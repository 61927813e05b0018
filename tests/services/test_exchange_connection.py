"""The connection: what is asked of a source, what comes back under each gap policy, and what can never be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.config import Config
from backtestkit.errors import (
    CandleError,
    DataError,
    GapError,
    InsufficientDataError,
    SourceError,
    UsageError,
)
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.resample import resample
from backtestkit.model.candle import Candles
from backtestkit.model.interval import INTERVAL_MS, MINUTE_MS, from_ms, parse_time, to_ms
from backtestkit.model.market_data import FundingRate
from backtestkit.model.schema import ExchangeSchema
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.services.connection.exchange import ExchangeConnection

T = TypeVar("T")


def at(text: str, day: str = "2025-01-02") -> int:
    return to_ms(parse_time(f"{day}T{text}"))


START = at("00:00", "2025-01-01")
WHEN = at("10:37:30")


def market(interval: str = "1m", days: int = 3, start: int = START) -> Candles:
    """A market in which every close is different, from `start` on."""
    stamps = np.arange(start, start + days * 1440 * MINUTE_MS, MINUTE_MS, dtype=np.int64)
    close = 100 + (stamps // MINUTE_MS % 9973) / 100
    minutes = Candles.from_columns(stamps, close - 0.25, close + 1, close - 1, close, 1 + stamps // MINUTE_MS % 7)
    return resample(minutes, interval)


class Source:
    """A source with a history, holes and moods; remembers what it was asked."""

    def __init__(self, without: set[int] | None = None, days: int = 3, start: int = START) -> None:
        self.asked: list[tuple[str, int, int, bool]] = []
        self.failures: list[BaseException] = []
        self.without = without or set()
        self.days, self.start = days, start
        self.change: Any = lambda candles: candles

    def exists(self, interval: str) -> Candles:
        whole = market(interval, self.days, self.start)
        return whole.take(np.flatnonzero(~np.isin(whole.timestamp, list(self.without))))

    def between(self, interval: str, since: int, until: int) -> Candles:
        whole = self.exists(interval)
        start, stop = whole.timestamp.searchsorted((since, until))
        return whole[int(start) : int(stop)]

    def get_candles(self, symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> Any:
        first = to_ms(since)
        self.asked.append((interval, first, limit, backtest))
        if self.failures:
            raise self.failures.pop(0)
        return self.change(self.between(interval, first, first + limit * INTERVAL_MS[interval]))

    async def get_candles_async(self, symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> Any:
        await asyncio.sleep(0)
        return self.get_candles(symbol, interval, since, limit, backtest)

    def read_candles(self, symbol: str, interval: str, since: int, until: int) -> Any:
        self.asked.append((interval, since, (until - since) // INTERVAL_MS[interval], True))
        if self.failures:
            raise self.failures.pop(0)
        return self.change(self.between(interval, since, until))

    def span(self, symbol: str, interval: str) -> tuple[int, int]:
        whole = self.exists(interval)
        return int(whole.timestamp[0]), int(whole.timestamp[-1])


class Connected:
    """A connection with its source, a stopped clock, and what it reported and slept."""

    def __init__(
        self,
        source: Source | None = None,
        *,
        ranges: bool = False,
        now: int = at("00:00", "2025-02-01"),
        store: CandleStore | None = None,
        config: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        self.source = source or Source()
        self.errors: list[Exception] = []
        self.slept: list[float] = []
        self.clock = SimulatedClock(from_ms(now))
        if ranges:
            fields = {"read_candles": self.source.read_candles, "span": self.source.span} | fields
        else:
            fields = {"get_candles": self.source.get_candles} | fields
        schema = ExchangeSchema(exchange_name="bybit", **fields)
        self.connection = ExchangeConnection(
            schema,
            Config.defaults().merged(config or {}),
            on_error=self.errors.append,
            clock=self.clock,
            sleep=self.sleep,
            store=store,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def candles(self, interval: str, limit: Any, when: int = WHEN, backtest: bool = True, **more: Any) -> Candles:
        return run(self.connection.get_candles("BTCUSDT", interval, limit, when_ms=when, backtest=backtest, **more))

    def columns(self, since: int, until: int, strict: bool = True) -> Candles:
        return run(self.connection.columns("BTCUSDT", since, until, strict=strict))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that must not suspend."""
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    result: T = end.value.value
    return result


class TestColumns:
    @pytest.mark.parametrize("ranges", [False, True])
    def test_they_are_all_candles_of_the_range(self, ranges: bool) -> None:
        found = Connected(ranges=ranges).columns(at("10:00"), at("20:00"))
        assert found == market()[2040:2640]

    def test_ends_inside_a_candle_take_the_candles_that_open_in_between(self) -> None:
        found = Connected().columns(at("10:00:30"), at("10:03:30"))
        assert found.timestamp.tolist() == [at("10:01"), at("10:02"), at("10:03")]

    def test_an_empty_range_is_refused(self) -> None:
        with pytest.raises(UsageError, match="must be before"):
            Connected().columns(at("10:00:10"), at("10:00:20"))

    def test_a_source_is_asked_in_pieces_and_a_source_of_ranges_at_once(self) -> None:
        pieces, ranges = Connected(), Connected(ranges=True)
        for connected in (pieces, ranges):
            connected.columns(START, START + 2500 * MINUTE_MS)
        assert [(since, limit) for _, since, limit, _ in pieces.source.asked] == [
            (START, 1000),
            (START + 1000 * MINUTE_MS, 1000),
            (START + 2000 * MINUTE_MS, 500),
        ]
        assert [limit for _, _, limit, _ in ranges.source.asked] == [2500]

    def test_only_missing_ranges_are_asked_for(self) -> None:
        connected = Connected()
        connected.columns(at("10:00"), at("11:00"))
        connected.source.asked.clear()
        connected.columns(at("09:00"), at("12:00"))
        assert [(since, limit) for _, since, limit, _ in connected.source.asked] == [
            (at("09:00"), 60),
            (at("11:00"), 60),
        ]

    def test_what_was_fetched_before_a_failure_is_not_asked_for_again(self) -> None:
        connected = Connected(config={"get_candles_retry_count": 1})
        connected.source.change = lambda c: c if c.timestamp[0] < START + 2000 * MINUTE_MS else 1 / 0
        with pytest.raises(SourceError, match="ZeroDivisionError"):
            connected.columns(START, START + 3000 * MINUTE_MS)
        connected.source.asked.clear()
        connected.source.change = lambda c: c
        assert len(connected.columns(START, START + 3000 * MINUTE_MS)) == 3000
        assert [since for _, since, _, _ in connected.source.asked] == [START + 2000 * MINUTE_MS]

    def test_strict_validates_everything_at_once(self) -> None:
        def outlier(found: Candles) -> Candles:
            high = np.where(found.timestamp == at("10:30"), 1e6, found.high)
            return Candles.from_columns(found.timestamp, found.open, high, found.low, found.close, found.volume)

        for ranges in (False, True):
            connected = Connected(ranges=ranges)
            connected.source.change = outlier
            with pytest.raises(CandleError) as caught:
                connected.columns(at("10:00"), at("11:00"))
            assert (caught.value.code, caught.value.timestamp) == ("candle_anomaly", at("10:30"))
            assert len(connected.columns(at("10:00"), at("11:00"), strict=False)) == 60

    def test_the_future_of_the_wall_clock_is_refused(self) -> None:
        with pytest.raises(InsufficientDataError, match="newest closed candle opened at 2025-01-02 10:36"):
            Connected(now=WHEN).columns(at("10:00"), at("10:38"))


HOLES = {at("10:05"), at("10:06"), at("10:20")}
CLOSED = {START + i * MINUTE_MS for i in range(600, 2500)}


class TestGaps:
    def connected(self, gaps: str, ranges: bool, without: set[int] | None = None) -> Connected:
        return Connected(Source(HOLES if without is None else without), ranges=ranges, gaps=gaps)

    @pytest.mark.parametrize("ranges", [False, True])
    def test_refuse_names_the_holes(self, ranges: bool) -> None:
        with pytest.raises(GapError) as caught:
            self.connected("refuse", ranges).columns(at("10:00"), at("11:00"))
        assert caught.value.holes == ((at("10:05"), 2), (at("10:20"), 1))
        assert "3 are missing: 2025-01-02 10:05 .. 2025-01-02 10:06 (2), 2025-01-02 10:20." in str(caught.value)

    @pytest.mark.parametrize("ranges", [False, True])
    def test_skip_gives_what_exists(self, ranges: bool) -> None:
        found = self.connected("skip", ranges).columns(at("10:00"), at("11:00"))
        assert len(found) == 57 and not HOLES & set(found.timestamp.tolist())

    @pytest.mark.parametrize("ranges", [False, True])
    def test_flat_fills_and_marks(self, ranges: bool) -> None:
        found = self.connected("flat", ranges).columns(at("10:00"), at("11:00"))
        assert len(found) == 60 and found.filled is not None
        assert set(found.timestamp[found.filled].tolist()) == HOLES
        assert (found.close[5], found.high[6], found.volume[5]) == (found.close[4], found.close[4], 0.0)

    @pytest.mark.parametrize("ranges", [False, True])
    def test_flat_goes_back_to_the_last_close_when_a_range_begins_in_a_hole(self, ranges: bool) -> None:
        weekend = {START + i * MINUTE_MS for i in range(100, 2000)}
        found = self.connected("flat", ranges, weekend).columns(START + 1900 * MINUTE_MS, START + 2100 * MINUTE_MS)
        assert len(found) == 200
        assert found.close[0] == market().close[99]

    def test_flat_goes_back_for_resampled_candles_too(self) -> None:
        weekend = {START + i * MINUTE_MS for i in range(100, 2000)}
        connected = Connected(Source(weekend), gaps="flat", coarser="resampled")
        found = connected.candles("15m", 4, when=START + 2010 * MINUTE_MS)
        assert found.close[0] == market().close[99]
        assert found.filled is not None and found.filled.tolist() == [True, True, True, False]

    @pytest.mark.parametrize("ranges", [False, True])
    def test_flat_cannot_fill_before_the_first_candle(self, ranges: bool) -> None:
        connected = Connected(Source(start=at("10:03")), ranges=ranges, gaps="flat")
        with pytest.raises(InsufficientDataError) as caught:
            connected.columns(at("10:00"), at("11:00"))
        assert caught.value.available is not None and caught.value.available[0] == at("10:03")

    def test_flat_without_an_earlier_candle_stays_a_hole(self) -> None:
        source = Source({START + i * MINUTE_MS for i in range(20_000)} - {START}, days=3)
        source.without.discard(START)
        connected = Connected(source, gaps="flat", read_candles=source.read_candles, get_candles=None)
        with pytest.raises(InsufficientDataError, match="no candles there"):
            connected.columns(START + 4000 * MINUTE_MS, START + 4010 * MINUTE_MS)

    def test_flat_takes_a_source_that_fails_before_its_start_for_its_start(self) -> None:
        source = Source(start=at("10:00"), without={at("10:30"), at("10:31")})
        source.change = lambda found: found if len(found) else 1 / 0
        connected = Connected(source, gaps="flat", config={"get_candles_retry_count": 1})
        source.without |= {at("10:00") + i * MINUTE_MS for i in range(30)}
        with pytest.raises(DataError):
            connected.columns(at("10:30"), at("10:40"))


class TestEndsOfTheSource:
    @pytest.mark.parametrize("gaps", ["refuse", "skip", "flat"])
    @pytest.mark.parametrize("ranges", [False, True])
    def test_a_source_that_ends_early_names_what_it_has(self, gaps: str, ranges: bool) -> None:
        connected = Connected(Source(days=1), ranges=ranges, gaps=gaps)
        with pytest.raises(InsufficientDataError) as caught:
            connected.columns(START, START + 4000 * MINUTE_MS)
        assert caught.value.available == (START, START + 1439 * MINUTE_MS)

    @pytest.mark.parametrize("ranges", [False, True])
    def test_a_source_that_starts_late_names_what_it_has(self, ranges: bool) -> None:
        connected = Connected(Source(start=at("10:00")), ranges=ranges)
        with pytest.raises(InsufficientDataError) as caught:
            connected.columns(at("09:00"), at("11:00"))
        assert caught.value.available is not None and caught.value.available[0] == at("10:00")

    @pytest.mark.parametrize("gaps", ["skip", "flat"])
    def test_without_a_span_a_short_silence_at_the_end_is_a_hole(self, gaps: str) -> None:
        connected = Connected(Source(days=1), gaps=gaps)
        found = connected.columns(START, START + 1500 * MINUTE_MS)
        assert len(found) == (1440 if gaps == "skip" else 1500)

    def test_the_span_can_be_asked(self) -> None:
        ends = (START, START + (3 * 1440 - 1) * MINUTE_MS)
        assert run(Connected(ranges=True).connection.span("BTCUSDT")) == ends
        assert run(Connected().connection.span("BTCUSDT")) is None

    def test_a_source_without_data_says_so(self) -> None:
        connected = Connected(ranges=True, span=lambda symbol, interval: None, coarser="resampled")
        connected.source.change = lambda found: found[:0]
        with pytest.raises(InsufficientDataError, match="no candles there"):
            connected.candles("5m", 3)


class TestGetCandles:
    @pytest.mark.parametrize("coarser", ["exchange", "resampled"])
    @pytest.mark.parametrize("ranges", [False, True])
    def test_the_example_of_the_specification(self, coarser: str, ranges: bool) -> None:
        connected = Connected(ranges=ranges, coarser=coarser)
        found = connected.candles("15m", 3)
        assert found.timestamp.tolist() == [at("09:45"), at("10:00"), at("10:15")]
        assert found == connected.source.between("15m", at("09:45"), at("10:30"))

    def test_exactly_on_a_boundary_the_closed_candle_is_the_last(self) -> None:
        assert Connected().candles("15m", 1, when=at("10:30")).timestamp.tolist() == [at("10:15")]

    @given(
        minute=st.integers(60, 4000),
        second=st.integers(0, 59),
        limit=st.integers(1, 40),
        interval=st.sampled_from(["1m", "5m", "1h"]),
        gaps=st.sampled_from(["refuse", "skip", "flat"]),
        coarser=st.sampled_from(["exchange", "resampled"]),
        ranges=st.booleans(),
        loaded=st.booleans(),
    )
    @settings(max_examples=60, deadline=None)
    def test_no_candle_is_ever_seen_before_it_has_closed(
        self, minute: int, second: int, limit: int, interval: str, gaps: str, coarser: str, ranges: bool, loaded: bool
    ) -> None:
        connected = Connected(ranges=ranges, gaps=gaps, coarser=coarser)
        when = START + minute * MINUTE_MS + second * 1000
        if loaded:
            connected.columns(START, START + 4320 * MINUTE_MS)
        step = INTERVAL_MS[interval]
        try:
            found = connected.candles(interval, limit, when=when)
        except InsufficientDataError:
            assert when // step * step - limit * step < START
            return
        assert len(found) == limit
        assert int(found.timestamp[-1]) + step <= when < int(found.timestamp[-1]) + 2 * step
        assert found == connected.source.between(interval, int(found.timestamp[0]), when // step * step)

    def test_what_is_in_memory_is_read_without_waiting_or_asking(self) -> None:
        connected = Connected(coarser="resampled")
        connected.columns(START, at("12:00"))
        connected.candles("15m", 8)
        connected.source.asked.clear()
        for when in (WHEN, WHEN + 15 * MINUTE_MS):
            found = without_waiting(connected.connection.get_candles("BTCUSDT", "15m", 8, when_ms=when, backtest=True))
            assert len(found) == 8
        average = without_waiting(connected.connection.get_average_price("BTCUSDT", when_ms=WHEN, backtest=True))
        assert average > 0
        assert connected.source.asked == []

    def test_a_backtest_reads_ahead_as_far_as_its_base_candles_go(self) -> None:
        connected = Connected()
        connected.columns(START, at("12:00"))
        connected.source.asked.clear()
        connected.candles("15m", 4, when=at("01:00"))
        assert connected.source.asked == [("15m", at("00:00"), 48, True)]

    def test_read_ahead_stays_inside_one_request_the_span_and_the_past(self) -> None:
        connected = Connected(now=at("20:00", "2025-01-01"))
        connected.candles("1m", 10, when=at("01:00", "2025-01-01"))
        assert connected.source.asked[0][2] == 1000
        connected = Connected(now=at("02:00", "2025-01-01"))
        connected.candles("1m", 10, when=at("01:00", "2025-01-01"))
        assert connected.source.asked[0][2] == 70
        connected = Connected(Source(days=1), ranges=True)
        connected.candles("1m", 10, when=at("23:30", "2025-01-01"))
        assert connected.source.asked[0][2] == 40

    @pytest.mark.parametrize("ending", ["nothing", "error", "disorder", "hole"])
    def test_a_source_that_cannot_answer_ahead_is_asked_for_just_what_is_needed(self, ending: str) -> None:
        source = Source(days=1, without={at("23:45", "2025-01-01")} if ending == "hole" else None)

        def change(found: Candles) -> Candles:
            if len(found) > 20 and ending == "error":
                raise RuntimeError("too much")
            return found[::-1] if len(found) > 20 and ending == "disorder" else found

        source.change = change
        connected = Connected(source)
        found = connected.candles("1m", 10, when=at("23:40", "2025-01-01"))
        assert found.timestamp[-1] == at("23:39", "2025-01-01")
        assert connected.slept == []
        if ending in {"nothing", "hole"}:
            connected.candles("1m", 10, when=at("23:43", "2025-01-01"))
            assert len(source.asked) == 1

    def test_too_little_history_names_a_start_that_works_and_the_warmup(self) -> None:
        for ranges in (False, True):
            with pytest.raises(InsufficientDataError) as caught:
                Connected(ranges=ranges).candles("1h", 24, when=at("05:00", "2025-01-01"))
            assert "The earliest start that works is 2025-01-02 00:00" in str(caught.value)
            assert "warmup={'1h': 24}" in str(caught.value)

    @pytest.mark.parametrize("gaps", ["refuse", "skip", "flat"])
    def test_the_first_resampled_candle_is_the_first_whole_one(self, gaps: str) -> None:
        connected = Connected(Source(start=at("08:01")), ranges=True, gaps=gaps, coarser="resampled")
        found = connected.candles("15m", 2, when=at("08:45"))
        assert found.timestamp.tolist() == [at("08:15"), at("08:30")]
        asked = len(connected.source.asked)
        with pytest.raises(InsufficientDataError, match="The earliest start that works is 2025-01-02 09:00"):
            connected.candles("15m", 3, when=at("08:45"))
        assert len(connected.source.asked) == asked

    def test_a_source_without_any_history_says_so(self) -> None:
        connected = Connected()
        with pytest.raises(InsufficientDataError, match="no candles there"):
            connected.candles("1h", 2, when=at("05:00", "2024-06-01"))

    def test_a_read_behind_the_end_of_the_source_is_refused(self) -> None:
        with pytest.raises(InsufficientDataError) as caught:
            Connected(Source(days=1), ranges=True).candles("1m", 5, when=at("01:00"))
        assert caught.value.available == (START, START + 1439 * MINUTE_MS)

    @pytest.mark.parametrize("limit", [0, -1, 2.5, float("nan"), True, "5", None])
    def test_the_limit_is_checked(self, limit: Any) -> None:
        with pytest.raises(UsageError, match="must be a whole number of at least 1"):
            Connected().candles("1m", limit)

    def test_whole_numbers_of_other_kinds_are_limits_too(self) -> None:
        assert len(Connected().candles("1m", np.int64(3))) == 3

    def test_the_interval_is_checked(self) -> None:
        with pytest.raises(UsageError, match="unknown interval='2m'"):
            Connected().candles("2m", 1)


class TestSkippedHistory:
    @pytest.mark.parametrize("ranges", [False, True])
    @pytest.mark.parametrize("coarser", ["exchange", "resampled"])
    def test_the_last_that_exist_are_found_behind_a_long_hole(self, ranges: bool, coarser: str) -> None:
        connected = Connected(Source(CLOSED), ranges=ranges, gaps="skip", coarser=coarser)
        found = connected.candles("1m", 10, when=START + 2504 * MINUTE_MS)
        assert (found.timestamp - START).tolist() == [m * MINUTE_MS for m in (*range(594, 600), *range(2500, 2504))]

    @pytest.mark.parametrize("ranges", [False, True])
    def test_too_few_candles_are_too_little_history(self, ranges: bool) -> None:
        connected = Connected(Source(CLOSED), ranges=ranges, gaps="skip")
        with pytest.raises(InsufficientDataError, match=r"700 candles before .* the source starts at 2025-01-01 00:00"):
            connected.candles("1m", 700, when=START + 2504 * MINUTE_MS)

    @pytest.mark.parametrize("ranges", [False, True])
    def test_nothing_at_all_is_too_little_history(self, ranges: bool) -> None:
        connected = Connected(ranges=ranges, gaps="skip")
        with pytest.raises(InsufficientDataError):
            connected.candles("1m", 3, when=START)


class TestNextCandles:
    def test_the_candle_that_contains_now_is_the_first(self) -> None:
        connection = Connected().connection
        found = run(connection.get_next_candles("BTCUSDT", "5m", 3, when_ms=WHEN, backtest=True))
        assert found.timestamp.tolist() == [at("10:35"), at("10:40"), at("10:45")]

    def test_live_has_none(self) -> None:
        with pytest.raises(UsageError, match="reads the future"):
            run(Connected().connection.get_next_candles("BTCUSDT", "5m", 3, when_ms=WHEN, backtest=False))

    @pytest.mark.parametrize("ranges", [False, True])
    def test_a_range_that_ends_in_the_future_is_an_error_with_what_there_is(self, ranges: bool) -> None:
        connection = Connected(now=at("10:40"), ranges=ranges).connection
        with pytest.raises(InsufficientDataError):
            run(connection.get_next_candles("BTCUSDT", "1m", 5, when_ms=WHEN, backtest=True))

    def test_a_range_beyond_the_source_names_what_it_has(self) -> None:
        connection = Connected(ranges=True).connection
        with pytest.raises(InsufficientDataError) as caught:
            run(connection.get_next_candles("BTCUSDT", "1m", 5000, when_ms=WHEN, backtest=True))
        assert caught.value.available is not None


class TestRawCandles:
    def raw(self, *args: Any, backtest: bool = True, **fields: Any) -> Candles:
        connection = Connected(**fields).connection
        return run(connection.get_raw_candles("BTCUSDT", *args, when_ms=WHEN, backtest=backtest))

    def test_a_range(self) -> None:
        found = self.raw("1h", None, at("00:30"), at("05:59"))
        assert found.timestamp.tolist() == [at(f"0{hour}:00") for hour in range(5)]

    def test_a_number_of_candles_from_a_time_on(self) -> None:
        assert self.raw("1m", 2, at("10:00:30"), None).timestamp.tolist() == [at("10:00"), at("10:01")]

    def test_a_number_of_candles_before_a_time(self) -> None:
        assert self.raw("1m", 2, None, at("10:10:30")).timestamp.tolist() == [at("10:08"), at("10:09")]

    def test_the_last_that_exist_under_skip(self) -> None:
        found = self.raw("1m", 2, None, at("10:10"), source=Source({at("10:09")}), gaps="skip")
        assert found.timestamp.tolist() == [at("10:07"), at("10:08")]

    @pytest.mark.parametrize("args", [(20, at("10:30"), at("10:37")), (None, at("10:30"), at("10:38"))])
    def test_the_future_is_out_of_reach_in_every_case(self, args: Any) -> None:
        with pytest.raises(UsageError, match="after now"):
            self.raw("1m", *args)

    def test_live_reads_ranges_of_the_past_too(self) -> None:
        found = self.raw("1m", None, at("09:00"), at("09:10"), backtest=False, now=WHEN)
        assert len(found) == 10


class TestPrices:
    def test_the_average_is_weighted_by_volume_over_the_last_closed_candles(self) -> None:
        connected = Connected()
        last = market()
        window = last[int(last.timestamp.searchsorted(at("10:32"))) :][:5]
        weighted = sum((c.high + c.low + c.close) / 3 * c.volume for c in window) / sum(c.volume for c in window)
        average = run(connected.connection.get_average_price("BTCUSDT", when_ms=WHEN, backtest=True))
        assert average == pytest.approx(weighted, rel=1e-15)

    def test_the_number_of_candles_and_the_base_interval_are_configured(self) -> None:
        connected = Connected(config={"avg_price_candles_count": 1}, base_interval="1h")
        hour = connected.source.between("1h", at("09:00"), at("10:00"))[0]
        average = run(connected.connection.get_average_price("BTCUSDT", when_ms=WHEN, backtest=True))
        assert average == pytest.approx((hour.high + hour.low + hour.close) / 3, rel=1e-15)

    def test_the_close_is_that_of_the_last_closed_candle(self) -> None:
        connected = Connected()
        close = run(connected.connection.get_close_price("BTCUSDT", "15m", when_ms=WHEN, backtest=True))
        assert close == connected.source.between("15m", at("10:15"), at("10:30")).close[0]


class TestAttempts:
    def test_a_failing_source_is_asked_again_after_a_pause(self) -> None:
        connected = Connected()
        connected.source.failures = [RuntimeError("down"), RuntimeError("down")]
        assert len(connected.columns(at("10:00"), at("10:10"))) == 10
        assert connected.slept == [5.0, 5.0]
        assert len(connected.source.asked) == 3

    def test_the_last_failure_is_raised_with_its_cause(self) -> None:
        connected = Connected(config={"get_candles_retry_count": 2, "get_candles_retry_delay_ms": 100})
        connected.source.failures = [RuntimeError("first"), ValueError("second")]
        with pytest.raises(
            SourceError, match=r"bybit BTCUSDT 1m: the source failed \(attempt 2 of 2\): ValueError: second"
        ) as e:
            connected.columns(at("10:00"), at("10:10"))
        assert isinstance(e.value.__cause__, ValueError)
        assert connected.slept == [0.1]

    def test_no_attempts_are_an_error(self) -> None:
        with pytest.raises(SourceError, match="get_candles_retry_count is 0"):
            Connected(config={"get_candles_retry_count": 0}).columns(at("10:00"), at("10:10"))

    def test_a_short_answer_is_asked_for_again_and_not_kept(self) -> None:
        connected = Connected()
        answers: Iterator[Callable[[Candles], Candles]] = iter([lambda c: c[:5], lambda c: c])
        connected.source.change = lambda found: next(answers)(found)
        assert len(connected.columns(at("10:00"), at("10:10"))) == 10

    @pytest.mark.parametrize(
        ("spoil", "error"),
        [
            (lambda c: c[::-1], SourceError),
            (lambda c: c.take(np.array([0, 2, 1, *range(3, 10)])), SourceError),
            (lambda c: [(*row[:2], 0.0, *row[3:]) for row in c], CandleError),
            (lambda c: [(row.timestamp + 1, *row[1:]) for row in c], SourceError),
            (lambda c: [(row.timestamp - MINUTE_MS, *row[1:]) for row in c], SourceError),
            (lambda c: [(row.timestamp, 500.0, *row[2:4], 1.0, row[5]) for row in c], CandleError),
            (lambda c: "nonsense", DataError),
            (lambda c: [], InsufficientDataError),
        ],
    )
    def test_a_bad_answer_is_tried_three_times(self, spoil: Any, error: type[Exception]) -> None:
        connected = Connected()
        connected.source.change = spoil
        with pytest.raises(error):
            connected.columns(at("10:00"), at("10:10"))
        assert len(connected.source.asked) == 3

    def test_repeats_and_candles_beyond_the_end_do_no_harm(self, caplog: pytest.LogCaptureFixture) -> None:
        connected = Connected()
        more = market()
        connected.source.change = lambda c: Candles.concat([c, c[-1:], more[-20:]])
        assert connected.columns(at("10:00"), at("10:10")) == connected.source.between("1m", at("10:00"), at("10:10"))
        assert "candles_repeated" in caplog.text

    def test_a_local_source_is_not_asked_the_same_thing_again(self) -> None:
        for spoil, error in ((lambda c: c[1:-1], GapError), (lambda c: c[::-1], SourceError)):
            connected = Connected(ranges=True)
            connected.source.change = spoil
            with pytest.raises(error):
                connected.columns(at("10:00"), at("10:10"))
            assert len(connected.source.asked) == 1
        connected = Connected(ranges=True)
        connected.source.failures = [RuntimeError("disk")]
        assert len(connected.columns(at("10:00"), at("10:10"))) == 10

    def test_a_bad_value_that_nobody_checks_yet_is_refused_when_it_is_read(self) -> None:
        connected = Connected()
        connected.source.change = lambda c: [(t, o, h, 0.0 if t == at("10:05") else low, *r) for t, o, h, low, *r in c]
        assert len(connected.columns(at("10:00"), at("10:20"), strict=False)) == 20
        assert len(connected.candles("1m", 5, when=at("10:20"))) == 5
        with pytest.raises(CandleError):
            connected.candles("1m", 15, when=at("10:20"))


class TestUserFunctions:
    def test_plain_and_async_functions_are_called_alike(self) -> None:
        source = Source()
        connected = Connected(source, get_candles=source.get_candles_async)
        assert connected.candles("1m", 3) == Connected().candles("1m", 3)

    def test_since_is_an_aware_datetime_and_the_mode_is_told(self) -> None:
        seen: list[Any] = []

        def get_candles(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> Candles:
            seen.append((symbol, interval, since, limit, backtest))
            return Source().between(interval, to_ms(since), to_ms(since) + limit * MINUTE_MS)

        Connected(get_candles=get_candles, now=WHEN).candles("1m", 3, backtest=False)
        assert seen == [("BTCUSDT", "1m", from_ms(at("10:34")), 3, False)]

    def test_a_source_may_ask_its_own_exchange(self) -> None:
        source = Source()
        connected = Connected(source, get_candles=None, read_candles=source.read_candles)

        async def from_minutes(symbol: str, interval: str, since: int, until: int) -> Candles:
            if interval == "1m":
                return source.between(interval, since, until)
            found = await connected.connection.get_raw_candles(
                symbol, "1m", None, since, until, when_ms=until, backtest=True
            )
            return resample(found, interval)

        connected.connection._loader._schema = ExchangeSchema(exchange_name="bybit", read_candles=from_minutes)
        assert connected.candles("5m", 3) == source.between("5m", at("10:20"), at("10:35"))

    def test_the_callback_hears_every_read_of_the_source(self) -> None:
        heard: list[Any] = []
        connected = Connected(callbacks={"on_candle_data": lambda *event: heard.append(event)})
        for _ in range(2):
            connected.columns(at("10:00"), at("10:10"))
        assert [(e[0], e[1], e[2], e[3], len(e[4])) for e in heard] == [("BTCUSDT", "1m", from_ms(at("10:00")), 10, 10)]

    def test_an_error_in_the_callback_is_reported_and_the_read_succeeds(self) -> None:
        async def broken(*event: Any) -> None:
            raise RuntimeError("listener")

        connected = Connected(callbacks={"on_candle_data": broken})
        assert len(connected.columns(at("10:00"), at("10:10"))) == 10
        assert [str(error) for error in connected.errors] == ["listener"]


class TestConcurrency:
    @pytest.mark.parametrize("mutex", [True, False])
    def test_runs_that_need_the_same_candles_fetch_them_once(self, mutex: bool) -> None:
        source = Source()
        connected = Connected(source, get_candles=source.get_candles_async, config={"enable_candle_fetch_mutex": mutex})

        async def together() -> list[Candles]:
            read = connected.connection.get_candles
            return await asyncio.gather(*(read("BTCUSDT", "1m", 5, when_ms=WHEN, backtest=True) for _ in range(5)))

        found = run(together())
        assert len(source.asked) == 1
        assert all(part == found[0] for part in found)

    def test_the_source_is_asked_one_thing_at_a_time_if_so_configured(self) -> None:
        running, most = 0, 0
        source = Source()

        async def slow(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> Candles:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return source.between(interval, to_ms(since), to_ms(since) + limit * INTERVAL_MS[interval])

        for mutex, expected in ((True, 1), (False, 3)):
            running = most = 0
            connection = Connected(get_candles=slow, config={"enable_candle_fetch_mutex": mutex}).connection

            async def together(read: Any = connection.get_candles) -> None:
                symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
                await asyncio.gather(*(read(symbol, "1m", 5, when_ms=WHEN, backtest=True) for symbol in symbols))

            run(together())
            assert most == expected


class TestLive:
    def test_each_minute_asks_for_the_new_candle_only(self) -> None:
        connected = Connected(now=at("10:37"))
        connected.candles("1m", 30, when=at("10:37"), backtest=False)
        connected.clock.advance_to_ms(at("10:38"))
        found = connected.candles("1m", 30, when=at("10:38"), backtest=False)
        assert found.timestamp[-1] == at("10:37")
        assert connected.source.asked[1:] == [("1m", at("10:37"), 1, False)]

    def test_nothing_beyond_now_is_ever_asked_for(self) -> None:
        connected = Connected(now=WHEN)
        for interval in ("1m", "5m", "1h"):
            connected.candles(interval, 10, backtest=False)
        assert all(
            since + limit * INTERVAL_MS[interval] <= WHEN for interval, since, limit, _ in connected.source.asked
        )

    def test_a_candle_that_is_late_is_waited_for(self) -> None:
        for gaps in ("refuse", "skip"):
            connected = Connected(now=at("10:37"), gaps=gaps)
            answers: Iterator[Callable[[Candles], Candles]] = iter([lambda c: c[:-1], lambda c: c])
            connected.source.change = lambda found, answers=answers: next(answers)(found)
            assert connected.candles("1m", 3, when=at("10:37"), backtest=False).timestamp[-1] == at("10:36")
            assert connected.slept == [5.0]

    @pytest.mark.parametrize("coarser", ["exchange", "resampled"])
    def test_a_candle_that_does_not_come_counts_as_a_hole_until_the_next_read_asks_again(self, coarser: str) -> None:
        connected = Connected(Source({at("10:39")}), now=at("10:40"), gaps="skip", coarser=coarser)
        found = connected.candles("1m", 3, when=at("10:40"), backtest=False)
        assert found.timestamp.tolist() == [at("10:36"), at("10:37"), at("10:38")]
        assert connected.slept == [5.0, 5.0]
        assert connected.candles("1m", 3, when=at("10:40"), backtest=False) == found
        if coarser == "resampled":
            four = connected.source.between("1m", at("10:35"), at("10:40"))
            assert connected.candles("5m", 1, when=at("10:40"), backtest=False).volume[0] == four.volume.sum()
        connected.source.without.clear()
        connected.clock.advance_to_ms(at("10:45"))
        found = connected.candles("1m", 6, when=at("10:45"), backtest=False)
        assert found.timestamp.tolist() == [at(f"10:{minute}") for minute in range(39, 45)]
        if coarser == "resampled":
            found = connected.candles("5m", 2, when=at("10:45"), backtest=False)
            assert found == connected.source.between("5m", at("10:35"), at("10:45"))

    def test_under_flat_a_late_candle_stands_at_the_last_close_until_it_comes(self) -> None:
        connected = Connected(Source({at("10:36")}), now=at("10:37"), gaps="flat")
        found = connected.candles("1m", 3, when=at("10:37"), backtest=False)
        assert found.filled is not None and found.filled.tolist() == [False, False, True]
        connected.source.without.clear()
        connected.clock.advance_to_ms(at("10:38"))
        found = connected.candles("1m", 3, when=at("10:38"), backtest=False)
        assert found == connected.source.between("1m", at("10:35"), at("10:38"))
        assert found.filled is None or not found.filled.any()

    @pytest.mark.parametrize("coarser", ["exchange", "resampled"])
    def test_memory_does_not_grow_for_ever(self, coarser: str) -> None:
        connected = Connected(now=at("00:00"), coarser=coarser, config={"max_candles_per_request": 100})
        read = connected.connection.get_candles

        async def a_day_and_more() -> None:
            for minute in range(2500):
                when = at("00:00") + minute * MINUTE_MS
                connected.clock.advance_to_ms(when)
                for interval in ("1m", "5m"):
                    found = await read("BTCUSDT", interval, 20, when_ms=when, backtest=False)
                    assert len(found) == 20

        whole = {interval: market(interval) for interval in ("1m", "5m")}
        connected.source.exists = lambda interval: whole[interval]  # type: ignore[method-assign]
        run(a_day_and_more())
        held = [len(book.existing(0, 2**60)) for book in connected.connection._client._books.values()]
        assert max(held) <= 2001

    def test_an_old_range_does_not_disturb_the_newest(self) -> None:
        connected = Connected(now=WHEN)
        connected.candles("1m", 10, backtest=False)
        raw = connected.connection.get_raw_candles
        old = run(raw("BTCUSDT", "1m", None, at("01:00"), at("01:10"), when_ms=WHEN, backtest=False))
        assert len(old) == 10
        assert len(connected.candles("1m", 10, backtest=False)) == 10


class TestStore:
    def test_a_second_process_asks_nobody(self, tmp_path: Path) -> None:
        first = Connected(store=CandleStore(tmp_path))
        found = first.columns(at("10:00"), at("11:00"))
        second = Connected(store=CandleStore(tmp_path))
        assert second.columns(at("10:00"), at("11:00")) == found
        assert second.source.asked == []
        assert second.columns(at("09:00"), at("12:00")) == market()[1980:2160]
        assert [(s, n) for _, s, n, _ in second.source.asked] == [(at("09:00"), 60), (at("11:00"), 60)]

    def test_holes_are_remembered_as_holes(self, tmp_path: Path) -> None:
        holes = {at("10:05"), at("10:06")}
        Connected(Source(holes), store=CandleStore(tmp_path), gaps="skip").columns(at("10:00"), at("11:00"))
        second = Connected(store=CandleStore(tmp_path), gaps="flat")
        found = second.columns(at("10:00"), at("11:00"))
        assert found.filled is not None and set(found.timestamp[found.filled].tolist()) == holes
        assert second.source.asked == []

    def test_live_reads_are_not_stored(self, tmp_path: Path) -> None:
        Connected(store=CandleStore(tmp_path), now=WHEN).candles("1m", 10, backtest=False)
        assert CandleStore(tmp_path).markets() == []

    def test_a_store_that_fails_is_reported_and_the_read_succeeds(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("not a folder")
        connected = Connected(store=CandleStore(blocked))
        assert len(connected.columns(at("10:00"), at("10:10"))) == 10
        assert len(connected.errors) == 1

    def test_garbage_is_not_stored(self, tmp_path: Path) -> None:
        connected = Connected(store=CandleStore(tmp_path))
        connected.source.change = lambda c: [(t, o, h, 0.0, *rest) for t, o, h, _, *rest in c]
        connected.columns(at("10:00"), at("10:10"), strict=False)
        assert CandleStore(tmp_path).markets() == []
        assert "cannot be true" in str(connected.errors[0])

    def test_a_damaged_block_is_fetched_again(self, tmp_path: Path) -> None:
        Connected(store=CandleStore(tmp_path)).columns(at("10:00"), at("11:00"))
        next(CandleStore(tmp_path).blocks()).write_bytes(b"nonsense")
        second = Connected(store=CandleStore(tmp_path))
        assert len(second.columns(at("10:00"), at("11:00"))) == 60
        assert len(second.source.asked) == 1

    def test_a_source_that_keeps_its_own_candles_is_not_stored_twice(self, tmp_path: Path) -> None:
        Connected(store=CandleStore(tmp_path), ranges=True).columns(at("10:00"), at("11:00"))
        assert CandleStore(tmp_path).markets() == []


class TestWarming:
    def test_warm_brings_what_is_missing_in_requests(self, tmp_path: Path) -> None:
        connected = Connected(store=CandleStore(tmp_path), config={"max_candles_per_request": 10})
        progress: list[tuple[int, int]] = []
        warm = connected.connection.warm_candles
        run(warm("BTCUSDT", "1m", at("00:00"), at("00:25:30"), on_progress=lambda *p: progress.append(p)))
        assert progress == [(10, 25), (20, 25), (25, 25)]
        assert [n for _, _, n, _ in connected.source.asked] == [10, 10, 5]
        run(warm("BTCUSDT", "1m", at("00:00"), at("00:30")))
        assert [n for _, _, n, _ in connected.source.asked[3:]] == [5]

    def test_check_names_the_first_range_that_is_missing(self, tmp_path: Path) -> None:
        connected = Connected(store=CandleStore(tmp_path))
        run(connected.connection.warm_candles("BTCUSDT", "1m", at("10:00"), at("11:00")))
        connected.source.asked.clear()
        check = connected.connection.check_candles
        run(check("BTCUSDT", "1m", at("10:00"), at("11:00")))
        with pytest.raises(DataError, match=r"bybit BTCUSDT 1m: \[2025-01-02 11:00, 2025-01-02 11:30\) is not in the"):
            run(check("BTCUSDT", "1m", at("10:00"), at("11:30")))
        assert connected.source.asked == []

    def test_cache_checks_warms_and_checks_again(self, tmp_path: Path) -> None:
        connected = Connected(store=CandleStore(tmp_path))
        events: list[str] = []

        def cache() -> None:
            run(
                connected.connection.cache_candles(
                    "BTCUSDT",
                    "1m",
                    at("10:00"),
                    at("11:00"),
                    on_check_start=lambda: events.append("check"),
                    on_warm_start=lambda: events.append("warm"),
                )
            )

        cache()
        assert events == ["check", "warm", "check"]
        cache()
        assert events[3:] == ["check"]

    def test_a_second_failure_is_raised(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("not a folder")
        connected = Connected(store=CandleStore(blocked))
        with pytest.raises(DataError, match="is not in the candle store"):
            run(connected.connection.cache_candles("BTCUSDT", "1m", at("10:00"), at("11:00")))

    def test_candles_that_are_resampled_are_stored_as_base_candles(self, tmp_path: Path) -> None:
        connected = Connected(store=CandleStore(tmp_path), coarser="resampled")
        run(connected.connection.warm_candles("BTCUSDT", "5m", at("10:00"), at("10:30")))
        assert [m.interval for m in CandleStore(tmp_path).markets()] == ["1m"]

    def test_a_source_of_ranges_is_read_through(self) -> None:
        connected = Connected(ranges=True)
        run(connected.connection.warm_candles("BTCUSDT", "1m", at("10:00"), at("11:00")))
        run(connected.connection.check_candles("BTCUSDT", "1m", at("10:00"), at("11:00")))
        holed = Connected(Source({at("10:30")}), ranges=True)
        with pytest.raises(GapError):
            run(holed.connection.check_candles("BTCUSDT", "1m", at("10:00"), at("11:00")))

    def test_without_a_store_there_is_nothing_to_warm(self) -> None:
        for method in ("warm_candles", "check_candles", "cache_candles"):
            with pytest.raises(UsageError, match="exchange 'bybit' has no candle store to fill"):
                run(getattr(Connected().connection, method)("BTCUSDT", "1m", at("10:00"), at("11:00")))

    def test_an_empty_or_a_future_range_is_refused(self, tmp_path: Path) -> None:
        warm = Connected(store=CandleStore(tmp_path), now=WHEN).connection.warm_candles
        with pytest.raises(UsageError, match="hold no whole 1h candle"):
            run(warm("BTCUSDT", "1h", at("10:00"), at("10:30")))
        with pytest.raises(InsufficientDataError):
            run(warm("BTCUSDT", "1m", at("10:00"), at("11:00")))


class TestOtherData:
    def test_the_order_book_is_asked_for_its_window(self) -> None:
        asked: list[Any] = []

        def get_order_book(*args: Any) -> dict[str, Any]:
            asked.append(args)
            return {"bids": [("1", "2")], "asks": []}

        connection = Connected(get_order_book=get_order_book).connection
        book = run(connection.get_order_book("BTCUSDT", when_ms=WHEN, backtest=True))
        assert book.bids[0].price == "1" and book.symbol == "BTCUSDT"
        run(connection.get_order_book("BTCUSDT", 5, when_ms=WHEN, backtest=False))
        assert asked == [
            ("BTCUSDT", 1000, from_ms(at("10:20")), from_ms(at("10:30")), True),
            ("BTCUSDT", 5, from_ms(at("10:27:30")), from_ms(WHEN), False),
        ]
        with pytest.raises(UsageError, match="depth=0"):
            run(connection.get_order_book("BTCUSDT", 0, when_ms=WHEN, backtest=True))

    @pytest.mark.parametrize(
        ("method", "args"),
        [("get_order_book", ()), ("get_aggregated_trades", ()), ("get_funding_rates", (START, WHEN))],
    )
    def test_what_an_exchange_does_not_offer_says_so(self, method: str, args: Any) -> None:
        with pytest.raises(UsageError, match=f"exchange 'bybit' was registered without {method}"):
            run(getattr(Connected().connection, method)("BTCUSDT", *args, when_ms=WHEN, backtest=True))

    def trades(self, times: list[int], limit: int | None, flag: Any = "false") -> tuple[list[Any], list[Any]]:
        asked: list[tuple[int, int]] = []

        def get_trades(symbol: str, since: datetime, until: datetime, backtest: bool) -> list[dict[str, Any]]:
            first, last = to_ms(since), to_ms(until)
            asked.append((first, last))
            # Both ends included, as sources do: the window has to be cut.
            return [
                {"id": i, "price": "1.5", "qty": "2", "timestamp": t, "is_buyer_maker": flag}
                for i, t in enumerate(times)
                if first <= t <= last
            ][::-1]

        connection = Connected(get_aggregated_trades=get_trades).connection
        return run(connection.get_aggregated_trades("BTCUSDT", limit, when_ms=WHEN, backtest=True)), asked

    def test_trades_of_the_last_window(self) -> None:
        found, asked = self.trades([at("09:36"), at("09:37"), at("10:00"), at("10:37")], None)
        assert [t.timestamp for t in found] == [at("09:37"), at("10:00")]
        assert asked == [(at("09:37"), at("10:37"))]
        assert found[0][1:3] == (1.5, 2.0) and found[0].is_buyer_maker is False

    def test_a_number_of_trades_goes_back_window_by_window_without_doubles(self) -> None:
        times = [at("07:00"), at("08:37"), at("09:37"), at("10:36")]
        found, asked = self.trades(times, 3)
        assert [t.timestamp for t in found] == times[1:]
        assert asked == [(at("09:37"), at("10:37")), (at("08:37"), at("09:37"))]

    def test_ten_silent_windows_end_the_search(self) -> None:
        found, asked = self.trades([START], 3)
        assert (found, len(asked)) == ([], 10)

    def test_a_broken_flag_is_refused(self) -> None:
        with pytest.raises(SourceError, match="is neither true nor false"):
            self.trades([at("10:00")], None, flag="perhaps")

    def test_trades_stop_at_the_epoch(self) -> None:
        connection = Connected(get_aggregated_trades=lambda *args: []).connection
        assert run(connection.get_aggregated_trades("BTCUSDT", 5, when_ms=30 * MINUTE_MS, backtest=True)) == []

    def test_funding_rates_never_reach_beyond_now(self) -> None:
        asked: list[Any] = []

        def get_rates(symbol: str, since: datetime, until: datetime, backtest: bool) -> list[tuple[int, float]]:
            asked.append((to_ms(since), to_ms(until)))
            return [(at("16:00"), 0.3), (at("08:00"), 0.2), (at("00:00"), 0.1)]

        read = Connected(get_funding_rates=get_rates).connection.get_funding_rates
        found = run(read("BTCUSDT", at("00:00"), at("20:00"), when_ms=WHEN, backtest=True))
        assert found == [FundingRate(at("00:00"), 0.1), FundingRate(at("08:00"), 0.2)]
        assert asked == [(at("00:00"), WHEN + 1)]
        assert run(read("BTCUSDT", at("12:00"), at("20:00"), when_ms=WHEN, backtest=True)) == []
        with pytest.raises(UsageError, match="must be before"):
            run(read("BTCUSDT", at("12:00"), at("12:00"), when_ms=WHEN, backtest=True))

    def test_numbers_are_written_by_the_exchange_or_by_default(self) -> None:
        plain = Connected().connection
        assert run(plain.format_price("BTCUSDT", 0.125, backtest=True)) == "0.13"
        assert run(plain.format_quantity("BTCUSDT", 1e-7, backtest=True)) == "0.00000010"

        async def write(symbol: str, value: float, backtest: bool) -> str:
            return f"{symbol}:{value}:{backtest}"

        own = Connected(format_price=write, format_quantity=lambda *args: 7).connection
        assert run(own.format_price("BTCUSDT", 1.5, backtest=False)) == "BTCUSDT:1.5:False"
        assert run(own.format_quantity("BTCUSDT", 1.5, backtest=False)) == "7"
