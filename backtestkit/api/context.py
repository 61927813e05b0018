"""Where the calling code stands: which run, and what time it is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backtestkit.runtime.context import Mode, RunKey, current_run, run_context

if TYPE_CHECKING:
    from backtestkit.services.logic.run_state import RunState


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """A run at one moment.

    `range` is the frame's first and last instant (None in live), `info` what the strategy was registered with, `when`
    the time of the run and `current_price` its average price then.
    """

    symbol: str
    range: tuple[datetime, datetime] | None
    info: Any
    context: RunKey
    when: datetime
    current_price: float
    backtest: bool


def has_trade_context() -> bool:
    """Whether this code runs inside a strategy run, so that `get_candles` and its siblings know what is meant, and when."""
    run = current_run.get()
    return run is not None and run.clock.available


def get_context() -> RunKey:
    """The names of the run: symbol, strategy, exchange, frame and mode; outside a run a `ContextError`."""
    return run_context("get_context").key


def get_symbol() -> str:
    """The symbol of the run; outside a run a `ContextError`."""
    return run_context("get_symbol").key.symbol


def get_mode() -> Mode:
    """`"backtest"` or `"live"`; outside a run a `ContextError`."""
    return run_context("get_mode").key.mode


def get_date() -> datetime:
    """What time it is in the run, aware, UTC; outside a run a `ContextError`."""
    return run_context("get_date").clock.now()


def get_timestamp() -> int:
    """What time it is in the run, in ms since the epoch; outside a run a `ContextError`."""
    return run_context("get_timestamp").clock.now_ms()


def get_params() -> Mapping[str, Any]:
    """The parameters of the run: those its strategy was registered with, changed by a walker or by `params=`."""
    state: RunState = run_context("get_params").session
    return state.plan.params


async def get_runtime_info() -> RuntimeInfo:
    """The run at this moment; outside a run a `ContextError`."""
    context = run_context("get_runtime_info")
    key, clock = context.key, context.clock
    state: RunState = context.session
    plan = state.plan
    price = await plan.exchange.get_average_price(
        key.symbol, when_ms=clock.now_ms(), backtest=key.backtest, strict=plan.policy.candles == "strict"
    )
    return RuntimeInfo(
        symbol=key.symbol,
        range=(plan.frame.start_date, plan.frame.end_date) if key.backtest else None,
        info=plan.strategy.info,
        context=key,
        when=clock.now(),
        current_price=price,
        backtest=key.backtest,
    )
