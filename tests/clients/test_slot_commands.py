"""Commands that take effect at the next candle: close, reported fills, cancel, activate; and what runs on meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import still
from scenarios.run import Told, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
RISING = still(60, lambda m: 100 + 0.01 * m)


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 30} | changes
    return bk.Signal(position="long", **fields)


def given(commands: Commands, signal: bk.Signal, policy: PolicyName, rows: Any = None, **options: Any) -> Told:
    options.setdefault("hear", ["strategy_commit", "signal_event", "order_schedule"])
    return run(RISING if rows is None else rows, once(signal), policy=policy, prepare=commands.listen, **options)


# -- close ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "price"), [("reference", 100.02), ("conservative", 100.01), ("next_open", 100.03)])
def test_a_close_closes_at_the_next_candle(policy: PolicyName, price: float) -> None:
    commands = Commands().at("active_ping", 3, "commit_close_pending", id="c", note="enough")
    told = given(commands, long(), policy)
    assert told.story[1][:2] == (4, "closed")
    assert told.story[1][2] == pytest.approx(price, abs=1e-12)
    assert told.only.close_id == "c"
    (commit,) = told.of("strategy_commit")
    assert (commit.action, commit.command_id, commit.note, commit.current_price) == (
        "close_pending",
        "c",
        "enough",
        None,
    )


@policies
def test_between_a_close_and_its_candle_nothing_is_open(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("active_ping", 3, "commit_close_pending")
    commands.at("active_ping", 3, "get_pending_signal")
    commands.at("active_ping", 3, "has_no_pending_signal")
    commands.at("active_ping", 3, "get_strategy_status")
    given(commands, long(), policy)
    seen = commands.answers
    assert seen[1] is None
    assert seen[2] is True
    assert seen[3].close_slot is not None
    assert seen[3].pending_id is None


@policies
def test_a_close_overtakes_a_stop_in_the_same_candle(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 3, "commit_close_pending")
    rows = still(60, lambda m: 80 if m >= (4 if policy == "reference" else 3) else 100)
    assert given(commands, long(), policy, rows).story[1][1] == "closed"


@pytest.mark.parametrize(("policy", "price"), [("conservative", 100.0), ("reference", 100.0), ("next_open", 105.0)])
def test_a_close_before_the_first_candle_closes_at_the_tick(policy: PolicyName, price: float) -> None:
    commands = Commands().at("signal_event", 0, "commit_close_pending", action="opened")
    told = given(commands, long(), policy, still(40, lambda m: 105 if m >= 0 else 100))
    assert told.story[1] == (0, "closed", price)
    assert told.only.close_timestamp == told.only.signal.pending_at


@pytest.mark.parametrize(
    ("policy", "heard"),
    [("conservative", ["opened", "closed"]), ("next_open", ["opened", "closed"]), ("reference", ["opened"])],
)
def test_an_early_close_is_announced_like_any_other(policy: PolicyName, heard: list[str]) -> None:
    commands = Commands().at("signal_event", 0, "commit_close_pending", action="opened")
    told = given(commands, long(), policy)
    assert [e.action for e in told.of("signal_event")] == heard


@policies
@pytest.mark.parametrize(
    ("command", "reason", "price"),
    [("commit_create_take_profit", "take_profit", 110.0), ("commit_create_stop_loss", "stop_loss", 90.0)],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_reported_fill_closes_at_its_level(
    command: str, reason: str, price: float, policy: PolicyName, early: bool
) -> None:
    channel, at = ("signal_event", 0) if early else ("active_ping", 3)
    commands = Commands().at(channel, at, command, id="f")
    told = given(commands, long(), policy)
    assert told.story[1] == (0 if early else 4, reason, price)
    assert told.only.close_id == "f"
    assert [e.action for e in told.of("signal_event")] == ["opened", "closed"]


@policies
def test_a_close_when_an_activated_entry_opens_closes_at_the_next_candle(policy: PolicyName) -> None:
    commands = Commands().at("signal_event", None, "commit_close_pending", action="opened")
    rows = still(60, lambda m: 99 if m == 10 else 100)
    told = given(commands, long(price_open=99.0), policy, rows)
    assert told.story[2][1] == "closed"
    assert told.story[2][0] == told.story[1][0] + 1


@policies
def test_a_close_when_nothing_is_open_says_so(policy: PolicyName) -> None:
    commands = Commands()
    for name in ("close_pending", "create_take_profit", "create_stop_loss"):
        commands.at("idle_ping", 3, f"commit_{name}")
    run(still(20), lambda *_: None, policy=policy, prepare=commands.listen)
    assert commands.done == [False] * 3
    assert commands.codes == ["no_pending_signal"] * 3
    assert commands.answers[0].message == "there is no open position"


# -- cancel -----------------------------------------------------------------------------------------------------------


@policies
def test_a_cancellation_gives_the_entry_up_at_the_next_candle(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 3, "commit_cancel_scheduled", id="k", note="changed my mind")
    told = given(commands, long(price_open=99.0), policy)
    assert told.story[1][:2] == (4, "user")
    cancelled = told.results[1]
    assert isinstance(cancelled, bk.CancelledResult)
    assert cancelled.cancel_id == "k"
    assert [name for name, e in told.heard if getattr(e, "action", "") in ("cancelled", "cancel_scheduled")] == [
        "order_schedule",
        "strategy_commit",
    ]
    (commit,) = told.of("strategy_commit")
    assert (commit.action, commit.command_id, commit.note) == ("cancel_scheduled", "k", "changed my mind")


@policies
def test_a_cancellation_before_the_first_candle_happens_at_the_tick(policy: PolicyName) -> None:
    commands = Commands().at("order_schedule", 0, "commit_cancel_scheduled", action="scheduled")
    told = given(commands, long(price_open=99.0), policy)
    assert told.story[1] == (0, "user", told.story[0][2])
    assert [name for name, e in told.heard if getattr(e, "action", "") in ("cancelled", "cancel_scheduled")] == [
        "strategy_commit",
        "order_schedule",
    ]


@policies
def test_cancelling_or_activating_nothing_says_so(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("idle_ping", 3, "commit_cancel_scheduled").at("idle_ping", 3, "commit_activate_scheduled")
    run(still(20), lambda *_: None, policy=policy, prepare=commands.listen)
    assert commands.done == [False, False]
    assert commands.codes == ["no_scheduled_signal"] * 2


# -- activate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "price"), [("conservative", 100.01), ("next_open", 100.01), ("reference", 99.0)])
def test_an_activation_opens_where_the_market_is(policy: PolicyName, price: float) -> None:
    commands = Commands().at("schedule_ping", 3, "commit_activate_scheduled", id="a", note="now")
    told = given(commands, long(price_open=99.0), policy)
    assert told.story[1][:2] == (4, "opened")
    assert told.story[1][2] == pytest.approx(price, abs=1e-12)
    assert told.only.signal.entries[0].price == told.story[1][2]
    commit = told.of("strategy_commit")[0]
    assert (commit.action, commit.command_id, commit.note) == ("activate_scheduled", "a", "now")


@policies
def test_an_activation_before_the_first_candle_opens_on_the_first_candle(policy: PolicyName) -> None:
    commands = Commands().at("order_schedule", 0, "commit_activate_scheduled", action="scheduled")
    told = given(commands, long(price_open=99.0), policy)
    assert told.story[1][:2] == (0 if policy == "reference" else 1, "opened")


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_an_activation_whose_take_profit_the_market_has_passed_is_given_up(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 8, "commit_activate_scheduled")
    rows = still(60, lambda m: 130 if m >= 2 else 100)
    told = given(commands, long(price_open=99.0), policy, rows)
    assert told.story[1] == (9, "price_reject", 130.0)
    assert told.of("strategy_commit") == []
    cancelled = told.results[1]
    assert isinstance(cancelled, bk.CancelledResult)
    assert cancelled.cancel_id is None


@pytest.mark.parametrize("channel", ["order_schedule", "schedule_ping"])
def test_a_stopped_strategy_activates_nothing(channel: str) -> None:
    async def stop_then_activate(event: Any) -> Any:
        await bk.stop_strategy(event.symbol)
        return await bk.commit_activate_scheduled(event.symbol)

    commands = Commands().at(channel, None, stop_then_activate)
    told = given(commands, long(price_open=99.0), "conservative")
    assert commands.codes == ["no_scheduled_signal"]
    assert told.story[1][1] == "user"


# -- what counts meanwhile --------------------------------------------------------------------------------------------


@policies
def test_a_second_command_on_a_position_on_its_way_out_is_refused(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 3, "commit_close_pending")
    for name in ("commit_close_pending", "commit_create_take_profit", "commit_breakeven", "commit_average_buy"):
        commands.at("active_ping", 3, name)
    commands.at("active_ping", 3, "commit_partial_profit", 50)
    commands.at("active_ping", 3, "commit_trailing_stop", -5)
    commands.at("active_ping", 3, "commit_trailing_take_cost", 105.0)
    commands.at("active_ping", 3, "commit_partial_loss_cost", 10.0)
    told = given(commands, long(), policy)
    assert commands.done == [True] + [False] * 8
    assert set(commands.codes[1:]) == {"no_pending_signal"}
    assert commands.answers[1].message == "there is no open position; one is on its way out"
    assert told.only.close_reason == "closed"


@policies
def test_events_of_a_position_on_its_way_out_are_not_told(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 3, "commit_close_pending")
    rows = still(60, lambda m: 108 if m >= 1 else 100)
    told = given(
        commands,
        long(),
        policy,
        rows,
        hear=["active_ping", "breakeven_available", "partial_profit_available"],
    )
    assert told.minutes("active_ping")[-1] == 3
    assert max(minute(e.timestamp) for e in told.of("partial_profit_available", "breakeven_available")) < 3
