"""The channels of a kit: one row for every kind of event that somebody may listen to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Final, TypeVar

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
)
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.result import AnyResult
from backtestkit.model.sync import SyncEvent
from backtestkit.model.walker import WalkerCompleteEvent, WalkerEvent, WalkerProgressEvent
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.log import logger

E = TypeVar("E")

_action: Final[Callable[[Any], str]] = attrgetter("action")
_signal_of_data: Final[Callable[[Any], str]] = attrgetter("data.id")
_signal_of_row: Final[Callable[[Any], str]] = attrgetter("row.id")  # `data` of a ping is built when it is read
_signal_of_signal: Final[Callable[[Any], str]] = attrgetter("signal.id")
_signal_of_candidate: Final[Callable[[Any], str]] = attrgetter("current_signal.id")


def _signal_of_result(result: AnyResult) -> str | None:
    return None if result.signal is None else result.signal.id


class Channels:
    """All channels of one kit, by name. What a listener raises becomes an event of `error`.

    `version` grows whenever anybody starts or stops listening to any of them.
    """

    def __init__(self) -> None:
        self.version = 0
        self._all: dict[str, Channel[Any]] = {}
        row = self._row

        # Every tick result, first on the channel of its mode, then on `signal`.
        self.signal: Channel[AnyResult] = row("signal", _action, _signal_of_result)
        self.signal_live: Channel[AnyResult] = row("signal_live", _action, _signal_of_result)
        self.signal_backtest: Channel[AnyResult] = row("signal_backtest", _action, _signal_of_result)

        # The life of a signal.
        self.signal_event: Channel[SignalEvent] = row("signal_event", _action, _signal_of_data)
        self.order_schedule: Channel[ScheduleEvent] = row("order_schedule", _action, _signal_of_data)
        self.signal_notify: Channel[SignalNotifyEvent] = row("signal_notify", signal=_signal_of_data)
        self.strategy_commit: Channel[CommitEvent] = row("strategy_commit", _action, _signal_of_data)

        # Once a minute.
        self.active_ping: Channel[PingEvent] = row("active_ping", signal=_signal_of_row)
        self.schedule_ping: Channel[PingEvent] = row("schedule_ping", signal=_signal_of_row)
        self.idle_ping: Channel[IdlePingEvent] = row("idle_ping")

        # Milestones of an open position.
        self.partial_profit_available: Channel[LevelEvent] = row("partial_profit_available", signal=_signal_of_data)
        self.partial_loss_available: Channel[LevelEvent] = row("partial_loss_available", signal=_signal_of_data)
        self.breakeven_available: Channel[BreakevenEvent] = row("breakeven_available", signal=_signal_of_data)
        self.highest_profit: Channel[ExtremeEvent] = row("highest_profit", signal=_signal_of_signal)
        self.max_drawdown: Channel[ExtremeEvent] = row("max_drawdown", signal=_signal_of_signal)

        self.funding: Channel[FundingEvent] = row("funding", signal=_signal_of_data)

        # Signals that were refused, and rules that failed over one.
        self.risk: Channel[RiskEvent] = row("risk", signal=_signal_of_candidate)
        self.validation: Channel[ErrorEvent] = row("validation")

        # The life of a run.
        self.pause: Channel[PauseEvent] = row("pause")
        self.before_start: Channel[BoundaryEvent] = row("before_start")
        self.after_end: Channel[BoundaryEvent] = row("after_end")
        self.backtest_progress: Channel[ProgressEvent] = row("backtest_progress")
        self.done_backtest: Channel[DoneEvent] = row("done_backtest")
        self.walker: Channel[WalkerEvent] = row("walker")
        self.walker_progress: Channel[WalkerProgressEvent] = row("walker_progress")
        self.walker_complete: Channel[WalkerCompleteEvent] = row("walker_complete")
        self.done_walker: Channel[DoneEvent] = row("done_walker")
        self.performance: Channel[PerformanceEvent] = row("performance")

        # Gates to the exchange; live only.
        self.sync: Channel[SyncEvent] = row("sync", _action, _signal_of_data)

        # `error` tells what was caught and survived, `exit` what was not; `shutdown` asks everybody to let go.
        self.error: Channel[ErrorEvent] = Channel("error", _log_lost_error, on_change=self._changed)
        self._all["error"] = self.error
        self.exit: Channel[ErrorEvent] = row("exit")
        self.shutdown: Channel[None] = row("shutdown")

    def __iter__(self) -> Iterator[Channel[Any]]:
        return iter(self._all.values())

    def __getitem__(self, name: str) -> Channel[Any]:
        return self._all[name]

    def _row(
        self,
        name: str,
        key: Callable[[E], str] | None = None,
        signal: Callable[[E], str | None] | None = None,
    ) -> Channel[E]:
        channel = Channel(name, self._report, key=key, signal=signal, on_change=self._changed)
        self._all[name] = channel
        return channel

    def _changed(self) -> None:
        self.version += 1

    async def _report(self, error: Exception, channel: str, event: Any) -> None:
        run, timestamp = getattr(event, "key", None), getattr(event, "timestamp", None)
        await self.error.emit(ErrorEvent(error, f"listener of {channel}", run, timestamp))


async def _log_lost_error(error: Exception, channel: str, event: ErrorEvent) -> None:
    """An error in a listener of errors goes to the log: told to the same listeners it would come back for ever."""
    logger(channel=channel).error("error_listener_failed", about=repr(event.error), source=event.source, exc_info=error)
