"""What is kept where: one row for every kind of record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backtestkit.persistence.store import Space


@dataclass(frozen=True, slots=True)
class Domain:
    """A kind of record: the folder it lives in, what the folders below that stand for, and what names a record.

    An "owner" is several folders: `backtest` and the id of a run, or `live` and the names of a context.
    """

    name: str
    folder: Space
    parts: tuple[str, ...]
    record_id: str

    def space(self, *names: str) -> Space:
        """The space of these names."""
        return (*self.folder, *names)


STORAGE: Final = Domain("storage", ("data", "storage"), ("mode",), "run and signal")
NOTIFICATION: Final = Domain("notification", ("data", "notification"), ("mode",), "notification")
OUTBOX: Final = Domain("outbox", ("data", "outbox"), ("receiver",), "message")
RECENT: Final = Domain("recent", ("data", "recent"), ("owner",), "symbol")
MEASURE: Final = Domain("measure", ("data", "measure"), ("bucket",), "arguments and interval")
INTERVAL: Final = Domain("interval", ("data", "interval"), ("bucket",), "arguments and interval")
MEMORY: Final = Domain("memory", ("memory",), ("owner", "signal", "bucket"), "memory")
STATE: Final = Domain("state", ("state",), ("owner", "signal"), "bucket")
SESSION: Final = Domain("session", ("session",), ("owner",), "symbol")
