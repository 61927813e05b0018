"""Market data as of now: functions that read the time and the exchange from the running context, and `Exchange`, which
takes the exchange by name and works outside a run too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from backtestkit.clients.number_format import round_ticks
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.math.candle_checks import validate_candles as _validate_candles
from backtestkit.model.candle import Candles
from backtestkit.model.interval import MINUTE_MS, CandleInterval, parse_time, to_ms
from backtestkit.model.schema import CandleData
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.context import RunContext, current_run, run_context

if TYPE_CHECKING:
    from backtestkit.model.market_data import AggregatedTrade, FundingRate, OrderBook
    from backtestkit.services.connection.exchange import ExchangeConnection

__all__ = [
    "Exchange", "format_price", "format_quantity", "get_aggregated_trades", "get_average_price", "get_backtest_timeframe",
    "get_candles", "get_close_price", "get_funding_rates", "get_next_candles", "get_order_book", "get_raw_candles",
    "round_ticks", "validate_candles",
]  # fmt: skip


async def get_candles(symbol: str, interval: CandleInterval, limit: int) -> Candles:
    """The last `limit` closed candles of `interval`, oldest first; the one that is still forming never appears.

    Raises `InsufficientDataError` where history is too short; its message names the earliest start that works.
    """
    context = run_context("get_candles")
    return await _exchange(context).get_candles(
        symbol, interval, limit, when_ms=context.clock.now_ms(), backtest=context.key.backtest, strict=_strict(context)
    )


async def get_next_candles(symbol: str, interval: CandleInterval, limit: int) -> Candles:
    """The `limit` candles from the one that contains now. Only in a backtest, and only for tools: it is the future."""
    context = run_context("get_next_candles")
    return await _exchange(context).get_next_candles(
        symbol, interval, limit, when_ms=context.clock.now_ms(), backtest=context.key.backtest, strict=_strict(context)
    )


async def get_raw_candles(
    symbol: str,
    interval: CandleInterval,
    limit: int | None = None,
    since: datetime | str | int | None = None,
    until: datetime | str | int | None = None,
) -> Candles:
    """Candles by count, by range, or both, never beyond now.

    `since` is floored to the interval and `until` drops the bucket it lies in; give `limit`, or two of the three.
    """
    context = run_context("get_raw_candles")
    return await _exchange(context).get_raw_candles(
        symbol, interval, limit, _ms(since, "since"), _ms(until, "until"),
        when_ms=context.clock.now_ms(), backtest=context.key.backtest, strict=_strict(context),
    )  # fmt: skip


async def get_average_price(symbol: str) -> float:
    """Volume-weighted average price of the last few closed candles, quote currency: the price entries are made at."""
    context = run_context("get_average_price")
    return await _exchange(context).get_average_price(
        symbol, when_ms=context.clock.now_ms(), backtest=context.key.backtest, strict=_strict(context)
    )


async def get_close_price(symbol: str, interval: CandleInterval) -> float:
    """Close of the last closed candle of `interval`, quote currency."""
    context = run_context("get_close_price")
    return await _exchange(context).get_close_price(
        symbol, interval, when_ms=context.clock.now_ms(), backtest=context.key.backtest, strict=_strict(context)
    )


async def get_order_book(symbol: str, depth: int | None = None) -> OrderBook:
    """The order book as of now, at most `depth` levels a side (the configured maximum without it)."""
    context = run_context("get_order_book")
    return await _exchange(context).get_order_book(
        symbol, depth, when_ms=context.clock.now_ms(), backtest=context.key.backtest
    )


async def get_aggregated_trades(symbol: str, limit: int | None = None) -> list[AggregatedTrade]:
    """The last `limit` trades before now, oldest first; without it those of the last window."""
    context = run_context("get_aggregated_trades")
    return await _exchange(context).get_aggregated_trades(
        symbol, limit, when_ms=context.clock.now_ms(), backtest=context.key.backtest
    )


async def get_funding_rates(
    symbol: str, since: datetime | str | int, until: datetime | str | int | None = None
) -> list[FundingRate]:
    """The funding rates from `since` to `until` (now without it), oldest first; never later than now."""
    context = run_context("get_funding_rates")
    now = context.clock.now_ms()
    end = now if until is None else min(to_ms(parse_time(until, "until")), now)
    return await _exchange(context).get_funding_rates(
        symbol, to_ms(parse_time(since, "since")), end, when_ms=now, backtest=context.key.backtest
    )


async def format_price(symbol: str, price: float) -> str:
    """`price` the way the exchange writes prices of `symbol`."""
    context = run_context("format_price")
    return await _exchange(context).format_price(symbol, price, backtest=context.key.backtest)


async def format_quantity(symbol: str, quantity: float) -> str:
    """`quantity` the way the exchange writes quantities of `symbol`."""
    context = run_context("format_quantity")
    return await _exchange(context).format_quantity(symbol, quantity, backtest=context.key.backtest)


def get_backtest_timeframe(symbol: str) -> list[datetime]:
    """All ticks of the running backtest's frame for `symbol`, oldest first."""
    context = run_context("get_backtest_timeframe")
    if not context.key.backtest:
        raise UsageError("get_backtest_timeframe needs a backtest; a live run has no frame")
    if symbol != context.key.symbol:
        raise UsageError(f"get_backtest_timeframe({symbol!r}) was asked in a run of {context.key.symbol!r}")
    times: list[datetime] = context.session.timeframe()
    return times


