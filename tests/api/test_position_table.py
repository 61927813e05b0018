"""Every command and every query in every state: what takes effect, what is refused and why, what is answered."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.api import position_functions
from backtestkit.api.position import PositionApi, PositionCommands, PositionQueries
from backtestkit.math.profit import Costs, profit_loss
from scenarios.rows import signal_row
from scenarios.states import STATES, in_state, long, methods

# -- commands ---------------------------------------------------------------------------------------------------------

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "commit_partial_profit": (10,),
    "commit_partial_loss": (10,),
    "commit_partial_profit_cost": (10.0,),
    "commit_partial_loss_cost": (10.0,),
    "commit_trailing_stop": (-1,),
    "commit_trailing_take": (-1,),
    "commit_trailing_stop_cost": (91.0,),
    "commit_trailing_take_cost": (109.0,),
    "commit_breakeven": (),
    "commit_average_buy": (10.0,),
    "commit_close_pending": (),
    "commit_create_take_profit": (),
    "commit_create_stop_loss": (),
    "commit_signal_notify": ("look at this",),
    "commit_cancel_scheduled": (),
    "commit_activate_scheduled": (),
    "commit_create_signal": (long(),),
    "set_strategy_paused": (True,),
    "stop_strategy": (),
}
ON_WAITING = ("commit_cancel_scheduled", "commit_activate_scheduled")
ON_STRATEGY = ("commit_create_signal", "set_strategy_paused", "stop_strategy")
ON_POSITION = tuple(name for name in ARGUMENTS if name not in ON_WAITING + ON_STRATEGY)

NOTHING_OPEN = dict.fromkeys(ON_POSITION, "no_pending_signal")
NOTHING_WAITS = dict.fromkeys(ON_WAITING, "no_scheduled_signal")
STRATEGY = {"set_strategy_paused": None, "stop_strategy": None}
DONE = dict.fromkeys(ON_POSITION, "done")
PROFIT = DONE | {
    "commit_partial_loss": "wrong_direction",
    "commit_partial_loss_cost": "wrong_direction",
    "commit_average_buy": "not_better",
}
LOSS = DONE | {
    "commit_partial_profit": "wrong_direction",
    "commit_partial_profit_cost": "wrong_direction",
    "commit_breakeven": "not_reached",
}


def idle(create: str) -> dict[str, str | None]:
    """Nothing is open and nothing waits; `create` is what becomes of a queued signal."""
    return NOTHING_OPEN | NOTHING_WAITS | STRATEGY | {"commit_create_signal": create}


def held(position: dict[str, str], create: str = "create_signal_pending_exists") -> dict[str, str | None]:
    """A position is open."""
    return position | NOTHING_WAITS | STRATEGY | {"commit_create_signal": create}


OVER = dict.fromkeys(ARGUMENTS, "UsageError") | {"stop_strategy": None}
EXPECTED: dict[str, dict[str, str | None]] = {
    "before the first tick": idle("done"),
    "idle": idle("done"),
    "queued": idle("create_signal_already_queued"),
    "paused": idle("done"),
    "stopped": idle("strategy_stopped"),
    "waiting": idle("create_signal_scheduled_exists") | dict.fromkeys(ON_WAITING, "done"),
    "cancel on its way": idle("create_signal_cancel_awaiting"),
    "activation on its way": idle("create_signal_activation_awaiting"),
    "stopped while waiting": idle("strategy_stopped"),
    "in profit": held(PROFIT),
    "at a loss": held(LOSS),
    "after a partial close": held(PROFIT),
    "after an average buy": held(LOSS | {"commit_average_buy": "not_better"}),
    "after breakeven": held(
        PROFIT
        | {
            "commit_breakeven": "not_tighter",
            "commit_trailing_stop": "not_tighter",
            "commit_trailing_stop_cost": "not_tighter",
        }
    ),
    "open and paused": held(PROFIT),
    "open and stopped": held(PROFIT, "strategy_stopped"),
    "close on its way": idle("create_signal_close_awaiting"),
    "full close on its way": idle("create_signal_close_awaiting"),
    "fill on its way": idle("create_signal_fill_awaiting"),
    "being closed": held(
        {name: "closing" if code == "done" else code for name, code in PROFIT.items()}
        | {"commit_signal_notify": "done"}
    ),
    "closed": idle("done"),
    "at the end": OVER,
    "over": OVER,
}


def test_the_table_has_every_state_and_every_command() -> None:
    assert list(EXPECTED) == list(STATES)
    assert sorted(ARGUMENTS) == methods(PositionCommands)
    assert all(sorted(row) == methods(PositionCommands) for row in EXPECTED.values())


def test_every_command_and_query_is_a_function_of_the_package() -> None:
    names = methods(PositionCommands) + methods(PositionQueries)
    assert sorted(names) == methods(PositionApi)
    for name in names:
        assert getattr(bk, name) is getattr(position_functions, name)
        assert getattr(bk, name).__name__ == name


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_command_in_a_state(command: str, state: str) -> None:
    answer = in_state(STATES[state], lambda api: getattr(api, command)(*ARGUMENTS[command]))
    assert told(answer) == EXPECTED[state][command]


def told(answer: Any) -> str | None:
    """`done`, the code of a refusal or of a refused signal, the kind of another error, or None."""
    if isinstance(answer, bk.SignalError):
        (code,) = answer.codes
        return code
    if isinstance(answer, Exception):
        return type(answer).__name__
    if answer is None:
        return None
    if not answer:
        assert answer.message
    return "done" if answer else str(answer.code)


REFUSED = [
    (command, state) for state, row in EXPECTED.items() for command, what in row.items() if what not in ("done", None)
]


@pytest.mark.parametrize(("command", "state"), REFUSED)
def test_a_command_that_is_refused_changes_nothing(command: str, state: str) -> None:
    async def probe(api: PositionApi) -> tuple[Any, Any]:
        before = await seen(api)
        with suppress(bk.BacktestKitError):
            await getattr(api, command)(*ARGUMENTS[command])
        return before, await seen(api)

    before, after = in_state(STATES[state], probe)
    assert before == after


async def seen(api: PositionApi) -> tuple[Any, ...]:
    return await api.get_strategy_status(), await api.get_pending_signal(), await api.get_scheduled_signal()


def test_the_run_is_over_says_the_error() -> None:
    answer = in_state(STATES["over"], lambda api: api.commit_close_pending())
    assert str(answer) == "the run is over; nothing can be changed in it any more"


@pytest.mark.parametrize("given", [None, 5, "long"])
def test_only_a_signal_can_be_queued(given: Any) -> None:
    answer = in_state(STATES["idle"], lambda api: api.commit_create_signal(given))
    assert isinstance(answer, bk.UsageError)


def test_a_queued_signal_must_be_valid_now() -> None:
    answer = in_state(STATES["idle"], lambda api: api.commit_create_signal(long(price_stop_loss=105.0)))
    assert isinstance(answer, bk.SignalError)
    assert answer.codes == ("create_signal_invalid",)
    assert isinstance(answer.__cause__, bk.SignalError)
    assert answer.__cause__.codes == ("stop_loss_wrong_side", "stop_loss_too_close")


def test_an_entry_price_of_a_queued_signal_is_not_compared_with_the_market() -> None:
    waits = long(price_open=92.0, price_stop_loss=91.0)
    assert in_state(STATES["idle"], lambda api: api.commit_create_signal(waits))


# -- queries ----------------------------------------------------------------------------------------------------------

AT_96, AT_100, AT_102, AT_104 = (
    profit_loss(signal_row(), price, Costs(0.1, 0.1)).pnl_percentage for price in (96.0, 100.0, 102.0, 104.0)
)
LADDER = bk.Ladder(upper_percent=1.0, lower_percent=1.0)
ASKED: dict[str, tuple[Any, ...]] = {
    "get_position_entry_overlap": (100.5, LADDER),
    "get_position_partial_overlap": (104.5, LADDER),
}
YES_OR_NO = ("get_breakeven", "get_position_entry_overlap", "get_position_partial_overlap")
ON_THE_STRATEGY = (
    "get_scheduled_signal", "get_latest_signal", "get_minutes_since_latest_signal_created", "has_no_pending_signal",
    "has_no_scheduled_signal", "get_strategy_status", "get_strategy_paused", "get_position_waiting_minutes",
)  # fmt: skip
ON_THE_POSITION = tuple(name for name in methods(PositionQueries) if name not in ON_THE_STRATEGY)
WITHOUT_POSITION = [
    name
    for name, row in EXPECTED.items()
    if row["commit_close_pending"] in ("no_pending_signal", "UsageError")
]  # fmt: skip
WITH_POSITION = [name for name in STATES if name not in WITHOUT_POSITION]


def ask(state: str, *names: str) -> dict[str, Any]:
    async def probe(api: PositionApi) -> dict[str, Any]:
        return {name: await getattr(api, name)(*ASKED.get(name, ())) for name in names}

    answers: dict[str, Any] = in_state(STATES[state], probe)
    return answers


@pytest.mark.parametrize("state", WITHOUT_POSITION)
def test_without_a_position_queries_answer_none_or_no(state: str) -> None:
    answers = ask(state, *ON_THE_POSITION)
    assert answers == {name: False if name in YES_OR_NO else None for name in ON_THE_POSITION}


@pytest.mark.parametrize("state", WITH_POSITION)
def test_with_a_position_every_query_has_an_answer(state: str) -> None:
    answers = ask(state, *ON_THE_POSITION)
    assert [name for name, answer in answers.items() if answer is None] == []


def number(value: Any) -> Any:
    return pytest.approx(value, abs=1e-9) if isinstance(value, float) else value


IN_PROFIT: dict[str, Any] = {
    "get_breakeven": True,
    "get_total_percent_held": 100.0,
    "get_total_percent_closed": 100.0,
    "get_remaining_cost_basis": 100.0,
    "get_total_cost_closed": 100.0,
    "get_position_effective_price": 100.0,
    "get_position_invested_count": 1,
    "get_position_invested_cost": 100.0,
    "get_position_pnl_percent": AT_104,
    "get_position_pnl_cost": AT_104,
    "get_position_levels": [100.0],
    "get_position_partials": [],
    "get_position_estimate_minutes": 30,
    "get_position_countdown_minutes": 22,
    "get_position_active_minutes": 8,
    "get_position_highest_profit_price": 104.0,
    "get_position_highest_profit_minutes": 1,
    "get_position_drawdown_minutes": 1,
    "get_position_highest_profit_breakeven": True,
    "get_position_highest_pnl_percentage": AT_104,
    "get_position_highest_pnl_cost": AT_104,
    "get_position_max_drawdown_price": 100.0,
    "get_position_max_drawdown_minutes": 8,
    "get_position_max_drawdown_pnl_percentage": AT_100,
    "get_position_max_drawdown_pnl_cost": AT_100,
    "get_position_highest_profit_distance_pnl_percentage": 0.0,
    "get_position_highest_profit_distance_pnl_cost": 0.0,
    "get_position_highest_max_drawdown_pnl_percentage": AT_104 - AT_100,
    "get_position_highest_max_drawdown_pnl_cost": AT_104 - AT_100,
    "get_max_drawdown_distance_pnl_percentage": AT_104 - AT_100,
    "get_max_drawdown_distance_pnl_cost": AT_104 - AT_100,
    "get_position_entry_overlap": True,
    "get_position_partial_overlap": False,
    "has_no_pending_signal": False,
    "has_no_scheduled_signal": True,
    "get_strategy_paused": False,
    "get_minutes_since_latest_signal_created": 8,
    "get_position_waiting_minutes": None,
    "get_scheduled_signal": None,
}


@pytest.mark.parametrize("query", IN_PROFIT)
def test_an_answer_in_profit(query: str) -> None:
    assert ask("in profit", query)[query] == number(IN_PROFIT[query])


@pytest.mark.parametrize(
    ("state", "query", "answer"),
    [
        ("at a loss", "get_position_pnl_percent", AT_96),
        ("at a loss", "get_breakeven", False),
        ("at a loss", "get_position_highest_profit_distance_pnl_percentage", AT_100 - AT_96),
        ("at a loss", "get_position_highest_max_drawdown_pnl_cost", 0.0),
        ("after a partial close", "get_total_percent_held", 60.0),
        ("after a partial close", "get_remaining_cost_basis", 60.0),
        ("after a partial close", "get_position_invested_cost", 100.0),
        ("after a partial close", "get_position_partial_overlap", True),
        ("after an average buy", "get_position_invested_count", 2),
        ("after an average buy", "get_position_invested_cost", 150.0),
        ("after an average buy", "get_position_levels", [100.0, 96.0]),
        ("after an average buy", "get_position_effective_price", 98.63013698630137),
        ("waiting", "get_position_waiting_minutes", 8),
        ("waiting", "has_no_scheduled_signal", False),
        ("cancel on its way", "has_no_scheduled_signal", True),
        ("paused", "get_strategy_paused", True),
        ("closed", "get_minutes_since_latest_signal_created", 30),
        ("idle", "get_minutes_since_latest_signal_created", None),
        ("idle", "get_latest_signal", None),
        ("over", "get_position_waiting_minutes", None),
    ],
)
def test_an_answer_in_another_state(state: str, query: str, answer: Any) -> None:
    got = ask(state, query)[query]
    assert got == ([number(a) for a in answer] if isinstance(answer, list) else number(answer))


def test_details_are_answered_as_records() -> None:
    answers = ask("after a partial close", "get_position_entries", "get_position_partials", "get_pending_signal")
    (entry,), (part,) = answers["get_position_entries"], answers["get_position_partials"]
    assert (entry.price, entry.cost) == (100.0, 100.0)
    assert (part.type, part.percent, part.current_price, part.cost_basis_at_close) == ("profit", 40.0, 104.0, 100.0)
    assert answers["get_pending_signal"].pnl.price_close == 104.0


def test_times_of_the_extremes_are_milliseconds() -> None:
    names = ("get_position_highest_profit_timestamp", "get_position_max_drawdown_timestamp")
    best, worst = ask("in profit", *names).values()
    assert (best - worst) / 60_000 == 7


@pytest.mark.parametrize("name", ["get_position_pnl_percent", "get_position_pnl_cost"])
def test_a_profit_may_be_asked_at_another_price(name: str) -> None:
    answer = in_state(STATES["in profit"], lambda api: getattr(api, name)(102.0))
    assert answer == pytest.approx(AT_102)


def test_a_signal_may_be_asked_at_another_price() -> None:
    answer = in_state(STATES["in profit"], lambda api: api.get_pending_signal(102.0))
    assert answer.pnl.pnl_percentage == pytest.approx(AT_102)
    assert in_state(STATES["in profit"], lambda api: api.get_breakeven(100.5)) is False


def test_the_latest_signal_is_shown_as_it_was_accepted() -> None:
    for state in ("in profit", "closed", "over"):
        latest = ask(state, "get_latest_signal")["get_latest_signal"]
        assert latest.pnl.price_close == 100.0
        assert latest.total_partials == 0


def test_a_waiting_signal_is_shown() -> None:
    signal = ask("waiting", "get_scheduled_signal")["get_scheduled_signal"]
    assert (signal.price_open, signal.pending_at) == (99.0, 0)


SLOTS = {
    "close on its way": "close_slot",
    "full close on its way": "close_slot",
    "fill on its way": "fill_slot",
    "cancel on its way": "cancel_slot",
    "stopped while waiting": "cancel_slot",
    "activation on its way": "activate_slot",
}


@pytest.mark.parametrize("state", STATES)
def test_the_status_shows_where_the_signal_is(state: str) -> None:
    status = ask(state, "get_strategy_status")["get_strategy_status"]
    places = ("pending_id", "scheduled_id", "close_slot", "fill_slot", "cancel_slot", "activate_slot")
    filled = [name for name in places if getattr(status, name) is not None]
    if state in SLOTS:
        assert filled == [SLOTS[state]]
    elif state in WITH_POSITION:
        assert filled == ["pending_id"]
    else:
        assert filled == (["scheduled_id"] if state == "waiting" else [])
    assert status.paused is (state in ("paused", "open and paused"))
    assert status.stopped is (state in ("stopped", "stopped while waiting", "open and stopped"))
    assert (status.created is not None) is (state == "queued")
    opened = state in WITH_POSITION or state in ("closed", "over", "at the end") or "close" in state or "fill" in state
    assert (status.last_opened_id is not None) is opened


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        ("after a partial close", ["partial_profit"]),
        ("after an average buy", ["average_buy"]),
        ("after breakeven", ["breakeven"]),
        ("full close on its way", ["partial_profit"]),
        ("in profit", []),
    ],
)
def test_the_status_shows_commands_that_are_not_announced_yet(state: str, actions: list[str]) -> None:
    status = ask(state, "get_strategy_status")["get_strategy_status"]
    assert [commit.action for commit in status.commits] == actions


def test_every_field_of_the_status_is_looked_at() -> None:
    assert {f.name for f in fields(bk.StrategyStatus)} == {
        "pending_id", "scheduled_id", "last_opened_id", "created", "close_slot", "fill_slot", "cancel_slot",
        "activate_slot", "commits", "paused", "stopped",
    }  # fmt: skip


def test_an_endless_position_never_counts_down() -> None:
    async def probe(api: PositionApi) -> Any:
        return await api.get_position_estimate_minutes(), await api.get_position_countdown_minutes()

    state = STATES["in profit"]
    assert in_state(state, probe) == (30, 22)
    endless = type(state)(state.channel, state.minute, long(minute_estimated_time=math.inf))
    assert in_state(endless, probe, config={"max_signal_lifetime_minutes": math.inf}) == (math.inf, math.inf)
