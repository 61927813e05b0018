"""`for` over an async generator, from plain code.

The generator runs as one task, so that its context and its timeouts are those of one flow. Its loop is stopped at each
item and goes on when the next is asked for: while the body of the `for` runs no loop is running, and the body may use
`asyncio.run` and sync twins as it likes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime.loops import loop_runs_here, must_not_wait, own_runner, side_loop

T = TypeVar("T")


def iterate(source: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """The items of `source()`, one at a time; nothing runs between two of them.

    Where the `for` is left early, by a break or an exception, the task is cancelled and the generator closed before
    anything else happens. Beside a running loop, as in a notebook, the generator runs in a loop thread in lock step.
    """
    return _in_side_loop(source) if loop_runs_here() else _in_own_loop(source)


async def _pump(source: Callable[[], AsyncIterator[T]], offer: Callable[[T], asyncio.Future[None]]) -> None:
    items = source()
    try:
        async for item in items:
            await offer(item)
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


def _in_own_loop(source: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    loop = own_runner().get_loop()
    thread = threading.get_ident()
    offered: list[tuple[T, asyncio.Future[None]]] = []

    def offer(item: T) -> asyncio.Future[None]:
        taken = loop.create_future()
        offered.append((item, taken))
        loop.stop()
        return taken

    task = loop.create_task(_pump(source, offer))
    task.add_done_callback(lambda _: loop.stop())
    try:
        while True:
            while not offered and not task.done():
                loop.run_forever()
            if not offered:
                break
            item, taken = offered.pop()
            yield item
            if threading.get_ident() != thread:
                raise UsageError("results must be taken in the thread in which the first one was asked for")
            taken.set_result(None)
        task.result()
    finally:
        if not task.done():
            task.cancel()
            while not task.done():
                loop.run_forever()
                if offered:  # a source that goes on in spite of its cancellation
                    offered.pop()[1].cancel()
            if not task.cancelled():
                task.result()


def _in_side_loop(source: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    loop = side_loop()
    offered: SimpleQueue[tuple[T, asyncio.Future[None]] | None] = SimpleQueue()
    tasks: list[asyncio.Task[None]] = []

    def offer(item: T) -> asyncio.Future[None]:
        taken = loop.create_future()
        offered.put((item, taken))
        return taken

    def start() -> None:
        tasks.append(loop.create_task(_pump(source, offer)))
        tasks[0].add_done_callback(lambda _: offered.put(None))

    blocked = [True]
    before = must_not_wait.get()
    must_not_wait.set(blocked)
    loop.call_soon_threadsafe(start)  # in a copy of this context, which the task inherits
    must_not_wait.set(before)
    over = False
    try:
        while (handover := offered.get()) is not None:
            item, taken = handover
            blocked[0] = False
            yield item
            blocked[0] = True
            loop.call_soon_threadsafe(taken.set_result, None)
        over = True
    finally:
        blocked[0] = True
        if not over:
            loop.call_soon_threadsafe(lambda: tasks[0].cancel())
            while (handover := offered.get()) is not None:
                loop.call_soon_threadsafe(handover[1].cancel)
        blocked[0] = False
        if over or not tasks[0].cancelled():
            tasks[0].result()
