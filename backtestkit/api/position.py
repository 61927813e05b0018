"""Everything that can be asked about and done to a position, once.

`PositionApi` is bound to one run. Inside a run the functions of this module bind it to the running context; facades
bind it by name. Queries answer None when there is no open position (False for questions of yes or no). Commands answer
with an `Outcome`: true when they took effect, else with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from backtestkit.clients import queries
from backtestkit.clients.queries import Ladder, PositionView, StrategyStatus
from backtestkit.errors import UsageError
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.signal import Entry, PartialClose, PublicSignal, Signal, to_signal

if TYPE_CHECKING:
    from backtestkit.clients.commands import Outcome, PartialKind
    from backtestkit.clients.strategy import ClientStrategy
    from backtestkit.services.logic.run_state import RunState

P = ParamSpec("P")
R = TypeVar("R")


class _Bound:
    """Access to the run behind both halves of the api."""

    def __init__(self, run: RunState) -> None:
        self._run = run

    @property
    def _machine(self) -> ClientStrategy:
        return self._run.present()

    def _now(self) -> int:
        return self._run.now_ms()

    def _price(self, price: float | None = None) -> float:
        return self._run.market_price() if price is None else price

    def _view(self, price: float | None = None) -> PositionView | None:
        machine = self._machine
        row, levels = machine.pending, machine.levels
        if row is None or levels is None:
            return None
        return PositionView(row, levels, machine.rules.pricing, self._now(), self._price(price))


class PositionQueries(_Bound):
    """Questions about the open position, at the average price of now unless `price` is given."""

    async def get_pending_signal(self, price: float | None = None) -> PublicSignal | None:
        """The open position."""
        view = self._view(price)
        return None if view is None else view.signal

    async def get_scheduled_signal(self) -> PublicSignal | None:
        """The entry that waits."""
        row = self._machine.scheduled
        return None if row is None else self._machine.rules.pricing.public(row, self._price())

    async def get_latest_signal(self) -> PublicSignal | None:
        """The last signal that was accepted, as it was then, whatever became of it."""
        return self._machine.latest

    async def get_minutes_since_latest_signal_created(self) -> int | None:
        """Whole minutes since the last signal was accepted."""
        latest = self._machine.latest
        return None if latest is None else (self._now() - latest.timestamp) // MINUTE_MS

    async def has_no_pending_signal(self) -> bool:
        """Whether nothing is open."""
        return self._machine.pending is None

    async def has_no_scheduled_signal(self) -> bool:
        """Whether no entry waits."""
        return self._machine.scheduled is None

    async def get_strategy_status(self) -> StrategyStatus:
        """What is open, waiting, queued or on its way."""
        return queries.status(self._machine)

    async def get_strategy_paused(self) -> bool:
        """Whether new signals are held back."""
        return self._machine.paused

    async def get_breakeven(self, price: float | None = None) -> bool:
        """Whether a breakeven command would take effect at `price`."""
        view = self._view(price)
        return view is not None and view.breakeven

    async def get_total_percent_held(self) -> float | None:
        """Percent of the invested cost that is still held."""
        view = self._view()
        return None if view is None else view.percent_held

    async def get_remaining_cost_basis(self) -> float | None:
        """Cost basis that is still held, quote currency."""
        view = self._view()
        return None if view is None else view.holding.remaining

    async def get_total_percent_closed(self) -> float | None:
        """The same as `get_total_percent_held`: percent still held, in spite of its name, which others use."""
        return await self.get_total_percent_held()

    async def get_total_cost_closed(self) -> float | None:
        """The same as `get_remaining_cost_basis`: cost still held, in spite of its name, which others use."""
        return await self.get_remaining_cost_basis()

    async def get_position_effective_price(self) -> float | None:
        """Cost-weighted entry price of what is held, quote currency."""
        view = self._view()
        return None if view is None else view.levels.effective

    async def get_position_invested_count(self) -> int | None:
        """Number of entries."""
        view = self._view()
        return None if view is None else len(view.row.entries)

    async def get_position_invested_cost(self) -> float | None:
        """Sum of all entry costs, quote currency; partial closes do not reduce it."""
        view = self._view()
        return None if view is None else view.invested

    async def get_position_pnl_percent(self, price: float | None = None) -> float | None:
        """Net profit, percent of everything invested."""
        view = self._view(price)
        return None if view is None else view.profit.pnl_percentage

    async def get_position_pnl_cost(self, price: float | None = None) -> float | None:
        """Net profit, quote currency."""
        view = self._view(price)
        return None if view is None else view.profit.pnl_cost

    async def get_position_levels(self) -> list[float] | None:
        """The entry prices, oldest first."""
        view = self._view()
        return None if view is None else [entry.price for entry in view.row.entries]

    async def get_position_entries(self) -> list[Entry] | None:
        """The entries, oldest first."""
        view = self._view()
        return None if view is None else list(view.row.entries)

    async def get_position_partials(self) -> list[PartialClose] | None:
        """The partial closes, oldest first."""
        view = self._view()
        return None if view is None else list(view.row.partials)

    async def get_position_estimate_minutes(self) -> float | None:
        """The longest the position may live, minutes; infinite without a limit."""
        view = self._view()
        return None if view is None else view.row.minute_estimated_time

    async def get_position_countdown_minutes(self) -> float | None:
        """Minutes left of its life."""
        view = self._view()
        return None if view is None else view.countdown_minutes

    async def get_position_active_minutes(self) -> int | None:
        """Whole minutes since it was opened."""
        view = self._view()
        return None if view is None else view.minutes_since(view.row.pending_at)

    async def get_position_waiting_minutes(self) -> int | None:
        """Whole minutes that the waiting entry has waited."""
        row = self._machine.scheduled
        return None if row is None else (self._now() - row.scheduled_at) // MINUTE_MS

    async def get_position_highest_profit_price(self) -> float | None:
        """The price of its best point."""
        view = self._view()
        return None if view is None else view.row.peak.price

    async def get_position_highest_profit_timestamp(self) -> int | None:
        """When its best point was, ms UTC."""
        view = self._view()
        return None if view is None else view.row.peak.timestamp

    async def get_position_highest_profit_minutes(self) -> int | None:
        """Whole minutes since its best point."""
        view = self._view()
        return None if view is None else view.minutes_since(view.row.peak.timestamp)

    async def get_position_drawdown_minutes(self) -> int | None:
        """Whole minutes since its best point: how long it has been under water."""
        return await self.get_position_highest_profit_minutes()

    async def get_position_highest_profit_breakeven(self) -> bool | None:
        """Whether its best price was beyond the breakeven price of the position as it is now."""
        view = self._view()
        return None if view is None else view.peak_breakeven

    async def get_position_highest_pnl_percentage(self) -> float | None:
        """Its best net profit, percent."""
        view = self._view()
        return None if view is None else view.row.peak.pnl.pnl_percentage

    async def get_position_highest_pnl_cost(self) -> float | None:
        """Its best net profit, quote currency."""
        view = self._view()
        return None if view is None else view.row.peak.pnl.pnl_cost

    async def get_position_max_drawdown_price(self) -> float | None:
        """The price of its worst point."""
        view = self._view()
        return None if view is None else view.row.fall.price

    async def get_position_max_drawdown_timestamp(self) -> int | None:
        """When its worst point was, ms UTC."""
        view = self._view()
        return None if view is None else view.row.fall.timestamp

    async def get_position_max_drawdown_minutes(self) -> int | None:
        """Whole minutes since its worst point."""
        view = self._view()
        return None if view is None else view.minutes_since(view.row.fall.timestamp)

    async def get_position_max_drawdown_pnl_percentage(self) -> float | None:
        """Its worst net profit, percent."""
        view = self._view()
        return None if view is None else view.row.fall.pnl.pnl_percentage

    async def get_position_max_drawdown_pnl_cost(self) -> float | None:
        """Its worst net profit, quote currency."""
        view = self._view()
        return None if view is None else view.row.fall.pnl.pnl_cost

    async def get_position_highest_profit_distance_pnl_percentage(self) -> float | None:
        """How far its profit is below its best, percentage points."""
        view = self._view()
        return None if view is None else view.from_peak(queries.percentage)

    async def get_position_highest_profit_distance_pnl_cost(self) -> float | None:
        """How far its profit is below its best, quote currency."""
        view = self._view()
        return None if view is None else view.from_peak(queries.cost)

    async def get_position_highest_max_drawdown_pnl_percentage(self) -> float | None:
        """How far its profit is above its worst, percentage points."""
        view = self._view()
        return None if view is None else view.from_fall(queries.percentage)

    async def get_position_highest_max_drawdown_pnl_cost(self) -> float | None:
        """How far its profit is above its worst, quote currency."""
        view = self._view()
        return None if view is None else view.from_fall(queries.cost)

    async def get_max_drawdown_distance_pnl_percentage(self) -> float | None:
        """The distance between its best and its worst profit, percentage points."""
        view = self._view()
        return None if view is None else view.peak_to_fall(queries.percentage)

    async def get_max_drawdown_distance_pnl_cost(self) -> float | None:
        """The distance between its best and its worst profit, quote currency."""
        view = self._view()
        return None if view is None else view.peak_to_fall(queries.cost)

    async def get_position_entry_overlap(self, price: float, ladder: Ladder | None = None) -> bool:
        """Whether `price` is near one of the entries (1.5 % either way without a `ladder`)."""
        view = self._view(price)
        band = ladder or Ladder()
        return view is not None and any(band.overlaps(entry.price, price) for entry in view.row.entries)

    async def get_position_partial_overlap(self, price: float, ladder: Ladder | None = None) -> bool:
        """Whether `price` is near one of the partial closes."""
        view = self._view(price)
        band = ladder or Ladder()
        return view is not None and any(band.overlaps(p.current_price, price) for p in view.row.partials)


class PositionCommands(_Bound):
    """Commands. `price` is the price they work with, the average price of now unless it is given."""

    async def commit_partial_profit(self, percent: float, *, price: float | None = None) -> Outcome:
        """Close `percent` (above 0, at most 100) of what is held, in profit."""
        return await self._partial("profit", percent, price)

    async def commit_partial_loss(self, percent: float, *, price: float | None = None) -> Outcome:
        """Close `percent` (above 0, at most 100) of what is held, at a loss."""
        return await self._partial("loss", percent, price)

    async def commit_partial_profit_cost(self, cost: float, *, price: float | None = None) -> Outcome:
        """Close `cost` (quote currency, of the cost basis held) in profit."""
        return await self._run.command(self._machine.partial_close_cost("profit", cost, self._price(price)))

    async def commit_partial_loss_cost(self, cost: float, *, price: float | None = None) -> Outcome:
        """Close `cost` (quote currency, of the cost basis held) at a loss."""
        return await self._run.command(self._machine.partial_close_cost("loss", cost, self._price(price)))

    async def _partial(self, kind: PartialKind, percent: float, price: float | None) -> Outcome:
        return await self._run.command(self._machine.partial_close(kind, percent, self._price(price)))

    async def commit_trailing_stop(
        self, percent_shift: float, price: float | None = None, *, allow_loosen: bool = False
    ) -> Outcome:
        """Move the stop loss `percent_shift` percentage points further from the entry than its original; negative tightens."""
        command = self._machine.trail("stop", percent_shift, self._price(price), allow_loosen=allow_loosen)
        return await self._run.command(command)

    async def commit_trailing_take(
        self, percent_shift: float, price: float | None = None, *, allow_loosen: bool = False
    ) -> Outcome:
        """Move the take profit `percent_shift` percentage points further from the entry than its original."""
        command = self._machine.trail("take", percent_shift, self._price(price), allow_loosen=allow_loosen)
        return await self._run.command(command)

    async def commit_trailing_stop_cost(
        self, price_stop_loss: float, *, price: float | None = None, allow_loosen: bool = False
    ) -> Outcome:
        """Move the stop loss to `price_stop_loss`."""
        command = self._machine.trail_to("stop", price_stop_loss, self._price(price), allow_loosen=allow_loosen)
        return await self._run.command(command)

    async def commit_trailing_take_cost(
        self, price_take_profit: float, *, price: float | None = None, allow_loosen: bool = False
    ) -> Outcome:
        """Move the take profit to `price_take_profit`."""
        command = self._machine.trail_to("take", price_take_profit, self._price(price), allow_loosen=allow_loosen)
        return await self._run.command(command)

    async def commit_breakeven(self, *, price: float | None = None) -> Outcome:
        """Move the stop loss to the effective entry price, once the price has come far enough."""
        return await self._run.command(self._machine.breakeven(self._price(price)))

    async def commit_average_buy(self, cost: float | None = None, *, price: float | None = None) -> Outcome:
        """Add an entry of `cost` (quote currency; the configured one without it) at a better price than all before."""
        return await self._run.command(self._machine.average_buy(cost, self._price(price)))

    async def commit_close_pending(self, *, id: str | None = None, note: str | None = None) -> Outcome:
        """Close the open position at the next candle or tick, at the market."""
        return await self._run.command(self._machine.close_pending(id, note, price=self._price()))

    async def commit_create_take_profit(self, *, id: str | None = None, note: str | None = None) -> Outcome:
        """Report that the broker has filled the take profit: the position closes at that level."""
        command = self._machine.close_pending(id, note, price=self._price(), kind="take_profit")
        return await self._run.command(command)

    async def commit_create_stop_loss(self, *, id: str | None = None, note: str | None = None) -> Outcome:
        """Report that the broker has filled the stop loss: the position closes at that level."""
        command = self._machine.close_pending(id, note, price=self._price(), kind="stop_loss")
        return await self._run.command(command)

    async def commit_signal_notify(
        self, note: str, *, notification_id: str | None = None, price: float | None = None
    ) -> Outcome:
        """Tell listeners and notifications a note on the open position; nothing of it changes."""
        return await self._run.command(self._machine.notify(note, notification_id, self._price(price)))

    async def commit_cancel_scheduled(self, *, id: str | None = None, note: str | None = None) -> Outcome:
        """Give up the waiting entry at the next candle or tick."""
        self._run.ensure_going()
        return self._machine.cancel_scheduled(id, note)

    async def commit_activate_scheduled(self, *, id: str | None = None, note: str | None = None) -> Outcome:
        """Open the waiting entry at the next candle or tick, where the market is then."""
        self._run.ensure_going()
        return self._machine.activate_scheduled(id, note)

    async def commit_create_signal(self, signal: Signal | Mapping[str, Any]) -> Outcome:
        """Queue `signal` for the next tick, past `get_signal` and its interval.

        Raises `SignalError` when the strategy is stopped, something is open, waiting, queued or on its way, or when the
        signal is not valid now.
        """
        self._run.ensure_going()
        given = to_signal(signal)
        if given is None:
            raise UsageError("commit_create_signal needs a Signal or a mapping with its fields")
        return self._machine.create_signal(given, self._price())

    async def set_strategy_paused(self, paused: bool) -> None:
        """Hold back (True) or release new signals; what is open, waiting or queued goes on."""
        await self._run.play(self._machine.set_paused(paused))

    async def stop_strategy(self) -> None:
        """Open nothing new, for good; a waiting entry is cancelled, an open position runs to its natural end."""
        self._machine.stop()


class PositionApi(PositionQueries, PositionCommands):
    """Queries and commands of one run."""
