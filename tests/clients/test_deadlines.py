"""Deadlines: how long a position lives, how long an entry waits, and where the frame cuts both."""

from __future__ import annotations

import math
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import CONSERVATIVE, PolicyName
from scenarios.commands import Commands
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import each, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
honest = pytest.mark.parametrize("policy", ["conservative", "next_open"])
ENDLESS = {"max_signal_lifetime_minutes": math.inf}


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 150.0, "price_stop_loss": 90.0, "minute_estimated_time": 15} | changes
    return bk.Signal(position="long", **fields)


@policies
@pytest.mark.parametrize("life", [1, 2, 15])
def test_a_position_lives_its_minutes_from_its_opening(life: int, policy: PolicyName) -> None:
    told = run(still(40), once(long(minute_estimated_time=life)), policy=policy)
    assert told.story == [(0, "opened", 100.0), (life, "time_expired", 100.0)]


@policies
def test_the_life_of_a_waiting_entry_begins_when_it_opens(policy: PolicyName) -> None:
    told = run(still(60, lambda m: 99 if m == 10 else 100), once(long(price_open=99.0)), policy=policy)
    opening, end = told.story[1][0], told.story[2][0]
    assert end - opening == 15


@honest
def test_the_last_candle_inside_the_lifetime_may_still_stop(policy: PolicyName) -> None:
    told = run(still(40, at={14: (100.0, 100.0, 89.0, 100.0, 1.0)}), once(long()), policy=policy)
    assert told.story[1] == (15, "stop_loss", 90.0)


@honest
def test_the_last_candle_inside_the_lifetime_may_still_take_profit(policy: PolicyName) -> None:
    told = run(still(40, lambda m: 200 if m >= 12 else 100), once(long()), policy=policy)
    assert told.story[1] == (15, "take_profit", 150.0)


def test_under_reference_the_deadline_comes_before_what_its_candle_brings() -> None:
    told = run(still(40, at={15: (100.0, 100.0, 80.0, 100.0, 1.0)}), once(long()), policy="reference")
    assert told.story[1][:2] == (15, "time_expired")


@pytest.mark.parametrize(("policy", "price"), [("conservative", 100.0), ("next_open", 104.0), ("reference", 100.8)])
def test_an_expired_position_leaves_at_the_average_or_at_the_next_open(policy: PolicyName, price: float) -> None:
    told = run(still(40, lambda m: 104 if m >= 15 else 100), once(long()), policy=policy)
    assert told.story[1] == (15, "time_expired", price)


@policies
def test_an_entry_waits_its_minutes_and_no_longer(policy: PolicyName) -> None:
    config = {"schedule_await_minutes": 10}
    touched = still(40, lambda m: 99 if m == 9 else 100)
    told = run(touched, once(long(price_open=99.0)), policy=policy, config=config)
    assert told.story[1][1] == "opened"
    late = still(40, lambda m: 99 if m == 10 else 100)
    told = run(late, once(long(price_open=99.0)), policy=policy, config=config)
    assert told.story[1][:2] == (10, "timeout")


# -- the end of the frame ---------------------------------------------------------------------------------------------


@honest
def test_the_frame_cuts_an_open_position_at_its_end_and_says_so(policy: PolicyName) -> None:
    told = run(still(40), once(long()), policy=policy, last=10)
    assert told.story[1] == (10, "frame_end", 100.0)


@honest
def test_the_frame_cuts_a_waiting_entry_at_its_end_and_says_so(policy: PolicyName) -> None:
    told = run(still(40), once(long(price_open=99.0)), policy=policy, last=10)
    assert told.story[1] == (10, "frame_end", 100.0)


def test_reference_cuts_one_candle_after_the_last_tick_and_calls_it_expiry() -> None:
    assert run(still(40), once(long()), policy="reference", last=10).story[1] == (11, "time_expired", 100.0)
    waits = run(still(40), once(long(price_open=99.0)), policy="reference", last=10)
    assert waits.story[1] == (11, "timeout", 100.0)


@honest
def test_a_real_expiry_at_the_end_of_the_frame_is_an_expiry(policy: PolicyName) -> None:
    told = run(still(40), once(long(minute_estimated_time=10)), policy=policy, last=10)
    assert told.story[1] == (10, "time_expired", 100.0)


@honest
def test_a_stop_in_the_last_minute_of_the_frame_is_a_stop(policy: PolicyName) -> None:
    told = run(still(40, at={9: (100.0, 100.0, 89.0, 100.0, 1.0)}), once(long()), policy=policy, last=10)
    assert told.story[1] == (10, "stop_loss", 90.0)


def test_with_a_coarse_frame_the_end_date_counts_and_not_the_last_tick() -> None:
    coarse = {"frame_interval": "15m", "last": 40}
    assert run(still(60), once(long(minute_estimated_time=300)), **coarse).story[1][:2] == (40, "frame_end")  # type: ignore[arg-type]
    told = run(still(60), once(long(minute_estimated_time=300)), policy="reference", **coarse)  # type: ignore[arg-type]
    assert told.story[1][:2] == (31, "time_expired")


@honest
def test_an_entry_that_the_last_candle_opens_is_cut_at_once(policy: PolicyName) -> None:
    told = run(still(10, lambda m: 99 if m == 9 else 100), once(long(price_open=99.0)), policy=policy)
    assert told.story[1:] == [(10, "opened", 99.0), (10, "frame_end", 99.8)]


