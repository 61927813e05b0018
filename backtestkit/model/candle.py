"""Candles as columns: one read-only block of arrays, never a list of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from backtestkit.errors import DataError
from backtestkit.runtime.optional import optional_package

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


class Candle(NamedTuple):
    """One row. `timestamp` is the open time in ms UTC; prices are quote currency, volume is base currency."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Candles:
    """Candles of one market and interval, oldest first, as read-only NumPy columns.

    `timestamp` is int64, the open time in ms UTC; `open`, `high`, `low`, `close`, `volume` are float64; all have shape
    `(n,)`. `filled` marks candles that stand for a hole (`gaps="flat"`), None when there are none. Iterating gives
    `Candle` rows, an integer index one row, a slice another `Candles` over the same memory.
    """

    __slots__ = ("close", "filled", "high", "low", "open", "timestamp", "volume")

    def __init__(
        self,
        timestamp: Integers,
        open: Floats,
        high: Floats,
        low: Floats,
        close: Floats,
        volume: Floats,
        filled: Flags | None = None,
    ) -> None:
        """Take over the columns as they are: the caller promises equal lengths and dtypes. `from_columns` checks."""
        self.timestamp, self.open, self.high, self.low = timestamp, open, high, low
        self.close, self.volume, self.filled = close, volume, filled

    @classmethod
    def from_columns(
        cls,
        timestamp: npt.ArrayLike,
        open: npt.ArrayLike,
        high: npt.ArrayLike,
        low: npt.ArrayLike,
        close: npt.ArrayLike,
        volume: npt.ArrayLike,
        filled: npt.ArrayLike | None = None,
    ) -> Candles:
        """Copy columns of any numeric kind into one contiguous block; unequal lengths raise `DataError`."""
        return cls._copied(timestamp, (open, high, low, close, volume), filled)

    @classmethod
    def from_rows(cls, rows: Iterable[Candle | Sequence[float] | Mapping[str, Any]]) -> Candles:
        """Candles from rows: `Candle`s, sequences in the order of `COLUMNS`, or mappings with those keys."""
        listed: list[Any] = list(rows)
        if not listed:
            return cls.empty()
        if isinstance(listed[0], Mapping):
            try:
                listed = [[row[name] for name in COLUMNS] for row in listed]
            except (KeyError, TypeError) as error:
                raise DataError(f"a candle row lacks {error}; each needs {', '.join(COLUMNS)}") from None
        try:
            values = np.array(listed, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"candle rows are not numbers in the order {', '.join(COLUMNS)}: {error}") from None
        if values.ndim != 2 or values.shape[1] < 6:
            raise DataError(f"candle rows have shape {values.shape}; expected (n, 6) in the order {', '.join(COLUMNS)}")
        return cls._copied(values[:, 0], [values[:, i] for i in range(1, 6)])

    @classmethod
    def coerce(cls, data: Any) -> Candles:
        """`Candles` from what a data source answers: itself, an `(n, 6)` array, rows, a pandas, polars or arrow table.

        Times of tables may be datetimes, in pandas also as the index. Anything else raises `DataError`.
        """
        if isinstance(data, Candles):
            return data
        if isinstance(data, np.ndarray) and data.dtype.names is None:
            if data.size == 0:
                return cls.empty()
            if data.ndim != 2 or data.shape[1] < 6:
                raise DataError(
                    f"candle array has shape {data.shape}; expected (n, 6) in the order {', '.join(COLUMNS)}"
                )
            return cls._copied(data[:, 0], [data[:, i] for i in range(1, 6)])
        names = getattr(data, "column_names", None) or getattr(data, "columns", None)
        if names is not None:
            named = [str(name) for name in names]
            index: Any = getattr(data, "index", None)
            if "timestamp" not in named and getattr(index, "dtype", None) is not None and index.dtype.kind == "M":
                return cls.coerce(data.assign(timestamp=index))
            missing = [name for name in COLUMNS if name not in named]
            if missing:
                raise DataError(f"candle table lacks {', '.join(missing)}; it has {', '.join(named)}")
            return cls._copied(data[COLUMNS[0]], [data[name] for name in COLUMNS[1:]])
        if isinstance(data, Iterable):
            return cls.from_rows(data)
        raise DataError(
            f"candles cannot be made from {type(data).__name__}; answer rows, an (n, 6) array, a table or Candles"
        )

    @classmethod
    def empty(cls) -> Candles:
        """No candles."""
        none = np.empty(0, dtype=np.float64)
        return cls.from_columns(np.empty(0, dtype=np.int64), none, none, none, none, none)

    @classmethod
    def concat(cls, parts: Sequence[Candles]) -> Candles:
        """The parts one after another, as one block."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        stamps, *columns = (np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS)
        filled = None
        if any(part.filled is not None for part in parts):
            filled = np.concatenate([np.zeros(len(p), np.bool_) if p.filled is None else p.filled for p in parts])
        return cls._copied(stamps, columns, filled)

    def copy(self) -> Candles:
        """The same candles in memory of their own: a slice keeps all of the memory alive that it was cut from."""
        return self._copied(self.timestamp, [getattr(self, name) for name in COLUMNS[1:]], self.filled)

    def take(self, index: npt.NDArray[np.intp]) -> Candles:
        """The candles at the positions `index`, in that order, copied."""
        filled = None if self.filled is None else self.filled[index]
        return self._copied(self.timestamp[index], [getattr(self, name)[index] for name in COLUMNS[1:]], filled)

    @classmethod
    def _copied(
        cls, timestamp: npt.ArrayLike, columns: Iterable[npt.ArrayLike], filled: npt.ArrayLike | None = None
    ) -> Candles:
        stamps = _milliseconds(timestamp)
        block = np.empty((5, len(stamps)), dtype=np.float64)
        for i, (name, column) in enumerate(zip(COLUMNS[1:], columns, strict=True)):
            values = np.asarray(column, dtype=np.float64)
            if values.shape != stamps.shape:
                raise DataError(f"candle column {name!r} has shape {values.shape}, timestamp has {stamps.shape}")
            block[i] = values
        flags = None if filled is None else np.array(filled, dtype=np.bool_)
        marks = None if flags is None or not flags.any() else _frozen(flags)
        open, high, low, close, volume = _frozen(block)
        return cls(_frozen(stamps), open, high, low, close, volume, marks)

    def __len__(self) -> int:
        return len(self.timestamp)

    def __iter__(self) -> Iterator[Candle]:
        for row in zip(*(getattr(self, name).tolist() for name in COLUMNS), strict=True):
            yield Candle(*row)

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: slice) -> Candles: ...
    def __getitem__(self, index: int | slice) -> Candle | Candles:
        if isinstance(index, slice):
            filled = None if self.filled is None else self.filled[index]
            return Candles(
                self.timestamp[index], self.open[index], self.high[index], self.low[index],
                self.close[index], self.volume[index], filled,
            )  # fmt: skip
        return Candle(
            int(self.timestamp[index]), float(self.open[index]), float(self.high[index]),
            float(self.low[index]), float(self.close[index]), float(self.volume[index]),
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Candles):
            return NotImplemented
        return len(self) == len(other) and all(np.array_equal(getattr(self, n), getattr(other, n)) for n in COLUMNS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        from backtestkit.model.interval import iso

        span = f" {iso(int(self.timestamp[0]))} .. {iso(int(self.timestamp[-1]))}" if len(self) else ""
        return f"<Candles {len(self)}{span}>"

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame indexed by aware UTC open time. Needs pandas."""
        pandas = optional_package("pandas")
        index = pandas.to_datetime(self.timestamp, unit="ms", utc=True).rename("timestamp")
        frame: pd.DataFrame = pandas.DataFrame({name: getattr(self, name) for name in COLUMNS[1:]}, index=index)
        return frame

    def to_polars(self) -> pl.DataFrame:
        """A polars frame; `timestamp` is a UTC datetime in ms. Needs polars."""
        polars = optional_package("polars")
        frame = polars.DataFrame({name: getattr(self, name) for name in COLUMNS})
        timed: pl.DataFrame = frame.with_columns(polars.col("timestamp").cast(polars.Datetime("ms", "UTC")))
        return timed

    def to_arrow(self) -> pa.Table:
        """A pyarrow table; `timestamp` stays int64 ms. Needs pyarrow."""
        import pyarrow

        return pyarrow.table({name: getattr(self, name) for name in COLUMNS})


def _milliseconds(times: npt.ArrayLike) -> Integers:
    """A copy of `times` as ms UTC: numbers are ms, datetimes are instants (without a zone in UTC)."""
    values = np.asarray(times)
    if values.dtype == object:
        # How pandas shows times with a zone to those who do not ask for a type.
        values = np.asarray(times, dtype="datetime64[ms]")
    if values.dtype.kind == "M":
        values = values.astype("datetime64[ms]")
    stamps: Integers = values.astype(np.int64)
    return stamps


def _frozen(array: npt.NDArray[Any]) -> Any:
    array.flags.writeable = False
    return array
