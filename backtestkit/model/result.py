"""Results of ticks: a union discriminated by `action`."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from backtestkit.model.event import RunEvent, TickAction
from backtestkit.model.record import record
from backtestkit.model.signal import CancelReason, CloseReason, ProfitLoss, PublicSignal


@record
class TickResult(RunEvent):
    """Base of all tick results. `timestamp` is when it happened: the close time of closed and cancelled ones."""

    action: ClassVar[TickAction]

    current_price: float

    @property
    def created_at(self) -> int:
        """`timestamp` under the name that reports use."""
        return self.timestamp


@record
class IdleResult(TickResult):
    """Nothing is open and nothing waits."""

    action: ClassVar[Literal["idle"]] = "idle"

    @property
    def signal(self) -> None:
        """There is none."""
        return None


@record
class ScheduledResult(TickResult):
    """A signal waits for the market to come to its `price_open`."""

    action: ClassVar[Literal["scheduled"]] = "scheduled"
    signal: PublicSignal


@record
class WaitingResult(TickResult):
    """A signal still waits."""

    action: ClassVar[Literal["waiting"]] = "waiting"
    signal: PublicSignal
    percent_tp: float
    percent_sl: float
    pnl: ProfitLoss


@record
class OpenedResult(TickResult):
    """A position was opened; `current_price` is the entry price."""

    action: ClassVar[Literal["opened"]] = "opened"
    signal: PublicSignal


@record
class ActiveResult(TickResult):
    """A position stays open. `percent_tp` and `percent_sl` are percent of the way to the levels, not profit."""

    action: ClassVar[Literal["active"]] = "active"
    signal: PublicSignal
    percent_tp: float
    percent_sl: float
    pnl: ProfitLoss


@record
class ClosedResult(TickResult):
    """A position was closed at `current_price`; `ambiguous` tells that its last candle also reached the other level."""

    action: ClassVar[Literal["closed"]] = "closed"
    signal: PublicSignal
    close_reason: CloseReason
    close_timestamp: int
    pnl: ProfitLoss
    close_id: str | None
    ambiguous: bool


@record
class CancelledResult(TickResult):
    """A waiting signal was given up."""

    action: ClassVar[Literal["cancelled"]] = "cancelled"
    signal: PublicSignal
    reason: CancelReason
    close_timestamp: int
    cancel_id: str | None


AnyResult: TypeAlias = (
    IdleResult | ScheduledResult | WaitingResult | OpenedResult | ActiveResult | ClosedResult | CancelledResult
)
YieldedResult: TypeAlias = ScheduledResult | OpenedResult | ClosedResult | CancelledResult
