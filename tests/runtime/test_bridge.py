"""Sync twins: wherever plain code stands, its coroutine runs, and everything passes through."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from backtestkit.runtime import bridge, loops
from backtestkit.runtime.bridge import call_plain, is_async, twin, wait
from backtestkit.runtime.channel import Channel

name: ContextVar[str] = ContextVar("name", default="none")


async def data(number: int, *, factor: int = 2) -> int:
    """What is in memory never suspends."""
    return number * factor


async def slow(number: int, *, factor: int = 2) -> int:
    """Suspends a few times."""
    for _ in range(3):
        await asyncio.sleep(0)
    return number * factor


async def fail(wait_first: bool) -> None:
    if wait_first:
        await asyncio.sleep(0)
    raise ValueError("inside")


def in_script(plain: Callable[[], Any]) -> Any:
    return plain()


def in_notebook(plain: Callable[[], Any]) -> Any:
    async def cell() -> Any:
        return plain()

    return asyncio.run(cell())


def in_bridge(plain: Callable[[], Any]) -> Any:
    bridge.arm()
    return asyncio.run(call_plain(plain))


places = pytest.mark.parametrize("place", [in_script, in_notebook, in_bridge])


@places
@pytest.mark.parametrize("fn", [data, slow])
def test_a_twin_returns_the_result_everywhere(place: Callable[..., Any], fn: Callable[..., Any]) -> None:
    plain = twin(fn)
    assert place(lambda: (plain(2), plain(2, factor=5), plain(number=3))) == (4, 10, 6)


def test_a_twin_keeps_name_documentation_and_signature() -> None:
    plain = twin(data)
    assert (plain.__name__, plain.__doc__) == ("data", data.__doc__)
    assert inspect.signature(plain) == inspect.signature(data)
    assert not is_async(plain)


@places
@pytest.mark.parametrize("wait_first", [False, True])
def test_exceptions_pass_through(place: Callable[..., Any], wait_first: bool) -> None:
    def plain() -> str:
        try:
            wait(fail(wait_first))
        except ValueError as error:
            return f"caught {error}"
        return "nothing"

    assert place(plain) == "caught inside"
    with pytest.raises(ValueError, match="inside"):
        place(lambda: wait(fail(wait_first)))


@places
def test_the_coroutine_sees_the_context_variables_of_its_caller(place: Callable[..., Any]) -> None:
    async def read() -> str:
        await asyncio.sleep(0)
        return name.get()

    def plain() -> str:
        name.set("plain")
        return wait(read())

    assert place(plain) == "plain"
    name.set("none")


def test_in_a_bridge_context_variables_pass_both_ways() -> None:
    async def change() -> None:
        name.set("before waiting")
        await asyncio.sleep(0)
        name.set("coroutine")

    def plain() -> list[str]:
        seen = [name.get()]
        wait(change())
        seen.append(name.get())
        name.set("plain")
        return seen

    async def main() -> None:
        bridge.arm()
        name.set("task")
        for _ in range(2):
            assert await call_plain(plain) == ["task", "coroutine"]
            assert name.get() == "plain"
            name.set("task")

    asyncio.run(main())


def test_a_function_that_waits_lets_others_go_on_and_is_not_mixed_up_with_them() -> None:
    log: list[str] = []

    async def steps(who: str) -> str:
        for number in range(3):
            log.append(f"{who}{number}")
            await asyncio.sleep(0)
        return who

    def plain(who: str) -> str:
        return wait(steps(who)) + wait(steps(who))

    async def main() -> None:
        bridge.arm()
        assert list(await asyncio.gather(call_plain(plain, "a"), call_plain(plain, "b"))) == ["aa", "bb"]

    asyncio.run(main())
    assert log[:4] == ["a0", "b0", "a1", "b1"]


def test_calls_may_be_nested() -> None:
    def inner(number: int) -> int:
        return wait(slow(number))

    async def middle(number: int) -> int:
        first = await call_plain(inner, number)
        await asyncio.sleep(0)
        return first + await call_plain(inner, number)

    def outer(number: int) -> int:
        return wait(middle(number)) + wait(data(number))

    async def main() -> None:
        bridge.arm()
        assert await call_plain(outer, 1) == 6
        assert await asyncio.gather(*(call_plain(outer, i) for i in range(5))) == [6 * i for i in range(5)]

    asyncio.run(main())


def test_the_current_task_and_timeouts_are_those_of_the_run() -> None:
    async def patient() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "never"

    async def task() -> asyncio.Task[Any] | None:
        await asyncio.sleep(0)
        return asyncio.current_task()

    async def main() -> None:
        bridge.arm()
        assert await call_plain(lambda: wait(patient())) == "timed out"
        assert await call_plain(lambda: wait(task())) is asyncio.current_task()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await call_plain(lambda: wait(asyncio.Event().wait()))

    asyncio.run(main())


def test_a_cancellation_unwinds_the_plain_function() -> None:
    log: list[str] = []

    def plain() -> None:
        try:
            wait(asyncio.Event().wait())
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            wait(asyncio.sleep(0))
            log.append("cleaned up")

    async def main() -> None:
        bridge.arm()
        task = asyncio.create_task(call_plain(plain))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    assert log == ["cancelled", "cleaned up"]


def test_closing_the_call_unwinds_the_plain_function() -> None:
    log: list[str] = []

    async def never() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            log.append("coroutine closed")

    def plain() -> None:
        try:
            wait(never())
        finally:
            log.append("function left")

    async def main() -> None:
        bridge.arm()
        call = call_plain(plain)
        call.send(None)
        call.close()

    asyncio.run(main())
    assert log == ["coroutine closed", "function left"]


def test_a_failed_call_keeps_nothing_alive() -> None:
    class Big:
        pass

    alive: list[weakref.ref[Big]] = []

    def plain() -> None:
        big = Big()
        alive.append(weakref.ref(big))
        raise ValueError("failed")

    async def main() -> None:
        bridge.arm()
        with pytest.raises(ValueError, match="failed"):
            await call_plain(plain)

    asyncio.run(main())
    gc.collect()
    assert alive[0]() is None


def test_many_calls_at_once_and_in_several_threads() -> None:
    bridge.arm()
    results: list[list[int]] = []

    async def main() -> None:
        results.append(await asyncio.gather(*(call_plain(functools.partial(twin(slow), i)) for i in range(200))))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [[2 * i for i in range(200)]] * 3


def test_before_the_first_twin_plain_functions_are_called_directly() -> None:
    frames: list[str] = []

    def plain(number: int, *, factor: int) -> int:
        frame = inspect.currentframe()
        assert frame is not None and frame.f_back is not None
        frames.append(frame.f_back.f_code.co_name)
        return number * factor

    assert not bridge.armed()
    assert asyncio.run(call_plain(plain, 2, factor=3)) == 6
    bridge.arm()
    assert bridge.armed()
    assert asyncio.run(call_plain(plain, 2, factor=3)) == 6
    assert frames[0] == "call_plain"
    assert frames[1] != "call_plain"


def test_a_script_keeps_its_loop_and_a_notebook_its_side_loop() -> None:
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    assert wait(loop()) == wait(loop())

    async def cell() -> None:
        here = await loop()
        first, second = wait(loop()), wait(loop())
        assert first == second != here

    asyncio.run(cell())


def test_code_in_a_side_loop_may_block_for_another() -> None:
    async def inner() -> str:
        return threading.current_thread().name

    async def middle() -> list[str]:
        return [threading.current_thread().name, wait(inner())]

    async def cell() -> list[str]:
        return [threading.current_thread().name, *wait(middle())]

    names = asyncio.run(cell())
    assert names[1:] == ["backtestkit-loop", "backtestkit-loop"]
    loops.close()


def test_an_interrupted_wait_cancels_its_coroutine() -> None:
    log: list[str] = []

    async def stuck() -> None:
        try:
            interrupted.set()
            await asyncio.Event().wait()
        finally:
            log.append("ended")
            ended.set()

    interrupted, ended = threading.Event(), threading.Event()

    class Interrupting:
        """A future whose result is an interrupt, as when the user presses Ctrl-C."""

        def __init__(self, future: Any) -> None:
            self.future = future

        def result(self) -> None:
            interrupted.wait(10)
            raise KeyboardInterrupt

        def cancel(self) -> None:
            self.future.cancel()

    original = asyncio.run_coroutine_threadsafe

    async def cell() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "run_coroutine_threadsafe", lambda *args: Interrupting(original(*args)))
            with pytest.raises(KeyboardInterrupt):
                wait(stuck())

    asyncio.run(cell())
    assert ended.wait(10)
    assert log == ["ended"]


def test_the_loops_of_a_thread_end_with_it() -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    async def loop() -> None:
        seen.append(asyncio.get_running_loop())

    async def cell() -> None:
        wait(loop())

    def work() -> None:
        wait(loop())
        asyncio.run(cell())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert [each.is_closed() for each in seen] == [True, True]


def test_a_blocked_notebook_does_not_wait_for_its_own_listener() -> None:
    """The loop that would end the listener's call is blocked by the very call that emits."""

    async def main() -> None:
        seen: list[int] = []

        async def sink(error: Exception, name: str, event: object) -> None:
            raise AssertionError(error)

        channel: Channel[int] = Channel("numbers", sink)
        go = asyncio.Event()

        async def listen(number: int) -> None:
            if number == 0:
                await go.wait()
            seen.append(number)

        channel.listen(listen)
        busy = asyncio.create_task(channel.emit(0))
        await asyncio.sleep(0)
        wait(channel.emit(1))
        assert seen == []
        go.set()
        await busy
        assert seen == [0, 1]

    asyncio.run(main())


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_plain_listeners_may_use_twins_and_emit_through_them(waits: bool, fails: bool) -> None:
    async def sink(error: Exception, name: str, event: object) -> None:
        seen.append(f"{event} {error}")

    channel: Channel[int] = Channel("numbers", sink)
    emit, seen = twin(channel.emit), list[str]()

    def listen(number: int) -> None:
        seen.append(f"+{number}")
        if number < 2:
            emit(number + 1)
        if waits:
            wait(slow(number))
        seen.append(f"-{number}")
        if fails:
            raise ValueError("failed")

    channel.listen(listen)
    asyncio.run(channel.emit(0))
    assert [line for line in seen if "failed" not in line] == ["+0", "-0", "+1", "-1", "+2", "-2"]
    assert sorted(line for line in seen if "failed" in line) == (["0 failed", "1 failed", "2 failed"] if fails else [])


