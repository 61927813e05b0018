"""Tables that leave the framework: one set of named columns, from which every frame, file and page is made.

So all exports of one thing have the same columns, in the same order, with exactly the same numbers. A missing value is
NaN or NaT in pandas, null in polars, arrow, Parquet and JSON, and empty in CSV.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backtestkit.errors import UsageError, suggest
from backtestkit.model.table_column import MISSING_TIME, Cells, TableColumn, TableKind
from backtestkit.runtime.files import write_atomic_now
from backtestkit.runtime.optional import optional_package

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_DTYPES: Final[Mapping[TableKind, Any]] = {
    "text": np.object_, "number": np.float64, "count": np.int64, "flag": np.bool_, "time": np.int64,
}  # fmt: skip
_KINDS: Final[Mapping[str, TableKind]] = {
    "str": "text", "BreakdownBy": "text", "TrendName | None": "text", "int": "count", "bool": "flag",
    "float": "number", "float | None": "number",
}  # fmt: skip
_ROWS_PER_WRITE: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of equal length with their descriptions; `cells` holds one NumPy array a column.

    `to_pandas`, `to_polars`, `to_arrow` give frames with aware UTC datetimes; `to_csv`, `to_json`, `to_parquet` write a
    file, whole or not at all. A notebook shows it as a page.
    """

    columns: tuple[TableColumn, ...]
    cells: tuple[Cells, ...]

    @classmethod
    def of_rows(cls, columns: Sequence[TableColumn], rows: Iterable[Any]) -> Table:
        """What `columns` read from `rows`."""
        listed = list(rows)
        return cls.of_cells(columns, [list(map(column.reader, listed)) for column in columns])

    @classmethod
    def of_cells(cls, columns: Sequence[TableColumn], cells: Sequence[Any]) -> Table:
        """Columns with their values, all of one length; None is missing."""
        made = [_cells(column.kind, values) for column, values in zip(columns, cells, strict=True)]
        assert len({len(values) for values in made}) <= 1, [len(values) for values in made]
        return cls(tuple(columns), tuple(made))

    def __len__(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    def __getitem__(self, name: str) -> Cells:
        names = [column.name for column in self.columns]
        if name not in names:
            raise UsageError(f"the table has no column {name!r}. {suggest(name, names, 'one of these')}")
        return self.cells[names.index(name)]

    def __repr__(self) -> str:
        return f"<Table {len(self)} rows: {', '.join(column.name for column in self.columns)}>"

    def _repr_html_(self) -> str:
        from backtestkit.model.table_html import table_page

        return table_page(self)

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame; times are aware UTC datetimes. Needs pandas."""
        pandas = optional_package("pandas")
        frame: pd.DataFrame = pandas.DataFrame(
            {
                column.name: pandas.to_datetime(_instants(values), utc=True)
                if column.kind == "time"
                else pandas.Series(values, dtype="string" if column.kind == "text" else values.dtype)
                for column, values in zip(self.columns, self.cells, strict=True)
            }
        )
        return frame

    def to_polars(self) -> pl.DataFrame:
        """A polars frame; times are UTC datetimes in ms. Needs polars."""
        frame: pl.DataFrame = optional_package("polars").from_arrow(self.to_arrow())
        return frame

    def to_arrow(self) -> pa.Table:
        """A pyarrow table; times are UTC timestamps in ms. Needs pyarrow."""
        import pyarrow

        types = {
            "text": pyarrow.string(), "number": pyarrow.float64(), "count": pyarrow.int64(), "flag": pyarrow.bool_(),
            "time": pyarrow.timestamp("ms", "UTC"),
        }  # fmt: skip
        return pyarrow.table(
            {
                column.name: pyarrow.array(
                    _instants(values) if column.kind == "time" else values, types[column.kind], from_pandas=True
                )
                for column, values in zip(self.columns, self.cells, strict=True)
            }
        )

    def to_csv(self, path: str | Path) -> Path:
        """Write a CSV file with a header; gives its path. Times are ISO 8601 in UTC, numbers read back bit for bit."""
        return _written(path, self._csv_chunks())

    def to_json(self, path: str | Path) -> Path:
        """Write a JSON list with one object a row; gives its path. Times are ISO 8601 in UTC, numbers as in `to_csv`.

        JSON knows no infinity: such a number becomes null, like one that is missing.
        """
        return _written(path, self._json_chunks())

    def to_parquet(self, path: str | Path) -> Path:
        """Write a Parquet file; gives its path. Times are UTC timestamps in ms."""
        from pyarrow import BufferOutputStream
        from pyarrow.parquet import write_table

        buffer = BufferOutputStream()
        write_table(self.to_arrow(), buffer)
        return _written(path, buffer.getvalue().to_pybytes())

    def _csv_chunks(self) -> Iterator[bytes]:
        import csv
        import io

        texts = [_csv_texts(column.kind, values) for column, values in zip(self.columns, self.cells, strict=True)]
        rows = iter([[column.name for column in self.columns], *zip(*texts, strict=True)])
        for _ in range(0, len(self) + 1, _ROWS_PER_WRITE):
            part = io.StringIO()
            csv.writer(part, lineterminator="\n").writerows(islice(rows, _ROWS_PER_WRITE))
            yield part.getvalue().encode()

    def _json_chunks(self) -> Iterator[bytes]:
        import orjson

        names = [column.name for column in self.columns]
        values = [_json_values(column.kind, cells) for column, cells in zip(self.columns, self.cells, strict=True)]
        lines = [orjson.dumps(dict(zip(names, row, strict=True))) for row in zip(*values, strict=True)]
        yield b"[\n" + b",\n".join(lines) + b"\n]\n" if lines else b"[]\n"


class Tabular(ABC):
    """What is a table at heart: it exports like one, and a notebook shows it.

    These are plain functions: what writes a file returns when the file is on the disk.
    """

    __slots__ = ()

    @abstractmethod
    def to_table(self) -> Table:
        """The table behind all exports, with a description of every column."""

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame; times are aware UTC datetimes. Needs pandas."""
        return self.to_table().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """A polars frame; times are UTC datetimes in ms. Needs polars."""
        return self.to_table().to_polars()

    def to_arrow(self) -> pa.Table:
        """A pyarrow table; times are UTC timestamps in ms. Needs pyarrow."""
        return self.to_table().to_arrow()

    def to_csv(self, path: str | Path) -> Path:
        """Write a CSV file with a header; gives its path. Times are ISO 8601 in UTC, numbers read back bit for bit."""
        return self.to_table().to_csv(path)

    def to_json(self, path: str | Path) -> Path:
        """Write a JSON list with one object a row; gives its path. Times are ISO 8601 in UTC."""
        return self.to_table().to_json(path)

    def to_parquet(self, path: str | Path) -> Path:
        """Write a Parquet file; gives its path. Times are UTC timestamps in ms."""
        return self.to_table().to_parquet(path)

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()


def columns_of(kind: type, path: str = "") -> tuple[TableColumn, ...]:
    """A column for each field of the data class `kind` that is one number, flag or text; `path` leads to it in a row."""
    return tuple(
        TableColumn(one.name, _KINDS[str(one.type)], read=f"{path}{one.name}")
        for one in fields(kind)
        if str(one.type) in _KINDS
    )


def _cells(kind: TableKind, values: Any) -> Cells:
    if kind == "time" and not isinstance(values, np.ndarray):
        assert isinstance(values, list), values
        return np.array([value or MISSING_TIME for value in values], dtype=np.int64)
    if kind == "text":
        made = np.empty(len(values), dtype=np.object_)
        made[:] = values
        return made
    return np.asarray(values, dtype=_DTYPES[kind])


def _instants(stamps: Cells) -> Cells:
    return stamps.astype("datetime64[ms]")


def _iso_times(stamps: Cells) -> list[str | None]:
    texts = np.datetime_as_string(_instants(stamps), unit="ms", timezone="UTC").tolist()
    return [None if text == "NaT" else text for text in texts]


def _csv_texts(kind: TableKind, values: Cells) -> list[Any]:
    if kind == "time":
        return _iso_times(values)
    if kind == "flag":
        return ["true" if value else "false" for value in values.tolist()]
    plain: list[Any] = values.tolist()
    return [None if value != value else value for value in plain] if kind == "number" else plain


def _json_values(kind: TableKind, values: Cells) -> list[Any]:
    plain: list[Any] = _iso_times(values) if kind == "time" else values.tolist()
    return plain


def _written(path: str | Path, content: bytes | Iterable[bytes]) -> Path:
    write_atomic_now(path, content)
    return Path(path)
