"""One listener, many emitters: turns, order, emissions from inside listeners, cancellation, threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import EngineError
from backtestkit.runtime import subscription
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.loops import must_not_wait

run_name: ContextVar[str] = ContextVar("run_name", default="none")


def channel(errors: list[str] | None = None) -> Channel[int]:
    async def sink(error: Exception, name: str, event: Any) -> None:
        assert errors is not None, error
        errors.append(f"{event}: {error}")

    return Channel("numbers", sink)


class Gate:
    """A listener that enters, waits to be let through, and leaves."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.open = asyncio.Event()

    async def __call__(self, number: int) -> None:
        self.log.append(f"+{number}")
        await self.open.wait()
        self.log.append(f"-{number}")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_calls_of_one_listener_never_overlap_and_keep_the_order_of_the_emitters() -> None:
    async def main() -> None:
        numbers, gate = channel(), Gate()
        numbers.listen(gate)
        emitters = [asyncio.create_task(numbers.emit(i)) for i in range(4)]
        await settle()
        assert gate.log == ["+0"]
        assert not any(task.done() for task in emitters)
        gate.open.set()
        await asyncio.gather(*emitters)
        assert gate.log == ["+0", "-0", "+1", "-1", "+2", "-2", "+3", "-3"]

    asyncio.run(main())


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=4),
    waits=st.lists(st.integers(0, 3), min_size=1, max_size=3),
)
def test_each_emitters_events_arrive_in_order_at_every_listener(steps: list[list[int]], waits: list[int]) -> None:
    async def main() -> None:
        events = Channel[tuple[int, int]]("events", sink)
        seen: list[list[tuple[int, int]]] = [[] for _ in waits]
        inside = [0] * len(waits)

        def listener(place: int, wait: int) -> Callable[[tuple[int, int]], object]:
            async def listen(event: tuple[int, int]) -> None:
                inside[place] += 1
                assert inside[place] == 1
                for _ in range(wait):
                    await asyncio.sleep(0)
                seen[place].append(event)
                inside[place] -= 1

            return listen

        for place, wait in enumerate(waits):
            events.listen(listener(place, wait))

        async def emitter(name: int, pauses: list[int]) -> None:
            for number, pause in enumerate(pauses):
                for _ in range(pause):
                    await asyncio.sleep(0)
                await events.emit((name, number))

        await asyncio.gather(*(emitter(name, pauses) for name, pauses in enumerate(steps)))
        for got in seen:
            assert len(got) == sum(map(len, steps))
            for name, pauses in enumerate(steps):
                assert [number for emitted, number in got if emitted == name] == list(range(len(pauses)))

    async def sink(error: Exception, name: str, event: Any) -> None:
        raise AssertionError(error)

    asyncio.run(main())


def test_an_emission_from_inside_the_listener_is_delivered_right_after_the_call() -> None:
    async def main() -> None:
        numbers = channel()
        log: list[str] = []

        async def listen(number: int) -> None:
            log.append(f"+{number}")
            if number == 0:
                await numbers.emit(10)
                await numbers.emit(11)
                log.append("emitted")
            await asyncio.sleep(0)
            log.append(f"-{number}")

        numbers.listen(listen)
        first = asyncio.create_task(numbers.emit(0))
        second = asyncio.create_task(numbers.emit(1))
        await asyncio.gather(first, second)
        assert log == ["+0", "emitted", "-0", "+10", "-10", "+11", "-11", "+1", "-1"]

    asyncio.run(main())


def test_an_emission_from_a_task_that_the_listener_awaits_does_not_deadlock() -> None:
    async def main() -> None:
        numbers, seen = channel(), list[int]()

        async def listen(number: int) -> None:
            seen.append(number)
            if number == 0:
                async with asyncio.TaskGroup() as group:
                    group.create_task(numbers.emit(1))

        numbers.listen(listen)
        async with asyncio.timeout(5):
            await numbers.emit(0)
        assert seen == [0, 1]

    asyncio.run(main())


def test_two_listeners_that_emit_to_each_others_channels_do_not_deadlock() -> None:
    async def main() -> None:
        left, right = channel(), channel()
        both_inside = asyncio.Barrier(2)
        seen: list[str] = []

        async def on_left(number: int) -> None:
            seen.append(f"left {number}")
            if number == 0:
                await both_inside.wait()
                await right.emit(1)

        async def on_right(number: int) -> None:
            seen.append(f"right {number}")
            if number == 0:
                await both_inside.wait()
                await left.emit(1)

        left.listen(on_left)
        right.listen(on_right)
        async with asyncio.timeout(5):
            await asyncio.gather(left.emit(0), right.emit(0))
        assert sorted(seen) == ["left 0", "left 1", "right 0", "right 1"]

    asyncio.run(main())