def validate_candles(candles: CandleData) -> None:
    """Refuse candles that cannot be true with a `CandleError`: not finite, not positive, high below low, anomalous."""
    config = current_kit().config
    _validate_candles(
        Candles.coerce(candles),
        anomaly_factor=config.get_candles_price_anomaly_threshold_factor,
        min_candles_for_median=config.get_candles_min_candles_for_median,
        strict=True,
    )


class _Exchange:
    """Market data of an exchange by name. Inside a run it is as of the run's time, outside as of the last minute."""

    async def get_candles(self, symbol: str, interval: CandleInterval, limit: int, *, exchange_name: str) -> Candles:
        """The last `limit` closed candles of `interval`, oldest first."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_candles(symbol, interval, limit, when_ms=when, backtest=backtest)

    async def get_raw_candles(
        self,
        symbol: str,
        interval: CandleInterval,
        limit: int | None = None,
        since: datetime | str | int | None = None,
        until: datetime | str | int | None = None,
        *,
        exchange_name: str,
    ) -> Candles:
        """Candles by count, by range, or both, never beyond now."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_raw_candles(
            symbol, interval, limit, _ms(since, "since"), _ms(until, "until"), when_ms=when, backtest=backtest
        )

    async def get_average_price(self, symbol: str, *, exchange_name: str) -> float:
        """Volume-weighted average price of the last few closed candles, quote currency."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_average_price(symbol, when_ms=when, backtest=backtest)

    async def get_close_price(self, symbol: str, interval: CandleInterval, *, exchange_name: str) -> float:
        """Close of the last closed candle of `interval`, quote currency."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_close_price(symbol, interval, when_ms=when, backtest=backtest)

    async def get_order_book(self, symbol: str, depth: int | None = None, *, exchange_name: str) -> OrderBook:
        """The order book as of now."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_order_book(symbol, depth, when_ms=when, backtest=backtest)

    async def get_aggregated_trades(
        self, symbol: str, limit: int | None = None, *, exchange_name: str
    ) -> Sequence[AggregatedTrade]:
        """The last `limit` trades before now, oldest first."""
        connection, when, backtest = _as_of(exchange_name)
        return await connection.get_aggregated_trades(symbol, limit, when_ms=when, backtest=backtest)

    async def format_price(self, symbol: str, price: float, *, exchange_name: str) -> str:
        """`price` the way the exchange writes prices."""
        connection, _, backtest = _as_of(exchange_name)
        return await connection.format_price(symbol, price, backtest=backtest)

    async def format_quantity(self, symbol: str, quantity: float, *, exchange_name: str) -> str:
        """`quantity` the way the exchange writes quantities."""
        connection, _, backtest = _as_of(exchange_name)
        return await connection.format_quantity(symbol, quantity, backtest=backtest)


Exchange = _Exchange()
"""Market data with the exchange given by `exchange_name=`."""


def _exchange(context: RunContext) -> ExchangeConnection:
    connection: ExchangeConnection = context.session.plan.exchange
    return connection


def _strict(context: RunContext) -> bool:
    strict: bool = context.session.plan.policy.candles == "strict"
    return strict


def _as_of(exchange_name: str) -> tuple[ExchangeConnection, int, bool]:
    """The connection, the time, and the mode: those of the running context, else the wall clock's minute."""
    connection: ExchangeConnection = current_kit().container.exchange_pool().connect(exchange_name)
    context = current_run.get()
    if context is not None:
        return connection, context.clock.now_ms(), context.key.backtest
    return connection, SystemClock().now_ms() // MINUTE_MS * MINUTE_MS, False


def _ms(value: datetime | str | int | None, field: str) -> int | None:
    return None if value is None else to_ms(parse_time(value, field))
