"""The dispatcher of live trading, under a clock that a test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backtestkit.errors import EngineError
from backtestkit.runtime.clock import SystemClock, from_ns, to_ns
from backtestkit.runtime.dispatcher import RealtimeDispatcher
from backtestkit.runtime.dispatcher.pool import HandlerPool
from backtestkit.runtime.event import Event, FifoQueueEventSource
from backtestkit.runtime.scheduler import use_sleeper

START = datetime(2025, 6, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Wall(SystemClock):
    """A wall clock that moves only while somebody sleeps, a second each time, and ends the run at `until`."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.time_ns, self.until_ns = to_ns(START), to_ns(at(until))
        self.slept: list[float] = []
        self.dispatcher: RealtimeDispatcher | None = None

    @property
    def now_ns(self) -> int:
        return self.time_ns

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(3):  # what is in flight goes on meanwhile
            await asyncio.sleep(0)
        self.time_ns += 1_000_000_000
        if self.time_ns > self.until_ns and self.dispatcher is not None:
            self.dispatcher.stop()


def run(dispatcher: RealtimeDispatcher, wall: Wall) -> None:
    wall.dispatcher = dispatcher

    async def main() -> None:
        with use_sleeper(wall.sleep):
            await dispatcher.run(())

    asyncio.run(main())


def live(until: float, max_concurrent: int = 50) -> tuple[RealtimeDispatcher, Wall]:
    wall = Wall(until)
    return RealtimeDispatcher(max_concurrent, wall), wall


def queue(*seconds: float, priority: int = 0) -> FifoQueueEventSource[Event]:
    return FifoQueueEventSource(events=[Event(at(second)) for second in seconds], priority=priority)


def test_events_and_jobs_wait_for_their_time() -> None:
    dispatcher, wall = live(5)
    log: list[tuple[str, float]] = []

    def note(name: str) -> None:
        log.append((name, (dispatcher.now() - START).total_seconds()))

    dispatcher.subscribe(queue(-3, 0, 2, 2, 9), lambda event: note(f"event {event.when:%S}"))
    dispatcher.schedule(at(-1), lambda: note("overdue job"))
    dispatcher.schedule(at(3), lambda: note("job"))
    run(dispatcher, wall)
    assert log == [("overdue job", 0), ("event 57", 0), ("event 00", 0), ("event 02", 2), ("event 02", 2), ("job", 3)]
    assert set(wall.slept) == {0.001}


def test_time_is_the_walls() -> None:
    dispatcher, wall = live(1)
    assert dispatcher.now_available
    assert dispatcher.now() == START
    assert abs(RealtimeDispatcher().now() - from_ns(SystemClock().now_ns)) < timedelta(seconds=5)
    run(dispatcher, wall)


def test_an_event_older_than_the_last_one_of_its_source_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher, wall = live(1)
    seen: list[float] = []
    for source in (queue(-5, -7, -5, -4), queue(-6)):
        dispatcher.subscribe(source, lambda event: seen.append((event.when - START).total_seconds()))
    run(dispatcher, wall)
    assert sorted(seen) == [-6, -5, -5, -4]
    assert "event_out_of_order" in caplog.text
    assert "2025-05-31T23:59:53" in caplog.text


def test_due_events_come_in_the_order_of_time_and_priority() -> None:
    dispatcher, wall = live(1)
    seen: list[str] = []
    dispatcher.subscribe(queue(-5, -1), lambda event: seen.append(f"low {event.when:%S}"))
    dispatcher.subscribe(queue(-5, -3, priority=1), lambda event: seen.append(f"high {event.when:%S}"))
    run(dispatcher, wall)
    assert seen == ["high 55", "low 55", "high 57", "low 59"]


def test_idle_handlers_are_called_when_nothing_is_in_flight(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher, wall = live(4)
    log: list[str] = []
    done = asyncio.Event()
    dispatcher.schedule(at(2), done.set)

    async def slow(event: Event) -> None:
        log.append("begin")
        await done.wait()
        log.append("end")

    def idle() -> None:
        log.append("idle")
        raise ValueError("idle failed")

    dispatcher.subscribe(queue(0), slow)
    dispatcher.subscribe_idle(idle)
    dispatcher.subscribe_idle(idle)
    run(dispatcher, wall)
    assert log[:2] == ["begin", "end"]
    assert log[2:] == ["idle"] * len(log[2:])
    assert len(log) >= 4
    assert "idle failed" in caplog.text
    with pytest.raises(EngineError, match="subscribe_idle"):
        dispatcher.subscribe_idle(idle)


def test_up_to_max_concurrent_handlers_are_in_flight() -> None:
    dispatcher, wall = live(100, max_concurrent=2)
    inside, most, seen = [0], [0], list[Event]()

    async def handle(event: Event) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        await asyncio.sleep(0)
        inside[0] -= 1
        seen.append(event)

    dispatcher.subscribe(queue(*[0] * 100), handle)
    run(dispatcher, wall)
    assert (most, len(seen)) == ([2], 100)


def test_jobs_get_their_turn_among_a_flood_of_events() -> None:
    dispatcher, wall = live(1)
    log: list[str] = []
    flood = queue(0)

    def handle(event: Event) -> None:
        log.append("event")
        if len(log) == 10:
            dispatcher.schedule(at(-1), lambda: log.append("job"))
        if "job" not in log:
            flood.push(Event(at(0)))

    dispatcher.subscribe(flood, handle)
    run(dispatcher, wall)
    assert log.index("job") < 400


def test_a_full_pool_holds_the_pusher_back() -> None:
    async def main() -> None:
        pool, go = HandlerPool(1), asyncio.Event()
        done: list[int] = []

        def work(number: int) -> Any:
            async def run() -> None:
                await go.wait()
                done.append(number)

            return run

        for number in range(11):
            await pool.push(work(number))
        held_back = asyncio.create_task(pool.push(work(11)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not held_back.done()
        go.set()
        await held_back
        await pool.join()
        assert done == list(range(12))
        assert pool.idle

    asyncio.run(main())


def test_an_error_of_the_work_itself_is_raised_to_whoever_uses_the_pool() -> None:
    async def main() -> None:
        pool = HandlerPool(2)

        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("broken")

        await pool.push(fail)
        await pool.push(fail)
        with pytest.raises(ValueError, match="broken"):
            await pool.join()
        await pool.join()

    asyncio.run(main())