@pytest.mark.parametrize("emitters", [1, 3])
def test_plain_listeners_that_wait_still_take_one_event_at_a_time(emitters: int) -> None:
    async def sink(error: Exception, name: str, event: object) -> None:
        raise AssertionError(error)

    channel: Channel[int] = Channel("numbers", sink)
    seen: list[str] = []

    def listen(number: int) -> None:
        seen.append(f"+{number}")
        wait(slow(number))
        seen.append(f"-{number}")

    channel.listen(listen)

    async def main() -> None:
        bridge.arm()
        await asyncio.gather(*(channel.emit(number) for number in range(emitters)))

    asyncio.run(main())
    assert seen == [f"{sign}{number}" for number in range(emitters) for sign in "+-"]


class AsyncCall:
    async def __call__(self) -> None: ...


class PlainCall:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (data, True),
        (functools.partial(functools.partial(data), 1), True),
        (AsyncCall(), True),
        (AsyncCall().__call__, True),
        (PlainCall(), False),
        (PlainCall, False),
        (AsyncCall, False),
        (len, False),
        ([].append, False),
        (lambda: data(1), False),
    ],
)
def test_async_functions_are_told_from_plain_ones(fn: Callable[..., Any], expected: bool) -> None:
    assert is_async(fn) is expected
