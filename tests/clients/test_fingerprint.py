"""The fingerprint: equal for equal runs, different for any decision that differs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.clients.fingerprint import Fingerprint
from backtestkit.clients.position import Pricing
from backtestkit.math.profit import Costs
from backtestkit.model.event import CommitEvent
from backtestkit.model.result import CancelledResult, ClosedResult, OpenedResult
from backtestkit.model.signal import PublicSignal
from backtestkit.runtime.context import RunKey
from scenarios.commands import Commands
from scenarios.market import START, still
from scenarios.rows import signal_row
from scenarios.run import once, run

KEY = RunKey("BTC", "s", "x", "f", True)
PRICING = Pricing(Costs(0.1, 0.1), 0.2)
SIGNAL = PRICING.public(signal_row(), 102.0)


def closed(**changes: Any) -> ClosedResult:
    result = ClosedResult(KEY, START, 102.0, SIGNAL, "take_profit", START, SIGNAL.pnl, None, False)
    return replace(result, **changes)


def of(*items: Any) -> str:
    fingerprint = Fingerprint()
    for item in items:
        (fingerprint.add_commit if isinstance(item, CommitEvent) else fingerprint.add)(item)
    return fingerprint.hexdigest()


COVERED = (
    "position", "price_open", "price_take_profit", "price_stop_loss", "original_price_open",
    "original_price_take_profit", "original_price_stop_loss", "cost", "multiplier", "isolated", "scheduled_at",
    "pending_at", "total_entries", "total_partials",
)  # fmt: skip


def different(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return "short" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("name", COVERED)
def test_it_covers_the_fields_of_the_signal(name: str) -> None:
    other = replace(SIGNAL, **{name: different(getattr(SIGNAL, name))})
    assert of(closed(signal=other)) != of(closed())


@pytest.mark.parametrize("name", ["pnl", "peak_profit", "max_drawdown"])
def test_it_covers_the_profits(name: str) -> None:
    profit = replace(getattr(SIGNAL, name), pnl_percentage=7.25)
    assert of(closed(signal=replace(SIGNAL, **{name: profit}))) != of(closed())


@pytest.mark.parametrize("changes", [{"timestamp": START + 1}, {"current_price": 101.0}, {"close_reason": "closed"}])
def test_it_covers_when_at_what_price_and_why(changes: dict[str, Any]) -> None:
    assert of(closed(**changes)) != of(closed())


def test_it_covers_the_last_bit() -> None:
    assert of(closed(current_price=102.00000000000001)) != of(closed(current_price=102.0))


def test_it_covers_the_reason_of_a_cancellation() -> None:
    cancelled = CancelledResult(KEY, START, 102.0, SIGNAL, "timeout", START, None)
    assert of(cancelled) != of(replace(cancelled, reason="user"))


def test_it_covers_the_kind_of_a_result() -> None:
    assert of(OpenedResult(KEY, START, 102.0, SIGNAL)) != of(closed())


def renamed(signal: PublicSignal, id: str) -> PublicSignal:
    return replace(signal, id=id)


def test_ids_count_as_the_order_in_which_they_appear() -> None:
    a, b = closed(signal=renamed(SIGNAL, "a")), closed(signal=renamed(SIGNAL, "b"))
    x, y = closed(signal=renamed(SIGNAL, "x")), closed(signal=renamed(SIGNAL, "y"))
    assert of(a, b) == of(x, y) == of(y, x)
    assert of(a, a) != of(a, b)


def test_notes_names_and_command_ids_do_not_enter() -> None:
    other = replace(SIGNAL, note="remark", symbol="ETH", strategy_name="t")
    assert of(closed(signal=other, close_id="c")) == of(closed())


COMMIT = CommitEvent(KEY, START, "partial_profit", SIGNAL, 102.0, "", 30.0, None, None, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": START + 1},
        {"action": "partial_loss"},
        {"current_price": 101.0},
        {"current_price": None},
        {"percent_to_close": 31.0},
        {"percent_shift": 1.0},
        {"cost": 5.0},
        {"data": replace(SIGNAL, total_partials=2)},
    ],
)
def test_it_covers_commands_that_took_effect(changes: dict[str, Any]) -> None:
    assert of(replace(COMMIT, **changes)) != of(COMMIT)
    assert set(changes) <= {f.name for f in fields(CommitEvent)}


def test_a_signal_has_one_number_in_results_and_commands() -> None:
    other = replace(COMMIT, data=renamed(SIGNAL, "other"))
    assert of(closed(), COMMIT) != of(closed(), other)


def test_order_matters() -> None:
    assert of(closed(), COMMIT) != of(COMMIT, closed())


# -- of whole runs ----------------------------------------------------------------------------------------------------


def long(**changes: Any) -> bk.Signal:
    values: dict[str, Any] = {
        "price_take_profit": 110.0,
        "price_stop_loss": 90.0,
        "minute_estimated_time": 30,
    } | changes
    return bk.Signal(position="long", **values)


def test_two_runs_of_the_same_have_the_same() -> None:
    first, second = run(still(60), once(long())), run(still(60), once(long()))
    assert first.result.fingerprint == second.result.fingerprint
    assert len(first.result.fingerprint) == 64


def test_a_command_without_consequence_is_covered_too() -> None:
    commands = Commands().at("active_ping", 5, "commit_trailing_take", -1)
    moved = run(still(60), once(long()), prepare=commands.listen)
    back = Commands().at("active_ping", 6, "commit_trailing_take", -1)
    later = run(still(60), once(long()), prepare=back.listen)
    assert moved.story == later.story
    assert moved.result.fingerprint != later.result.fingerprint


def test_it_grows_while_a_run_goes_on() -> None:
    with bk.Kit():
        bk.add_exchange(bk.SyntheticExchange("x"))
        bk.add_frame(frame_name="f", interval="1m", start_date="2025-06-01", end_date="2025-06-02")
        bk.add_strategy(
            strategy_name="s",
            interval="1h",
            get_signal=lambda s, w, p: bk.Signal(
                **bk.Position.bracket("long", p, percent_take_profit=1, percent_stop_loss=1), minute_estimated_time=30
            ),
        )
        backtest = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f")
        seen = [backtest.fingerprint for _ in backtest]
    assert len(set(seen)) == len(seen) > 4
