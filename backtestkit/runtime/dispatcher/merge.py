"""Many sources, one order: by (time, priority, subscription), each source prefetched one event deep."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from typing import Any, TypeAlias

from backtestkit.runtime.dispatcher.handlers import Handler, HandlerFunction, Stages
from backtestkit.runtime.event import Event, EventSource


class Slot:
    """One subscribed source: its place in the order and who handles its events."""

    __slots__ = ("handlers", "in_order", "index", "last_ns", "pop", "source", "stages")

    def __init__(self, source: EventSource[Any], index: int) -> None:
        self.source, self.index = source, index
        self.pop: Callable[[], Event | None] = source.pop
        self.handlers: list[Handler] = []
        self.stages: Stages = ()
        self.in_order: tuple[HandlerFunction, ...] | None = None
        """The handlers of all stages, when the stages come to one call after the other."""
        self.last_ns: int | None = None
        """Time of the last event delivered from here."""


# One prefetched event. The index of the slot is unique, so events are never compared.
Entry: TypeAlias = tuple[int, int, int, Event, Slot]


class SourceMerge:
    """The next events of all sources in a heap. `heap` and `empty` are open to the loop that lives on them."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self.heap: list[Entry] = []
        self.empty: list[Slot] = []

    def slot(self, source: EventSource[Any]) -> Slot:
        """The slot of `source`; a new one is the last in the order."""
        for slot in self.slots:
            if slot.source is source:
                return slot
        slot = Slot(source, len(self.slots))
        self.slots.append(slot)
        self.empty.append(slot)
        return slot

    def refill(self) -> None:
        """Ask the sources that had nothing again."""
        still_empty = []
        for slot in self.empty:
            event = slot.pop()
            if event is None:
                still_empty.append(slot)
            else:
                heappush(self.heap, (event.when_ns, slot.source.order, slot.index, event, slot))
        self.empty[:] = still_empty

    def next_ns(self) -> int | None:
        """The time of the next event in nanoseconds since the epoch, None when no source has one now."""
        if self.empty:
            self.refill()
        return self.heap[0][0] if self.heap else None

    def take(self) -> tuple[Slot, Event]:
        """Take the next event, and prefetch the one behind it."""
        _, _, index, event, slot = self.heap[0]
        following = slot.pop()
        if following is None:
            heappop(self.heap)
            self.empty.append(slot)
        else:
            heapreplace(self.heap, (following.when_ns, slot.source.order, index, following, slot))
        return slot, event
