"""The dispatcher of a backtest: time is what the events say it is."""

from __future__ import annotations

from functools import partial
from heapq import heappop, heapreplace
from inspect import isawaitable
from types import CoroutineType

from backtestkit.errors import EngineError
from backtestkit.runtime import bridge
from backtestkit.runtime.clock import SimulatedClock, from_ns
from backtestkit.runtime.dispatcher.base import EventDispatcher
from backtestkit.runtime.dispatcher.merge import Slot
from backtestkit.runtime.event import Event
from backtestkit.runtime.scheduler import Job, breathe

BREATHE_EVERY = 256
"""Rounds after which other tasks and signal handlers get a turn: a count and not a time, so that runs repeat."""


class BacktestingDispatcher(EventDispatcher):
    """Delivers events as fast as they are handled, in the order of their times.

    Jobs due up to the time of the next event run before it, one at a time. All events of one time are one batch; what a
    handler pushes belongs to a later one. When all sources are empty, the jobs known at that moment are run, with those
    they schedule up to the last one's time; then the dispatcher stops. A source that goes back in time ends the run.
    """

    clock: SimulatedClock

    def __init__(self, max_concurrent: int = 50) -> None:
        super().__init__(max_concurrent, SimulatedClock())
        self._last_ns: int | None = None  # when the last of the jobs was due that were known when the sources ran dry

    async def _loop(self) -> None:
        first_ns = self._merge.next_ns()
        if first_ns is not None:
            self.clock.now_ns = first_ns
        await self._announce_start()
        while not self._stopped and await self._rounds(BREATHE_EVERY):
            await breathe()

    async def _rounds(self, count: int) -> bool:
        """Deliver a number of events or batches; False when there is nothing more."""
        merge, clock = self._merge, self.clock
        heap, empty, jobs = merge.heap, merge.empty, self.scheduler.queue
        direct = not bridge.armed()
        for _ in range(count):
            if self._stopped:
                return False
            if empty:
                merge.refill()
            if not heap:
                if not await self._run_last_job():
                    return False
                continue
            now_ns = heap[0][0]
            if now_ns < clock.now_ns:
                self._refuse_past(heap[0][3], heap[0][4])
            if jobs and (job := self.scheduler.pop_due(now_ns)) is not None:
                await self._run_job(job)
                continue
            clock.now_ns = now_ns
            _, _, index, event, slot = heap[0]  # `merge.take()`, written out: this is the speed of a backtest
            following = slot.pop()
            if following is None:
                heappop(heap)
                empty.append(slot)
            else:
                heapreplace(heap, (following.when_ns, slot.source.order, index, following, slot))
            if heap and heap[0][0] == now_ns:
                await self._deliver_batch(now_ns, slot, event)
            elif direct and slot.in_order is not None:
                for handler in slot.in_order:
                    try:
                        answer = handler(event)
                    except Exception as error:
                        self._handler_failed(error, handler, event)
                    else:
                        if answer is not None and (type(answer) is CoroutineType or isawaitable(answer)):
                            await self._guard(answer, handler, event)
                    if self._stopped:
                        break
            else:
                await self._deliver(slot.stages, event)
        return True

    async def _run_last_job(self) -> bool:
        """With all sources empty: run the next of the jobs that end the backtest; False when that was all."""
        if self._last_ns is None:
            self._last_ns = self.scheduler.last_due_ns
        job = None if self._last_ns is None else self.scheduler.pop_due(self._last_ns)
        if job is not None:
            await self._run_job(job)
        return job is not None

    async def _run_job(self, job: Job) -> None:
        if job.when_ns > self.clock.now_ns:
            self.clock.now_ns = job.when_ns
        try:
            await job.run()
        except Exception as error:
            self._job_failed(job, error)

    async def _deliver_batch(self, now_ns: int, slot: Slot, event: Event) -> None:
        """Take everything that is due now, before any of it is delivered."""
        merge = self._merge
        batch = [(slot, event)]
        while merge.heap and merge.heap[0][0] == now_ns:
            batch.append(merge.take())
        if self._sequential or all(self._never_waits(stage) for slot, _ in batch for stage in slot.stages):
            for slot, event in batch:
                await self._deliver(slot.stages, event)
            return
        for slot, event in batch:
            if self._stopped:
                break
            await self._pool.push(partial(self._deliver, slot.stages, event))
        await self._pool.join()

    def _refuse_past(self, event: Event, slot: Slot) -> None:
        raise EngineError(
            f"{event!r} of source {slot.source!r} is older than the clock, which stands at "
            f"{from_ns(self.clock.now_ns).isoformat()}. A backtest needs events in the order of their times."
        )
