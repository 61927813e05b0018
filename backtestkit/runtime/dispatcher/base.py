"""What both dispatchers share: subscriptions, the life cycle of a run, and how one event is delivered."""

from __future__ import annotations

import asyncio
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar

from backtestkit.errors import EngineError, UsageError
from backtestkit.runtime import bridge
from backtestkit.runtime.clock import SimulatedClock, SystemClock
from backtestkit.runtime.dispatcher.handlers import Handler, HandlerFunction, Stage, Stages, add_handler
from backtestkit.runtime.dispatcher.merge import SourceMerge
from backtestkit.runtime.dispatcher.pool import HandlerPool
from backtestkit.runtime.eager import start_now
from backtestkit.runtime.event import Event, EventSource, Producer
from backtestkit.runtime.log import logger, simulated_time
from backtestkit.runtime.loops import is_running_here
from backtestkit.runtime.scheduler import Job, JobFunction, Scheduler, log_job_error

E = TypeVar("E", bound=Event)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

DispatcherClock: TypeAlias = SimulatedClock | SystemClock


class EventDispatcher(ABC):
    """Delivers the events of all sources to their handlers in one total order.

    Each event goes through three stages, each over before the next begins: sniffers in front, the handlers of its
    source, the other sniffers. With `max_concurrent=1` handlers are awaited one by one, otherwise those of one stage
    are started together in order and awaited together.

    What a handler or a job raises is logged and the run goes on, unless `stop_on_handler_exceptions` is set: then the
    first error stops the dispatcher and is kept in `error`.
    """

    def __init__(self, max_concurrent: int, clock: DispatcherClock) -> None:
        if isinstance(max_concurrent, bool) or not isinstance(max_concurrent, int) or max_concurrent < 1:
            raise UsageError(f"max_concurrent={max_concurrent!r} is not an integer of at least 1")
        self.clock = clock
        self.stop_on_handler_exceptions = False
        self.error: Exception | None = None
        self.scheduler = Scheduler(self._job_failed)
        self._sequential = max_concurrent == 1
        self._pool = HandlerPool(max_concurrent)
        self._merge = SourceMerge()
        self._producers: list[Producer] = []
        self._front: list[Handler] = []
        self._behind: list[Handler] = []
        self._started: list[Handler] = []
        self._ran = self._stopped = False
        self._work: asyncio.Task[None] | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._stages: list[_RunningStage] = []
        self._log = logger(dispatcher=type(self).__name__)

    # -- before the run -----------------------------------------------------------------------------------------------

    def subscribe(self, source: EventSource[E], handler: Callable[[E], Any]) -> None:
        """Call `handler` with every event of `source`. Only before `run`; the same handler again changes nothing."""
        self._require_not_running("subscribe")
        add_handler(self._merge.slot(source).handlers, handler)
        if source.producer is not None and all(producer is not source.producer for producer in self._producers):
            self._producers.append(source.producer)

    def subscribe_all(self, handler: HandlerFunction, front_run: bool = False) -> None:
        """Call `handler` with every event: with `front_run` before the handlers of its source, else after them."""
        self._require_not_running("subscribe_all")
        add_handler(self._front if front_run else self._behind, handler)

    def subscribe_event_loop_started(self, handler: Callable[[], Any]) -> None:
        """Call `handler` once, when the producers are ready and before the first event is delivered."""
        self._require_not_running("subscribe_event_loop_started")
        add_handler(self._started, handler)

    # -- any time -----------------------------------------------------------------------------------------------------

    def schedule(self, when: datetime | int, job: JobFunction) -> Job:
        """Run `job` at `when`, an aware datetime or nanoseconds since the epoch. The answer can be cancelled."""
        return self.scheduler.schedule(when, job)

    def now(self) -> datetime:
        """The time of the dispatcher's clock."""
        return self.clock.now()

    @property
    def now_available(self) -> bool:
        """Whether `now` can be called."""
        return self.clock.available

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called, by anybody."""
        return self._stopped

    def stop(self) -> None:
        """End the run: producers, loop and handlers are cancelled, except a handler that calls this.

        May be called from any thread.
        """
        work = self._work
        if self._stopped or work is None:
            self._stopped = True
            return
        self._stopped = True
        if not is_running_here(work.get_loop()):
            work.get_loop().call_soon_threadsafe(work.cancel)
            return
        caller = asyncio.current_task()
        spared = {caller, *(stage.waiter for stage in self._stages if caller in stage.tasks)}
        if self._loop_task not in spared and not any(task in self._pool for task in spared):
            work.cancel()
            return
        self._pool.cancel_all_but(spared)
        for stage in self._stages:
            for task in stage.tasks - spared:
                task.cancel()

    # -- the run ------------------------------------------------------------------------------------------------------

    async def run(self, stop_signals: Sequence[signal.Signals] = STOP_SIGNALS) -> None:
        """Deliver events until there are no more, `stop` is called, or something fails. Once for each dispatcher.

        Raises what a producer's `initialize` or `main` raised, and `CancelledError` when the caller was cancelled.
        """
        if self._ran:
            raise EngineError("this dispatcher has run already. Make a new one for each run.")
        self._ran = True
        self._compile()
        restore = _bind_signals(stop_signals, self.stop)
        try:
            with simulated_time(self.clock):
                try:
                    if not self._stopped:
                        self._work = asyncio.create_task(self._produce_and_deliver())
                        await self._until_stopped(self._work)
                finally:
                    self._work = None
                    await self._pool.cancel()
                    await self._finalize()
        finally:
            restore()

    async def _until_stopped(self, work: asyncio.Task[None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not self._stopped or (caller is not None and caller.cancelling()):
                raise

    async def _produce_and_deliver(self) -> None:
        await _all_or_none([producer.initialize() for producer in self._producers])
        self._loop_task = asyncio.create_task(self._loop())
        mains = {asyncio.create_task(producer.main()) for producer in self._producers}
        tasks = {self._loop_task, *mains}
        failures: list[BaseException] = []
        try:
            running = set(tasks)
            while not self._loop_task.done() and not failures:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                failures += _failures(done)
        finally:
            await _cancel(tasks)
            for failure in _failures(tasks):
                if failure not in failures[:1]:
                    self._log.error("failed_while_stopping", exc_info=failure)
        if failures:
            raise failures[0]

    async def _finalize(self) -> None:
        results = await asyncio.gather(*(producer.finalize() for producer in self._producers), return_exceptions=True)
        for producer, result in zip(self._producers, results, strict=True):
            if isinstance(result, BaseException):
                self._log.error("finalize_failed", producer=repr(producer), exc_info=result)

    @abstractmethod
    async def _loop(self) -> None:
        """Deliver until there is nothing more or `stopped` is set."""

    async def _announce_start(self) -> None:
        for handler in self._started:
            try:
                await handler()
            except Exception as error:
                self._failed(error, handler=repr(handler))

    # -- one event ----------------------------------------------------------------------------------------------------

    async def _deliver(self, stages: Stages, event: Event) -> None:
        for stage in stages:
            if self._sequential or len(stage) == 1 or self._never_waits(stage):
                for handler in stage:
                    if self._stopped:
                        return
                    await self._handle(handler, event)
            else:
                await self._together(stage, event)

    async def _together(self, handlers: Stage, event: Event) -> None:
        stage = _RunningStage(asyncio.current_task(), set())
        self._stages.append(stage)
        try:
            for handler in handlers:
                if self._stopped:
                    break
                start_now(self._handle(handler, event), stage.tasks)
            if stage.tasks:
                await asyncio.wait(stage.tasks)
        finally:
            await _cancel(stage.tasks)
            self._stages.remove(stage)

    def _never_waits(self, stage: Stage) -> bool:
        """Plain functions that are started together run one after the other."""
        return not bridge.armed() and not any(handler.is_async for handler in stage)

    async def _handle(self, handler: Handler, event: Event) -> None:
        await self._guard(handler(event), handler.fn, event)

    async def _guard(self, call: Awaitable[object], fn: HandlerFunction, event: Event) -> None:
        try:
            await call
        except asyncio.CancelledError as error:
            caller = asyncio.current_task()
            if self._stopped or caller is None or caller.cancelling():
                raise
            # Nobody cancelled the handler: something that it awaited was cancelled, which is its own affair.
            failure = EngineError("the handler awaited something that was cancelled")
            failure.__cause__ = error
            self._handler_failed(failure, fn, event)
        except Exception as error:
            self._handler_failed(error, fn, event)

    def _handler_failed(self, error: Exception, fn: HandlerFunction, event: Event) -> None:
        self._failed(error, handler=repr(fn), event_type=type(event).__name__, when=event.when.isoformat())

    def _job_failed(self, job: Job, error: Exception) -> None:
        log_job_error(job, error)
        self._stop_after(error)

    def _failed(self, error: Exception, **about: Any) -> None:
        self._log.error("handler_failed", **about, exc_info=error)
        self._stop_after(error)

    def _stop_after(self, error: Exception) -> None:
        if self.stop_on_handler_exceptions and self.error is None:
            self.error = error
            self.stop()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        """Lay out the stages of every source."""
        for slot in self._merge.slots:
            stages = (tuple(self._front), tuple(slot.handlers), tuple(self._behind))
            slot.stages = tuple(stage for stage in stages if stage)
            handlers = tuple(handler for stage in slot.stages for handler in stage)
            one_by_one = self._sequential or all(len(stage) == 1 for stage in slot.stages)
            if one_by_one or not any(handler.is_async for handler in handlers):
                slot.in_order = tuple(handler.fn for handler in handlers)

    def _require_not_running(self, call: str) -> None:
        if self._ran:
            raise EngineError(f"{call} was called after the run had begun. Subscribe before `run`.")


class _RunningStage(NamedTuple):
    """Handlers that were started together, and the task that waits for them."""

    waiter: asyncio.Task[Any] | None
    tasks: set[asyncio.Task[None]]


def _failures(tasks: Iterable[asyncio.Task[None]]) -> list[BaseException]:
    return [
        failure for task in tasks if task.done() and not task.cancelled() and (failure := task.exception()) is not None
    ]


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _all_or_none(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do all at once; the first error cancels the rest and is raised."""
    tasks = {asyncio.create_task(coroutine) for coroutine in work}
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failures = _failures(done)
    finally:
        await _cancel(tasks)
    if failures:
        raise failures[0]


def _bind_signals(signals: Iterable[signal.Signals], stop: Callable[[], None]) -> Callable[[], None]:
    """Have `stop` called on any of `signals`, where the platform can; returns a function that undoes that."""
    loop = asyncio.get_running_loop()
    before: list[tuple[signal.Signals, Any]] = []
    if threading.current_thread() is threading.main_thread():
        for number in signals:
            with suppress(NotImplementedError):
                previous = signal.getsignal(number)
                loop.add_signal_handler(number, stop)
                before.append((number, previous))

    def restore() -> None:
        for number, previous in before:
            loop.remove_signal_handler(number)
            signal.signal(number, previous)

    return restore
