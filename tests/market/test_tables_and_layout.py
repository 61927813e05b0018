"""Candle files as the world writes them: columns, units and orders are guessed, and the guess is told."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtestkit.errors import DataError, UsageError
from backtestkit.market.layout import read_layout
from backtestkit.market.tables import column_values, read_table
from backtestkit.model.candle import Candles

START = 1_735_689_600_000  # 2025-01-01
MINUTE = 60_000
ROWS = [(START + i * MINUTE, 100.0 + i, 102.0 + i, 99.0 + i, 101.0 + i, 5.0 * i) for i in range(3)]
EXPECTED = Candles.from_rows(ROWS)


def text(rows: list[tuple[Any, ...]], header: str = "", separator: str = ",") -> str:
    lines = [separator.join(map(str, row)) for row in rows]
    return "\n".join([header, *lines] if header else lines) + "\n"


def load(path: Path) -> tuple[Candles, str]:
    candles, layout = read_layout(read_table(path), path.name)
    return candles, layout.describe()


def csv(tmp_path: Path, content: str, name: str = "x.csv") -> tuple[Candles, str]:
    path = tmp_path / name
    path.write_text(content)
    return load(path)


class TestCsv:
    @pytest.mark.parametrize(
        "header",
        [
            "timestamp,open,high,low,close,volume",
            "Open time,Open,High,Low,Close,Volume",
            "Date,O,H,L,C,V",
            "open_time,open_price,high_price,low_price,close_price,Volume BTC",
            "unix,open,high,low,close,Volume USDT",
            "<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            '"timestamp","open","high","low","close","volume"',
            "\ufefftimestamp,open,high,low,close,volume",
        ],
    )
    def test_names_of_columns_are_guessed(self, tmp_path: Path, header: str) -> None:
        assert csv(tmp_path, text(ROWS, header))[0] == EXPECTED

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_separators_are_guessed(self, tmp_path: Path, separator: str) -> None:
        header = separator.join(["timestamp", "open", "high", "low", "close", "volume"])
        assert csv(tmp_path, text(ROWS, header, separator))[0] == EXPECTED

    def test_binance_klines_have_no_header_and_six_columns_more(self, tmp_path: Path) -> None:
        rows = [(*row, row[0] + 59_999, 1.5, 10, 0.5, 0.25, 0) for row in ROWS]
        candles, guess = csv(tmp_path, text(rows))
        assert candles == EXPECTED
        assert guess.startswith("timestamp <- 0, open <- 1, high <- 2")
        assert guess.endswith("times in ms")

    def test_columns_may_be_in_any_order_with_others_between(self, tmp_path: Path) -> None:
        rows = [(r[5], "x", r[4], r[3], r[2], r[1], r[0]) for r in ROWS]
        assert csv(tmp_path, text(rows, "volume,symbol,close,low,high,open,time"))[0] == EXPECTED

    @pytest.mark.parametrize(
        ("convert", "unit"),
        [
            (lambda t: t // 1000, "s"),
            (lambda t: t / 1000, "s"),
            (lambda t: t, "ms"),
            (lambda t: t * 1000, "us"),
            (lambda t: t * 1_000_000, "ns"),
            (lambda t: datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"), "dates"),
            (lambda t: datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "dates"),
            (lambda t: datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), "ISO text"),
            (lambda t: datetime.fromtimestamp(t / 1000, UTC).strftime("%Y.%m.%d %H:%M"), "ISO text"),
            (lambda t: datetime.fromtimestamp(t / 1000 + 7200, UTC).strftime("%Y-%m-%dT%H:%M:%S+02:00"), "dates"),
        ],
    )
    def test_units_of_times_are_guessed(self, tmp_path: Path, convert: Any, unit: str) -> None:
        rows = [(convert(row[0]), *row[1:]) for row in ROWS]
        candles, guess = csv(tmp_path, text(rows, "timestamp,open,high,low,close,volume"))
        assert candles == EXPECTED
        assert f"times in {unit}" in guess

    @pytest.mark.parametrize("day", ["2025.01.01", "2025-01-01"])
    def test_date_and_time_in_two_columns_are_joined(self, tmp_path: Path, day: str) -> None:
        rows = [(day, f"00:0{i}", *row[1:]) for i, row in enumerate(ROWS)]
        candles, guess = csv(tmp_path, text(rows, "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>"))
        assert candles == EXPECTED
        assert "timestamp <- <DATE> + <TIME>" in guess

    def test_a_date_beside_a_time_since_the_epoch_is_left_alone(self, tmp_path: Path) -> None:
        rows = [(row[0], "2025-01-01", *row[1:]) for row in ROWS]
        assert csv(tmp_path, text(rows, "time,date,open,high,low,close,volume"))[0] == EXPECTED

    def test_newest_first_is_put_in_order_and_said(self, tmp_path: Path) -> None:
        candles, guess = csv(tmp_path, text(ROWS[::-1], "timestamp,open,high,low,close,volume"))
        assert candles == EXPECTED
        assert "rows put in order" in guess

    def test_a_missing_volume_is_zero_and_said(self, tmp_path: Path) -> None:
        candles, guess = csv(tmp_path, text([row[:5] for row in ROWS], "timestamp,open,high,low,close"))
        assert candles.volume.tolist() == [0.0] * 3
        assert "volume <- none, 0.0" in guess

    def test_compressed_text_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "x.csv.gz"
        path.write_bytes(gzip.compress(text(ROWS, "timestamp,open,high,low,close,volume").encode()))
        assert load(path)[0] == EXPECTED

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("", "the file is empty"),
            ("timestamp,open,high,low,close,open\n1,2,3,4,5,6\n", "two columns have the same name"),
            ("time,price\n1735689600000,5\n", "no column for open, high, low, close; it has time, price"),
            ("1735689600000,1,2,3\n", "4 columns without a header"),
            ("timestamp,open,high,low,close,volume\n1735689600000,a,2,1,1,1\n", "column 'open' is not numbers"),
            ("timestamp,open,high,low,close,volume\nyesterday,1,2,1,1,1\n", "holds 'yesterday', which is not a time"),
            ("timestamp,open,high,low,close,volume\n5,1,2,1,1,1\n", "holds 5, which is no time since the epoch"),
            ("timestamp,open,high,low,close,volume\n1,2\n", "cannot be read as csv"),
        ],
    )
    def test_what_cannot_be_read_says_why(self, tmp_path: Path, content: str, complaint: str) -> None:
        with pytest.raises(DataError, match=complaint):
            csv(tmp_path, content)

    def test_a_header_alone_gives_no_candles(self, tmp_path: Path) -> None:
        assert len(csv(tmp_path, "timestamp,open,high,low,close,volume\n")[0]) == 0


class TestJson:
    @pytest.mark.parametrize(
        "data",
        [
            ROWS,
            [[str(value) for value in row] for row in ROWS],
            [dict(zip("tohlcv", row, strict=True)) for row in ROWS],
            {"result": {"symbol": "BTCUSDT", "list": ROWS[::-1]}},
            dict(zip(("timestamp", "open", "high", "low", "close", "volume"), zip(*ROWS, strict=True), strict=True)),
            {"s": "ok", **dict(zip("tohlcv", zip(*ROWS, strict=True), strict=True))} | {"s": ["ok"] * 3},
        ],
        ids=["rows", "text", "objects", "wrapped", "columns", "tradingview"],
    )
    def test_rows_objects_and_columns_are_read(self, tmp_path: Path, data: Any) -> None:
        path = tmp_path / "x.json"
        path.write_bytes(orjson.dumps(data))
        assert load(path)[0] == EXPECTED

    def test_lines_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl.gz"
        lines = b"\n".join(orjson.dumps(dict(zip("tohlcv", row, strict=True))) for row in ROWS) + b"\n\n"
        path.write_bytes(gzip.compress(lines))
        assert load(path)[0] == EXPECTED

    @pytest.mark.parametrize("data", [[], {}, {"a": {"b": {"c": {"d": ROWS}}}}, [1, 2], {"a": []}, 7])
    def test_anything_else_is_refused(self, tmp_path: Path, data: Any) -> None:
        path = tmp_path / "x.json"
        path.write_bytes(orjson.dumps(data))
        with pytest.raises(DataError, match="found neither rows nor columns"):
            load(path)

    def test_broken_json_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="cannot be read as json"):
            csv(tmp_path, "{", "x.json")


class TestParquet:
    @pytest.mark.parametrize(
        "times",
        [
            pa.array([row[0] for row in ROWS]),
            pa.array([row[0] for row in ROWS], pa.timestamp("ms")),
            pa.array([row[0] * 1000 for row in ROWS], pa.timestamp("us", "UTC")),
            pa.array([row[0] * 1_000_000 for row in ROWS], pa.timestamp("ns", "America/New_York")),
        ],
    )
    def test_times_of_every_type_are_instants(self, tmp_path: Path, times: pa.Array) -> None:
        path = tmp_path / "x.parquet"
        columns = {
            name: [row[i] for row in ROWS] for i, name in enumerate(["t", "open", "high", "low", "close", "volume"])
        }
        pq.write_table(pa.table(columns | {"t": times}), path)
        assert load(path)[0] == EXPECTED

    def test_dates_and_decimals_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "x.parquet"
        one = pa.array([1.5], pa.float64()).cast(pa.decimal128(10, 2))
        pq.write_table(
            pa.table({"date": [date(2025, 1, 1)], "open": one, "high": one, "low": one, "close": one, "volume": [3]}),
            path,
        )
        assert list(load(path)[0]) == [(START, 1.5, 1.5, 1.5, 1.5, 3.0)]

    def test_a_broken_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="cannot be read as parquet"):
            csv(tmp_path, "nonsense", "x.parquet")


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    for name, shown in (("x.xlsx", r"cannot read \.xlsx; known are \.parquet, \.csv"), ("x", "a file without ending")):
        with pytest.raises(UsageError, match=shown):
            read_table(tmp_path / name)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "x.csv")


def test_the_order_of_rows_can_be_kept() -> None:
    table = {str(i): np.array(column) for i, column in enumerate(zip(*ROWS[::-1], strict=True))}
    candles, layout = read_layout(table, "x", in_order=False)
    assert candles.timestamp.tolist() == [row[0] for row in ROWS[::-1]]
    assert "put in order" not in layout.describe()


def test_columns_of_several_chunks_and_of_slices_are_whole() -> None:
    chunked = pa.chunked_array([[1.0, 2.0], [3.0], []])
    assert column_values(chunked).tolist() == [1.0, 2.0, 3.0]
    assert column_values(chunked.slice(1)).tolist() == [2.0, 3.0]
    assert column_values(pa.chunked_array([pa.array([1, 2, 3])])[1:]).tolist() == [2, 3]
    assert column_values(pa.chunked_array([], pa.float64())).tolist() == []
    assert np.isnan(column_values(pa.chunked_array([[1.0, None]]))[1])


def test_reading_candles_does_not_import_pandas(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    names = ["timestamp", "open", "high", "low", "close", "volume"]
    pq.write_table(pa.table({name: [row[i] for row in ROWS] for i, name in enumerate(names)}), tmp_path / "x.parquet")
    code = (
        "import sys; from pathlib import Path; from backtestkit.market.tables import read_table; "
        f"assert len(read_table(Path({str(tmp_path / 'x.parquet')!r}))['open']) == 3; sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
