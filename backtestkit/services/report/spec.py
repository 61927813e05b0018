"""What a report is: frozen data, executed by one renderer, one collector and one journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from backtestkit.math.statistics_events import Tally
from backtestkit.model.analysis import TradeAnalysis
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.context import RunKey

if TYPE_CHECKING:
    from backtestkit.config import Config

Row = TypeVar("Row")
Figures = TypeVar("Figures")
Settings: TypeAlias = "Callable[[], Config]"
NOT_AVAILABLE = "N/A"


class Reported(Protocol):
    """What a report is about: something with a name. A report that reads more of it says so in its `figures`."""

    @property
    def key(self) -> RunKey:
        """Whose run it is."""
        ...


class ReportedRun(Reported, Protocol):
    """What a run keeps for its reports."""

    @property
    def closed(self) -> Sequence[ClosedResult]:
        """The closed trades, oldest first."""
        ...

    @property
    def summary(self) -> RunSummary:
        """What the run assumed and what that cost."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about when its figures are known already: events that were counted, several runs, a walk."""

    key: RunKey
    figures: Any
    analysis: TradeAnalysis | None = None


def always(*_: object) -> bool:
    """The visibility of a column that is always shown; the filter that lets everything pass."""
    return True


def as_it_is(event: Any) -> Any:
    """The row of an event that needs no change."""
    return event


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


@dataclass(frozen=True, slots=True)
class Page:
    """What the parts of one document are made of: what it is about, and its figures."""

    subject: Any
    figures: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A block of lines: each part gives some, from what `of` takes out of the page. `when_empty` shows it always."""

    parts: Sequence[Callable[[Any], Sequence[str]]]
    of: Callable[[Page], Any] = attrgetter("figures")
    heading: Callable[[Page], str] | str = ""
    when_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[Row]):
    """A table.

    - `key`: its name for whoever chooses columns; the main table has the name of its report.
    - `rows`: the rows in the order shown; `total`: how many there are when not all of them are kept.
    - `columns`: the default columns, made for the settings of one kit.
    - `row_limit`: the setting that bounds what is shown. Figures always count every row.
    - `empty_text`: stands in its place when there is no row; an `optional` table has no place then.
    """

    key: str
    rows: Callable[[Page], Sequence[Row]]
    columns: Callable[[Settings], Sequence[Column[Row]]]
    row_limit: str | None = None
    total: Callable[[Page], int] | None = None
    heading: str = ""
    empty_text: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """A channel that a report listens to.

    Only events with one of `actions` (all for None) are heard, which decides whether a run must step through single
    minutes. `row` makes a row of the report from an event, or None when the event does not belong there.
    """

    channel: str
    actions: tuple[str, ...] | None = None
    row: Callable[[Any], Any] = as_it_is


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec(Generic[Row, Figures]):
    """One report.

    - `name`: its name in code, configuration and folders; `folder`: where its files go when that differs.
    - `title`: heading, with the fields of the run's key in braces.
    - `empty_text`: the one sentence of a report that `is_empty`.
    - `sections`: the document, part by part; `legend`: what the figures mean, for people.
    - `feeds` and `record`: the events of its JSONL journal, and the data of one line.
    - `tally`: counts these events, for a report on events. Without it the report reads what runs kept.
    - `figures`: the figures of what it is about; a report on events has them counted already.
    - `row_limit`: the setting that says how many events are kept; `listed`: which of its rows the report counts.
    - `replaces`: rows of which only the newest of each kind is kept, by a key of the kind (None for all others).
    """

    name: str
    title: str
    empty_text: str
    is_empty: Callable[[Figures], bool]
    sections: Sequence[Lines | Table[Any]]
    feeds: tuple[Feed, ...]
    record: Callable[[Row], Mapping[str, Any]]
    row_limit: str
    figures: Callable[[Any], Figures] = attrgetter("figures")
    tally: Callable[[], Tally[Row, Figures]] | None = None
    listed: Callable[[Row], bool] = always
    replaces: Callable[[Row], str | None] | None = None
    legend: Sequence[str] = ()
    folder: str = ""

    @property
    def tables(self) -> list[Table[Any]]:
        """The tables of the document, the main one first."""
        return [section for section in self.sections if isinstance(section, Table)]
