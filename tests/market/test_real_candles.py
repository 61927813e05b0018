"""The recordings of real markets: what their readme says of them is what comes out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.config import Config
from backtestkit.errors import DataError, GapError, InsufficientDataError, UsageError
from backtestkit.market.parquet_source import ParquetExchange
from backtestkit.market.verify import verify_file
from backtestkit.model.candle import Candles
from backtestkit.model.interval import MINUTE_MS, parse_time, to_ms
from backtestkit.services.connection.exchange import ExchangeConnection

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "candles"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")


def connect(venue: str, **fields: Any) -> ExchangeConnection:
    source = ParquetExchange(venue, FOLDER, **fields)
    return ExchangeConnection(source.schema(), Config.defaults(), on_error=lambda error: None)


def columns(connection: ExchangeConnection, symbol: str, since: str, until: str) -> Candles:
    ends = (to_ms(parse_time(text)) for text in (since, until))
    return asyncio.run(connection.columns(symbol, *ends, strict=True))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"])
def test_resampled_minutes_are_the_five_minute_candles_of_the_venue(symbol: str) -> None:
    """8,897 buckets of each: prices equal, volumes to the last digits."""
    made, told = connect("bybit", coarser="resampled"), connect("bybit", coarser="exchange", base_interval="1m")
    when = to_ms(parse_time("2025-06-29T16:35"))
    read = {"when_ms": when, "backtest": True}
    ours = asyncio.run(made.get_candles(symbol, "5m", 8897, **read))  # type: ignore[arg-type]
    theirs = asyncio.run(told.get_candles(symbol, "5m", 8897, **read))  # type: ignore[arg-type]
    assert ours.timestamp[0] == to_ms(parse_time("2025-05-29T19:10"))
    for name in ("timestamp", "open", "high", "low", "close"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert np.allclose(ours.volume, theirs.volume, rtol=1e-15, atol=0)


class TestBitfinex:
    """Half a year with 62 holes of 303 minutes in all."""

    HALF = ("2017-10-01", "2018-04-01")

    def test_refuse_names_them(self) -> None:
        with pytest.raises(
            GapError, match="303 are missing: 2017-10-01 04:43, 2017-10-01 04:54, 2017-10-04 01:44 and 59 more"
        ) as e:
            columns(connect("bitfinex"), "BTCUSD", *self.HALF)
        assert (len(e.value.holes), sum(count for _, count in e.value.holes)) == (62, 303)
        assert (to_ms(parse_time("2018-03-21T10:53")), 58) in e.value.holes

    def test_skip_leaves_them_out(self) -> None:
        assert len(columns(connect("bitfinex", gaps="skip"), "BTCUSD", *self.HALF)) == 261_777

    def test_flat_fills_and_marks_them(self) -> None:
        found = columns(connect("bitfinex", gaps="flat"), "BTCUSD", *self.HALF)
        assert len(found) == 262_080 and found.filled is not None
        assert int(found.filled.sum()) == 303
        assert (found.volume[found.filled] == 0).all()
        before = np.flatnonzero(found.filled) - 1
        assert np.array_equal(found.open[before + 1], found.close[before])

    def test_its_ends_are_named(self) -> None:
        with pytest.raises(InsufficientDataError, match="from 2017-10-01 00:00 to 2018-03-31 23:59"):
            columns(connect("bitfinex", gaps="skip"), "BTCUSD", "2017-09-30", "2018-01-01")

    def test_hours_out_of_minutes_with_holes(self) -> None:
        connection = connect("bitfinex", gaps="skip")
        when = to_ms(parse_time("2018-03-21T12:00"))
        found = asyncio.run(connection.get_candles("BTCUSD", "1h", 24, when_ms=when, backtest=True))
        assert len(found) == 24 and int(found.timestamp[-1]) == when - 60 * MINUTE_MS


def test_a_currency_pair_is_read_over_the_weekend() -> None:
    connection = connect("fxcm", gaps="skip")
    when = to_ms(parse_time("2012-02-05T23:00"))
    found = asyncio.run(connection.get_candles("GBPUSD-BID", "1m", 200, when_ms=when, backtest=True))
    assert len(found) == 200
    assert found.timestamp[0] < to_ms(parse_time("2012-02-04")) < found.timestamp[-1] < when
    assert (found.volume == 0).all()


def test_a_currency_pair_without_volume_has_the_mean_close_as_its_average() -> None:
    connection = connect("fxcm", gaps="skip")
    when = to_ms(parse_time("2012-02-02T12:00"))
    last = asyncio.run(connection.get_candles("GBPUSD-BID", "1m", 5, when_ms=when, backtest=True))
    average = asyncio.run(connection.get_average_price("GBPUSD-BID", when_ms=when, backtest=True))
    assert average == sum(last.close.tolist()) / 5


def test_equities_have_nights_and_flat_fills_them() -> None:
    found = columns(connect("arca", gaps="flat"), "SPY", "2013-10-07T12:00", "2013-10-09T12:00")
    assert len(found) == 2880 and found.filled is not None
    assert found.filled.sum() > 900


def test_daily_candles_have_a_daily_base() -> None:
    connection = connect("arca", gaps="skip", base_interval="1d")
    found = columns(connection, "SPY", "1998-01-02", "2021-03-31")
    assert len(found) == 5848
    with pytest.raises(UsageError, match="finer than the base interval '1d'"):
        asyncio.run(connection.get_candles("SPY", "1h", 1, when_ms=to_ms(parse_time("2010-01-01")), backtest=True))


def test_candles_of_a_second_are_too_fine() -> None:
    with pytest.raises(DataError, match="Candles of 1s are finer than 1m"):
        columns(connect("coinbase"), "BTCUSD", "2016-10-07", "2016-10-08")


@pytest.mark.parametrize(
    ("name", "errors", "remarks"),
    [
        ("BYBIT_BTCUSDT-PERP_1m_20250529_20250629", {}, {}),
        ("BYBIT_BNBUSDT-PERP_1m_20250529_20250629", {}, {"zero_volume": 600}),
        ("BITFINEX_ETHUSD_1m_20171001_20180331", {"gap": 735}, {"outlier": 28}),
        ("ARCA_SPY_1d_19980102_20210331", {}, {"session_break": 1267, "outlier": 1}),
        ("CME_6EH4_1m_20240101_20240131", {"gap": 353}, {"session_break": 22}),
        ("FXCM_USDJPY-BID_1m_20130201_20130301", {"gap": 34}, {"session_break": 4, "zero_volume": 28761}),
    ],
)
def test_verifying_finds_what_the_readme_tells(name: str, errors: dict[str, int], remarks: dict[str, int]) -> None:
    verified = verify_file(FOLDER / f"{name}.parquet")
    for severity, expected in (("error", errors), ("remark", remarks)):
        assert {f.code: f.count for f in verified.findings if f.severity == severity} == expected
