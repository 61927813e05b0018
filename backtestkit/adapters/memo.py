"""Values of functions by arguments and interval, as they were known at the time.

A value is found again in the same interval, by the same owner, and never before the instant at which it was stored: what
was computed at 10:55 does not answer 10:05.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

from backtestkit.adapters.owner import joined
from backtestkit.adapters.turns import Turns
from backtestkit.errors import UsageError
from backtestkit.model.interval import iso
from backtestkit.persistence.domains import Domain
from backtestkit.persistence.json_values import encode
from backtestkit.persistence.store import Json, KeyValueStore

MISSING: Final = object()
"""There is no value."""


@dataclass(frozen=True, slots=True)
class Instant:
    """What time it is (ms UTC), and where the interval began that this is in."""

    now: int
    start: int


@dataclass(eq=False, slots=True)
class Slot:
    """A value, or `MISSING` while it is being computed."""

    at: Instant
    value: Any = MISSING


class Slots:
    """Values in memory, the most recently used ones."""

    def __init__(self) -> None:
        self._slots: OrderedDict[Hashable, Slot] = OrderedDict()

    def find(self, key: Hashable, at: Instant) -> Slot | None:
        """The slot of `key`, if it is of this interval and not of later than now."""
        slot = self._slots.get(key)
        if slot is None or slot.at.start != at.start or slot.at.now > at.now:
            return None
        self._slots.move_to_end(key)
        return slot

    def put(self, key: Hashable, slot: Slot, limit: int) -> None:
        """Keep a slot, and at most `limit` of them."""
        self._slots[key] = slot
        self._slots.move_to_end(key)
        while len(self._slots) > limit:
            self._slots.popitem(last=False)

    def drop(self, key: Hashable, slot: Slot) -> None:
        """Remove a slot, unless another one is in its place."""
        if self._slots.get(key) is slot:
            del self._slots[key]

    def clear(self, owner: Hashable) -> None:
        """Remove the slots of an owner: those whose keys begin with it."""
        for key in [key for key in self._slots if isinstance(key, tuple) and key[0] == owner]:
            del self._slots[key]

    def clear_all(self) -> None:
        """Remove all slots."""
        self._slots.clear()

    def remove_others(self, start: int) -> int:
        """Remove the slots of other intervals; how many."""
        others = [key for key, slot in self._slots.items() if slot.at.start != start]
        for key in others:
            del self._slots[key]
        return len(others)


class FileMemo:
    """Values in a store: one record for each set of arguments and interval, the earliest that there was."""

    def __init__(self, domain: Domain, bucket: str) -> None:
        """Keep the records of `domain` under `bucket`."""
        self._domain, self._bucket = domain, bucket
        self._turns = Turns()

    def turn(self, id: str) -> Any:
        """One at a time for each record."""
        return self._turns.of(id)

    async def find(self, store: KeyValueStore, id: str, at: Instant) -> Json:
        """The value, `MISSING` when there is none or it is of later than now."""
        record = await store.read(self._domain.space(self._bucket), id)
        return MISSING if record is None or record["removed"] or record["when"] > at.now else record["data"]

    async def put(self, store: KeyValueStore, id: str, value: Json, at: Instant, name: str) -> None:
        """Store a value; one of later than now gives way, because the earlier one answers more."""
        encode(value, f"what {name} returned")
        record = {"id": id, "data": value, "when": at.now, "removed": False}
        await store.write(self._domain.space(self._bucket), id, record)

    async def clear(self, store: KeyValueStore) -> None:
        """Mark all records as removed; they stay in the store."""
        space = self._domain.space(self._bucket)
        for id in await store.keys(space):
            record = await store.read(space, id)
            if record is not None and not record["removed"]:
                await store.write(space, id, {**record, "removed": True})


def record_id(owner: tuple[str, ...], key: Json, at: Instant, name: str) -> str:
    """What names a record: whose it is, the interval, and the arguments by a hash."""
    digest = hashlib.sha256(encode(key, f"the key of {name}")).hexdigest()[:16]
    return joined(*owner, iso(at.start), digest)


def hashable(key: Any, name: str) -> Hashable:
    """`key` itself; `UsageError` when it cannot be one."""
    try:
        hash(key)
    except TypeError:
        raise UsageError(
            f"{name} was called with arguments that cannot be compared quickly ({key!r:.200}). Give key=, a function of "
            "the same arguments that returns text, numbers or tuples of them."
        ) from None
    return key  # type: ignore[no-any-return]
