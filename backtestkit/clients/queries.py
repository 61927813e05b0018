"""What can be asked about a position: pure answers over a row, the time and the price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from backtestkit.clients.commands import breakeven_reached
from backtestkit.clients.position import Levels, Pricing
from backtestkit.clients.state import Commit, StrategyState
from backtestkit.math.profit import Holding, holding
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.record import record
from backtestkit.model.signal import ProfitLoss, PublicSignal, Signal, SignalRow


@dataclass(frozen=True, slots=True)
class Ladder:
    """How near a price must come to a level to count as overlapping it, percent below and above the level."""

    upper_percent: float = 1.5
    lower_percent: float = 1.5

    def overlaps(self, level: float, price: float) -> bool:
        """Whether `price` lies in the band around `level`."""
        return level * (1 - self.lower_percent / 100) <= price <= level * (1 + self.upper_percent / 100)


@dataclass(frozen=True, slots=True)
class StrategyStatus:
    """What a strategy is doing on a symbol: what is open, waiting, queued or on its way.

    `close_slot`, `fill_slot`, `cancel_slot` and `activate_slot` hold the id of a signal that a command has taken out of
    its place and that is dealt with at the next candle or tick; `commits` the commands not announced yet.
    """

    pending_id: str | None
    scheduled_id: str | None
    last_opened_id: str | None
    created: Signal | None
    close_slot: str | None
    fill_slot: str | None
    cancel_slot: str | None
    activate_slot: str | None
    commits: tuple[Commit, ...]
    paused: bool
    stopped: bool


def status(state: StrategyState) -> StrategyStatus:
    """A snapshot of all slots."""
    slot = state.slot
    kind, id = (None, None) if slot is None else (slot.kind, slot.row.id)
    return StrategyStatus(
        pending_id=None if state.pending is None else state.pending.id,
        scheduled_id=None if state.scheduled is None else state.scheduled.id,
        last_opened_id=state.last_opened_id,
        created=state.created,
        close_slot=id if kind == "close" else None,
        fill_slot=id if kind in ("take_profit", "stop_loss") else None,
        cancel_slot=id if kind == "cancel" else None,
        activate_slot=id if kind == "activate" else None,
        commits=tuple(state.commits),
        paused=state.paused,
        stopped=state.stopped,
    )


Of: TypeAlias = Callable[[ProfitLoss], float]
"""Which side of a profit is meant: `percentage` or `cost`."""


@record
class PositionView:
    """An open position at one time and price. Prices and costs are quote currency, times ms UTC."""

    row: SignalRow
    levels: Levels
    pricing: Pricing
    now: int
    price: float

    @property
    def signal(self) -> PublicSignal:
        """The public row."""
        return self.pricing.public(self.row, self.price)

    @property
    def profit(self) -> ProfitLoss:
        """Net profit at the price."""
        return self.pricing.profit(self.row, self.levels, self.price)

    @property
    def holding(self) -> Holding:
        """How much is left."""
        return holding(self.row)

    @property
    def invested(self) -> float:
        """Sum of all entry costs."""
        return self.levels.invested

    @property
    def percent_held(self) -> float:
        """Percent of the invested cost that was not closed."""
        return 100 - self.holding.closed_percent

    @property
    def breakeven(self) -> bool:
        """Whether a breakeven command would move the stop at this price."""
        return bool(breakeven_reached(self.row, self.levels, self.price))

    @property
    def peak_breakeven(self) -> bool:
        """Whether the best price so far was beyond the breakeven price of the position as it is now."""
        peak = self.row.peak.price
        return peak >= self.levels.breakeven if self.levels.long else peak <= self.levels.breakeven

    def minutes_since(self, time: int) -> int:
        """Whole minutes from `time` to now."""
        return (self.now - time) // MINUTE_MS

    @property
    def countdown_minutes(self) -> float:
        """Minutes left of the lifetime, at least 0."""
        return max(0, self.row.minute_estimated_time - self.minutes_since(self.row.pending_at))

    def from_peak(self, of: Of) -> float:
        """How far the profit is below its best, at least 0."""
        return max(0.0, of(self.row.peak.pnl) - of(self.profit))

    def from_fall(self, of: Of) -> float:
        """How far the profit is above its worst, at least 0."""
        return max(0.0, of(self.profit) - of(self.row.fall.pnl))

    def peak_to_fall(self, of: Of) -> float:
        """The distance between the best and the worst profit, at least 0."""
        return max(0.0, of(self.row.peak.pnl) - of(self.row.fall.pnl))


def percentage(profit: ProfitLoss) -> float:
    """Profit in percent."""
    return profit.pnl_percentage


def cost(profit: ProfitLoss) -> float:
    """Profit in quote currency."""
    return profit.pnl_cost
