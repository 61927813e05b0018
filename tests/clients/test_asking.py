"""When the strategy is asked for a signal: interval, warmup, pause, stop, errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from backtestkit.model.interval import INTERVAL_MS, FrameInterval, SignalInterval
from scenarios.commands import Commands
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, Told, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 5} | changes
    return bk.Signal(position="long", **fields)


class Asked:
    """A `get_signal` that remembers when it was asked."""

    def __init__(self, answer: Callable[[int], Any] = lambda m: None) -> None:
        self.minutes: list[int] = []
        self.prices: list[float] = []
        self._answer = answer

    def __call__(self, symbol: str, when: Any, price: float) -> Any:
        self.minutes.append(minute(round(when.timestamp() * 1000)))
        self.prices.append(price)
        return self._answer(self.minutes[-1])


MIDNIGHT = HISTORY  # the first candle opens at midnight, the first tick is five minutes later


@gears
@policies
@pytest.mark.parametrize("interval", ["1m", "3m", "5m", "15m", "30m", "1h"])
def test_a_strategy_is_asked_once_an_interval_of_the_clock(
    interval: SignalInterval, policy: PolicyName, stepping: bool
) -> None:
    asked = Asked()
    run(still(140), asked, interval=interval, policy=policy, stepping=stepping)
    step = INTERVAL_MS[interval] // MINUTE
    ends = 140 if policy != "reference" else 139
    expected = [0] + [m for m in range(1, ends) if (m + MIDNIGHT) % step == 0]
    assert asked.minutes == expected


@gears
def test_the_first_tick_asks_even_off_the_interval(stepping: bool) -> None:
    asked = Asked()
    run(still(60), asked, interval="5m", first=2, last=20, stepping=stepping)
    assert asked.minutes == [2, 5, 10, 15]


@pytest.mark.parametrize("frame", ["1m", "3m", "5m", "15m", "1h"])
def test_a_frame_slower_than_the_strategy_sets_the_pace(frame: FrameInterval) -> None:
    asked = Asked()
    run(still(140), asked, interval="1m", frame_interval=frame)
    assert asked.minutes == list(range(0, 140, INTERVAL_MS[frame] // MINUTE))


def test_a_close_does_not_free_the_interval() -> None:
    asked = Asked(lambda m: long())
    run(still(60), asked, interval="15m")
    assert asked.minutes == [0, 10, 25, 40, 55]


def test_the_price_is_the_average_of_the_candles_before_the_tick() -> None:
    asked = Asked()
    run(still(10, lambda m: 100 + m), asked)
    assert asked.prices == [100 + m - 3 for m in range(10)]


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_the_window_of_the_average_is_configured(count: int) -> None:
    asked = Asked()
    run(still(10, lambda m: 100 + m), asked, config={"avg_price_candles_count": count}, first=2)
    assert asked.prices[0] == pytest.approx(100 + 2 - (count + 1) / 2)


# -- errors -----------------------------------------------------------------------------------------------------------


def failing(minutes: set[int]) -> Callable[[int], Any]:
    def answer(at: int) -> None:
        if at in minutes:
            raise ValueError(f"no idea at {at}")

    return answer


@gears
def test_an_error_is_reported_and_uses_up_the_interval(stepping: bool) -> None:
    asked = Asked(failing({0}))
    told = run(still(30), asked, interval="5m", hear=["error"], stepping=stepping)
    assert asked.minutes == [0, 5, 10, 15, 20, 25]
    (event,) = told.of("error")
    assert (str(event.error), event.source, minute(event.timestamp)) == ("no idea at 0", "get_signal", 0)
    assert told.result.error_count == 1


def test_an_error_under_raise_ends_the_run_and_names_the_strategy() -> None:
    with pytest.raises(bk.RunError, match=r"get_signal of strategy 's' failed: no idea at 3") as caught:
        run(still(30), Asked(failing({3})), on_error="raise")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_refused_signal_is_an_error_with_all_its_reasons() -> None:
    told = run(still(30), once(long(price_take_profit=100.1, price_stop_loss=70.0)))
    assert told.codes == [("take_profit_too_close", "stop_loss_too_far")]


# -- the first candles ------------------------------------------------------------------------------------------------


def spanned(count: int) -> dict[str, Any]:
    source = candles(still(count))
    span = (int(source.timestamp[0]), int(source.timestamp[-1]))
    return {"rows": source, "exchange": {"span": lambda symbol, interval: span}}


@pytest.mark.parametrize(
    ("warmup", "first"),
    [
        ({"1m": 5}, 0),
        ({"1m": 20}, 15),
        ({"15m": 2}, 25),
        ({"1m": 50, "15m": 2}, 45),
        (timedelta(minutes=32), 27),
        (timedelta(minutes=1), 0),
    ],
)
def test_a_warmup_puts_off_the_first_question_until_its_candles_exist(warmup: Any, first: int) -> None:
    asked = Asked()
    run(get_signal=asked, warmup=warmup, **spanned(100))
    assert asked.minutes[0] == first


def test_a_warmup_counts_whole_candles_of_its_interval() -> None:
    source = candles(still(100), start=START + 7 * MINUTE)  # begins inside a quarter of an hour
    span = (int(source.timestamp[0]), int(source.timestamp[-1]))
    asked: list[int] = []

    def get_signal(symbol: str, when: Any, price: float) -> None:
        asked.append(round(when.timestamp() * 1000))

    run(source, get_signal, warmup={"15m": 1}, exchange={"span": lambda symbol, interval: span})
    assert asked[0] == START + 30 * MINUTE


def test_without_a_warmup_missing_history_is_an_error_that_names_the_first_start_that_works() -> None:
    with pytest.raises(bk.InsufficientDataError, match=r"Start the frame at 2025-01-01 00:05 or later"):
        run(get_signal=Asked(), first=-2, **spanned(100))


def test_a_warmup_may_take_the_whole_frame_but_then_there_is_no_tick() -> None:
    with pytest.raises(bk.InsufficientDataError, match=r"after the warmup, which ends at 2025-01-01 08:20"):
        run(get_signal=Asked(), warmup={"1m": 500}, **spanned(100))


# -- pause ------------------------------------------------------------------------------------------------------------


def paused(told_minutes: tuple[int, int], **options: Any) -> tuple[Asked, Told]:
    asked = Asked()
    pause, resume = told_minutes
    commands = Commands()
    commands.at("idle_ping", pause, "set_strategy_paused", True)
    commands.at("idle_ping", resume, "set_strategy_paused", False)
    told = run(still(20), asked, interval="5m", prepare=commands.listen, hear=["pause"], **options)
    assert commands.answers == [None, None]
    return asked, told


@policies
def test_a_pause_holds_questions_and_the_first_tick_after_it_asks(policy: PolicyName) -> None:
    asked, told = paused((2, 6), policy=policy)
    assert asked.minutes == [0, 7, 10, 15]
    assert [(minute(e.timestamp), e.paused) for e in told.of("pause")] == [(2, True), (6, False)]


def test_pausing_what_is_paused_says_nothing() -> None:
    commands = Commands()
    for at in (2, 3, 4):
        commands.at("idle_ping", at, "set_strategy_paused", True)
    told = run(still(20), Asked(), prepare=commands.listen, hear=["pause"])
    assert told.minutes("pause") == [2]


def test_a_pause_is_true_or_false() -> None:
    commands = Commands().at("idle_ping", 2, "set_strategy_paused", 1)
    run(still(20), Asked(), prepare=commands.listen)
    assert str(commands.answers[0]) == "paused=1 must be True or False"


@policies
def test_an_open_position_goes_on_through_a_pause(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 2, "set_strategy_paused", True)
    told = run(still(40), Asked(lambda m: long()), policy=policy, prepare=commands.listen)
    assert told.story == [(0, "opened", 100.0), (5, "time_expired", 100.0)]


@policies
def test_a_waiting_entry_still_opens_through_a_pause(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 2, "set_strategy_paused", True)
    rows = still(40, lambda m: 99 if m == 5 else 100)
    told = run(rows, Asked(lambda m: long(price_open=99.0)), policy=policy, prepare=commands.listen)
    assert [what for _, what, _ in told.story] == ["scheduled", "opened", "time_expired"]


@policies
def test_a_queued_signal_waits_for_the_end_of_the_pause(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("idle_ping", 2, "set_strategy_paused", True)
    commands.at("idle_ping", 3, "commit_create_signal", long())
    commands.at("idle_ping", 7, "set_strategy_paused", False)
    told = run(still(30), Asked(), policy=policy, prepare=commands.listen)
    assert told.story[0] == (8, "opened", 100.0)


# -- stop -------------------------------------------------------------------------------------------------------------


@policies
def test_a_stop_while_nothing_is_open_ends_the_run(policy: PolicyName) -> None:
    asked = Asked()
    commands = Commands().at("idle_ping", 4, "stop_strategy")
    told = run(still(30), asked, policy=policy, prepare=commands.listen, hear=["idle_ping", "after_end"])
    assert asked.minutes == [0, 1, 2, 3, 4]
    assert told.minutes("idle_ping") == [0, 1, 2, 3, 4]
    assert told.minutes("after_end") == [4]


def test_a_stop_that_comes_with_the_tick_is_before_the_question() -> None:
    asked = Asked()
    commands = Commands().at("backtest_progress", 4, "stop_strategy")
    run(still(30), asked, prepare=commands.listen)
    assert asked.minutes == [0, 1, 2, 3]


@policies
def test_a_stop_lets_an_open_position_run_to_its_end_and_opens_nothing_more(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 2, "stop_strategy")
    told = run(still(40), Asked(lambda m: long()), policy=policy, prepare=commands.listen)
    assert told.story == [(0, "opened", 100.0), (5, "time_expired", 100.0)]


@policies
def test_a_stop_gives_a_waiting_entry_up_at_the_next_candle(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 3, "stop_strategy")
    told = run(
        still(40),
        Asked(lambda m: long(price_open=99.0)),
        policy=policy,
        prepare=commands.listen,
        hear=["strategy_commit"],
    )
    assert told.story == [(0, "scheduled", 100.0), (4, "user", 100.0)]
    (commit,) = told.of("strategy_commit")
    assert (commit.action, commit.note) == ("cancel_scheduled", "stop_strategy")


@policies
def test_a_stop_overrules_an_activation_on_its_way(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("schedule_ping", 3, "commit_activate_scheduled")
    commands.at("schedule_ping", 3, "stop_strategy")
    told = run(still(40), Asked(lambda m: long(price_open=99.0)), policy=policy, prepare=commands.listen)
    assert told.story[1][:2] == (4, "user")


@policies
def test_a_stop_drops_a_queued_signal(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("idle_ping", 3, "commit_create_signal", long())
    commands.at("idle_ping", 3, "stop_strategy")
    assert run(still(40), Asked(), policy=policy, prepare=commands.listen).results == []


def test_a_stop_inside_get_signal_refuses_its_answer() -> None:
    async def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
        await bk.stop_strategy(symbol)
        return long()

    assert run(still(20), get_signal).results == []


def test_a_run_can_be_stopped_from_the_loop_over_its_results() -> None:
    with bk.Kit():
        source = candles(still(60))
        bk.add_exchange(
            exchange_name="x", read_candles=lambda s, i, a, b: source[slice(*source.timestamp.searchsorted([a, b]))]
        )
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=Asked(lambda m: long()))
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f")
        actions = []
        for result in backtest:
            actions.append(result.action)
            backtest.stop()
        assert actions == ["opened", "closed"]


# -- a queued signal --------------------------------------------------------------------------------------------------


@policies
def test_a_queued_signal_is_taken_at_the_next_tick_whatever_the_interval(policy: PolicyName) -> None:
    asked = Asked()
    commands = Commands().at("idle_ping", 3, "commit_create_signal", long())
    told = run(still(40), asked, interval="15m", policy=policy, prepare=commands.listen)
    assert told.story[0] == (4, "opened", 100.0)
    assert 4 not in asked.minutes


@policies
def test_a_signal_queued_while_the_strategy_thinks_is_taken_instead_of_its_answer(policy: PolicyName) -> None:
    async def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
        await bk.commit_create_signal(symbol, long(note="queued"))
        await asyncio.sleep(0)
        return long(note="answered")

    told = run(still(10), get_signal, policy=policy)
    assert told.results[0].signal.note == "queued"


@policies
def test_a_strategy_without_get_signal_trades_what_is_queued(policy: PolicyName) -> None:
    queued = {"position": "long", "price_take_profit": 110, "price_stop_loss": 90, "minute_estimated_time": 5}
    commands = Commands().at("idle_ping", 3, "commit_create_signal", queued)
    told = run(still(40), None, policy=policy, prepare=commands.listen)
    assert [what for _, what, _ in told.story] == ["opened", "time_expired"]
    assert told.result.counters.get_signal_calls == 0


@policies
def test_a_queued_signal_that_the_market_has_left_behind_is_dropped_and_the_strategy_asked_again(
    policy: PolicyName,
) -> None:
    asked = Asked()
    commands = Commands().at("idle_ping", 3, "commit_create_signal", long(price_stop_loss=99.0))
    rows = still(40, lambda m: 90 if m >= 3 else 100)
    told = run(rows, asked, interval="15m", policy=policy, prepare=commands.listen, hear=["idle_ping"])
    assert told.codes == [("queued_signal_revalidation_failed",)]
    assert asked.minutes[:2] == [0, 5]
    assert told.results == []
