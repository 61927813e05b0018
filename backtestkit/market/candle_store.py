"""Candles on disk: Parquet blocks in folders, read by column, verified on read, added to by several processes.

    <root>/<exchange>/<symbol>/<interval>/2025-06.parquet

A block is replaced as a whole and atomically, under a lock per market, so a reader sees either all of a write or
nothing of it, and two writers lose nothing. Nothing is filled in: what the venue did not have stays a hole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtestkit.errors import DataError
from backtestkit.market.candle_block import (
    CandleBlock,
    DamagedBlockError,
    Fetch,
    block_range,
    blocks_between,
    decode_block,
    empty_block,
    encode_block,
    read_head,
)
from backtestkit.market.coverage import Coverage, Range, clip_ranges, merge_ranges, missing_ranges
from backtestkit.market.safe_names import safe_exchange, safe_symbol
from backtestkit.model.candle import Candles
from backtestkit.model.interval import CANDLE_INTERVALS, INTERVAL_MS, interval_step_ms, iso
from backtestkit.runtime.file_lock import FileLock
from backtestkit.runtime.files import remove_stale_temps, write_atomic

SAFETY_MARGIN_MS = 2_000
DEFAULT_ROOT = Path("dump/data/candle")
_DAMAGED_ENDING = ".damaged"
_BLOCKS = "*.parquet"
_LOCK = ".lock"
_LOCK_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StoredMarket:
    """One market of a store: what its blocks say of themselves."""

    exchange_name: str
    symbol: str
    interval: str
    candles: int
    size_bytes: int
    coverage: Coverage
    blocks: tuple[Path, ...]

    @property
    def missing(self) -> int:
        """Candles that the venue did not have inside the covered ranges."""
        return sum(until - since for since, until in self.coverage) // INTERVAL_MS[self.interval] - self.candles


class CandleStore:
    """Candles by exchange, symbol and interval under one folder."""

    def __init__(self, root: str | Path = DEFAULT_ROOT) -> None:
        """A store in the folder `root`, which is made when something is written."""
        self.root = Path(root)

    def read(
        self, exchange_name: str, symbol: str, interval: str, since: int, until: int
    ) -> tuple[Candles, list[Range]]:
        """What is stored of [since, until) (open times, ms UTC), and the parts of it that nobody fetched yet.

        Raises `DamagedBlockError` that names the file when a block is not what was written.
        """
        folder = self.folder(exchange_name, symbol, interval)
        parts: list[Candles] = []
        covered: list[Range] = []
        for name, (start, end) in blocks_between(since, until, interval):
            path = folder / f"{name}.parquet"
            if path.exists():
                block = self._read_block(path, exchange_name, symbol, interval)
                first, last = block.candles.timestamp.searchsorted((start, end))
                parts.append(block.candles[int(first) : int(last)])
                covered += clip_ranges(block.coverage, start, end)
        return Candles.concat([part for part in parts if len(part)]), missing_ranges(
            merge_ranges(covered), since, until
        )

    async def write(
        self, exchange_name: str, symbol: str, interval: str, since: int, until: int, candles: Candles, fetched_at: int
    ) -> None:
        """Store the answer of the venue for [since, until), asked at `fetched_at` (ms UTC); it replaces an older one.

        Candles that were not closed for two seconds at `fetched_at` are left out together with their time, so that a
        forming one is never stored, also by a clock that runs a little ahead. Raises `DataError`, with nothing changed,
        when `candles` are not in order, on the grid, inside the range, or no candles at all (high below low and such).
        """
        step = interval_step_ms(interval)
        until = min(until, (fetched_at - SAFETY_MARGIN_MS) // step * step)
        since = -(-since // step) * step
        if since >= until:
            return
        candles = candles[: int(candles.timestamp.searchsorted(until))]
        _check(candles, since, step, f"{exchange_name} {symbol} {interval}")
        folder = self.folder(exchange_name, symbol, interval)
        async with FileLock(folder / _LOCK, timeout_seconds=_LOCK_TIMEOUT_SECONDS):
            remove_stale_temps(folder)
            for name, (start, end) in blocks_between(since, until, interval):
                path = folder / f"{name}.parquet"
                old = (
                    self._read_block(path, exchange_name, symbol, interval)
                    if path.exists()
                    else empty_block(exchange_name, symbol, interval)
                )
                first, last = candles.timestamp.searchsorted((start, end))
                new = old.replaced(Fetch(start, end, fetched_at), candles[int(first) : int(last)])
                await write_atomic(path, encode_block(new))

    def markets(self) -> list[StoredMarket]:
        """All markets of the store, by name. Candles are not read."""
        order = {interval: place for place, interval in enumerate(CANDLE_INTERVALS)}
        folders = {path.parent for path in self.blocks()}
        markets = [_market(sorted(folder.glob(_BLOCKS))) for folder in folders]
        return sorted(markets, key=lambda m: (m.exchange_name, m.symbol, order.get(m.interval, 0)))

    def market(self, exchange_name: str, symbol: str, interval: str) -> StoredMarket | None:
        """What is stored of one market, None when nothing is."""
        paths = sorted(self.folder(exchange_name, symbol, interval).glob(_BLOCKS))
        return _market(paths) if paths else None

    def blocks(self) -> Iterator[Path]:
        """The files of all blocks, in the order of their names."""
        return iter(sorted(self.root.glob(f"*/*/*/{_BLOCKS}")))

    def read_block(self, path: Path) -> CandleBlock:
        """One block, verified; `DamagedBlockError` when it is not what was written or lies in the wrong place."""
        block = decode_block(path.read_bytes(), path)
        start, end = _period(path)
        inside = all(start <= fetch.since and fetch.until <= end for fetch in block.fetches)
        if not inside or path.parent != self.folder(block.exchange_name, block.symbol, block.interval):
            raise DamagedBlockError(
                path, f"it holds {block.exchange_name} {block.symbol} {block.interval} of another place"
            )
        return block

    def set_aside(self, path: Path) -> Path:
        """Rename a damaged block, so that what it held counts as missing; returns the new name."""
        return path.replace(path.with_name(path.name + _DAMAGED_ENDING))

    def folder(self, exchange_name: str, symbol: str, interval: str) -> Path:
        """Where the blocks of a market lie."""
        return self.root / safe_exchange(exchange_name) / safe_symbol(symbol) / interval

    def _read_block(self, path: Path, exchange_name: str, symbol: str, interval: str) -> CandleBlock:
        block = self.read_block(path)
        if (block.exchange_name, block.symbol, block.interval) != (exchange_name, symbol, interval):
            raise DamagedBlockError(path, f"it holds {block.exchange_name} {block.symbol} {block.interval}")
        return block


def _market(paths: list[Path]) -> StoredMarket:
    heads = [read_head(path) for path in paths]
    return StoredMarket(
        heads[0].exchange_name,
        heads[0].symbol,
        heads[0].interval,
        candles=sum(head.rows for head in heads),
        size_bytes=sum(path.stat().st_size for path in paths),
        coverage=merge_ranges(span for head in heads for span in head.coverage),
        blocks=tuple(paths),
    )


def _period(path: Path) -> Range:
    try:
        return block_range(path.stem)
    except ValueError:
        raise DamagedBlockError(path, f"{path.stem!r} is no year and no month") from None


def _check(candles: Candles, since: int, step: int, subject: str) -> None:
    stamps = candles.timestamp
    if not len(stamps):
        return
    wrong = np.concatenate(([stamps[0] < since], stamps[1:] <= stamps[:-1])) | (stamps % step != 0)
    if wrong.any():
        raise DataError(
            f"{subject}: the candle of {iso(int(stamps[wrong.argmax()]))} is out of order, off the grid or before "
            f"{iso(since)}; nothing was stored"
        )
    prices = np.stack((candles.open, candles.high, candles.low, candles.close))
    sound = np.isfinite(prices).all(axis=0) & (prices > 0).all(axis=0) & (candles.high >= candles.low)
    sound &= np.isfinite(candles.volume) & (candles.volume >= 0)
    if not sound.all():
        raise DataError(
            f"{subject}: the candle of {iso(int(stamps[sound.argmin()]))} cannot be true; nothing was stored: "
            f"{candles[int(sound.argmin())]}"
        )
