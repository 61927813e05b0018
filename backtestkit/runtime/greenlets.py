"""Plain functions that may wait: each runs in a greenlet, which gives its coroutine to the event loop and sleeps.

Imported by `bridge` when the first plain function is bridged, so that greenlet costs nothing before. A greenlet that
finished its call is kept for the next one of its thread: a new one would cost twenty times the call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]

R = TypeVar("R")

IDLE_WORKERS_MAX: Final = 64
FAILED: Final = object()


class Rest:
    """Awaiting this goes on with a coroutine that was started by hand and has stopped at `pending`."""

    __slots__ = ("coroutine", "pending")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], pending: Any) -> None:
        self.coroutine, self.pending = coroutine, pending

    def __await__(self) -> Generator[Any, Any, Any]:
        pending = self.pending
        try:
            while True:
                try:
                    sent = yield pending
                except GeneratorExit:
                    self.coroutine.close()
                    raise
                except BaseException as error:
                    pending = self.coroutine.throw(error)
                else:
                    pending = self.coroutine.send(sent)
        except StopIteration as stop:
            return stop.value


class Worker(greenlet):  # type: ignore[misc]
    """Runs one plain call after the other.

    Switching to it starts a call or resumes one that waits, and gives its result, `FAILED` with the exception in
    `failure`, or a `Rest` to await. `caller` is whoever switched to it last.
    """

    caller: greenlet
    failure: BaseException

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:  # pyright: ignore
        """Make calls for ever."""
        while True:
            try:
                result = fn(*args)
            except GreenletExit:
                raise
            except BaseException as error:
                self.failure, result = error, FAILED
            fn, args = self.caller.switch(result)

    def wait(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """The result of `coroutine`; called by the plain function inside this worker."""
        try:
            pending = coroutine.send(None)
        except StopIteration as stop:
            result: R = stop.value
            return result
        waited: R = self.caller.switch(Rest(coroutine, pending))
        return waited

    def take_failure(self) -> BaseException:
        """The exception of the last call; the worker forgets it, for it holds on to the frames it went through."""
        failure = self.failure
        del self.failure
        return failure


class Suspended:
    """A call whose function waits. Awaiting this goes on with it and gives what the function returns."""

    __slots__ = ("_rest", "_worker")

    def __init__(self, worker: Worker, rest: Rest) -> None:
        self._worker, self._rest = worker, rest

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._finish().__await__()

    async def _finish(self) -> Any:
        worker, answer = self._worker, self._rest
        while type(answer) is Rest:
            try:
                value = await answer
            except BaseException as error:
                worker.caller = getcurrent()
                answer = worker.throw(error)
            else:
                worker.caller = getcurrent()
                answer = worker.switch(value)
        return _result(worker, answer)


class _Idle(threading.local):
    """Workers that stand by; greenlets cannot leave their thread."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []


_idle = _Idle()


def begin(fn: Callable[..., Any], *args: Any) -> Any:
    """Run `fn(*args)` in a worker of this thread: its result, or `Suspended` when it waits for something.

    Costs no coroutine when the function does not wait. Must be called inside a running task.
    """
    idle = _idle.workers
    worker = idle.pop() if idle else Worker()
    # The very context of this task, not a copy: what the function sets is set for its caller, as in a plain call.
    worker.caller = here = getcurrent()
    worker.gr_context = here.gr_context
    answer = worker.switch(fn, args)
    return Suspended(worker, answer) if type(answer) is Rest else _result(worker, answer)


def _result(worker: Worker, answer: Any) -> Any:
    """What a call that is over came to; its worker stands by again."""
    idle = _idle.workers
    if len(idle) < IDLE_WORKERS_MAX:
        idle.append(worker)
    if answer is FAILED:
        raise worker.take_failure()
    return answer


def current_worker() -> Worker | None:
    """The worker in whose plain function this code runs, None outside."""
    current = getcurrent()
    return current if isinstance(current, Worker) else None
