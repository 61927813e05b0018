"""Tables: every frame and file has the same columns and exactly the same numbers."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from backtestkit.errors import UsageError
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.model.table import Table, Tabular, columns_of
from backtestkit.model.table_column import TableColumn
from backtestkit.model.walker import WalkerResult, WalkerStatistics
from backtestkit.runtime.files import Disk, use_disk

COLUMNS = (
    TableColumn("name", "text"),
    TableColumn("price", "number", "quote", "What it cost."),
    TableColumn("count", "count"),
    TableColumn("good", "flag"),
    TableColumn("when", "time"),
)
NOON = 1_735_732_800_123
ROWS: list[tuple[Any, ...]] = [
    ("a", 0.1 + 0.2, 3, True, NOON),
    (None, None, -(2**62), False, None),
    ('quoted, "text"\nof <b>two</b> lines', 1e-308, 0, True, 0),
]


def table(rows: list[tuple[Any, ...]] = ROWS) -> Table:
    return Table.of_cells(COLUMNS, [list(column) for column in zip(*rows, strict=True)] or [[]] * 5)


def numbers(values: Any) -> bytes:
    """The bits of numbers, all missing ones alike."""
    column = np.array([nan if value in (None, "") else float(value) for value in values])
    column[np.isnan(column)] = nan
    return column.tobytes()


FLOATS = st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), max_size=8)


@given(FLOATS)
def test_every_export_has_the_same_numbers_bit_for_bit(tmp_path_factory: Any, values: list[float | None]) -> None:
    folder = tmp_path_factory.mktemp("exports")
    made = Table.of_cells([TableColumn("x", "number")], [values])
    exact = numbers(values)
    assert numbers(made.to_pandas()["x"].tolist()) == exact
    assert numbers(made.to_polars()["x"].to_list()) == exact
    assert numbers(made.to_arrow()["x"].to_pylist()) == exact
    assert numbers(parquet.read_table(made.to_parquet(folder / "x.parquet"))["x"].to_pylist()) == exact
    assert numbers(row["x"] for row in json.loads(made.to_json(folder / "x.json").read_bytes())) == exact
    with made.to_csv(folder / "x.csv").open(newline="") as file:
        assert numbers(row["x"] for row in csv.DictReader(file)) == exact


def test_pandas_has_aware_times_and_marks_what_is_missing() -> None:
    frame = table().to_pandas()
    assert frame.dtypes.astype(str).tolist() == ["string", "float64", "int64", "bool", "datetime64[ms, UTC]"]
    assert frame["when"][0] == pd.Timestamp(NOON, unit="ms", tz="UTC")
    assert frame.isna().sum().tolist() == [1, 1, 0, 0, 2]
    assert frame["count"].tolist() == [3, -(2**62), 0]


def test_polars_has_aware_times_and_nulls() -> None:
    frame = table().to_polars()
    assert frame.schema == {
        "name": pl.String, "price": pl.Float64, "count": pl.Int64, "good": pl.Boolean, "when": pl.Datetime("ms", "UTC"),
    }  # fmt: skip
    assert frame.null_count().row(0) == (1, 1, 0, 0, 2)
    assert frame["when"][0] == datetime(2025, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)


def test_csv_has_iso_times_and_leaves_missing_cells_empty(tmp_path: Path) -> None:
    with table().to_csv(tmp_path / "new" / "a.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["name", "price", "count", "good", "when"],
        ["a", "0.30000000000000004", "3", "true", "2025-01-01T12:00:00.123Z"],
        ["", "", "-4611686018427387904", "false", ""],
        [ROWS[2][0], "1e-308", "0", "true", ""],
    ]


def test_json_is_a_list_of_rows(tmp_path: Path) -> None:
    rows = json.loads(table().to_json(tmp_path / "a.json").read_bytes())
    assert rows[0] == {"name": "a", "price": 0.1 + 0.2, "count": 3, "good": True, "when": "2025-01-01T12:00:00.123Z"}
    assert rows[1] == {"name": None, "price": None, "count": -(2**62), "good": False, "when": None}


def test_infinity_is_kept_except_in_json(tmp_path: Path) -> None:
    made = Table.of_cells([TableColumn("x", "number")], [[inf, -inf]])
    assert made.to_polars()["x"].to_list() == made.to_pandas()["x"].tolist() == [inf, -inf]
    assert made.to_csv(tmp_path / "x.csv").read_text() == "x\ninf\n-inf\n"
    assert json.loads(made.to_json(tmp_path / "x.json").read_bytes()) == [{"x": None}, {"x": None}]


def test_parquet_keeps_types_and_times(tmp_path: Path) -> None:
    read = parquet.read_table(table().to_parquet(tmp_path / "a.parquet"))
    assert read.schema.field("when").type == pa.timestamp("ms", "UTC")
    assert read.equals(table().to_arrow())


def test_a_table_without_rows_keeps_columns_and_types(tmp_path: Path) -> None:
    empty, full = table([]), table()
    assert len(empty) == 0
    assert empty.to_pandas().dtypes.equals(full.to_pandas().dtypes)
    assert empty.to_polars().schema == full.to_polars().schema
    assert empty.to_arrow().schema == full.to_arrow().schema
    assert empty.to_csv(tmp_path / "a.csv").read_text() == "name,price,count,good,when\n"
    assert empty.to_json(tmp_path / "a.json").read_text() == "[]\n"
    assert parquet.read_table(empty.to_parquet(tmp_path / "a.parquet")).schema == full.to_arrow().schema


@pytest.mark.parametrize("rows", [999, 1000, 1001, 2500])
def test_long_tables_are_written_whole(tmp_path: Path, rows: int) -> None:
    made = Table.of_cells([TableColumn("i", "count")], [list(range(rows))])
    lines = made.to_csv(tmp_path / "a.csv").read_text().splitlines()
    assert lines == ["i", *map(str, range(rows))]


class FullDisk(Disk):
    def write(self, file: int, data: bytes | memoryview) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text("old")
    with use_disk(FullDisk()), pytest.raises(OSError, match="No space left"):
        getattr(table(), f"to_{ending}")(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


@pytest.mark.parametrize(("package", "way"), [("pandas", "to_pandas"), ("polars", "to_polars")])
def test_a_missing_package_says_how_to_get_it(package: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(
        UsageError, match=rf"needs the package {package}. Install it with: pip install .backtestkit\[frames\]"
    ):
        getattr(table(), way)()


def test_columns_are_read_by_path_by_function_or_by_name() -> None:
    @dataclass
    class Row:
        price: float
        inner: Any = None

    columns = [
        TableColumn("price", "number"),
        TableColumn("deep", "count", read="inner.real"),
        TableColumn("double", "number", read=lambda row: 2 * row.price),
    ]
    made = Table.of_rows(columns, [Row(1.5, 7)])
    assert [made[name].tolist() for name in ("price", "deep", "double")] == [[1.5], [7], [3.0]]


def test_columns_follow_the_fields_of_a_data_class() -> None:
    from backtestkit.model.analysis import BreakdownRow, EquityFigures

    assert [(c.name, c.kind) for c in columns_of(BreakdownRow)][:4] == [
        ("by", "text"), ("key", "text"), ("trades", "count"), ("win_rate", "number"),
    ]  # fmt: skip
    assert {c.kind for c in columns_of(EquityFigures)} == {"number", "flag", "count"}


class TestPage:
    def test_it_shows_the_first_and_the_last_rows_and_how_many_there_are(self) -> None:
        page = Table.of_cells([TableColumn("i", "count")], [list(range(2000))])._repr_html_()
        assert "showing 10 of 2,000" in page
        assert [f"<td>{i:,}</td>" in page for i in (0, 4, 5, 1994, 1995, 1999)] == [
            True,
            True,
            False,
            False,
            True,
            True,
        ]

    def test_short_tables_are_shown_whole(self) -> None:
        page = table()._repr_html_()
        assert "3 rows" in page and "&#8230;" not in page

    def test_texts_are_escaped_and_nothing_runs_or_loads(self) -> None:
        evil = "<script>alert(1)</script>"
        page = Table.of_cells([TableColumn(evil, "text", about='" onclick="x')], [[evil]])._repr_html_()
        assert "<script" not in page and 'onclick="x' not in page
        assert page.count("&lt;script&gt;") == 2
        assert "http" not in page and "url(" not in page

    def test_values_are_short(self) -> None:
        columns = [
            TableColumn("pnl", "number", "percent"),
            TableColumn("a", "number"),
            TableColumn("b", "number"),
            TableColumn("on", "flag"),
            TableColumn("when", "time"),
            TableColumn("later", "time"),
        ]
        made = Table.of_cells(columns, [[-1.23456], [0.123456789], [12345.678], [True], [NOON - 123], [None]])
        page = made._repr_html_()
        assert '<td class="bk-loss">-1.23</td><td>0.123457</td><td>12,345.68</td><td>yes</td>' in page
        assert '<td class="bk-text">2025-01-01 12:00</td><td class="bk-text"></td>' in page

    def test_seconds_are_shown_where_there_are_some(self) -> None:
        assert "2025-01-01 12:00:05" in Table.of_cells([TableColumn("t", "time")], [[NOON - 123 + 5000]])._repr_html_()


def test_what_is_a_table_at_heart_exports_like_one(tmp_path: Path) -> None:
    class Prices(Tabular):
        def to_table(self) -> Table:
            return table()

    prices = Prices()
    assert prices.to_pandas().equals(table().to_pandas())
    assert prices.to_polars().equals(table().to_polars())
    assert prices.to_arrow().equals(table().to_arrow())
    assert prices.to_csv(tmp_path / "a.csv").read_text() == table().to_csv(tmp_path / "b.csv").read_text()
    assert prices.to_json(tmp_path / "a.json").read_text() == table().to_json(tmp_path / "b.json").read_text()
    assert parquet.read_table(prices.to_parquet(tmp_path / "a.parquet")).equals(table().to_arrow())
    assert prices._repr_html_() == table()._repr_html_()
    assert repr(table()) == "<Table 3 rows: name, price, count, good, when>"


def test_a_column_that_there_is_not_is_refused_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match=r"no column 'prise'\. Did you mean 'price'\?"):
        table()["prise"]


def test_a_walk_has_a_column_for_each_parameter() -> None:
    def result(**params: object) -> WalkerResult:
        return WalkerResult(
            strategy_name="s",
            stats=BacktestStatistics(),
            metric_value=1.0,
            first_event_time=None,
            last_event_time=None,
            params=params,
        )

    walk = WalkerStatistics(
        walker_name="w",
        symbol="BTC",
        exchange_name="x",
        frame_name="f",
        metric="total_pnl",
        total_strategies=2,
        best_strategy=None,
        best_metric=None,
        best_stats=None,
        strategy_results=(result(fast=4, side="short"), result(fast=2.5, side="long")),
    )
    table = walk.to_table()
    assert table["params.fast"].tolist() == [2.5, 4.0]
    assert table["params.side"].tolist() == ["long", "short"]
