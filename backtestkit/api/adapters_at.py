"""Whose memory, state or session is meant: that of the running context, or that of the names that are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from backtestkit.adapters.owner import Moment, Owner, SignalMoment
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.context import RunContext, RunKey, current_run, run_context
from backtestkit.services.core.run_book import describe

if TYPE_CHECKING:
    from backtestkit.services.logic.run_state import RunState


class ContextNames(TypedDict, total=False):
    """The names of a context. Without any, the running one is meant; without `frame_name`, a live one."""

    strategy_name: str
    exchange_name: str
    frame_name: str


class SignalOfSymbol(ContextNames, total=False):
    """The same, and a signal; without `signal_id` the open one of that run, else the waiting one."""

    signal_id: str


class SignalNames(SignalOfSymbol, total=False):
    """The same, and the symbol; without it that of the running context."""

    symbol: str


def moment(function: str, symbol: str | None, names: Mapping[str, Any]) -> Moment:
    """The run of `symbol` that `names` name, or the running one, and what time it is there.

    Inside a run it is that run's time, whoever is asked about: nobody sees the future. `UsageError` for names that lack
    one, or of a backtest that nobody has started.
    """
    running = current_run.get()
    if not any(name in names for name in ("strategy_name", "exchange_name", "frame_name")):
        context = run_context(function)
        if symbol in (None, context.key.symbol):
            return Moment(Owner.of(context), context.clock.now_ms(), context.key)
        assert symbol is not None, "narrowed above"
        key = replace(context.key, symbol=symbol)
    else:
        if symbol is None or "strategy_name" not in names or "exchange_name" not in names:
            raise UsageError(f"{function} needs symbol, strategy_name and exchange_name together, or none of them")
        frame = names.get("frame_name", "")
        key = RunKey(symbol, names["strategy_name"], names["exchange_name"], frame, bool(frame))
    if not key.backtest:
        return Moment(Owner.live(key), _now(running, SystemClock().now_ms()), key)
    run: Any = current_kit().runs.get(key)
    return Moment(Owner(True, ("backtest", run.id)), _now(running, run.state.now_ms()), key)


def signal_moment(function: str, symbol: str | None, names: Mapping[str, Any]) -> SignalMoment:
    """The same, and which signal is meant; `UsageError` when none is open or waiting and none is named."""
    at = moment(function, symbol, names)
    signal_id = names.get("signal_id") or _current_signal(at.key)
    if signal_id is None:
        raise UsageError(
            f"{function}: nothing is open or waiting in {describe(at.key)}. Call it while a signal lives, or name one with "
            "signal_id=."
        )
    return SignalMoment(at.owner, at.now, at.key, signal_id)


def _current_signal(key: RunKey) -> str | None:
    context = current_run.get()
    state: RunState = (
        context.session if context is not None and context.key == key else current_kit().runs.get(key).state
    )
    row = state.machine.pending or state.machine.scheduled
    return None if row is None else row.id


def _now(running: RunContext | None, otherwise: int) -> int:
    return otherwise if running is None or not running.clock.available else running.clock.now_ms()
