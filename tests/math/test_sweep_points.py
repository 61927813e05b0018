"""Figures of points: slots, days, percentiles, and what too few trades cannot carry."""

from __future__ import annotations

import numpy as np
import pytest

from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.math.sweep_points import (
    Exits,
    PointFigures,
    percentile_index,
    percentile_of_counts,
    point_figures,
    slot_holders,
    taken_trades,
)
from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.sweep import SweepRule


def figures(pnl: list[float], days: list[int], minutes: list[int] | None = None, span: int = 5) -> PointFigures:
    rows = len(pnl)
    exits = Exits(
        np.array([pnl]).T,
        np.array([days]).T * DAY_MS,
        np.array([minutes or [1] * rows]).T,
        np.zeros((rows, 1), dtype=np.int64),
    )
    return point_figures(exits, np.ones((rows, 1), dtype=np.bool_), 0, span)


def test_an_author_is_free_again_after_the_exit_candle() -> None:
    entries = np.array([0, 5, 6, 7]) * MINUTE_MS
    opened = np.array([[5, 4], [9, 9], [9, 9], [9, 9]]) * MINUTE_MS
    taken = taken_trades(entries, np.array([0, 0, 0, 1]), opened, MINUTE_MS)
    assert taken.T.tolist() == [[True, False, True, True], [True, True, False, True]]
    for point, holders in enumerate(([0, 0, 2, 3], [0, 1, 1, 3])):
        assert slot_holders(entries.tolist(), [0, 0, 0, 1], opened[:, point].tolist(), MINUTE_MS) == holders


def test_the_drawdown_is_that_of_the_running_sum_from_zero() -> None:
    found = figures([-1.0, 3.0, -2.0, -2.0, 5.0], [0, 0, 1, 1, 2])
    assert found.total == [3.0] and found.drawdown == [4.0]
    assert found.recovery == [0.75] and found.calmar == [3.0 * 365 / 5 / 4.0]
    assert found.win_rate == [40.0] and found.profit_factor == [8 / 5]


def test_a_first_loss_is_a_drawdown() -> None:
    assert figures([-1.0, -2.0, 1.0], [0, 0, 0]).drawdown == [3.0]


def test_ratios_are_of_days_also_of_those_without_a_trade() -> None:
    daily = np.array([2.0, -1.0, 0.0, 0.0, 0.0])
    found = figures([3.0, -1.0, -1.0], [0, 0, 1])
    assert found.sharpe[0] == pytest.approx(daily.mean() / daily.std() * 5**0.5)
    assert found.sortino[0] == pytest.approx(daily.mean() / (1.0 / 5) ** 0.5 * 5**0.5)


def test_what_nothing_can_be_said_of_is_not_a_number() -> None:
    found = figures([1.0, 1.0], [0, 1], span=2)
    for values in (found.sharpe, found.sortino, found.profit_factor, found.recovery, found.calmar):
        assert np.isnan(values[0])
    assert found.win_rate == [100.0] and found.mean == [1.0]


def test_a_spread_that_is_only_rounding_is_none() -> None:
    assert np.isnan(figures([0.1, 0.1, 0.1], [0, 1, 2], span=3).sharpe[0])


def test_percentiles_of_the_time_held() -> None:
    minutes = list(range(1, 41))
    found = figures([1.0] * 40, [0] * 40, minutes)
    assert (found.p95_minutes, found.p99_minutes, found.mean_minutes) == ([39], [40], [20.5])
    assert percentile_of_counts(found.minutes_count, 95) == 39 and percentile_of_counts(found.minutes_count, 99) == 40
    assert percentile_of_counts(np.zeros(0, dtype=np.int64), 95) is None
    assert [percentile_index(n, 95) for n in (1, 20, 40)] == [0, 19, 38]


def test_a_point_without_a_trade_has_counts_and_nothing_else() -> None:
    exits = Exits(np.ones((1, 2)), np.zeros((1, 2), np.int64), np.full((1, 2), 7), np.zeros((1, 2), np.int64))
    found = point_figures(exits, np.array([[True, False]]), 0, 1)
    assert found.trade_count == [1, 0] and found.total == [1.0, 0.0] and found.p95_minutes == [7, -1]
    assert np.isnan(found.mean[1]) and np.isnan(found.win_rate[1]) and np.isnan(found.mean_minutes[1])
    assert found.reasons == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


def test_the_last_axis_varies_fastest() -> None:
    grid = SweepGrid((1.0, 2.0), (3.0,), (60, 120), (0.0, 4.0))
    assert len(grid) == 8 and grid.horizon == 120
    assert grid.rules()[:3] == [
        SweepRule(1.0, 3.0, 60, 0.0),
        SweepRule(1.0, 3.0, 60, 4.0),
        SweepRule(1.0, 3.0, 120, 0.0),
    ]
    places = grid.places(2, 5)
    assert (places.stop.tolist(), places.profit.tolist(), places.hold.tolist()) == ([0, 0, 1], [0, 1, 0], [1, 1, 0])
    assert grid.unlocked.tolist() == [3]
