"""A market that does not exist, the same every time, whichever window of it is made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.market.resample import resample
from backtestkit.market.synthetic import SyntheticExchange
from backtestkit.model.candle import Candles
from backtestkit.model.interval import DAY_MS, MINUTE_MS

START = 1_735_689_600_000  # 2025-01-01


def month(symbol: str = "BTCUSDT", **fields: Any) -> Candles:
    return SyntheticExchange(**fields).read_candles(symbol, "1m", START, START + 30 * DAY_MS)


MONTH = month(seed=3)


@given(first=st.integers(0, 43_000), size=st.integers(1, 3000))
@settings(max_examples=25, deadline=None)
def test_a_window_made_alone_is_the_window_of_the_whole(first: int, size: int) -> None:
    alone = SyntheticExchange(seed=3).read_candles(
        "BTCUSDT", "1m", START + first * MINUTE_MS, START + min(first + size, 43_200) * MINUTE_MS
    )
    assert alone == MONTH[first : first + size]


def test_seeds_and_symbols_make_different_markets() -> None:
    assert month(seed=3) == MONTH
    assert month(seed=4) != MONTH
    assert month("ETHUSDT", seed=3) != MONTH


def test_candles_are_whole_consistent_and_continuous() -> None:
    assert len(MONTH) == 43_200
    assert (np.diff(MONTH.timestamp) == MINUTE_MS).all()
    assert np.array_equal(MONTH.open[1:], MONTH.close[:-1])
    assert (MONTH.high >= np.maximum(MONTH.open, MONTH.close)).all()
    assert (MONTH.low <= np.minimum(MONTH.open, MONTH.close)).all()
    assert (MONTH.low > 0).all() and (MONTH.volume > 0).all()


def test_prices_are_rounded_and_never_zero() -> None:
    cheap = month(start_price=0.02, percent_volatility=300.0)
    assert np.array_equal(np.round(cheap.close, 2), cheap.close)
    assert cheap.low.min() >= 0.01


def test_the_volatility_is_the_one_that_was_asked_for() -> None:
    returns = np.diff(np.log(MONTH.close))
    assert np.std(returns) * math.sqrt(525_960) == pytest.approx(0.6, rel=0.02)
    daily = [
        SyntheticExchange(seed=seed, percent_volatility=40).read_candles("X", "1d", START, START + 200 * DAY_MS)
        for seed in range(3)
    ]
    moves = np.concatenate([np.diff(np.log(days.close)) for days in daily])
    assert np.std(moves) * math.sqrt(365.25) == pytest.approx(0.4, rel=0.1)


def test_volume_has_the_mean_and_a_cycle_of_a_day() -> None:
    assert MONTH.volume.mean() == pytest.approx(5.0, rel=0.05)
    by_minute = MONTH.volume.reshape(30, 1440).mean(axis=0)
    assert by_minute[300:420].mean() > 2 * by_minute[1020:1140].mean()


def test_an_era_begins_and_ends_at_the_start_price() -> None:
    era = 4096 * DAY_MS
    source = SyntheticExchange(start_price=1000.0)
    for when in (-era, 0, era, 5 * era):
        assert source.read_candles("X", "1m", when, when + MINUTE_MS).open[0] == 1000.0


def test_coarser_candles_are_those_of_the_minutes() -> None:
    source = SyntheticExchange(seed=3)
    found = source.read_candles("BTCUSDT", "4h", START, START + DAY_MS)
    assert found == resample(MONTH[:1440], "4h")
    assert len(source.read_candles("BTCUSDT", "1d", START + 1, START + DAY_MS)) == 0
    assert len(source.read_candles("BTCUSDT", "1m", START + 5, START + 5)) == 0


def test_days_in_memory_are_bounded() -> None:
    source = SyntheticExchange()
    first = source.read_candles("X", "1d", START, START + 100 * DAY_MS)
    assert len(source._days) == 64
    assert source.read_candles("X", "1d", START + 90 * DAY_MS, START + 100 * DAY_MS) == first[90:]


def test_the_first_prices_stay_what_they_are() -> None:
    first = SyntheticExchange(seed=1).read_candles("BTCUSDT", "1m", START, START + 3 * MINUTE_MS)
    assert [tuple(row)[1:] for row in first] == FIRST_PRICES


FIRST_PRICES = [
    (22256.61, 22256.61, 22241.72, 22241.72, 4.7778),
    (22241.72, 22245.73, 22237.52, 22243.19, 5.3831),
    (22243.19, 22243.58, 22237.15, 22242.98, 4.4219),
]


@pytest.mark.parametrize("field", ["start_price", "percent_volatility", "mean_volume"])
@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan])
def test_a_market_needs_positive_numbers(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{field}=.* must be a finite number above 0"):
        SyntheticExchange(**{field: value})  # type: ignore[arg-type]


def test_the_schema_says_that_it_is_no_market() -> None:
    schema = SyntheticExchange("demo", seed=9).schema()
    assert schema.exchange_name == "demo"
    assert "SYNTHETIC" in schema.note and "seed 9" in schema.note
    assert schema.span is None
