"""A sizing as a pure machine: its schema and checked inputs go in, a size comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping

from backtestkit.errors import UsageError
from backtestkit.math import sizing
from backtestkit.math.sizing import SizeLimits
from backtestkit.model.schema import SizingMethod, SizingSchema
from backtestkit.model.signal import PositionSide
from backtestkit.model.sizing import PositionSizing


class ClientSizing:
    """Sizes positions by one schema. Each method is for schemas of that method; others raise `UsageError`.

    Amounts are quote currency, quantities base currency. With `leverage` a position may move at most that many
    balances. Every input must be a finite number above 0.
    """

    def __init__(self, schema: SizingSchema) -> None:
        """Size by `schema`."""
        self.schema = schema

    def fixed_percentage(
        self,
        symbol: str,
        account_balance: float,
        price_open: float,
        price_stop_loss: float,
        position: PositionSide,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size that loses `risk_percentage` of the balance at the stop, which lies on the loss side."""
        self._must_be("fixed_percentage")
        self._check(account_balance=account_balance, price_open=price_open, price_stop_loss=price_stop_loss)
        if position not in ("long", "short"):
            raise UsageError(f"position={position!r} must be 'long' or 'short'")
        distance = price_open - price_stop_loss if position == "long" else price_stop_loss - price_open
        if distance <= 0:
            side = "below" if position == "long" else "above"
            raise UsageError(
                f"price_stop_loss={price_stop_loss!r} must be {side} price_open={price_open!r} for a {position} position"
            )
        risk = self._of_schema(self.schema.risk_percentage)
        quantity = sizing.risk_quantity(account_balance, risk, distance)
        inputs = {"price_stop_loss": price_stop_loss, "risk_percentage": risk}
        return self._limited(symbol, account_balance, price_open, quantity, inputs, leverage)

    def kelly_criterion(
        self,
        symbol: str,
        account_balance: float,
        price_open: float,
        win_rate: float,
        win_loss_ratio: float,
        leverage: float | None = None,
    ) -> PositionSizing:
        """The size of `kelly_multiplier` times the Kelly share; 0 without an edge. `win_rate` is a fraction."""
        self._must_be("kelly_criterion")
        if not 0 < win_rate < 1:
            raise UsageError(f"win_rate={win_rate!r} must be a fraction between 0 and 1, 0.6 for 60 %")
        self._check(win_loss_ratio=win_loss_ratio, price_open=price_open, account_balance=account_balance)
        multiplier = self.schema.kelly_multiplier
        quantity = sizing.kelly_quantity(account_balance, win_rate, win_loss_ratio, multiplier, price_open)
        inputs = {"win_rate": win_rate, "win_loss_ratio": win_loss_ratio, "kelly_multiplier": multiplier}
        return self._limited(symbol, account_balance, price_open, quantity, inputs, leverage)

    def atr_based(
        self, symbol: str, account_balance: float, price_open: float, atr: float, leverage: float | None = None
    ) -> PositionSizing:
        """The size that loses `risk_percentage` of the balance when the price moves `atr_multiplier` true ranges."""
        self._must_be("atr_based")
        self._check(atr=atr, account_balance=account_balance, price_open=price_open)
        risk, multiplier = self._of_schema(self.schema.risk_percentage), self.schema.atr_multiplier
        quantity = sizing.risk_quantity(account_balance, risk, atr * multiplier)
        inputs = {"atr": atr, "risk_percentage": risk, "atr_multiplier": multiplier}
        return self._limited(symbol, account_balance, price_open, quantity, inputs, leverage)

    def volatility_target(
        self, symbol: str, account_balance: float, price_open: float, volatility: float, leverage: float | None = None
    ) -> PositionSizing:
        """The size that moves the balance by `target_volatility` percent a year; `volatility` is that of the price."""
        self._must_be("volatility_target")
        self._check(volatility=volatility, account_balance=account_balance, price_open=price_open)
        target = self._of_schema(self.schema.target_volatility)
        quantity = sizing.volatility_quantity(account_balance, target, volatility, price_open)
        inputs = {"volatility": volatility, "target_volatility": target}
        return self._limited(symbol, account_balance, price_open, quantity, inputs, leverage)

    def fixed_cost(
        self, symbol: str, account_balance: float, price_open: float, leverage: float | None = None
    ) -> PositionSizing:
        """The size that `cost` buys, `leverage` times over."""
        self._must_be("fixed_cost")
        self._check(account_balance=account_balance, price_open=price_open)
        cost = self._of_schema(self.schema.cost)
        quantity = cost * (1.0 if leverage is None else leverage) / price_open
        return self._limited(symbol, account_balance, price_open, quantity, {"cost": cost}, leverage)

    def _limited(
        self,
        symbol: str,
        balance: float,
        price_open: float,
        formula: float,
        inputs: Mapping[str, float],
        leverage: float | None,
    ) -> PositionSizing:
        if leverage is not None:
            self._check(leverage=leverage)
        schema = self.schema
        limits = SizeLimits(
            schema.min_position_size, schema.max_position_percentage, schema.max_position_size, leverage
        )
        quantity, limit = sizing.limited(formula, balance, price_open, limits)
        return PositionSizing(
            sizing_name=schema.sizing_name,
            method=schema.method,
            symbol=symbol,
            account_balance=balance,
            price_open=price_open,
            inputs=inputs,
            formula_quantity=formula,
            quantity=quantity,
            limit=limit,
        )

    def _must_be(self, method: SizingMethod) -> None:
        if self.schema.method != method:
            raise UsageError(
                f"sizing {self.schema.sizing_name!r} is of method {self.schema.method!r}, not {method!r}. "
                f"Call PositionSize.{self.schema.method}, or name a sizing of that method."
            )

    def _check(self, **numbers: float) -> None:
        for name, value in numbers.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value <= 0:
                raise UsageError(
                    f"sizing {self.schema.sizing_name!r}: {name}={value!r} must be a finite number above 0"
                )

    @staticmethod
    def _of_schema(value: float | None) -> float:
        assert value is not None, "a schema has what its method needs"
        return value
