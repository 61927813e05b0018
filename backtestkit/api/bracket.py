"""Levels around a price: `Position.bracket`, `Position.moonbag`, and the usual shares of the way to a level."""

from __future__ import annotations

import math
from typing import Final, TypedDict

from backtestkit.errors import UsageError
from backtestkit.model.signal import PositionSide

MOONBAG_TAKE_PROFIT_PERCENT: Final = 50.0


class Bracket(TypedDict):
    """A side and its two levels, quote currency; unpack it into a `Signal`."""

    position: PositionSide
    price_take_profit: float
    price_stop_loss: float


class Position:
    """Makes levels from percents.

    bk.Signal(**bk.Position.bracket("long", price, percent_take_profit=2, percent_stop_loss=1))
    """

    @staticmethod
    def bracket(
        position: PositionSide, current_price: float, *, percent_take_profit: float, percent_stop_loss: float
    ) -> Bracket:
        """Levels `percent_take_profit` in the favour and `percent_stop_loss` against `position`, seen from the price.

        Both percents are above 0; anything else raises `UsageError`, and so does a percent that puts a level at 0.
        """
        if position not in ("long", "short"):
            raise UsageError(f"position={position!r} must be 'long' or 'short'")
        direction = 1 if position == "long" else -1
        named = {
            "current_price": current_price,
            "percent_take_profit": percent_take_profit,
            "percent_stop_loss": percent_stop_loss,
        }
        for name, value in named.items():
            if not 0 < value < math.inf:
                raise UsageError(f"{name}={value!r} must be a finite number above 0")
        take_profit = current_price * (1 + direction * percent_take_profit / 100)
        stop_loss = current_price * (1 - direction * percent_stop_loss / 100)
        if take_profit <= 0 or stop_loss <= 0:
            name = "percent_take_profit" if take_profit <= 0 else "percent_stop_loss"
            raise UsageError(f"{name}={named[name]!r} must be below 100 for a {position} position")
        return Bracket(position=position, price_take_profit=take_profit, price_stop_loss=stop_loss)

    @staticmethod
    def moonbag(
        position: PositionSide,
        current_price: float,
        *,
        percent_stop_loss: float,
        percent_take_profit: float = MOONBAG_TAKE_PROFIT_PERCENT,
    ) -> Bracket:
        """A bracket whose take profit, 50 % away, is not meant to be reached: the exit is decided on the way."""
        return Position.bracket(
            position, current_price, percent_take_profit=percent_take_profit, percent_stop_loss=percent_stop_loss
        )


class Constant:
    """Percent of the way from entry to a level at which to act, for strategies that take profit or cut in steps."""

    TP_LEVEL1: Final = 30
    TP_LEVEL2: Final = 60
    TP_LEVEL3: Final = 90
    SL_LEVEL1: Final = 40
    SL_LEVEL2: Final = 80
