"""Candles are read-only columns, made from whatever a data source answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backtestkit.errors import DataError, UsageError
from backtestkit.model.candle import COLUMNS, Candle, Candles

ROWS = [(0, 1.0, 2.0, 0.5, 1.5, 10.0), (60_000, 1.5, 2.5, 1.0, 2.0, 0.0), (120_000, 2.0, 2.0, 2.0, 2.0, 3.0)]


@pytest.fixture
def three() -> Candles:
    return Candles.from_rows(ROWS)


def as_columns() -> dict[str, list[float]]:
    return {name: [row[i] for row in ROWS] for i, name in enumerate(COLUMNS)}


class TestMaking:
    @pytest.mark.parametrize(
        "data",
        [
            ROWS,
            (row for row in ROWS),
            [Candle(*row) for row in ROWS],
            [dict(zip(COLUMNS, row, strict=True)) for row in ROWS],
            [(*row, "ignored", 7)[:6] for row in ROWS],
            np.array(ROWS),
            np.array([(*row, 99.0) for row in ROWS]),
            pd.DataFrame(as_columns()),
            pl.DataFrame(as_columns()),
            pa.table(as_columns()),
        ],
        ids=["tuples", "iterator", "candles", "mappings", "lists", "array", "wide", "pandas", "polars", "arrow"],
    )
    def test_every_shape_of_answer_gives_the_same_candles(self, data: Any, three: Candles) -> None:
        made = Candles.coerce(data)
        assert made == three
        assert made.timestamp.dtype == np.int64
        assert all(getattr(made, name).dtype == np.float64 for name in COLUMNS[1:])

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_times_of_tables_may_be_datetimes_of_any_resolution(self, three: Candles, unit: str) -> None:
        times = three.timestamp.astype("datetime64[ms]").astype(f"datetime64[{unit}]")
        frame = pd.DataFrame(as_columns()).assign(timestamp=times)
        assert Candles.coerce(frame) == three
        assert Candles.coerce(frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC"))) == three
        east = frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
        assert Candles.coerce(east) == three
        assert Candles.coerce(frame.set_index("timestamp")) == three

    def test_what_candles_give_they_take_back(self, three: Candles) -> None:
        assert Candles.coerce(three.to_pandas()) == three
        assert Candles.coerce(three.to_polars()) == three
        assert Candles.coerce(three.to_arrow()) == three

    def test_candles_stay_what_they_are(self, three: Candles) -> None:
        assert Candles.coerce(three) is three

    @pytest.mark.parametrize("data", [[], np.empty((0, 6)), iter([])])
    def test_nothing_gives_no_candles(self, data: Any) -> None:
        assert len(Candles.coerce(data)) == 0

    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            (7, "candles cannot be made from int"),
            ([(1, 2, 3)], r"have shape \(1, 3\)"),
            ([("a", 1, 2, 3, 4, 5)], "are not numbers"),
            ([{"timestamp": 0}], "lacks 'open'"),
            (np.zeros((2, 3)), r"array has shape \(2, 3\)"),
            (pd.DataFrame({"timestamp": [1], "open": [1.0]}), "lacks high, low, close, volume; it has timestamp, open"),
        ],
    )
    def test_what_is_no_candles_says_why(self, data: Any, complaint: str) -> None:
        with pytest.raises(DataError, match=complaint):
            Candles.coerce(data)

    def test_columns_must_be_equally_long(self) -> None:
        with pytest.raises(DataError, match="'low' has shape"):
            Candles.from_columns([0, 1], [1, 1], [1, 1], [1], [1, 1], [1, 1])

    def test_marks_that_mark_nothing_are_none(self) -> None:
        one = [1.0]
        assert Candles.from_columns([0], one, one, one, one, one, filled=[False]).filled is None
        filled = Candles.from_columns([0], one, one, one, one, one, filled=[True]).filled
        assert filled is not None and filled.tolist() == [True]


class TestReading:
    def test_columns_cannot_be_written(self, three: Candles) -> None:
        for name in COLUMNS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(three, name)[0] = 1

    def test_an_index_gives_a_row_of_plain_numbers(self, three: Candles) -> None:
        assert three[-1] == Candle(*ROWS[-1])
        assert [type(value) for value in three[0]] == [int, float, float, float, float, float]

    def test_iterating_gives_rows(self, three: Candles) -> None:
        assert list(three) == [Candle(*row) for row in ROWS]

    def test_a_slice_is_a_view(self, three: Candles) -> None:
        part = three[1:]
        assert list(part) == [Candle(*row) for row in ROWS[1:]]
        assert np.shares_memory(part.close, three.close)

    def test_a_copy_is_not(self, three: Candles) -> None:
        copy = three[1:].copy()
        assert copy == three[1:]
        assert not np.shares_memory(copy.close, three.close)

    def test_taking_chooses_and_orders(self, three: Candles) -> None:
        assert [row.timestamp for row in three.take(np.array([2, 0]))] == [120_000, 0]

    def test_equality_is_by_value_and_only_among_candles(self, three: Candles) -> None:
        assert three == Candles.from_rows(ROWS)
        assert three != three[1:]
        assert three != "three"

    def test_the_text_shows_size_and_span(self, three: Candles) -> None:
        assert repr(three) == "<Candles 3 1970-01-01 00:00 .. 1970-01-01 00:02>"
        assert repr(Candles.empty()) == "<Candles 0>"


class TestJoining:
    def test_parts_are_joined_in_their_order(self, three: Candles) -> None:
        assert Candles.concat([three[:1], three[1:]]) == three
        assert Candles.concat([three]) is three
        assert len(Candles.concat([])) == 0

    def test_marks_are_joined_too(self, three: Candles) -> None:
        columns = three.timestamp, three.open, three.high, three.low, three.close, three.volume
        marked = Candles.from_columns(*columns, [True, False, False])
        joined = Candles.concat([three, marked])
        assert joined.filled is not None and joined.filled.tolist() == [False, False, False, True, False, False]
        assert joined[3:].filled is not None
        assert marked.take(np.array([1, 2])).filled is None


class TestTables:
    def test_pandas_has_aware_times(self, three: Candles) -> None:
        frame = three.to_pandas()
        assert str(frame.index.to_series().dt.tz) == "UTC"
        assert frame["close"].tolist() == [1.5, 2.0, 2.0]

    def test_polars_has_aware_times(self, three: Candles) -> None:
        assert three.to_polars().schema["timestamp"] == pl.Datetime("ms", "UTC")

    def test_arrow_keeps_milliseconds(self, three: Candles) -> None:
        assert three.to_arrow().column("timestamp").to_pylist() == [0, 60_000, 120_000]

    def test_a_missing_library_says_how_to_get_it(self, three: Candles, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "polars", None)
        with pytest.raises(UsageError, match=r"pip install .backtestkit\[frames\]"):
            three.to_polars()
