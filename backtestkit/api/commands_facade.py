"""Position commands with the context given by keywords.

Written by scripts/generate.py; do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backtestkit.api.run_facade import RunFacade
from backtestkit.model.signal import Signal

if TYPE_CHECKING:
    from backtestkit.clients.commands import Outcome


class PositionCommandsFacade(RunFacade):
    """Commands to the strategy of a run."""

    async def commit_partial_profit(
        self,
        symbol: str,
        percent: float,
        *,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Close `percent` (above 0, at most 100) of what is held, in profit."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_partial_profit(
            percent, price=price
        )

    async def commit_partial_loss(
        self,
        symbol: str,
        percent: float,
        *,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Close `percent` (above 0, at most 100) of what is held, at a loss."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_partial_loss(
            percent, price=price
        )

    async def commit_partial_profit_cost(
        self,
        symbol: str,
        cost: float,
        *,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Close `cost` (quote currency, of the cost basis held) in profit."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_partial_profit_cost(
            cost, price=price
        )

    async def commit_partial_loss_cost(
        self,
        symbol: str,
        cost: float,
        *,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Close `cost` (quote currency, of the cost basis held) at a loss."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_partial_loss_cost(
            cost, price=price
        )

    async def commit_trailing_stop(
        self,
        symbol: str,
        percent_shift: float,
        price: float | None = None,
        *,
        allow_loosen: bool = False,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Move the stop loss `percent_shift` percentage points further from the entry than its original; negative tightens."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_trailing_stop(
            percent_shift, price, allow_loosen=allow_loosen
        )

    async def commit_trailing_take(
        self,
        symbol: str,
        percent_shift: float,
        price: float | None = None,
        *,
        allow_loosen: bool = False,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Move the take profit `percent_shift` percentage points further from the entry than its original."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_trailing_take(
            percent_shift, price, allow_loosen=allow_loosen
        )

    async def commit_trailing_stop_cost(
        self,
        symbol: str,
        price_stop_loss: float,
        *,
        price: float | None = None,
        allow_loosen: bool = False,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Move the stop loss to `price_stop_loss`."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_trailing_stop_cost(
            price_stop_loss, price=price, allow_loosen=allow_loosen
        )

    async def commit_trailing_take_cost(
        self,
        symbol: str,
        price_take_profit: float,
        *,
        price: float | None = None,
        allow_loosen: bool = False,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Move the take profit to `price_take_profit`."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_trailing_take_cost(
            price_take_profit, price=price, allow_loosen=allow_loosen
        )

    async def commit_breakeven(
        self, symbol: str, *, price: float | None = None, strategy_name: str, exchange_name: str, frame_name: str
    ) -> Outcome:
        """Move the stop loss to the effective entry price, once the price has come far enough."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_breakeven(price=price)

    async def commit_average_buy(
        self,
        symbol: str,
        cost: float | None = None,
        *,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Add an entry of `cost` (quote currency; the configured one without it) at a better price than all before."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_average_buy(
            cost, price=price
        )

    async def commit_close_pending(
        self,
        symbol: str,
        *,
        id: str | None = None,
        note: str | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Close the open position at the next candle or tick, at the market."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_close_pending(
            id=id, note=note
        )

    async def commit_create_take_profit(
        self,
        symbol: str,
        *,
        id: str | None = None,
        note: str | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Report that the broker has filled the take profit: the position closes at that level."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_create_take_profit(
            id=id, note=note
        )

    async def commit_create_stop_loss(
        self,
        symbol: str,
        *,
        id: str | None = None,
        note: str | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Report that the broker has filled the stop loss: the position closes at that level."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_create_stop_loss(
            id=id, note=note
        )

    async def commit_signal_notify(
        self,
        symbol: str,
        note: str,
        *,
        notification_id: str | None = None,
        price: float | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Tell listeners and notifications a note on the open position; nothing of it changes."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_signal_notify(
            note, notification_id=notification_id, price=price
        )

    async def commit_cancel_scheduled(
        self,
        symbol: str,
        *,
        id: str | None = None,
        note: str | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Give up the waiting entry at the next candle or tick."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_cancel_scheduled(
            id=id, note=note
        )

    async def commit_activate_scheduled(
        self,
        symbol: str,
        *,
        id: str | None = None,
        note: str | None = None,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Open the waiting entry at the next candle or tick, where the market is then."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_activate_scheduled(
            id=id, note=note
        )

    async def commit_create_signal(
        self,
        symbol: str,
        signal: Signal | Mapping[str, Any],
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
    ) -> Outcome:
        """Queue `signal` for the next tick, past `get_signal` and its interval.

        Raises `SignalError` when the strategy is stopped, something is open, waiting, queued or on its way, or when the
        signal is not valid now."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).commit_create_signal(signal)

    async def set_strategy_paused(
        self, symbol: str, paused: bool, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> None:
        """Hold back (True) or release new signals; what is open, waiting or queued goes on."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).set_strategy_paused(paused)

    async def stop_strategy(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str) -> None:
        """Open nothing new, for good; a waiting entry is cancelled, an open position runs to its natural end."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).stop_strategy()
