"""What both dispatchers promise: subscriptions, stages, life cycle, errors, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

from backtestkit.errors import EngineError, UsageError
from backtestkit.runtime.dispatcher import (
    BacktestingDispatcher,
    EventDispatcher,
    RealtimeDispatcher,
    backtesting_dispatcher,
    realtime_dispatcher,
)
from backtestkit.runtime.event import Event, FifoQueueEventSource, Producer

START = datetime(2025, 6, 1, tzinfo=UTC)
Make: TypeAlias = Callable[[int], EventDispatcher]
makers = pytest.mark.parametrize("make", [backtesting_dispatcher, realtime_dispatcher])


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def source(*seconds: float) -> FifoQueueEventSource[Event]:
    return FifoQueueEventSource(events=[Event(at(second)) for second in seconds])


def run(dispatcher: EventDispatcher) -> None:
    """Run to the end; a realtime dispatcher is stopped when it has nothing to do."""
    if isinstance(dispatcher, RealtimeDispatcher):
        dispatcher.idle_sleep = 0
        dispatcher.subscribe_idle(dispatcher.stop)
    asyncio.run(asyncio.wait_for(dispatcher.run(()), 20))


class Recorder(Producer):
    """A producer that says what is done with it."""

    def __init__(self, log: list[str], fail: str = "", finish_main: bool = False) -> None:
        self.log, self.fail, self.finish_main = log, fail, finish_main

    async def _step(self, name: str) -> None:
        self.log.append(name)
        await asyncio.sleep(0)
        if self.fail == name:
            raise ValueError(f"{name} failed")

    async def initialize(self) -> None:
        await self._step("initialize")

    async def main(self) -> None:
        await self._step("main")
        if self.finish_main:
            return
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("main ended")

    async def finalize(self) -> None:
        await self._step("finalize")


def test_factories_and_limits() -> None:
    assert isinstance(backtesting_dispatcher(), BacktestingDispatcher)
    assert isinstance(realtime_dispatcher(), RealtimeDispatcher)
    for bad in (0, -1, 1.5, True):
        with pytest.raises(UsageError, match="max_concurrent"):
            backtesting_dispatcher(bad)  # type: ignore[arg-type]


@makers
def test_handlers_of_one_source_run_in_the_order_of_subscription(make: Make) -> None:
    dispatcher, events, ran = make(50), source(1), list[int]()

    def handler(number: int) -> Callable[[Event], Any]:
        async def later(event: Event) -> None:
            ran.append(number)

        return later if number % 2 else lambda event: ran.append(number)

    for number in range(100):
        dispatcher.subscribe(events, handler(number))
    run(dispatcher)
    assert ran == list(range(100))


@makers
@pytest.mark.parametrize("max_concurrent", [1, 50])
def test_three_stages_each_over_before_the_next(make: Make, max_concurrent: int) -> None:
    dispatcher, events, log = make(max_concurrent), source(1), list[str]()

    def handler(name: str) -> Callable[[Event], Any]:
        async def handle(event: Event) -> None:
            log.append(f"+{name}")
            await asyncio.sleep(0)
            log.append(f"-{name}")

        return handle

    dispatcher.subscribe_all(handler("behind"))
    dispatcher.subscribe(events, handler("a"))
    dispatcher.subscribe(events, handler("b"))
    dispatcher.subscribe_all(handler("front"), front_run=True)
    run(dispatcher)
    own = ["+a", "-a", "+b", "-b"] if max_concurrent == 1 else ["+a", "+b", "-a", "-b"]
    assert log == ["+front", "-front", *own, "+behind", "-behind"]


@makers
def test_the_same_handler_counts_once(make: Make) -> None:
    dispatcher, events, seen = make(50), source(1), list[Event]()
    for _ in range(2):
        dispatcher.subscribe(events, seen.append)
        dispatcher.subscribe_all(seen.append)
        dispatcher.subscribe_all(seen.append, front_run=True)
    run(dispatcher)
    assert len(seen) == 3


@makers
def test_subscribing_is_over_when_the_run_begins_and_it_runs_once(make: Make) -> None:
    dispatcher, events = make(50), source(1)
    failures: list[str] = []

    def late(event: Event) -> None:
        calls: list[Callable[[], None]] = [
            lambda: dispatcher.subscribe(events, print),
            lambda: dispatcher.subscribe_all(print),
            lambda: dispatcher.subscribe_event_loop_started(print),
        ]
        for call in calls:
            with pytest.raises(EngineError) as error:
                call()
            failures.append(str(error.value).split()[0])

    dispatcher.subscribe(events, late)
    run(dispatcher)
    assert failures == ["subscribe", "subscribe_all", "subscribe_event_loop_started"]
    with pytest.raises(EngineError, match="has run already"):
        asyncio.run(dispatcher.run())


@makers
def test_life_of_a_producer(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    producer = Recorder(log)
    for _ in range(2):
        events: FifoQueueEventSource[Event] = FifoQueueEventSource(producer, [Event(at(1))])
        dispatcher.subscribe(events, lambda event: log.append("event"))
    dispatcher.subscribe_event_loop_started(lambda: log.append("started"))
    run(dispatcher)
    assert log[:2] == ["initialize", "started"]
    assert log[-2:] == ["main ended", "finalize"]
    assert sorted(log) == sorted(["initialize", "started", "event", "event", "main", "main ended", "finalize"])


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def waiting(dispatcher: EventDispatcher, log: list[str]) -> None:
    """Keep the run alive in a handler that waits for ever."""

    async def handler(event: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("handler ended")

    dispatcher.subscribe(source(1), handler)


@makers
def test_an_error_in_initialize_is_raised_after_finalize_and_main_is_not_called(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log, fail="initialize")), print)
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log)), print)
    with pytest.raises(ValueError, match="initialize failed"):
        run(dispatcher)
    assert log == ["initialize", "initialize", "finalize", "finalize"]


@makers
def test_an_error_in_main_cancels_the_rest_and_is_raised(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log, fail="main")), print)
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log)), print)
    waiting(dispatcher, log)
    with pytest.raises(ValueError, match="main failed"):
        run(dispatcher)
    assert {"main ended", "handler ended"} <= set(log)
    assert log[-2:] == ["finalize", "finalize"]


@makers
def test_a_main_that_returns_early_does_not_stop_the_run(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log, finish_main=True)), print)

    async def slow(event: Event) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        log.append("event")

    dispatcher.subscribe(source(1, 2), slow)
    run(dispatcher)
    assert log.count("event") == 2


@makers
def test_an_error_in_finalize_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log, fail="finalize")), print)
    run(dispatcher)
    assert "finalize_failed" in caplog.text
    assert "finalize failed" in caplog.text


@makers
def test_an_error_of_a_main_that_is_being_cancelled_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    class Clumsy(Producer):
        async def main(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("cannot let go")

    dispatcher = make(50)
    dispatcher.subscribe(FifoQueueEventSource[Event](Clumsy()), print)
    run(dispatcher)
    assert "failed_while_stopping" in caplog.text
    assert "cannot let go" in caplog.text


@makers
def test_cancellation_from_outside_propagates_after_finalize(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log)), print)
    waiting(dispatcher, log)

    async def main() -> None:
        task = asyncio.create_task(dispatcher.run(()))
        await settle()
        assert "main" in log
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log[-1] == "finalize"
    assert "handler ended" in log
    assert not dispatcher.stopped


@makers
def test_stop_from_outside_ends_the_run_normally_and_may_be_repeated(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log)), print)
    waiting(dispatcher, log)

    async def main() -> None:
        task = asyncio.create_task(dispatcher.run(()))
        await settle()
        assert "main" in log
        dispatcher.stop()
        dispatcher.stop()
        await task

    asyncio.run(main())
    assert dispatcher.stopped
    assert log[-1] == "finalize"
    assert "handler ended" in log
    dispatcher.stop()


@makers
def test_stop_may_be_called_from_another_thread(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    waiting(dispatcher, log)
    dispatcher.subscribe_event_loop_started(lambda: asyncio.get_running_loop().call_soon(thread.start))
    thread = threading.Thread(target=dispatcher.stop)
    asyncio.run(asyncio.wait_for(dispatcher.run(()), 20))
    thread.join()
    assert log == ["handler ended"]


@makers
@pytest.mark.parametrize("max_concurrent", [1, 50])
@pytest.mark.parametrize("with_sibling", [False, True])
@pytest.mark.parametrize("pause_first", [False, True])
def test_a_handler_that_stops_the_run_is_not_cut_off(
    make: Make, max_concurrent: int, with_sibling: bool, pause_first: bool
) -> None:
    dispatcher, log = make(max_concurrent), list[str]()
    events = source(1, 1, 2)

    async def stopper(event: Event) -> None:
        if pause_first:
            await asyncio.sleep(0)
        dispatcher.stop()
        await asyncio.sleep(0)
        log.append("saved")

    async def sibling(event: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("sibling ended")

    dispatcher.subscribe(events, stopper)
    if with_sibling:
        dispatcher.subscribe(events, sibling)
    run(dispatcher)
    assert log.count("saved") == 1
    assert set(log) <= {"saved", "sibling ended"}
    assert dispatcher.stopped


@makers
def test_stop_before_the_run_means_that_nothing_runs(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    dispatcher.subscribe(FifoQueueEventSource[Event](Recorder(log), [Event(at(1))]), lambda event: log.append("event"))
    dispatcher.stop()
    run(dispatcher)
    assert log == ["finalize"]


@makers
def test_a_stop_signal_stops_the_run_and_its_handler_is_put_back(make: Make) -> None:
    dispatcher, log = make(50), list[str]()
    waiting(dispatcher, log)
    before = signal.getsignal(signal.SIGTERM)

    async def main() -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await dispatcher.run()

    asyncio.run(main())
    assert dispatcher.stopped
    assert signal.getsignal(signal.SIGTERM) is before


def test_signals_are_left_alone_where_they_cannot_be_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse)
    before = signal.getsignal(signal.SIGINT)
    asyncio.run(backtesting_dispatcher().run())
    assert signal.getsignal(signal.SIGINT) is before

    async def in_thread() -> None:
        await asyncio.to_thread(lambda: asyncio.run(backtesting_dispatcher().run()))

    asyncio.run(in_thread())


@makers
@pytest.mark.parametrize("max_concurrent", [1, 50])
@pytest.mark.parametrize("is_async", [False, True])
def test_errors_of_handlers_are_logged_and_the_run_goes_on(
    make: Make, max_concurrent: int, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher, events, calls = make(max_concurrent), source(1, 2, 3), list[int]()

    def fail(number: int) -> Callable[[Event], Any]:
        def plain(event: Event) -> None:
            calls.append(number)
            raise ValueError(f"handler {number}")

        async def later(event: Event) -> None:
            plain(event)

        return later if is_async else plain

    for number in range(3):
        dispatcher.subscribe(events, fail(number))
    run(dispatcher)
    assert calls == [0, 1, 2] * 3
    assert dispatcher.error is None
    assert "handler_failed" in caplog.text
    assert "event_type='Event'" in caplog.text
    assert "when='2025-06-01T00:00:03+00:00'" in caplog.text
    assert "ValueError: handler 2" in caplog.text


@makers
@pytest.mark.parametrize("is_async", [False, True])
def test_the_first_error_stops_if_asked_for(make: Make, is_async: bool) -> None:
    dispatcher, events, calls = make(1), source(1, 2, 3), list[int]()
    dispatcher.stop_on_handler_exceptions = True

    def fail(number: int) -> Callable[[Event], Any]:
        def plain(event: Event) -> None:
            calls.append(number)
            raise ValueError(f"handler {number}")

        async def later(event: Event) -> None:
            plain(event)

        return later if is_async else plain

    for number in range(3):
        dispatcher.subscribe(events, fail(number))
    run(dispatcher)
    assert calls == [0]
    assert dispatcher.stopped
    assert str(dispatcher.error) == "handler 0"


@makers
@pytest.mark.parametrize("stops", [False, True])
def test_a_failing_job_is_logged_and_stops_if_asked_for(
    make: Make, stops: bool, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher, ran = make(1), list[str]()
    dispatcher.stop_on_handler_exceptions = stops
    dispatcher.schedule(at(0), lambda: 1 / 0)
    dispatcher.schedule(at(1), lambda: ran.append("next"))
    run(dispatcher)
    assert ran == ([] if stops else ["next"])
    assert "job_failed" in caplog.text


@makers
def test_an_error_at_the_start_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher, seen = make(1), list[Event]()
    dispatcher.subscribe_event_loop_started(lambda: 1 / 0)
    dispatcher.subscribe(source(1), seen.append)
    run(dispatcher)
    assert len(seen) == 1
    assert "ZeroDivisionError" in caplog.text


@makers
@pytest.mark.parametrize("max_concurrent", [1, 50])
def test_a_handler_that_awaits_something_cancelled_fails_alone(
    make: Make, max_concurrent: int, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher, seen = make(max_concurrent), list[Event]()
    events = source(1, 1, 2)

    async def handler(event: Event) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    dispatcher.subscribe(events, handler)
    dispatcher.subscribe(events, seen.append)
    run(dispatcher)
    assert len(seen) == 3
    assert "awaited something that was cancelled" in caplog.text


@makers
def test_lambdas_around_async_functions_are_awaited(make: Make) -> None:
    dispatcher, events, seen = make(50), source(1, 2), list[Event]()

    async def later(event: Event) -> None:
        await asyncio.sleep(0)
        seen.append(event)

    dispatcher.subscribe(events, lambda event: later(event))
    run(dispatcher)
    assert len(seen) == 2
