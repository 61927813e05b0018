"""How large a position should be: formulas in base currency from a balance and prices in quote currency.

Percents are percents. Inputs are checked by whoever takes them from users; here they are numbers above 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backtestkit.model.candle import Floats
from backtestkit.model.interval import DAY_MS
from backtestkit.model.sizing import SizeLimit

DAYS_PER_YEAR = 365
"""Markets that never close."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Limits of a size; None is no limit. Sizes are base currency, the percentage is of the balance.

    They apply in this order, so that caps win over the minimum. `max_leverage` is the most that the position may move,
    in balances.
    """

    min_position_size: float | None = None
    max_position_percentage: float | None = None
    max_position_size: float | None = None
    max_leverage: float | None = None


def risk_quantity(balance: float, risk_percentage: float, distance: float) -> float:
    """The quantity that loses `risk_percentage` of the balance when the price moves by `distance` (quote currency)."""
    return balance * risk_percentage / 100 / distance


def kelly_fraction(win_rate: float, win_loss_ratio: float) -> float:
    """The share of the balance that maximises its long-run growth; 0 or less without an edge.

    `win_rate` is a fraction, 0.6 for 60 %; `win_loss_ratio` is the mean win over the mean loss. J. L. Kelly, "A New
    Interpretation of Information Rate", 1956.
    """
    return (win_rate * win_loss_ratio - (1 - win_rate)) / win_loss_ratio


def kelly_quantity(
    balance: float, win_rate: float, win_loss_ratio: float, kelly_multiplier: float, price_open: float
) -> float:
    """The quantity worth `kelly_multiplier` times the Kelly share of the balance; 0 without an edge."""
    return balance * max(0.0, kelly_fraction(win_rate, win_loss_ratio)) * kelly_multiplier / price_open


def volatility_quantity(balance: float, target_volatility: float, volatility: float, price_open: float) -> float:
    """The quantity whose value moves by `target_volatility` percent of the balance a year when its price moves by
    `volatility` percent."""
    return balance * (target_volatility / volatility) / price_open


def limited(quantity: float, balance: float, price_open: float, limits: SizeLimits) -> tuple[float, SizeLimit | None]:
    """`quantity` within `limits`, and the last one that changed it."""
    changed: SizeLimit | None = None
    if limits.min_position_size is not None and quantity < limits.min_position_size:
        quantity, changed = limits.min_position_size, "min_position_size"
    if limits.max_position_percentage is not None:
        most = balance * limits.max_position_percentage / 100 / price_open
        if quantity > most:
            quantity, changed = most, "max_position_percentage"
    if limits.max_position_size is not None and quantity > limits.max_position_size:
        quantity, changed = limits.max_position_size, "max_position_size"
    if limits.max_leverage is not None:
        most = balance * limits.max_leverage / price_open
        if quantity > most:
            quantity, changed = most, "balance"
    return quantity, changed


def average_true_range(high: Floats, low: Floats, close: Floats) -> float:
    """Mean true range of all candles but the first, which only gives the close before the second.

    The true range of a candle is its range together with the close before it. J. W. Wilder, "New Concepts in Technical
    Trading Systems", 1978; his smoothing starts with this mean.
    """
    before = close[:-1]
    ranges = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return float(ranges.mean())


def annual_volatility(close: Floats, step_ms: int) -> float:
    """Sample standard deviation of the log returns of candles `step_ms` long, in percent a year of 365 days."""
    returns = np.diff(np.log(close))
    return float(returns.std(ddof=1)) * math.sqrt(DAYS_PER_YEAR * DAY_MS / step_ms) * 100
