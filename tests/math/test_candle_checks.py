"""Candles that cannot be true are refused, by the rule they break and at the candle that breaks it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import CandleError, GapError, SourceError
from backtestkit.math.candle_checks import check_order, check_times, find_holes, is_clean, validate_candles
from backtestkit.model.candle import Candles

MINUTE = 60_000


def candles(*rows: Sequence[float]) -> Candles:
    """Rows of open, high, low, close, volume, one a minute from 1970-01-01 00:00."""
    return Candles.from_rows([(i * MINUTE, *row) for i, row in enumerate(rows)])


GOOD = (100.0, 101.0, 99.0, 100.0, 10.0)


def refusal(
    rows: Candles, *, strict: bool = False, factor: float = 1000, median_from: int = 5
) -> tuple[str, int | None]:
    with pytest.raises(CandleError) as caught:
        validate_candles(rows, anomaly_factor=factor, min_candles_for_median=median_from, strict=strict)
    return caught.value.code, caught.value.timestamp


def accept(rows: Candles, *, strict: bool = False, factor: float = 1000, median_from: int = 5) -> None:
    validate_candles(rows, anomaly_factor=factor, min_candles_for_median=median_from, strict=strict)


class TestValues:
    def test_no_candles_are_fine(self) -> None:
        accept(Candles.empty(), strict=True)

    def test_zero_volume_is_fine(self) -> None:
        accept(candles((100, 101, 99, 100, 0)), strict=True)

    @pytest.mark.parametrize("place", range(5))
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_every_value_must_be_finite(self, place: int, value: float) -> None:
        row = list(GOOD)
        row[place] = value
        assert refusal(candles(GOOD, GOOD, GOOD, GOOD, GOOD, row)) == ("candle_not_finite", 5 * MINUTE)

    @pytest.mark.parametrize("place", range(4))
    @pytest.mark.parametrize("value", [0.0, -1.0])
    def test_prices_must_be_above_zero(self, place: int, value: float) -> None:
        row = list(GOOD)
        row[place] = value
        assert refusal(candles(GOOD, row)) == ("candle_not_positive", MINUTE)

    def test_volume_must_not_be_negative(self) -> None:
        assert refusal(candles(GOOD, (100, 101, 99, 100, -0.5))) == ("candle_not_positive", MINUTE)

    def test_high_must_not_be_below_low(self) -> None:
        assert refusal(candles(GOOD, (100, 98, 99, 98.5, 1))) == ("candle_high_below_low", MINUTE)

    def test_a_price_far_below_the_typical_one_is_an_anomaly(self) -> None:
        assert refusal(candles(GOOD, GOOD, (100, 101, 0.05, 100, 1))) == ("candle_anomaly", 2 * MINUTE)

    def test_a_price_far_above_is_one_only_in_strict(self) -> None:
        rows = candles(*[GOOD] * 5, (100_000, 101_000, 99_000, 100_000, 1))
        accept(rows)
        assert refusal(rows, strict=True) == ("candle_anomaly", 5 * MINUTE)

    @pytest.mark.parametrize("row", [(105, 101, 99, 100, 1), (100, 101, 99, 98, 1)])
    def test_open_and_close_must_lie_between_low_and_high_only_in_strict(self, row: tuple[float, ...]) -> None:
        accept(candles(GOOD, row))
        assert refusal(candles(GOOD, row), strict=True) == ("candle_open_close_outside", MINUTE)

    def test_the_first_bad_candle_is_reported_by_its_first_broken_rule(self) -> None:
        worse = (math.nan, 0, 99, 100, 1)
        assert refusal(candles(GOOD, (100, 98, 99, 0, 1), worse)) == ("candle_not_positive", MINUTE)

    def test_nothing_above_zero_leaves_no_reference(self) -> None:
        assert refusal(candles((0, 0, 0, 0, 1)))[0] == "candle_not_positive"
        assert refusal(candles((math.nan,) * 4 + (1,)))[0] == "candle_not_finite"

    def test_the_message_shows_the_candle_and_the_reason(self) -> None:
        with pytest.raises(
            CandleError, match=r"1970-01-01 00:01 cannot be true: high is below low \(open=100, high=98"
        ):
            accept(candles(GOOD, (100, 98, 99, 98.5, 1)))


class TestReferencePrice:
    def test_few_candles_use_the_mean(self) -> None:
        # Mean 6250.75 makes 6 an anomaly at a factor of 1000; the upper median, 1e4, as well; 7 is none for the mean.
        rows = candles((10_000, 10_000, 7, 10_000, 1))
        assert (10_000 * 3 + 7) / 4 / 1000 > 7
        assert refusal(rows)[0] == "candle_anomaly"
        accept(rows, factor=1100)
        assert refusal(rows, factor=1100, median_from=1)[0] == "candle_anomaly"

    def test_from_the_minimum_on_it_is_the_upper_median(self) -> None:
        # Four values, two of each: the upper one of the middle two counts, so that 1 is 2000 times too low.
        rows = candles((2000, 2000, 1, 1, 1))
        assert refusal(rows, median_from=1)[0] == "candle_anomaly"
        accept(rows, median_from=2, factor=1001)

    def test_values_of_zero_and_less_do_not_count(self) -> None:
        assert refusal(candles((0, 100, 100, 100, 1), GOOD))[0] == "candle_not_positive"


prices = st.floats(min_value=1e-3, max_value=1e6)
wild = st.one_of(prices, st.sampled_from([0.0, -1.0, math.nan, math.inf, 1e-9, 1e12]))


class TestClean:
    def test_no_candles_are_clean(self) -> None:
        assert is_clean(Candles.empty(), anomaly_factor=1000)

    def test_ordinary_candles_are_clean(self) -> None:
        assert is_clean(candles(GOOD, GOOD), anomaly_factor=1000)

    def test_a_range_of_prices_as_wide_as_the_factor_is_not(self) -> None:
        assert not is_clean(candles(GOOD, (0.1, 100, 0.1, 100, 1)), anomaly_factor=1000)

    @given(
        rows=st.lists(st.tuples(wild, wild, wild, wild, wild), min_size=1, max_size=12),
        factor=st.sampled_from([2.0, 10.0, 1000.0]),
        data=st.data(),
    )
    def test_no_part_of_clean_candles_can_be_refused(self, rows: Any, factor: float, data: st.DataObject) -> None:
        whole = candles(*rows)
        if is_clean(whole, anomaly_factor=factor):
            start = data.draw(st.integers(0, len(rows)))
            part = whole[start : data.draw(st.integers(start, len(rows)))]
            accept(part, factor=factor, median_from=data.draw(st.integers(1, 6)))

    @given(
        rows=st.lists(st.tuples(wild, wild, wild, wild, wild), min_size=1, max_size=8), median_from=st.integers(1, 9)
    )
    def test_the_vectorised_rules_agree_with_the_rules_candle_by_candle(self, rows: Any, median_from: int) -> None:
        expected = refusal_by_loops(rows, 1000, median_from)
        if expected is None:
            accept(candles(*rows), median_from=median_from)
        else:
            assert refusal(candles(*rows), median_from=median_from) == expected


def refusal_by_loops(rows: list[tuple[float, ...]], factor: float, median_from: int) -> tuple[str, int | None] | None:
    """The rules as they are written down, for comparison."""
    values = [v for row in rows for v in row[:4] if v > 0]
    if not values:
        return (
            "candle_not_finite" if any(math.isnan(v) for row in rows for v in row[:4]) else "candle_not_positive",
            None,
        )
    reference = sorted(values)[len(values) // 2] if len(rows) >= median_from else float(np.mean(values))
    for i, row in enumerate(rows):
        if not all(map(math.isfinite, row)):
            return "candle_not_finite", i * MINUTE
        if min(row[:4]) <= 0 or row[4] < 0:
            return "candle_not_positive", i * MINUTE
        if row[1] < row[2]:
            return "candle_high_below_low", i * MINUTE
        if min(row[:4]) < reference / factor:
            return "candle_anomaly", i * MINUTE
    return None


def at(*minutes: float) -> Candles:
    stamps = np.array([int(m * MINUTE) for m in minutes], dtype=np.int64)
    ones = np.ones(len(stamps))
    return Candles.from_columns(stamps, ones, ones, ones, ones, ones)


class TestTimes:
    def test_exactly_the_asked_candles_pass(self) -> None:
        check_times(at(3, 4, 5), 3 * MINUTE, MINUTE, 3)

    def test_holes_are_named_with_their_place_and_size(self) -> None:
        with pytest.raises(GapError) as caught:
            check_times(at(1, 4, 6), 0, MINUTE, 8, "bybit BTCUSDT 1m")
        assert caught.value.holes == ((0, 1), (2 * MINUTE, 2), (5 * MINUTE, 1), (7 * MINUTE, 1))
        assert str(caught.value) == (
            "bybit BTCUSDT 1m: asked for 8 candles [1970-01-01 00:00, 1970-01-01 00:08), got 3. 5 are missing: "
            "1970-01-01 00:00, 1970-01-01 00:02 .. 1970-01-01 00:03 (2), 1970-01-01 00:05 and 1 more holes."
        )

    def test_one_missing_candle_is_singular(self) -> None:
        with pytest.raises(GapError, match="1 is missing: 1970-01-01 00:01"):
            check_times(at(0, 2), 0, MINUTE, 3)

    def test_no_candles_at_all_are_one_hole(self) -> None:
        with pytest.raises(GapError) as caught:
            check_times(Candles.empty(), 0, MINUTE, 3)
        assert caught.value.holes == ((0, 3),)

    def test_swapped_candles_are_refused(self) -> None:
        with pytest.raises(SourceError, match="00:01 comes after 1970-01-01 00:02"):
            check_times(at(0, 2, 1, 3), 0, MINUTE, 4)

    def test_repeated_candles_are_refused(self) -> None:
        with pytest.raises(SourceError, match="00:01 comes after 1970-01-01 00:01"):
            check_times(at(0, 1, 1), 0, MINUTE, 3)

    def test_a_gap_that_is_made_up_for_by_an_extra_candle_is_refused(self) -> None:
        with pytest.raises(SourceError, match="got a candle of 1970-01-01 00:03"):
            check_times(at(0, 2, 3), 0, MINUTE, 3)

    def test_a_candle_before_the_range_is_refused(self) -> None:
        with pytest.raises(SourceError, match="got a candle of 1970-01-01 00:01"):
            check_times(at(1, 2, 3), 2 * MINUTE, MINUTE, 3)

    @pytest.mark.parametrize(("minute", "shown"), [(0.5, "00:00:30 is not"), (0.0005, "00:00:00.030 is not")])
    def test_a_time_off_the_grid_is_refused(self, minute: float, shown: str) -> None:
        with pytest.raises(SourceError, match=shown):
            check_order(at(minute), 0, MINUTE, 5 * MINUTE)

    def test_holes_alone_do_not_break_the_order(self) -> None:
        check_order(at(0, 3), 0, MINUTE, 5 * MINUTE)
        check_order(Candles.empty(), 0, MINUTE, 5 * MINUTE)

    @given(st.sets(st.integers(0, 30)))
    def test_holes_and_candles_together_make_the_range(self, there: set[int]) -> None:
        holes = find_holes(at(*sorted(there)).timestamp, 0, MINUTE, 31 * MINUTE)
        missing = [first // MINUTE + i for first, count in holes for i in range(count)]
        assert sorted([*there, *missing]) == list(range(31))
