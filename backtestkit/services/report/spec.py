"""What a report is: frozen data, executed by one renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.context import RunKey

if TYPE_CHECKING:
    from backtestkit.config import Config

Row = TypeVar("Row")
Figures = TypeVar("Figures")
Settings: TypeAlias = "Callable[[], Config]"
NOT_AVAILABLE = "N/A"


class ReportedRun(Protocol):
    """What a run keeps for its reports."""

    @property
    def key(self) -> RunKey:
        """Whose run it is."""
        ...

    @property
    def closed(self) -> Sequence[ClosedResult]:
        """The closed trades, oldest first."""
        ...

    @property
    def summary(self) -> RunSummary:
        """What the run assumed and what that cost."""
        ...


def always() -> bool:
    """The visibility of a column that is always shown."""
    return True


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a report's table.

    `key` is its stable name and unique in a table, `label` its heading. `format(row, index)` gives the text of a cell
    (None becomes N/A; index 0 is the first row shown). `is_visible()` is asked once for each report.
    """

    key: str
    label: str
    format: Callable[[Row, int], str | None]
    is_visible: Callable[[], bool] = always


@dataclass(frozen=True, slots=True)
class SummaryLine(Generic[Figures]):
    """One line `**label:** value` below a table: `text` makes the value, None shows as N/A and without the hint."""

    label: str
    text: Callable[[Figures], str | None]
    hint: str = ""

    def __call__(self, figures: Figures) -> list[str]:
        value = self.text(figures)
        hint = f" ({self.hint})" if self.hint and value is not None else ""
        return [f"**{self.label}:** {NOT_AVAILABLE if value is None else value}{hint}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec(Generic[Row, Figures]):
    """One report.

    - `name`: its name in code, configuration and folders.
    - `title`: heading, with the fields of the run's key in braces.
    - `empty_text`: the one sentence of a report that `is_empty`.
    - `source`: where its rows come from: what a run kept, oldest first.
    - `statistics`: the figures of those rows; `rows`: the rows that the table shows, in its order.
    - `columns`: the default columns, made for the settings of one kit.
    - `summary`: what stands below the table, each part giving lines; `summary_first` puts it above.
    - `legend`: what the figures mean, for people.
    - `row_limit`: the setting that bounds the table. Figures always count every row.
    """

    name: str
    title: str
    empty_text: str
    source: Callable[[ReportedRun], Sequence[Row]]
    statistics: Callable[[Sequence[Row]], Figures]
    rows: Callable[[Figures], Sequence[Row]]
    is_empty: Callable[[Figures], bool]
    columns: Callable[[Settings], Sequence[Column[Row]]]
    summary: Sequence[Callable[[Figures], Sequence[str]]]
    legend: Sequence[str] = ()
    row_limit: str
    summary_first: bool = False
