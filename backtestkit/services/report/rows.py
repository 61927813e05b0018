"""The rows of all reports of one kit, and where the services find them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.context import RunKey
from backtestkit.services.report.catalog import REPORTS


class RowSource(Protocol):
    """What a report service reads. `rows` is None for a run that is not known, empty for one without an event."""

    def rows(self, report: str, key: RunKey) -> Sequence[Any] | None:
        """The rows of one report, oldest first."""
        ...

    def summary(self, key: RunKey) -> RunSummary | None:
        """What the run assumed, None while that is not known."""
        ...

    def runs(self) -> Iterator[RunKey]:
        """The runs that are known, in the order of their start."""
        ...


class RowStore:
    """Rows per report and run, in memory, without a limit: figures are worth nothing when rows went missing.

    The newest run of a key replaces the one before it, in every report.
    """

    def __init__(self) -> None:
        self._rows: dict[RunKey, dict[str, list[Any]]] = {}
        self._summaries: dict[RunKey, RunSummary] = {}

    def begin(self, key: RunKey) -> None:
        """A run starts: forget what an earlier run of the same key left."""
        self._rows.pop(key, None)
        self._rows[key] = {}
        self._summaries.pop(key, None)

    def add(self, report: str, key: RunKey, row: Any) -> None:
        """Append a row to one report."""
        self._rows.setdefault(key, {}).setdefault(report, []).append(row)

    def collect(self, channel: str, key: RunKey, event: Any) -> None:
        """Append `event` to every report that lives on `channel` and takes it."""
        for spec in REPORTS.values():
            if spec.channel == channel and (row := spec.row(event)) is not None:
                self.add(spec.name, key, row)

    def finish(self, key: RunKey, summary: RunSummary) -> None:
        """A run ended: keep what it assumed and what that cost."""
        self._rows.setdefault(key, {})
        self._summaries[key] = summary

    def clear(self) -> None:
        """Forget all runs."""
        self._rows.clear()
        self._summaries.clear()

    def rows(self, report: str, key: RunKey) -> Sequence[Any] | None:
        """The rows of one report, oldest first; None when no run of that key has started."""
        reports = self._rows.get(key)
        return None if reports is None else tuple(reports.get(report, ()))

    def summary(self, key: RunKey) -> RunSummary | None:
        """What the run assumed, None until it ended."""
        return self._summaries.get(key)

    def runs(self) -> Iterator[RunKey]:
        """The runs that are known, in the order of their start."""
        return iter(self._rows)
