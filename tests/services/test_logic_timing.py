"""Timing a run for whoever hears it, and not at all for nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from trades import KEY, at

import backtestkit as bk
from backtestkit.model.performance import PerformanceEvent
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.services.logic import backtest, timing
from backtestkit.services.logic.timing import ALL_TICKS, STRIDE, RunTimer
from scenarios.market import MINUTE, START


class Watch:
    """A clock that stands where it is put."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def lost(*_: object) -> None:
    raise AssertionError("no listener fails here")


class Timed:
    """A timer, its clock, and what it told."""

    def __init__(self) -> None:
        self.heard: list[PerformanceEvent] = []
        channel: Channel[PerformanceEvent] = Channel("performance", lost)
        channel.listen(self.heard.append)
        self.wall, self.watch = SimulatedClock(), Watch()
        self.wall.advance_to_ms(5000)
        self.timer = RunTimer(KEY, channel, self.wall, self.watch)

    def tick(self, seen: int, seconds: float, *, answer: float | None = None, life: float | None = None) -> None:
        """A timed tick of so many seconds."""
        self.timer.begin(seen)
        if self.timer.due:
            asyncio.run(self.timer.tell(at(seen)))
        if answer is not None:
            self.timer.asked.append(answer)
        self.watch.now += seconds
        self.timer.over(None if life is None else self.timer.seconds() - life)

    def kinds(self) -> dict[str, tuple[int, float]]:
        """How many parts of each kind there were, and their sum, ms."""
        return {event.metric_type: (event.count, event.duration) for event in self.heard}


class TestTimer:
    def test_it_measures_in_milliseconds_and_dates_by_the_wall(self) -> None:
        made = Timed()
        made.watch.now += 0.25
        asyncio.run(made.timer.loaded(at(3)))
        made.wall.advance_to_ms(7000)
        asyncio.run(made.timer.end(at(9)))
        first, second = made.heard
        assert (first.metric_type, first.duration, first.timestamp, first.key) == ("backtest_load", 250.0, at(3), KEY)
        assert (first.wall_timestamp, first.previous_wall_timestamp, first.wait) == (5000, None, None)
        assert (second.metric_type, second.duration, second.timestamp) == ("backtest_total", 250.0, at(9))
        assert (second.wall_timestamp, second.previous_wall_timestamp, second.wait) == (7000, 5000, 2000)

    def test_it_stands_still_while_results_are_in_other_hands(self) -> None:
        made = Timed()
        made.timer.begin(1)
        born = made.timer.seconds()
        made.watch.now += 1
        made.watch.now += 50
        made.timer.away += 50
        made.watch.now += 2
        made.timer.over(born)
        asyncio.run(made.timer.end(at(0)))
        assert made.kinds() == dict.fromkeys(("backtest_timeframe", "backtest_signal", "backtest_total"), (1, 3000.0))

    def test_parts_of_a_kind_are_told_together(self) -> None:
        made = Timed()
        for seen in (1, 2, 3):
            made.tick(seen, seen / 8, answer=0.125, life=0.125 if seen == 2 else None)
        asyncio.run(made.timer.tell(at(3)))
        assert made.kinds() == {
            "backtest_timeframe": (3, 750.0), "backtest_signal": (1, 125.0), "backtest_get_signal": (3, 375.0),
        }  # fmt: skip
        assert list(made.heard[0].durations or ()) == [125.0, 250.0, 375.0]
        made.heard.clear()
        asyncio.run(made.timer.tell(at(3)))
        assert not made.heard, "what was told is not told again"

    def test_of_very_many_ticks_those_that_are_timed_stand_for_the_others(self) -> None:
        made = Timed()
        assert [made.timer.begin(seen) for seen in (1, ALL_TICKS - 1, ALL_TICKS)] == [2, ALL_TICKS, ALL_TICKS + STRIDE]
        for seen in (ALL_TICKS - 1, ALL_TICKS):
            made.tick(seen, 1.0)
        assert not made.heard
        for place in (1, 2):
            made.tick(ALL_TICKS + place * STRIDE, 2.0)
        assert made.kinds() == {"backtest_timeframe": (2, 2000.0)}, "the first ones are told by themselves"
        made.heard.clear()
        asyncio.run(made.timer.end(at(0)))
        assert made.kinds()["backtest_timeframe"] == (2 * STRIDE, 4000.0 * STRIDE)
        assert made.kinds()["backtest_total"] == (1, 6000.0)

    def test_a_long_run_tells_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(timing, "BLOCK_TICKS", 3)
        made = Timed()
        for seen in range(1, 8):
            made.tick(seen, 1.0)
        assert [event.count for event in made.heard] == [3, 3]


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


