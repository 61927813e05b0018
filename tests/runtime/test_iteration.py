"""`for` over an async generator: one task, lock step, and nothing left behind."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.bridge import iterate, wait

name: ContextVar[str] = ContextVar("name", default="none")


class Source:
    """An async generator of numbers that says what it does."""

    def __init__(self, stop: int = 3, fail: bool = False) -> None:
        self.log: list[str] = []
        self.stop, self.fail = stop, fail

    async def __call__(self) -> AsyncIterator[int]:
        task = asyncio.current_task()
        try:
            for number in range(self.stop):
                await asyncio.sleep(0)
                assert asyncio.current_task() is task
                self.log.append(f"made {number}")
                yield number
            if self.fail:
                raise ValueError("source failed")
        finally:
            await asyncio.sleep(0)
            self.log.append("closed")


def in_script(body: Callable[[], None]) -> None:
    body()


def in_notebook(body: Callable[[], None]) -> None:
    async def cell() -> None:
        body()

    asyncio.run(cell())


Place: TypeAlias = Callable[[Callable[[], None]], None]
places = pytest.mark.parametrize("place", [in_script, in_notebook])


@places
def test_items_arrive_and_none_is_made_before_it_is_asked_for(
    place: Place,
) -> None:
    source = Source()

    def body() -> None:
        for number in iterate(source):
            source.log.append(f"got {number}")

    place(body)
    assert source.log == ["made 0", "got 0", "made 1", "got 1", "made 2", "got 2", "closed"]


@places
def test_a_break_closes_the_source_at_once(place: Place) -> None:
    source = Source()

    def body() -> None:
        for _ in iterate(source):
            break
        source.log.append("after")

    place(body)
    assert source.log == ["made 0", "closed", "after"]


@places
def test_an_exception_in_the_body_closes_the_source(place: Place) -> None:
    source = Source()

    def body() -> None:
        for _ in iterate(source):
            raise KeyError("body")

    with pytest.raises(KeyError, match="body"):
        place(body)
    assert source.log == ["made 0", "closed"]


@places
def test_an_exception_in_the_source_reaches_the_body(place: Place) -> None:
    source, got = Source(fail=True), list[int]()

    def body() -> None:
        got.extend(iterate(source))

    with pytest.raises(ValueError, match="source failed"):
        place(body)
    assert source.log[-1] == "closed"


@places
def test_an_exception_while_the_source_is_closed_is_not_swallowed(place: Place) -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("cleanup failed")

    def body() -> None:
        items = iterate(source)
        next(items)
        assert hasattr(items, "close")
        items.close()

    with pytest.raises(ValueError, match="cleanup failed"):
        place(body)


@places
def test_a_source_that_was_never_asked_is_never_started(place: Place) -> None:
    source = Source()

    def body() -> None:
        iterate(source)

    place(body)
    assert source.log == []


@places
def test_iterators_without_aclose_work(place: Place) -> None:
    class Two:
        def __init__(self) -> None:
            self.left = 2

        def __aiter__(self) -> Two:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    got: list[int] = []
    place(lambda: got.extend(iterate(Two)))
    assert got == [1, 0]


@places
def test_the_source_sees_the_context_of_the_first_request(place: Place) -> None:
    async def source() -> AsyncIterator[str]:
        yield name.get()
        name.set("source")
        yield name.get()

    got: list[str] = []

    def body() -> None:
        items = iterate(source)
        name.set("body")
        got.extend(f"{item} in {name.get()}" for item in items)

    place(body)
    name.set("none")
    assert got == ["body in body", "source in body"]


def test_the_body_may_use_asyncio_run_and_sync_twins_and_nest() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    got: list[Any] = []
    for number in iterate(Source(2)):
        got.append(asyncio.run(double(number)))
        got.append(wait(double(number + 10)))
        got.append(list(iterate(Source(2))))
    assert got == [0, 20, [0, 1], 2, 22, [0, 1]]


def test_items_and_sync_twins_share_the_loop_of_the_thread() -> None:
    async def running() -> int:
        return id(asyncio.get_running_loop())

    async def source() -> AsyncIterator[int]:
        yield await running()

    assert list(iterate(source)) == [wait(running())]


def test_a_source_that_ignores_its_cancellation_is_ended_all_the_same() -> None:
    log: list[str] = []

    class Stubborn:
        def __aiter__(self) -> Stubborn:
            return self

        async def __anext__(self) -> int:
            if log:
                asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    log.append("ignored")
            log.append("made")
            return 1

    items = iterate(Stubborn)
    next(items)
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert log == ["made", "ignored", "made"]
    assert list(items) == []


def test_results_are_taken_in_one_thread() -> None:
    items = iterate(Source())
    next(items)
    failures: list[BaseException] = []

    def other() -> None:
        try:
            next(items)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert isinstance(failures[0], UsageError)
