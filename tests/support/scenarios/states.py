"""Every state in which a strategy can be found, and a way to do something in each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import backtestkit as bk
from backtestkit.api.position import PositionApi
from backtestkit.model.fill_policy import PolicyName

from .market import MINUTE, START, candles, still
from .run import HISTORY, market, minute, once

Probe = Callable[[PositionApi], Awaitable[Any]]


def long(**changes: Any) -> bk.Signal:
    """A long at 100 with levels 10 % away, for half an hour."""
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 30} | changes
    return bk.Signal(position="long", **fields)


@dataclass(frozen=True)
class State:
    """Where a strategy stands when `channel` tells of `minute`, after the commands of `before`."""

    channel: str
    minute: int
    signal: bk.Signal | None = None
    price: float = 104.0
    before: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    action: str = ""


OPEN, WAITING = long(), long(price_open=99.0)
STATES: dict[str, State] = {
    "before the first tick": State("before_start", 0),
    "idle": State("idle_ping", 3),
    "queued": State("idle_ping", 3, before=(("commit_create_signal", (long(),)),)),
    "paused": State("idle_ping", 3, before=(("set_strategy_paused", (True,)),)),
    "stopped": State("idle_ping", 3, before=(("stop_strategy", ()),)),
    "waiting": State("schedule_ping", 8, WAITING),
    "cancel on its way": State("schedule_ping", 8, WAITING, before=(("commit_cancel_scheduled", ()),)),
    "activation on its way": State("schedule_ping", 8, WAITING, before=(("commit_activate_scheduled", ()),)),
    "stopped while waiting": State("schedule_ping", 8, WAITING, before=(("stop_strategy", ()),)),
    "in profit": State("active_ping", 8, OPEN),
    "at a loss": State("active_ping", 8, OPEN, price=96.0),
    "after a partial close": State("active_ping", 8, OPEN, before=(("commit_partial_profit", (40,)),)),
    "after an average buy": State("active_ping", 8, OPEN, price=96.0, before=(("commit_average_buy", (50.0,)),)),
    "after breakeven": State("active_ping", 8, OPEN, before=(("commit_breakeven", ()),)),
    "open and paused": State("active_ping", 8, OPEN, before=(("set_strategy_paused", (True,)),)),
    "open and stopped": State("active_ping", 8, OPEN, before=(("stop_strategy", ()),)),
    "close on its way": State("active_ping", 8, OPEN, before=(("commit_close_pending", ()),)),
    "full close on its way": State("active_ping", 8, OPEN, before=(("commit_partial_profit", (100,)),)),
    "fill on its way": State("active_ping", 8, OPEN, before=(("commit_create_take_profit", ()),)),
    "being closed": State("signal_event", 30, OPEN, action="closed"),
    "closed": State("signal_backtest", 30, OPEN, action="closed"),
    "at the end": State("after_end", 0, OPEN),
    "over": State("over", 0, OPEN),
}


def in_state(
    state: State, probe: Probe, policy: PolicyName = "conservative", config: dict[str, Any] | None = None
) -> Any:
    """What `probe` answers in `state`; an error of the framework is an answer too."""
    answers: list[Any] = []

    async def at_event(event: Any) -> None:
        if answers or minute(event.timestamp) < state.minute or state.action not in ("", getattr(event, "action", "")):
            return
        for name, arguments in state.before:
            outcome = await getattr(bk, name)("BTC", *arguments)
            assert outcome is None or outcome, f"{name}: {outcome}"
        answers.append(await _answer(probe(bk.position_of("BTC", "probe"))))

    with bk.Kit(config):
        market(candles(still(60, lambda m: 100.0 if m < 2 else state.price)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        get_signal = once(state.signal) if state.signal is not None else (lambda *_: None)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=get_signal)
        over = state.channel == "over"
        if not over:
            getattr(bk, f"listen_{state.channel}")(at_event)
        run = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", policy=policy)
        run.wait()
        if over:
            answers.append(asyncio.run(_answer(probe(PositionApi(run.state)))))
    (answer,) = answers
    return answer


async def _answer(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except bk.BacktestKitError as error:
        return error


def methods(kind: type) -> list[str]:
    """The public coroutine functions of one half of the position api."""
    return sorted(
        name for name, fn in inspect.getmembers(kind, inspect.iscoroutinefunction) if not name.startswith("_")
    )
