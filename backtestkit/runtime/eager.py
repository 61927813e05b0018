"""Tasks that start at once.

`asyncio.create_task` starts a coroutine in the next round of the loop, so two coroutines that never wait would run in
another order than two plain calls. Here the first step is made immediately, as the new task and in its context; only
what has to wait is left to the loop.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task  # for makers of tasks; see "Extending" in asyncio's documentation
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any


def start_now(coroutine: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None] | None:
    """Run `coroutine` until it first waits and return its task; None when it ended without waiting.

    The task is in `tasks` from before its first step until it ends without waiting; afterwards it stays there. What it
    raises before it waits is raised here.
    """
    loop = asyncio.get_running_loop()
    outer = asyncio.current_task(loop)
    started, context = _Started(coroutine), copy_context()
    task = loop.create_task(started, context=context)
    tasks.add(task)
    if outer is not None:
        _leave_task(loop, outer)
    _enter_task(loop, task)
    try:
        context.run(started.begin)
    finally:
        _leave_task(loop, task)
        if outer is not None:
            _enter_task(loop, outer)
        if started.over:
            tasks.discard(task)
    return None if started.over else task


class _Started(Coroutine[Any, Any, None]):
    """A coroutine whose first step is made by `begin` and shown to the task when it asks for it."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._pending: Any = None
        self._shown = False
        self.over = False

    def begin(self) -> None:
        try:
            self._pending = self._coroutine.send(None)
        except StopIteration:
            self.over = True
        except BaseException:
            self.over = True
            raise

    def send(self, value: Any) -> Any:
        if self.over:
            raise StopIteration
        if not self._shown:
            self._shown = True
            pending, self._pending = self._pending, None
            return pending
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        if self.over:
            raise StopIteration
        if not self._shown:  # cancelled before the loop saw what it waits for
            self._shown = True
            pending, self._pending = self._pending, None
            if pending is not None:
                pending.cancel()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        raise TypeError("only its task drives this coroutine")
