"""What the market did after an idea, in a dozen numbers."""

from __future__ import annotations

import numpy as np

from backtestkit.math.sweep_touch import signed_path
from backtestkit.model.candle import Candles
from backtestkit.model.sweep import Idea, IdeaProfile


def idea_profile(idea: Idea, candles: Candles, *, step: int, truncated: bool) -> IdeaProfile:
    """The profile of `idea` over `candles` of `step` ms, at least one, of which the first is its entry."""
    path = signed_path(candles, long=idea.direction == "long")
    sign, entry = path.sign, float(path.open[0])
    best, worst = int(path.favourable.argmax()), int(path.adverse.argmin())
    start = int(candles.timestamp[0])

    def percent(price: float) -> float:
        return (price - entry) / (entry * sign) * 100

    def minute(index: int) -> int:
        return (int(candles.timestamp[index]) - start) // 60_000 + 1

    return IdeaProfile(
        idea=idea,
        entry_timestamp=start,
        entry_price=entry * sign,
        candles=len(candles),
        truncated=truncated,
        favourable_percent=max(0.0, percent(float(path.favourable[best]))),
        favourable_minute=minute(best),
        adverse_percent=max(0.0, -percent(float(path.adverse[worst]))),
        adverse_minute=minute(worst),
        adverse_before_percent=max(0.0, -percent(float(path.worst[best - 1]))) if best else 0.0,
        median_percent=percent(float(np.median(path.close))),
        hit=bool(path.close[-1] > entry),
        outcome_known_at=int(candles.timestamp[-1]) + step,
    )
