"""Profit of a position: slipped prices, effective entry price, net profit, liquidation price.

All functions follow one order of operations, which is part of the definition: results agree with the reference to the
last digit. Sums run left to right from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from backtestkit.errors import BacktestKitError
from backtestkit.model.record import record
from backtestkit.model.signal import Entry, Funding, PartialClose, PositionSide, ProfitLoss

_SMALLEST_SLOPE = 2.220446049250313e-16
"""Below this slope (percent per unit of price) profit does not depend on the price: the double's machine epsilon."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs per side, in percent: `percent_slippage` of the price, `percent_fee` of the notional."""

    percent_slippage: float
    percent_fee: float


class Position(Protocol):
    """What the formulas need to know of a position."""

    @property
    def position(self) -> PositionSide:
        """The side."""
        ...

    @property
    def price_open(self) -> float:
        """The first entry price."""
        ...

    @property
    def cost(self) -> float:
        """The cost of the first entry, used when `entries` is empty."""
        ...

    @property
    def multiplier(self) -> float:
        """The leverage."""
        ...

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first."""
        ...

    @property
    def partials(self) -> tuple[PartialClose, ...]:
        """All partial closes, oldest first."""
        ...

    @property
    def fundings(self) -> tuple[Funding, ...]:
        """All funding payments, oldest first."""
        ...


@record
class Holding:
    """How much of a position is left: `closed_percent` of the invested cost, `remaining` cost basis (quote currency)."""

    closed_percent: float
    remaining: float


@record
class ProfitLine:
    """Net profit as a function of the close price: `profit` percent at `price`, `slope` percent per unit of price."""

    price: float
    profit: float
    slope: float

    def at(self, price: float) -> float:
        """Profit in percent at `price`, up to rounding: `profit_loss` has the last digits."""
        return self.profit + (price - self.price) * self.slope

    def price_of(self, profit: float) -> float:
        """The price at which the profit is `profit`, up to rounding."""
        return self.price + (profit - self.profit) / self.slope


@record
class CostsPaid:
    """Fee, slippage and funding of a position in quote currency, leverage included; what was received is negative."""

    fee: float
    slippage: float
    funding: float


def invested_cost(position: Position) -> float:
    """Sum of all entry costs, quote currency. Partial closes do not reduce it."""
    if not position.entries:
        return position.cost
    total = 0.0
    for entry in position.entries:
        total += entry.cost
    return total


def effective_price_open(position: Position) -> float:
    """Entry price of what is still held: cost-weighted harmonic mean of the entries, replayed through partial closes.

    A partial close alone does not move it. Without entries it is `price_open`; with one entry it is cost / (cost /
    price), which may differ from the price in the last digit.
    """
    if position.partials:
        return _effective_prices(position)[-1]
    entries = position.entries
    if len(entries) == 1:
        entry = entries[0]
        coins = entry.cost / entry.price
        return entry.cost / coins if coins else 0.0
    return _blend(0.0, 0.0, entries, 0.0) if entries else position.price_open


def profit_loss(position: Position, price_close: float, costs: Costs) -> ProfitLoss:
    """Net profit of `position` if what is held were closed at `price_close`.

    Each partial close counts with its share of the invested cost, at its own entry and exit price. One entry fee is
    charged on everything, an exit fee on each part; both and the slippage are scaled by the multiplier. Funding payments
    are added as they were paid.
    """
    total = invested_cost(position)
    long = position.position == "long"
    if not position.partials:
        price_open, funding = effective_price_open(position), funding_paid(position)
        return whole_profit(long, price_open, total, position.multiplier, price_close, costs, funding)
    try:
        return _profit_in_parts(position, long, total, price_close, costs)
    except ZeroDivisionError:
        raise _without_price(total, costs) from None


def _profit_in_parts(position: Position, long: bool, total: float, price_close: float, costs: Costs) -> ProfitLoss:
    slippage, fee = costs.percent_slippage, costs.percent_fee
    prices = _effective_prices(position)
    weighted, fees, closed = 0.0, fee, 0.0
    for partial, price_open in zip(position.partials, prices, strict=False):
        dollars = (partial.percent / 100) * partial.cost_basis_at_close
        share = dollars / total
        closed += dollars
        percent, ratio = _leg(long, price_open, partial.current_price, slippage)
        weighted += share * percent
        fees += (fee * share) * ratio
    if closed > total + max(0.001, total * 1e-8):
        raise BacktestKitError(f"partial closes add up to {closed}, more than the invested {total}")
    share = (total - closed) / total
    if share > 0:
        percent, ratio = _leg(long, prices[-1], price_close, slippage)
        weighted += share * percent
        fees += (fee * share) * ratio
    percent = (weighted - fees) * position.multiplier
    if position.fundings:
        percent += funding_paid(position) / total * 100
    return ProfitLoss(percent, percent / 100 * total, total, prices[-1], price_close)


def _without_price(total: float, costs: Costs) -> BacktestKitError:
    """Only entries that cost nothing and a slippage of everything leave a position without a price."""
    return BacktestKitError(
        f"a position of {total:g} invested has no entry price; give every entry a cost above 0"
        + (f" and percent_slippage={costs.percent_slippage:g} below 100." if costs.percent_slippage >= 100 else ".")
    )


def whole_profit(
    long: bool,
    price_open: float,
    total: float,
    multiplier: float,
    price_close: float,
    costs: Costs,
    funding: float = 0.0,
) -> ProfitLoss:
    """`profit_loss` of a position without partial closes, from its effective entry price, invested cost and funding."""
    slippage = costs.percent_slippage
    try:
        if long:
            open_s, close_s = price_open * (1 + slippage / 100), price_close * (1 - slippage / 100)
            percent = ((close_s - open_s) / open_s) * 100
        else:
            open_s, close_s = price_open * (1 - slippage / 100), price_close * (1 + slippage / 100)
            percent = ((open_s - close_s) / open_s) * 100
    except ZeroDivisionError:
        raise _without_price(total, costs) from None
    percent -= costs.percent_fee * (1 + close_s / open_s)
    percent *= multiplier
    if funding:
        percent += funding / total * 100
    return ProfitLoss(percent, percent / 100 * total, total, price_open, price_close)


def funding_paid(position: Position) -> float:
    """Sum of the funding payments, quote currency; negative when more was paid than received."""
    total = 0.0
    for funding in position.fundings:
        total += funding.cost
    return total


def funding_payment(position: Position, rate: float, price: float, timestamp: int) -> Funding:
    """The payment at `rate` (a fraction; positive: longs pay shorts) on what is held, valued at `price`.

    The notional is the held quantity times the price times the multiplier.
    """
    coins = holding(position).remaining / effective_price_open(position)
    notional = coins * price * position.multiplier
    cost = -notional * rate if position.position == "long" else notional * rate
    return Funding(timestamp, rate, notional, cost)


def holding(position: Position) -> Holding:
    """How much of `position` was closed and what cost basis remains."""
    total = invested_cost(position)
    if not position.partials:
        return Holding(0.0, total)
    closed = 0.0
    for partial in position.partials:
        closed += partial.percent / 100 * partial.cost_basis_at_close
    last = position.partials[-1]
    added = 0.0
    for entry in position.entries[last.entry_count_at_close :]:
        added += entry.cost
    return Holding(closed / total * 100, last.cost_basis_at_close * (1 - last.percent / 100) + added)


def profit_line(position: Position, costs: Costs) -> ProfitLine:
    """The straight line on which the net profit of `position` lies, through its price_open and nine tenths of that."""
    first, second = position.price_open, position.price_open * 0.9
    profit = profit_loss(position, first, costs).pnl_percentage
    slope = (profit_loss(position, second, costs).pnl_percentage - profit) / (second - first)
    return ProfitLine(first, profit, slope)


def liquidation_price(line: ProfitLine) -> float | None:
    """Price at which the leveraged net profit is -100 %, or None where no such positive price exists."""
    if not math.isfinite(line.slope) or abs(line.slope) < _SMALLEST_SLOPE:
        return None
    price = line.price + (-100 - line.profit) / line.slope
    return price if math.isfinite(price) and price > 0 else None


def costs_paid(position: Position, price_close: float, costs: Costs) -> CostsPaid:
    """What fee and slippage took from a position closed at `price_close`.

    Slippage is the profit at the quoted prices less the profit at the slipped ones; the fee is the rest of the
    difference between gross and net, funding apart.
    """
    gross = profit_loss(position, price_close, Costs(0.0, 0.0)).pnl_cost
    slipped = profit_loss(position, price_close, Costs(costs.percent_slippage, 0.0)).pnl_cost
    net = profit_loss(position, price_close, costs).pnl_cost
    return CostsPaid(slipped - net, gross - slipped, -funding_paid(position))


def _leg(long: bool, price_open: float, price_close: float, slippage: float) -> tuple[float, float]:
    """Profit in percent before fees of one part, and the quotient of its slipped prices."""
    if long:
        open_s, close_s = price_open * (1 + slippage / 100), price_close * (1 - slippage / 100)
        return ((close_s - open_s) / open_s) * 100, close_s / open_s
    open_s, close_s = price_open * (1 - slippage / 100), price_close * (1 + slippage / 100)
    return ((open_s - close_s) / open_s) * 100, close_s / open_s


def _effective_prices(position: Position) -> list[float]:
    """The entry price of every partial close, and last of what is still held."""
    entries, partials = position.entries, position.partials
    first = partials[0]
    coins = 0.0
    for entry in entries[: first.entry_count_at_close]:
        coins += entry.cost / entry.price
    prices = [first.cost_basis_at_close / coins if coins else position.price_open]
    ends = [*(p.entry_count_at_close for p in partials[1:]), len(entries)]
    for partial, end in zip(partials, ends, strict=True):
        remaining = partial.cost_basis_at_close * (1 - partial.percent / 100)
        added = entries[partial.entry_count_at_close : end]
        prices.append(_blend(remaining, remaining / prices[-1], added, prices[-1]))
    return prices


def _blend(cost: float, coins: float, added: tuple[Entry, ...], fallback: float) -> float:
    """Price of `cost` worth of coins together with further entries; `fallback` when there are no coins at all."""
    new_cost, new_coins = 0.0, 0.0
    for entry in added:
        new_cost += entry.cost
        new_coins += entry.cost / entry.price
    coins += new_coins
    return (cost + new_cost) / coins if coins else fallback
