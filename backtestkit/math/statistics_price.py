"""The price profile: what the closing prices of trades say about the market they were made in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, log
from typing import Final

from backtestkit.math.statistics_formulas import MIN_RATIO_SIGNALS, losses, median, total, wins
from backtestkit.model.interval import DAY_MS
from backtestkit.model.statistics import PriceProfile, TrendName

MIN_TREND_CONFIDENCE: Final = 0.30
MIN_TREND_STEP: Final = 0.25


def price_profile(times: Sequence[int], prices: Sequence[float]) -> PriceProfile:
    """How prices moved from one to the next in the order of `times` (ms UTC); needs 10 times and prices above 0."""
    points = [(t, p) for t, p in zip(times, prices, strict=True) if t > 0 and 0 < p < inf]
    if len(points) < MIN_RATIO_SIGNALS:
        return PriceProfile()
    points.sort(key=lambda point: point[0])
    moves = [(p - before) / before for (_, before), (_, p) in pairwise(points)]
    ups, downs = wins(moves), losses(moves)
    way = total(abs(m) for m in moves)
    strength_up = total(ups) / way if way > 0 else None
    strength_down = total(abs(m) for m in downs) / way if way > 0 else None
    step = (median([abs(m) for m in moves]) or 0.0) * 100
    slope, confidence = trend_line(points)
    return PriceProfile(
        median_step_size=step,
        buyer_pressure=len(ups) / (len(ups) + len(downs)) if ups or downs else None,
        seller_pressure=len(downs) / (len(ups) + len(downs)) if ups or downs else None,
        buyer_strength=strength_up,
        seller_strength=strength_down,
        pressure_imbalance=None if strength_up is None or strength_down is None else strength_up - strength_down,
        trend=None if slope is None or confidence is None else trend_name(slope, confidence, step),
        trend_strength=slope,
        trend_confidence=confidence,
    )


def trend_line(points: Sequence[tuple[int, float]]) -> tuple[float | None, float | None]:
    """Least-squares line through the logarithm of price over days: its slope in percent a day, and R squared.

    `points` are times in ms and prices above 0, in order of time. Both are None when all points share one time.
    """
    start = points[0][0]
    if points[-1][0] == start:
        return None, None
    days = [(t - start) / DAY_MS for t, _ in points]
    logs = [log(p) for _, p in points]
    day_mean, log_mean = total(days) / len(days), total(logs) / len(logs)
    sxx = total((d - day_mean) * (d - day_mean) for d in days)
    syy = total((v - log_mean) * (v - log_mean) for v in logs)
    sxy = total((d - day_mean) * (v - log_mean) for d, v in zip(days, logs, strict=True))
    r_squared = sxy * sxy / (sxx * syy) if syy > 0 else 0.0
    return sxy / sxx * 100, min(1.0, max(0.0, r_squared))


def trend_name(slope: float, confidence: float, step: float) -> TrendName:
    """A word for a trend of `slope` percent a day, given R squared and the median step between trades (percent)."""
    if confidence < MIN_TREND_CONFIDENCE:
        return "sideways"
    if abs(slope) < MIN_TREND_STEP * step:
        return "neutral"
    return "bullish" if slope > 0 else "bearish"
