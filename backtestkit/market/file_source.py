"""Exchanges out of files: which file holds which market, and their candles as columns in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np

from backtestkit.errors import DataError, UsageError
from backtestkit.market.layout import read_layout
from backtestkit.market.tables import read_table
from backtestkit.model.candle import COLUMNS, Candles
from backtestkit.model.interval import CANDLE_INTERVALS, interval_step_ms, iso

if TYPE_CHECKING:
    from backtestkit.model.interval import CandleInterval
    from backtestkit.model.schema import ExchangeCallbacks, ExchangeSchema

AnyPath: TypeAlias = str | PathLike[str]
Source: TypeAlias = AnyPath | Sequence[AnyPath] | Mapping[str, AnyPath | Sequence[AnyPath]]

_NAME = re.compile(r"^(?P<market>.+?)[_-](?P<interval>\d+(?:s|m|h|d|w|M))(?:[_-].*)?$")


@dataclass(frozen=True, slots=True)
class MarketFile:
    """A file and what its name says: the market's names from the most to the least specific, and the interval."""

    path: Path
    names: tuple[str, ...]
    interval: str | None

    @classmethod
    def of(cls, path: Path, symbol: str | None = None) -> MarketFile:
        """Read a name such as `BYBIT_BTCUSDT-PERP_1m_20250529_20250629.parquet`, `BTC_USDT-1h.csv` or `BTCUSDT.csv`."""
        stem = path.name.split(".")[0]
        match = _NAME.match(stem)
        market = match["market"] if match else stem
        tokens = market.split("_")
        names = ["_".join(tokens[start:]) for start in range(len(tokens))]
        return cls(path, (symbol,) if symbol else tuple(names), match["interval"] if match else None)

    @property
    def symbol(self) -> str:
        """The name shown for the market: what follows the exchange in the file name."""
        return self.names[1] if len(self.names) == 2 else self.names[0]


