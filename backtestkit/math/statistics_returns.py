"""The shape of a series of returns: spread, skewness, tails, and how much a Sharpe ratio is worth."""

from __future__ import annotations

from math import erf, sqrt
from typing import Final

import numpy as np

from backtestkit.math.statistics_formulas import EPS
from backtestkit.model.analysis import ReturnFigures
from backtestkit.model.candle import Floats

MIN_SHAPE_RETURNS: Final = 20
"""The fewest returns of which 5 % are one of them."""
TAIL_PERCENT: Final = 5.0


def return_figures(returns: Floats) -> ReturnFigures:
    """The figures of returns in percent, in any order."""
    n = len(returns)
    if n < 2:
        return ReturnFigures(count=n, mean=float(returns.mean()) if n else None)
    spread = float(returns.std(ddof=1))
    mean = float(returns.mean())
    if n < MIN_SHAPE_RETURNS:
        return ReturnFigures(count=n, mean=mean, std_dev=spread)
    low, high = (float(tail) for tail in np.percentile(returns, (TAIL_PERCENT, 100 - TAIL_PERCENT)))
    skew, kurt = skewness(returns), excess_kurtosis(returns)
    return ReturnFigures(
        count=n,
        mean=mean,
        std_dev=spread,
        skewness=skew,
        kurtosis=kurt,
        value_at_risk_95=low,
        conditional_value_at_risk_95=float(returns[returns <= low].mean()),
        tail_ratio=abs(high) / abs(low) if abs(low) > EPS else None,
        probabilistic_sharpe_ratio=(
            None if skew is None or kurt is None else probabilistic_sharpe_ratio(mean / spread, n, skew, kurt)
        ),
    )


def skewness(values: Floats) -> float | None:
    """m3 / m2^1.5 with central moments m (Fisher and Pearson's g1); None without a spread."""
    offsets = values - values.mean()
    second = float((offsets**2).mean())
    return None if second <= EPS**2 else float((offsets**3).mean()) / second**1.5


def excess_kurtosis(values: Floats) -> float | None:
    """m4 / m2^2 - 3 with central moments m (g2); None without a spread."""
    offsets = values - values.mean()
    second = float((offsets**2).mean())
    return None if second <= EPS**2 else float((offsets**4).mean()) / second**2 - 3


def probabilistic_sharpe_ratio(
    sharpe: float, returns: int, skew: float, excess: float, benchmark: float = 0.0
) -> float | None:
    """Probability, 0 to 1, that the true Sharpe ratio per period is above `benchmark`.

    Phi((S - S*) sqrt(n - 1) / sqrt(1 - g3 S + (g4 - 1) / 4 S^2)) with skewness g3 and kurtosis g4 = excess + 3 (Bailey and
    Lopez de Prado 2012, *The Sharpe Ratio Efficient Frontier*). None when the moments allow no such variance.
    """
    variance = 1 - skew * sharpe + (excess + 2) / 4 * sharpe * sharpe
    if variance <= 0 or returns < 2:
        return None
    deviations = (sharpe - benchmark) * sqrt(returns - 1) / sqrt(variance)
    return (1 + erf(deviations / sqrt(2))) / 2
