"""`backtestkit data`: what each command prints, writes and answers."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from backtestkit.apps.cli import main as cli
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.convert import encode_csv, encode_parquet
from backtestkit.model.candle import Candles
from backtestkit.model.interval import parse_time, to_ms

START = to_ms(parse_time("2025-01-06"))
MINUTE = 60_000
LATER = to_ms(parse_time("2030-01-01"))


def load_venue() -> Any:
    """The loopback venue of the market tests."""
    spec = spec_from_file_location("loopback_venue", Path(__file__).parents[1] / "market" / "conftest.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["loopback_venue"] = module
    spec.loader.exec_module(module)
    return module


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["data", *words])
    return int(end.value.code or 0)


def minutes(first: int, last: int, without: Any = ()) -> Candles:
    there = np.array([m for m in range(first, last) if m not in set(without)], dtype=np.int64)
    close = 100 + np.sin(there)
    return Candles.from_columns(START + MINUTE * there, close, close + 1, close - 1, close, np.ones(len(there)))


@pytest.fixture
def venue() -> Iterator[Any]:
    """A venue that serves in a loop of its own, because the command runs another."""
    module = load_venue()
    made = module.LoopbackVenue()
    ready = threading.Event()
    serving: list[asyncio.Event] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        done = asyncio.Event()
        serving.append(done)
        async with module.serving(made):
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield made
    loop.call_soon_threadsafe(serving[0].set)
    thread.join(10)
    loop.close()


class TestDownload:
    def words(self, venue: Any, store: Path, *more: str) -> list[str]:
        options = orjson.dumps(venue.options).decode()
        return ["download", "binance", *more, "--store", str(store), "--market-type", "spot", "--ccxt", options]

    def test_markets_and_intervals_are_brought_into_the_store(
        self, venue: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            venue.candles[symbol, "1m"] = minutes(0, 300)
            venue.candles[symbol, "5m"] = minutes(0, 0)
        words = self.words(venue, tmp_path, "BTC/USDT", "ETHUSDT", "-i", "1m", "-i", "5m")
        times = ["--from", "2025-01-06", "--to", "2025-01-06T05:00"]
        assert run(*words, *times) == 0
        shown = capsys.readouterr().err
        assert "binance-spot BTC/USDT 1m: 300 candles, 2025-01-06 00:00 to 2025-01-06 04:59 UTC" in shown
        assert "binance-spot ETHUSDT 5m: the venue has no candles in that range." in shown
        assert [(m.symbol, m.candles) for m in CandleStore(tmp_path).markets()] == [("BTC/USDT", 300), ("ETHUSDT", 300)]

    def test_a_second_download_asks_for_nothing(
        self, venue: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        venue.candles["BTCUSDT", "1m"] = minutes(0, 300)
        words = self.words(venue, tmp_path, "BTC/USDT", "--from", "2025-01-06", "--to", "2025-01-06T05:00")
        assert run(*words) == 0
        venue.requests.clear()
        assert run(*words) == 0
        assert venue.requests == []
        assert "300 candles" in capsys.readouterr().err
        assert run(*words, "--refresh") == 0
        assert len(venue.asked("api/v3/klines")) == 1

    def test_without_an_end_it_goes_up_to_now(self, venue: Any, tmp_path: Path) -> None:
        venue.candles["BTCUSDT", "1d"] = minutes(0, 0)
        assert run(*self.words(venue, tmp_path, "BTC/USDT", "-i", "1d", "--from", "2025-01-06")) == 0
        assert len(venue.asked("api/v3/klines")) == 1

    @pytest.mark.parametrize(
        ("words", "code", "complaint"),
        [
            (["--from", "2025-01-06", "--to", "2025-01-05"], 2, "must be before"),
            (["--from", "yesterday"], 1, "--from='yesterday' is not a time"),
            (["--from", "2025-01-06", "-i", "7m"], 1, "unknown interval='7m'"),
            (["--from", "2025-01-06", "--ccxt", "{"], 2, "is no JSON"),
            (["--from", "2025-01-06", "--ccxt", "[1]"], 2, "must be an object"),
            ([], 2, "--from"),
        ],
    )
    def test_a_line_that_makes_no_sense_says_why(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, complaint: str
    ) -> None:
        assert run("download", "binance", "BTC/USDT", "--store", str(tmp_path), *words) == code
        assert complaint in capsys.readouterr().err.replace("\n", " ")

    def test_an_unknown_venue_suggests_the_near_ones(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("download", "binanse", "BTC/USDT", "--from", "2025-01-06", "--store", str(tmp_path)) == 1
        assert "ccxt knows no venue 'binanse'. Did you mean 'binance" in capsys.readouterr().err

    def test_an_interruption_says_that_what_came_is_kept(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def interrupted(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("backtestkit.market.ccxt_exchange.CcxtExchange.download", interrupted)
        assert run("download", "binance", "BTC/USDT", "--from", "2025-01-06", "--store", str(tmp_path)) == 130
        assert "What was downloaded is kept" in capsys.readouterr().err


class TestVerify:
    def test_sound_files_end_with_zero_and_are_listed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "a.csv").write_bytes(encode_csv(minutes(0, 50)))
        (tmp_path / "b.parquet").write_bytes(encode_parquet(minutes(0, 50)))
        (tmp_path / "notes.md").write_text("no candles")
        assert run("verify", str(tmp_path)) == 0
        shown = capsys.readouterr().out
        assert "2 looked at: no errors." in shown
        assert shown.count("none") == 2

    def test_an_error_ends_with_one_and_says_where(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(encode_csv(minutes(0, 50, without=[7, 8])))
        assert run("verify", str(path)) == 1
        shown = " ".join(capsys.readouterr().out.split())
        assert "gap (error)" in shown and "2025-01-06 00:07 (2)" in shown and "there are errors." in shown

    def test_gaps_may_be_allowed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(encode_csv(minutes(0, 50, without=[7, 8])))
        assert run("verify", str(path), "--gaps-ok") == 0
        assert "gap" in capsys.readouterr().out

    def test_the_interval_may_be_given(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(encode_csv(minutes(0, 50)))
        assert run("verify", str(path), "-i", "5m") == 1
        assert "misaligned (error)" in capsys.readouterr().out

    def test_a_store_is_verified(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        store = CandleStore(tmp_path)
        asyncio.run(store.write("bybit", "BTCUSDT", "1m", START, START + 50 * MINUTE, minutes(0, 50), LATER))
        assert run("verify", str(tmp_path)) == 0
        assert "bybit BTCUSDT 1m" in capsys.readouterr().out
        next(store.blocks()).write_bytes(b"nonsense")
        assert run("verify", str(tmp_path)) == 1
        assert "damaged (error)" in capsys.readouterr().out

    def test_the_default_is_the_default_store(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert run("verify") == 1
        assert "candle does not exist" in capsys.readouterr().err.replace("\\", "/")

    def test_a_folder_without_candles_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("verify", str(tmp_path)) == 1
        assert "holds neither a candle store nor files that end in .parquet" in capsys.readouterr().err

    def test_an_empty_file_is_an_error(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(encode_csv(Candles.empty()))
        assert run("verify", str(path)) == 1
        assert "no_candles (error)" in capsys.readouterr().out


class TestList:
    def test_each_market_is_a_row(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        store = CandleStore(tmp_path)
        part = minutes(0, 50, without=[7])
        asyncio.run(store.write("bybit", "BTC/USDT:USDT", "1m", START, START + 50 * MINUTE, part, LATER))
        assert run("list", str(tmp_path)) == 0
        row = capsys.readouterr().out.splitlines()[-2].split()
        assert row == [
            "bybit",
            "BTC/USDT:USDT",
            "1m",
            "49",
            "2025-01-06",
            "00:00",
            "2025-01-06",
            "00:50",
            "1",
            "1",
            "0.0",
        ]

    def test_an_empty_store_says_how_to_fill_it(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("list", str(tmp_path)) == 1
        assert "Fill one with: backtestkit data download" in capsys.readouterr().err


class TestConvert:
    def test_the_guess_and_the_result_are_shown(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
        rows = minutes(0, 5).take(np.array([0, 1, 1, 2, 4]))
        lines = [f"{r.timestamp // 1000},{r.open},{r.high},{r.low},{r.close},{r.volume}" for r in rows]
        source.write_text("\n".join(["Date,Open,High,Low,Close,Vol", *lines]))
        assert run("convert", str(source), str(target)) == 0
        shown = capsys.readouterr().out
        assert "timestamp <- Date, open <- Open" in shown and "times in s" in shown
        assert "4 candles of 1m, 2025-01-06 00:00 to 2025-01-06 00:04 UTC, 1 repeated rows left out" in shown
        assert "error: gap (1)" in shown
        assert target.exists()

    def test_no_candles_are_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source = tmp_path / "in.csv"
        source.write_bytes(encode_csv(Candles.empty()))
        assert run("convert", str(source), str(tmp_path / "out.csv")) == 0
        assert "no candles." in capsys.readouterr().out

    def test_what_cannot_be_read_is_an_error(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("convert", str(tmp_path / "none.csv"), str(tmp_path / "out.csv")) == 1
        assert "no such file" in capsys.readouterr().err


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("download", "verify", "list", "convert"))
