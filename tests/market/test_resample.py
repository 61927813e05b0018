"""Coarser candles out of finer ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.market.resample import resample
from backtestkit.model.candle import Candle, Candles

MINUTE = 60_000


def minutes(there: list[int], filled: list[bool] | None = None) -> Candles:
    close = np.array([100.0 + (7 * m) % 11 for m in there])
    stamps = np.array(there, dtype=np.int64) * MINUTE
    return Candles.from_columns(stamps, close - 1, close + 2, close - 3, close, np.array(there) + 1.0, filled=filled)


def test_a_bucket_takes_first_highest_lowest_last_and_sum() -> None:
    base = minutes(list(range(5, 10)))
    assert list(resample(base, "5m")) == [
        Candle(5 * MINUTE, base.open[0], base.high.max(), base.low.min(), base.close[4], base.volume.sum())
    ]


def test_buckets_start_at_multiples_counted_from_the_epoch() -> None:
    assert (resample(minutes(list(range(3, 20))), "5m").timestamp // MINUTE).tolist() == [0, 5, 10, 15]


def test_the_last_bucket_must_be_complete() -> None:
    assert (resample(minutes(list(range(9))), "5m").timestamp // MINUTE).tolist() == [0]
    assert (resample(minutes(list(range(10))), "5m").timestamp // MINUTE).tolist() == [0, 5]


def test_a_bucket_that_ends_in_a_hole_is_complete_when_that_is_known() -> None:
    base = minutes([0, 1, 2, 3, 4, 5, 6])
    assert len(resample(base, "5m")) == 1
    assert len(resample(base, "5m", until=9 * MINUTE)) == 1
    assert len(resample(base, "5m", until=10 * MINUTE)) == 2


def test_holes_inside_a_bucket_do_not_count_and_an_empty_bucket_is_missing() -> None:
    found = resample(minutes([0, 2, 14]), "5m")
    assert (found.timestamp // MINUTE).tolist() == [0, 10]
    assert found.volume.tolist() == [4.0, 15.0]


def test_only_a_bucket_of_filled_candles_is_filled() -> None:
    found = resample(minutes(list(range(10)), filled=[False] + [True] * 9), "5m")
    assert found.filled is not None and found.filled.tolist() == [False, True]


def test_other_base_intervals_work_the_same() -> None:
    hours = minutes([0, 60, 120, 180])
    assert len(resample(hours, "2h", base_interval="1h")) == 2
    assert resample(hours, "1h", base_interval="1h") is hours
    assert len(resample(Candles.empty(), "1h")) == 0


@pytest.mark.parametrize(("interval", "base"), [("1m", "5m"), ("5m", "3m")])
def test_an_interval_that_is_no_multiple_is_refused(interval: str, base: str) -> None:
    with pytest.raises(UsageError, match=f"{interval} candles cannot be made from {base} candles"):
        resample(minutes([0, 3]), interval, base_interval=base)


@given(st.sets(st.integers(0, 100), min_size=1), st.sampled_from(["3m", "5m", "15m"]))
def test_resampling_in_two_steps_is_resampling_at_once(there: set[int], middle: str) -> None:
    base = minutes(sorted(there))
    until = 120 * MINUTE
    twice = resample(resample(base, middle, until=until), "30m", base_interval=middle, until=until)
    once = resample(base, "30m", until=until)
    assert twice == once
