"""Downloads fetch what is missing and keep what they got; a store is an exchange without network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.errors import DataError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.download import Page, Target, download
from backtestkit.market.store_source import StoreExchange
from backtestkit.model.candle import Candles
from backtestkit.model.interval import parse_time, to_ms

START = to_ms(parse_time("2025-01-06"))
MINUTE = 60_000
LATER = to_ms(parse_time("2030-01-01"))


def minutes(first: int, last: int, without: Any = ()) -> Candles:
    there = np.array([m for m in range(first, last) if m not in set(without)], dtype=np.int64)
    close = 100 + there / 8
    return Candles.from_columns(START + MINUTE * there, close, close + 1, close - 1, close, np.ones(len(there)))


class Venue:
    """Answers pages of ten minutes; fails at a minute if told to."""

    def __init__(self, without: Any = (), fails_at: int | None = None, asked_at: int = LATER) -> None:
        self.without, self.fails_at, self.asked_at = without, fails_at, asked_at
        self.asked: list[tuple[int, int]] = []

    async def pages(self, symbol: str, interval: str, since: int, until: int) -> AsyncIterator[Page]:
        first, last = (since - START) // MINUTE, (until - START) // MINUTE
        for minute in range(first, last, 10):
            if self.fails_at is not None and minute >= self.fails_at:
                raise ConnectionError("gone")
            end = min(minute + 10, last)
            self.asked.append((minute, end))
            yield Page(START + minute * MINUTE, START + end * MINUTE, minutes(minute, end, self.without), self.asked_at)


def target(tmp_path: Path) -> Target:
    return Target(CandleStore(tmp_path), "bybit", "BTCUSDT", "1m")


def get(venue: Venue, to: Target, first: int, last: int, **more: Any) -> Candles:
    return asyncio.run(download(venue, to, START + first * MINUTE, START + last * MINUTE, **more))


def covered(to: Target) -> list[tuple[int, int]]:
    market = to.store.market(to.exchange_name, to.symbol, to.interval)
    return [] if market is None else [((a - START) // MINUTE, (b - START) // MINUTE) for a, b in market.coverage]


class TestDownload:
    def test_everything_is_brought_and_stored(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        progress: list[tuple[int, int]] = []
        assert get(Venue(), to, 0, 35, on_progress=lambda *p: progress.append(p)) == minutes(0, 35)
        assert covered(to) == [(0, 35)]
        assert progress[-1] == (35 * MINUTE, 35 * MINUTE)

    def test_only_what_is_missing_is_asked_for(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        get(Venue(), to, 10, 20)
        venue = Venue()
        assert get(venue, to, 5, 25) == minutes(5, 25)
        assert venue.asked == [(5, 10), (20, 25)]
        assert get(venue, to, 5, 25) == minutes(5, 25)
        assert len(venue.asked) == 2

    def test_an_interruption_keeps_what_was_paid_for(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        with pytest.raises(ConnectionError):
            get(Venue(fails_at=20), to, 0, 50)
        assert covered(to) == [(0, 20)]

    def test_long_downloads_are_stored_in_portions(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("backtestkit.market.download._FLUSH_CANDLES", 20)
        to = target(tmp_path)
        stored_meanwhile: list[list[tuple[int, int]]] = []
        get(Venue(), to, 0, 45, on_progress=lambda *p: stored_meanwhile.append(covered(to)))
        assert stored_meanwhile[1] == [(0, 20)]
        assert covered(to) == [(0, 45)]

    def test_the_ends_of_a_venue_are_not_taken_for_holes(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        venue = Venue(without=[*range(25), *range(40, 60)])
        assert get(venue, to, 0, 60) == minutes(25, 40)
        assert covered(to) == [(25, 40)]

    def test_a_hole_between_candles_is_one(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        get(Venue(without=range(10, 40)), to, 0, 60)
        assert covered(to) == [(0, 60)]

    def test_silence_up_to_candles_that_are_known_is_a_hole(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        get(Venue(), to, 0, 10)
        get(Venue(), to, 30, 40)
        venue = Venue(without=range(15, 30))
        assert len(get(venue, to, 0, 40)) == 25
        assert covered(to) == [(0, 40)]

    def test_nothing_at_all_covers_nothing(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        assert len(get(Venue(without=range(100)), to, 0, 50)) == 0
        assert covered(to) == []

    def test_a_few_candles_are_not_worth_storing_unless_they_close_a_hole(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        assert get(Venue(), to, 0, 5, worth_storing=10) == minutes(0, 5)
        assert covered(to) == []
        get(Venue(), to, 0, 10)
        get(Venue(), to, 15, 25)
        get(Venue(), to, 0, 25, worth_storing=10)
        assert covered(to) == [(0, 25)]

    def test_a_refresh_replaces_what_is_stored(self, tmp_path: Path) -> None:
        to = target(tmp_path)
        get(Venue(), to, 0, 30)
        assert get(Venue(without=[12]), to, 5, 20, refresh=True) == minutes(5, 20, [12])
        assert get(Venue(), to, 0, 30) == minutes(0, 30, [12])


class TestStoreExchange:
    @pytest.fixture
    def source(self, tmp_path: Path) -> StoreExchange:
        get(Venue(without=[5]), target(tmp_path), 0, 20)
        get(Venue(), target(tmp_path), 30, 40)
        return StoreExchange("bybit", tmp_path, gaps="skip")

    def test_stored_candles_are_read(self, source: StoreExchange) -> None:
        assert source.read_candles("BTCUSDT", "1m", START, START + 20 * MINUTE) == minutes(0, 20, [5])
        assert source.span("BTCUSDT", "1m") == (START, START + 39 * MINUTE)

    def test_a_range_that_was_never_downloaded_says_how_to_get_it(self, source: StoreExchange) -> None:
        with pytest.raises(DataError) as caught:
            source.read_candles("BTCUSDT", "1m", START, START + 40 * MINUTE)
        assert "[2025-01-06 00:20, 2025-01-06 00:30) is not in store" in str(caught.value)
        assert "backtestkit data download bybit BTCUSDT --interval 1m --store" in str(caught.value)
        assert "--from '2025-01-06 00:20' --to '2025-01-06 00:30'" in str(caught.value)

    def test_an_unknown_market_lists_the_known_ones(self, source: StoreExchange, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"has no bybit ETHUSDT 1m\. It has: bybit BTCUSDT 1m\. Get it with"):
            source.span("ETHUSDT", "1m")
        with pytest.raises(DataError, match="It has: nothing"):
            StoreExchange("bybit", CandleStore(tmp_path / "empty")).span("ETHUSDT", "1m")

    def test_the_exchange_may_be_called_otherwise(self, tmp_path: Path, source: StoreExchange) -> None:
        other = StoreExchange("mine", tmp_path, stored_as="bybit")
        assert other.span("BTCUSDT", "1m") == source.span("BTCUSDT", "1m")
        assert other.schema().exchange_name == "mine"

    def test_the_schema_reads_the_store(self, source: StoreExchange) -> None:
        schema = source.schema()
        assert (schema.gaps, schema.coarser, schema.base_interval) == ("skip", "resampled", "1m")
        assert schema.note == "stored candles of bybit"
        assert (schema.read_candles, schema.span) == (source.read_candles, source.span)
