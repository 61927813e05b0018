"""The order of a backtest: events, batches and jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import EngineError
from backtestkit.runtime import bridge
from backtestkit.runtime.dispatcher import BacktestingDispatcher, backtesting_dispatcher
from backtestkit.runtime.event import Event, FifoQueueEventSource

START = datetime(2025, 6, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Named(Event):
    __slots__ = ("name",)

    def __init__(self, seconds: float, name: str) -> None:
        super().__init__(at(seconds))
        self.name = name


def queue(*events: Named, priority: int = 0) -> FifoQueueEventSource[Named]:
    return FifoQueueEventSource(events=events, priority=priority)


def run(dispatcher: BacktestingDispatcher) -> None:
    asyncio.run(dispatcher.run(()))


@pytest.mark.parametrize("max_concurrent", [1, 50])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("armed", [False, True])
def test_acceptance_order(max_concurrent: int, is_async: bool, armed: bool) -> None:
    if armed:
        bridge.arm()
    dispatcher, log = backtesting_dispatcher(max_concurrent), list[tuple[str, float]]()

    def note(name: str) -> None:
        log.append((name, (dispatcher.now() - START).total_seconds()))

    def handle(event: Named) -> None:
        note(event.name)
        if event.name == "b1":
            c.push(Named(1, "c"))
        if event.name == "a2":
            dispatcher.schedule(at(1), lambda: note("late job"))
            dispatcher.schedule(at(9), lambda: note("job@9"))

    async def handle_later(event: Named) -> None:
        handle(event)

    a = queue(Named(1, "a1"), Named(1, "a1b"), Named(2, "a2"))
    b = queue(Named(1, "b1"), Named(3, "b3"), priority=5)
    c = queue(priority=-3)
    for source in (a, b, c):
        dispatcher.subscribe(source, handle_later if is_async else handle)
    dispatcher.subscribe_event_loop_started(lambda: note("start"))
    dispatcher.schedule(at(0), lambda: note("job@0"))
    dispatcher.schedule(at(1), lambda: note("job@1"))
    assert not dispatcher.now_available
    run(dispatcher)
    assert log == [
        ("start", 1),
        ("job@0", 1),
        ("job@1", 1),
        ("b1", 1),
        ("a1", 1),
        ("a1b", 1),
        ("c", 1),
        ("a2", 2),
        ("late job", 2),
        ("b3", 3),
        ("job@9", 9),
    ]
    assert dispatcher.now_available


sources = st.lists(
    st.tuples(st.integers(-2, 2), st.lists(st.integers(0, 5), max_size=6).map(sorted)), min_size=1, max_size=4
)


@given(sources=sources, jobs=st.lists(st.integers(0, 6), max_size=4), max_concurrent=st.sampled_from([1, 3]))
def test_the_order_is_total_and_does_not_depend_on_concurrency(
    sources: list[tuple[int, list[int]]], jobs: list[int], max_concurrent: int
) -> None:
    dispatcher, got = backtesting_dispatcher(max_concurrent), list[tuple[Any, ...]]()

    async def handle(event: Named) -> None:
        got.append(("event", event.name))

    def sniff(event: Named) -> None:
        got.append(("sniffed", event.name))

    expected = []
    for index, (priority, times) in enumerate(sources):
        events = [Named(second, f"{index}.{number}") for number, second in enumerate(times)]
        dispatcher.subscribe(queue(*events, priority=priority), handle)
        expected += [(second, 1, -priority, index, number, events[number].name) for number, second in enumerate(times)]
    dispatcher.subscribe_all(sniff)
    for number, second in enumerate(jobs):
        dispatcher.schedule(at(second), lambda number=number: got.append(("job", number)))  # type: ignore[misc]
        expected.append((second, 0, 0, 0, number, str(number)))
    run(dispatcher)
    wanted: list[tuple[Any, ...]] = []
    for _, kind, *_, number, name in sorted(expected):
        wanted += [("event", name), ("sniffed", name)] if kind else [("job", number)]
    assert got == wanted


def test_what_a_handler_pushes_belongs_to_a_later_batch_even_with_priority() -> None:
    dispatcher, log = backtesting_dispatcher(), list[str]()
    first = queue(Named(1, "first"), Named(1, "second"))
    urgent = queue(priority=1000)

    def handle(event: Named) -> None:
        log.append(event.name)
        if event.name == "first":
            urgent.push(Named(1, "urgent"))

    dispatcher.subscribe(first, handle)
    dispatcher.subscribe(urgent, handle)
    run(dispatcher)
    assert log == ["first", "second", "urgent"]


def test_an_event_that_a_job_pushes_comes_at_its_own_time() -> None:
    dispatcher, log = backtesting_dispatcher(), list[tuple[str, datetime]]()
    events, pushed = queue(Named(1, "a"), Named(10, "b")), queue()

    def handle(event: Named) -> None:
        log.append((event.name, dispatcher.now()))

    dispatcher.subscribe(events, handle)
    dispatcher.subscribe(pushed, handle)
    dispatcher.schedule(at(5), lambda: pushed.push(Named(6, "pushed")))
    dispatcher.schedule(at(7), lambda: log.append(("job", dispatcher.now())))
    run(dispatcher)
    assert log == [("a", at(1)), ("pushed", at(6)), ("job", at(7)), ("b", at(10))]


@pytest.mark.parametrize("max_concurrent", [1, 50])
def test_a_source_that_goes_back_in_time_ends_the_run(max_concurrent: int) -> None:
    dispatcher, seen = backtesting_dispatcher(max_concurrent), list[str]()
    dispatcher.subscribe(queue(Named(2, "a"), Named(1, "b"), Named(3, "c")), lambda event: seen.append(event.name))
    with pytest.raises(EngineError, match=r"<Named 2025-06-01T00:00:01.*FifoQueue.*00:00:02"):
        run(dispatcher)
    assert seen == ["a"]


def test_a_timer_that_renews_itself_cannot_keep_a_finished_backtest_alive() -> None:
    dispatcher, ran = backtesting_dispatcher(), list[datetime]()

    def timer() -> None:
        ran.append(dispatcher.now())
        dispatcher.schedule(dispatcher.now() + timedelta(hours=1), timer)

    dispatcher.subscribe(queue(Named(1, "only")), lambda event: dispatcher.schedule(at(3600), timer))
    run(dispatcher)
    assert ran == [at(3600)]


def test_a_timer_that_also_pushes_events_cannot_either() -> None:
    dispatcher, events, ran = backtesting_dispatcher(), queue(Named(1, "only")), list[datetime]()

    def timer() -> None:
        ran.append(dispatcher.now())
        events.push(Named((dispatcher.now() - START).total_seconds(), "pushed"))
        dispatcher.schedule(dispatcher.now() + timedelta(hours=1), timer)

    dispatcher.subscribe(events, lambda event: None)
    dispatcher.schedule(at(3600), timer)
    run(dispatcher)
    assert ran == [at(3600)]


def test_jobs_up_to_the_last_known_one_run_with_those_they_schedule() -> None:
    dispatcher, ran = backtesting_dispatcher(), list[str]()

    def first() -> None:
        ran.append("first")
        dispatcher.schedule(at(15), lambda: ran.append("between"))
        dispatcher.schedule(at(25), lambda: ran.append("beyond"))

    dispatcher.schedule(at(10), first)
    dispatcher.schedule(at(20), lambda: ran.append("last"))
    run(dispatcher)
    assert ran == ["first", "between", "last"]
    assert dispatcher.now() == at(20)


def test_without_events_and_jobs_there_is_no_time() -> None:
    dispatcher = backtesting_dispatcher()
    run(dispatcher)
    assert not dispatcher.now_available
    with pytest.raises(EngineError):
        dispatcher.now()


@pytest.mark.parametrize("max_concurrent", [1, 2, 50])
def test_events_of_a_batch_overlap_up_to_the_limit(max_concurrent: int) -> None:
    dispatcher = backtesting_dispatcher(max_concurrent)
    inside, most, log = [0], [0], list[str]()

    async def handle(event: Named) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        for _ in range(3):
            await asyncio.sleep(0)
        inside[0] -= 1
        log.append(event.name)

    dispatcher.subscribe(queue(*(Named(1, str(i)) for i in range(100)), Named(2, "next")), handle)
    run(dispatcher)
    assert most == [max_concurrent]
    assert log == [str(i) for i in range(100)] + ["next"]


def test_a_batch_is_over_before_the_next_event_is_looked_at() -> None:
    dispatcher, log = backtesting_dispatcher(), list[str]()

    async def handle(event: Named) -> None:
        log.append(f"+{event.name}")
        for _ in range(3 if event.name == "a" else 1):
            await asyncio.sleep(0)
        log.append(f"-{event.name}")

    dispatcher.subscribe(queue(Named(1, "a"), Named(1, "b"), Named(2, "c")), handle)
    run(dispatcher)
    assert log == ["+a", "+b", "-b", "-a", "+c", "-c"]


def test_other_tasks_get_their_turn() -> None:
    dispatcher, seen = backtesting_dispatcher(), list[int]()
    endless: FifoQueueEventSource[Event] = FifoQueueEventSource(events=[Event(0)])

    def handle(event: Event) -> None:
        seen.append(event.when_ns)
        endless.push(Event(event.when_ns + 1))
        if len(seen) == 1000:
            asyncio.get_running_loop().call_soon(dispatcher.stop)

    dispatcher.subscribe(endless, handle)
    run(dispatcher)
    assert 1000 <= len(seen) < 1300


def test_a_batch_is_left_when_a_handler_stops() -> None:
    for make_async in (False, True):
        dispatcher, seen = backtesting_dispatcher(), list[str]()

        def handle(event: Named, dispatcher: BacktestingDispatcher = dispatcher, seen: list[str] = seen) -> None:
            seen.append(event.name)
            dispatcher.stop()

        async def later(event: Named, handle: Callable[[Named], None] = handle) -> None:
            handle(event)

        dispatcher.subscribe(queue(Named(1, "a"), Named(1, "b"), Named(2, "c")), later if make_async else handle)
        run(dispatcher)
        assert seen == ["a"]


def test_log_records_carry_the_simulated_time(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = backtesting_dispatcher()
    factory = logging.getLogRecordFactory()
    dispatcher.subscribe(queue(Named(1.25, "a")), lambda event: logging.getLogger("user").warning("now"))
    dispatcher.subscribe(queue(Named(1.25, "a")), lambda event: 1 / 0)
    run(dispatcher)
    assert {record.created for record in caplog.records} == {at(1.25).timestamp()}
    assert caplog.records[0].msecs == 250.0
    assert logging.getLogRecordFactory() is factory


def test_plain_handlers_may_wait_through_sync_twins() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    twin = bridge.twin(double)
    dispatcher, got = backtesting_dispatcher(), list[int]()
    dispatcher.subscribe(queue(Named(1, "a"), Named(2, "b")), lambda event: got.append(twin(len(got) + 1)))
    run(dispatcher)
    assert got == [2, 4]
