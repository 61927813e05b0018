"""Events that the engine raises. Small records; what is expensive to build is built when somebody reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from backtestkit.model.interval import from_ms
from backtestkit.model.record import record
from backtestkit.model.signal import CancelReason, CloseReason, Funding, PublicSignal, SignalRow
from backtestkit.runtime.context import RunKey

TickAction: TypeAlias = Literal["idle", "scheduled", "waiting", "opened", "active", "closed", "cancelled"]
CommitAction: TypeAlias = Literal[
    "partial_profit", "partial_loss", "trailing_stop", "trailing_take", "breakeven", "average_buy",
    "activate_scheduled", "cancel_scheduled", "close_pending",
]  # fmt: skip


@record
class RunEvent:
    """Base of all events of a run: whose it is (`key`) and when it happened (`timestamp`, ms UTC)."""

    key: RunKey
    timestamp: int

    @property
    def when(self) -> datetime:
        """`timestamp` as an aware datetime."""
        return from_ms(self.timestamp)

    @property
    def symbol(self) -> str:
        """The symbol of the run."""
        return self.key.symbol

    @property
    def strategy_name(self) -> str:
        """The strategy of the run."""
        return self.key.strategy_name

    @property
    def exchange_name(self) -> str:
        """The exchange of the run."""
        return self.key.exchange_name

    @property
    def frame_name(self) -> str:
        """The frame of the run; empty in live."""
        return self.key.frame_name

    @property
    def backtest(self) -> bool:
        """True in a backtest."""
        return self.key.backtest


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """An error that was caught: the exception, where it was caught, and the run it belongs to (None outside a run)."""

    error: BaseException
    source: str
    key: RunKey | None
    timestamp: int | None


@record
class SignalEvent(RunEvent):
    """A position was `opened` or `closed`."""

    action: Literal["opened", "closed"]
    data: PublicSignal
    current_price: float
    close_reason: CloseReason | None


@record
class ScheduleEvent(RunEvent):
    """A waiting entry was `scheduled` or `cancelled`."""

    action: Literal["scheduled", "cancelled"]
    data: PublicSignal
    current_price: float
    reason: CancelReason | None


@record
class LevelEvent(RunEvent):
    """A milestone of profit or loss: `level` percent (10, 20, ..., 100) of the way to take profit or stop loss."""

    data: PublicSignal
    current_price: float
    level: int


@record
class BreakevenEvent(RunEvent):
    """The price has come far enough that a stop at the entry pays for fees and slippage."""

    data: PublicSignal
    current_price: float


@record
class ExtremeEvent(RunEvent):
    """A new best (`highest_profit`) or worst (`max_drawdown`) price of an open position."""

    signal: PublicSignal
    current_price: float


@record
class PingEvent(RunEvent):
    """A minute passed while a position was open or an entry waited.

    Made once a minute and mostly ignored, so it holds the row (a value) and builds the public signal when it is read.
    """

    row: SignalRow
    current_price: float
    public: Callable[[SignalRow, float], PublicSignal]

    @property
    def data(self) -> PublicSignal:
        """The signal as it stood in that minute, at `current_price`."""
        return self.public(self.row, self.current_price)


@record
class IdlePingEvent(RunEvent):
    """A minute passed with neither a position nor a waiting entry."""

    current_price: float


@record
class FundingEvent(RunEvent):
    """A funding payment on an open position; `data` shows the signal after it, at `current_price`."""

    data: PublicSignal
    current_price: float
    funding: Funding


@record
class RiskEvent(RunEvent):
    """A risk rule refused a signal: a new one, or a waiting entry that was about to open.

    `current_signal` shows what would have opened, at `current_price`; `active_position_count` are the places that were
    taken in the profile `risk_name`. `rejection_id` is what the rule gave, `rejection_note` the reason.
    """

    risk_name: str
    current_signal: PublicSignal
    current_price: float
    active_position_count: int
    rejection_id: str | None
    rejection_note: str


@record
class CommitEvent(RunEvent):
    """A command took effect. `current_price` is the price of the command, None where it has none.

    Only the fields of the action are set: `percent_to_close` for partial closes, `percent_shift` for trailing, `cost`
    and `effective_price_open` for average buys, `command_id` for cancel, close and activate.
    """

    action: CommitAction
    data: PublicSignal
    current_price: float | None
    note: str
    percent_to_close: float | None
    percent_shift: float | None
    cost: float | None
    effective_price_open: float | None
    command_id: str | None


@record
class SignalNotifyEvent(RunEvent):
    """A note of the user's on the open position, at `current_price`; `notification_id` is what the caller named it."""

    data: PublicSignal
    current_price: float
    note: str
    notification_id: str | None


@record
class PauseEvent(RunEvent):
    """The generation of new signals was paused or resumed."""

    paused: bool


@record
class ProgressEvent(RunEvent):
    """How far a backtest has come: frames in all, frames done, and their share from 0 to 1."""

    total_frames: int
    processed_frames: int
    progress: float


@record
class DoneEvent(RunEvent):
    """A background run has finished."""


@record
class BoundaryEvent(RunEvent):
    """A run is about to start or has ended."""

    current_price: float | None
