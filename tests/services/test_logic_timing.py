"""Timing a run for whoever hears it, and not at all for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from trades import KEY, at

import backtestkit as bk
from backtestkit.model.performance import PerformanceEvent
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.services.logic import timing
from backtestkit.services.logic.timing import RunTimer
from scenarios.market import MINUTE, START


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic clock that stands where its one number says."""
    now = [100.0]
    monkeypatch.setattr(timing, "monotonic_seconds", lambda: now[0])
    return now


async def lost(*_: object) -> None:
    raise AssertionError("no listener fails here")


class TestTimer:
    def test_it_measures_in_milliseconds_and_dates_by_the_wall(self, ticking: list[float]) -> None:
        heard: list[PerformanceEvent] = []
        channel: Channel[PerformanceEvent] = Channel("performance", lost)
        channel.listen(heard.append)
        wall = SimulatedClock()
        wall.advance_to_ms(5000)
        timer = RunTimer(KEY, channel, wall)
        since = timer.seconds()
        ticking[0] += 0.25
        asyncio.run(timer.tell("backtest_signal", since, at(3)))
        wall.advance_to_ms(7000)
        asyncio.run(timer.tell("backtest_total", timer.start, at(9)))
        first, second = heard
        assert (first.metric_type, first.duration, first.timestamp, first.key) == ("backtest_signal", 250.0, at(3), KEY)
        assert (first.wall_timestamp, first.previous_wall_timestamp, first.wait) == (5000, None, None)
        assert (second.wall_timestamp, second.previous_wall_timestamp, second.wait) == (7000, 5000, 2000)

    def test_it_stands_still_while_results_are_in_other_hands(self, ticking: list[float]) -> None:
        timer = RunTimer(KEY, Channel("performance", lost), SimulatedClock())
        since = timer.seconds()
        ticking[0] += 1
        timer.leave()
        ticking[0] += 50
        timer.come_back()
        ticking[0] += 2
        assert timer.seconds() - since == 3.0


def rows(count: int) -> bk.Candles:
    import numpy as np

    steps = np.sin(np.arange(count) / 9.0)
    close = 100 + steps
    return bk.Candles.from_columns(
        START + MINUTE * np.arange(count), close, close + 0.2, close - 0.2, close, np.ones(count)
    )


@pytest.fixture
def kit() -> Iterator[bk.Kit]:
    market = rows(400)

    def read(symbol: str, interval: str, since: int, until: int) -> bk.Candles:
        low, high = market.timestamp.searchsorted([since, until])
        return market[int(low) : int(high)]

    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
        return bk.Signal(
            position="long", price_take_profit=price * 1.02, price_stop_loss=price * 0.98, minute_estimated_time=20
        )

    with bk.Kit() as made:
        bk.add_exchange(exchange_name="e", read_candles=read)
        bk.add_frame(frame_name="f", start_date=START + 10 * MINUTE, end_date=START + 300 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="15m", get_signal=get_signal)
        yield made


def play() -> bk.BacktestRun:
    run = bk.Backtest.run("BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f")
    for _ in run:
        pass
    return run


def test_a_run_is_timed_as_a_whole_by_tick_and_by_signal(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.listen_performance(heard.append)
    run = play()
    kinds = [event.metric_type for event in heard]
    assert kinds.count("backtest_total") == 1
    assert kinds[-1] == "backtest_total"
    assert kinds.count("backtest_signal") == len(run.closed)
    assert kinds.count("backtest_timeframe") == run.snapshot().counters.get_signal_calls
    assert all(event.duration >= 0 for event in heard)
    assert heard[0].previous_wall_timestamp is None
    assert all(event.key == run.key for event in heard)
    times = [event.timestamp for event in heard]
    assert times == sorted(times)


def test_listening_changes_neither_the_gear_nor_what_happens(kit: bk.Kit) -> None:
    quiet = play()
    bk.listen_performance(lambda event: None)
    bk.Markdown.enable()
    loud = play()
    assert loud.fingerprint == quiet.fingerprint
    assert loud.snapshot().counters == quiet.snapshot().counters
    assert "It jumps" in loud.explain()


def test_ticks_that_nobody_looked_at_are_not_timed(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.add_strategy(strategy_name="s", interval="1h", get_signal=lambda *_: None, replace=True)
    bk.listen_performance(heard.append)
    play()
    assert [event.metric_type for event in heard].count("backtest_timeframe") < 8


def test_nobody_listening_is_told_nothing(kit: bk.Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise AssertionError("told")

    monkeypatch.setattr(RunTimer, "tell", refuse)
    assert play().closed


def test_idle_ticks_that_are_heard_are_timed_too(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.add_strategy(strategy_name="s", interval="1h", get_signal=lambda *_: None, replace=True)
    bk.listen_performance(heard.append)
    bk.listen_idle_ping(lambda event: None)
    run = play()
    assert len(heard) == run.snapshot().counters.idle_ticks + 1
