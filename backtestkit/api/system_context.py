"""Running a function somewhere else than where it is called: in an artificial run, or outside the running one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, overload

from backtestkit.errors import NotRegisteredError
from backtestkit.kit import Kit, current_kit
from backtestkit.model.interval import MINUTE_MS, from_ms, parse_time, to_ms
from backtestkit.runtime.clock import SimulatedClock, SystemClock
from backtestkit.runtime.context import RunContext, RunKey, current_run
from backtestkit.runtime.user_code import user_function

if TYPE_CHECKING:
    from backtestkit.services.core.run_resolver import BacktestPlan

__all__ = ["begin_context", "begin_time", "run_in_mock_context"]

R = TypeVar("R")


@overload
async def run_in_mock_context(
    fn: Callable[[], Awaitable[R]],
    *,
    symbol: str = ...,
    strategy_name: str = ...,
    exchange_name: str = ...,
    frame_name: str = ...,
    backtest: bool = ...,
    when: datetime | str | int | None = ...,
) -> R: ...
@overload
async def run_in_mock_context(
    fn: Callable[[], R],
    *,
    symbol: str = ...,
    strategy_name: str = ...,
    exchange_name: str = ...,
    frame_name: str = ...,
    backtest: bool = ...,
    when: datetime | str | int | None = ...,
) -> R: ...
async def run_in_mock_context(
    fn: Callable[[], Any],
    *,
    symbol: str = "BTCUSDT",
    strategy_name: str = "mock_strategy",
    exchange_name: str = "mock_exchange",
    frame_name: str = "mock_frame",
    backtest: bool = False,
    when: datetime | str | int | None = None,
) -> Any:
    """The answer of `fn`, a plain or an async function, called inside an artificial run that stands at `when`.

    So `get_candles` and its siblings can be tried without a strategy. Without `when` it is the current minute. Names that
    are not registered stand for nothing; only an exchange must be when something is read from it.
    """
    kit = current_kit()
    now = SystemClock().now_ms() // MINUTE_MS * MINUTE_MS if when is None else to_ms(parse_time(when, "when"))
    key = RunKey(symbol, strategy_name, exchange_name, frame_name if backtest else "", backtest)
    state = kit.container.backtest_logic().start(_plan(kit, key, frame_name, now))
    state.machine.now = now
    state.runner.clock.advance_to_ms(now)
    with _running(RunContext(key, state.runner.clock, kit, state)):
        return await user_function(fn)()


@overload
async def begin_context(fn: Callable[[], Awaitable[R]]) -> R: ...
@overload
async def begin_context(fn: Callable[[], R]) -> R: ...
async def begin_context(fn: Callable[[], Any]) -> Any:
    """The answer of `fn`, called outside the running run but with the same kit: nothing in it depends on who calls."""
    kit = current_kit()
    with _running(None), kit:
        return await user_function(fn)()


@overload
async def begin_time(fn: Callable[[], Awaitable[R]]) -> R: ...
@overload
async def begin_time(fn: Callable[[], R]) -> R: ...
async def begin_time(fn: Callable[[], Any]) -> Any:
    """The answer of `fn`, called with the names of the running run and without its time: asking for that is an error."""
    context = current_run.get()
    if context is None:
        return await user_function(fn)()
    with _running(replace(context, clock=SimulatedClock())):
        return await user_function(fn)()


@contextmanager
def _running(context: RunContext | None) -> Iterator[None]:
    token = current_run.set(context)
    try:
        yield
    finally:
        current_run.reset(token)


def _plan(kit: Kit, key: RunKey, frame_name: str, now: int) -> BacktestPlan:
    """What is registered under these names, and stand-ins for the rest."""
    from backtestkit.model.schema import FrameSchema, StrategySchema
    from backtestkit.services.core.run_resolver import BacktestPlan, resolve_policy

    strategies, frames = kit.registries["strategy"], kit.registries["frame"]
    known = key.strategy_name in strategies.names()
    strategy: Any = strategies.get(key.strategy_name) if known else StrategySchema(strategy_name=key.strategy_name)
    frame: Any = (
        frames.get(frame_name)
        if frame_name in frames.names()
        else FrameSchema(frame_name=frame_name, start_date=from_ms(now), end_date=from_ms(now + MINUTE_MS))
    )
    registered = key.exchange_name in kit.registries["exchange"].names()
    exchange: Any = kit.container.exchange_pool().connect(key.exchange_name) if registered else _Absent(kit, key)
    return BacktestPlan(
        key=key,
        strategy=strategy,
        frame=frame,
        actions=(),
        risks=(),
        sizing=None,
        exchange=exchange,
        config=kit.config,
        policy=resolve_policy(None, kit.config),
        params={},
    )


class _Absent:
    """An exchange that nobody has registered: whoever reads from it is told so."""

    def __init__(self, kit: Kit, key: RunKey) -> None:
        self._kit, self._key = kit, key

    def __getattr__(self, name: str) -> Any:
        known = self._kit.registries["exchange"].names()
        raise NotRegisteredError("exchange", self._key.exchange_name, known, f"{name} in a mock context")
