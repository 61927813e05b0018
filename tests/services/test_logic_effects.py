"""The shell around a machine: callbacks, listeners that come and go, jobs, and errors in user code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.schema import StrategyCallbacks
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, Told, market, minute, once, run

gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 5} | changes
    return bk.Signal(position="long", **fields)


HOOKS = tuple(StrategyCallbacks.model_fields)


class Called:
    """Callbacks of every kind that write down their calls."""

    def __init__(self, *names: str, fails: bool = False) -> None:
        self.calls: list[tuple[str, int, tuple[Any, ...]]] = []
        self._fails = fails
        self.callbacks = {name: self._make(name) for name in names or HOOKS}

    def _make(self, name: str) -> Callable[..., Any]:
        async def callback(symbol: str, *rest: Any) -> None:
            *payload, when, backtest = rest
            assert (symbol, backtest) == ("BTC", True)
            assert bk.get_date() == when
            self.calls.append((name, minute(round(when.timestamp() * 1000)), tuple(payload)))
            if self._fails:
                raise ValueError(f"{name} failed")

        return callback

    def of(self, name: str) -> list[tuple[int, tuple[Any, ...]]]:
        return [(at, payload) for called, at, payload in self.calls if called == name]


# -- callbacks --------------------------------------------------------------------------------------------------------


@gears
def test_callbacks_are_told_of_the_life_of_a_signal(stepping: bool) -> None:
    called = Called("on_open", "on_close", "on_schedule", "on_cancel", "on_write", "on_tick")
    run(still(12), once(long()), callbacks=called.callbacks, stepping=stepping)
    assert [(name, at) for name, at, _ in called.calls if name != "on_tick"] == [
        ("on_write", 0),
        ("on_open", 0),
        ("on_close", 5),
        ("on_write", 5),
    ]
    ((_, (opened, price)),) = called.of("on_open")
    assert isinstance(opened, bk.PublicSignal)
    assert price == 100.0
    written = called.of("on_write")
    assert isinstance(written[0][1][0], bk.PublicSignal)
    assert written[1][1][0] is None


def test_callbacks_are_told_of_a_waiting_entry() -> None:
    called = Called("on_open", "on_schedule", "on_cancel", "on_schedule_ping")
    config = {"schedule_await_minutes": 3}
    told = run(still(12), once(long(price_open=99.0)), callbacks=called.callbacks, config=config)
    assert [(name, at) for name, at, _ in called.calls] == [
        ("on_schedule", 0),
        ("on_schedule_ping", 1),
        ("on_schedule_ping", 2),
        ("on_cancel", 3),
    ]
    assert told.result.counters.schedule_pings == 2
    assert all(isinstance(payload[0], bk.PublicSignal) for *_, payload in called.calls)


def test_on_tick_hears_every_result_with_its_price() -> None:
    called = Called("on_tick")
    run(still(12), once(long()), callbacks=called.callbacks)
    assert [(at, result.action) for at, (result, _) in called.of("on_tick")] == [
        (0, "opened"),
        (5, "closed"),
        *((m, "idle") for m in range(6, 12)),
    ]
    assert all(price == result.current_price for _, (result, price) in called.of("on_tick"))


def test_on_idle_hears_idle_ticks_with_their_price() -> None:
    called = Called("on_idle")
    told = run(still(12), once(long()), callbacks=called.callbacks)
    assert called.of("on_idle") == [(m, (100.0,)) for m in range(6, 12)]
    assert told.result.counters.idle_ticks == 6


def test_on_active_ping_hears_every_minute_that_a_position_survives() -> None:
    called = Called("on_active_ping")
    told = run(still(12), once(long()), callbacks=called.callbacks)
    assert [at for at, _ in called.of("on_active_ping")] == [1, 2, 3, 4]
    assert isinstance(called.of("on_active_ping")[0][1][0], bk.PublicSignal)
    assert told.result.counters.active_pings == 4


def test_plain_callbacks_are_called_like_async_ones() -> None:
    seen: list[str] = []
    run(still(12), once(long()), callbacks={"on_open": lambda symbol, *_: seen.append(symbol)})
    assert seen == ["BTC"]


@pytest.mark.parametrize("name", ["on_open", "on_close", "on_active_ping", "on_idle", "on_tick", "on_partial_profit"])
def test_an_error_in_a_callback_is_reported_and_changes_nothing(name: str) -> None:
    rows = still(20, lambda m: 100 + 0.1 * max(0, m))
    called = Called(name, fails=True)
    told = run(rows, once(long()), callbacks=called.callbacks, hear=["error"])
    plain = run(rows, once(long()))
    assert told.result.fingerprint == plain.result.fingerprint
    errors = told.of("error")
    assert len(errors) == len(called.calls) == told.result.error_count > 0
    assert {(str(e.error), e.source) for e in errors} == {(f"{name} failed", name)}
    assert all(e.key.symbol == "BTC" for e in errors)


def test_an_error_in_a_callback_under_raise_ends_the_run() -> None:
    called = Called("on_open", fails=True)
    with pytest.raises(bk.RunError, match="on_open of strategy 's' failed: on_open failed"):
        run(still(12), once(long()), callbacks=called.callbacks, on_error="raise")


def test_the_configuration_says_what_happens_to_errors_unless_the_strategy_does() -> None:
    with pytest.raises(bk.RunError):
        run(still(12), once(long()), callbacks=Called("on_open", fails=True).callbacks, config={"on_error": "raise"})
    told = run(
        still(12),
        once(long()),
        callbacks=Called("on_open", fails=True).callbacks,
        config={"on_error": "raise"},
        on_error="report",
    )
    assert told.result.error_count == 1


def test_the_newest_errors_are_kept_and_all_are_counted() -> None:
    told = run(still(150), None, callbacks=Called("on_idle", fails=True).callbacks)
    assert told.result.error_count == 150
    assert len(told.result.errors) == 100
    assert minute(told.result.errors[-1].timestamp or 0) == 149


# -- listeners --------------------------------------------------------------------------------------------------------


@gears
def test_every_listener_and_getter_sees_the_time_of_the_minute(stepping: bool) -> None:
    seen: list[tuple[str, int, int]] = []

    def prepare() -> None:
        for name in ("signal_event", "active_ping", "highest_profit", "signal_backtest"):

            async def hear(event: Any, name: str = name) -> None:
                seen.append((name, minute(event.timestamp), minute(bk.get_timestamp())))
                minutes = await bk.get_position_active_minutes(event.symbol)
                if minutes is not None:
                    assert minutes == minute(event.timestamp)

            getattr(bk, f"listen_{name}")(hear)

    rows = still(20, lambda m: 100 + 0.2 * max(0, m))
    run(rows, once(long(minute_estimated_time=9)), prepare=prepare, stepping=stepping)
    assert {name for name, *_ in seen} == {"signal_event", "active_ping", "highest_profit", "signal_backtest"}
    assert all(told == now for _, told, now in seen)


def test_a_listener_that_comes_in_the_middle_hears_from_the_next_minute_on() -> None:
    heard: list[int] = []

    def prepare() -> None:
        def opened(event: Any) -> None:
            bk.listen_active_ping(lambda e: heard.append(minute(e.timestamp)))

        bk.listen_signal_event(opened)

    run(still(12), once(long()), prepare=prepare)
    assert heard == [1, 2, 3, 4]


def test_a_listener_that_goes_in_the_middle_lets_the_run_jump_again() -> None:
    heard: list[int] = []

    def prepare() -> None:
        def ping(event: Any) -> None:
            heard.append(minute(event.timestamp))
            if heard[-1] == 3:
                stop()

        stop = bk.listen_active_ping(ping)

    told = run(still(60), once(long(minute_estimated_time=40)), prepare=prepare)
    assert heard == [1, 2, 3]
    assert told.result.counters.active_pings == 39


def test_a_listener_of_live_runs_does_not_make_a_backtest_step() -> None:
    with bk.Kit():
        market(candles(still(30)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 20 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=once(long()))
        bk.listen_signal_live(lambda result: None)
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f")
        assert backtest.explain().startswith("It jumps")


# -- explaining -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prepare", "callbacks", "stepping", "expected"),
    [
        (lambda: None, {}, False, "It jumps: nothing observes single minutes"),
        (lambda: None, {}, True, "it was asked to (stepping=True)"),
        (lambda: bk.listen_active_ping(print), {}, False, "active_ping has a listener"),
        (lambda: bk.listen_schedule_ping(print), {}, False, "schedule_ping has a listener"),
        (lambda: bk.listen_idle_ping(print), {}, False, "idle ticks are heard"),
        (lambda: bk.listen_signal_backtest(print), {}, False, "idle ticks are heard"),
        (lambda: bk.listen_backtest_progress(print), {}, False, "backtest_progress has a listener"),
        (lambda: None, {"on_active_ping": print}, False, "the strategy has a callback on_active_ping"),
        (lambda: None, {"on_partial_loss": print}, False, "the strategy has a callback on_partial_loss"),
    ],
)
def test_a_run_explains_its_gear(
    prepare: Callable[[], Any], callbacks: dict[str, Any], stepping: bool, expected: str
) -> None:
    with bk.Kit():
        market(candles(still(30)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 20 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=once(long()), callbacks=callbacks)
        prepare()
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", stepping=stepping)
        assert expected in backtest.explain()


# -- scheduled jobs ---------------------------------------------------------------------------------------------------


def with_jobs(
    minutes: list[int], job: Callable[[int], Any], get_signal: Any, *, stepping: bool, config: Any = None
) -> tuple[list[int], Told]:
    """A run in whose scheduler jobs stand at `minutes`, and when they ran."""
    ran: list[int] = []
    with bk.Kit():
        bk.set_config(config or {}, unsafe=True)
        market(candles(still(60)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="15m", get_signal=get_signal)
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", stepping=stepping)
        scheduler = backtest.state.runner._scheduler

        def standing(at: int) -> Callable[[], Any]:
            async def run_job() -> None:
                ran.append(minute(bk.get_timestamp()))
                answer = job(at)
                if answer is not None:
                    await answer

            return run_job

        for at in minutes:
            scheduler.schedule((begin + at * MINUTE) * 1_000_000, standing(at))
        results = list(backtest)
        return ran, Told(backtest.snapshot(), results=results)


@gears
@pytest.mark.parametrize(
    "signal", [None, long(minute_estimated_time=30), long(price_open=99.0)], ids=["idle", "open", "waiting"]
)
def test_jobs_run_at_their_minute_whatever_goes_on(signal: bk.Signal | None, stepping: bool) -> None:
    get_signal = once(signal) if signal is not None else (lambda *_: None)
    ran, told = with_jobs([3, 7, 8, 21], lambda at: None, get_signal, stepping=stepping)
    assert ran == [3, 7, 8, 21]
    if signal is None:
        assert told.result.counters.idle_ticks == 50


@gears
def test_a_job_that_a_listener_schedules_runs_too(stepping: bool) -> None:
    ran: list[int] = []
    with bk.Kit():
        market(candles(still(60)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="15m", get_signal=once(long(minute_estimated_time=30)))
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", stepping=stepping)
        scheduler = backtest.state.runner._scheduler

        def schedule(event: Any) -> None:
            later = (event.timestamp + 7 * MINUTE) * 1_000_000
            scheduler.schedule(later, lambda: ran.append(minute(bk.get_timestamp())))

        bk.listen_signal_event(schedule)
        backtest.wait()
    assert ran == [7, 37]


@gears
def test_a_job_may_close_the_position_before_its_minute_is_handled(stepping: bool) -> None:
    ran, told = with_jobs(
        [7],
        lambda at: bk.commit_close_pending("BTC", id="job"),
        once(long(minute_estimated_time=30)),
        stepping=stepping,
    )
    assert ran == [7]
    assert told.story[1] == (7, "closed", 100.0)
    assert told.only.close_id == "job"


@gears
def test_a_job_may_queue_a_signal_while_nothing_happens(stepping: bool) -> None:
    signal = long(minute_estimated_time=3)
    ran, told = with_jobs([12], lambda at: bk.commit_create_signal("BTC", signal), lambda *_: None, stepping=stepping)
    assert ran == [12]
    assert told.story == [(12, "opened", 100.0), (15, "time_expired", 100.0)]


# -- get_signal -------------------------------------------------------------------------------------------------------


def test_get_signal_sees_its_symbol_its_time_and_its_price() -> None:
    seen: list[tuple[str, datetime, float]] = []

    async def get_signal(symbol: str, when: datetime, price: float) -> None:
        await asyncio.sleep(0)
        assert bk.get_date() == when
        seen.append((symbol, when, price))

    run(still(3), get_signal)
    assert [(s, minute(round(w.timestamp() * 1000)), p) for s, w, p in seen] == [("BTC", m, 100.0) for m in range(3)]
