"""`Backtest` and `Reflect`: queries and commands of a run by its context, and siblings of the running symbol."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.api.position import PositionCommands, PositionQueries
from backtestkit.kit import Kit
from scenarios.states import methods
from scenarios.traded import CONTEXT, five_minutes, run_of, trading_kit


@pytest.fixture
def kit() -> Iterator[Kit]:
    with trading_kit() as kit:
        yield kit


QUERY_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "get_position_entry_overlap": (100.0,),
    "get_position_partial_overlap": (100.0,),
}


def test_the_facade_has_every_query_and_every_command() -> None:
    facade = {name for name in dir(bk.Backtest) if not name.startswith("_")}
    assert set(methods(PositionQueries)) | set(methods(PositionCommands)) <= facade | {
        "set_strategy_paused", "stop_strategy", "get_strategy_paused"
    }  # fmt: skip
    assert set(methods(PositionQueries)) - {"get_strategy_paused"} <= set(dir(bk.Reflect))


def test_a_query_by_context_answers_like_the_run_itself(kit: Kit) -> None:
    backtest = run_of()
    for result in backtest:
        if result.action != "opened":
            continue
        for name in methods(PositionQueries):
            if not hasattr(bk.Backtest, name):
                continue
            arguments = QUERY_ARGUMENTS.get(name, ())
            by_name = asyncio.run(getattr(bk.Backtest, name)("BTC", *arguments, **CONTEXT))
            reflected = asyncio.run(getattr(bk.Reflect, name)("BTC", *arguments, **CONTEXT))
            own = asyncio.run(getattr(bk.PositionApi(backtest.state), name)(*arguments))
            assert by_name == own == reflected, name
        break


COMMANDS: dict[str, tuple[Any, ...]] = {
    "commit_partial_profit": (10,),
    "commit_partial_loss": (10,),
    "commit_partial_profit_cost": (10.0,),
    "commit_partial_loss_cost": (10.0,),
    "commit_trailing_stop": (-1,),
    "commit_trailing_take": (-1,),
    "commit_trailing_stop_cost": (95.0,),
    "commit_trailing_take_cost": (105.0,),
    "commit_breakeven": (),
    "commit_average_buy": (10.0,),
    "commit_close_pending": (),
    "commit_create_take_profit": (),
    "commit_create_stop_loss": (),
    "commit_signal_notify": ("look at this",),
    "commit_cancel_scheduled": (),
    "commit_activate_scheduled": (),
}


def test_a_command_by_context_does_what_the_run_itself_would_do(kit: Kit) -> None:
    for name, arguments in COMMANDS.items():
        answers = []
        for way in ("facade", "run"):
            backtest = run_of()
            for _ in backtest:
                if way == "facade":
                    call = getattr(bk.Backtest, name)("BTC", *arguments, **CONTEXT)
                else:
                    call = getattr(bk.PositionApi(backtest.state), name)(*arguments)
                answers.append(asyncio.run(call))
                break
            backtest.wait()
            answers.append(backtest.fingerprint)
        assert answers[:2] == answers[2:], name


def test_a_signal_is_queued_by_context(kit: Kit) -> None:
    bk.add_strategy(strategy_name="t", interval="1m", get_signal=None)
    names = {**CONTEXT, "strategy_name": "t"}

    def queue(event: Any) -> Any:
        return bk.Backtest.commit_create_signal("BTC", five_minutes(), **names)

    bk.listen_before_start(queue)
    backtest = bk.Backtest.run("BTC", **names)
    assert [r.action for r in backtest] == ["opened", "closed"]


def test_a_run_is_paused_by_context(kit: Kit) -> None:
    backtest = run_of()
    for _ in backtest:
        asyncio.run(bk.Backtest.set_paused("BTC", True, **CONTEXT))
        assert asyncio.run(bk.Backtest.get_paused("BTC", **CONTEXT)) is True
    assert len(backtest.closed) == 1


def test_a_strategy_is_paused_and_stopped_by_context(kit: Kit) -> None:
    backtest = run_of()
    for _ in backtest:
        asyncio.run(bk.Backtest.set_strategy_paused("BTC", True, **CONTEXT))
        assert asyncio.run(bk.Backtest.get_strategy_paused("BTC", **CONTEXT)) is True
        asyncio.run(bk.Backtest.set_strategy_paused("BTC", False, **CONTEXT))
        asyncio.run(bk.Backtest.stop_strategy("BTC", **CONTEXT))
    assert len(backtest.closed) == 1


def test_a_sibling_of_the_running_symbol_is_reached_by_its_name(kit: Kit) -> None:
    seen: list[Any] = []

    async def look(event: Any) -> None:
        if event.symbol == "BTC" and event.action == "opened" and not seen:
            seen.append(await bk.get_pending_signal("ETH"))
            seen.append(await bk.get_pending_signal("BTC"))

    bk.listen_signal_event(look)
    eth = run_of("ETH")
    for _ in eth:
        break
    run_of("BTC").wait()
    eth.wait()
    assert [signal.symbol for signal in seen] == ["ETH", "BTC"]


def test_a_symbol_without_a_run_is_named(kit: Kit) -> None:
    errors: list[Any] = []

    async def look(event: Any) -> None:
        await bk.get_pending_signal("DOGE")

    bk.listen_signal_event(look)
    bk.listen_error(errors.append)
    run_of().wait()
    assert "there is no run of backtest DOGE / s / x / f" in str(errors[0].error)


def test_outside_a_run_the_bare_functions_say_where_they_belong() -> None:
    with pytest.raises(bk.ContextError, match="get_pending_signal needs a running strategy"):
        asyncio.run(bk.get_pending_signal("BTC"))
