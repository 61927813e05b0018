"""Tallies of events: they count everything, and list what they are given."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trades import KEY, at, cancelled, closed, opened_after, run_key, scheduled, signal

from backtestkit.math import statistics_events as e
from backtestkit.math.statistics import live_statistics
from backtestkit.model.event import BreakevenEvent, CommitAction, CommitEvent, RiskEvent
from backtestkit.model.performance import MetricType, PerformanceEvent
from backtestkit.model.result import AnyResult, IdleResult
from backtestkit.model.statistics_events import PartialRow, PerformanceStatistics, ScheduleRow, ScheduleStatistics
from backtestkit.model.sync import SyncEvent


def test_events_of_one_kind_are_counted_and_listed_newest_first() -> None:
    events = [BreakevenEvent(KEY, at(i), signal(), 101.0) for i in range(3)]
    figures = e.statistics_of(e.EventTally[BreakevenEvent](), events)
    assert (figures.total_events, figures.event_list) == (3, tuple(events[::-1]))


def test_a_tally_counts_all_events_however_few_are_kept() -> None:
    tally = e.EventTally[int]()
    for number in range(5):
        tally.add(number)
    assert tally.figures([4, 3]).total_events == 5
    assert tally.figures([4, 3]).event_list == (4, 3)


class TestSchedule:
    def test_without_events_there_are_no_rates(self) -> None:
        assert e.ScheduleTally().figures(()) == ScheduleStatistics()

    def test_rates_are_among_the_decided_ones_and_times_are_means_in_minutes(self) -> None:
        events: list[ScheduleRow] = [
            scheduled(0, id="a"), opened_after(0, 10, id="a"),
            scheduled(20, id="b"), cancelled(20, 140, id="b"),
            scheduled(200, id="c"), opened_after(200, 230, id="c"),
            scheduled(300, id="d"),
        ]  # fmt: skip
        figures = e.statistics_of(e.ScheduleTally(), events)
        assert (figures.total_events, figures.total_scheduled) == (7, 4)
        assert (figures.total_opened, figures.total_cancelled) == (2, 1)
        assert figures.activation_rate == pytest.approx(200 / 3)
        assert figures.cancellation_rate == pytest.approx(100 / 3)
        assert (figures.avg_activation_time, figures.avg_wait_time) == (20.0, 120.0)

    def test_an_opening_whose_scheduling_was_not_seen_counts_in_the_time_and_not_in_the_rate(self) -> None:
        events: list[ScheduleRow] = [opened_after(0, 8, id="a"), cancelled(10, 14, id="b")]
        figures = e.statistics_of(e.ScheduleTally(), events)
        assert (figures.activation_rate, figures.cancellation_rate) == (None, None)
        assert (figures.avg_activation_time, figures.avg_wait_time) == (8.0, 4.0)


def test_milestones_are_counted_by_side() -> None:
    sides: list[Literal["profit", "loss"]] = ["profit", "loss", "profit"]
    rows = [PartialRow(KEY, at(i), signal(), 101.0, 10, side) for i, side in enumerate(sides)]
    figures = e.statistics_of(e.PartialTally(), rows)
    assert (figures.total_events, figures.total_profit, figures.total_loss) == (3, 2, 1)


def rejection(symbol: str, strategy: str = "s") -> RiskEvent:
    return RiskEvent(run_key(symbol, strategy_name=strategy), at(0), "limits", signal(), 100.0, 1, "max", "full")


def test_rejections_are_counted_by_name_the_newest_name_first() -> None:
    figures = e.statistics_of(e.RiskTally(), [rejection("A", "x"), rejection("B", "y"), rejection("A", "y")])
    assert figures.total_rejections == 3
    assert list(figures.by_symbol.items()) == [("A", 2), ("B", 1)]
    assert list(figures.by_strategy.items()) == [("y", 2), ("x", 1)]


def commit(action: CommitAction) -> CommitEvent:
    return CommitEvent(KEY, at(0), action, signal(), 100.0, "", None, None, None, None, None)


def test_commands_are_counted_by_kind() -> None:
    actions: list[CommitAction] = [
        "partial_profit", "partial_loss", "trailing_stop", "trailing_take", "breakeven", "average_buy",
        "activate_scheduled", "cancel_scheduled", "close_pending", "close_pending",
    ]  # fmt: skip
    figures = e.statistics_of(e.StrategyTally(), map(commit, actions))
    assert figures.total_events == 10
    assert figures.close_pending_count == 2
    assert all(getattr(figures, f"{action}_count") == 1 for action in actions[:-2])


def test_gates_are_counted_by_what_they_were_asked() -> None:
    opens = [SyncEvent(KEY, at(i), "signal_open", "active", signal(), 100.0, None) for i in range(2)]
    close = SyncEvent(KEY, at(9), "signal_close", "active", signal(), 101.0, "closed")
    figures = e.statistics_of(e.SyncTally(), [*opens, close])
    assert (figures.total_events, figures.open_count, figures.close_count) == (3, 2, 1)


def test_live_figures_are_those_of_the_closed_trades_whatever_else_was_heard() -> None:
    trades = [closed(30, 101.0, opened=i * 60) for i in range(3)]
    idle = [IdleResult(KEY, at(i), 100.0) for i in range(1000)]
    events: list[AnyResult] = [trades[0], *idle, *trades[1:]]
    figures = e.statistics_of(e.LiveTally(), events)
    assert (figures.total_events, figures.total_closed) == (1003, 3)
    assert figures.total_pnl == live_statistics(trades).total_pnl
    assert figures.event_list[:2] == (trades[2], trades[1])


def timing(
    duration: float, wall: int, previous: int | None, metric: MetricType = "backtest_signal"
) -> PerformanceEvent:
    return PerformanceEvent(KEY, at(0), metric, duration, wall, previous)


class TestPerformance:
    def test_without_measurements_nothing_is_known(self) -> None:
        assert e.PerformanceTally().figures(()) == PerformanceStatistics()

    def test_one_measurement_has_no_spread_and_no_wait(self) -> None:
        figures = e.statistics_of(e.PerformanceTally(), [timing(5.0, 100, None)])
        metric = figures.metric_stats["backtest_signal"]
        assert (figures.strategy_name, figures.total_events, figures.total_duration) == ("above-mean", 1, 5.0)
        assert (metric.count, metric.avg_duration, metric.std_dev, metric.median) == (1, 5.0, 0.0, 5.0)
        assert (metric.p95, metric.p99, metric.min_duration, metric.max_duration) == (5.0, 5.0, 5.0, 5.0)
        assert (metric.avg_wait_time, metric.min_wait_time, metric.max_wait_time) == (0.0, 0.0, 0.0)

    def test_waits_are_between_measurements_of_the_wall_clock(self) -> None:
        figures = e.statistics_of(
            e.PerformanceTally(), [timing(1.0, 100, None), timing(2.0, 130, 100), timing(3.0, 200, 130)]
        )
        metric = figures.metric_stats["backtest_signal"]
        assert (metric.avg_wait_time, metric.min_wait_time, metric.max_wait_time) == (50.0, 30.0, 70.0)

    def test_kinds_are_told_apart_and_the_longest_comes_first(self) -> None:
        events = [timing(1.0, 1, None), timing(9.0, 2, 1, "backtest_total"), timing(2.0, 3, 2)]
        figures = e.statistics_of(e.PerformanceTally(), events)
        assert list(figures.metric_stats) == ["backtest_total", "backtest_signal"]
        assert (figures.total_events, figures.total_duration) == (3, 12.0)

    def test_parts_that_were_told_together_count_by_what_they_stand_for(self) -> None:
        block = PerformanceEvent(KEY, at(0), "backtest_get_signal", 12.0, 10, None, [1.0, 3.0], 3)
        metric = e.statistics_of(e.PerformanceTally(), [block]).metric_stats["backtest_get_signal"]
        assert (metric.count, metric.total_duration, metric.median, metric.max_duration) == (6, 12.0, 2.0, 3.0)

    def test_the_time_of_runs_is_shared_out_and_the_bottleneck_comes_first(self) -> None:
        spent: dict[MetricType, float] = {
            "backtest_total": 100.0, "backtest_load": 10.0, "backtest_get_signal": 60.0, "backtest_listeners": 5.0,
            "backtest_timeframe": 90.0,
        }  # fmt: skip
        shares = e.time_shares(spent)
        assert [(one.step, one.duration, one.share) for one in shares] == [
            ("get_signal", 60.0, 60.0), ("engine", 25.0, 25.0), ("candles", 10.0, 10.0), ("listeners", 5.0, 5.0),
        ]  # fmt: skip

    def test_parts_that_were_estimated_above_the_whole_leave_nothing_to_the_engine(self) -> None:
        shares = e.time_shares({"backtest_total": 10.0, "backtest_get_signal": 12.0})
        assert [(one.step, one.share) for one in shares][:1] == [("get_signal", 100.0)]
        assert sum(one.share for one in shares) == 100.0

    def test_before_a_backtest_is_over_nothing_is_shared_out(self) -> None:
        assert e.time_shares({"live_tick": 5.0}) == e.time_shares({}) == ()

    @given(st.lists(st.floats(0, 1e6), min_size=2, max_size=60))
    def test_the_figures_are_those_of_numpy(self, durations: list[float]) -> None:
        metric: Any = e.metric_statistics("live_tick", durations, ())
        assert metric.avg_duration == pytest.approx(np.mean(durations))
        assert metric.std_dev == pytest.approx(np.std(durations, ddof=1), abs=1e-6)
        for name, percent in (("median", 50), ("p95", 95), ("p99", 99)):
            assert getattr(metric, name) == pytest.approx(np.percentile(durations, percent)), name
