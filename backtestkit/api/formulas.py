"""The formulas behind a position, for those who want to compute with them. Costs are those of the current configuration."""

from __future__ import annotations

from backtestkit.kit import current_kit
from backtestkit.math import profit
from backtestkit.math.levels import (
    sl_percent_shift_to_price,
    sl_price_to_percent_shift,
    tp_percent_shift_to_price,
    tp_price_to_percent_shift,
)
from backtestkit.math.profit import Costs, Holding, Position, effective_price_open
from backtestkit.model.signal import ProfitLoss

__all__ = [
    "get_effective_price_open", "get_liquidation_price", "get_total_closed", "invested_cost_to_percent", "percent_diff",
    "percent_to_close_cost", "percent_value", "sl_percent_shift_to_price", "sl_price_to_percent_shift", "to_profit_loss",
    "tp_percent_shift_to_price", "tp_price_to_percent_shift",
]  # fmt: skip


def to_profit_loss(position: Position, price_close: float) -> ProfitLoss:
    """Net profit of `position` if it were closed at `price_close`: fees, slippage, entries, partial closes, leverage."""
    return profit.profit_loss(position, price_close, _costs())


def get_effective_price_open(position: Position) -> float:
    """Cost-weighted entry price of what is held, quote currency."""
    return effective_price_open(position)


def get_total_closed(position: Position) -> Holding:
    """Percent of the invested cost that was closed, and the cost basis that remains."""
    return profit.holding(position)


def get_liquidation_price(position: Position) -> float | None:
    """The price at which the leveraged net profit is -100 %, or None where no positive price does that."""
    return profit.liquidation_price(profit.profit_line(position, _costs()))


def percent_diff(a: float, b: float) -> float:
    """How much larger the larger of two numbers is, percent; 0 when they are equal, infinite when one of them is 0."""
    if a == b:
        return 0.0
    smaller, larger = min(a, b), max(a, b)
    return 100 / (smaller / larger) - 100 if smaller and larger else float("inf")


def percent_value(yesterday: float, today: float) -> float:
    """Change from `yesterday` to `today`, percent."""
    return (today / yesterday - 1) * 100


def percent_to_close_cost(percent: float, cost: float) -> float:
    """`percent` of `cost`, quote currency."""
    return percent / 100 * cost


def invested_cost_to_percent(dollars: float, cost: float) -> float:
    """`dollars` as percent of `cost`."""
    return dollars / cost * 100


def _costs() -> Costs:
    config = current_kit().config
    return Costs(config.percent_slippage, config.percent_fee)
