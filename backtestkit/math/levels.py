"""Where a position stands between its levels: progress, milestones, breakeven."""

from __future__ import annotations

from backtestkit.model.signal import PositionSide

MILESTONE = 10
"""Every so many percent of the way to a level a level event is raised."""


def progress(distance: float, span: float) -> float:
    """Percent (0 to 100) of the way to a level: `distance` covered of `span`; 100 for a level at or behind the entry."""
    if span <= 0:
        return 100.0
    percent = distance / span * 100
    return 100.0 if percent > 100 else percent if percent > 0 else 0.0


def last_milestone(progress: float) -> int:
    """The highest milestone (a multiple of 10 up to 100) that a progress of 0 to 100 percent has reached, 0 for none."""
    return int(progress // MILESTONE) * MILESTONE


def breakeven_threshold(percent_slippage: float, percent_fee: float, breakeven_threshold: float) -> float:
    """Percent that the price must move before a stop at the entry is offered: both sides' costs plus the threshold."""
    return (percent_slippage + percent_fee) * 2 + breakeven_threshold


def breakeven_price(position: PositionSide, price_open: float, threshold: float) -> float:
    """The price at which breakeven is reached, `threshold` percent beyond `price_open`."""
    return price_open * (1 + threshold / 100) if position == "long" else price_open * (1 - threshold / 100)


def sl_percent_shift_to_price(
    percent_shift: float, price_stop_loss: float, price_open: float, position: PositionSide
) -> float:
    """The stop that lies `percent_shift` percentage points (of the entry) further away than `price_stop_loss`.

    A negative shift comes closer; past the entry it locks in profit.
    """
    percent = abs(price_open - price_stop_loss) / price_open * 100 + percent_shift
    return price_open * (1 - percent / 100) if position == "long" else price_open * (1 + percent / 100)


def tp_percent_shift_to_price(
    percent_shift: float, price_take_profit: float, price_open: float, position: PositionSide
) -> float:
    """The take profit that lies `percent_shift` percentage points (of the entry) further away than `price_take_profit`."""
    percent = abs(price_open - price_take_profit) / price_open * 100 + percent_shift
    return price_open * (1 + percent / 100) if position == "long" else price_open * (1 - percent / 100)


def sl_price_to_percent_shift(price: float, price_stop_loss: float, price_open: float, position: PositionSide) -> float:
    """The shift that brings the stop to `price`; a stop in the profit zone has a negative distance."""
    signed = (price_open - price if position == "long" else price - price_open) / price_open * 100
    return signed - abs(price_open - price_stop_loss) / price_open * 100


def tp_price_to_percent_shift(
    price: float, price_take_profit: float, price_open: float, position: PositionSide
) -> float:
    """The shift that brings the take profit to `price`."""
    signed = (price - price_open if position == "long" else price_open - price) / price_open * 100
    return signed - abs(price_open - price_take_profit) / price_open * 100
