"""Which events make which notifications: one row for every type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from backtestkit.adapters import notification as made
from backtestkit.adapters.notification import AnyNotification
from backtestkit.model.event import (
    BreakevenEvent,
    CommitEvent,
    ErrorEvent,
    LevelEvent,
    PauseEvent,
    RiskEvent,
    RunEvent,
    SignalNotifyEvent,
)
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import CancelledResult, ClosedResult, OpenedResult, ScheduledResult
from backtestkit.model.signal import PublicSignal
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.ids import new_id

NotificationTarget: TypeAlias = Literal[
    "signal", "info", "partial_profit", "partial_loss", "breakeven", "strategy_commit", "order_sync", "order_check",
    "order_fill", "order_reject", "order_continue", "order_stop", "risk", "pause", "common_error", "critical_error",
    "validation_error",
]  # fmt: skip
_SignalEvent: TypeAlias = (
    LevelEvent
    | BreakevenEvent
    | CommitEvent
    | SignalNotifyEvent
    | ScheduledResult
    | OpenedResult
    | ClosedResult
    | CancelledResult
)
TARGETS: Final[tuple[NotificationTarget, ...]] = get_args(NotificationTarget)


class Kind(NamedTuple):
    """One type of notification: the switch it belongs to, the channel and action that feed it, and how it is made.

    A type whose channel does not exist yet has nothing to make it of.
    """

    type: str
    target: NotificationTarget
    channel: str
    action: str | None
    make: Callable[[Any], AnyNotification] | None


def _noted(event: RunEvent) -> dict[str, Any]:
    key = event.key
    return {
        "id": new_id(),
        "timestamp": event.timestamp,
        "created_at": _wall.now_ms(),
        "backtest": key.backtest,
        "symbol": key.symbol,
        "strategy_name": key.strategy_name,
        "exchange_name": key.exchange_name,
        "frame_name": key.frame_name,
    }


def _about(event: _SignalEvent, signal: PublicSignal) -> dict[str, Any]:
    return {**_noted(event), "signal": signal, "current_price": event.current_price}


def _entry(
    kind: Literal["signal_scheduled", "signal_opened"],
) -> Callable[[ScheduledResult | OpenedResult], AnyNotification]:
    return lambda result: made.EntryNotification(**_about(result, result.signal), type=kind)


def _closed(result: ClosedResult) -> AnyNotification:
    return made.ClosedNotification(
        **_about(result, result.signal),
        price_close=result.current_price,
        close_reason=result.close_reason,
        close_id=result.close_id,
        duration=(result.close_timestamp - result.signal.pending_at) / MINUTE_MS,
    )


def _cancelled(result: CancelledResult) -> AnyNotification:
    return made.CancelledNotification(
        **_about(result, result.signal),
        cancel_reason=result.reason,
        cancel_id=result.cancel_id,
        duration=(result.close_timestamp - result.signal.scheduled_at) / MINUTE_MS,
    )


def _level(
    kind: Literal["partial_profit_available", "partial_loss_available"],
) -> Callable[[LevelEvent], AnyNotification]:
    return lambda event: made.LevelNotification(**_about(event, event.data), type=kind, level=event.level)


def _breakeven(
    kind: Literal["breakeven_available", "breakeven_commit"],
) -> Callable[[BreakevenEvent | CommitEvent], AnyNotification]:
    return lambda event: made.BreakevenNotification(**_about(event, event.data), type=kind)


def _partial(kind: Literal["partial_profit_commit", "partial_loss_commit"]) -> Callable[[CommitEvent], AnyNotification]:
    return lambda event: made.PartialCommitNotification(
        **_about(event, event.data), type=kind, percent_to_close=_given(event.percent_to_close)
    )


def _trailing(
    kind: Literal["trailing_stop_commit", "trailing_take_commit"],
) -> Callable[[CommitEvent], AnyNotification]:
    return lambda event: made.TrailingCommitNotification(
        **_about(event, event.data), type=kind, percent_shift=_given(event.percent_shift)
    )


def _average_buy(event: CommitEvent) -> AnyNotification:
    return made.AverageBuyNotification(
        **_about(event, event.data),
        cost=_given(event.cost),
        effective_price_open=_given(event.effective_price_open),
    )


def _command(
    kind: Literal["activate_scheduled_commit", "cancel_scheduled_commit", "close_pending_commit"],
) -> Callable[[CommitEvent], AnyNotification]:
    return lambda event: made.CommandNotification(**_about(event, event.data), type=kind, command_id=event.command_id)


def _info(event: SignalNotifyEvent) -> AnyNotification:
    return made.InfoNotification(**_about(event, event.data), info=event.note, notification_id=event.notification_id)


def _given(value: float | None) -> float:
    """A field that events of this action always have."""
    assert value is not None, "an event of a command lacks what belongs to its action"
    return value


def _risk(event: RiskEvent) -> AnyNotification:
    signal = event.current_signal
    return made.RiskNotification(
        **_noted(event),
        signal_id=signal.id,
        position=signal.position,
        current_price=event.current_price,
        price_open=signal.price_open,
        price_take_profit=signal.price_take_profit,
        price_stop_loss=signal.price_stop_loss,
        minute_estimated_time=signal.minute_estimated_time,
        signal_note=signal.note,
        rejection_id=event.rejection_id,
        rejection_note=event.rejection_note,
        active_position_count=event.active_position_count,
    )


def _pause(event: PauseEvent) -> AnyNotification:
    return made.PauseNotification(**_noted(event), paused=event.paused)


def _error(
    kind: Literal["error_info", "error_critical", "error_validation"],
) -> Callable[[ErrorEvent], AnyNotification]:
    def make(event: ErrorEvent) -> AnyNotification:
        now, key = _wall.now_ms(), event.key
        return made.ErrorNotification(
            id=new_id(),
            timestamp=now if event.timestamp is None else event.timestamp,
            created_at=now,
            backtest=key is not None and key.backtest,
            type=kind,
            error=type(event.error).__name__,
            message=str(event.error),
            source=event.source,
            context="" if key is None else f"{key.mode} {key.symbol} {key.strategy_name}",
        )

    return make


_wall = SystemClock()

KINDS: Final = (
    Kind("signal_scheduled", "signal", "signal", "scheduled", _entry("signal_scheduled")),
    Kind("signal_opened", "signal", "signal", "opened", _entry("signal_opened")),
    Kind("signal_closed", "signal", "signal", "closed", _closed),
    Kind("signal_cancelled", "signal", "signal", "cancelled", _cancelled),
    Kind("signal_info", "info", "signal_notify", None, _info),
    Kind("partial_profit_available", "partial_profit", "partial_profit_available", None, _level("partial_profit_available")),
    Kind("partial_loss_available", "partial_loss", "partial_loss_available", None, _level("partial_loss_available")),
    Kind("breakeven_available", "breakeven", "breakeven_available", None, _breakeven("breakeven_available")),
    Kind("partial_profit_commit", "strategy_commit", "strategy_commit", "partial_profit", _partial("partial_profit_commit")),
    Kind("partial_loss_commit", "strategy_commit", "strategy_commit", "partial_loss", _partial("partial_loss_commit")),
    Kind("breakeven_commit", "strategy_commit", "strategy_commit", "breakeven", _breakeven("breakeven_commit")),
    Kind("average_buy_commit", "strategy_commit", "strategy_commit", "average_buy", _average_buy),
    Kind("trailing_stop_commit", "strategy_commit", "strategy_commit", "trailing_stop", _trailing("trailing_stop_commit")),
    Kind("trailing_take_commit", "strategy_commit", "strategy_commit", "trailing_take", _trailing("trailing_take_commit")),
    Kind("activate_scheduled_commit", "strategy_commit", "strategy_commit", "activate_scheduled",
         _command("activate_scheduled_commit")),
    Kind("cancel_scheduled_commit", "strategy_commit", "strategy_commit", "cancel_scheduled",
         _command("cancel_scheduled_commit")),
    Kind("close_pending_commit", "strategy_commit", "strategy_commit", "close_pending", _command("close_pending_commit")),
    Kind("order_sync_open", "order_sync", "sync", "signal_open", None),
    Kind("order_sync_close", "order_sync", "sync", "signal_close", None),
    Kind("order_sync_check", "order_check", "check", None, None),
    Kind("order_fill_open", "order_fill", "order_fill", "signal_open", None),
    Kind("order_fill_close", "order_fill", "order_fill", "signal_close", None),
    Kind("order_reject_open", "order_reject", "order_reject", "signal_open", None),
    Kind("order_reject_close", "order_reject", "order_reject", "signal_close", None),
    Kind("order_continue_check", "order_continue", "order_continue", None, None),
    Kind("order_stop_check", "order_stop", "order_stop", None, None),
    Kind("risk_rejection", "risk", "risk", None, _risk),
    Kind("strategy_pause", "pause", "pause", None, _pause),
    Kind("error_info", "common_error", "error", None, _error("error_info")),
    Kind("error_critical", "critical_error", "exit", None, _error("error_critical")),
    Kind("error_validation", "validation_error", "validation", None, _error("error_validation")),
)  # fmt: skip
"""All 31 types."""
