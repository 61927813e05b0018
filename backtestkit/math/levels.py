"""Where a position stands between its levels: progress, milestones, breakeven."""

from __future__ import annotations

from backtestkit.model.signal import PositionSide

MILESTONES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
"""Percent of the way to a level at which a level event is raised."""


def progress(distance: float, span: float) -> float:
    """Percent (0 to 100) of the way to a level: `distance` covered of `span`; 100 for a level at or behind the entry."""
    if span <= 0:
        return 100.0
    percent = distance / span * 100
    return 100.0 if percent > 100 else percent if percent > 0 else 0.0


def breakeven_threshold(percent_slippage: float, percent_fee: float, breakeven_threshold: float) -> float:
    """Percent that the price must move before a stop at the entry is offered: both sides' costs plus the threshold."""
    return (percent_slippage + percent_fee) * 2 + breakeven_threshold


def breakeven_price(position: PositionSide, price_open: float, threshold: float) -> float:
    """The price at which breakeven is reached, `threshold` percent beyond `price_open`."""
    return price_open * (1 + threshold / 100) if position == "long" else price_open * (1 - threshold / 100)
