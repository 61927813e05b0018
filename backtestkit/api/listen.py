"""`listen_*`: hear what happens in the runs of the current kit.

    stop = bk.listen_signal_closed(lambda result: print(result.pnl.pnl_percentage))
    ...
    stop()

Each takes a plain or an async function of one event and returns a function that ends the subscription and may be called
again. The engine waits for its listeners, and calls of one listener never overlap.

`listen_x(fn)` hears everything, `listen_x_once(filter_fn, fn)` the first event for which the filter is true, and
`listen_x_per_signal(filter_fn, fn)` the first such event of each signal. Names that end with an action, such as
`listen_signal_closed` and `listen_signal_closed_per_signal`, hear only results with that action.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from backtestkit.model.event import (
    BoundaryEvent,
    BreakevenEvent,
    CommitEvent,
    DoneEvent,
    ErrorEvent,
    ExtremeEvent,
    FundingEvent,
    IdlePingEvent,
    LevelEvent,
    PauseEvent,
    PingEvent,
    ProgressEvent,
    RiskEvent,
    ScheduleEvent,
    SignalEvent,
    SignalNotifyEvent,
    TickAction,
)
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.result import (
    ActiveResult,
    AnyResult,
    CancelledResult,
    ClosedResult,
    IdleResult,
    OpenedResult,
    ScheduledResult,
    WaitingResult,
)
from backtestkit.model.walker import WalkerCompleteEvent, WalkerEvent, WalkerProgressEvent

if TYPE_CHECKING:
    from backtestkit.runtime.channel import OnError, Unsubscribe

E = TypeVar("E")

ABOUT: Final[dict[str, str]] = {
    "signal": "every result of a tick, after the listeners of its mode",
    "signal_live": "every result of a tick in live",
    "signal_backtest": "every result of a tick in a backtest",
    "signal_event": "a position was opened or closed",
    "order_schedule": "a waiting entry was scheduled or cancelled",
    "strategy_commit": "a command took effect",
    "signal_notify": "a strategy has something to say about its position",
    "active_ping": "a minute passed while a position was open",
    "schedule_ping": "a minute passed while an entry waited",
    "idle_ping": "a minute passed with neither a position nor a waiting entry",
    "partial_profit_available": "the price has come 10, 20, ..., 100 percent of the way to the take profit",
    "partial_loss_available": "the price has come 10, 20, ..., 100 percent of the way to the stop loss",
    "breakeven_available": "a stop at the entry would pay for fees and slippage",
    "funding": "an open position paid or received funding",
    "risk": "a risk rule refused a signal",
    "validation": "a risk rule raised, which refuses the signal",
    "highest_profit": "an open position has a new best price",
    "max_drawdown": "an open position has a new worst price",
    "pause": "the generation of signals was paused or resumed",
    "before_start": "a run is about to start",
    "after_end": "a run has ended",
    "backtest_progress": "how far a backtest has come",
    "done_backtest": "a backtest in the background has finished",
    "walker": "a walker has finished a strategy",
    "walker_progress": "a walker has gone on to its next strategy",
    "walker_complete": "a walker has finished",
    "done_walker": "a walker in the background has finished",
    "performance": "a part of a run was timed: all of it, one tick, or the life of one signal",
    "error": "an error was caught and survived",
    "exit": "an error ended everything",
}
"""What each channel tells."""


class Listener(Generic[E]):
    """A function `(fn, *, on_error)` that calls `fn` with every event of a channel, or with those of one action."""

    def __init__(self, channel: str, action: TickAction | None = None, *, per_signal: bool = False) -> None:
        self.channel, self.action, self.per_signal = channel, action, per_signal
        about = ABOUT[channel] if action is None else f"{ABOUT[channel]} with the action {action!r}"
        self.__name__ = self.__qualname__ = "_".join(
            ["listen", channel, *([action] if action else []), *(["per_signal"] if per_signal else [])]
        )
        self.__doc__ = f"Call `fn` when: {about}{', once for each signal' if per_signal else ''}.\n\n{_ARGUMENTS}"
        self.__signature__ = _signature(Listener.__call__)

    def __call__(self, fn: Callable[[E], object], *, on_error: OnError | None = None) -> Unsubscribe:
        """Start listening; see `__doc__` of the instance."""
        return _listen(self.channel, fn, on_error, action=self.action, per_signal=self.per_signal)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


class FilteredListener(Generic[E]):
    """A function `(filter_fn, fn, *, on_error)` that calls `fn` with the first event, or the first of each signal."""

    def __init__(self, channel: str, form: Literal["once", "per_signal"]) -> None:
        self.channel, self.form = channel, form
        times = "the first time" if form == "once" else "the first time for each signal"
        self.__name__ = self.__qualname__ = f"listen_{channel}_{form}"
        self.__doc__ = f"Call `fn` {times} that `filter_fn(event)` is true when: {ABOUT[channel]}.\n\n{_ARGUMENTS}"
        self.__signature__ = _signature(FilteredListener.__call__)

    def __call__(
        self, filter_fn: Callable[[E], bool], fn: Callable[[E], object], *, on_error: OnError | None = None
    ) -> Unsubscribe:
        """Start listening; see `__doc__` of the instance."""
        once = self.form == "once"
        return _listen(self.channel, fn, on_error, where=filter_fn, once=once, per_signal=not once)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


_ARGUMENTS = (
    "`fn` is plain or async and takes the event. What it raises goes to the error channel, or with `on_error='raise'` "
    "to the run; the default is the configuration's `on_error`. Returns a function that ends the subscription."
)


def _listen(channel: str, fn: Callable[[Any], object], on_error: OnError | None, **filters: Any) -> Unsubscribe:
    from backtestkit.kit import current_kit

    kit = current_kit()
    return kit.channels[channel].listen(fn, on_error=on_error or kit.config.on_error, **filters)


def _signature(method: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(method)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


listen_signal: Listener[AnyResult] = Listener("signal")
listen_signal_once: FilteredListener[AnyResult] = FilteredListener("signal", "once")
listen_signal_per_signal: FilteredListener[AnyResult] = FilteredListener("signal", "per_signal")
listen_signal_live: Listener[AnyResult] = Listener("signal_live")
listen_signal_live_once: FilteredListener[AnyResult] = FilteredListener("signal_live", "once")
listen_signal_live_per_signal: FilteredListener[AnyResult] = FilteredListener("signal_live", "per_signal")
listen_signal_backtest: Listener[AnyResult] = Listener("signal_backtest")
listen_signal_backtest_once: FilteredListener[AnyResult] = FilteredListener("signal_backtest", "once")
listen_signal_backtest_per_signal: FilteredListener[AnyResult] = FilteredListener("signal_backtest", "per_signal")

listen_signal_event: Listener[SignalEvent] = Listener("signal_event")
listen_signal_event_once: FilteredListener[SignalEvent] = FilteredListener("signal_event", "once")
listen_signal_event_per_signal: FilteredListener[SignalEvent] = FilteredListener("signal_event", "per_signal")
listen_order_schedule: Listener[ScheduleEvent] = Listener("order_schedule")
listen_order_schedule_once: FilteredListener[ScheduleEvent] = FilteredListener("order_schedule", "once")
listen_order_schedule_per_signal: FilteredListener[ScheduleEvent] = FilteredListener("order_schedule", "per_signal")
listen_strategy_commit: Listener[CommitEvent] = Listener("strategy_commit")
listen_strategy_commit_once: FilteredListener[CommitEvent] = FilteredListener("strategy_commit", "once")
listen_strategy_commit_per_signal: FilteredListener[CommitEvent] = FilteredListener("strategy_commit", "per_signal")

listen_signal_notify: Listener[SignalNotifyEvent] = Listener("signal_notify")
listen_signal_notify_once: FilteredListener[SignalNotifyEvent] = FilteredListener("signal_notify", "once")
listen_signal_notify_per_signal: FilteredListener[SignalNotifyEvent] = FilteredListener("signal_notify", "per_signal")

listen_active_ping: Listener[PingEvent] = Listener("active_ping")
listen_active_ping_once: FilteredListener[PingEvent] = FilteredListener("active_ping", "once")
listen_active_ping_per_signal: FilteredListener[PingEvent] = FilteredListener("active_ping", "per_signal")
listen_schedule_ping: Listener[PingEvent] = Listener("schedule_ping")
listen_schedule_ping_once: FilteredListener[PingEvent] = FilteredListener("schedule_ping", "once")
listen_schedule_ping_per_signal: FilteredListener[PingEvent] = FilteredListener("schedule_ping", "per_signal")
listen_idle_ping: Listener[IdlePingEvent] = Listener("idle_ping")
listen_idle_ping_once: FilteredListener[IdlePingEvent] = FilteredListener("idle_ping", "once")

listen_partial_profit_available: Listener[LevelEvent] = Listener("partial_profit_available")
listen_partial_profit_available_once: FilteredListener[LevelEvent] = FilteredListener(
    "partial_profit_available", "once"
)
listen_partial_profit_available_per_signal: FilteredListener[LevelEvent] = FilteredListener(
    "partial_profit_available", "per_signal"
)
listen_partial_loss_available: Listener[LevelEvent] = Listener("partial_loss_available")
listen_partial_loss_available_once: FilteredListener[LevelEvent] = FilteredListener("partial_loss_available", "once")
listen_partial_loss_available_per_signal: FilteredListener[LevelEvent] = FilteredListener(
    "partial_loss_available", "per_signal"
)
listen_breakeven_available: Listener[BreakevenEvent] = Listener("breakeven_available")
listen_breakeven_available_once: FilteredListener[BreakevenEvent] = FilteredListener("breakeven_available", "once")
listen_breakeven_available_per_signal: FilteredListener[BreakevenEvent] = FilteredListener(
    "breakeven_available", "per_signal"
)
listen_funding: Listener[FundingEvent] = Listener("funding")
listen_funding_once: FilteredListener[FundingEvent] = FilteredListener("funding", "once")
listen_funding_per_signal: FilteredListener[FundingEvent] = FilteredListener("funding", "per_signal")
listen_risk: Listener[RiskEvent] = Listener("risk")
listen_risk_once: FilteredListener[RiskEvent] = FilteredListener("risk", "once")
listen_validation: Listener[ErrorEvent] = Listener("validation")
listen_highest_profit: Listener[ExtremeEvent] = Listener("highest_profit")
listen_highest_profit_once: FilteredListener[ExtremeEvent] = FilteredListener("highest_profit", "once")
listen_highest_profit_per_signal: FilteredListener[ExtremeEvent] = FilteredListener("highest_profit", "per_signal")
listen_max_drawdown: Listener[ExtremeEvent] = Listener("max_drawdown")
listen_max_drawdown_once: FilteredListener[ExtremeEvent] = FilteredListener("max_drawdown", "once")
listen_max_drawdown_per_signal: FilteredListener[ExtremeEvent] = FilteredListener("max_drawdown", "per_signal")

listen_pause: Listener[PauseEvent] = Listener("pause")
listen_pause_once: FilteredListener[PauseEvent] = FilteredListener("pause", "once")
listen_before_start: Listener[BoundaryEvent] = Listener("before_start")
listen_before_start_once: FilteredListener[BoundaryEvent] = FilteredListener("before_start", "once")
listen_after_end: Listener[BoundaryEvent] = Listener("after_end")
listen_after_end_once: FilteredListener[BoundaryEvent] = FilteredListener("after_end", "once")
listen_backtest_progress: Listener[ProgressEvent] = Listener("backtest_progress")
listen_done_backtest: Listener[DoneEvent] = Listener("done_backtest")
listen_done_backtest_once: FilteredListener[DoneEvent] = FilteredListener("done_backtest", "once")
listen_walker: Listener[WalkerEvent] = Listener("walker")
listen_walker_once: FilteredListener[WalkerEvent] = FilteredListener("walker", "once")
listen_walker_progress: Listener[WalkerProgressEvent] = Listener("walker_progress")
listen_walker_complete: Listener[WalkerCompleteEvent] = Listener("walker_complete")
listen_walker_complete_once: FilteredListener[WalkerCompleteEvent] = FilteredListener("walker_complete", "once")
listen_done_walker: Listener[DoneEvent] = Listener("done_walker")
listen_done_walker_once: FilteredListener[DoneEvent] = FilteredListener("done_walker", "once")

listen_performance: Listener[PerformanceEvent] = Listener("performance")

listen_error: Listener[ErrorEvent] = Listener("error")
listen_exit: Listener[ErrorEvent] = Listener("exit")

listen_signal_idle: Listener[IdleResult] = Listener("signal", "idle")
listen_signal_scheduled: Listener[ScheduledResult] = Listener("signal", "scheduled")
listen_signal_scheduled_per_signal: Listener[ScheduledResult] = Listener("signal", "scheduled", per_signal=True)
listen_signal_waiting: Listener[WaitingResult] = Listener("signal", "waiting")
listen_signal_waiting_per_signal: Listener[WaitingResult] = Listener("signal", "waiting", per_signal=True)
listen_signal_opened: Listener[OpenedResult] = Listener("signal", "opened")
listen_signal_opened_per_signal: Listener[OpenedResult] = Listener("signal", "opened", per_signal=True)
listen_signal_active: Listener[ActiveResult] = Listener("signal", "active")
listen_signal_active_per_signal: Listener[ActiveResult] = Listener("signal", "active", per_signal=True)
listen_signal_closed: Listener[ClosedResult] = Listener("signal", "closed")
listen_signal_closed_per_signal: Listener[ClosedResult] = Listener("signal", "closed", per_signal=True)
listen_signal_cancelled: Listener[CancelledResult] = Listener("signal", "cancelled")
listen_signal_cancelled_per_signal: Listener[CancelledResult] = Listener("signal", "cancelled", per_signal=True)

listen_signal_live_idle: Listener[IdleResult] = Listener("signal_live", "idle")
listen_signal_live_scheduled: Listener[ScheduledResult] = Listener("signal_live", "scheduled")
listen_signal_live_scheduled_per_signal: Listener[ScheduledResult] = Listener(
    "signal_live", "scheduled", per_signal=True
)
listen_signal_live_waiting: Listener[WaitingResult] = Listener("signal_live", "waiting")
listen_signal_live_waiting_per_signal: Listener[WaitingResult] = Listener("signal_live", "waiting", per_signal=True)
listen_signal_live_opened: Listener[OpenedResult] = Listener("signal_live", "opened")
listen_signal_live_opened_per_signal: Listener[OpenedResult] = Listener("signal_live", "opened", per_signal=True)
listen_signal_live_active: Listener[ActiveResult] = Listener("signal_live", "active")
listen_signal_live_active_per_signal: Listener[ActiveResult] = Listener("signal_live", "active", per_signal=True)
listen_signal_live_closed: Listener[ClosedResult] = Listener("signal_live", "closed")
listen_signal_live_closed_per_signal: Listener[ClosedResult] = Listener("signal_live", "closed", per_signal=True)
listen_signal_live_cancelled: Listener[CancelledResult] = Listener("signal_live", "cancelled")
listen_signal_live_cancelled_per_signal: Listener[CancelledResult] = Listener(
    "signal_live", "cancelled", per_signal=True
)

listen_signal_backtest_idle: Listener[IdleResult] = Listener("signal_backtest", "idle")
listen_signal_backtest_scheduled: Listener[ScheduledResult] = Listener("signal_backtest", "scheduled")
listen_signal_backtest_scheduled_per_signal: Listener[ScheduledResult] = Listener(
    "signal_backtest", "scheduled", per_signal=True
)
listen_signal_backtest_waiting: Listener[WaitingResult] = Listener("signal_backtest", "waiting")
listen_signal_backtest_waiting_per_signal: Listener[WaitingResult] = Listener(
    "signal_backtest", "waiting", per_signal=True
)
listen_signal_backtest_opened: Listener[OpenedResult] = Listener("signal_backtest", "opened")
listen_signal_backtest_opened_per_signal: Listener[OpenedResult] = Listener(
    "signal_backtest", "opened", per_signal=True
)
listen_signal_backtest_active: Listener[ActiveResult] = Listener("signal_backtest", "active")
listen_signal_backtest_active_per_signal: Listener[ActiveResult] = Listener(
    "signal_backtest", "active", per_signal=True
)
listen_signal_backtest_closed: Listener[ClosedResult] = Listener("signal_backtest", "closed")
listen_signal_backtest_closed_per_signal: Listener[ClosedResult] = Listener(
    "signal_backtest", "closed", per_signal=True
)
listen_signal_backtest_cancelled: Listener[CancelledResult] = Listener("signal_backtest", "cancelled")
listen_signal_backtest_cancelled_per_signal: Listener[CancelledResult] = Listener(
    "signal_backtest", "cancelled", per_signal=True
)
