"""What a machine asks of its shell. A machine never calls out: it yields these, and the shell carries them out in order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from backtestkit.model.event import RunEvent
from backtestkit.model.record import record
from backtestkit.model.result import AnyResult
from backtestkit.model.signal import ProfitLoss, SignalRow

EventChannel: TypeAlias = Literal[
    "signal_event", "order_schedule", "active_ping", "schedule_ping", "idle_ping", "partial_profit_available",
    "partial_loss_available", "breakeven_available", "highest_profit", "max_drawdown", "strategy_commit", "pause",
    "funding", "signal_notify",
]  # fmt: skip
Hook: TypeAlias = Literal[
    "on_open", "on_close", "on_schedule", "on_cancel", "on_write", "on_partial_profit", "on_partial_loss",
    "on_breakeven", "on_schedule_ping", "on_active_ping", "on_idle",
]  # fmt: skip


@record
class Emit:
    """Raise `event` on the channel `name`."""

    name: EventChannel
    event: RunEvent


@record
class Call:
    """Call the strategy's callback `name` with `payload` at `price`."""

    name: Hook
    price: float
    payload: Any


@record
class Publish:
    """Hand a tick result to `on_tick` and to the signal channels."""

    result: AnyResult


@record
class Wake:
    """A scheduled job is due at the machine's time; let it run before the minute is handled, and set `wake_at` anew."""


@dataclass(slots=True)
class Ask:
    """May the waiting `row` open at `price`? The shell asks the risk rules and sets `allowed`, reserving a place."""

    row: SignalRow
    price: float
    allowed: bool = False


@record
class Settle:
    """Tell the risk rules that `row` has `opened`, has `changed` by a command, or is `gone` and its place is free.

    A position that was closed says with which `profit`.
    """

    kind: Literal["opened", "changed", "gone"]
    row: SignalRow
    profit: ProfitLoss | None = None


@record
class Arrive:
    """What happens at `time` is next; let the runs that share a risk profile with this one come so far."""

    time: int


Effect: TypeAlias = Emit | Call | Publish | Wake | Ask | Settle | Arrive


@dataclass(slots=True)
class Heard:
    """What somebody hears: channels with a listener, callbacks that exist, risk rules to ask. Else it is not built.

    The shell refreshes it when listeners change. `every_minute_open` and `every_minute_waiting` make the machine step
    through single minutes instead of jumping.
    """

    signal_event: bool = True
    order_schedule: bool = True
    active_ping: bool = True
    schedule_ping: bool = True
    idle_ping: bool = True
    partial_profit_available: bool = True
    partial_loss_available: bool = True
    breakeven_available: bool = True
    highest_profit: bool = True
    max_drawdown: bool = True
    strategy_commit: bool = True
    pause: bool = True
    funding: bool = True
    signal_notify: bool = True
    risk: bool = True
    on_open: bool = True
    on_close: bool = True
    on_schedule: bool = True
    on_cancel: bool = True
    on_write: bool = True
    on_partial_profit: bool = True
    on_partial_loss: bool = True
    on_breakeven: bool = True
    on_schedule_ping: bool = True
    on_active_ping: bool = True
    on_idle: bool = True

    @classmethod
    def nothing(cls) -> Heard:
        """Nobody listens to anything."""
        return cls(**{f.name: False for f in fields(cls)})

    @property
    def every_minute_open(self) -> bool:
        """Whether each minute of an open position must be handled on its own."""
        return self.active_ping or self.on_active_ping or self.on_partial_profit or self.on_partial_loss

    @property
    def every_minute_waiting(self) -> bool:
        """Whether each minute of a waiting entry must be handled on its own."""
        return self.schedule_ping or self.on_schedule_ping