def test_what_was_put_off_is_delivered_in_the_context_it_was_emitted_in() -> None:
    async def main() -> None:
        numbers = channel()
        seen: list[tuple[int, str]] = []

        async def listen(number: int) -> None:
            seen.append((number, run_name.get()))
            if number == 0:
                run_name.set("inner")
                await numbers.emit(1)
                run_name.set("outer")

        numbers.listen(listen)
        await numbers.emit(0)
        assert seen == [(0, "none"), (1, "inner")]

    asyncio.run(main())


def test_each_waiting_emitter_calls_the_listener_in_its_own_context() -> None:
    async def main() -> None:
        numbers = channel()
        seen: list[tuple[int, str]] = []

        async def listen(number: int) -> None:
            await asyncio.sleep(0)
            seen.append((number, run_name.get()))

        async def emitter(number: int) -> None:
            run_name.set(f"run {number}")
            await numbers.emit(number)

        numbers.listen(listen)
        await asyncio.gather(emitter(0), emitter(1))
        assert seen == [(0, "run 0"), (1, "run 1")]

    asyncio.run(main())


def test_a_task_that_a_listener_left_behind_waits_for_its_turn_like_any_other() -> None:
    async def main() -> None:
        numbers, gate = channel(), Gate()
        go = asyncio.Event()
        left_behind: list[asyncio.Task[None]] = []

        async def background() -> None:
            await go.wait()
            await numbers.emit(2)
            gate.log.append("emitted 2")

        async def start(number: int) -> None:
            left_behind.append(asyncio.create_task(background()))

        unsubscribe = numbers.listen(start)
        await numbers.emit(0)
        unsubscribe()
        numbers.listen(gate)
        busy = asyncio.create_task(numbers.emit(1))
        await settle()
        go.set()
        await settle()
        assert gate.log == ["+1"]
        gate.open.set()
        await asyncio.gather(busy, *left_behind)
        assert gate.log == ["+1", "-1", "+2", "-2", "emitted 2"]

    asyncio.run(main())


def test_errors_of_put_off_events_are_reported_whatever_on_error_says() -> None:
    async def main() -> None:
        errors: list[str] = []
        numbers = channel(errors)

        async def listen(number: int) -> None:
            if number:
                raise ValueError("late")
            await numbers.emit(1)

        numbers.listen(listen, on_error="raise")
        await numbers.emit(0)
        assert errors == ["1: late"]

    asyncio.run(main())


def test_put_off_events_are_delivered_also_when_the_call_raises() -> None:
    async def main() -> None:
        errors, seen = list[str](), list[int]()
        numbers = channel(errors)

        async def listen(number: int) -> None:
            seen.append(number)
            if number == 0:
                await numbers.emit(1)
                raise ValueError("first")

        numbers.listen(listen)
        await numbers.emit(0)
        assert (seen, errors) == ([0, 1], ["0: first"])

    asyncio.run(main())


def test_a_listener_that_floods_itself_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "PUT_OFF_MAX", 3)

    async def main() -> None:
        numbers = channel()

        async def listen(number: int) -> None:
            if number == 0:
                for _ in range(4):
                    await numbers.emit(1)

        numbers.listen(listen, on_error="raise")
        with pytest.raises(EngineError, match="3 events wait for listener"):
            await numbers.emit(0)

    asyncio.run(main())


def test_a_listener_removed_while_an_emitter_waits_is_not_called() -> None:
    async def main() -> None:
        numbers, gate = channel(), Gate()
        unsubscribe = numbers.listen(gate)
        emitters = [asyncio.create_task(numbers.emit(i)) for i in range(2)]
        await settle()
        unsubscribe()
        gate.open.set()
        await asyncio.gather(*emitters)
        assert gate.log == ["+0", "-0"]

    asyncio.run(main())


