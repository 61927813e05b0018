"""The columns of the reports of the current kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backtestkit.kit import current_kit
from backtestkit.services.report.columns import ColumnLike
from backtestkit.services.report.spec import Column


def set_columns(columns: Mapping[str, Sequence[ColumnLike]]) -> None:
    """Replace the columns of the reports named: `{"backtest": [bk.Column("id", "ID", lambda t, i: t.signal.id)]}`.

    Everything wrong is raised in one `ConfigError`, and then nothing has changed.
    """
    current_kit().container.columns().set_columns(columns)


def get_columns() -> dict[str, tuple[Column[Any], ...]]:
    """The columns in force, by report."""
    return current_kit().container.columns().get_columns()


def get_default_columns() -> dict[str, tuple[Column[Any], ...]]:
    """The columns that reports have unless told otherwise, by report."""
    return current_kit().container.columns().get_default_columns()
