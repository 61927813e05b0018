"""A time limit for the user's code that costs nothing while it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from backtestkit.errors import StrategyTimeoutError

T = TypeVar("T")


class Watchdog:
    """Watches calls of one task, one at a time.

    A timer that looks at "called since" runs once a second for the whole run, instead of one that is set up for every
    call. An awaiting call is cancelled when it is overdue; one that blocks the event loop cannot be interrupted and is
    reported when it returns.
    """

    def __init__(self, limit_seconds: float, every_seconds: float = 1.0) -> None:
        """Allow `limit_seconds` a call, looking every `every_seconds`."""
        self._limit, self._every = limit_seconds, min(every_seconds, limit_seconds)
        self._since: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fired = False

    async def guard(self, call: Awaitable[T]) -> T:
        """Await `call`; `StrategyTimeoutError` when it takes longer than the limit."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self.stop()
            self._loop = loop
            self._timer = loop.call_later(self._every, self._look)
        self._task = task = asyncio.current_task()
        self._since = loop.time()
        try:
            answer = await call
            overdue = loop.time() - self._since > self._limit
        except asyncio.CancelledError:
            if not self._fired:
                raise
            overdue = True
        finally:
            self._since = None
            if self._fired and task is not None:  # also when the call has swallowed the cancellation
                self._fired = False
                task.uncancel()
        if overdue:
            raise StrategyTimeoutError(
                f"get_signal took longer than max_signal_generation_seconds={self._limit:g}. "
                f"Make it faster or raise the limit with bk.set_config(max_signal_generation_seconds=...)."
            )
        return answer

    def stop(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop = self._task = None

    def _look(self) -> None:
        loop, task = self._loop, self._task
        if loop is None or task is None:
            return
        if self._since is not None and loop.time() - self._since > self._limit and not self._fired:
            self._fired = True
            task.cancel()
        self._timer = loop.call_later(self._every, self._look)
