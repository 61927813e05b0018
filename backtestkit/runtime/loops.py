"""Event loops for code that has none: one kept for each thread, and a loop in a thread of its own beside a running one.

A thread keeps its loop from call to call, because clients hold connections and locks that belong to the loop they were
made in.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

R = TypeVar("R")

must_not_wait: ContextVar[list[bool] | None] = ContextVar("backtestkit_must_not_wait", default=None)
"""A flag that is True while a listener call, or a loop that is blocked, waits for this code to end.

Such code must not wait for a turn that only they can give. It is a list so that the end of the call clears it for tasks
that the call started and left behind.
"""


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run `coroutine` to its end from plain code and return its result.

    Without a running loop in this thread it runs here, in the loop that the thread keeps. Beside a running loop (a
    plain call from a notebook cell or from async code) it runs in a loop thread while this thread blocks; what it
    awaits must then not depend on the blocked loop. Context variables are copied, Ctrl-C cancels the coroutine.
    """
    if not loop_runs_here():
        result: list[R] = []
        own_runner().run(_put(coroutine, result), context=copy_context())
        return result[0]
    before, blocked = must_not_wait.get(), [True]
    must_not_wait.set(blocked)
    future = asyncio.run_coroutine_threadsafe(coroutine, side_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
    finally:
        blocked[0] = False
        must_not_wait.set(before)


async def _put(coroutine: Coroutine[Any, Any, R], result: list[R]) -> None:
    """Put the result of `coroutine` elsewhere than into its task.

    When `asyncio.Runner` puts the handler of Ctrl-C back, the text of the task is made, and of its whole result with it:
    seconds for the trades of many runs.
    """
    result.append(await coroutine)


def loop_runs_here() -> bool:
    """Whether an event loop is running in this thread."""
    return asyncio._get_running_loop() is not None


def is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this code runs inside `loop`, so that its tasks may be touched."""
    return asyncio._get_running_loop() is loop


def own_runner() -> asyncio.Runner:
    """The runner that this thread keeps."""
    if _kept.runner is None:
        _kept.runner = _Runner()
    return _kept.runner.runner


def side_loop() -> asyncio.AbstractEventLoop:
    """A running loop in another thread that belongs to this thread.

    Each thread has its own one, so code that runs in a side loop and blocks there for another never waits for itself.
    """
    if _kept.side is None:
        _kept.side = _LoopThread()
    return _kept.side.loop


class _Runner:
    """A runner that is closed when its thread ends."""

    def __init__(self) -> None:
        # With a factory the runner leaves the thread's "current loop" alone, which belongs to the user.
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)

    def close(self) -> None:
        with suppress(RuntimeError):  # a loop that is still running in a dying interpreter cannot be closed
            self.runner.close()

    __del__ = close


class _LoopThread:
    """A loop that runs in a daemon thread until it is closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self.loop,), name="backtestkit-loop", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(RuntimeError):  # closed before
            self.loop.call_soon_threadsafe(self.loop.stop)
        if self._thread is not threading.current_thread():
            self._thread.join()

    __del__ = close


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


class _Kept(threading.local):
    def __init__(self) -> None:
        self.runner: _Runner | None = None
        self.side: _LoopThread | None = None


_kept = _Kept()


@atexit.register
def close() -> None:
    """Close the loops that this thread keeps: at the end of the main thread nobody else would."""
    side, _kept.side = _kept.side, None
    runner, _kept.runner = _kept.runner, None
    if side is not None:
        side.close()
    if runner is not None:
        runner.close()
