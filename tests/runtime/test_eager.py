"""Tasks that start at once keep all that a task promises."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from backtestkit.runtime.eager import _Started, start_now

name: ContextVar[str] = ContextVar("name", default="none")


def test_what_never_waits_is_over_at_once() -> None:
    async def main() -> None:
        log: list[str] = []

        async def work() -> None:
            log.append("work")

        assert start_now(work(), set()) is None
        assert log == ["work"]
        await asyncio.sleep(0)

    asyncio.run(main())


def test_the_task_is_known_while_it_makes_its_first_step_and_as_long_as_it_waits() -> None:
    async def main() -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def work(pauses: int) -> None:
            assert asyncio.current_task() in tasks
            for _ in range(pauses):
                await asyncio.sleep(0)

        assert start_now(work(0), tasks) is None
        assert not tasks
        task = start_now(work(1), tasks)
        assert tasks == {task}
        await asyncio.wait(tasks)

    asyncio.run(main())


def test_what_waits_becomes_a_task_that_ends() -> None:
    async def main() -> None:
        log: list[Any] = []
        tasks: list[asyncio.Task[Any] | None] = []

        async def work() -> None:
            tasks.append(asyncio.current_task())
            name.set("inside")
            for _ in range(3):
                await asyncio.sleep(0)
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, 5)
            log.append(await future)
            tasks.append(asyncio.current_task())
            log.append(name.get())

        outer = asyncio.current_task()
        task = start_now(work(), set())
        assert asyncio.current_task() is outer
        assert name.get() == "none"
        assert task is not None
        await task
        assert log == [5, "inside"]
        assert tasks == [task, task]

    asyncio.run(main())


def test_an_error_before_the_first_wait_is_raised_at_once() -> None:
    async def main() -> None:
        async def work() -> None:
            raise ValueError("early")

        outer = asyncio.current_task()
        with pytest.raises(ValueError, match="early"):
            start_now(work(), set())
        assert asyncio.current_task() is outer
        await asyncio.sleep(0)

    asyncio.run(main())


def test_an_error_after_waiting_belongs_to_the_task() -> None:
    async def main() -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            raise ValueError("late")

        task = start_now(work(), set())
        assert task is not None
        with pytest.raises(ValueError, match="late"):
            await task

    asyncio.run(main())


def test_timeouts_hit_the_task_and_not_its_starter() -> None:
    async def main() -> None:
        async def work() -> None:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()

        task = start_now(work(), set())
        assert task is not None
        with pytest.raises(TimeoutError):
            await task

    asyncio.run(main())


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_a_cancellation_reaches_what_is_awaited(rounds: int) -> None:
    async def main() -> None:
        waited: list[asyncio.Future[None]] = []
        log: list[str] = []

        async def work() -> None:
            future = asyncio.get_running_loop().create_future()
            waited.append(future)
            try:
                await future
            finally:
                log.append("cleaned up")

        task = start_now(work(), set())
        assert task is not None
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waited[0].cancelled()
        assert log == ["cleaned up"]

    asyncio.run(main())


def test_a_cancellation_of_a_bare_pause_and_of_what_is_over() -> None:
    async def main() -> None:
        async def pause() -> None:
            await asyncio.sleep(0)

        paused = start_now(pause(), set())
        assert paused is not None
        paused.cancel()
        over = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

        async def work() -> None: ...

        assert start_now(work(), set()) is None
        (finished,) = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} - over
        finished.cancel()
        await asyncio.wait([paused, finished])
        assert paused.cancelled()

    asyncio.run(main())


def test_it_works_from_a_callback_where_no_task_is_current() -> None:
    async def main() -> None:
        started: list[asyncio.Task[None] | None] = []

        async def work() -> None:
            await asyncio.sleep(0)

        asyncio.get_running_loop().call_soon(lambda: started.append(start_now(work(), set())))
        await asyncio.sleep(0)
        assert started[0] is not None
        await started[0]

    asyncio.run(main())


def test_nothing_but_the_task_drives_a_started_coroutine() -> None:
    async def work() -> None: ...

    started = _Started(work())
    with pytest.raises(TypeError, match="only its task"):
        started.__await__()
    started.close()
