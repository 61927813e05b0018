"""What a strategy, or the model behind it, notes down about a signal and finds again by meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backtestkit.adapters import bm25
from backtestkit.adapters.owner import Owner, SignalMoment
from backtestkit.errors import UsageError, suggest
from backtestkit.persistence.domains import MEMORY
from backtestkit.persistence.json_values import encode
from backtestkit.persistence.store import Json, KeyValueStore, Space
from backtestkit.runtime.clock import SystemClock


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """A note: what was written (`content`), the text by which it is found, and when it was written (ms UTC)."""

    memory_id: str
    content: Any
    description: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class MemoryMatch:
    """A note that a search has found, and its BM25 score."""

    memory_id: str
    score: float
    content: Any


class MemoryBook:
    """Notes per signal and bucket. What was written later than now is not there, for the statistics of a search either."""

    def __init__(self, store: KeyValueStore, limit: Callable[[], int]) -> None:
        """Keep the newest `limit()` notes of each bucket in `store`."""
        self._store, self._limit = store, limit
        self._clock = SystemClock()
        self._latest = 0

    async def write(self, at: SignalMoment, bucket: str, memory_id: str, value: Json, description: str) -> None:
        """Write a note, in place of an earlier one of its id."""
        if not isinstance(description, str):
            raise UsageError(f"the description of memory {memory_id!r} is {description!r}. Give a text to find it by.")
        encode(value, f"memory {memory_id!r}")  # so that a complaint names it as the caller does
        space = _notes(at, bucket)
        # The wall clock orders notes across restarts; within a process no two are written at the same instant.
        self._latest = max(self._latest + 1, self._clock.now_ns)
        note = {"priority": self._latest, "data": value, "removed": False, "index": description, "when": at.now}
        await self._store.write(space, memory_id, note)
        if len(await self._store.keys(space)) > self._limit():
            await self._make_room(space)

    async def read(self, at: SignalMoment, bucket: str, memory_id: str) -> Json:
        """What was noted; `UsageError` with the near names when it is not there."""
        note = await self._store.read(_notes(at, bucket), memory_id)
        if note is None or not _visible(note, at):
            known = [entry.memory_id for entry in await self.entries(at, bucket)]
            raise UsageError(
                f"memory {memory_id!r} is not in bucket {bucket!r} of signal {at.signal_id}. "
                f"{suggest(memory_id, known, 'write_memory')}"
            )
        return note["data"]

    async def entries(self, at: SignalMoment, bucket: str) -> list[MemoryEntry]:
        """All notes, oldest first."""
        space = _notes(at, bucket)
        notes = [(id, note) for id in await self._store.keys(space) if (note := await self._store.read(space, id))]
        notes.sort(key=lambda item: item[1]["priority"])
        return [MemoryEntry(id, note["data"], note["index"], note["when"]) for id, note in notes if _visible(note, at)]

    async def search(
        self, at: SignalMoment, bucket: str, query: str, *, k1: float, b: float, min_score: float
    ) -> list[MemoryMatch]:
        """The notes whose descriptions match `query`, best first."""
        entries = await self.entries(at, bucket)
        texts = [entry.description for entry in entries]
        found = bm25.search(texts, query, k1=k1, b=b, min_score=min_score)
        return [MemoryMatch(entries[m.index].memory_id, m.score, entries[m.index].content) for m in found]

    async def remove(self, at: SignalMoment, bucket: str, memory_id: str) -> None:
        """Make a note disappear; it stays in the store, marked as removed. Nothing happens when there is none."""
        space = _notes(at, bucket)
        note = await self._store.read(space, memory_id)
        if note is not None and _visible(note, at):
            await self._store.write(space, memory_id, {**note, "removed": True})

    async def forget(self, owner: Owner, signal_id: str) -> None:
        """The signal is over."""
        await self._store.forget(MEMORY.space(*owner.names, signal_id))

    async def _make_room(self, space: Space) -> None:
        notes = [(id, note) for id in await self._store.keys(space) if (note := await self._store.read(space, id))]
        notes.sort(key=lambda item: (not item[1]["removed"], item[1]["priority"]))
        for id, _ in notes[: max(0, len(notes) - self._limit())]:
            await self._store.remove(space, id)


def _notes(at: SignalMoment, bucket: str) -> Space:
    return MEMORY.space(*at.owner.names, at.signal_id, bucket)


def _visible(note: Json, at: SignalMoment) -> bool:
    return not note["removed"] and note["when"] <= at.now
