"""Lookup: what goes on in the current kit."""

from __future__ import annotations

from collections.abc import Callable

from backtestkit.kit import current_kit
from backtestkit.runtime.context import RunKey

__all__ = ["Lookup"]


class _Lookup:
    """The runs in progress, and activities of your own that should count as such."""

    def list_activity(self) -> list[RunKey]:
        """The keys of what goes on: runs, oldest first, then activities that were added."""
        kit = current_kit()
        return [*(run.key for run in kit.runs.running()), *kit.activities]

    @property
    def is_parallel(self) -> bool:
        """Whether more than one thing goes on."""
        return len(self.list_activity()) > 1

    def add_activity(self, key: RunKey) -> Callable[[], None]:
        """Count something of your own, a loop of orders say, as going on; returns what ends that."""
        kit = current_kit()
        kit.activities.append(key)
        return lambda: _remove(kit.activities, key)

    def remove_activity(self, key: RunKey) -> None:
        """Count it no more; nothing happens when it was not added."""
        _remove(current_kit().activities, key)


def _remove(activities: list[RunKey], key: RunKey) -> None:
    if key in activities:
        activities.remove(key)


Lookup = _Lookup()
"""What goes on: `list_activity`, `is_parallel`, `add_activity`, `remove_activity`."""