def test_a_cancelled_emitter_gives_its_place_to_the_next() -> None:
    async def main() -> None:
        numbers, gate = channel(), Gate()
        numbers.listen(gate)
        emitters = [asyncio.create_task(numbers.emit(i)) for i in range(3)]
        await settle()
        emitters[1].cancel()
        gate.open.set()
        results = await asyncio.gather(*emitters, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
        assert gate.log == ["+0", "-0", "+2", "-2"]

    asyncio.run(main())


def test_an_emitter_cancelled_when_it_has_just_got_the_turn_passes_it_on() -> None:
    async def main() -> None:
        numbers, seen = channel(), list[int]()
        emitters: list[asyncio.Task[None]] = []
        gate = asyncio.Event()

        async def listen(number: int) -> None:
            if number == 0:
                await gate.wait()
                # The waiter is woken at the end of this call; its cancellation arrives before it has run.
                asyncio.get_running_loop().call_soon(emitters[1].cancel)
            seen.append(number)

        numbers.listen(listen)
        emitters += [asyncio.create_task(numbers.emit(i)) for i in range(3)]
        await settle()
        gate.set()
        await asyncio.gather(*emitters, return_exceptions=True)
        assert seen == [0, 2]
        assert emitters[1].cancelled()

    asyncio.run(main())


def test_cancelling_the_call_still_delivers_what_was_put_off_and_passes_the_turn() -> None:
    async def main() -> None:
        numbers, seen = channel(), list[int]()

        async def listen(number: int) -> None:
            seen.append(number)
            if number == 0:
                await numbers.emit(1)
                await asyncio.Event().wait()

        numbers.listen(listen)
        emitter = asyncio.create_task(numbers.emit(0))
        waiting = asyncio.create_task(numbers.emit(2))
        await settle()
        emitter.cancel()
        await asyncio.gather(emitter, waiting, return_exceptions=True)
        assert emitter.cancelled()
        assert seen == [0, 1, 2]

    asyncio.run(main())


def test_a_cancellation_while_put_off_events_are_delivered_takes_effect_after_them() -> None:
    async def main() -> None:
        numbers, seen = channel(), list[int]()

        async def listen(number: int) -> None:
            if number == 0:
                await numbers.emit(1)
                await numbers.emit(2)
            if number == 1:
                await asyncio.Event().wait()
            seen.append(number)

        numbers.listen(listen)
        emitter = asyncio.create_task(numbers.emit(0))
        await settle()
        emitter.cancel()
        await asyncio.gather(emitter, return_exceptions=True)
        assert emitter.cancelled()
        assert seen == [0, 2]

    asyncio.run(main())


def test_closing_an_emission_frees_the_listener() -> None:
    numbers, seen = channel(), list[int]()

    class Never:
        def __await__(self) -> Any:
            yield

    async def listen(number: int) -> None:
        seen.append(number)
        if number == 0:
            await numbers.emit(5)
            await Never()

    numbers.listen(listen)
    emission = numbers.emit(0)
    emission.send(None)
    emission.close()
    asyncio.run(numbers.emit(1))
    assert seen == [0, 5, 1]


def test_emitters_in_several_threads_take_turns() -> None:
    numbers, seen, inside = channel(), list[int](), [0]

    async def listen(number: int) -> None:
        inside[0] += 1
        assert inside[0] == 1
        await asyncio.sleep(0)
        seen.append(number)
        inside[0] -= 1

    numbers.listen(listen)

    async def emitter(start: int) -> None:
        for number in range(start, start + 200):
            await numbers.emit(number)

    threads = [threading.Thread(target=asyncio.run, args=(emitter(1000 * i),)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(seen) == 600
    for i in range(3):
        assert [n for n in seen if n // 1000 == i] == list(range(1000 * i, 1000 * i + 200))


def test_a_waiter_whose_loop_died_is_passed_over() -> None:
    numbers, seen = channel(), list[int]()
    release: list[Callable[[], None]] = []

    async def listen(number: int) -> None:
        if number == 0:
            opened = asyncio.Event()
            release.append(opened.set)
            await opened.wait()
        seen.append(number)

    numbers.listen(listen)

    async def main() -> None:
        busy = asyncio.create_task(numbers.emit(0))
        await settle()

        def other_thread() -> None:
            loop = asyncio.new_event_loop()
            task = loop.create_task(numbers.emit(1))
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            tasks.append(task)

        thread = threading.Thread(target=other_thread)
        thread.start()
        await asyncio.to_thread(thread.join)
        release[0]()
        await busy
        await numbers.emit(2)

    tasks: list[asyncio.Task[None]] = []
    asyncio.run(main())
    assert seen == [0, 2]
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]


class RacyLock:
    """A lock whose holder, in another thread, lets go between two attempts to take it."""

    def __init__(self) -> None:
        self.answers = [False, True]
        self.released = 0

    def acquire(self, blocking: bool) -> bool:
        assert not blocking
        return self.answers.pop(0) if self.answers else True

    def release(self) -> None:
        self.released += 1


@pytest.mark.parametrize("hurried", [False, True])
def test_a_holder_that_leaves_without_seeing_a_newcomer_leaves_nobody_behind(hurried: bool) -> None:
    async def main() -> None:
        seen: list[int] = []

        async def report(error: Exception, event: int) -> None:
            raise AssertionError(error)

        async def listen(number: int) -> None:
            seen.append(number)

        entry = subscription.Subscription(listen, report, where=None, once=False, signal_of=None)
        lock = RacyLock()
        entry._turn = lock  # type: ignore[assignment]
        must_not_wait.set([hurried])
        call = entry.deliver(7)
        assert call is not None
        async with asyncio.timeout(5):
            await call
        assert seen == [7]
        assert lock.released == 1

    asyncio.run(main())
