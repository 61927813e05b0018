"""An exact ledger of one position: what the definitions say, in fractions, without any of the engine's formulas.

It thinks in quantities: entries buy coins, partial closes sell a share of them, profit is what comes out of the sales
less what went in and the fees. All numbers are exact; floats enter as the fractions that they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Number = Fraction
Side = Literal["long", "short"]
HUNDRED = Fraction(100)


def exact(value: float) -> Fraction:
    """A float as the fraction that it is."""
    return Fraction(value)


@dataclass
class Sale:
    """A partial close: the cost basis that it took out, and the entry price and the price it was sold at."""

    basis: Number
    entry: Number
    price: Number


@dataclass
class Ledger:
    """Everything about a position that follows from its entries, partial closes and levels."""

    side: Side
    slippage: Number
    fee: Number
    multiplier: Number
    isolated: bool
    stop_original: Number
    take_original: Number
    stop: Number
    take: Number
    breakeven_percent: Number
    entries: list[tuple[Number, Number]] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    coins: Number = Fraction(0)
    basis: Number = Fraction(0)

    @property
    def sign(self) -> int:
        return 1 if self.side == "long" else -1

    # -- what was done ------------------------------------------------------------------------------------------------

    def buy(self, price: Number, cost: Number) -> None:
        """An entry."""
        self.entries.append((price, cost))
        self.coins += cost / price
        self.basis += cost

    def sell(self, percent: Number, price: Number) -> None:
        """Close `percent` of what is held."""
        part = percent / HUNDRED
        self.sales.append(Sale(self.basis * part, self.entry, price))
        self.coins -= self.coins * part
        self.basis -= self.basis * part

    # -- what follows -------------------------------------------------------------------------------------------------

    @property
    def invested(self) -> Number:
        """Everything that was put in."""
        return sum((cost for _, cost in self.entries), Fraction(0))

    @property
    def entry(self) -> Number:
        """What a coin that is held has cost."""
        return self.basis / self.coins

    @property
    def closed_percent(self) -> Number:
        """Share of what was put in that was taken out."""
        return sum((sale.basis for sale in self.sales), Fraction(0)) / self.invested * HUNDRED

    def profit(self, price: Number) -> Number:
        """Net profit in quote currency if what is held were sold at `price`."""
        parts = [*self.sales, Sale(self.basis, self.entry, price)] if self.basis else list(self.sales)
        gained = sum((self._gain(sale) for sale in parts), Fraction(0))
        opening_fee = self.fee / HUNDRED * self.invested
        return (gained - opening_fee) * self.multiplier

    def profit_percent(self, price: Number) -> Number:
        """The same in percent of everything invested."""
        return self.profit(price) / self.invested * HUNDRED

    def _gain(self, sale: Sale) -> Number:
        """What one sale brought over its basis, slippage and its own fee taken off."""
        worse, better = 1 - self.slippage / HUNDRED, 1 + self.slippage / HUNDRED
        bought = sale.entry * (better if self.side == "long" else worse)
        sold = sale.price * (worse if self.side == "long" else better)
        ratio = sold / bought
        return sale.basis * (self.sign * (ratio - 1) - self.fee / HUNDRED * ratio)

    @property
    def liquidation(self) -> Number | None:
        """The price at which everything is lost: profit is a straight line of the price."""
        if not self.isolated or not self.basis:
            return None
        at_zero = self.profit_percent(Fraction(0))
        slope = self.profit_percent(Fraction(1)) - at_zero
        price = (-HUNDRED - at_zero) / slope
        return price if price > 0 else None

    @property
    def breakeven_price(self) -> Number:
        """From here on the stop may go to the entry."""
        return self.entry * (1 + self.sign * self.breakeven_percent / HUNDRED)

    def shifted(self, leg: Literal["stop", "take"], shift: Number) -> Number:
        """Where a trailing shift puts a level: its original distance from the entry, in percent, plus the shift."""
        original = self.stop_original if leg == "stop" else self.take_original
        distance = abs(self.entry - original) / self.entry * HUNDRED + shift
        away = -self.sign if leg == "stop" else self.sign
        return self.entry * (1 + away * distance / HUNDRED)

    def better(self, a: Number, b: Number) -> bool:
        """Whether the price `a` is better for the position than `b`."""
        return a > b if self.side == "long" else a < b

    def exit(self, open: Number, high: Number, low: Number, average: Number) -> tuple[str, Number] | None:
        """Reason and price of the exit that a candle forces, by the conservative policy."""
        worst = low if self.side == "long" else high
        limit = self.liquidation
        first = self.stop if limit is None or self.better(self.stop, limit) else limit
        if not self.better(worst, first):
            if limit is not None and not self.better(self.stop, limit) and limit != self.stop:
                return "liquidation", limit
            if self.better(self.stop, open):
                if limit is not None and not self.better(open, limit):
                    return "liquidation", limit
                return "stop_loss", open
            return "stop_loss", self.stop
        if not self.better(self.take, average):
            return "take_profit", self.take
        return None
