"""What every store of records does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeAlias

Space: TypeAlias = tuple[str, ...]
"""Where records live: the names of nested folders, outermost first. Any text that is not empty is a name."""

Json: TypeAlias = Any
"""None, a bool, a number that is finite, text, or lists and dictionaries (with text as keys) of these."""

Report: TypeAlias = Callable[[Exception], Awaitable[None]]
"""Told of an error that is survived: a damaged record, which counts as absent."""

_DIGITS = re.compile(r"(\d+)")


class KeyValueStore(Protocol):
    """JSON values by space and id.

    - What is read is a copy: changing it, or what was written, changes nothing in the store.
    - Writes and removals of one id take effect in the order of the calls. When `write` returns, the value survives
      whatever the store promises to survive; an error or a cancellation leaves the old value or the new one, whole.
    - Failures of the medium are `StoreError`s that name space and id; a value that JSON cannot carry is a `UsageError`.
    """

    async def read(self, space: Space, id: str, default: Json = None) -> Json:
        """The value, or `default` when there is none. A damaged one is reported and counts as absent."""
        ...

    async def write(self, space: Space, id: str, value: Json) -> None:
        """Put `value` in place of what was there."""
        ...

    async def remove(self, space: Space, id: str) -> None:
        """Remove the value; nothing happens when there is none."""
        ...

    async def keys(self, space: Space) -> list[str]:
        """The ids in exactly this space, in `natural_order`."""
        ...

    async def forget(self, space: Space) -> None:
        """This space and those below it are over. A store in memory lets go of them; one on disk keeps its files."""
        ...


def natural_order(ids: Iterable[str]) -> list[str]:
    """`ids` sorted without regard to case and with numbers by their value: `a2` before `A10`."""
    return sorted(ids, key=lambda id: ([_part(text) for text in _DIGITS.split(id.casefold())], id))


def _part(text: str) -> tuple[int, str]:
    """Text and digits alternate in a split, so that only like is compared with like."""
    return (int(text), "") if text.isdecimal() else (0, text)
