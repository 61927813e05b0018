"""Columns for charts: what thinning keeps, and what is derived from an equity curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trades import START

from backtestkit.math.statistics_equity import daily_returns, daily_sharpe, drawdowns
from backtestkit.model.analysis import EquityCurve
from backtestkit.model.candle import Candles, Floats
from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.services.report.html import series


def walk(count: int, seed: int = 1) -> Floats:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.001, count)))


def minutes(count: int, first: int = START, step: int = 1) -> Candles:
    """A walk as candles; each opens where the one before closed."""
    close = walk(count)
    opened = np.concatenate(([100.0], close[:-1]))
    times = first + np.arange(count, dtype=np.int64) * MINUTE_MS * step
    top, bottom = np.maximum(opened, close) + 0.01, np.minimum(opened, close) - 0.01
    return Candles(times, opened, top, bottom, close, np.ones(count))


def curve(equity: Floats, *, hours: float = 24, first: int = START) -> EquityCurve:
    """An account of 100 whose equity is known every so many hours, invested all the time."""
    times = first + np.arange(len(equity), dtype=np.int64) * int(hours * 60 * MINUTE_MS)
    return EquityCurve(times, equity, np.full(len(equity), 100.0), 100.0, True)


# -- thinning ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(6, 100))
def test_a_thinned_line_keeps_its_ends_and_extremes_and_its_limit(values: list[float], limit: int) -> None:
    column = np.array(values)
    places = series.thinned(column, limit)
    kept = column[places]
    assert len(places) <= limit
    assert (np.diff(places) > 0).all()
    assert (places[0], places[-1]) == (0, len(values) - 1)
    assert (kept.min(), kept.max()) == (column.min(), column.max())


def test_a_spike_of_one_minute_in_a_year_is_drawn() -> None:
    values = np.zeros(525_600)
    values[123_456], values[400_001] = -5.0, 7.0
    places = series.thinned(values)
    assert {123_456, 400_001} <= set(places.tolist())
    assert len(places) <= series.POINTS_MAX


# -- candles ----------------------------------------------------------------------------------------------------------


def test_few_candles_stay_as_they_are() -> None:
    source = minutes(50_000)
    bars = series.resampled(source)
    assert (bars.name, bars.width) == ("1m", MINUTE_MS)
    np.testing.assert_array_equal(bars.time, source.timestamp)
    np.testing.assert_array_equal(bars.close, source.close)


@pytest.mark.parametrize(("count", "name"), [(60_001, "3m"), (180_100, "5m"), (525_600, "15m"), (2_000_000, "1h")])
def test_many_candles_become_the_narrowest_bars_that_fit(count: int, name: str) -> None:
    bars = series.resampled(minutes(count))
    assert bars.name == name == series.BAR_STEPS[bars.width // MINUTE_MS]
    assert len(bars.time) <= series.BARS_MAX + 1


def test_a_bar_has_the_first_open_the_extremes_and_the_last_close() -> None:
    source = minutes(600, first=START + 7 * MINUTE_MS)  # starts inside a bar
    bars = series.resampled(source, limit=50)
    assert bars.name == "15m"
    assert bars.time[0] == START and (bars.time % (15 * MINUTE_MS) == 0).all()
    inside = slice(8, 23)  # the second bar
    assert bars.open[1] == source.open[inside][0]
    assert bars.high[1] == source.high[inside].max()
    assert bars.low[1] == source.low[inside].min()
    assert bars.close[1] == source.close[inside][-1]
    assert (bars.high.max(), bars.low.min()) == (source.high.max(), source.low.min())


def test_more_than_the_widest_readable_bars_are_widened_further() -> None:
    bars = series.resampled(minutes(400, step=10_080), limit=100)
    assert len(bars.time) <= 101
    assert bars.name == "28d"


def test_no_candles_make_no_bars() -> None:
    assert len(series.resampled(Candles.empty()).time) == 0


# -- equity -----------------------------------------------------------------------------------------------------------


def test_the_deepest_point_under_water_is_the_max_drawdown_of_the_analysis() -> None:
    account = curve(walk(500, 3), hours=1)
    below = series.underwater(account)
    assert -below.min() == drawdowns(account).percent
    assert below.max() <= 0


def test_an_account_cannot_be_further_under_water_than_all_of_it() -> None:
    assert series.underwater(curve(np.array([100.0, -20.0]))).min() == -100


def test_months_compound_to_the_return_of_the_whole_span() -> None:
    account = curve(walk(500, 4))
    months = series.monthly_returns(account)
    assert months is not None
    assert months.years == [2025, 2026]
    growth = np.prod(1 + months.returns[~np.isnan(months.returns)] / 100)
    assert growth == pytest.approx(account.equity[-1] / account.capital)
    assert np.prod(1 + months.totals / 100) == pytest.approx(growth)


def test_a_month_is_measured_from_the_end_of_the_one_before() -> None:
    equity = np.full(60, 100.0)
    equity[31:] = 110.0  # from the first of February on
    months = series.monthly_returns(curve(equity, first=START))
    assert months is not None
    assert months.returns[0, :3].tolist() == pytest.approx([10.0, 0.0, 0.0], nan_ok=True)
    assert np.isnan(months.returns[0, 3:]).all()


def test_an_account_that_fell_to_nothing_has_no_months() -> None:
    assert series.monthly_returns(curve(np.array([100.0, 0.0, 5.0]))) is None


def test_the_rolling_sharpe_ratio_is_that_of_the_last_days() -> None:
    account = curve(walk(100, 5))
    times, ratios = series.rolling_sharpe(account)
    returns = daily_returns(account)
    assert len(times) == len(ratios) == len(returns) - 29
    assert ratios[0] == pytest.approx(daily_sharpe(returns[:30]))
    assert ratios[-1] == pytest.approx(daily_sharpe(returns[-30:]))
    assert times[-1] == account.times[-1]


def test_the_rolling_sharpe_ratio_needs_its_days_and_a_spread() -> None:
    assert len(series.rolling_sharpe(curve(walk(20)))[0]) == 0
    assert np.isnan(series.rolling_sharpe(curve(np.full(40, 100.0)))[1]).all()


def test_exposure_is_the_share_of_each_day_with_money_at_work() -> None:
    times = START + np.array([0, DAY_MS // 4, DAY_MS, 2 * DAY_MS + DAY_MS // 2], dtype=np.int64)
    account = EquityCurve(times, np.full(4, 100.0), np.array([0.0, 50.0, 0.0, 0.0]), 100.0, False)
    days, shares, step = series.exposure(account)
    assert days.tolist() == [START, START + DAY_MS, START + 2 * DAY_MS]
    assert shares.tolist() == pytest.approx([75.0, 0.0, 0.0])
    assert step == 1


def test_exposure_of_years_is_counted_in_longer_stretches() -> None:
    days, shares, step = series.exposure(curve(np.full(4_000, 100.0)))
    assert step > 1 and len(days) <= series.STRETCHES_MAX + 1
    assert shares.tolist() == pytest.approx([100.0] * len(shares))


# -- distribution -----------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=200))
def test_bins_hold_every_value_once_and_never_both_signs(values: list[float]) -> None:
    bins = series.binned(np.array(values))
    assert bins.counts.sum() == len(values)
    assert len(bins.edges) == len(bins.counts) + 1 <= series.BINS_MAX + 3
    assert not ((bins.edges[:-1] < -1e-9) & (bins.edges[1:] > 1e-9)).any()


def test_equal_values_are_one_bin_of_a_width_that_can_be_read() -> None:
    bins = series.binned(np.full(7, 0.5974))
    assert bins.counts.tolist() == [7]
    assert bins.edges.tolist() == pytest.approx([0.595, 0.6])


def test_no_values_make_no_bins() -> None:
    assert len(series.binned(np.zeros(0)).counts) == 0


@pytest.mark.parametrize(("values", "ends"), [
    ([5.0, 10.0], [0.0, 11.0]), ([-10.0], [-11.0, 0.0]), ([-5.0, 5.0], [-6.0, 6.0]), ([0.0], [0.0, 1.0]),
])  # fmt: skip
def test_an_axis_has_zero_and_room_where_texts_go(values: list[float], ends: list[float]) -> None:
    assert series.roomy(values, 0.1) == ends
