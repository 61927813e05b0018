"""A bounded collection of typed records over a store: the newest are kept, each change writes one record."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from backtestkit.errors import StoreError
from backtestkit.persistence.store import Json, KeyValueStore, Report, Space

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_LIFETIME = "minute_estimated_time"


class Codec(Generic[T]):
    """Records of one type, or of a union of types, as JSON and back."""

    def __init__(self, kind: Any) -> None:
        """`kind` is a dataclass or a union of dataclasses."""
        self._kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        from pydantic import TypeAdapter

        adapter: TypeAdapter[T] = TypeAdapter(self._kind)
        return adapter

    def encode(self, record: T) -> Json:
        """`record` as JSON; a lifetime without end becomes None."""
        return _replaced(self._adapter.dump_python(record, mode="json"), math.inf, None)

    def decode(self, value: Json) -> T:
        """The record of a JSON value; `ValueError` for one that is not of its form."""
        return self._adapter.validate_python(_replaced(value, None, math.inf))


class Records(Generic[T]):
    """At most `limit()` records of one space, by id, in the order in which they were last written.

    What lies beyond the limit is removed, from disks too. Only the ids are kept in memory.
    """

    def __init__(
        self,
        store: KeyValueStore,
        space: Space,
        codec: Codec[T],
        *,
        limit: Callable[[], int],
        order: Callable[[T], Any],
        report: Report,
    ) -> None:
        """`order` sorts what an earlier process has left, oldest first; `report` is told of records nobody can read."""
        self._store, self._codec = store, codec
        self.space: Final = space
        self._limit, self._order, self._report = limit, order, report
        self._ids: dict[str, None] | None = None

    async def get(self, id: str) -> T | None:
        """The record; None when there is none."""
        value = await self._store.read(self.space, id)
        if value is None:
            return None
        try:
            return self._codec.decode(value)
        except ValueError as error:
            place = "/".join(self.space)
            await self._report(StoreError(f"the record {place}/{id} cannot be read and is left out: {error}"))
            return None

    async def put(self, id: str, record: T) -> None:
        """Add a record, or replace the one of this id; it is then the newest."""
        ids = await self._known()
        ids.pop(id, None)
        ids[id] = None
        surplus = list(ids)[: max(0, len(ids) - self._limit())]
        for old in surplus:
            del ids[old]
        await self._store.write(self.space, id, self._codec.encode(record))
        for old in surplus:
            await self._store.remove(self.space, old)

    async def all(self) -> list[T]:
        """All records, oldest first."""
        found = [await self.get(id) for id in list(await self._known())]
        return [record for record in found if record is not None]

    async def clear(self) -> None:
        """Remove all records."""
        ids = await self._known()
        while ids:
            id = next(iter(ids))
            del ids[id]
            await self._store.remove(self.space, id)

    async def _known(self) -> dict[str, None]:
        """The ids, read from the store the first time."""
        if self._ids is None:
            found = [(id, record) for id in await self._store.keys(self.space) if (record := await self.get(id))]
            found.sort(key=lambda item: self._order(item[1]))
            if self._ids is None:  # another task may have been faster, and have written since
                self._ids = {id: None for id, _ in found}
        return self._ids


def _replaced(value: Json, old: float | None, new: float | None) -> Json:
    """`value` with lifetimes that are `old` replaced by `new`: the one number that may be infinite."""
    if not isinstance(value, dict):
        return value
    return {key: new if key == _LIFETIME and item == old else _replaced(item, old, new) for key, item in value.items()}