def counts(heard: list[bk.PerformanceEvent]) -> Counter[str]:
    """How many parts of each kind there were."""
    found: Counter[str] = Counter()
    for event in heard:
        found[event.metric_type] += event.count
    return found


def test_a_run_is_timed_as_a_whole_by_tick_by_answer_and_by_signal(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.listen_performance(heard.append)
    run = play()
    found, calls = counts(heard), run.snapshot().counters.get_signal_calls
    assert found.pop("backtest_listeners") >= 2 * len(run.closed)
    assert found == {
        "backtest_total": 1, "backtest_load": 1, "backtest_signal": len(run.closed), "backtest_timeframe": calls,
        "backtest_get_signal": calls,
    }  # fmt: skip
    assert (heard[0].metric_type, heard[-1].metric_type) == ("backtest_load", "backtest_total")
    assert all(event.duration >= 0 for event in heard)
    assert heard[0].previous_wall_timestamp is None
    assert all(event.key == run.key for event in heard)
    times = [event.timestamp for event in heard]
    assert times == sorted(times)


def test_the_parts_of_a_run_are_within_it(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.listen_performance(heard.append)
    play()
    spent = {event.metric_type: event.duration for event in heard}
    assert spent["backtest_load"] + spent["backtest_timeframe"] <= spent["backtest_total"]
    assert spent["backtest_get_signal"] + spent["backtest_signal"] <= spent["backtest_timeframe"]
    assert spent["backtest_listeners"] <= spent["backtest_signal"]


def test_ticks_without_an_answer_are_timed_where_they_are_sampled(kit: bk.Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ALL_TICKS", 4)
    heard: list[bk.PerformanceEvent] = []
    bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: None, replace=True)
    bk.listen_performance(heard.append)
    run = play()
    calls = run.snapshot().counters.get_signal_calls
    found = counts(heard)
    assert abs(found["backtest_get_signal"] - calls) < STRIDE
    assert found["backtest_timeframe"] == found["backtest_get_signal"]


def test_a_listener_that_comes_later_hears_the_next_run(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    results = iter(bk.Backtest.run("BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f"))
    next(results)
    bk.listen_performance(heard.append)
    for _ in results:
        pass
    assert not heard
    play()
    assert heard


def test_the_report_says_where_the_time_went(kit: bk.Kit) -> None:
    bk.Markdown.enable(performance=True)
    play()
    context: dict[str, Any] = {"strategy_name": "s", "exchange_name": "e", "frame_name": "f"}
    shares = bk.Performance.get_data("BTCUSDT", **context).shares
    assert {share.step for share in shares} == {"candles", "get_signal", "listeners", "engine"}
    assert sum(share.share for share in shares) == pytest.approx(100)
    report = bk.Performance.get_report("BTCUSDT", **context)
    assert "## Bottleneck" in report and "Most of the time, " in report


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
    assert counts(heard)["backtest_timeframe"] < 8


def test_nobody_listening_measures_nothing(kit: bk.Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(backtest, "RunTimer", refuse)
    monkeypatch.setattr(timing, "monotonic_seconds", refuse)
    assert play().closed


def test_idle_ticks_that_are_heard_are_timed_too(kit: bk.Kit) -> None:
    heard: list[bk.PerformanceEvent] = []
    bk.add_strategy(strategy_name="s", interval="1h", get_signal=lambda *_: None, replace=True)
    bk.listen_performance(heard.append)
    bk.listen_idle_ping(lambda event: None)
    run = play()
    found = counts(heard)
    assert found["backtest_timeframe"] == run.snapshot().counters.idle_ticks
    assert found["backtest_listeners"] >= found["backtest_timeframe"]
