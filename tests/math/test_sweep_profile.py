"""The profile of an idea: how far the market went for and against it, and when."""

from __future__ import annotations

import pytest

from backtestkit.math.sweep_profile import idea_profile
from backtestkit.model.sweep import Idea, IdeaDirection, IdeaProfile
from scenarios.market import MINUTE, START, candles

ROWS = [
    (100.0, 101.0, 99.0, 100.0, 1.0),
    (100.0, 102.0, 97.0, 101.0, 1.0),
    (101.0, 105.0, 101.0, 104.0, 1.0),
    (104.0, 104.0, 96.0, 99.0, 1.0),
]


def profile(direction: IdeaDirection) -> IdeaProfile:
    idea = Idea("i", START - MINUTE, "BTC", direction)
    return idea_profile(idea, candles(ROWS), step=MINUTE, truncated=True)


def test_of_a_long() -> None:
    found = profile("long")
    assert (found.entry_timestamp, found.entry_price, found.candles, found.truncated) == (START, 100.0, 4, True)
    assert found.favourable_percent == pytest.approx(5.0) and found.favourable_minute == 3
    assert found.adverse_percent == pytest.approx(4.0) and found.adverse_minute == 4
    assert found.adverse_before_percent == pytest.approx(3.0), "in the candles before the best one"
    assert found.median_percent == pytest.approx(0.5) and not found.hit
    assert found.outcome_known_at == START + 4 * MINUTE


def test_of_a_short_it_is_the_other_way_round() -> None:
    found = profile("short")
    assert found.favourable_percent == pytest.approx(4.0) and found.favourable_minute == 4
    assert found.adverse_percent == pytest.approx(5.0) and found.adverse_minute == 3
    assert found.adverse_before_percent == pytest.approx(5.0)
    assert found.median_percent == pytest.approx(-0.5) and found.hit


def test_a_best_first_candle_has_nothing_before_it() -> None:
    idea = Idea("i", START - MINUTE, "BTC", "long")
    found = idea_profile(idea, candles([(100, 101, 99, 100, 1), (100, 100, 90, 95, 1)]), step=MINUTE, truncated=False)
    assert found.favourable_minute == 1 and found.adverse_before_percent == 0.0
