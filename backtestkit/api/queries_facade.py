"""Position queries with the context given by keywords.

Written by scripts/generate.py; do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtestkit.api.run_facade import RunFacade
from backtestkit.clients.queries import Ladder, StrategyStatus
from backtestkit.model.signal import Entry, PartialClose, PublicSignal

if TYPE_CHECKING:
    pass


class PositionQueriesFacade(RunFacade):
    """Questions about the open position of a run."""

    async def get_pending_signal(
        self, symbol: str, price: float | None = None, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> PublicSignal | None:
        """The open position."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_pending_signal(price)

    async def get_scheduled_signal(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> PublicSignal | None:
        """The entry that waits."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_scheduled_signal()

    async def get_latest_signal(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> PublicSignal | None:
        """The last signal that was accepted, as it was then, whatever became of it."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_latest_signal()

    async def get_minutes_since_latest_signal_created(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes since the last signal was accepted."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_minutes_since_latest_signal_created()

    async def has_no_pending_signal(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> bool:
        """Whether nothing is open."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).has_no_pending_signal()

    async def has_no_scheduled_signal(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> bool:
        """Whether no entry waits."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).has_no_scheduled_signal()

    async def get_strategy_status(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> StrategyStatus:
        """What is open, waiting, queued or on its way."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_strategy_status()

    async def get_strategy_paused(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> bool:
        """Whether new signals are held back."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_strategy_paused()

    async def get_breakeven(
        self, symbol: str, price: float | None = None, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> bool:
        """Whether a breakeven command would take effect at `price`."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_breakeven(price)

    async def get_total_percent_held(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Percent of the invested cost that is still held."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_total_percent_held()

    async def get_remaining_cost_basis(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Cost basis that is still held, quote currency."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_remaining_cost_basis()

    async def get_total_percent_closed(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The same as `get_total_percent_held`: percent still held, in spite of its name, which others use."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_total_percent_closed()

    async def get_total_cost_closed(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The same as `get_remaining_cost_basis`: cost still held, in spite of its name, which others use."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_total_cost_closed()

    async def get_position_effective_price(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Cost-weighted entry price of what is held, quote currency."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_effective_price()

    async def get_position_invested_count(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Number of entries."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_invested_count()

    async def get_position_invested_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Sum of all entry costs, quote currency; partial closes do not reduce it."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_invested_cost()

    async def get_position_pnl_percent(
        self, symbol: str, price: float | None = None, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Net profit, percent of everything invested."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_pnl_percent(price)

    async def get_position_pnl_cost(
        self, symbol: str, price: float | None = None, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Net profit, quote currency."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_pnl_cost(price)

    async def get_position_levels(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> list[float] | None:
        """The entry prices, oldest first."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_levels()

    async def get_position_entries(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> list[Entry] | None:
        """The entries, oldest first."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_entries()

    async def get_position_partials(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> list[PartialClose] | None:
        """The partial closes, oldest first."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_partials()

    async def get_position_estimate_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The longest the position may live, minutes; infinite without a limit."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_estimate_minutes()

    async def get_position_countdown_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Minutes left of its life."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_countdown_minutes()

    async def get_position_active_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes since it was opened."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_active_minutes()

    async def get_position_waiting_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes that the waiting entry has waited."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_waiting_minutes()

    async def get_position_highest_profit_price(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The price of its best point."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_price()

    async def get_position_highest_profit_timestamp(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """When its best point was, ms UTC."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_timestamp()

    async def get_position_highest_profit_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes since its best point."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_minutes()

    async def get_position_drawdown_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes since its best point: how long it has been under water."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_drawdown_minutes()

    async def get_position_highest_profit_breakeven(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> bool | None:
        """Whether its best price was beyond the breakeven price of the position as it is now."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_breakeven()

    async def get_position_highest_pnl_percentage(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Its best net profit, percent."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_pnl_percentage()

    async def get_position_highest_pnl_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Its best net profit, quote currency."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_highest_pnl_cost()

    async def get_position_max_drawdown_price(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The price of its worst point."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_max_drawdown_price()

    async def get_position_max_drawdown_timestamp(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """When its worst point was, ms UTC."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_max_drawdown_timestamp()

    async def get_position_max_drawdown_minutes(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> int | None:
        """Whole minutes since its worst point."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_max_drawdown_minutes()

    async def get_position_max_drawdown_pnl_percentage(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Its worst net profit, percent."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_max_drawdown_pnl_percentage()

    async def get_position_max_drawdown_pnl_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """Its worst net profit, quote currency."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_max_drawdown_pnl_cost()

    async def get_position_highest_profit_distance_pnl_percentage(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """How far its profit is below its best, percentage points."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_distance_pnl_percentage()

    async def get_position_highest_profit_distance_pnl_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """How far its profit is below its best, quote currency."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_profit_distance_pnl_cost()

    async def get_position_highest_max_drawdown_pnl_percentage(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """How far its profit is above its worst, percentage points."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_max_drawdown_pnl_percentage()

    async def get_position_highest_max_drawdown_pnl_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """How far its profit is above its worst, quote currency."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_position_highest_max_drawdown_pnl_cost()

    async def get_max_drawdown_distance_pnl_percentage(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The distance between its best and its worst profit, percentage points."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_max_drawdown_distance_pnl_percentage()

    async def get_max_drawdown_distance_pnl_cost(
        self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> float | None:
        """The distance between its best and its worst profit, quote currency."""
        return await self._position(
            symbol, strategy_name, exchange_name, frame_name
        ).get_max_drawdown_distance_pnl_cost()

    async def get_position_entry_overlap(
        self,
        symbol: str,
        price: float,
        ladder: Ladder | None = None,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> bool:
        """Whether `price` is near one of the entries (1.5 % either way without a `ladder`)."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_entry_overlap(
            price, ladder
        )

    async def get_position_partial_overlap(
        self,
        symbol: str,
        price: float,
        ladder: Ladder | None = None,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> bool:
        """Whether `price` is near one of the partial closes."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_position_partial_overlap(
            price, ladder
        )
