"""Which run this is, and what time it is in it.

The variable is set once a run; the time is a field of the run's own clock and is moved by the loop that owns it. So
`get_candles` and its siblings need no timestamp, and there is none to forget.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from backtestkit.errors import ContextError
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.ids import new_id

Mode: TypeAlias = Literal["backtest", "live"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunKey:
    """What identifies a run: one machine exists per key. `frame_name` is empty in live."""

    symbol: str
    strategy_name: str
    exchange_name: str
    frame_name: str
    backtest: bool

    @property
    def mode(self) -> Mode:
        """`"backtest"` or `"live"`."""
        return "backtest" if self.backtest else "live"


@dataclass(slots=True)
class RunContext:
    """One run in progress: its key, its clock, and the kit and services it belongs to (opaque at this floor)."""

    key: RunKey
    clock: Clock
    kit: Any
    session: Any = None
    _id: str = ""

    @property
    def id(self) -> str:
        """The identity of this run, given when it is first asked for: a second run of the same key has another one."""
        if not self._id:
            self._id = new_id()
        return self._id


current_run: ContextVar[RunContext | None] = ContextVar("backtestkit_run", default=None)


def run_context(function: str) -> RunContext:
    """The running context; outside a run a `ContextError` that names `function`."""
    context = current_run.get()
    if context is None:
        raise ContextError(
            f"{function} needs a running strategy: call it inside get_signal, a callback or a listener, "
            f"or use the class of the same family that takes the context by keywords."
        )
    return context


class InContext(Generic[T]):
    """An async generator whose every step runs inside `context`, and nothing else does.

    A generator runs in the context of whoever asks it for the next item, so a variable set inside it would still be set
    in the body of the user's loop.
    """

    def __init__(self, context: RunContext, generator: AsyncGenerator[T, None]) -> None:
        """Wrap `generator`, which has not been started."""
        self._context, self._generator = context, generator

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        token = current_run.set(self._context)
        try:
            return await self._generator.__anext__()
        finally:
            current_run.reset(token)

    async def aclose(self) -> None:
        """End the generator; its cleanup runs inside the context too."""
        token = current_run.set(self._context)
        try:
            await self._generator.aclose()
        finally:
            current_run.reset(token)
