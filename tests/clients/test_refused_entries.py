"""Risk rules at the doors of the machine: a signal that enters, and an entry that has waited and is about to open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import Row, candles, still
from scenarios.run import Told, market, minute, once
from scenarios.states import long as half_an_hour

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 15} | changes
    return bk.Signal(position="long", **fields)


def guarded(
    rows: list[Row],
    get_signal: Callable[..., Any],
    rule: Callable[[Any], Any],
    policy: PolicyName = "conservative",
    commands: Commands | None = None,
    interval: Any = "1m",
) -> Told:
    """A run whose strategy obeys one rule."""
    source = candles(rows)
    begin = int(source.timestamp[5])
    heard: list[tuple[str, Any]] = []
    with bk.Kit():
        market(source)
        last = len(rows) - 5 - (2 if policy == "reference" else 0)
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + last * 60_000)
        bk.add_risk(risk_name="r", validations=[rule])
        bk.add_strategy(strategy_name="s", interval=interval, get_signal=get_signal, risk_name="r")
        for name in ("order_schedule", "strategy_commit"):
            getattr(bk, f"listen_{name}")(lambda e, n=name: heard.append((n, e)))
        if commands is not None:
            commands.listen()
        run = bk.Backtest.run("BTC", strategy_name="s", exchange_name="x", frame_name="f", policy=policy)
        results = list(run)
        return Told(run.snapshot(), results=results, heard=heard)


TOUCHED = still(60, lambda m: 99 if m == 10 else 100)


class After:
    """A rule that lets the first signals pass and refuses the later questions."""

    def __init__(self, passing: int) -> None:
        self.left = passing
        self.minutes: list[int] = []

    def __call__(self, payload: Any) -> Any:
        self.minutes.append(minute(payload.timestamp))
        self.left -= 1
        return "full" if self.left < 0 else None


@policies
def test_a_refused_signal_does_not_enter(policy: PolicyName) -> None:
    assert guarded(TOUCHED, once(long()), After(0), policy).results == []


@pytest.mark.parametrize(("policy", "asked"), [("conservative", [0, 5, 10]), ("reference", [0, 1, 2])])
def test_after_a_refusal_the_strategy_is_asked_at_the_next_interval_or_tick(
    policy: PolicyName, asked: list[int]
) -> None:
    rule = After(0)
    guarded(TOUCHED, lambda *_: long(), rule, policy, interval="5m")
    assert rule.minutes[:3] == asked


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_a_waiting_entry_is_asked_about_again_when_it_opens(policy: PolicyName) -> None:
    rule = After(2)
    told = guarded(TOUCHED, once(long(price_open=99.0)), rule, policy)
    assert rule.minutes == [0, 11]
    assert [what for _, what, _ in told.story] == ["scheduled", "opened", "time_expired"]


@policies
def test_a_waiting_entry_that_is_refused_when_touched_is_given_up(policy: PolicyName) -> None:
    told = guarded(TOUCHED, once(long(price_open=99.0)), After(1), policy)
    label = 10 if policy == "reference" else 11
    assert told.story[1] == (label, "user", 99.8)
    assert told.of("order_schedule")[1].current_price == 99.0


@pytest.mark.parametrize(
    ("policy", "expected"), [("conservative", "opened"), ("next_open", "opened"), ("reference", "user")]
)
def test_a_limit_of_one_position_does_not_count_the_entry_that_is_about_to_open(
    policy: PolicyName, expected: str
) -> None:
    """Under `reference` it does, and every waiting entry refuses itself."""

    def one_at_a_time(payload: Any) -> Any:
        return "full" if payload.active_position_count >= 1 else None

    assert guarded(TOUCHED, once(long(price_open=99.0)), one_at_a_time, policy).story[1][1] == expected


@policies
def test_an_activation_by_command_that_is_refused_is_given_up(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 3, "commit_activate_scheduled", id="a")
    told = guarded(TOUCHED, once(long(price_open=99.0)), After(1), policy, commands)
    assert told.story[1] == (4, "user", 100.0)


@policies
def test_an_activation_by_command_that_passes_opens(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 3, "commit_activate_scheduled", id="a")
    told = guarded(TOUCHED, once(long(price_open=99.0)), After(2), policy, commands)
    assert told.story[1][:2] == (4, "opened")


def stopping_at(passing: int, command: str) -> Callable[[Any], Any]:
    left = [passing]

    async def rule(payload: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            await getattr(bk, command)(payload.symbol)

    return rule


@policies
def test_a_stop_inside_a_rule_lets_nothing_in(policy: PolicyName) -> None:
    assert guarded(TOUCHED, once(long()), stopping_at(0, "stop_strategy"), policy).results == []


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
@pytest.mark.parametrize("command", ["stop_strategy", "commit_cancel_scheduled"])
def test_an_entry_that_its_rule_gives_up_is_cancelled_at_the_next_candle(policy: PolicyName, command: str) -> None:
    told = guarded(TOUCHED, once(long(price_open=99.0)), stopping_at(1, command), policy)
    assert told.story[1][:2] == (12, "user")


def test_an_entry_that_its_rule_gives_up_in_the_last_candle_is_cancelled_there() -> None:
    rows = still(10, lambda m: 99 if m == 9 else 100)
    told = guarded(rows, once(long(price_open=99.0)), stopping_at(1, "commit_cancel_scheduled"))
    assert told.story[1][:2] == (10, "user")


def test_an_entry_that_its_rule_activates_in_the_last_candle_ends_with_the_frame() -> None:
    rows = still(10, lambda m: 99 if m == 9 else 100)
    told = guarded(rows, once(long(price_open=99.0)), stopping_at(1, "commit_activate_scheduled"))
    assert told.story[1][:2] == (10, "frame_end")


@policies
def test_a_stop_inside_the_rule_of_an_activation_gives_it_up(policy: PolicyName) -> None:
    commands = Commands().at("schedule_ping", 3, "commit_activate_scheduled")
    told = guarded(TOUCHED, once(long(price_open=99.0)), stopping_at(1, "stop_strategy"), policy, commands)
    assert told.story[1][:2] == (4, "user")


# -- runs that share a profile ----------------------------------------------------------------------------------------


def together(rule: Callable[[Any], Any], listen: Callable[[], None]) -> dict[str, list[tuple[int, str]]]:
    """BTC and ETH at once in a market that rises at minute 2, and what became of each."""
    source = candles(still(60, lambda m: 104 if m >= 2 else 100))
    begin = int(source.timestamp[5])

    async def main() -> list[bk.BacktestResult]:
        runs = [bk.Backtest.run(s, strategy_name="s", exchange_name="x", frame_name="f") for s in ("BTC", "ETH")]
        return await asyncio.gather(*(run.result() for run in runs))

    with bk.Kit():
        market(source)
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * 60_000)
        bk.add_risk(risk_name="r", validations=[rule])
        bk.add_strategy(strategy_name="s", interval="1h", get_signal=lambda *_: half_an_hour(), risk_name="r")
        listen()
        results = asyncio.run(main())
    return {r.key.symbol: [(minute(c.timestamp), c.close_reason) for c in r.closed] for r in results}


@pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
def test_a_command_from_a_sibling_reaches_a_run_that_waits_for_its_turn(stepping: bool) -> None:
    """At equal times the run that was made first goes first: BTC is at minute 3, ETH waits to be there too."""

    def listen() -> None:
        if stepping:
            bk.listen_active_ping(lambda event: None)

        async def close(event: Any) -> None:
            if event.symbol == "BTC":
                assert await bk.commit_close_pending("ETH")

        bk.listen_breakeven_available(close)

    closed = together(lambda payload: None, listen)
    assert closed == {"BTC": [(30, "time_expired")], "ETH": [(3, "closed")]}


def test_a_partial_close_gives_back_its_part_of_the_place() -> None:
    seen: list[float] = []

    async def rule(payload: Any) -> None:
        seen.extend(p.cost for p in payload.active_positions if p.symbol == "BTC" and payload.symbol == "ETH")

    source = candles(still(60, lambda m: 104 if m >= 2 else 100))
    begin = int(source.timestamp[5])

    async def sell(event: Any) -> None:
        if event.symbol == "BTC":
            assert await bk.commit_partial_profit("BTC", 40)

    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal | None:
        at = minute(round(when.timestamp() * 1000))
        return half_an_hour() if at == (0 if symbol == "BTC" else 10) else None

    async def main() -> None:
        runs = [bk.Backtest.run(s, strategy_name="s", exchange_name="x", frame_name="f") for s in ("BTC", "ETH")]
        await asyncio.gather(*(run.result() for run in runs))

    with bk.Kit():
        market(source)
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * 60_000)
        bk.add_risk(risk_name="r", validations=[rule])
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=get_signal, risk_name="r")
        bk.listen_breakeven_available(sell)
        asyncio.run(main())
    assert seen == [60.0]