@honest
@pytest.mark.parametrize(
    ("command", "reason", "price"),
    [
        ("commit_close_pending", "closed", 99.8),
        ("commit_create_take_profit", "take_profit", 150.0),
        ("commit_create_stop_loss", "stop_loss", 90.0),
    ],
)
def test_a_close_command_in_the_last_candle_is_carried_out(
    command: str, reason: str, price: float, policy: PolicyName
) -> None:
    commands = Commands().at("signal_event", 10, command, id="me", action="opened")
    rows = still(10, lambda m: 99 if m == 9 else 100)
    told = run(rows, once(long(price_open=99.0)), policy=policy, prepare=commands.listen)
    assert commands.done == [True]
    assert told.story[1:] == [(10, "opened", 99.0), (10, reason, price)]
    assert told.only.close_id == "me"


@pytest.mark.parametrize(
    ("signal", "end"), [(long(), "time_expired"), (long(price_open=99.0), "timeout")], ids=["open", "waiting"]
)
def test_the_candle_that_cuts_may_be_missing_at_the_end_of_the_data(signal: bk.Signal, end: str) -> None:
    source = candles(still(11))
    span = (int(source.timestamp[0]), int(source.timestamp[-1]))
    told = run(source, once(signal), policy="reference", last=10, exchange={"span": lambda symbol, interval: span})
    assert told.story[1] == (11, end, 100.0)


@policies
def test_no_tick_lies_beyond_the_frame(policy: PolicyName) -> None:
    ticks: list[int] = []
    run(still(40), lambda s, when, p: ticks.append(minute(round(when.timestamp() * 1000))), policy=policy, last=10)
    assert ticks == list(range(11 if policy == "reference" else 10))


# -- positions without a limit ----------------------------------------------------------------------------------------


@policies
@pytest.mark.parametrize("stepping", [False, True])
def test_an_infinite_hold_ends_at_its_level_however_late(policy: PolicyName, stepping: bool) -> None:
    rows = still(1600, lambda m: 200 if m >= 1500 else 100)
    told = run(rows, once(long(minute_estimated_time=math.inf)), policy=policy, config=ENDLESS, stepping=stepping)
    label = 1502 if policy == "reference" else 1503
    assert told.story[1] == (label, "take_profit", 150.0)
    assert told.only.pnl.pnl_percentage == 49.4505994005994


@policies
def test_an_infinite_hold_is_cut_with_the_frame(policy: PolicyName) -> None:
    told = run(still(1200), once(long(minute_estimated_time=math.inf)), policy=policy, config=ENDLESS, last=1100)
    expected = (1101, "time_expired") if policy == "reference" else (1100, "frame_end")
    assert told.story[1][:2] == expected


@policies
def test_a_close_command_late_in_an_infinite_hold_closes_where_it_was_given(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 995, "commit_close_pending")
    told = run(
        still(1200, lambda m: 110 if m >= 900 else 100),
        once(long(minute_estimated_time=math.inf)),
        policy=policy,
        config=ENDLESS,
        prepare=commands.listen,
    )
    assert told.story[1] == (996, "closed", 110.0)


def test_an_endless_life_needs_leave() -> None:
    told = run(still(20), once(long(minute_estimated_time=math.inf)))
    assert told.codes == [("minute_estimated_time_infinite_not_allowed", "minute_estimated_time_too_large")]


# -- what follows a close ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "again"), [("conservative", 6), ("reference", 6)])
def test_the_next_tick_after_a_close_is_later_than_the_close(policy: PolicyName, again: int) -> None:
    told = run(still(40), each(long(minute_estimated_time=5), long(minute_estimated_time=5)), policy=policy)
    assert [m for m, what, _ in told.story if what == "opened"] == [0, again]


def test_a_stop_in_candle_5_lets_the_honest_strategy_act_a_minute_later_than_the_reference() -> None:
    rows = still(40, at={5: (100.0, 100.0, 89.0, 100.0, 1.0)})
    starts = {
        policy: [m for m, what, _ in run(rows, each(long(), long()), policy=policy).story if what == "opened"]
        for policy in ("conservative", "reference")
    }
    assert starts == {"conservative": [0, 7], "reference": [0, 6]}


def test_a_coarse_frame_ticks_next_at_the_first_frame_time_after_the_close() -> None:
    asked: list[int] = []

    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
        asked.append(minute(round(when.timestamp() * 1000)))
        return long(minute_estimated_time=20)

    told = run(still(90), get_signal, frame_interval="15m", interval="15m", policy="reference", last=60)
    assert asked == [0, 30, 60]
    assert [m for m, what, _ in told.story if what == "time_expired"][:2] == [20, 50]


def test_candles_of_an_hour_live_by_the_clock() -> None:
    hours = candles(still(40, lambda m: 100 + (m >= 3) * 60), step=60 * MINUTE)
    begin = START + 5 * 60 * MINUTE
    with bk.Kit({"avg_price_candles_count": 1}):
        bk.add_exchange(
            exchange_name="x",
            base_interval="1h",
            read_candles=lambda s, i, since, until: hours[
                int(hours.timestamp.searchsorted(since)) : int(hours.timestamp.searchsorted(until))
            ],
        )
        bk.add_frame(frame_name="f", interval="1h", start_date=begin, end_date=begin + 20 * 60 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1h", get_signal=once(long(minute_estimated_time=600)))
        result = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f").wait()
    (trade,) = result.closed
    assert trade.close_reason == "take_profit"
    assert (trade.close_timestamp - begin) // (60 * MINUTE) == 4


def test_a_policy_of_ones_own_is_a_record_of_choices() -> None:
    from dataclasses import replace

    mine = replace(CONSERVATIVE, name="mine", gapped_stop="level")
    told = run(still(40, lambda m: 50 if m >= 10 else 100), once(long()), policy=mine)
    assert told.story[1] == (11, "stop_loss", 90.0)
    assert told.result.summary.policy == "mine"
