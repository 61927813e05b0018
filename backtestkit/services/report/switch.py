"""Which reports hear their channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from backtestkit.runtime.channel import Unsubscribe
from backtestkit.services.channels import Channels
from backtestkit.services.report.catalog import REPORTS, report_spec
from backtestkit.services.report.spec import Feed, ReportSpec

Taker: TypeAlias = Callable[[Any], object]


class FeedSwitch:
    """Subscribes reports to their channels, by name. Enabling what is enabled changes nothing.

    `taker_of(spec)` gives the function that takes the rows of a report, or None for one that takes no events.
    """

    def __init__(self, channels: Channels, taker_of: Callable[[ReportSpec[Any, Any]], Taker | None]) -> None:
        self._channels, self._taker_of = channels, taker_of
        self._ends: dict[str, list[Unsubscribe]] = {}

    @property
    def names(self) -> list[str]:
        """The reports that are switched on."""
        return list(self._ends)

    def enable(self, names: Iterable[str] | None = None) -> list[str]:
        """Switch on the reports named, all for None; the answer are those meant."""
        chosen = named(names)
        for name in chosen:
            if name not in self._ends:
                self._ends[name] = self._listen(REPORTS[name])
        return chosen

    def disable(self, names: Iterable[str] | None = None) -> list[str]:
        """Switch off the reports named, all for None; the answer are those meant."""
        chosen = named(names)
        for name in chosen:
            for end in self._ends.pop(name, ()):
                end()
        return chosen

    def _listen(self, spec: ReportSpec[Any, Any]) -> list[Unsubscribe]:
        take = self._taker_of(spec)
        if take is None:
            return []
        return [self._channels[feed.channel].listen(_hear(feed, take), action=feed.actions) for feed in spec.feeds]


def named(names: Iterable[str] | None) -> list[str]:
    """The names given, all there are for None; `UsageError` for one that no report has."""
    return list(REPORTS) if names is None else [report_spec(name).name for name in names]


def _hear(feed: Feed, take: Taker) -> Taker:
    make = feed.row

    def hear(event: Any) -> object:
        row = make(event)
        return None if row is None else take(row)

    return hear
