"""Handlers of events and the stages in which they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from backtestkit.runtime import bridge

HandlerFunction: TypeAlias = Callable[..., Any]


class Handler:
    """A plain or async function that is told of something, mostly of one event."""

    __slots__ = ("fn", "is_async")

    def __init__(self, fn: HandlerFunction) -> None:
        self.fn, self.is_async = fn, bridge.is_async(fn)

    async def __call__(self, *args: Any) -> None:
        """Call or await it; what it raises, this raises."""
        if self.is_async:
            await self.fn(*args)
            return
        answer = bridge.begin_plain(self.fn, *args)
        if answer is not None and inspect.isawaitable(answer):
            await answer

    def __repr__(self) -> str:
        return repr(self.fn)


Stage: TypeAlias = tuple[Handler, ...]
Stages: TypeAlias = tuple[Stage, ...]


def add_handler(handlers: list[Handler], fn: HandlerFunction) -> None:
    """Append `fn` unless it is there already."""
    if all(handler.fn != fn for handler in handlers):
        handlers.append(Handler(fn))
