"""One listener of a channel: its filters, and whose turn it is to call it."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from backtestkit.errors import EngineError
from backtestkit.runtime import bridge
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.loops import must_not_wait

E = TypeVar("E")

PUT_OFF_MAX: Final = 10_000
RUNS_REMEMBERED_MAX: Final = 200


class Subscription(Generic[E]):
    """Calls one listener, one event at a time.

    The turn is a lock that is only ever tried, never waited for, so emitters in several threads are safe too. Whoever
    has it calls the listener, delivers what was put off meanwhile, and gives it to the emitter that waited longest.
    """

    __slots__ = ("_direct", "_is_async", "_last_signals", "_once", "_put_off", "_report", "_signal_of", "_turn",
                 "_waiting", "_where", "active", "cancel", "fn")  # fmt: skip

    def __init__(
        self,
        fn: Callable[[E], Any],
        report: Callable[[Exception, E], Awaitable[None]],
        *,
        where: Callable[[E], bool] | None,
        once: bool,
        signal_of: Callable[[E], str | None] | None,
    ) -> None:
        """`signal_of` limits the listener to one call for each signal of a run; `report` takes errors nobody awaits."""
        self.fn = fn
        self.active = True
        self.cancel: Callable[[], None]
        self._is_async = bridge.is_async(fn)
        self._where, self._once, self._signal_of = where, once, signal_of
        self._direct = not (self._is_async or where or once or signal_of)
        self._last_signals: dict[RunKey, str] = {}
        self._report = report
        self._turn = Lock()
        self._put_off: deque[tuple[E, Context]] = deque()
        self._waiting: deque[_Waiter] = deque()

    def deliver(self, event: E) -> Awaitable[None] | None:
        """Call the listener when it is its turn. What it raises, this raises, or awaiting what this returns.

        None when the call is over already: a plain listener without filters that does not wait costs no coroutine.
        """
        if not self._direct or self._put_off or not self._turn.acquire(False):
            return self._deliver(event)
        try:
            answer = self._call_directly(event) if self.active else None
        except BaseException as error:
            if self._put_off:
                return self._in_turn(_raise(error))
            self._pass_turn()
            raise
        if answer is not None and inspect.isawaitable(answer):
            return self._in_turn(self._finish(answer))
        if self._put_off:
            return self._in_turn(None)
        self._pass_turn()
        return None

    def _call_directly(self, event: E) -> object:
        if not bridge.armed():
            return self.fn(event)  # nothing in it can emit
        before, call = must_not_wait.get(), [True]
        must_not_wait.set(call)
        try:
            return bridge.begin_plain(self.fn, event)
        finally:
            call[0] = False
            must_not_wait.set(before)

    async def _deliver(self, event: E) -> None:
        if not self._turn.acquire(False):
            hurried = must_not_wait.get()
            if hurried is not None and hurried[0]:
                await self._deliver_later(event)
                return
            await self._wait_for_turn()
        await self._in_turn(self._call_after_put_off(event) if self._put_off else self._call(event))

    async def _in_turn(self, call: Awaitable[None] | None) -> None:
        """Await `call` with the turn in hand, then what was put off meanwhile, then pass the turn on."""
        closing = False
        try:
            if call is not None:
                await call
        except GeneratorExit:
            closing = True
            raise
        finally:
            try:
                if self._put_off and not closing:
                    await self._deliver_put_off()
            finally:
                self._pass_turn()

    async def _call_after_put_off(self, event: E) -> None:
        """A call that was closed left events behind."""
        await self._deliver_put_off()
        await self._call(event)

    async def _call(self, event: E) -> None:
        if not self.active:
            return
        before, call = must_not_wait.get(), [True]
        must_not_wait.set(call)
        try:
            if (self._where or self._once or self._signal_of) and not self._passes(event):
                return
            if self._is_async:
                await self.fn(event)
                return
            answer = bridge.begin_plain(self.fn, event)
            if answer is not None and inspect.isawaitable(answer):
                await answer
        finally:
            call[0] = False
            must_not_wait.set(before)

    async def _finish(self, answer: Awaitable[object]) -> None:
        before, call = must_not_wait.get(), [True]
        must_not_wait.set(call)
        try:
            await answer
        finally:
            call[0] = False
            must_not_wait.set(before)

    def _passes(self, event: Any) -> bool:
        """Whether the filters let `event` through, which uses up a `once` and the event's signal."""
        if self._where is not None and not self._where(event):
            return False
        if self._signal_of is not None:
            signal, run = self._signal_of(event), event.key
            if signal is None or self._last_signals.get(run) == signal:
                return False
            self._last_signals.pop(run, None)
            self._last_signals[run] = signal
            if len(self._last_signals) > RUNS_REMEMBERED_MAX:
                del self._last_signals[next(iter(self._last_signals))]
        if self._once:
            self.cancel()
        return True

    async def _deliver_later(self, event: E) -> None:
        if len(self._put_off) >= PUT_OFF_MAX:
            raise EngineError(
                f"{PUT_OFF_MAX} events wait for listener {self.fn!r}, all of them emitted by listeners while it was "
                f"busy. A listener must not answer each event with more events for itself."
            )
        self._put_off.append((event, copy_context()))
        # Whoever had the turn may be in another thread and have left before it could see this event.
        while self._put_off and self._turn.acquire(False):
            try:
                await self._deliver_put_off()
            finally:
                self._pass_turn()

    async def _deliver_put_off(self) -> None:
        """Deliver what was put off, each event in the context it was emitted in; a cancellation takes effect after."""
        cancelled: asyncio.CancelledError | None = None
        while self._put_off:
            event, context = self._put_off.popleft()
            try:
                await asyncio.get_running_loop().create_task(self._call(event), context=context)
            except asyncio.CancelledError as error:
                cancelled = error
            except Exception as error:
                await self._report(error, event)
        if cancelled is not None:
            raise cancelled

    async def _wait_for_turn(self) -> None:
        waiter = _Waiter()
        self._waiting.append(waiter)
        if self._turn.acquire(False):  # given up by another thread before it could see this waiter
            self._pass_turn()
        try:
            await waiter.future
        except asyncio.CancelledError:
            if not waiter.claim():
                self._pass_turn()  # the turn was given to this emitter before the cancellation came
            raise

    def _pass_turn(self) -> None:
        while True:
            while self._waiting:
                if self._waiting.popleft().wake():
                    return
            self._turn.release()
            if not self._waiting or not self._turn.acquire(False):
                return


async def _raise(error: BaseException) -> None:
    raise error


class _Waiter:
    """An emitter that waits for its turn. Whoever claims it first decides: it was woken, or it has gone away."""

    __slots__ = ("_claimed", "_loop", "future")

    def __init__(self) -> None:
        self._claimed = Lock()
        self._loop = asyncio.get_running_loop()
        self.future = self._loop.create_future()

    def claim(self) -> bool:
        return self._claimed.acquire(False)

    def wake(self) -> bool:
        """Give it the turn; False when it has gone away."""
        if not self.claim():
            return False
        try:
            self._loop.call_soon_threadsafe(self._resolve)
        except RuntimeError:  # its loop was closed
            return False
        return True

    def _resolve(self) -> None:
        if not self.future.done():
            self.future.set_result(None)