class FileExchange:
    """Base of the exchanges that read files: finds the file of a market, keeps its candles in memory."""

    endings: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        exchange_name: str,
        source: Source,
        *,
        gaps: Literal["refuse", "skip", "flat"] = "refuse",
        base_interval: CandleInterval = "1m",
        coarser: Literal["exchange", "resampled"] = "resampled",
        note: str = "",
        callbacks: ExchangeCallbacks | None = None,
    ) -> None:
        """An exchange over `source`: a file, a folder, several of them, or a mapping of symbols to files.

        The market of a file is taken from its name: `BYBIT_BTCUSDT-PERP_1m_....parquet` answers to "BTCUSDT-PERP", to
        "BYBIT_BTCUSDT-PERP", and to "BTCUSDT" as long as no other file does; case, "/" and "_" do not matter. Of a
        folder in which files begin with `exchange_name`, only those count. With a mapping the symbols are the given
        ones. Files of the same market and interval are joined.

        `coarser="exchange"` reads coarser candles from files of their own instead of making them from `base_interval`.
        """
        self.exchange_name, self.gaps, self.base_interval = exchange_name, gaps, base_interval
        self.coarser, self.note, self.callbacks = coarser, note, callbacks
        interval_step_ms(base_interval)
        self.files = tuple(self._find(source))
        self._loaded: dict[tuple[str, str], Candles] = {}

    def schema(self) -> ExchangeSchema:
        """What `add_exchange` registers."""
        from backtestkit.model.schema import ExchangeSchema

        return ExchangeSchema(
            exchange_name=self.exchange_name,
            note=self.note or f"{type(self).__name__} over {len(self.files)} file(s)",
            read_candles=self.read_candles,
            span=self.span,
            gaps=self.gaps,
            base_interval=self.base_interval,
            coarser=self.coarser,
            callbacks=self.callbacks,
        )

    def read_candles(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        """What the files hold with open time in [since, until), ms UTC. `DataError` when no file is about it."""
        candles = self._market(symbol, interval)
        start, stop = candles.timestamp.searchsorted((since, until))
        return candles[int(start) : int(stop)]

    def span(self, symbol: str, interval: str) -> tuple[int, int] | None:
        """First and last open time in the files of this market, ms UTC."""
        candles = self._market(symbol, interval)
        return (int(candles.timestamp[0]), int(candles.timestamp[-1])) if len(candles) else None

    def _market(self, symbol: str, interval: str) -> Candles:
        key = (symbol, interval)
        if key not in self._loaded:
            self._loaded[key] = _join([self._read(file, interval) for file in self._files_of(symbol, interval)])
        return self._loaded[key]

    def _files_of(self, symbol: str, interval: str) -> list[MarketFile]:
        wanted = _key(symbol)
        of_symbol = [file for file in self.files if wanted in map(_key, file.names)]
        if not of_symbol:
            of_symbol = [file for file in self.files if wanted in (_key(name.split("-")[0]) for name in file.names)]
        # Candles that no interval stands for, such as those of a second, do not make a market ambiguous.
        of_symbol = [file for file in of_symbol if file.interval in (None, *CANDLE_INTERVALS)] or of_symbol
        there = ", ".join(sorted({f"{file.symbol} {file.interval or self.base_interval}" for file in self.files}))
        if not of_symbol:
            raise DataError(
                f"{self.exchange_name}: no file is about {symbol!r}. There are: {there}. If one of them is, say which: "
                f"{type(self).__name__}({self.exchange_name!r}, {{{symbol!r}: {str(self.files[0].path)!r}}})"
            )
        markets = sorted({file.names[0] for file in of_symbol})
        if len(markets) > 1:
            raise DataError(f"{self.exchange_name}: {symbol!r} may be {' or '.join(markets)}; use one of these names")
        files = [file for file in of_symbol if (file.interval or self.base_interval) == interval]
        if not files:
            finer = [file.interval for file in of_symbol if file.interval not in CANDLE_INTERVALS]
            advice = (
                f"Candles of {finer[0]} are finer than 1m, the finest interval there is; make 1m candles of them first."
                if finer
                else f"Set base_interval={of_symbol[0].interval!r} if these are the finest."
                if interval == self.base_interval
                else "With coarser='resampled' it is made from the base interval."
            )
            raise DataError(f"{self.exchange_name}: no {interval} file of {symbol!r}. There are: {there}. {advice}")
        return files

    def _read(self, file: MarketFile, interval: str) -> Candles:
        candles, _ = read_layout(read_table(file.path), str(file.path))
        stamps, step = candles.timestamp, interval_step_ms(interval)
        repeated = stamps[1:][stamps[1:] == stamps[:-1]]
        if len(repeated):
            raise DataError(
                f"{file.path}: {len(repeated)} repeated times, the first {iso(int(repeated[0]))}. "
                f"Find them with `backtestkit data verify {file.path}`."
            )
        off = stamps[stamps % step != 0]
        if len(off):
            raise DataError(
                f"{file.path}: {len(off)} times are no multiple of {interval}, the first {iso(int(off[0]))}. Times are "
                "open times in UTC; give base_interval if the candles are of another interval."
            )
        return candles

    def _find(self, source: Source) -> Iterable[MarketFile]:
        if isinstance(source, Mapping):
            pairs = [(symbol, path) for symbol, paths in source.items() for path in _listed(paths)]
        else:
            pairs = [("", path) for path in _listed(source)]
        found = []
        for symbol, path in pairs:
            if not path.exists():
                raise UsageError(f"{type(self).__name__}: {path} does not exist")
            paths = [path]
            if path.is_dir():
                paths = sorted(file for file in path.iterdir() if file.name.lower().endswith(self.endings))
            if not paths:
                raise UsageError(
                    f"{type(self).__name__}: {path} holds no file that ends in {' or '.join(self.endings)}"
                )
            files = [MarketFile.of(file, symbol or None) for file in paths]
            if path.is_dir() and not symbol:
                own = [file for file in files if _key(file.names[0].split("_")[0]) == _key(self.exchange_name)]
                files = own or files
            found += files
        return found


def _listed(paths: AnyPath | Sequence[AnyPath]) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | PathLike) else [Path(path) for path in paths]


def _key(name: str) -> str:
    return name.upper().replace("/", "").replace("_", "")


def _join(parts: list[Candles]) -> Candles:
    """Several files of one market as one; a time that two of them have must have the same candle in both."""
    ordered = sorted((part for part in parts if len(part)), key=lambda part: int(part.timestamp[0]))
    joined = Candles.concat(ordered)
    stamps = joined.timestamp
    if (stamps[1:] > stamps[:-1]).all():
        return joined
    joined = joined.take(stamps.argsort(kind="stable"))
    repeated = (joined.timestamp[1:] == joined.timestamp[:-1]).nonzero()[0]
    for name in COLUMNS[1:]:
        column = getattr(joined, name)
        differs = repeated[column[repeated] != column[repeated + 1]]
        if len(differs):
            raise DataError(
                f"two files have different candles for {iso(int(joined.timestamp[differs[0]]))} ({name} "
                f"{column[differs[0]]:g} and {column[differs[0] + 1]:g}); leave one of them out"
            )
    first = np.concatenate(([True], joined.timestamp[1:] != joined.timestamp[:-1]))
    return joined.take(np.flatnonzero(first))
