"""The loop of a backtest: what it reads, where it begins and ends, what it tells, and how it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.kit import Kit
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import PolicyName
from backtestkit.runtime.context import RunKey
from backtestkit.services.logic.backtest import BREATHE_EVERY, BacktestLogicService
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, market, minute, once, run

gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 5} | changes
    return bk.Signal(position="long", **fields)


# -- what is read -----------------------------------------------------------------------------------------------------


class Asked:
    """An exchange that remembers what it was asked for."""

    def __init__(self, rows: Any) -> None:
        self.source = candles(rows)
        self.asked: list[tuple[int, int]] = []

    def read(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        self.asked.append((minute(since), minute(until)))
        low, high = self.source.timestamp.searchsorted([since, until])
        return self.source[int(low) : int(high)]


def run_on(exchange: dict[str, Any], **options: Any) -> bk.BacktestResult:
    frame = {"frame_name": "f", "interval": "1m"} | options.pop("frame")
    policy = options.pop("policy", "conservative")
    strategy: dict[str, Any] = {"strategy_name": "s", "interval": "1m", "get_signal": lambda *_: None} | options
    with Kit():
        bk.add_exchange(exchange_name="x", **exchange)
        bk.add_frame(**frame)
        bk.add_strategy(strategy)
        return bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", policy=policy).wait()


BEGIN = START + HISTORY * MINUTE


@pytest.mark.parametrize(("policy", "end"), [("conservative", 20), ("next_open", 20), ("reference", 22)])
def test_it_reads_the_frame_and_the_window_before_it(policy: PolicyName, end: int) -> None:
    asked = Asked(still(60))
    run_on({"read_candles": asked.read}, frame={"start_date": BEGIN, "end_date": BEGIN + 20 * MINUTE}, policy=policy)
    assert asked.asked == [(-HISTORY, end)]


def test_candles_are_shared_by_the_runs_of_a_kit() -> None:
    asked = Asked(still(60))
    with Kit():
        bk.add_exchange(exchange_name="x", read_candles=asked.read)
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + 20 * MINUTE)
        for name in ("a", "b"):
            bk.add_strategy(strategy_name=name, interval="1m", get_signal=lambda *_: None)
            bk.Backtest.run("BTC", strategy_name=name, exchange_name="x", frame_name="f").wait()
    assert len(asked.asked) == 1


def test_an_end_inside_a_minute_belongs_to_the_last_whole_one() -> None:
    told = run(still(60), once(long(minute_estimated_time=500)), last=20)
    assert told.story[-1][:2] == (20, "frame_end")
    asked = Asked(still(60))
    result = run_on(
        {"read_candles": asked.read},
        frame={"start_date": BEGIN, "end_date": BEGIN + 20 * MINUTE + MINUTE // 2},
        get_signal=once(long(minute_estimated_time=500)),
    )
    assert minute(result.closed[0].timestamp) == 20


@policies
def test_a_frame_into_the_future_ends_with_the_newest_closed_candle(policy: PolicyName) -> None:
    now = BEGIN + 30 * MINUTE + 17_000
    with Kit() as kit:
        market(candles(still(30)))
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + 500 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=once(long(minute_estimated_time=500)))
        key = RunKey("BTC", "s", "x", "f", True)
        plan = kit.container.run_resolver().backtest(key, kit.config, policy)
        made = kit.container.backtest_logic()
        logic = BacktestLogicService(channels=kit.channels, wall_clock=At(now), risks=made._risks, groups=made._groups)
        state = logic.start(plan)

        in_loop(logic.run(state))
    (trade,) = state.closed
    assert minute(trade.timestamp) == 30
    assert trade.close_reason == ("time_expired" if policy == "reference" else "frame_end")


def in_loop(results: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [result async for result in results]

    return asyncio.run(main())


class At:
    """A wall clock that stands still."""

    def __init__(self, now: int) -> None:
        self._now = now

    @property
    def available(self) -> bool:
        return True

    @property
    def is_simulated(self) -> bool:
        return False

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now / 1000, UTC)

    def now_ms(self) -> int:
        return self._now


def test_a_frame_wholly_in_the_future_has_no_tick() -> None:
    with pytest.raises(bk.UsageError, match=r"frame 'f' has no tick: .* \(now\)\. Give an end_date"):
        run_on(
            {"read_candles": Asked(still(60)).read},
            frame={"start_date": "2199-01-01", "end_date": "2199-01-02"},
        )


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_where_the_source_ends_too_early_the_error_names_what_there_is(policy: PolicyName) -> None:
    with pytest.raises(
        bk.InsufficientDataError, match=r"the source has candles from 2025-01-01 00:00 to 2025-01-01 00:24"
    ):
        run_on(
            {"read_candles": Asked(still(20)).read},
            frame={"start_date": BEGIN, "end_date": BEGIN + 40 * MINUTE},
            policy=policy,
        )


# -- holes ------------------------------------------------------------------------------------------------------------


def holed(rows: list[Any], first: int, count: int) -> Candles:
    source = candles(rows)
    return source.take(np.r_[: HISTORY + first, HISTORY + first + count : len(source)])


def span_of(source: Candles) -> Callable[[str, str], tuple[int, int]]:
    return lambda symbol, interval: (int(source.timestamp[0]), int(source.timestamp[-1]))


def test_a_hole_is_refused_and_named() -> None:
    source = holed(still(60), 10, 3)
    with pytest.raises(bk.GapError, match="2025-01-01 00:15") as caught:
        run(source, once(long()), exchange={"span": span_of(source)}, last=50)
    assert caught.value.holes == ((BEGIN + 10 * MINUTE, 3),)


@gears
def test_skipped_holes_have_no_ticks_and_lifetimes_count_the_clock(stepping: bool) -> None:
    source = holed(still(60), 10, 5)
    ticks: list[int] = []

    def get_signal(symbol: str, when: Any, price: float) -> Any:
        ticks.append(minute(round(when.timestamp() * 1000)))
        return long(minute_estimated_time=6) if ticks[-1] == 8 else None

    told = run(source, get_signal, exchange={"gaps": "skip", "span": span_of(source)}, last=30, stepping=stepping)
    assert ticks == [*range(9), *range(17, 30)]
    assert told.story == [(8, "opened", 100.0), (16, "time_expired", 100.0)]
    assert (told.result.summary.candles_missing, told.result.summary.candles_filled) == (5, 0)
    assert told.result.summary.gaps == "skip"


@gears
def test_flat_holes_stand_at_the_last_close_and_are_counted(stepping: bool) -> None:
    source = holed(still(60, lambda m: 100 + (m >= 12)), 10, 5)
    told = run(
        source, once(long(minute_estimated_time=30)), exchange={"gaps": "flat", "span": span_of(source)}, last=40
    )
    assert told.result.summary.candles_missing == 5
    assert told.result.summary.candles_filled == 5
    assert told.story[-1][:2] == (30, "time_expired")


def test_skipped_holes_before_the_frame_do_not_shorten_the_average() -> None:
    source = holed(still(60, lambda m: 100 + m), -4, 3)
    prices: list[float] = []
    run(
        source,
        lambda s, w, price: prices.append(price),
        exchange={"gaps": "skip", "span": span_of(source)},
        first=2,
        last=5,
    )
    # The last five candles that exist before minute 2 are those of minutes -5, -1, 0 and 1; the fifth is missing.
    assert prices[0] == pytest.approx(np.mean([100 + m for m in (-1, 0, 1, 2, -5)]))


# -- candles that cannot be true --------------------------------------------------------------------------------------

BAD = (100.0, 100.0, -1.0, 100.0, 1.0)


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_a_bad_candle_anywhere_ends_the_run_before_it_begins(policy: PolicyName) -> None:
    errors: list[Any] = []
    with pytest.raises(bk.CandleError, match="cannot be true"):
        run(still(60, at={40: BAD}), once(long()), policy=policy, prepare=lambda: bk.listen_error(errors.append))
    assert [(e.source, e.key.symbol) for e in errors] == [("backtest", "BTC")]


def reference_run(rows: Any, get_signal: Any, stepping: bool = False) -> tuple[list[Any], Exception | None]:
    source = candles(rows)
    results: list[Any] = []
    with Kit():
        market(source)
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=get_signal)
        backtest = bk.Backtest.run(
            "BTC", strategy_name="s", exchange_name="x", frame_name="f", policy="reference", stepping=stepping
        )
        try:
            results.extend(backtest)
        except bk.CandleError as error:
            assert backtest.status == "failed"
            return results, error
        return results, None


@gears
def test_under_reference_a_bad_candle_matters_when_it_is_asked_for(stepping: bool) -> None:
    results, error = reference_run(still(60, at={40: BAD}), once(long()), stepping)
    assert [r.action for r in results] == ["opened", "closed"]
    assert error is not None  # the average of the tick at minute 41 asks for it


@gears
def test_under_reference_a_life_that_reaches_a_bad_candle_fails_when_it_begins(stepping: bool) -> None:
    results, error = reference_run(still(60, at={20: BAD}), once(long(minute_estimated_time=40)), stepping)
    assert [r.action for r in results] == ["opened"]
    assert error is not None


# -- what it tells ----------------------------------------------------------------------------------------------------


@gears
@policies
def test_the_two_ends_of_a_run_are_told(policy: PolicyName, stepping: bool) -> None:
    told = run(
        still(60, lambda m: 100 + max(0, m)),
        once(long(price_take_profit=300.0)),
        policy=policy,
        interval="15m",
        stepping=stepping,
        hear=["before_start", "after_end"],
    )
    (start,), (end,) = told.of("before_start"), told.of("after_end")
    last = 58 if policy == "reference" else 59
    assert (minute(start.timestamp), start.current_price) == (0, None)
    assert (minute(end.timestamp), end.current_price) == (last, 100 + last - 3)


@gears
def test_a_stopped_run_ends_where_it_was_stopped(stepping: bool) -> None:
    async def get_signal(symbol: str, when: Any, price: float) -> None:
        if minute(round(when.timestamp() * 1000)) == 15:
            await bk.stop_strategy(symbol)

    told = run(still(60), get_signal, interval="5m", stepping=stepping, hear=["after_end"])
    assert told.minutes("after_end") == [15]


def test_a_run_that_is_stopped_before_its_first_tick_ends_there() -> None:
    def prepare() -> None:
        bk.listen_before_start(lambda event: bk.stop_strategy(event.symbol))

    told = run(still(20), once(long()), prepare=prepare, hear=["after_end"])
    assert told.results == []
    assert [(minute(e.timestamp), e.current_price) for e in told.of("after_end")] == [(0, 100.0)]


@gears
def test_progress_is_told_at_every_tick_and_at_the_end(stepping: bool) -> None:
    told = run(still(10), once(long()), hear=["backtest_progress"], stepping=stepping)
    events = told.of("backtest_progress")
    assert [e.processed_frames for e in events] == [0, 6, 7, 8, 9, 10]
    assert [e.total_frames for e in events] == [10] * 6
    assert [e.progress for e in events] == [0.0, 0.6, 0.7, 0.8, 0.9, 1.0]


@gears
def test_idle_ticks_are_told_and_counted(stepping: bool) -> None:
    told = run(still(10), once(long()), hear=["idle_ping", "signal_backtest"], stepping=stepping)
    assert told.minutes("idle_ping") == [6, 7, 8, 9]
    assert [r.action for r in told.of("signal_backtest")] == ["opened", "closed", *["idle"] * 4]
    idle = told.of("signal_backtest")[-1]
    assert idle.signal is None
    assert idle.created_at == idle.timestamp


def test_results_go_to_the_channel_of_the_mode_and_then_to_that_of_all() -> None:
    order: list[str] = []

    def prepare() -> None:
        bk.listen_signal(lambda r: order.append(f"signal {r.action}"))
        bk.listen_signal_backtest(lambda r: order.append(f"backtest {r.action}"))
        bk.listen_signal_live(lambda r: order.append("live"))

    run(still(7), once(long()), prepare=prepare)
    assert order[:4] == ["backtest opened", "signal opened", "backtest closed", "signal closed"]
    assert "live" not in order


@gears
def test_counters_count_what_nobody_hears(stepping: bool) -> None:
    counters = run(still(40), once(long()), interval="5m", stepping=stepping).result.counters
    assert counters.active_pings == 4
    assert counters.idle_ticks == counters.idle_pings == 34
    assert counters.get_signal_calls == len([0, 6, 10, 15, 20, 25, 30, 35])


def test_the_event_loop_gets_a_turn_every_so_many_questions() -> None:
    turns = [0]
    length = 3 * BREATHE_EVERY + 20

    async def beside(stop: asyncio.Event) -> None:
        while not stop.is_set():
            turns[0] += 1
            await asyncio.sleep(0)

    async def main() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(beside(stop))
        market(candles(still(length)))
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + length * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: None)
        await bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f").result()
        stop.set()
        await task

    with Kit():
        asyncio.run(main())
    assert turns[0] >= 3


# -- how it fails -----------------------------------------------------------------------------------------------------


def test_an_error_of_the_run_itself_does_not_touch_another_run() -> None:
    with Kit():
        market(candles(still(60, at={40: BAD})))
        bk.add_exchange(exchange_name="good", read_candles=Asked(still(60)).read)
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=once(long()))

        async def main() -> list[Any]:
            runs = [bk.Backtest.run("BTC", strategy_name="s", exchange_name=e, frame_name="f") for e in ("x", "good")]
            return await asyncio.gather(*(r.result() for r in runs), return_exceptions=True)

        bad, good = asyncio.run(main())
    assert isinstance(bad, bk.CandleError)
    assert [r.close_reason for r in good.closed] == ["time_expired"]


def test_a_strategy_that_takes_too_long_is_an_error_of_its_own() -> None:
    async def slow(symbol: str, when: Any, price: float) -> None:
        await asyncio.Event().wait()

    with Kit() as kit:
        market(candles(still(3)))
        bk.add_frame(frame_name="f", interval="1m", start_date=BEGIN, end_date=BEGIN + 3 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=slow)
        config = kit.config.model_copy(update={"max_signal_generation_seconds": 0.01})
        plan = kit.container.run_resolver().backtest(RunKey("BTC", "s", "x", "f", True), config, None)
        logic = kit.container.backtest_logic()
        state = logic.start(plan)
        assert in_loop(logic.run(state)) == []
    assert [type(e.error) for e in state.errors.kept] == [bk.StrategyTimeoutError] * 3


def test_a_summary_says_what_was_assumed_and_what_it_cost() -> None:
    told = run(still(30), once(long(cost=500, multiplier=2)))
    summary = told.result.summary
    assert (summary.policy, summary.percent_fee, summary.percent_slippage) == ("conservative", 0.1, 0.1)
    assert summary.fee_paid is not None
    assert summary.slippage_paid is not None
    assert summary.fee_paid + summary.slippage_paid == pytest.approx(-told.only.pnl.pnl_cost)
    assert summary.fee_paid == pytest.approx(500 * 2 * 0.002, rel=1e-2)
    assert (minute(summary.first_time or 0), minute(summary.last_time or 0)) == (0, 30)
    assert (summary.candles_missing, summary.candles_filled, summary.gaps) == (0, 0, "refuse")


# -- the callback of the frame ----------------------------------------------------------------------------------------


def run_framed(on_timeframe: Callable[..., Any], **strategy: Any) -> bk.BacktestResult:
    with Kit():
        market(candles(still(12)))
        bk.add_frame(
            frame_name="told",
            start_date=datetime.fromtimestamp(BEGIN / 1000, UTC),
            end_date=datetime.fromtimestamp(BEGIN / 1000 + 120, UTC),
            callbacks={"on_timeframe": on_timeframe},
        )
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: None, **strategy)
        return bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="told").wait()


def test_the_callback_of_a_frame_hears_its_ticks() -> None:
    heard: list[Any] = []

    async def on_timeframe(*told: Any) -> None:
        heard.append((told, bk.get_date()))

    run_framed(on_timeframe)
    first = datetime.fromtimestamp(BEGIN / 1000, UTC)
    (((times, start, end, interval), now),) = heard
    minutes = [datetime.fromtimestamp(BEGIN / 1000 + 60 * i, UTC) for i in range(3)]
    assert (list(times), start, end) == (minutes[:2], minutes[0], minutes[2])  # at the end nothing can be done any more
    assert (now, interval) == (first, "1m")


def test_a_failing_callback_of_a_frame_ends_the_run_only_when_asked_to() -> None:
    def on_timeframe(*_: Any) -> None:
        raise ValueError("no")

    result = run_framed(on_timeframe)
    assert [(error.source, str(error.error)) for error in result.errors] == [("on_timeframe", "no")]
    with pytest.raises(bk.RunError, match="on_timeframe of strategy 's' failed: no"):
        run_framed(on_timeframe, on_error="raise")
