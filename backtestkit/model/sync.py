"""What a gate to the exchange was asked: may this order open, may this position close?"""

from __future__ import annotations

from typing import Literal, TypeAlias

from backtestkit.model.event import RunEvent
from backtestkit.model.record import record
from backtestkit.model.signal import CloseReason, PublicSignal

SyncAction: TypeAlias = Literal["signal_open", "signal_close"]


@record
class SyncEvent(RunEvent):
    """An order is about to be placed, or a position to be closed. Live only: a backtest needs nobody's consent.

    `type` tells a position that opens now (`active`) from an entry that is placed to rest (`schedule`).
    """

    action: SyncAction
    type: Literal["active", "schedule"]
    data: PublicSignal
    current_price: float
    close_reason: CloseReason | None
