"""The real ccxt client against a venue on loopback: pages, retries, the store, and everything besides candles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.errors import DataError, SourceError, UsageError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.ccxt_exchange import CcxtExchange, MarketLimits
from backtestkit.model.candle import Candles
from backtestkit.model.interval import from_ms, to_ms
from backtestkit.model.market_data import BookLevel, FundingRate
from backtestkit.runtime.clock import SimulatedClock

MINUTE = 60_000
START = to_ms(datetime(2025, 1, 31, 20, tzinfo=UTC))
WithVenue = Callable[[Callable[[Any], Awaitable[Any]]], Any]


def minutes(count: int, start: int = START, without: tuple[int, ...] = ()) -> Candles:
    stamps = np.array([start + i * MINUTE for i in range(count) if i not in without])
    price = 100 + np.arange(len(stamps)) % 7
    return Candles.from_columns(stamps, price, price + 1, price - 1, price + 0.5, np.ones(len(stamps)))


def later(minute: int) -> SimulatedClock:
    return SimulatedClock(from_ms(START + minute * MINUTE))


def exchange(venue: Any, **fields: Any) -> CcxtExchange:
    given: dict[str, Any] = {"clock": later(100_000), "market_type": "spot", "retry_wait_seconds": 0.0} | fields
    return CcxtExchange("binance", options=venue.options, **given)


def test_candles_are_read_page_by_page(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(2500)
        async with exchange(venue) as source:
            found = await source.read_candles("BTC/USDT", "1m", START, START + 2500 * MINUTE)
        assert found == minutes(2500)
        assert [int(q["startTime"]) for q in venue.asked("api/v3/klines")] == [
            START + page * 1000 * MINUTE for page in range(3)
        ]

    with_venue(scenario)


def test_a_range_inside_a_minute_begins_at_the_next_candle(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(10)
        async with exchange(venue) as source:
            found = await source.read_candles("BTC/USDT", "1m", START + 1, START + 3 * MINUTE)
        assert found == minutes(10)[1:3]

    with_venue(scenario)


def test_the_forming_candle_is_never_returned(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(10)
        clock = SimulatedClock(from_ms(START + 5 * MINUTE + 59_999))
        async with exchange(venue, clock=clock) as source:
            found = await source.read_candles("BTC/USDT", "1m", START, START + 10 * MINUTE)
        assert found == minutes(5)

    with_venue(scenario)


def test_holes_of_the_venue_stay_holes(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(3000, without=(*range(990, 1010), 1500))
        async with exchange(venue) as source:
            found = await source.read_candles("BTC/USDT", "1m", START, START + 3000 * MINUTE)
        assert found == venue.candles["BTCUSDT", "1m"]

    with_venue(scenario)


def test_a_long_silence_is_walked_through(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.answers_newest = True
        venue.candles["BTCUSDT", "1m"] = minutes(5000, without=tuple(range(10, 4900)))
        async with exchange(venue) as source:
            found = await source.read_candles("BTC/USDT", "1m", START, START + 5000 * MINUTE)
        assert found == venue.candles["BTCUSDT", "1m"]

    with_venue(scenario)


def test_a_venue_that_answers_the_newest_rows_of_a_longer_range_loses_nothing(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.rows_max, venue.answers_newest = 200, True
        venue.candles["BTCUSDT", "1m"] = minutes(1300)
        async with exchange(venue) as source:
            found = await source.read_candles("BTC/USDT", "1m", START, START + 1300 * MINUTE)
        assert found == minutes(1300)

    with_venue(scenario)


def test_a_failed_read_is_repeated_and_the_retry_is_logged(
    with_venue: WithVenue, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(5)
        venue.failures = [503, 503]
        async with exchange(venue) as source:
            assert await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE) == minutes(5)
        assert len(venue.asked("api/v3/klines")) == 3

    with_venue(scenario)
    assert sum("failed_and_is_repeated" in record.getMessage() for record in caplog.records) == 2
    assert capsys.readouterr().out == ""


def test_a_venue_that_stays_out_of_reach_is_an_error_with_the_number_of_attempts(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.failures = [503] * 10
        async with exchange(venue, attempts=3) as source:
            with pytest.raises(SourceError, match=r"binance: fetch_ohlcv\(BTC/USDT, 1m, .*failed after 3 attempts"):
                await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE)
        assert len(venue.asked("api/v3/klines")) == 3

    with_venue(scenario)


def test_a_refusal_of_the_venue_is_not_repeated(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.failures = [400] * 10
        async with exchange(venue) as source:
            with pytest.raises(SourceError, match=r"ExchangeError|BadRequest"):
                await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE)
        assert len(venue.asked("api/v3/klines")) == 1

    with_venue(scenario)


def test_only_reads_are_ever_repeated(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        async with exchange(venue) as source:
            with pytest.raises(AssertionError, match="create_order is no read"):
                await source.session.read("create_order", "BTC/USDT")

    with_venue(scenario)


def test_a_second_read_of_a_stored_range_asks_nobody(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(2000)
        for _ in range(2):
            async with exchange(venue, store=tmp_path) as source:
                found = await source.read_candles("BTC/USDT", "1m", START + MINUTE, START + 1500 * MINUTE)
            assert found == minutes(1500)[1:]
        assert len(venue.asked("api/v3/klines")) == 2
        assert len(venue.asked("api/v3/exchangeInfo")) == 1

    with_venue(scenario)


def test_only_missing_ranges_are_fetched(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(3000)
        async with exchange(venue, store=tmp_path) as source:
            await source.download("BTC/USDT", "1m", START + 500 * MINUTE, START + 600 * MINUTE)
            venue.requests.clear()
            found = await source.download("BTC/USDT", "1m", START, START + 700 * MINUTE)
        assert found == minutes(700)
        assert [int(q["startTime"]) for q in venue.asked("api/v3/klines")] == [START, START + 600 * MINUTE]

    with_venue(scenario)


def test_an_interrupted_download_goes_on_where_it_was(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(3000)
        async with exchange(venue, store=tmp_path, attempts=1) as source:

            def on_progress(done: int, total: int) -> None:
                if done == 2000 * MINUTE:
                    venue.failures = [503]

            with pytest.raises(SourceError):
                await source.download("BTC/USDT", "1m", START, START + 3000 * MINUTE, on_progress=on_progress)
            venue.requests.clear()
            await source.download("BTC/USDT", "1m", START, START + 3000 * MINUTE)
        assert [int(q["startTime"]) for q in venue.asked("api/v3/klines")] == [START + 2000 * MINUTE]

    with_venue(scenario)


def test_before_the_first_candle_of_the_venue_nothing_counts_as_downloaded(
    with_venue: WithVenue, tmp_path: Path
) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(1000)[300:]
        async with exchange(venue, store=tmp_path) as source:
            await source.download("BTC/USDT", "1m", START, START + 900 * MINUTE)
        market = CandleStore(tmp_path).market("binance-spot", "BTC/USDT", "1m")
        assert market is not None
        assert market.coverage == ((START + 300 * MINUTE, START + 900 * MINUTE),)

    with_venue(scenario)


def test_a_hole_between_downloaded_candles_is_remembered_as_one(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(1000, without=tuple(range(400, 500)))
        async with exchange(venue, store=tmp_path) as source:
            await source.download("BTC/USDT", "1m", START, START + 400 * MINUTE)
            await source.download("BTC/USDT", "1m", START + 500 * MINUTE, START + 900 * MINUTE)
            await source.download("BTC/USDT", "1m", START, START + 900 * MINUTE)
            venue.requests.clear()
            found = await source.download("BTC/USDT", "1m", START, START + 900 * MINUTE)
        assert venue.requests == []
        assert len(found) == 800

    with_venue(scenario)


def test_a_few_new_candles_are_not_worth_a_write(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(1000)
        async with exchange(venue, store=tmp_path) as source:
            await source.read_candles("BTC/USDT", "1m", START, START + 500 * MINUTE)
            found = await source.read_candles("BTC/USDT", "1m", START + 400 * MINUTE, START + 520 * MINUTE)
        assert found == minutes(1000)[400:520]
        market = CandleStore(tmp_path).market("binance-spot", "BTC/USDT", "1m")
        assert market is not None and market.candles == 500

    with_venue(scenario)


def test_a_damaged_block_is_set_aside_and_downloaded_again(with_venue: WithVenue, tmp_path: Path) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(200)
        async with exchange(venue, store=tmp_path) as source:
            await source.download("BTC/USDT", "1m", START, START + 200 * MINUTE)
            block = next(CandleStore(tmp_path).blocks())
            block.write_bytes(block.read_bytes()[:-20])
            assert await source.read_candles("BTC/USDT", "1m", START, START + 200 * MINUTE) == minutes(200)
        assert block.with_name(block.name + ".damaged").exists()

    with_venue(scenario)


def test_symbols_of_the_venue_are_understood_where_they_mean_one_market(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = venue.candles["ETHUSDT", "1m"] = minutes(5)
        async with exchange(venue, market_type=None) as source:
            assert len(await source.read_candles("ETHUSDT", "1m", START, START + 5 * MINUTE)) == 5
            with pytest.raises(UsageError, match="may be BTC/USDT or BTC/USDT:USDT"):
                await source.read_candles("BTCUSDT", "1m", START, START + 5 * MINUTE)
            with pytest.raises(DataError, match=r"has no market 'BTC/USDC'\. Did you mean 'BTC/USDT'"):
                await source.read_candles("BTC/USDC", "1m", START, START + 5 * MINUTE)
        async with exchange(venue, market_type="swap") as source:
            await source.read_candles("BTCUSDT", "1m", START, START + 5 * MINUTE)
        assert len(venue.asked("fapi/v1/klines")) == 1

    with_venue(scenario)


def test_an_interval_the_venue_lacks_names_those_it_has(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        async with exchange(venue) as source:
            (await source.session.client()).timeframes = {"1m": "1m", "5m": "5m"}
            with pytest.raises(DataError, match="binance has no 3m candles; it has 1m, 5m"):
                await source.read_candles("BTC/USDT", "3m", START, START + 9 * MINUTE)

    with_venue(scenario)


def test_prices_and_quantities_are_written_as_the_venue_wants_them(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        async with exchange(venue) as source:
            assert await source.format_price("BTC/USDT", 1234.5678) == "1234.57"
            assert await source.format_quantity("BTC/USDT", 0.123456789) == "0.12345"
            assert await source.limits("BTC/USDT") == MarketLimits(
                "BTC/USDT", 0.01, 0.00001, 0.00001, 9000.0, 5.0, None
            )

    with_venue(scenario)


def test_the_order_book_is_of_now_and_keeps_its_depth(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.book = {
            "lastUpdateId": 7,
            "bids": [["99.5", "1.5"], ["99.0", "2"]],
            "asks": [["100.25", "0.00001"], ["101", "3"]],
        }
        now = datetime(2025, 2, 1, tzinfo=UTC)
        async with exchange(venue) as source:
            book = await source.get_order_book("BTC/USDT", 1, now, now, False)
            assert (book.symbol, book.bids, book.asks) == (
                "BTC/USDT",
                (BookLevel("99.5", "1.5"),),
                (BookLevel("100.25", "0.00001"),),
            )
            with pytest.raises(DataError, match="no order books of the past"):
                await source.get_order_book("BTC/USDT", 1, now, now, True)

    with_venue(scenario)


def trade(number: int, at: int, maker: bool) -> dict[str, Any]:
    return {"a": number, "p": "100.5", "q": "0.25", "f": number, "l": number, "T": at, "m": maker, "M": True}


def test_trades_of_a_window_are_read_completely_and_in_order(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.rows_max = 3
        times = [START + 10, START + 10, START + 20, START + 30, START + 30, START + 100 * MINUTE, START + 110 * MINUTE]
        venue.trades = [trade(i, at, i % 2 == 0) for i, at in enumerate(times)]
        async with exchange(venue) as source:
            found = await source.get_aggregated_trades("BTC/USDT", from_ms(START), from_ms(START + 110 * MINUTE), True)
        assert [t.id for t in found] == ["0", "1", "2", "3", "4", "5"]
        assert [t.is_buyer_maker for t in found[:2]] == [True, False]
        assert found[0].price == 100.5 and found[0].qty == 0.25

    with_venue(scenario)


def test_more_trades_at_one_instant_than_a_page_holds_do_not_stop_the_rest(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.rows_max = 3
        venue.trades = [trade(i, START + 10, True) for i in range(5)] + [trade(9, START + 11, True)]
        async with exchange(venue) as source:
            found = await source.get_aggregated_trades("BTC/USDT", from_ms(START), from_ms(START + MINUTE), True)
        assert [t.id for t in found] == ["0", "1", "2", "9"]

    with_venue(scenario)


def test_funding_rates_of_a_window_are_read_completely(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.rows_max = 2
        hours = [START + 8 * i * 60 * MINUTE for i in range(6)]
        venue.funding = [
            {"symbol": "BTCUSDT", "fundingRate": f"0.000{i}", "fundingTime": at, "markPrice": "1"}
            for i, at in enumerate(hours)
        ]
        async with exchange(venue, market_type="swap") as source:
            found = await source.get_funding_rates("BTCUSDT", from_ms(hours[1]), from_ms(hours[5]), True)
            rest = await source.get_funding_rates("BTCUSDT", from_ms(hours[4]), from_ms(hours[5] + 10 * MINUTE), True)
        assert found == [FundingRate(at, i / 10_000) for i, at in enumerate(hours)][1:5]
        assert [rate.timestamp for rate in rest] == hours[4:]

    with_venue(scenario)


def test_the_schema_has_all_that_the_venue_offers() -> None:
    schema = CcxtExchange("binance", exchange_name="demo", gaps="skip", coarser="resampled").schema()
    assert (schema.exchange_name, schema.gaps, schema.coarser, schema.base_interval) == (
        "demo",
        "skip",
        "resampled",
        "1m",
    )
    assert None not in (
        schema.read_candles,
        schema.format_price,
        schema.format_quantity,
        schema.get_order_book,
        schema.get_aggregated_trades,
        schema.get_funding_rates,
    )


def test_an_unknown_venue_suggests_the_near_ones() -> None:
    async def scenario() -> None:
        with pytest.raises(UsageError, match=r"ccxt knows no venue 'binanse'\. Did you mean 'binance"):
            await CcxtExchange("binanse").read_candles("BTC/USDT", "1m", START, START + MINUTE)

    asyncio.run(scenario())


def test_a_download_needs_a_store() -> None:
    with pytest.raises(UsageError, match="no store to download to"):
        asyncio.run(CcxtExchange("binance").download("BTC/USDT", "1m", START, START + MINUTE))


def test_an_answer_that_is_no_candles_names_venue_and_market(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        async with exchange(venue) as source:
            await source.session.client()

            async def nonsense(method: str, *args: Any) -> Any:
                return [[1, 2]]

            source.session.read = nonsense  # type: ignore[method-assign]
            with pytest.raises(DataError, match=r"binance BTC/USDT 1m from 2025-01-31 20:00: candle rows have shape"):
                await source.read_candles("BTC/USDT", "1m", START, START + MINUTE)

    with_venue(scenario)


def test_a_sandbox_is_another_place() -> None:
    async def scenario() -> None:
        source = CcxtExchange("binance", sandbox=True)
        assert "testnet" in source.session._kept().client.urls["api"]["public"]
        await source.aclose()

    asyncio.run(scenario())


def test_stored_names_tell_markets_and_sandboxes_apart() -> None:
    assert CcxtExchange("bybit").stored_as == "bybit"
    assert CcxtExchange("bybit", market_type="swap", sandbox=True).stored_as == "bybit-swap-sandbox"


def test_the_connection_closes_itself_when_the_loop_ends(with_venue: WithVenue) -> None:
    clients = []

    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(5)
        source = exchange(venue)
        await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE)
        clients.append(await source.session.client())
        assert clients[0].session is not None

    with_venue(scenario)
    assert clients[0].session is None


def test_an_idle_connection_is_closed_and_the_next_read_opens_another(with_venue: WithVenue) -> None:
    async def scenario(venue: Any) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(5)
        source = exchange(venue)
        source.session._idle_seconds = 0.01
        await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE)
        kept = source.session._kept()
        await asyncio.wait_for(kept.task, 5)
        assert kept.client.session is None
        assert len(await source.read_candles("BTC/USDT", "1m", START, START + 5 * MINUTE)) == 5
        assert len(venue.asked("api/v3/exchangeInfo")) == 1
        await source.aclose()

    with_venue(scenario)
