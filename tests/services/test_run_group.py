"""Runs that share something take turns by their simulated time, whoever waits for what."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.services.logic.run_group import Carried, Member, RunGroups, started_together

Log = list[tuple[int, str]]


async def steps(
    member: Member, name: str, times: Iterable[int], log: Log, naps: Any = None
) -> AsyncGenerator[str, None]:
    """A run that acts at `times` and yields after each; what it awaits in between must not matter."""
    await started_together()
    for time in times:
        await member.reach(time)
        for _ in range(naps() if naps else 0):
            await asyncio.sleep(0)
        log.append((time, name))
        yield f"{name}{time}"


class Runs:
    """Runs of one kit that share `x` unless they say otherwise."""

    def __init__(self) -> None:
        self.groups, self.log = RunGroups(), Log()
        self.members: dict[str, Member] = {}

    def join(self, name: str, start: int = 0, shared: Iterable[object] = "x") -> Member:
        self.members[name] = self.groups.join(self.groups.next_rank(), start, shared)
        return self.members[name]

    async def carried(
        self, name: str, times: Iterable[int], *, shared: Iterable[object] = "x", naps: Any = None
    ) -> AsyncGenerator[str, None]:
        """The run of `name`, which joins with its first step, as real ones do."""
        times = list(times)
        member = self.join(name, times[0], shared)
        async with aclosing(Carried(member, steps(member, name, times, self.log, naps))) as items:
            async for item in items:
                yield item

    async def all(self, name: str, times: Iterable[int], **more: Any) -> list[str]:
        return [item async for item in self.carried(name, times, **more)]


def merged(times: dict[str, list[int]]) -> Log:
    """By time, and in the order of the names at equal times."""
    return sorted((time, name) for name, own in times.items() for time in own)


timetables = st.lists(
    st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True).map(sorted), min_size=1, max_size=5
)


@settings(max_examples=120, deadline=None)
@given(timetables, st.integers(0, 2**16), st.randoms(use_true_random=False))
def test_actions_happen_in_the_order_of_their_times_however_tasks_are_scheduled(
    tables: list[list[int]], seed: int, shuffle: random.Random
) -> None:
    times = {chr(97 + i): table for i, table in enumerate(tables)}
    runs, nap = Runs(), random.Random(seed)
    ranks = {name: runs.groups.next_rank() for name in times}

    async def one(name: str) -> list[str]:
        member = runs.groups.join(ranks[name], times[name][0], "x")
        source = steps(member, name, times[name], runs.log, lambda: nap.randrange(3))
        return [item async for item in Carried(member, source)]

    async def main() -> None:
        names = list(times)
        shuffle.shuffle(names)
        results = await asyncio.gather(*(one(name) for name in names))
        assert dict(zip(names, results, strict=True)) == {n: [f"{n}{t}" for t in own] for n, own in times.items()}

    asyncio.run(main())
    assert runs.log == merged(times)


def test_runs_that_share_nothing_do_not_wait_for_each_other() -> None:
    runs = Runs()

    async def main() -> None:
        runs.join("slow", 0, "y")
        await asyncio.wait_for(runs.all("fast", [5, 10]), 5)

    asyncio.run(main())
    assert runs.log == [(5, "fast"), (10, "fast")]


def test_runs_that_share_with_a_third_one_wait_for_each_other() -> None:
    runs = Runs()
    times = {"a": [1, 4], "b": [2, 3], "c": [1, 5]}

    async def main() -> None:
        await asyncio.gather(
            runs.all("a", times["a"], shared="x"),
            runs.all("b", times["b"], shared="y"),
            runs.all("c", times["c"], shared=("x", "y")),
        )

    asyncio.run(main())
    assert runs.log == merged(times)


def test_a_group_is_forgotten_with_its_last_member() -> None:
    runs = Runs()
    asyncio.run(runs.all("a", [1]))
    asyncio.run(runs.all("b", [1]))
    assert len(runs.groups._groups) == 1


def test_a_member_that_is_loading_holds_the_others_at_its_start() -> None:
    runs = Runs()

    async def main() -> None:
        loading = runs.join("loading", start=3)
        task = asyncio.create_task(runs.all("a", [1, 2, 4]))
        for _ in range(20):
            await asyncio.sleep(0)
        assert runs.log == [(1, "a"), (2, "a")]
        loading.leave()
        await asyncio.wait_for(task, 5)

    asyncio.run(main())
    assert runs.log[-1] == (4, "a")


def test_a_run_that_starts_late_catches_up_first() -> None:
    runs = Runs()

    async def main() -> None:
        early = runs.carried("early", [1, 5, 9])
        assert await anext(early) == "early1"
        assert await anext(early) == "early5"
        late = asyncio.create_task(runs.all("late", [0, 2, 7, 12]))
        await asyncio.sleep(0)
        rest = [item async for item in early]
        assert rest == ["early9"]
        await late

    asyncio.run(main())
    assert runs.log == [(1, "early"), (5, "early"), (0, "late"), (2, "late"), (7, "late"), (9, "early"), (12, "late")]


def test_a_consumer_that_pauses_holds_nobody_and_finds_its_results_later() -> None:
    runs = Runs()

    async def main() -> None:
        paused = runs.carried("paused", [1, 2, 3, 8])
        assert await anext(paused) == "paused1"
        assert await asyncio.wait_for(runs.all("other", [2, 5]), 5) == ["other2", "other5"]
        assert runs.log[:5] == [(1, "paused"), (2, "paused"), (2, "other"), (3, "paused"), (5, "other")]
        assert [item async for item in paused] == ["paused2", "paused3", "paused8"]

    asyncio.run(main())


def test_runs_may_be_taken_in_turns_by_one_consumer() -> None:
    runs = Runs()

    async def main() -> list[str]:
        one, two = runs.carried("a", [1, 3, 5]), runs.carried("b", [2, 4, 6])
        taken = []
        for _ in range(3):
            taken += [await anext(two), await anext(one)]
        return taken

    assert asyncio.run(main()) == ["b2", "a1", "b4", "a3", "b6", "a5"]
    # b began while there was no a; from then on they keep in step
    assert runs.log == [(2, "b"), (1, "a"), (3, "a"), (4, "b"), (5, "a"), (6, "b")]


def test_nothing_runs_ahead_of_its_consumer_while_nobody_waits() -> None:
    runs = Runs()

    async def main() -> None:
        alone = runs.carried("a", [1, 2])
        await anext(alone)
        for _ in range(10):
            await asyncio.sleep(0)
        assert runs.log == [(1, "a")]
        await alone.aclose()

    asyncio.run(main())


def test_a_run_that_fails_lets_the_others_go_on_and_tells_its_consumer() -> None:
    runs = Runs()

    async def fail(member: Member) -> AsyncGenerator[str, None]:
        await member.reach(1)
        yield "one"
        await member.reach(2)
        raise ValueError("scripted")

    async def main() -> None:
        member = runs.join("failing")
        failing = Carried(member, fail(member))
        assert await anext(failing) == "one"
        await asyncio.wait_for(runs.all("other", [1, 5]), 5)
        with pytest.raises(ValueError, match="scripted"):
            await anext(failing)

    asyncio.run(main())
    assert runs.log == [(1, "other"), (5, "other")]


def test_a_run_that_is_cancelled_while_it_waits_lets_the_others_go_on() -> None:
    runs = Runs()

    async def main() -> None:
        first = runs.join("first", start=0)
        waiting = asyncio.create_task(runs.all("waiting", [3, 4]))
        other = asyncio.create_task(runs.all("other", [3, 6]))
        for _ in range(10):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        first.leave()
        await asyncio.wait_for(other, 5)

    asyncio.run(main())
    assert runs.log == [(3, "other"), (6, "other")]


def test_cancelling_who_waits_does_no_harm_to_who_is_waited_for() -> None:
    runs = Runs()
    gate = asyncio.Event()

    async def slow(member: Member) -> AsyncGenerator[str, None]:
        await member.reach(1)
        yield "first"
        await gate.wait()
        runs.log.append((2, "slow"))
        yield "second"

    async def main() -> None:
        member = runs.join("slow")
        carried = Carried(member, slow(member))
        assert await anext(carried) == "first"
        waiting = asyncio.create_task(runs.all("other", [5]))
        for _ in range(10):
            await asyncio.sleep(0)  # the other one waits; the slow one is carried on and waits for the gate
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        assert await anext(carried) == "second"
        with pytest.raises(StopAsyncIteration):
            await anext(carried)

    asyncio.run(main())


def test_a_consumer_that_is_cancelled_ends_its_run() -> None:
    runs = Runs()
    ended: list[str] = []

    async def slow(member: Member) -> AsyncGenerator[str, None]:
        try:
            await member.reach(1)
            await asyncio.Event().wait()
            yield "never"
        finally:
            ended.append("slow")

    async def consume(source: Any) -> None:
        async for _ in source:
            pass

    async def main() -> None:
        member = runs.join("slow")
        task = asyncio.create_task(consume(Carried(member, slow(member))))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["slow"]
        await asyncio.wait_for(runs.all("other", [5]), 5)

    asyncio.run(main())


def test_a_consumer_that_closes_a_run_that_is_carried_on_ends_it() -> None:
    runs = Runs()
    ended: list[str] = []

    async def slow(member: Member) -> AsyncGenerator[str, None]:
        try:
            await member.reach(1)
            yield "first"
            await asyncio.Event().wait()
        finally:
            ended.append("slow")

    async def main() -> None:
        member = runs.join("slow")
        carried = Carried(member, slow(member))
        await anext(carried)
        other = asyncio.create_task(runs.all("other", [5]))
        for _ in range(10):
            await asyncio.sleep(0)
        await carried.aclose()
        assert ended == ["slow"]
        await asyncio.wait_for(other, 5)

    asyncio.run(main())
    assert runs.log == [(5, "other")]


def test_a_step_that_is_cancelled_before_it_begins_leaves_nothing_open() -> None:
    runs = Runs()
    ended: list[str] = []

    async def slow(member: Member) -> AsyncGenerator[str, None]:
        try:
            yield "first"
            yield "second"
        finally:
            ended.append("slow")

    async def main() -> None:
        member = runs.join("slow")
        carried = Carried(member, slow(member))
        await anext(carried)
        member.carry()
        await carried.aclose()

    asyncio.run(main())
    assert ended == ["slow"]


def test_a_loop_that_shuts_down_closes_runs_and_generators_in_any_order() -> None:
    runs = Runs()
    complaints: list[Any] = []
    ended: list[str] = []

    async def slow(member: Member) -> AsyncGenerator[str, None]:
        try:
            await member.reach(1)
            yield "first"
        finally:
            await asyncio.sleep(0)
            ended.append("slow")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        member = runs.join("slow")
        source = slow(member)
        carried = Carried(member, source)
        await anext(carried)
        await asyncio.gather(source.aclose(), carried.aclose())

    asyncio.run(main())
    assert (ended, complaints) == (["slow"], [])


def test_a_run_whose_loop_was_left_holds_nobody() -> None:
    runs = Runs()
    first = asyncio.new_event_loop()

    async def begin() -> Any:
        paused = runs.carried("paused", [1, 9])
        await anext(paused)
        return paused

    paused = first.run_until_complete(begin())
    asyncio.run(runs.all("other", [2, 5]))
    assert runs.log == [(1, "paused"), (2, "other"), (5, "other")]
    assert first.run_until_complete(anext(paused)) == "paused9"
    first.run_until_complete(paused.aclose())
    first.close()


def test_a_paused_run_may_go_on_in_another_loop() -> None:
    runs = Runs()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()

    async def begin() -> Any:
        paused = runs.carried("a", [1, 2])
        await anext(paused)
        return paused

    paused = first.run_until_complete(begin())
    assert second.run_until_complete(anext(paused)) == "a2"
    second.run_until_complete(paused.aclose())
    first.close()
    second.close()


def test_a_step_that_was_left_in_the_middle_cannot_go_on_elsewhere() -> None:
    runs = Runs()
    first = asyncio.new_event_loop()

    async def begin() -> tuple[Any, Any]:
        runs.join("first", start=0)
        member = runs.join("a", start=1)
        carried = Carried(member, steps(member, "a", [1, 3], runs.log))
        taking = asyncio.ensure_future(anext(carried))
        for _ in range(10):
            await asyncio.sleep(0)
        return carried, taking

    carried, taking = first.run_until_complete(begin())
    with pytest.raises(UsageError, match="in the middle of a step in an event loop that was left"):
        asyncio.run(anext(carried))
    asyncio.run(carried.aclose())
    with pytest.raises(asyncio.CancelledError):
        first.run_until_complete(taking)
    first.close()
    asyncio.run(runs.all("other", [5]))
    assert runs.log == [(5, "other")]


def test_who_is_there_already_need_not_wait_again() -> None:
    runs = Runs()

    async def main() -> None:
        member, other = runs.join("a", start=3), runs.join("b", start=4)
        await member.reach(3)
        other.leave()
        runs.join("late", start=0)
        await asyncio.wait_for(member.reach(3), 5)

    asyncio.run(main())


def test_a_turn_that_comes_to_a_run_just_cancelled_passes_on() -> None:
    runs = Runs()

    async def main() -> None:
        first = runs.join("first", start=0)
        waiting = asyncio.create_task(runs.all("waiting", [3]))
        other = asyncio.create_task(runs.all("other", [4]))
        for _ in range(10):
            await asyncio.sleep(0)
        runs.members["waiting"]._future.cancel()  # type: ignore[union-attr]
        first.leave()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(other, 5)

    asyncio.run(main())
    assert runs.log == [(4, "other")]


def test_two_loops_that_run_at_once_are_refused() -> None:
    runs = Runs()
    joined, done = threading.Event(), threading.Event()

    async def hold() -> None:
        member = runs.join("there")
        joined.set()
        await asyncio.to_thread(done.wait)
        member.leave()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    joined.wait()

    async def here() -> None:
        with pytest.raises(UsageError, match="going on in another event loop"):
            runs.join("here")

    asyncio.run(here())
    done.set()
    thread.join()
    asyncio.run(runs.all("later", [1]))
    assert runs.log == [(1, "later")]
