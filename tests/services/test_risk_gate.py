"""The gate of a run: who is asked, what counts as a refusal, and that places are taken all or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.errors import RunError
from backtestkit.model.fill_policy import CONSERVATIVE
from backtestkit.model.schema import ActionSchema
from backtestkit.model.signal import ProfitLoss
from backtestkit.services.logic.risk_gate import MAX_TRIES
from scenarios.gates import Gates

AT_MOST_ONE = bk.rules.max_positions(1)


def ask(gate: Any, **fields: Any) -> bool:
    answer: bool = asyncio.run(gate.ask(**fields))
    return answer


def test_without_rules_everything_may_enter_and_takes_a_place() -> None:
    gates = Gates()
    assert ask(gates.gate("BTC", {"r": []}))
    assert [place.symbol for place in gates.books["r"].active(60_000)] == ["BTC"]
    assert gates.events == []


def test_rules_are_asked_in_order_until_one_rejects() -> None:
    asked: list[str] = []

    def rule(name: str, answer: object = None) -> Callable[[bk.RiskPayload], object]:
        def check(payload: bk.RiskPayload) -> object:
            asked.append(f"{payload.risk_name}.{name}")
            return answer

        return check

    gates = Gates()
    gate = gates.gate("BTC", {"a": [rule("1"), rule("2")], "b": [rule("1"), rule("2", "no"), rule("3")], "c": []})
    assert not ask(gate)
    assert asked == ["a.1", "a.2", "b.1", "b.2"]
    (event,) = gates.events
    assert (event.risk_name, event.rejection_id, event.rejection_note) == ("b", None, "no")


def test_a_rejection_leaves_no_place_in_any_profile() -> None:
    gates = Gates()
    assert not ask(gates.gate("BTC", {"a": [], "b": [lambda p: "no"]}))
    assert all(not book.active(60_000) for book in gates.books.values())
    assert ask(gates.gate("ETH", {"a": [AT_MOST_ONE]}))


def test_plain_and_async_rules_are_asked_alike() -> None:
    async def wait(payload: bk.RiskPayload) -> str:
        await asyncio.sleep(0)
        return f"{payload.active_position_count} open"

    gates = Gates()
    assert not ask(gates.gate("BTC", {"r": [lambda p: None, wait]}))
    assert gates.events[0].rejection_note == "0 open"


def test_the_event_shows_the_signal_as_the_rules_saw_it() -> None:
    seen: list[bk.RiskPayload] = []
    gates = Gates()
    assert ask(gates.gate("ETH", {"r": []}))
    gate = gates.gate("BTC", {"r": [seen.append, lambda p: bk.RiskRejection("full", "no place")]})
    assert not ask(gate, price=101.0)
    (payload,), (event,) = seen, gates.events
    assert event.current_signal is payload.current_signal
    assert payload.current_signal.pnl.price_close == 101.0
    assert (event.key.symbol, event.timestamp, event.current_price, event.active_position_count) == (
        "BTC",
        60_000,
        101.0,
        1,
    )
    assert (event.rejection_id, event.rejection_note) == ("full", "no place")
    assert (payload.symbol, payload.strategy_name, payload.exchange_name, payload.frame_name) == ("BTC", "s", "x", "f")
    assert (payload.risk_name, payload.timestamp, payload.current_price) == ("r", 60_000, 101.0)
    assert [place.symbol for place in payload.active_positions] == ["ETH"]


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        (lambda p: {"id": "x"}, "refused by validation 1 (<lambda>) of risk 'r'"),
        ({"validate": lambda p: {"note": ""}, "note": "mine"}, "mine"),
        ({"validate": lambda p: {"note": "given"}, "note": "mine"}, "given"),
        ({"validate": lambda p: bk.RiskRejection(), "note": "mine"}, "mine"),
        ({"validate": lambda p: 1 / 0, "note": "mine"}, "mine: ZeroDivisionError('division by zero')"),
        (lambda p: 1 / 0, "ZeroDivisionError('division by zero')"),
        (lambda p: [][0], "IndexError('list index out of range')"),
    ],
)
def test_every_refusal_has_a_reason(rule: Any, note: str) -> None:
    gates = Gates()
    assert not ask(gates.gate("BTC", {"r": [rule]}))
    assert gates.events[0].rejection_note == note


def test_a_rule_that_raises_refuses_and_is_told_apart() -> None:
    def fail(payload: bk.RiskPayload) -> None:
        raise ValueError

    gates = Gates(raises=True)
    assert not ask(gates.gate("BTC", {"r": [fail]}))
    (told,) = gates.raised
    assert isinstance(told.error, ValueError)
    assert told.source == "validation 1 (fail) of risk 'r'"
    assert (told.key.symbol, told.timestamp) == ("BTC", 60_000)
    assert gates.events[0].rejection_note == "ValueError()"
    assert gates.errors == []


def test_an_answer_that_says_nothing_is_reported_and_refuses() -> None:
    gates = Gates()
    assert not ask(gates.gate("BTC", {"r": [{"validate": lambda p: True, "note": "mine"}]}))
    (told,) = gates.errors
    assert isinstance(told.error, bk.UsageError)
    assert str(told.error).startswith("validation 1 (mine) of risk 'r' returned True")
    assert gates.events[0].rejection_note.startswith("mine: UsageError(")
    assert not gates.books["r"].active(60_000)


def test_an_answer_that_says_nothing_ends_a_run_that_raises() -> None:
    gates = Gates(raises=True)
    with pytest.raises(RunError, match="returned True"):
        ask(gates.gate("BTC", {"r": [lambda p: True]}))
    assert not gates.books["r"].active(60_000)


def test_callbacks_hear_the_outcome_after_the_event() -> None:
    heard: list[Any] = []
    gates = Gates()
    gates.channels.risk.listen(lambda event: heard.append(("event", event.symbol)))

    async def on_rejected(symbol: str, event: bk.RiskEvent) -> None:
        heard.append(("rejected", symbol, event.rejection_note))

    def on_allowed(symbol: str, payload: bk.RiskPayload) -> None:
        places = len(gates.books["a"].active(60_000)), len(gates.books["b"].active(60_000))
        heard.append(("allowed", symbol, payload.risk_name, payload.active_position_count, places))

    callbacks: dict[str, Callable[..., Any]] = {"on_rejected": on_rejected, "on_allowed": on_allowed}
    rules = {"a": [], "b": [AT_MOST_ONE]}
    assert ask(gates.gate("BTC", rules, callbacks=callbacks))
    assert not ask(gates.gate("ETH", rules, callbacks=callbacks))
    assert heard == [
        ("allowed", "BTC", "a", 0, (1, 1)),
        ("allowed", "BTC", "b", 0, (1, 1)),
        ("event", "ETH"),
        ("rejected", "ETH", "1 of 1 positions are taken"),
    ]


def test_errors_in_callbacks_are_reported_and_change_nothing() -> None:
    def fail(*_: object) -> None:
        raise ValueError("callback")

    gates = Gates()
    callbacks = {"on_rejected": fail, "on_allowed": fail}
    assert ask(gates.gate("BTC", {"r": [AT_MOST_ONE]}, callbacks=callbacks))
    assert not ask(gates.gate("ETH", {"r": [AT_MOST_ONE]}, callbacks=callbacks))
    assert [told.source for told in gates.errors] == ["on_allowed of risk 'r'", "on_rejected of risk 'r'"]
    assert [place.symbol for place in gates.books["r"].active(60_000)] == ["BTC"]


def test_actions_hear_rejections() -> None:
    heard: list[Any] = []

    class Handler:
        def risk_rejection(self, event: bk.RiskEvent) -> None:
            heard.append(event)

    gates = Gates()
    action = ActionSchema(action_name="a", handler=Handler())
    assert not ask(gates.gate("BTC", {"r": [lambda p: "no"]}, actions=[action]))
    assert heard == gates.events


def test_a_signal_does_not_count_itself() -> None:
    gates = Gates()
    gate = gates.gate("BTC", {"r": [AT_MOST_ONE]})
    waiting = {"is_scheduled": True, "pending_at": 0}
    assert ask(gate, **waiting)
    assert ask(gate, fresh=False, **waiting)
    assert len(gates.books["r"].active(60_000)) == 1
    assert not ask(gates.gate("ETH", {"r": [AT_MOST_ONE]}))


def test_a_signal_counts_itself_where_the_policy_says_so() -> None:
    gates = Gates()
    gate = gates.gate("BTC", {"r": [AT_MOST_ONE]}, policy=replace(CONSERVATIVE, name="c", own_place="counted"))
    assert ask(gate)
    assert not ask(gate, fresh=False)


def test_what_becomes_of_a_row_is_settled_in_every_profile() -> None:
    gates = Gates()
    gate = gates.gate("BTC", {"a": [], "b": []})
    assert ask(gate, is_scheduled=True)
    gate.machine.now = 120_000
    gate.gate.settle("opened", gate.row(pending_at=120_000), None)
    gate.gate.settle("changed", gate.row(pending_at=120_000, entries=((100.0, 100.0), (90.0, 50.0))), None)
    for book in gates.books.values():
        (place,) = book.active(120_000)
        assert (place.open_timestamp, place.cost, place.waiting) == (120_000, 150.0, False)
    gate.machine.now = 180_000
    gate.gate.settle("gone", gate.row(pending_at=120_000), ProfitLoss(-2.0, -3.0, 150.0, 100.0, 98.0))
    for book in gates.books.values():
        assert not book.active(180_000)
        (trade,) = book.history(180_000)
        assert (trade.timestamp, trade.pnl_cost, trade.pnl_percentage, trade.entry.cost) == (180_000, -3.0, -2.0, 150.0)


def test_what_never_opened_is_no_trade() -> None:
    gates = Gates()
    gate = gates.gate("BTC", {"r": []})
    assert ask(gate)
    gate.gate.settle("gone", gate.row(is_scheduled=True), None)
    assert ask(gate)
    gate.gate.release()
    assert (gates.books["r"].active(60_000), len(gates.books["r"].history(60_000))) == ((), 0)


def test_rules_are_asked_again_when_a_profile_changed_meanwhile() -> None:
    gates = Gates()
    counts: dict[str, list[int]] = {"BTC": [], "ETH": []}
    both_in = asyncio.Event()

    async def slow(payload: bk.RiskPayload) -> object:
        counts[payload.symbol].append(payload.active_position_count)
        if payload.symbol == "BTC":
            await both_in.wait()
        return AT_MOST_ONE(payload)

    async def main() -> list[bool]:
        first, second = gates.gate("BTC", {"r": [slow]}), gates.gate("ETH", {"r": [slow]})
        waiting = asyncio.create_task(first.ask())
        await asyncio.sleep(0)
        allowed = await second.ask()
        both_in.set()
        return [await waiting, allowed]

    assert asyncio.run(main()) == [False, True]
    assert counts == {"BTC": [0, 1], "ETH": [0]}
    assert [place.symbol for place in gates.books["r"].active(60_000)] == ["ETH"]


def test_a_profile_that_never_settles_refuses() -> None:
    gates = Gates()
    other = gates.gate("ETH", {"r": []})
    asked: list[int] = []

    async def disturb(payload: bk.RiskPayload) -> None:
        asked.append(payload.timestamp)
        await other.ask()

    assert not ask(gates.gate("BTC", {"r": [disturb]}))
    assert len(asked) == MAX_TRIES
    assert gates.events[0].rejection_id == "unsettled"
    assert [place.symbol for place in gates.books["r"].active(60_000)] == ["ETH"]


def test_a_rule_may_ask_another_gate_of_the_same_profile() -> None:
    gates = Gates()
    inner = gates.gate("ETH", {"r": [lambda p: "never"]})

    async def nested(payload: bk.RiskPayload) -> str | None:
        return "inner passed" if await inner.ask() else None

    assert ask(gates.gate("BTC", {"r": [nested]}))


def test_a_cancelled_check_takes_no_place() -> None:
    gates = Gates()

    async def forever(payload: bk.RiskPayload) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(gates.gate("BTC", {"a": [], "b": [forever]}).ask())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert all(not book.active(60_000) for book in gates.books.values())
