"""A block of stored candles as bytes: one Parquet file that knows whose it is, what it covers and its own hash.

A block holds the candles of one exchange, symbol and interval in one calendar month (one year from 1h on), so that a
year of minutes is twelve files and an append rewrites less than a megabyte. Its metadata says which ranges were
asked of the venue and when: a range without candles inside them is a hole of the market, outside of them nobody
asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from backtestkit.errors import DataError
from backtestkit.market.coverage import Coverage, Range, merge_ranges
from backtestkit.market.tables import column_values
from backtestkit.model.candle import COLUMNS, Candles
from backtestkit.model.interval import from_ms, interval_step_ms, to_ms

FORMAT = 1
_METADATA = b"backtestkit.candles"
_HOUR_MS = 3_600_000
_FETCHES_JOINED_MS = _HOUR_MS


class DamagedBlockError(DataError):
    """A stored block cannot be trusted; `path` is the file."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is damaged: {reason}. Delete the file; what it held is then missing, and is fetched again by the "
            "next read through its exchange or by `backtestkit data download`."
        )


class Fetch(NamedTuple):
    """[since, until) was asked of the venue at `fetched_at` (all ms UTC)."""

    since: int
    until: int
    fetched_at: int


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What a block says of itself without its candles."""

    exchange_name: str
    symbol: str
    interval: str
    fetches: tuple[Fetch, ...]
    rows: int
    digest: str

    @property
    def coverage(self) -> Coverage:
        """The ranges that were asked for."""
        return merge_ranges((fetch.since, fetch.until) for fetch in self.fetches)


@dataclass(frozen=True, slots=True)
class CandleBlock:
    """The stored candles of one market in one period, oldest first, and the fetches they came from."""

    exchange_name: str
    symbol: str
    interval: str
    fetches: tuple[Fetch, ...]
    candles: Candles

    @property
    def coverage(self) -> Coverage:
        """The ranges that were asked for."""
        return merge_ranges((fetch.since, fetch.until) for fetch in self.fetches)

    def replaced(self, fetch: Fetch, candles: Candles) -> CandleBlock:
        """This block with what a new fetch found: inside its range the new candles count and no others."""
        stamps = self.candles.timestamp
        start, stop = (int(i) for i in stamps.searchsorted((fetch.since, fetch.until)))
        parts = [part for part in (self.candles[:start], candles, self.candles[stop:]) if len(part)]
        fetches = join_fetches([*_without(self.fetches, fetch), fetch])
        return CandleBlock(self.exchange_name, self.symbol, self.interval, fetches, Candles.concat(parts))


def block_name(timestamp: int, interval: str) -> str:
    """The name of the block that `timestamp` (ms UTC) belongs to: "2025-06", from 1h on "2025"."""
    return from_ms(timestamp).strftime("%Y-%m" if interval_step_ms(interval) < _HOUR_MS else "%Y")


def block_range(name: str) -> Range:
    """The time that the block `name` is about, ms UTC; `ValueError` for another text."""
    year, _, month = name.partition("-")
    start = datetime(int(year), int(month or 1), 1, tzinfo=UTC)
    months = 1 if month else 12
    end = datetime(start.year + (start.month + months > 12), (start.month + months - 1) % 12 + 1, 1, tzinfo=UTC)
    return to_ms(start), to_ms(end)


def blocks_between(since: int, until: int, interval: str) -> list[tuple[str, Range]]:
    """The blocks that [since, until) touches and the part of it in each, oldest first."""
    parts: list[tuple[str, Range]] = []
    while since < until:
        name = block_name(since, interval)
        end = min(block_range(name)[1], until)
        parts.append((name, (since, end)))
        since = end
    return parts


def join_fetches(fetches: Iterable[Fetch]) -> tuple[Fetch, ...]:
    """Fetches that touch and were made within an hour as one, with the earlier time."""
    joined: list[Fetch] = []
    for fetch in sorted(fetches):
        last = joined[-1] if joined else None
        if last and fetch.since <= last.until and abs(fetch.fetched_at - last.fetched_at) <= _FETCHES_JOINED_MS:
            joined[-1] = Fetch(last.since, max(last.until, fetch.until), min(last.fetched_at, fetch.fetched_at))
        else:
            joined.append(fetch)
    return tuple(joined)


def encode_block(block: CandleBlock) -> bytes:
    """`block` as the content of a Parquet file."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    columns = {name: getattr(block.candles, name) for name in COLUMNS}
    metadata = orjson.dumps(_head_of(block))
    table = pa.table(columns).replace_schema_metadata({_METADATA: metadata})
    sink = pa.BufferOutputStream()
    # Delta and byte-stream-split encodings with a fast codec: smaller than the defaults, and several times faster.
    encoding = {name: "DELTA_BINARY_PACKED" if name == "timestamp" else "BYTE_STREAM_SPLIT" for name in COLUMNS}
    with ParquetWriter(
        sink, table.schema, compression="lz4", use_dictionary=False, column_encoding=encoding, write_statistics=False
    ) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_block(data: bytes, path: Path) -> CandleBlock:
    """The block in `data`, its hash checked; `DamagedBlockError` that names `path` when it is not what was written."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(pa.BufferReader(data)) as file:
            head = _parse_head(file, path)
            table = file.read(list(COLUMNS), use_threads=False)
        stamps, open_, high, low, close, volume = map(column_values, table.columns)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DamagedBlockError(path, f"{type(error).__name__}: {error}") from error
    candles = Candles.from_columns(stamps, open_, high, low, close, volume)
    block = CandleBlock(head.exchange_name, head.symbol, head.interval, head.fetches, candles)
    if _digest(block) != head.digest:
        raise DamagedBlockError(path, "its content does not have the hash that was written with it")
    return block


def read_head(path: Path) -> BlockHead:
    """What the block in `path` says of itself; its candles are neither read nor checked."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            return _parse_head(file, path)
    except (pa.ArrowException, OSError) as error:
        raise DamagedBlockError(path, f"{type(error).__name__}: {error}") from error


