"""What a sizing came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

SizeLimit: TypeAlias = Literal["min_position_size", "max_position_percentage", "max_position_size", "balance"]
"""What changed a size: the three limits of a sizing in the order in which they apply, then what the account can carry."""


@dataclass(frozen=True, slots=True)
class PositionSizing:
    """A position size, and how it came about.

    `quantity` is in base currency. `formula_quantity` is what the method gave before the limits, `limit` the last limit
    that changed it (None: none did), `inputs` what the method worked with beside the balance and the price.
    `account_balance` and `price_open` are quote currency.
    """

    sizing_name: str
    method: str
    symbol: str
    account_balance: float
    price_open: float
    inputs: Mapping[str, float]
    formula_quantity: float
    quantity: float
    limit: SizeLimit | None

    @property
    def notional(self) -> float:
        """What the position moves in the market, quote currency. At leverage 1 this is its cost."""
        return self.quantity * self.price_open

    def __float__(self) -> float:
        return self.quantity
