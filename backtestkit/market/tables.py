"""Tables in files: Parquet, CSV and JSON as named NumPy columns, before anybody guesses what they mean.

pyarrow is imported inside the functions, and of it only what is used: its data frame and dataset parts cost more than
reading a month of candles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from backtestkit.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

Column: TypeAlias = npt.NDArray[Any]
Table: TypeAlias = dict[str, Column]

_SNIFFED_BYTES = 65_536
_PLAIN: dict[str, np.dtype[Any]] = {
    "double": np.dtype("f8"),
    "float": np.dtype("f4"),
    "int64": np.dtype("i8"),
    "int32": np.dtype("i4"),
}


def read_table(path: Path) -> Table:
    """The columns of a `.parquet`, `.csv`, `.tsv`, `.txt`, `.json` or `.jsonl` file (text also with `.gz`).

    Columns of a CSV file without a header are named "0", "1", .... Raises `DataError` for a file that is missing or no
    such table, `UsageError` for another ending.
    """
    endings = [suffix for suffix in path.suffixes if suffix != ".gz"]
    ending = endings[-1].lower() if endings else ""
    if ending not in _READERS:
        raise UsageError(f"{path}: cannot read {ending or 'a file without ending'}; known are {', '.join(_READERS)}")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    import pyarrow as pa

    try:
        return _READERS[ending](path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as {ending[1:]}: {error}") from error


def read_parquet_table(path: Path) -> Table:
    """The columns of a Parquet file."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path, memory_map=True) as file:
        return _columns(file.read(use_threads=False))


def read_csv_table(path: Path) -> Table:
    """The columns of a text file with commas, semicolons or tabs between them, with or without a header."""
    from pyarrow import csv, input_stream

    with input_stream(path) as stream:
        head = stream.read(_SNIFFED_BYTES)
    first = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip()
    if not first:
        raise DataError(f"{path}: the file is empty")
    delimiter = max(",;\t", key=first.count)
    fields = first.split(delimiter)
    named = not all(_is_number(field) for field in fields[1:])
    names = [field.strip().strip('"') for field in fields] if named else [str(i) for i in range(len(fields))]
    if len(set(names)) != len(names):
        raise DataError(f"{path}: two columns have the same name in the header {first!r}")
    options = csv.ReadOptions(column_names=names, skip_rows=1 if named else 0, use_threads=False)
    with input_stream(path) as stream:
        table = csv.read_csv(stream, read_options=options, parse_options=csv.ParseOptions(delimiter=delimiter))
    return _columns(table)


def read_json_table(path: Path) -> Table:
    """The columns of a JSON file: rows as lists or objects, or columns as lists, also one or two levels down.

    What venues wrap answers in (`{"result": {"list": [...]}}`) is looked through. Lines of JSON are rows.
    """
    import gzip

    import orjson

    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    lines = any(suffix in (".jsonl", ".ndjson") for suffix in path.suffixes)
    data = [orjson.loads(line) for line in text.splitlines() if line.strip()] if lines else orjson.loads(text)
    rows = _rows_in(data, depth=3)
    if rows is None:
        raise DataError(
            f"{path}: found neither rows nor columns; expected [[...], ...], [{{...}}, ...] or {{name: [...]}}"
        )
    if isinstance(rows, Mapping):
        return {str(name): np.asarray(values) for name, values in rows.items()}
    names = list(rows[0]) if isinstance(rows[0], Mapping) else range(len(rows[0]))
    return {str(name): np.asarray([row[name] for row in rows]) for name in names}


def _rows_in(data: Any, depth: int) -> Mapping[str, Sequence[Any]] | Sequence[Any] | None:
    if isinstance(data, list):
        return data if data and isinstance(data[0], list | Mapping) else None
    if not isinstance(data, Mapping) or not depth:
        return None
    if len(data) >= 5 and all(isinstance(values, list) and len(values) > 0 for values in data.values()):
        return data
    found = (_rows_in(value, depth - 1) for value in data.values())
    return next((rows for rows in found if rows is not None), None)


def _columns(table: pa.Table) -> Table:
    import pyarrow as pa

    columns: Table = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            zone = None if pa.types.is_date(column.type) else column.type.tz
            instants = column.cast(pa.timestamp("ms", zone), safe=False).cast(pa.int64())
            columns[name] = column_values(instants).astype("datetime64[ms]")
        elif pa.types.is_decimal(column.type):
            columns[name] = column_values(column.cast(pa.float64()))
        else:
            columns[name] = column_values(column)
    return columns


def column_values(column: pa.ChunkedArray) -> Column:
    """A column as NumPy has it.

    Plain numbers are taken out of their memory: `to_numpy` imports pandas wherever that is installed, which costs more
    than reading a month of candles.
    """
    kind = _PLAIN.get(str(column.type))
    if kind is None or column.null_count or not len(column):
        values: Column = column.to_numpy()
        return values
    chunks = [
        np.frombuffer(chunk.buffers()[1], kind, len(chunk), chunk.offset * kind.itemsize)
        for chunk in column.chunks
        if len(chunk)
    ]
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


def _is_number(text: str) -> bool:
    try:
        float(text.strip().strip('"') or "nan")
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": read_parquet_table,
    ".csv": read_csv_table,
    ".tsv": read_csv_table,
    ".txt": read_csv_table,
    ".json": read_json_table,
    ".jsonl": read_json_table,
    ".ndjson": read_json_table,
}
TABLE_ENDINGS = tuple(_READERS)
