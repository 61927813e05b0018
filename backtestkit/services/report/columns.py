"""Which columns the reports of one kit have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from backtestkit.errors import ConfigError, suggest
from backtestkit.services.report.catalog import REPORTS
from backtestkit.services.report.spec import Column, Settings

ColumnLike: TypeAlias = "Column[Any] | Mapping[str, Any]"
COLUMN_FIELDS = tuple(f.name for f in fields(Column))


class ColumnService:
    """The columns in force, per table. `settings` gives the kit's current config, which decides some visibilities.

    The main table of a report has the report's name; `walker_trades` is the second one of the walker's.
    """

    def __init__(self, settings: Settings) -> None:
        self._defaults = {
            table.key: tuple(table.columns(settings)) for spec in REPORTS.values() for table in spec.tables
        }
        self._columns = dict(self._defaults)

    def get_default_columns(self) -> dict[str, tuple[Column[Any], ...]]:
        """The columns that tables have unless told otherwise, by table."""
        return dict(self._defaults)

    def get_columns(self) -> dict[str, tuple[Column[Any], ...]]:
        """The columns in force, by table."""
        return dict(self._columns)

    def set_columns(self, columns: Mapping[str, Sequence[ColumnLike]]) -> None:
        """Replace the columns of the tables named; the others keep theirs.

        A column is a `Column` or a mapping with its fields. Everything wrong is reported in one `ConfigError`, and
        then nothing was changed.
        """
        complaints: list[str] = []
        accepted: dict[str, tuple[Column[Any], ...]] = {}
        for name, listed in columns.items():
            if name in self._defaults:
                accepted[name] = _checked(name, listed, complaints)
            else:
                known = suggest(name, list(self._defaults), "one of these names")
                complaints.append(f"report {name!r} is unknown. {known}")
        _raise(complaints, list(columns))
        self._columns |= accepted

    def columns_for(self, table: str, chosen: Sequence[ColumnLike] | None = None) -> tuple[Column[Any], ...]:
        """The visible columns of one table: the ones `chosen` for this once, checked, else those in force."""
        if chosen is None:
            columns = self._columns[table]
        else:
            complaints: list[str] = []
            columns = _checked(table, chosen, complaints)
            _raise(complaints, [table])
        return tuple(column for column in columns if column.is_visible())


def _raise(complaints: list[str], keys: list[str]) -> None:
    if complaints:
        raise ConfigError("\n  ".join(["columns refused, nothing was changed:", *complaints]), keys)


def _checked(report: str, listed: Any, complaints: list[str]) -> tuple[Column[Any], ...]:
    """`listed` as columns; what is wrong with it is added to `complaints`, in order."""
    if not isinstance(listed, Sequence) or isinstance(listed, str | bytes):
        complaints.append(f"{report} must be a list of columns, not {type(listed).__name__}")
        return ()
    before = len(complaints)
    columns: list[Column[Any]] = []
    for i, given in enumerate(listed):
        values = _fields_of(given)
        place = f"{report}[{i}]"
        if values is None:
            complaints.append(f"{place} must be a Column or a mapping with {', '.join(COLUMN_FIELDS)}, not {given!r}")
            continue
        complaints.extend(f"{place} {text}" for text in _column_complaints(values))
        key = values.get("key")
        if key and any(key == other.key for other in columns):
            complaints.append(f"{place} repeats key={key!r}; keys are unique within a report")
        if len(complaints) == before:
            columns.append(Column(**values))
    return tuple(columns)


def _fields_of(given: Any) -> dict[str, Any] | None:
    if isinstance(given, Column):
        return {name: getattr(given, name) for name in COLUMN_FIELDS}
    return dict(given) if isinstance(given, Mapping) else None


def _column_complaints(values: dict[str, Any]) -> list[str]:
    complaints = [f"lacks {name}" for name in COLUMN_FIELDS[:3] if name not in values]
    complaints += [
        f"has an unknown field {name!r}; a column has {', '.join(COLUMN_FIELDS)}"
        for name in values
        if name not in COLUMN_FIELDS
    ]
    complaints += [
        f"{name}={values[name]!r} must be a text that is not empty"
        for name in ("key", "label")
        if name in values and not (isinstance(values[name], str) and values[name].strip())
    ]
    complaints += [
        f"{name}={values[name]!r} must be a function"
        for name in ("format", "is_visible")
        if name in values and not callable(values[name])
    ]
    return complaints
