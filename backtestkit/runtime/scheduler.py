"""The one queue of things to do later, and the seam behind which the package sleeps.

Dispatcher jobs, strategy timers, cron entries and keep-alives of connectors are entries of the same kind of queue,
ordered by (`when`, insertion), so equal times run in the order in which they were scheduled.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from heapq import heappop, heappush
from typing import Any, TypeAlias

from backtestkit.errors import UsageError
from backtestkit.runtime import bridge
from backtestkit.runtime.clock import from_ns, to_ns
from backtestkit.runtime.log import logger

JobFunction: TypeAlias = Callable[[], Any]
Sleeper: TypeAlias = Callable[[float], Awaitable[None]]


class Job:
    """One entry of the queue: `fn`, plain or async, due at `when_ns` (nanoseconds since the epoch)."""

    __slots__ = ("cancelled", "fn", "is_async", "when_ns")

    def __init__(self, when_ns: int, fn: JobFunction) -> None:
        self.when_ns, self.fn, self.is_async = when_ns, fn, bridge.is_async(fn)
        self.cancelled = False

    @property
    def when(self) -> datetime:
        """When it is due, aware, UTC."""
        return from_ns(self.when_ns)

    def cancel(self) -> None:
        """Never run it; after it ran this does nothing."""
        self.cancelled = True

    async def run(self) -> None:
        """Run it now; what it raises, this raises."""
        answer = self.fn() if self.is_async else bridge.begin_plain(self.fn)
        if answer is not None and inspect.isawaitable(answer):
            await answer

    def __repr__(self) -> str:
        return f"<Job {self.fn!r} due {self.when:%Y-%m-%d %H:%M:%S.%f}>"


class Scheduler:
    """Jobs ordered by (`when`, insertion). It only keeps them: whoever owns the time runs what is due.

    `queue` is a heap of (when in ns, number, job), to be read by a loop that must know at once whether anything is due.
    """

    __slots__ = ("_on_error", "_scheduled", "queue")

    def __init__(self, on_error: Callable[[Job, Exception], None] | None = None) -> None:
        """`on_error` is told what a job of `run_due` raises; without it that is logged."""
        self._on_error = on_error or log_job_error
        self.queue: list[tuple[int, int, Job]] = []
        self._scheduled = 0

    def __len__(self) -> int:
        """How many jobs are waiting."""
        return sum(not job.cancelled for _, _, job in self.queue)

    def schedule(self, when: datetime | int, fn: JobFunction) -> Job:
        """Have `fn` run at `when`: an aware datetime (else `ValueError`), or nanoseconds since the epoch."""
        if not callable(fn):
            raise UsageError(f"job {fn!r} cannot be called. Give a plain or an async function without arguments.")
        job = Job(when if isinstance(when, int) else to_ns(when), fn)
        heappush(self.queue, (job.when_ns, self._scheduled, job))
        self._scheduled += 1
        return job

    @property
    def next_due_ns(self) -> int | None:
        """When the next job is due, in nanoseconds since the epoch; None without jobs."""
        queue = self.queue
        while queue and queue[0][2].cancelled:
            heappop(queue)
        return queue[0][0] if queue else None

    @property
    def last_due_ns(self) -> int | None:
        """When the last of the jobs known now is due."""
        return max((when for when, _, job in self.queue if not job.cancelled), default=None)

    def pop_due(self, until_ns: int) -> Job | None:
        """Take the next job if it is due at `until_ns` or before."""
        due = self.next_due_ns
        return heappop(self.queue)[2] if due is not None and due <= until_ns else None

    async def run_due(self, until_ns: int) -> None:
        """Run all jobs due at `until_ns` or before, one at a time, with those that they schedule meanwhile."""
        while (job := self.pop_due(until_ns)) is not None:
            try:
                await job.run()
            except Exception as error:
                self._on_error(job, error)


def log_job_error(job: Job, error: Exception) -> None:
    """Log what a job raised."""
    logger().error("job_failed", job=repr(job.fn), when=job.when.isoformat(), exc_info=error)


async def sleep(seconds: float) -> None:
    """Suspend for `seconds`."""
    await _sleeper.get()(seconds)


async def breathe() -> None:
    """Let the other tasks of the event loop, and its signal handlers, have a turn."""
    await asyncio.sleep(0)


def sleep_blocking(seconds: float) -> None:
    """Block this thread for `seconds`; for code that has no event loop."""
    time.sleep(seconds)


@contextmanager
def use_sleeper(sleeper: Sleeper) -> Iterator[None]:
    """Sleep by `sleeper` in this context, and the tasks it starts, until the block ends; a test's clock can jump."""
    token = _sleeper.set(sleeper)
    try:
        yield
    finally:
        _sleeper.reset(token)


_sleeper: ContextVar[Sleeper] = ContextVar("backtestkit_sleeper", default=asyncio.sleep)
