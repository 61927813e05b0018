"""The dispatcher of live trading: time is the wall's, and events are delivered as they arrive."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.dispatcher.base import EventDispatcher
from backtestkit.runtime.dispatcher.handlers import Handler, add_handler
from backtestkit.runtime.scheduler import Job, breathe, sleep

EVENTS_PER_ROUND: Final = 256
"""After so many events the due jobs, and other tasks, get their turn even when more are due."""


class RealtimeDispatcher(EventDispatcher):
    """Delivers what is due by the wall clock, up to `max_concurrent` at a time; ten times as many may be queued.

    An event with a future time waits for it. One that is older than the last one from its source is logged and skipped.
    `idle_sleep` is the pause in seconds when a round found nothing to do.
    """

    def __init__(self, max_concurrent: int = 50, clock: SystemClock | None = None) -> None:
        super().__init__(max_concurrent, clock or SystemClock())
        self.idle_sleep = 0.001
        self._idle: list[Handler] = []

    def subscribe_idle(self, handler: Callable[[], Any]) -> None:
        """Call `handler` whenever nothing is in flight."""
        self._require_not_running("subscribe_idle")
        add_handler(self._idle, handler)

    async def _loop(self) -> None:
        await self._announce_start()
        while not self._stopped:
            pushed = await self._push_due(self.clock.now_ns)
            if pushed:
                await breathe()
                continue
            if self._pool.idle:
                await self._call_idle_handlers()
            await sleep(self.idle_sleep)

    async def _push_due(self, now_ns: int) -> int:
        """Push what is due into the pool; returns how much that was."""
        pushed = 0
        while not self._stopped and (job := self.scheduler.pop_due(now_ns)) is not None:
            await self._pool.push(partial(self._run_job, job))
            pushed += 1
        merge = self._merge
        while not self._stopped and pushed < EVENTS_PER_ROUND:
            due_ns = merge.next_ns()
            if due_ns is None or due_ns > now_ns:
                break
            slot, event = merge.take()
            pushed += 1
            if slot.last_ns is not None and event.when_ns < slot.last_ns:
                self._log.warning("event_out_of_order", dropped=repr(event), source=repr(slot.source))
                continue
            slot.last_ns = event.when_ns
            await self._pool.push(partial(self._deliver, slot.stages, event))
        return pushed

    async def _run_job(self, job: Job) -> None:
        try:
            await job.run()
        except Exception as error:
            self._job_failed(job, error)

    async def _call_idle_handlers(self) -> None:
        for handler in self._idle:
            try:
                await handler()
            except Exception as error:
                self._failed(error, handler=repr(handler))
