"""Collecting events for reports: their figures as they come, and the newest of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from backtestkit.errors import UsageError
from backtestkit.model.event import BoundaryEvent
from backtestkit.runtime.channel import Unsubscribe
from backtestkit.runtime.context import RunKey
from backtestkit.services.channels import Channels
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.spec import ReportSpec, Settings, Subject
from backtestkit.services.report.switch import FeedSwitch, Taker, named

RUNS_KEPT_MAX: Final = 256
"""Runs of which one report keeps events; the oldest make room, so that a long search does not fill the memory."""


class EventLog:
    """The events of one report on one run: all of them counted, the newest of them kept."""

    def __init__(self, spec: ReportSpec[Any, Any], rows_max: int) -> None:
        """Keep at most `rows_max` events."""
        assert spec.tally is not None, f"{spec.name} counts no events"
        self._tally = spec.tally()
        self._kind_of = spec.replaces
        self._rows: deque[Any] = deque(maxlen=rows_max)

    def add(self, row: Any) -> None:
        """Count an event and put it in front; an earlier one of its kind goes."""
        self._tally.add(row)
        kind = None if self._kind_of is None else self._kind_of(row)
        if kind is not None:
            self._drop(kind)
        self._rows.appendleft(row)

    def figures(self) -> Any:
        """The figures of all events, and the kept ones, newest first."""
        return self._tally.figures(tuple(self._rows))

    def _drop(self, kind: str) -> None:
        assert self._kind_of is not None
        for index, row in enumerate(self._rows):
            if self._kind_of(row) == kind:
                del self._rows[index]
                return


class ReportCollector:
    """The events of all reports of one kit, by report and run.

    A report is collected while it is enabled. The events of a run go when the next run of its key starts.
    """

    def __init__(self, channels: Channels, settings: Settings) -> None:
        """`settings` gives the configuration, which bounds what is kept."""
        self._channels, self._settings = channels, settings
        self._switch = FeedSwitch(channels, self._taker)
        self._logs: dict[str, dict[RunKey, EventLog]] = {}
        self._end: Unsubscribe | None = None

    def enable(self, names: Iterable[str] | None = None) -> Callable[[], None]:
        """Collect for the reports named, None for all. The answer stops that and forgets their events."""
        chosen = self._switch.enable(names)
        if self._end is None and self._switch.names:
            self._end = self._channels.before_start.listen(self._run_starts)
        return partial(self.disable, chosen)

    def disable(self, names: Iterable[str] | None = None) -> None:
        """Stop collecting for the reports named, None for all, and forget their events."""
        for name in self._switch.disable(names):
            self._logs.pop(name, None)
        if not self._switch.names and self._end is not None:
            self._end()
            self._end = None

    def clear(self, names: Iterable[str] | None = None) -> None:
        """Forget the events of the reports named, None for all; collecting goes on."""
        for name in named(names):
            self._logs.pop(name, None)

    def has(self, report: str, key: RunKey) -> bool:
        """Whether events of that run were collected."""
        return key in self._logs.get(report, ())

    def subject(self, report: str, key: RunKey) -> Subject:
        """What a report is made of; `UsageError` for one that is not collected."""
        spec = report_spec(report)
        if report not in self._switch.names:
            raise UsageError(
                f"nothing is collected for the {report} report. Call bk.Markdown.enable({report}=True) before the run."
            )
        log = self._logs.get(report, {}).get(key) or self._new_log(spec)
        return Subject(key, log.figures())

    def _taker(self, spec: ReportSpec[Any, Any]) -> Taker | None:
        if spec.tally is None:
            return None
        logs, listed = self._logs, spec.listed

        def take(row: Any) -> None:
            if listed(row):
                log = logs.get(spec.name, {}).get(row.key) or self._open(spec, row.key)
                log.add(row)

        return take

    def _open(self, spec: ReportSpec[Any, Any], key: RunKey) -> EventLog:
        """A new log in place of the one that was there; the oldest one goes when there are too many."""
        kept = self._logs.setdefault(spec.name, {})
        kept.pop(key, None)
        if len(kept) >= RUNS_KEPT_MAX:
            del kept[next(iter(kept))]
        log = kept[key] = self._new_log(spec)
        return log

    def _new_log(self, spec: ReportSpec[Any, Any]) -> EventLog:
        return EventLog(spec, getattr(self._settings(), spec.row_limit))

    def _run_starts(self, event: BoundaryEvent) -> None:
        for name in self._switch.names:
            spec = report_spec(name)
            if spec.tally is not None:
                self._open(spec, event.key)
