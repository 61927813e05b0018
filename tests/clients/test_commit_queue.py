"""Commands that change a position at once, and when and how they are announced."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import still
from scenarios.run import Told, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 30} | changes
    return bk.Signal(position="long", **fields)


def given(commands: Commands, signal: bk.Signal | None = None, **options: Any) -> Told:
    options.setdefault("hear", ["strategy_commit", "signal_event"])
    rows = options.pop("rows", still(60, lambda m: 104 if m >= 2 else 100))
    return run(rows, once(signal or long()), prepare=commands.listen, **options)


@policies
@gears
def test_a_commit_is_announced_in_the_minute_of_its_command(policy: PolicyName, stepping: bool) -> None:
    commands = Commands().at("active_ping", 8, "commit_partial_profit", 30)
    told = given(commands, policy=policy, stepping=stepping)
    (commit,) = told.of("strategy_commit")
    assert (minute(commit.timestamp), commit.action, commit.percent_to_close) == (8, "partial_profit", 30.0)
    assert commit.current_price == 104.0
    assert commit.data.total_partials == 1
    assert commit.data.partial_executed == 30.0


@policies
def test_all_commits_of_a_minute_show_the_position_as_it_is_in_the_end(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("active_ping", 8, "commit_trailing_stop", -3)
    commands.at("active_ping", 8, "commit_trailing_stop", -5)
    told = given(commands, policy=policy)
    assert [(c.percent_shift, c.data.price_stop_loss) for c in told.of("strategy_commit")] == [(-3, 95.0), (-5, 95.0)]


@policies
def test_each_command_says_what_it_did(policy: PolicyName) -> None:
    config = {"enable_dca_everywhere": True}
    commands = Commands()
    commands.at("active_ping", 8, "commit_partial_profit", 10)
    commands.at("active_ping", 9, "commit_trailing_take", -1)
    commands.at("active_ping", 10, "commit_breakeven")
    commands.at("active_ping", 11, "commit_average_buy", 40)
    told = given(commands, policy=policy, config=config)
    assert commands.done == [True] * 4
    events = told.of("strategy_commit")
    assert [e.action for e in events] == ["partial_profit", "trailing_take", "breakeven", "average_buy"]
    fields = ("percent_to_close", "percent_shift", "cost")
    assert [tuple(getattr(e, f) for f in fields) for e in events] == [
        (10.0, None, None),
        (None, -1.0, None),
        (None, None, None),
        (None, None, 40.0),
    ]
    assert [e.effective_price_open for e in events[:3]] == [None] * 3
    assert events[3].effective_price_open == events[3].data.price_open > 100
    assert events[1].data.price_take_profit == pytest.approx(109.0)
    assert events[2].data.price_stop_loss == events[2].data.price_open
    assert [e.data.total_entries for e in events] == [1, 1, 1, 2]


@policies
def test_a_loss_is_closed_in_part_too(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 8, "commit_partial_loss_cost", 25.0)
    told = given(commands, policy=policy, rows=still(60, lambda m: 95 if m >= 2 else 100))
    (commit,) = told.of("strategy_commit")
    assert (commit.action, commit.percent_to_close) == ("partial_loss", 25.0)
    assert told.only.signal.partials[0].type == "loss"


@pytest.mark.parametrize(("policy", "price"), [("conservative", 100.8), ("next_open", 100.8), ("reference", 100.0)])
def test_a_command_without_a_price_works_with_the_average_that_its_listener_was_shown(
    policy: PolicyName, price: float
) -> None:
    """Under `reference` it works with the average of the candles before, one minute older than the one shown."""
    at = 2 if policy == "reference" else 3
    commands = Commands().at("active_ping", at, "commit_partial_profit", 10)
    told = given(commands, policy=policy, config={"enable_pppl_everywhere": True}, hear=["active_ping"])
    assert told.only.signal.partials[0].current_price == price
    assert next(e.current_price for e in told.of("active_ping") if minute(e.timestamp) == at) == 100.8


@policies
def test_a_full_partial_close_closes_the_position_at_the_next_candle(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("active_ping", 8, "commit_partial_profit", 60)
    commands.at("active_ping", 9, "commit_partial_profit", 100)
    commands.at("active_ping", 9, "get_pending_signal")
    told = given(commands, policy=policy)
    assert told.story[1][:2] == (10, "closed")
    assert told.only.signal.partial_executed == pytest.approx(100)
    assert commands.answers[2] is None
    events = [(minute(e.timestamp), e.action, e.note) for e in told.of("strategy_commit")]
    assert events == [
        (8, "partial_profit", ""),
        (9, "partial_profit", ""),
        (10, "close_pending", "full_partial_close"),
    ]


@policies
def test_a_partial_close_before_a_close_in_the_same_minute_is_announced_first(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("active_ping", 8, "commit_partial_profit", 40)
    commands.at("active_ping", 8, "commit_close_pending")
    told = given(commands, policy=policy)
    events = [(minute(e.timestamp), e.action) for e in told.of("strategy_commit")]
    assert events == [(8, "partial_profit"), (9, "close_pending")]


@pytest.mark.parametrize(("policy", "announced"), [("conservative", 2), ("next_open", 2), ("reference", 1)])
def test_a_partial_close_before_a_reported_fill_is_announced_or_dropped(policy: PolicyName, announced: int) -> None:
    commands = Commands()
    commands.at("active_ping", 8, "commit_partial_profit", 40)
    commands.at("active_ping", 8, "commit_create_take_profit")
    told = given(commands, policy=policy)
    assert len(told.of("strategy_commit")) == announced
    assert told.only.signal.total_partials == 1


@pytest.mark.parametrize(
    ("policy", "announced"),
    [
        ("conservative", [("strategy_commit", "partial_profit"), ("signal_event", "closed")]),
        ("next_open", [("strategy_commit", "partial_profit"), ("signal_event", "closed")]),
        ("reference", [("signal_event", "closed")]),
    ],
)
def test_a_command_that_the_first_candle_overtakes_is_announced_or_dropped(
    policy: PolicyName, announced: list[tuple[str, str]]
) -> None:
    commands = Commands().at("signal_event", 0, "commit_partial_profit", 40, price=101.0, action="opened")
    told = given(commands, policy=policy, rows=still(30, at={0: (100.0, 100.0, 90.0, 100.0, 1.0)}))
    assert commands.done == [True]
    assert told.only.close_reason == "stop_loss"
    assert told.only.signal.total_partials == 1
    assert [(name, e.action) for name, e in told.heard][1:] == announced


def test_a_command_in_the_announcement_of_an_overtaken_one_is_refused() -> None:
    commands = Commands()
    commands.at("signal_event", 0, "commit_partial_profit", 40, price=101.0, action="opened")
    commands.at("strategy_commit", 1, "commit_partial_profit", 40, price=101.0)
    commands.at("strategy_commit", 1, "commit_close_pending")
    told = given(commands, rows=still(30, at={0: (100.0, 100.0, 90.0, 100.0, 1.0)}))
    assert commands.codes == [None, "closing", "closing"]
    assert told.only.signal.total_partials == 1


@policies
def test_a_command_moves_the_level_that_the_next_candle_is_tested_against(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 8, "commit_trailing_stop_cost", 103.0)
    rows = still(60, lambda m: 100 if m < 2 else 104 if m < 12 else 102.9)
    told = given(commands, policy=policy, rows=rows)
    assert told.story[1][1] == "stop_loss"
    assert told.story[1][2] == (103.0 if policy == "reference" else 102.9)
    assert (told.only.signal.price_stop_loss, told.only.signal.original_price_stop_loss) == (103.0, 90.0)


@policies
def test_an_average_buy_moves_the_entry_and_not_the_levels(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 10, "commit_average_buy", 300)
    rows = still(60, lambda m: 100 if m < 2 else 95)
    told = given(commands, policy=policy, rows=rows)
    signal = told.only.signal
    assert [e.price for e in signal.entries] == [100.0, 95.0]
    assert [e.cost for e in signal.entries] == [100.0, 300.0]
    assert signal.price_open == pytest.approx(400 / (1 + 300 / 95))
    assert (signal.price_take_profit, signal.price_stop_loss, signal.cost) == (110.0, 90.0, 100.0)
    assert told.only.pnl.pnl_entries == 400.0


@policies
def test_an_average_buy_costs_the_configured_amount_unless_it_says(policy: PolicyName) -> None:
    commands = Commands().at("active_ping", 10, "commit_average_buy")
    rows = still(60, lambda m: 100 if m < 2 else 95)
    told = given(commands, policy=policy, rows=rows, config={"position_entry_cost": 77})
    assert [e.cost for e in told.only.signal.entries] == [77.0, 77.0]


# -- while a close is announced ---------------------------------------------------------------------------------------

REFUSED = {
    "commit_partial_profit": (50,),
    "commit_trailing_stop": (-1,),
    "commit_trailing_take": (-1,),
    "commit_average_buy": (10,),
    "commit_close_pending": (),
    "commit_create_take_profit": (),
}


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_command_given_while_the_close_is_announced_is_refused(name: str, policy: PolicyName) -> None:
    """The row and the profit of the result are final by then."""
    commands = Commands().at("signal_event", None, name, *REFUSED[name], action="closed")
    config = {"enable_dca_everywhere": True}
    rows = still(60, lambda m: 104 if m >= 2 else 100)
    signal = long(minute_estimated_time=10)
    told = given(commands, signal, policy=policy, rows=rows, config=config)
    assert commands.codes == ["closing"]
    plain = run(rows, once(signal), policy=policy, config=config)
    assert told.only.pnl == plain.only.pnl
    assert told.story == plain.story


@pytest.mark.parametrize("name", REFUSED)
def test_under_reference_such_a_command_is_accepted_and_counts_for_nothing(name: str) -> None:
    commands = Commands().at("signal_event", None, name, *REFUSED[name], action="closed")
    rows = still(60, lambda m: 104 if m >= 2 else 100)
    signal = long(minute_estimated_time=10)
    told = given(commands, signal, policy="reference", rows=rows, config={"enable_dca_everywhere": True})
    assert commands.done == [True]
    assert told.only.signal.total_partials == 0
    assert told.of("strategy_commit") == []
    assert told.story == run(rows, once(signal), policy="reference").story


@policies
def test_a_signal_is_not_queued_before_the_close_is_complete(policy: PolicyName) -> None:
    commands = Commands()
    commands.at("signal_event", None, "commit_create_signal", long(), action="closed")
    commands.at("signal_backtest", None, "commit_create_signal", long(), action="closed")
    told = given(commands, long(minute_estimated_time=5), policy=policy, rows=still(30))
    assert commands.answers[0].codes == ("create_signal_pending_exists",)
    assert commands.answers[1].done
    assert [what for _, what, _ in told.story][:3] == ["opened", "time_expired", "opened"]


# -- callbacks --------------------------------------------------------------------------------------------------------


def test_on_write_hears_every_change_of_the_position_and_its_end() -> None:
    written: list[tuple[int, int | None]] = []

    def on_write(symbol: str, row: Any, price: float, when: Any, backtest: bool) -> None:
        written.append((minute(round(when.timestamp() * 1000)), None if row is None else row.total_partials))

    commands = Commands().at("active_ping", 8, "commit_partial_profit", 30)
    given(commands, long(minute_estimated_time=12), callbacks={"on_write": on_write})
    assert written[0] == (0, 0)
    assert (8, 1) in written
    assert written[-1] == (12, None)
    assert [w for w in written if w[1] is None] == [(12, None)]
