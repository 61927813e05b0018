"""Profits so close to zero that rounding decides: a jump looks at the neighbours one by one, as a walk would.

Under `extremes="price"` only a price at a profit makes a best point, so the last new price may be none while one before
it is, when the two profits differ by rounding only.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from backtestkit.clients.bars import Bars
from backtestkit.clients.plan import NEAR_ZERO_PERCENT, summarise
from backtestkit.clients.position import Pricing
from backtestkit.math.profit import Costs
from backtestkit.model.fill_policy import REFERENCE
from backtestkit.model.signal import SignalRow
from scenarios.market import MINUTE, candles, flat
from scenarios.rows import signal_row

PRICING = Pricing(Costs(0.1, 0.1), 0.2)
ROW = signal_row()
LEVELS = PRICING.levels(ROW)


def profit(price: float) -> float:
    return PRICING.profit(ROW, LEVELS, price).pnl_percentage


def turning_point() -> float:
    """The highest price at which the net profit is not above zero."""
    low, high = 100.0, 101.0
    while math.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (low, middle) if profit(middle) > 0 else (middle, high)
    return low


ZERO = turning_point()


def peak(*averages: float, row: SignalRow = ROW) -> float | None:
    bars = Bars(candles(flat(100, len(averages))), step=MINUTE, average_count=1, policy=REFERENCE)
    bars.average = np.array(averages)
    found = summarise(bars, 0, len(averages), row, LEVELS, PRICING, by_price=True).peak
    return None if found is None else found.price


def test_the_turning_point_is_one() -> None:
    above = math.nextafter(ZERO, math.inf)
    assert -NEAR_ZERO_PERCENT < profit(ZERO) <= 0 < profit(above) < NEAR_ZERO_PERCENT


def test_a_price_just_above_zero_is_a_best_point() -> None:
    assert peak(100.1, math.nextafter(ZERO, math.inf), 100.2) == math.nextafter(ZERO, math.inf)


def test_prices_that_are_not_above_zero_are_none_however_near() -> None:
    below = math.nextafter(ZERO, 0.0)
    assert peak(below, ZERO) is None
    assert peak(100.3, ZERO) is None
    assert peak(100.3, ZERO - 1e-7, ZERO) is None


@pytest.mark.parametrize("price", [100.3, 100.39])
def test_prices_clearly_at_a_loss_are_none_without_a_closer_look(price: float) -> None:
    assert profit(price) < -NEAR_ZERO_PERCENT
    assert peak(price) is None