def _head_of(block: CandleBlock) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "exchange_name": block.exchange_name,
        "symbol": block.symbol,
        "interval": block.interval,
        "fetches": [list(fetch) for fetch in block.fetches],
        "sha256": _digest(block),
    }


def _parse_head(file: Any, path: Path) -> BlockHead:
    raw = (file.schema_arrow.metadata or {}).get(_METADATA)
    if raw is None:
        raise DamagedBlockError(path, "it is a Parquet file, but no candle block of this program")
    try:
        head = orjson.loads(raw)
        if head["format"] != FORMAT:
            raise DamagedBlockError(path, f"it has format {head['format']}, this program reads {FORMAT}")
        fetches = tuple(Fetch(*map(int, fetch)) for fetch in head["fetches"])
        return BlockHead(
            head["exchange_name"], head["symbol"], head["interval"], fetches, file.metadata.num_rows, head["sha256"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedBlockError(path, f"its metadata cannot be read ({error})") from error


def _digest(block: CandleBlock) -> str:
    """The sha256 of everything a block says and holds, whatever it was compressed with."""
    fetches = [list(fetch) for fetch in block.fetches]
    digest = hashlib.sha256(orjson.dumps([block.exchange_name, block.symbol, block.interval, fetches]))
    for name in COLUMNS:
        column = getattr(block.candles, name)
        digest.update(np.ascontiguousarray(column, dtype="<i8" if name == "timestamp" else "<f8").data)
    return digest.hexdigest()


def _without(fetches: Iterable[Fetch], new: Range | Fetch) -> list[Fetch]:
    """What of `fetches` lies outside the range of `new`."""
    kept = []
    for fetch in fetches:
        kept.append(Fetch(fetch.since, min(fetch.until, new[0]), fetch.fetched_at))
        kept.append(Fetch(max(fetch.since, new[1]), fetch.until, fetch.fetched_at))
    return [fetch for fetch in kept if fetch.since < fetch.until]


def empty_block(exchange_name: str, symbol: str, interval: str) -> CandleBlock:
    """A block about which nothing is known yet."""
    return CandleBlock(exchange_name, symbol, interval, (), Candles.empty())
