"""The time limit of `get_signal`: kept without cost, and without harm to what runs beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from backtestkit.errors import StrategyTimeoutError
from backtestkit.services.logic.watchdog import Watchdog

SHORT = 0.02


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> int:
    return 7


def in_loop(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main)


def test_a_call_in_time_gives_its_answer() -> None:
    async def main() -> int:
        dog = Watchdog(60)
        try:
            return await dog.guard(at_once())
        finally:
            dog.stop()

    assert in_loop(main()) == 7


def test_a_call_that_waits_too_long_is_cancelled_and_named() -> None:
    async def main() -> None:
        await Watchdog(SHORT).guard(never())

    with pytest.raises(StrategyTimeoutError, match=r"longer than max_signal_generation_seconds=0\.02"):
        in_loop(main())


def test_after_a_timeout_the_task_goes_on_and_the_next_call_is_watched_too() -> None:
    async def main() -> list[Any]:
        dog = Watchdog(SHORT)
        seen: list[Any] = []
        for call in (never, at_once, never, at_once):
            try:
                seen.append(await dog.guard(call()))
            except StrategyTimeoutError:
                seen.append("late")
        dog.stop()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return seen

    assert in_loop(main()) == ["late", 7, "late", 7]


def test_a_call_that_blocks_the_loop_is_reported_when_it_returns() -> None:
    async def blocking() -> None:
        deadline = time.monotonic() + 2 * SHORT
        while time.monotonic() < deadline:
            pass

    async def main() -> None:
        await Watchdog(SHORT).guard(blocking())

    with pytest.raises(StrategyTimeoutError):
        in_loop(main())


def test_a_call_that_swallows_its_cancellation_is_late_all_the_same_and_the_next_one_is_watched() -> None:
    async def stubborn() -> int:
        try:
            await never()
        except asyncio.CancelledError:
            return 1
        return 0

    async def main() -> list[str]:
        dog, seen = Watchdog(SHORT), []
        for call in (stubborn, never):
            try:
                await dog.guard(call())
            except StrategyTimeoutError:
                seen.append("late")
        dog.stop()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return seen

    assert in_loop(main()) == ["late", "late"]


def test_a_cancellation_from_elsewhere_is_not_mistaken_for_a_timeout() -> None:
    async def main() -> None:
        dog = Watchdog(60)
        task = asyncio.create_task(dog.guard(never()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        dog.stop()

    in_loop(main())


def test_between_two_calls_nothing_is_late() -> None:
    async def main() -> int:
        dog = Watchdog(SHORT)
        await dog.guard(at_once())
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * SHORT, done.set)
        await done.wait()
        answer = await dog.guard(at_once())
        dog.stop()
        return answer

    assert in_loop(main()) == 7


def test_a_run_that_moves_to_another_loop_is_watched_there() -> None:
    dog = Watchdog(SHORT)

    async def call() -> Any:
        return await dog.guard(at_once())

    async def late() -> None:
        await dog.guard(never())

    assert in_loop(call()) == 7
    with pytest.raises(StrategyTimeoutError):
        in_loop(late())


def test_stopping_twice_is_stopping_once() -> None:
    async def main() -> None:
        dog = Watchdog(SHORT)
        await dog.guard(at_once())
        dog.stop()
        dog.stop()

    in_loop(main())


def test_a_look_after_the_end_finds_nothing_to_do() -> None:
    dog = Watchdog(SHORT)
    dog._look()
    assert dog._timer is None
