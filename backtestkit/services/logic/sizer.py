"""The cost of the signals of one run whose strategy names a sizing and leaves the cost to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

from backtestkit.errors import SignalError, UsageError, Violation
from backtestkit.math.sizing import annual_volatility, average_true_range
from backtestkit.model.candle import Candles
from backtestkit.model.interval import from_ms, interval_step_ms
from backtestkit.model.result import ClosedResult
from backtestkit.model.schema import SizingSchema
from backtestkit.model.signal import SignalRow
from backtestkit.model.sizing import PositionSizing
from backtestkit.runtime.user_code import user_function
from backtestkit.services.connection.sizing import SizingConnection, Tell
from backtestkit.services.core.run_resolver import BacktestPlan


class Account:
    """The balance that a run sizes by: a function's answer, or a start that compounds what the run has earned."""

    def __init__(self, schema: SizingSchema, closed: Sequence[ClosedResult]) -> None:
        """`closed` grows with the run."""
        self._closed, self._seen = closed, 0
        self._name = schema.sizing_name
        given = schema.balance
        self._asked = None if isinstance(given, float) else user_function(given)
        self._balance = given if isinstance(given, float) else 0.0

    async def balance(self, row: SignalRow, now: int, backtest: bool) -> float:
        """The balance at `now`, quote currency; `UsageError` unless it is a finite number above 0."""
        if self._asked is not None:
            answer = await self._asked(row.symbol, from_ms(now), backtest)
            if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
                raise UsageError(
                    f"balance of sizing {self._name!r} returned {answer!r}; it must return a finite number"
                )
            self._balance = float(answer)
        else:
            for result in self._closed[self._seen :]:
                self._balance += result.pnl.pnl_cost
            self._seen = len(self._closed)
        if self._balance <= 0:
            raise UsageError(f"sizing {self._name!r}: the balance is {self._balance:g}, nothing is left to trade with")
        return self._balance


class Sizer:
    """Turns a signal into its cost, with what the method needs taken from the market and the account."""

    def __init__(self, schema: SizingSchema, plan: BacktestPlan, closed: Sequence[ClosedResult], tell: Tell) -> None:
        """`closed` are the trades of the run so far; `tell` hears what the callback raises."""
        self._schema, self._plan = schema, plan
        self._account = Account(schema, closed)
        self._sizing = SizingConnection(schema, tell)

    async def cost(self, row: SignalRow, now: int) -> float:
        """The cost of `row`, quote currency; `SignalError` when its size comes out as 0.

        Sizes are what the position moves in the market, so the cost is that over the leverage. It is never more than
        the balance.
        """
        balance = await self._account.balance(row, now, self._plan.key.backtest)
        sizing = await self._sizing.announce(await self._size(row, balance, now))
        if sizing.quantity <= 0:
            text = (
                f"sizing {self._schema.sizing_name!r} ({self._schema.method}) gives no size: there is no edge to bet on"
            )
            raise SignalError([Violation("size_not_positive", text)])
        if self._schema.cost is not None and sizing.limit is None:
            return self._schema.cost
        return min(sizing.notional / row.multiplier, balance)

    async def _size(self, row: SignalRow, balance: float, now: int) -> PositionSizing:
        schema, client = self._schema, self._sizing.client
        symbol, price, leverage = row.symbol, row.price_open, row.multiplier
        method = schema.method
        if method == "fixed_percentage":
            return client.fixed_percentage(symbol, balance, price, row.price_stop_loss, row.position, leverage)
        if method == "kelly_criterion":
            return client.kelly_criterion(symbol, balance, price, *schema.edge, leverage)
        if method == "atr_based":
            candles = await self._candles(symbol, now)
            atr = average_true_range(candles.high, candles.low, candles.close)
            return client.atr_based(symbol, balance, price, atr, leverage)
        if method == "volatility_target":
            candles = await self._candles(symbol, now)
            volatility = annual_volatility(candles.close, interval_step_ms(schema.interval))
            return client.volatility_target(symbol, balance, price, volatility, leverage)
        if method == "fixed_cost":
            return client.fixed_cost(symbol, balance, price, leverage)
        assert_never(method)

    async def _candles(self, symbol: str, now: int) -> Candles:
        schema, plan = self._schema, self._plan
        return await plan.exchange.get_candles(
            symbol,
            schema.interval,
            schema.period + 1,
            when_ms=now,
            backtest=plan.key.backtest,
            strict=plan.policy.candles == "strict",
        )
