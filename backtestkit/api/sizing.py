"""`PositionSize`: how large a position should be, by a registered sizing."""

from __future__ import annotations

from backtestkit.kit import current_kit
from backtestkit.model.signal import PositionSide
from backtestkit.model.sizing import PositionSizing


class PositionSize:
    """Sizes in base currency, from a balance and prices in quote currency.

        size = await bk.PositionSize.fixed_percentage("BTCUSDT", 10_000, 100, 98, sizing_name="one percent", position="long")
        size.quantity, size.limit

    Each method is for sizings of that method and raises `UsageError` for others, and for inputs that are not finite
    numbers above 0. Limits of the schema apply; with `leverage`, no position moves more than that many balances. A
    strategy that names a sizing needs none of this: its signals get their cost by themselves.
    """

    @staticmethod
    async def fixed_percentage(
        symbol: str,
        account_balance: float,
        price_open: float,
        price_stop_loss: float,
        *,
        sizing_name: str,
        position: PositionSide,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size that loses `risk_percentage` of the balance at the stop, which lies on the loss side of the entry."""
        sizing = current_kit().container.sizing_pool().connect(sizing_name)
        return await sizing.announce(
            sizing.client.fixed_percentage(symbol, account_balance, price_open, price_stop_loss, position, leverage)
        )

    @staticmethod
    async def kelly_criterion(
        symbol: str,
        account_balance: float,
        price_open: float,
        win_rate: float,
        win_loss_ratio: float,
        *,
        sizing_name: str,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size of `kelly_multiplier` times the Kelly share of the balance; 0 without an edge.

        `win_rate` is a fraction (0.6 for 60 %), `win_loss_ratio` the mean win over the mean loss.
        """
        sizing = current_kit().container.sizing_pool().connect(sizing_name)
        return await sizing.announce(
            sizing.client.kelly_criterion(symbol, account_balance, price_open, win_rate, win_loss_ratio, leverage)
        )

    @staticmethod
    async def atr_based(
        symbol: str,
        account_balance: float,
        price_open: float,
        atr: float,
        *,
        sizing_name: str,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size that loses `risk_percentage` of the balance when the price moves `atr_multiplier` times `atr`."""
        sizing = current_kit().container.sizing_pool().connect(sizing_name)
        return await sizing.announce(sizing.client.atr_based(symbol, account_balance, price_open, atr, leverage))

    @staticmethod
    async def volatility_target(
        symbol: str,
        account_balance: float,
        price_open: float,
        volatility: float,
        *,
        sizing_name: str,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size that moves the balance by `target_volatility` percent a year; `volatility` is that of the price."""
        sizing = current_kit().container.sizing_pool().connect(sizing_name)
        return await sizing.announce(
            sizing.client.volatility_target(symbol, account_balance, price_open, volatility, leverage)
        )

    @staticmethod
    async def fixed_cost(
        symbol: str, account_balance: float, price_open: float, *, sizing_name: str, leverage: float | None = None
    ) -> PositionSizing:
        """The size that the schema's `cost` buys, `leverage` times over."""
        sizing = current_kit().container.sizing_pool().connect(sizing_name)
        return await sizing.announce(sizing.client.fixed_cost(symbol, account_balance, price_open, leverage))
