"""Timed events, where they come from, and who produces them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Generic, TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime.clock import from_ns, to_ns

PRIORITY_MAX: Final = 1000


class Event:
    """Base of everything that a dispatcher delivers: something that happened at `when`.

    The time is kept in nanoseconds since the epoch (`when_ns`), by which the dispatcher orders.
    """

    __slots__ = ("_when", "when_ns")

    def __init__(self, when: datetime | int) -> None:
        """`when` is an aware datetime (a naive one raises `ValueError`) or nanoseconds since the epoch."""
        if isinstance(when, int):
            self.when_ns: int = when
            self._when: datetime | None = None
        else:
            self.when_ns, self._when = to_ns(when), when

    @property
    def when(self) -> datetime:
        """The time as an aware datetime: the one given, or in UTC floored to a microsecond."""
        if self._when is None:
            self._when = from_ns(self.when_ns)
        return self._when

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.when.isoformat()}>"


E = TypeVar("E", bound=Event)


class Producer:
    """What keeps sources filled. All three methods are optional; one producer may feed many sources."""

    async def initialize(self) -> None:
        """Get ready, before anything is delivered. An error here ends the run before it starts."""

    async def main(self) -> None:
        """Work while events are delivered, until cancelled. Returning early is fine; an error ends the run."""

    async def finalize(self) -> None:
        """Let go of everything. Always called, also when `initialize` failed; errors are logged."""


class EventSource(ABC, Generic[E]):
    """A queue of events of one kind in the order of their times.

    `priority` is an integer from -1000 to 1000; of events at the same time, those of the higher priority are delivered
    first. A source that is a `Producer` too produces for itself.
    """

    order: int
    """The priority turned around, lowest first: what the dispatcher sorts by."""

    def __init__(self, producer: Producer | None = None, priority: int = 0) -> None:
        self.producer = self if producer is None and isinstance(self, Producer) else producer
        self.priority = priority

    @property
    def priority(self) -> int:
        """Higher is served first at equal times. Read when an event is taken from the source."""
        return -self.order

    @priority.setter
    def priority(self, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > PRIORITY_MAX:
            raise UsageError(f"priority={value!r} is not an integer from -{PRIORITY_MAX} to {PRIORITY_MAX}")
        self.order = -value

    @abstractmethod
    def pop(self) -> E | None:
        """Take the next event, or None when there is none now. Must return at once."""


class FifoQueueEventSource(EventSource[E]):
    """A source that is filled by `push`."""

    def __init__(self, producer: Producer | None = None, events: Iterable[E] = (), priority: int = 0) -> None:
        super().__init__(producer, priority)
        self._queue: deque[E] = deque(events)

    def push(self, event: E) -> None:
        """Append `event`."""
        self._queue.append(event)

    def pop(self) -> E | None:
        """Take the oldest event, None when there is none."""
        return self._queue.popleft() if self._queue else None
