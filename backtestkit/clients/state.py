"""The state of one strategy on one symbol, and the small transitions that every part of the machine shares."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from backtestkit.clients.effects import Call, Effect, Emit, Heard, Hook
from backtestkit.clients.position import Levels, Pricing
from backtestkit.clients.validation import SignalLimits
from backtestkit.model.event import CommitAction, CommitEvent
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.record import record
from backtestkit.model.signal import PublicSignal, Signal, SignalRow
from backtestkit.runtime.context import RunKey

Effects: TypeAlias = Generator[Effect, None, None]


@dataclass(frozen=True, slots=True)
class Switches:
    """Configured relaxations of the rules for commands."""

    average_buy_everywhere: bool
    partial_everywhere: bool
    trailing_everywhere: bool


@dataclass(frozen=True, slots=True)
class StrategyRules:
    """Everything configurable that a machine needs, frozen at the start of a run.

    `interval_ms` throttles `get_signal`; `schedule_await_ms` is how long an entry waits; `default_*` fill what a signal
    leaves out.
    """

    policy: FillPolicy
    pricing: Pricing
    limits: SignalLimits
    switches: Switches
    interval_ms: int
    schedule_await_ms: int
    default_lifetime: float
    default_cost: float
    default_multiplier: float
    default_isolated: bool


@dataclass(slots=True)
class Counters:
    """How many minutes and ticks of each kind a run has seen, heard or not."""

    get_signal_calls: int = 0
    idle_ticks: int = 0
    idle_pings: int = 0
    active_pings: int = 0
    schedule_pings: int = 0
    ambiguous_exits: int = 0


@dataclass(slots=True)
class Reported:
    """What has been announced for the current position, so that it is announced once.

    Milestones are announced from the lowest up, so the highest one says all.
    """

    profit: int = 0
    loss: int = 0
    breakeven: bool = False


SlotKind: TypeAlias = Literal["close", "take_profit", "stop_loss", "cancel", "activate"]


@record
class Slot:
    """A signal that a command has taken out of its place, to be dealt with at the next candle or tick."""

    kind: SlotKind
    row: SignalRow
    id: str | None
    note: str | None


@record
class Commit:
    """A command that has changed the row and waits to be announced."""

    action: CommitAction
    price: float
    percent_to_close: float | None = None
    percent_shift: float | None = None
    cost: float | None = None


class StrategyState:
    """What a machine remembers between two steps.

    At most one signal is `pending` (open) or `scheduled` (waiting); a slot holds one on its way out of that place, or
    of a waiting one into the market. `version` grows with every change that could make a plan wrong. `stepping` forbids
    to jump; `paced` has the machine say where it is about to arrive, for runs that keep in step with others. While it
    is on its way there, `meanwhile(until)` brings it to the first candle or tick at `until` (ms UTC) or later.
    """

    def __init__(self, key: RunKey, rules: StrategyRules, heard: Heard) -> None:
        """Start idle. `heard` is shared with the shell, which bumps `version` when it changes."""
        self.key, self.rules, self.heard = key, rules, heard
        self.now = 0
        self.index = 0
        self.wake_at = float("inf")
        self.stepping = self.paced = False
        self.meanwhile: Callable[[int], None] | None = None
        self.version = 0
        self.pending: SignalRow | None = None
        self.levels: Levels | None = None
        self.scheduled: SignalRow | None = None
        self.slot: Slot | None = None
        self.created: Signal | None = None
        self.commits: list[Commit] = []
        self.reported = Reported()
        self.counters = Counters()
        self.stopped = self.paused = self.closing = False
        self.bucket: int | None = None
        self.last_opened_id: str | None = None
        self.latest: PublicSignal | None = None
        self.next_funding = 0

    def set_pending(self, row: SignalRow | None) -> None:
        """Put `row` into the place of the open position, or empty it."""
        levels = None if row is None else self.rules.pricing.levels(row)
        self.pending, self.levels = row, levels
        self.version += 1

    def set_scheduled(self, row: SignalRow | None) -> None:
        """Put `row` into the place of the waiting entry, or empty it."""
        self.scheduled = row
        self.version += 1

    def set_slot(self, slot: Slot | None) -> None:
        """Fill or empty the slot."""
        self.slot = slot
        self.version += 1

    @property
    def has_open(self) -> bool:
        """Whether there is a position, or one on its way out."""
        return self.pending is not None or (self.slot is not None and self.slot.kind in _OPEN_SLOTS)

    @property
    def has_waiting(self) -> bool:
        """Whether there is a waiting entry, or one on its way out or in."""
        return self.scheduled is not None or (self.slot is not None and self.slot.kind in _WAITING_SLOTS)

    @property
    def busy(self) -> bool:
        """Whether the next candle has something to do whatever it brings: a slot to empty, a command to announce."""
        return self.slot is not None or bool(self.commits)

    def call(self, hook: Hook, price: float, payload: object) -> Effects:
        """Call a callback if it exists."""
        if getattr(self.heard, hook):
            yield Call(hook, price, payload)

    def write(self, row: SignalRow | None, price: float) -> Effects:
        """Tell `on_write` that the open position changed."""
        if self.heard.on_write:
            yield Call("on_write", price, row)

    @property
    def _attributable(self) -> tuple[SlotKind, ...]:
        """The slots whose row may still be told of commands."""
        return _OPEN_SLOTS if self.rules.policy.overtaken == "announced" else ("close",)

    def flush(self) -> Effects:
        """Announce the commands that have taken effect, with the signal as it is now.

        Commands before a close belong to the row in the slot. After a reported fill they do so too, or they are dropped.
        """
        if not self.commits:
            return
        commits, self.commits = self.commits, []
        row = self.pending
        slot = self.slot
        if row is None and slot is not None and slot.kind in self._attributable:
            row = slot.row
        if row is None:
            return
        for commit in commits:
            yield self.announce(commit, row)

    def announce(self, commit: Commit, row: SignalRow) -> Emit:
        """The event of a command on `row`."""
        public = self.rules.pricing.public(row, commit.price)
        effective = public.price_open if commit.action == "average_buy" else None
        event = CommitEvent(
            self.key, self.now, commit.action, public, commit.price, row.note,
            commit.percent_to_close, commit.percent_shift, commit.cost, effective, None,
        )  # fmt: skip
        return Emit("strategy_commit", event)

    def announce_slot(
        self, action: CommitAction, row: SignalRow, slot: Slot, price: float, market: float | None = None
    ) -> Emit:
        """The event of a slot command; it has an id and a note of its own, and only an activation has a price."""
        public = self.rules.pricing.public(row, price)
        note = row.note if slot.note is None else slot.note
        event = CommitEvent(self.key, self.now, action, public, market, note, None, None, None, None, slot.id)
        return Emit("strategy_commit", event)


_OPEN_SLOTS: tuple[SlotKind, ...] = ("close", "take_profit", "stop_loss")
_WAITING_SLOTS: tuple[SlotKind, ...] = ("cancel", "activate")
