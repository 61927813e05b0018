"""Which column of a table is what, and in what unit its times are: guessed from names and magnitudes, and told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from backtestkit.errors import DataError
from backtestkit.market.tables import Column, Table
from backtestkit.model.candle import COLUMNS, Candles, Integers

# Names without case, blanks and punctuation; earlier ones win.
_ALIASES: dict[str, tuple[str, ...]] = {
    "timestamp": (
        "timestamp", "opentime", "opentimestamp", "time", "datetime", "date", "ts", "t", "unix", "unixtime", "start",
        "starttime", "periodstartunix", "gmttime", "begin",
    ),
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "max", "highprice"),
    "low": ("low", "l", "min", "lowprice"),
    "close": ("close", "c", "last", "closeprice"),
    "volume": ("volume", "vol", "v", "basevolume", "volumebase", "tickvolume", "qty", "amount"),
}  # fmt: skip
# Unit, smallest and largest epoch time that is read as such (1973 to 5138), units in a millisecond (0: seconds).
_UNITS = (("s", 1e8, 1e11, 0), ("ms", 1e11, 1e14, 1), ("us", 1e14, 1e17, 1000), ("ns", 1e17, 9.3e18, 1_000_000))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table was read: the column taken for each of `COLUMNS` (None: there is none), and the unit of its times."""

    columns: dict[str, str | None]
    time_unit: str
    reordered: bool

    def describe(self) -> str:
        """The guess as a line for people."""
        parts = [f"{name} <- {column or 'none, 0.0'}" for name, column in self.columns.items()]
        return ", ".join(parts) + f"; times in {self.time_unit}" + ("; rows put in order" if self.reordered else "")


def read_layout(table: Table, subject: str, *, in_order: bool = True) -> tuple[Candles, Layout]:
    """The candles in `table`, oldest first unless `in_order` is False, and how they were found.

    Repeated times are kept.

    A table without volume gets 0.0. Raises `DataError` that lists the columns when one cannot be told, or a value is no
    number or no time.
    """
    columns = _guess(list(table), subject)
    times = _times(table, columns)
    stamps, unit = _milliseconds(times, f"{subject}: column {columns['timestamp']!r}")
    values = [
        np.zeros(len(stamps)) if name is None else _numbers(table[name], f"{subject}: column {name!r}")
        for name in (columns[field] for field in COLUMNS[1:])
    ]
    open_, high, low, close, volume = values
    candles = Candles.from_columns(stamps, open_, high, low, close, volume)
    reordered = bool((stamps[1:] < stamps[:-1]).any())
    if reordered and in_order:
        candles = candles.take(np.argsort(stamps, kind="stable"))
    return candles, Layout(columns, unit, reordered and in_order)


def _guess(names: list[str], subject: str) -> dict[str, str | None]:
    if names == [str(i) for i in range(len(names))]:
        if len(names) < 6:
            raise DataError(
                f"{subject}: {len(names)} columns without a header; without one they must be "
                f"{', '.join(COLUMNS)}, in that order"
            )
        return dict(zip(COLUMNS, names, strict=False))
    columns = {field: _find(names, aliases) for field, aliases in _ALIASES.items()}
    if columns["volume"] is None:
        columns["volume"] = next((name for name in names if _plain(name).startswith("volume")), None)
    missing = [field for field, name in columns.items() if name is None and field != "volume"]
    if missing:
        raise DataError(
            f"{subject}: no column for {', '.join(missing)}; it has {', '.join(names)}. Rename the columns to "
            f"{', '.join(COLUMNS)}."
        )
    return columns


def _find(names: list[str], aliases: tuple[str, ...]) -> str | None:
    plain = {_plain(name): name for name in reversed(names)}
    return next((plain[alias] for alias in aliases if alias in plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _times(table: Table, columns: dict[str, str | None]) -> Column:
    """The column of times; a date and a time of day in two columns are joined."""
    names = list(table)
    day, clock = _find(names, ("date",)), _find(names, ("time",))
    if day is None or clock is None or table[clock].dtype.kind in "iuf":
        assert columns["timestamp"] is not None, "the guess fails without a time column"
        return table[columns["timestamp"]]
    columns["timestamp"] = f"{day} + {clock}"
    days = table[day].astype("datetime64[D]").astype(str) if table[day].dtype.kind == "M" else table[day]
    return np.array([f"{date} {time}" for date, time in zip(days.tolist(), table[clock].tolist(), strict=True)])


def _numbers(column: Column, subject: str) -> Column:
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{subject} is not numbers: {error}") from None


def _milliseconds(column: Column, subject: str) -> tuple[Integers, str]:
    if column.dtype.kind == "M":
        return column.astype("datetime64[ms]").astype(np.int64), "dates"
    if column.dtype.kind in "OUS":
        try:
            return _milliseconds(column.astype(np.float64), subject)
        except (TypeError, ValueError):
            return _from_text(column, subject), "ISO text"
    if not len(column):
        return column.astype(np.int64), "ms"
    largest = float(np.abs(column).max())
    for unit, low, high, per_ms in _UNITS:
        if low <= largest < high:
            return _scaled(column, per_ms), unit
    raise DataError(f"{subject} holds {largest:g}, which is no time since the epoch in s, ms, us or ns")


def _scaled(column: Column, per_ms: int) -> Integers:
    """Times with `per_ms` units a millisecond (0: seconds) as ms; integers without a detour over doubles."""
    if column.dtype.kind in "iu":
        stamps: Integers = column.astype(np.int64)
        return stamps // per_ms if per_ms else stamps * 1000
    return np.rint(column / per_ms if per_ms else column * 1000).astype(np.int64)


def _from_text(column: Column, subject: str) -> Integers:
    stamps = np.empty(len(column), dtype=np.int64)
    for i, text in enumerate(column.tolist()):
        try:
            when = datetime.fromisoformat(_iso_text(str(text)))
        except ValueError:
            raise DataError(f"{subject} holds {text!r}, which is not a time such as 2025-06-01T12:30:00Z") from None
        stamps[i] = round((when.replace(tzinfo=UTC) if when.tzinfo is None else when).timestamp() * 1000)
    return stamps


def _iso_text(text: str) -> str:
    """`2025.06.01 12:30` and `2025-06-01 12:30 UTC` as ISO 8601."""
    text = text.strip().removesuffix(" UTC")
    return re.sub(r"^(\d{4})[./](\d{2})[./](\d{2})", r"\1-\2-\3", text)
