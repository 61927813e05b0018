"""Collecting events for reports: what is heard, what is kept, and when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from trades import KEY, at, closed, opened_after, run_key, scheduled, signal

from backtestkit.config import Config
from backtestkit.errors import UsageError
from backtestkit.model.event import BoundaryEvent, BreakevenEvent, LevelEvent
from backtestkit.model.result import ActiveResult, IdleResult
from backtestkit.model.statistics_events import ScheduleStatistics
from backtestkit.model.sync import SyncEvent
from backtestkit.services.channels import Channels
from backtestkit.services.report import collector as module
from backtestkit.services.report.collector import ReportCollector


def run(coroutine: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(coroutine)


class Station:
    """A collector on channels of its own."""

    def __init__(self, **changes: int) -> None:
        self.channels = Channels()
        config = Config.defaults().merged(changes)
        self.collector = ReportCollector(self.channels, lambda: config)

    def breakeven(self, minute: float, key: Any = KEY) -> BreakevenEvent:
        event = BreakevenEvent(key, at(minute), signal(), 101.0)
        run(self.channels.breakeven_available.emit(event))
        return event

    def start(self, key: Any = KEY) -> None:
        run(self.channels.before_start.emit(BoundaryEvent(key, at(0), None)))

    def figures(self, report: str = "breakeven", key: Any = KEY) -> Any:
        return self.collector.subject(report, key).figures


@pytest.fixture
def station() -> Station:
    return Station()


def test_nothing_is_heard_before_it_is_enabled(station: Station) -> None:
    assert not station.channels.breakeven_available
    with pytest.raises(UsageError, match=r"Markdown\.enable\(breakeven=True\)"):
        station.figures()


def test_what_is_enabled_is_collected_by_run(station: Station) -> None:
    station.collector.enable(["breakeven"])
    mine, other = station.breakeven(1), station.breakeven(2, run_key("ETHUSDT"))
    assert station.figures().event_list == (mine,)
    assert station.figures(key=run_key("ETHUSDT")).event_list == (other,)
    assert station.collector.subject("breakeven", KEY).key == KEY


def test_only_the_reports_named_are_enabled(station: Station) -> None:
    station.collector.enable(["breakeven"])
    assert not station.channels.highest_profit
    with pytest.raises(UsageError, match="partial"):
        station.figures("partial")


def test_without_a_name_all_are_enabled(station: Station) -> None:
    station.collector.enable()
    for channel in (
        "breakeven_available",
        "highest_profit",
        "strategy_commit",
        "risk",
        "performance",
        "sync",
        "signal_live",
    ):
        assert station.channels[channel], channel


def test_reports_on_what_runs_keep_listen_to_nothing(station: Station) -> None:
    station.collector.enable(["backtest", "heat", "walker"])
    heard = [channel.name for channel in station.channels if channel]
    assert heard == ["before_start"]


def test_no_report_makes_a_backtest_step_through_minutes_or_idle_ticks(station: Station) -> None:
    station.collector.enable()
    channels = station.channels
    assert not any(
        channels[name] for name in ("active_ping", "schedule_ping", "idle_ping", "backtest_progress", "signal")
    )
    assert not channels.signal_backtest.heard("idle", True)
    assert not channels.signal_backtest.heard("closed", True)
    assert channels.signal_backtest.heard("scheduled", True)


def test_enabling_twice_collects_once(station: Station) -> None:
    station.collector.enable(["breakeven"])
    station.collector.enable(["breakeven", "partial"])
    station.breakeven(1)
    assert station.figures().total_events == 1
    assert len(station.channels.breakeven_available) == 1


def test_the_answer_of_enable_stops_that_and_forgets(station: Station) -> None:
    station.collector.enable(["partial"])
    stop = station.collector.enable(["breakeven"])
    station.breakeven(1)
    stop()
    assert not station.channels.breakeven_available
    assert station.channels.partial_profit_available
    station.collector.enable(["breakeven"])
    assert station.figures().total_events == 0


def test_disabling_all_lets_go_of_every_channel(station: Station) -> None:
    station.collector.enable()
    station.collector.disable(["partial"])
    assert station.channels.before_start
    station.collector.disable()
    assert [channel.name for channel in station.channels if channel] == []


def test_clearing_forgets_and_goes_on(station: Station) -> None:
    station.collector.enable(["breakeven", "partial"])
    station.breakeven(1)
    run(station.channels.partial_loss_available.emit(LevelEvent(KEY, at(1), signal(), 99.0, 10)))
    station.collector.clear(["breakeven"])
    assert (station.figures().total_events, station.figures("partial").total_loss) == (0, 1)
    station.collector.clear()
    assert station.figures("partial").total_events == 0
    station.breakeven(2)
    assert station.figures().total_events == 1


def test_the_events_of_a_run_go_when_the_next_one_of_its_key_starts(station: Station) -> None:
    station.collector.enable()
    eth = run_key("ETHUSDT")
    station.breakeven(1)
    station.breakeven(1, eth)
    run(station.channels.signal_backtest.emit(scheduled(1)))
    station.start()
    assert station.figures().total_events == 0
    assert station.figures("schedule") == ScheduleStatistics()
    assert station.figures(key=eth).total_events == 1


def test_a_run_that_started_is_known_though_nothing_happened_in_it(station: Station) -> None:
    station.collector.enable(["breakeven", "heat"])
    assert not station.collector.has("breakeven", KEY)
    station.start()
    assert station.collector.has("breakeven", KEY)
    assert not station.collector.has("heat", KEY)


def test_the_newest_events_are_kept_and_all_are_counted() -> None:
    station = Station(max_breakeven_markdown_rows=2)
    station.collector.enable(["breakeven"])
    events = [station.breakeven(i) for i in range(5)]
    assert station.figures().event_list == (events[4], events[3])
    assert station.figures().total_events == 5


def test_runs_beyond_the_bound_push_out_the_oldest(monkeypatch: pytest.MonkeyPatch, station: Station) -> None:
    monkeypatch.setattr(module, "RUNS_KEPT_MAX", 2)
    station.collector.enable(["breakeven"])
    for name in ("A", "B", "A", "C"):
        station.breakeven(1, run_key(name))
    assert [station.collector.has("breakeven", run_key(name)) for name in "ABC"] == [False, True, True]


def test_both_sides_of_milestones_make_one_report(station: Station) -> None:
    station.collector.enable(["partial"])
    event = LevelEvent(KEY, at(1), signal(), 101.0, 10)
    run(station.channels.partial_profit_available.emit(event))
    run(station.channels.partial_loss_available.emit(event))
    loss, profit = station.figures("partial").event_list
    assert (profit.action, loss.action, profit.level, profit.data) == ("profit", "loss", 10, event.data)


def test_positions_that_opened_at_once_are_no_part_of_the_schedule(station: Station) -> None:
    station.collector.enable(["schedule"])
    for result in (scheduled(0), opened_after(0, 4), opened_after(9, 9)):
        run(station.channels.signal_backtest.emit(result))
    assert station.figures("schedule").total_opened == 1


def test_orders_that_rest_are_no_part_of_the_sync_report(station: Station) -> None:
    station.collector.enable(["sync"])
    for kind in ("active", "schedule"):
        event = SyncEvent(KEY, at(1), "signal_open", kind, signal(), 100.0, None)
        run(station.channels.sync.emit(event))
    assert station.figures("sync").open_count == 1


class TestLive:
    LIVE = run_key(backtest=False, frame_name="")

    def results(self, station: Station, *events: Any) -> tuple[Any, ...]:
        station.collector.enable(["live"])
        for event in events:
            run(station.channels.signal_live.emit(event))
        rows: tuple[Any, ...] = station.figures("live", self.LIVE).event_list
        return rows

    def active(self, minute: float, id: str = "a") -> ActiveResult:
        return ActiveResult(self.LIVE, at(minute), 101.0, signal(key=self.LIVE, id=id), 1.0, 0.0, signal().pnl)

    def test_a_row_that_repeats_an_earlier_one_takes_its_place_in_front(self, station: Station) -> None:
        first, other, second = self.active(1), self.active(2, "b"), self.active(3)
        assert self.results(station, first, other, second) == (second, other)

    def test_idleness_is_one_row(self, station: Station) -> None:
        idle = [IdleResult(self.LIVE, at(i), 100.0) for i in range(3)]
        trade = closed(5, 101.0, key=self.LIVE)
        assert self.results(station, idle[0], trade, idle[1], idle[2]) == (idle[2], trade)

    def test_repeats_push_out_nothing_and_trades_are_counted_beside_them(self) -> None:
        station = Station(max_live_markdown_rows=2)
        trades = [closed(5, 101.0, key=self.LIVE, opened=i * 10) for i in range(4)]
        rows = self.results(station, *trades, *(self.active(i) for i in range(50)))
        assert (len(rows), rows[1]) == (2, trades[3])
        assert station.figures("live", self.LIVE).total_closed == 4
        assert station.figures("live", self.LIVE).total_events == 54
