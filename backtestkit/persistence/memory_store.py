"""Stores that keep nothing on disk: one in memory, and one that keeps nothing at all."""

from __future__ import annotations

from collections.abc import Callable

from backtestkit.errors import UsageError
from backtestkit.persistence.json_values import decode, encode
from backtestkit.persistence.store import Json, Space, natural_order


class MemoryStore:
    """Records in memory, for as long as the object lives.

    Values are kept as JSON text, so they come back exactly as they would from a disk and nobody can change them from
    outside.
    """

    def __init__(self, limit: Callable[[], int] | None = None, setting: str = "") -> None:
        """At most `limit()` records (any number without it); `setting` is the name of the limit in the configuration."""
        self._spaces: dict[Space, dict[str, bytes]] = {}
        self._limit, self._setting = limit, setting
        self._count = 0

    async def read(self, space: Space, id: str, default: Json = None) -> Json:
        """See `KeyValueStore`."""
        text = self._spaces.get(space, _NOTHING).get(id)
        return default if text is None else decode(text)

    async def write(self, space: Space, id: str, value: Json) -> None:
        """See `KeyValueStore`; `UsageError` when it is full."""
        text = encode(value, f"{'/'.join(space)}/{id}")
        records = self._spaces.get(space)
        if records is None or id not in records:
            if self._limit is not None and self._count >= self._limit():
                raise UsageError(
                    f"{self._count} records are in memory and {self._setting}={self._limit()}. Raise it with "
                    f"bk.set_config({self._setting}=...), or keep fewer."
                )
            self._count += 1
            records = self._spaces.setdefault(space, {})
        records[id] = text

    async def remove(self, space: Space, id: str) -> None:
        """See `KeyValueStore`."""
        records = self._spaces.get(space)
        if records is not None and records.pop(id, None) is not None:
            self._count -= 1
            if not records:
                del self._spaces[space]

    async def keys(self, space: Space) -> list[str]:
        """See `KeyValueStore`."""
        return natural_order(self._spaces.get(space, _NOTHING))

    async def forget(self, space: Space) -> None:
        """Let go of this space and those below it."""
        depth = len(space)
        for other in [other for other in self._spaces if other[:depth] == space]:
            self._count -= len(self._spaces.pop(other))


class NullStore:
    """A store that reads empty and drops what is written, which it checks all the same."""

    async def read(self, space: Space, id: str, default: Json = None) -> Json:
        """`default`."""
        return default

    async def write(self, space: Space, id: str, value: Json) -> None:
        """Nothing, if `value` is one that could be kept."""
        encode(value, f"{'/'.join(space)}/{id}")

    async def remove(self, space: Space, id: str) -> None:
        """Nothing."""

    async def keys(self, space: Space) -> list[str]:
        """None."""
        return []

    async def forget(self, space: Space) -> None:
        """Nothing."""


_NOTHING: dict[str, bytes] = {}
