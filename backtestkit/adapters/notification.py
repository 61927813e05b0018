"""Notifications: what happened, as frozen records for people and programs that were not there.

`Notification` is the union of all of them; `type` tells them apart. `row()` gives one as a flat dictionary with the names
that templates and tables use.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from backtestkit.model.interval import from_ms
from backtestkit.model.signal import CancelReason, CloseReason, PositionSide, ProfitLoss, PublicSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationBase:
    """`timestamp` is when it happened, ms UTC in the time of the run; `created_at` when it was noted, by the wall."""

    id: str
    timestamp: int
    created_at: int
    backtest: bool

    def row(self) -> dict[str, Any]:
        """All fields by name, with `when` (ISO text of `timestamp`)."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "when": from_ms(self.timestamp).isoformat(timespec="minutes"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotification(NotificationBase):
    """It happened in a run."""

    symbol: str
    strategy_name: str
    exchange_name: str
    frame_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalNotification(RunNotification):
    """It happened to a signal, which is shown as it stood then, at `current_price` (None for what has no price)."""

    signal: PublicSignal
    current_price: float | None

    def row(self) -> dict[str, Any]:
        """All fields, those of the signal and its three profits among them (`pnl_percentage`, `peak_profit_cost`, ...)."""
        found = NotificationBase.row(self)
        signal: PublicSignal = found.pop("signal")
        found["signal_id"] = signal.id
        found.setdefault("cost", signal.cost)
        for name in _SIGNAL_FIELDS:
            found[name] = getattr(signal, name)
        for prefix in _PROFITS:
            profit: ProfitLoss = getattr(signal, prefix)
            for name, field in _PROFIT_FIELDS.items():
                found[f"{prefix}_{name}"] = getattr(profit, field)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNotification(SignalNotification):
    """A signal waits for its price, or a position was opened."""

    type: Literal["signal_scheduled", "signal_opened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedNotification(SignalNotification):
    """A position was closed; `duration` is how long it was open, minutes."""

    type: Literal["signal_closed"] = "signal_closed"
    price_close: float
    close_reason: CloseReason
    close_id: str | None
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledNotification(SignalNotification):
    """A waiting signal was given up; `duration` is how long it waited, minutes."""

    type: Literal["signal_cancelled"] = "signal_cancelled"
    cancel_reason: CancelReason
    cancel_id: str | None
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelNotification(SignalNotification):
    """The price has come `level` percent of the way to the take profit or to the stop loss."""

    type: Literal["partial_profit_available", "partial_loss_available"]
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakevenNotification(SignalNotification):
    """A stop at the entry would pay for the costs, or was moved there."""

    type: Literal["breakeven_available", "breakeven_commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialCommitNotification(SignalNotification):
    """A part of the position was closed."""

    type: Literal["partial_profit_commit", "partial_loss_commit"]
    percent_to_close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingCommitNotification(SignalNotification):
    """A level was moved, by percentage points of its distance from the entry."""

    type: Literal["trailing_stop_commit", "trailing_take_commit"]
    percent_shift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageBuyNotification(SignalNotification):
    """An entry was added; `cost` is its cost and `effective_price_open` the entry price of the whole position."""

    type: Literal["average_buy_commit"] = "average_buy_commit"
    cost: float
    effective_price_open: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotification(SignalNotification):
    """A command opened, cancelled or closed the signal; `command_id` is what the caller named it."""

    type: Literal["activate_scheduled_commit", "cancel_scheduled_commit", "close_pending_commit"]
    command_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoNotification(SignalNotification):
    """A strategy has something to say about its position."""

    type: Literal["signal_info"] = "signal_info"
    info: str
    notification_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskNotification(RunNotification):
    """A risk rule refused a signal."""

    type: Literal["risk_rejection"] = "risk_rejection"
    signal_id: str
    position: PositionSide
    current_price: float
    price_open: float
    price_take_profit: float
    price_stop_loss: float
    minute_estimated_time: float
    signal_note: str
    rejection_id: str | None
    rejection_note: str
    active_position_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseNotification(RunNotification):
    """The generation of signals was paused or resumed."""

    type: Literal["strategy_pause"] = "strategy_pause"
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorNotification(NotificationBase):
    """An error was caught and survived (`error_info`), refused a signal (`error_validation`), or ended everything.

    `context` names the run it belongs to; it is empty outside a run.
    """

    type: Literal["error_info", "error_critical", "error_validation"]
    error: str
    message: str
    source: str
    context: str


AnyNotification: TypeAlias = Annotated[
    EntryNotification
    | ClosedNotification
    | CancelledNotification
    | LevelNotification
    | BreakevenNotification
    | PartialCommitNotification
    | TrailingCommitNotification
    | AverageBuyNotification
    | CommandNotification
    | InfoNotification
    | RiskNotification
    | PauseNotification
    | ErrorNotification,
    Field(discriminator="type"),
]

_SIGNAL_FIELDS = (
    "position", "multiplier", "isolated", "note",
    "price_open", "price_take_profit", "price_stop_loss",
    "original_price_open", "original_price_take_profit", "original_price_stop_loss",
    "minute_estimated_time", "total_entries", "total_partials", "scheduled_at", "pending_at",
)  # fmt: skip


_PROFITS = ("pnl", "peak_profit", "max_drawdown")
_PROFIT_FIELDS = {
    "percentage": "pnl_percentage",
    "cost": "pnl_cost",
    "entries": "pnl_entries",
    "price_open": "price_open",
    "price_close": "price_close",
}


def signal_row_names() -> frozenset[str]:
    """What the signal of a notification adds to its row."""
    profits = (f"{prefix}_{name}" for prefix in _PROFITS for name in _PROFIT_FIELDS)
    return frozenset(("signal_id", "cost", *_SIGNAL_FIELDS, *profits))
