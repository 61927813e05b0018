"""Exchanges out of files: which file is about which market, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.errors import DataError, UsageError
from backtestkit.market.convert import encode_csv, encode_parquet
from backtestkit.market.csv_source import CsvExchange
from backtestkit.market.file_source import MarketFile
from backtestkit.market.parquet_source import ParquetExchange
from backtestkit.model.candle import Candles

START = 1_735_689_600_000
MINUTE = 60_000


def minutes(first: int, last: int, base: float = 100.0, step: int = MINUTE) -> Candles:
    stamps = START + step * np.arange(first, last, dtype=np.int64)
    close = base + np.arange(first, last) / 8
    return Candles.from_columns(stamps, close, close + 1, close - 1, close, np.ones(len(stamps)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, candles in {
        "BYBIT_BTCUSDT-PERP_1m_20250101_20250102.parquet": minutes(0, 50),
        "BYBIT_BTCUSDT-PERP_5m_20250101_20250102.parquet": minutes(0, 10, step=5 * MINUTE),
        "BYBIT_ETHUSDT_1m.parquet": minutes(0, 50, 200),
        "FXCM_GBPUSD-BID_1m_x.parquet": minutes(0, 50, 300),
        "FXCM_GBPUSD-ASK_1m_x.parquet": minutes(0, 50, 400),
        "COINBASE_LTCUSD_1s_x.parquet": minutes(0, 50, step=1000),
        "BITFINEX_LTCUSD_1m_x.parquet": minutes(0, 50, 500),
        "SOL_USDT-1m.parquet": minutes(0, 50, 600),
        "DOGEUSDT.parquet": minutes(0, 50, 700),
    }.items():
        (tmp_path / name).write_bytes(encode_parquet(candles))
    (tmp_path / "notes.txt").write_text("not a candle file")
    return tmp_path


def first_close(source: Any, symbol: str, interval: str = "1m") -> float:
    return float(source.read_candles(symbol, interval, START, START + MINUTE * 60).close[0])


class TestNames:
    @pytest.mark.parametrize(
        ("name", "names", "interval", "symbol"),
        [
            (
                "BYBIT_BTCUSDT-PERP_1m_20250529_20250629.parquet",
                ("BYBIT_BTCUSDT-PERP", "BTCUSDT-PERP"),
                "1m",
                "BTCUSDT-PERP",
            ),
            ("BTCUSDT_15m.csv", ("BTCUSDT",), "15m", "BTCUSDT"),
            ("BTC_USDT-1h.csv", ("BTC_USDT", "USDT"), "1h", "USDT"),
            ("BTCUSDT-1m-2024-01.csv", ("BTCUSDT",), "1m", "BTCUSDT"),
            ("BTCUSDT.csv.gz", ("BTCUSDT",), None, "BTCUSDT"),
            ("candles.parquet", ("candles",), None, "candles"),
        ],
    )
    def test_a_name_tells_market_and_interval(self, name: str, names: Any, interval: Any, symbol: str) -> None:
        file = MarketFile.of(Path(name))
        assert (file.names, file.interval, file.symbol) == (names, interval, symbol)


class TestFinding:
    @pytest.mark.parametrize(
        ("symbol", "close"),
        [
            ("BTCUSDT-PERP", 100.0),
            ("BYBIT_BTCUSDT-PERP", 100.0),
            ("BTCUSDT", 100.0),
            ("btc/usdt", 100.0),
            ("ETHUSDT", 200.0),
            ("GBPUSD-ASK", 400.0),
            ("LTCUSD", 500.0),
            ("SOL/USDT", 600.0),
            ("DOGEUSDT", 700.0),
        ],
    )
    def test_symbols_are_found_in_a_folder(self, folder: Path, symbol: str, close: float) -> None:
        assert first_close(ParquetExchange("files", folder), symbol) == close

    def test_an_exchange_that_is_named_in_file_names_takes_only_its_own(self, folder: Path) -> None:
        source = ParquetExchange("fxcm", folder)
        assert {file.symbol for file in source.files} == {"GBPUSD-BID", "GBPUSD-ASK"}

    def test_a_symbol_that_means_two_markets_is_refused(self, folder: Path) -> None:
        with pytest.raises(DataError, match="'GBPUSD' may be FXCM_GBPUSD-ASK or FXCM_GBPUSD-BID"):
            first_close(ParquetExchange("files", folder), "GBPUSD")

    def test_a_symbol_that_no_file_is_about_shows_what_is_there_and_how_to_say_it(self, folder: Path) -> None:
        with pytest.raises(DataError) as caught:
            first_close(ParquetExchange("bybit", folder), "XRPUSDT")
        message = str(caught.value)
        assert "bybit: no file is about 'XRPUSDT'. There are: BTCUSDT-PERP 1m, BTCUSDT-PERP 5m, ETHUSDT 1m." in message
        assert "ParquetExchange('bybit', {'XRPUSDT': " in message

    def test_a_mapping_says_which_file_is_which_market(self, folder: Path) -> None:
        source = ParquetExchange(
            "files", {"GBPUSD": folder / "FXCM_GBPUSD-BID_1m_x.parquet", "X": folder / "DOGEUSDT.parquet"}
        )
        assert first_close(source, "GBPUSD") == 300.0
        assert first_close(source, "X") == 700.0
        with pytest.raises(DataError, match="no file is about 'DOGEUSDT'"):
            first_close(source, "DOGEUSDT")

    def test_single_files_and_lists_of_files_are_taken(self, folder: Path) -> None:
        one, two = folder / "DOGEUSDT.parquet", folder / "BYBIT_ETHUSDT_1m.parquet"
        assert first_close(ParquetExchange("x", str(one)), "DOGEUSDT") == 700.0
        assert first_close(ParquetExchange("x", [one, two]), "ETHUSDT") == 200.0

    def test_a_missing_path_and_an_empty_folder_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="does not exist"):
            ParquetExchange("x", tmp_path / "nowhere")
        with pytest.raises(UsageError, match=r"holds no file that ends in \.csv or \.csv\.gz"):
            CsvExchange("x", tmp_path)


class TestIntervals:
    def test_each_interval_is_read_from_its_own_file(self, folder: Path) -> None:
        source = ParquetExchange("bybit", folder, coarser="exchange")
        assert source.span("BTCUSDT", "1m") == (START, START + 49 * MINUTE)
        assert source.span("BTCUSDT", "5m") == (START, START + 45 * MINUTE)

    def test_a_missing_interval_says_what_there_is(self, folder: Path) -> None:
        with pytest.raises(DataError, match=r"no 15m file of 'BTCUSDT'\. There are: .*coarser='resampled'"):
            first_close(ParquetExchange("bybit", folder), "BTCUSDT", "15m")

    def test_seconds_are_finer_than_anything(self, folder: Path) -> None:
        with pytest.raises(DataError, match="Candles of 1s are finer than 1m"):
            first_close(ParquetExchange("coinbase", folder), "LTCUSD")

    def test_a_coarser_base_has_to_be_said(self, folder: Path) -> None:
        path = folder / "BYBIT_BTCUSDT-PERP_5m_20250101_20250102.parquet"
        with pytest.raises(DataError, match="Set base_interval='5m' if these are the finest"):
            first_close(ParquetExchange("x", path), "BTCUSDT")
        assert first_close(ParquetExchange("x", path, base_interval="5m"), "BTCUSDT", "5m") == 100.0

    def test_an_unknown_base_interval_is_refused_at_once(self, folder: Path) -> None:
        with pytest.raises(UsageError, match="unknown interval='2m'"):
            ParquetExchange("x", folder, base_interval="2m")  # type: ignore[arg-type]


class TestContent:
    def test_files_of_one_market_are_joined(self, tmp_path: Path) -> None:
        for name, part in {"A_1m_2": minutes(20, 40), "A_1m_1": minutes(0, 25), "A_1m_3": minutes(0, 0)}.items():
            (tmp_path / f"{name}.csv").write_bytes(encode_csv(part))
        source = CsvExchange("x", tmp_path)
        assert source.read_candles("A", "1m", 0, 2**60) == minutes(0, 40)

    def test_files_that_disagree_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "A_1m_1.csv").write_bytes(encode_csv(minutes(0, 25)))
        (tmp_path / "A_1m_2.csv").write_bytes(encode_csv(minutes(20, 40, base=101)))
        with pytest.raises(DataError, match=r"different candles for 2025-01-01 00:20 \(open 102.5 and 103.5\)"):
            CsvExchange("x", tmp_path).read_candles("A", "1m", 0, 2**60)

    def test_repeated_times_are_refused_with_the_place(self, tmp_path: Path) -> None:
        path = tmp_path / "A.csv"
        path.write_bytes(encode_csv(minutes(0, 5).take(np.array([0, 1, 1, 2]))))
        with pytest.raises(
            DataError, match=r"1 repeated times, the first 2025-01-01 00:01\. Find them with `backtestkit data"
        ):
            CsvExchange("x", path).span("A", "1m")

    def test_times_off_the_grid_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "A.csv"
        path.write_bytes(encode_csv(minutes(0, 5)))
        with pytest.raises(DataError, match="4 times are no multiple of 1h"):
            CsvExchange("x", path, base_interval="1h").span("A", "1h")

    def test_an_empty_file_has_no_span(self, tmp_path: Path) -> None:
        path = tmp_path / "A.csv"
        path.write_bytes(encode_csv(Candles.empty()))
        assert CsvExchange("x", path).span("A", "1m") is None

    def test_a_file_is_read_once(self, folder: Path) -> None:
        source = ParquetExchange("x", folder / "DOGEUSDT.parquet")
        first = source.read_candles("DOGEUSDT", "1m", START, START + 5 * MINUTE)
        (folder / "DOGEUSDT.parquet").unlink()
        again = source.read_candles("DOGEUSDT", "1m", START, START + 5 * MINUTE)
        assert again == first and np.shares_memory(again.close, first.close)


class TestSchema:
    def test_it_carries_what_was_given(self, folder: Path) -> None:
        source = ParquetExchange("bybit", folder, gaps="flat", base_interval="5m", coarser="exchange", note="mine")
        schema = source.schema()
        assert (schema.exchange_name, schema.gaps, schema.base_interval, schema.coarser, schema.note) == (
            "bybit",
            "flat",
            "5m",
            "exchange",
            "mine",
        )
        assert (schema.read_candles, schema.span) == (source.read_candles, source.span)

    def test_coarser_candles_are_resampled_unless_said_otherwise(self, folder: Path) -> None:
        schema = ParquetExchange("bybit", folder).schema()
        assert (schema.coarser, schema.note) == ("resampled", "ParquetExchange over 3 file(s)")
