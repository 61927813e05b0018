"""A bounded number of handlers at work, and a bounded queue in front of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, TypeAlias

from backtestkit.runtime.eager import start_now

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

WAITING_PER_WORKER: Final = 10


class HandlerPool:
    """Runs up to `size` pieces of work at a time; ten times as many may wait. Work starts in the order of `push`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: deque[Work] = deque()
        self._room: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._running and not self._waiting

    def __contains__(self, task: object) -> bool:
        return task in self._running

    async def push(self, work: Work) -> None:
        """Start `work` at once when a place is free, else queue it; waits while the queue is full."""
        while len(self._waiting) >= self._size * WAITING_PER_WORKER:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        self._waiting.append(work)
        self._start()
        self._raise_failure()

    async def join(self) -> None:
        """Wait until everything is done."""
        while self._running:
            await asyncio.wait(self._running)
        self._raise_failure()

    async def cancel(self) -> None:
        """Drop what waits, cancel what runs, and wait for its end."""
        self.cancel_all_but(())
        while self._running:
            await asyncio.wait(self._running)

    def cancel_all_but(self, spared: Collection[asyncio.Task[Any] | None]) -> None:
        """Drop what waits and cancel what runs, except `spared`."""
        self._waiting.clear()
        for task in self._running:
            if task not in spared:
                task.cancel()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._size:
            task = start_now(self._waiting.popleft()(), self._running)
            if task is not None:
                task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and self._failure is None:
            self._failure = task.exception()
        self._start()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
