"""Reads what an exchange tells besides candles, and writes numbers the way it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtestkit.clients.exchange import check_limit, order_book_window
from backtestkit.clients.number_format import PRICE_DECIMALS, QUANTITY_DECIMALS, format_decimals
from backtestkit.errors import UsageError
from backtestkit.model.interval import MINUTE_MS, from_ms, iso
from backtestkit.model.market_data import AggregatedTrade, FundingRate, OrderBook
from backtestkit.runtime.user_code import UserFunction, user_function

if TYPE_CHECKING:
    from backtestkit.config import Config
    from backtestkit.model.schema import ExchangeSchema

_EMPTY_ANSWERS_MAX = 10


class MarketDataConnection:
    """Order book, trades, funding rates and number formats of one exchange. Nothing is kept."""

    def __init__(self, schema: ExchangeSchema, config: Config) -> None:
        """Connect to the functions of `schema`."""
        self.schema, self.config = schema, config

    async def get_order_book(self, symbol: str, depth: int | None = None, *, when_ms: int, backtest: bool) -> OrderBook:
        """The book of the last whole `order_book_time_offset_minutes` before `when_ms`; in live the book of now."""
        levels = check_limit(self.config.order_book_max_depth_levels if depth is None else depth, "depth")
        since, until = order_book_window(when_ms, self.config.order_book_time_offset_minutes, backtest)
        function = self._require("get_order_book")
        return OrderBook.coerce(await function(symbol, levels, from_ms(since), from_ms(until), backtest), symbol)

    async def get_aggregated_trades(
        self, symbol: str, limit: int | None = None, *, when_ms: int, backtest: bool
    ) -> list[AggregatedTrade]:
        """Trades before the minute of `when_ms`, oldest first.

        Without `limit` those of the last `aggregated_trades_max_minutes`; with it the last `limit`, fetched in such
        windows backwards until there are enough, or ten windows in a row were empty (then fewer). Windows are
        half-open.
        """
        count = None if limit is None else check_limit(limit)
        function = self._require("get_aggregated_trades")
        until = when_ms // MINUTE_MS * MINUTE_MS
        width = self.config.aggregated_trades_max_minutes * MINUTE_MS
        trades: dict[str, AggregatedTrade] = {}
        silent = 0
        while until - width > 0 and silent < _EMPTY_ANSWERS_MAX:
            since = until - width
            answer = await function(symbol, from_ms(since), from_ms(until), backtest)
            window = {t.id: t for t in map(AggregatedTrade.coerce, answer) if since <= t.timestamp < until}
            trades = window | {key: trade for key, trade in trades.items() if key not in window}
            if count is None or len(trades) >= count:
                break
            silent = 0 if window else silent + 1
            until = since
        ordered = sorted(trades.values(), key=lambda trade: trade.timestamp)
        return ordered if count is None else ordered[-count:]

    async def get_funding_rates(
        self, symbol: str, since: int, until: int, *, when_ms: int, backtest: bool
    ) -> list[FundingRate]:
        """Funding rates of [since, until) (ms UTC), oldest first, none later than `when_ms`."""
        if since >= until:
            raise UsageError(f"since={iso(since)} must be before until={iso(until)}")
        end = min(until, when_ms + 1)
        if since >= end:
            return []
        function = self._require("get_funding_rates")
        answer = await function(symbol, from_ms(since), from_ms(end), backtest)
        return sorted(rate for rate in map(FundingRate.coerce, answer) if since <= rate.timestamp < end)

    async def format_price(self, symbol: str, price: float, *, backtest: bool) -> str:
        """`price` as the exchange writes it; 2 decimals when its schema does not say."""
        if self.schema.format_price is None:
            return format_decimals(price, PRICE_DECIMALS)
        return str(await user_function(self.schema.format_price)(symbol, price, backtest))

    async def format_quantity(self, symbol: str, quantity: float, *, backtest: bool) -> str:
        """`quantity` as the exchange writes it; 8 decimals when its schema does not say."""
        if self.schema.format_quantity is None:
            return format_decimals(quantity, QUANTITY_DECIMALS)
        return str(await user_function(self.schema.format_quantity)(symbol, quantity, backtest))

    def _require(self, field: str) -> UserFunction:
        function = getattr(self.schema, field)
        if function is None:
            raise UsageError(
                f"exchange {self.schema.exchange_name!r} was registered without {field}. Register it with {field}=..."
            )
        return user_function(function)
