"""Candle files from one form into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from backtestkit.errors import DataError, UsageError
from backtestkit.market.layout import Layout, read_layout
from backtestkit.market.tables import read_table
from backtestkit.model.candle import COLUMNS, Candles
from backtestkit.model.interval import iso
from backtestkit.runtime.files import write_atomic


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was read and how, and where it was written."""

    candles: Candles
    layout: Layout
    dropped: int
    target: Path


async def convert(source: Path, target: Path) -> Conversion:
    """Write the candles of `source` (CSV, Parquet, JSON, whatever its columns are called) to `target` in our own form.

    The ending of `target` decides: `.parquet`, `.csv`, `.json` (rows) or `.jsonl` (objects); columns are `timestamp`
    (open time, ms UTC), `open`, `high`, `low`, `close`, `volume`, oldest first. Rows that occur twice are written
    once; two different candles of one time are a `DataError`, and nothing is written.
    """
    encode = _ENCODERS.get(target.suffix.lower())
    if encode is None:
        raise UsageError(
            f"{target}: cannot write {target.suffix or 'a file without ending'}; known are {', '.join(_ENCODERS)}"
        )
    found, layout = read_layout(read_table(source), str(source))
    candles = drop_repeated(found, str(source))
    await write_atomic(target, encode(candles))
    return Conversion(candles, layout, len(found) - len(candles), target)


def drop_repeated(candles: Candles, subject: str) -> Candles:
    """Ordered candles with each time once; two different candles of one time are a `DataError` that shows both."""
    stamps = candles.timestamp
    again = np.flatnonzero(stamps[1:] == stamps[:-1]) + 1
    for name in COLUMNS[1:]:
        column = getattr(candles, name)
        differs = again[column[again] != column[again - 1]]
        if len(differs):
            at = int(differs[0])
            raise DataError(
                f"{subject} has two different candles of {iso(int(stamps[at]))}: {candles[at - 1]} and {candles[at]}. "
                "Remove one of them."
            )
    return candles if not len(again) else candles.take(np.delete(np.arange(len(candles)), again))


def encode_parquet(candles: Candles) -> bytes:
    """A Parquet file of our own form."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    table = pa.table({name: getattr(candles, name) for name in COLUMNS})
    sink = pa.BufferOutputStream()
    with ParquetWriter(sink, table.schema, compression="zstd") as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def encode_csv(candles: Candles) -> bytes:
    """Comma separated text with a header."""
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    table = pa.table({name: getattr(candles, name) for name in COLUMNS})
    csv.write_csv(table, sink, csv.WriteOptions(quoting_style="none"))
    return bytes(sink.getvalue())


def encode_json(candles: Candles) -> bytes:
    """A list of rows in the order of the columns."""
    return orjson.dumps([list(row) for row in candles])


def encode_json_lines(candles: Candles) -> bytes:
    """One object a line."""
    return b"".join(orjson.dumps(row._asdict(), option=orjson.OPT_APPEND_NEWLINE) for row in candles)


_ENCODERS: dict[str, Callable[[Candles], bytes]] = {
    ".parquet": encode_parquet,
    ".csv": encode_csv,
    ".json": encode_json,
    ".jsonl": encode_json_lines,
}
