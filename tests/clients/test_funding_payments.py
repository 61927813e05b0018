"""Funding payments on open positions: when they are due, on what, and what follows from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, Told, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
RATE = 0.001


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 30} | changes
    return bk.Signal(position="long", **fields)


def paid(minutes: dict[float, float], signal: bk.Signal | None = None, rows: Any = None, **options: Any) -> Told:
    rates = [(round(START + (HISTORY + m) * MINUTE), rate) for m, rate in minutes.items()]
    options.setdefault("hear", ["funding"])
    return run(
        still(60) if rows is None else rows,
        once(signal or long()),
        exchange={"get_funding_rates": lambda symbol, since, until, backtest: rates},
        **options,
    )


@policies
@gears
def test_a_payment_at_its_instant_is_told_and_is_part_of_the_profit(policy: PolicyName, stepping: bool) -> None:
    told = paid({10: RATE}, policy=policy, stepping=stepping)
    (event,) = told.of("funding")
    assert minute(event.timestamp) == 10
    assert event.funding.cost == pytest.approx(-100 * RATE)
    assert event.data.fundings == (event.funding,)
    plain = run(still(60), once(long()), policy=policy)
    assert told.only.pnl.pnl_cost == pytest.approx(plain.only.pnl.pnl_cost - 0.1)
    assert told.result.summary.funding_paid == pytest.approx(0.1)


def test_a_market_without_funding_says_nothing_about_it() -> None:
    assert run(still(40), once(long())).result.summary.funding_paid is None


@policies
def test_a_short_receives_what_a_long_pays(policy: PolicyName) -> None:
    short = bk.Signal(position="short", price_take_profit=90.0, price_stop_loss=110.0, minute_estimated_time=30)
    told = paid({10: RATE}, short, policy=policy)
    assert told.only.signal.fundings[0].cost == pytest.approx(0.1)
    assert told.result.summary.funding_paid == pytest.approx(-0.1)


@policies
@gears
def test_only_payments_of_the_life_of_a_position_count(policy: PolicyName, stepping: bool) -> None:
    """The one at the instant of the opening was due before. The one at the expiry is not waited for, but under
    `reference` it comes first like everything that a candle opens with."""
    told = paid({-2: RATE, 0: RATE, 5: RATE, 20: RATE, 30: RATE, 40: RATE}, policy=policy, stepping=stepping, hear=())
    expected = [5, 20, 30] if policy == "reference" else [5, 20]
    assert [minute(f.timestamp) for f in told.only.signal.fundings] == expected


@policies
def test_an_earlier_position_does_not_pay_for_a_later_one(policy: PolicyName) -> None:
    told = run(
        still(60),
        lambda *_: long(minute_estimated_time=10),
        policy=policy,
        exchange={"get_funding_rates": lambda *_: [(START + (HISTORY + m) * MINUTE, RATE) for m in (5, 15, 25)]},
    )
    per_trade = [[minute(f.timestamp) for f in r.signal.fundings] for r in told.closed[:3]]
    assert per_trade == [[5], [15], [25]]


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_a_stop_inside_the_candle_before_the_payment_spares_it(policy: PolicyName) -> None:
    rows = still(60, at={9: (100.0, 100.0, 89.0, 100.0, 1.0)})
    told = paid({10: RATE}, policy=policy, rows=rows)
    assert told.only.close_reason == "stop_loss"
    assert told.only.signal.fundings == ()


def test_under_reference_the_payment_comes_before_what_its_candle_brings() -> None:
    rows = still(60, at={10: (100.0, 100.0, 89.0, 100.0, 1.0)})
    told = paid({10: RATE}, policy="reference", rows=rows)
    assert told.only.close_reason == "stop_loss"
    assert len(told.only.signal.fundings) == 1


@gears
def test_a_payment_inside_a_minute_is_made_with_the_candle_that_ends_after_it(stepping: bool) -> None:
    told = paid({9.5: RATE}, stepping=stepping)
    assert told.minutes("funding") == [10]
    assert told.only.signal.fundings[0].timestamp == START + (HISTORY + 9) * MINUTE + MINUTE // 2


@gears
def test_a_payment_that_fell_into_a_hole_comes_before_everything_of_the_next_candle(stepping: bool) -> None:
    """The candle after the hole stops the position; the payment was due before it opened."""
    source = candles(still(60, at={15: (100.0, 100.0, 89.0, 100.0, 1.0)}))
    holed = source.take(np.r_[: HISTORY + 10, HISTORY + 15 : len(source)])
    told = run(
        holed,
        once(long()),
        stepping=stepping,
        hear=["funding"],
        last=50,
        exchange={
            "gaps": "skip",
            "span": lambda symbol, interval: (int(source.timestamp[0]), int(source.timestamp[-1])),
            "get_funding_rates": lambda *_: [(START + (HISTORY + 12) * MINUTE, RATE)],
        },
    )
    assert told.only.close_reason == "stop_loss"
    assert len(told.only.signal.fundings) == 1


@gears
def test_several_payments_may_be_due_at_one_candle(stepping: bool) -> None:
    told = paid({9.2: RATE, 9.6: -RATE, 10: 2 * RATE}, stepping=stepping)
    assert [f.rate for f in told.only.signal.fundings] == [RATE, -RATE, 2 * RATE]


@gears
def test_what_is_held_pays_at_the_price_of_then(stepping: bool) -> None:
    commands = Commands().at("active_ping", 8, "commit_partial_profit", 50)
    rows = still(60, lambda m: 105 if m >= 1 else 100)
    told = paid({20: RATE}, long(multiplier=3), rows, prepare=commands.listen, stepping=stepping)
    (funding,) = told.only.signal.fundings
    assert funding.notional == pytest.approx(0.5 * 105 * 3)
    assert funding.cost == pytest.approx(-0.5 * 105 * 3 * RATE)


@policies
@gears
def test_funding_brings_liquidation_nearer(policy: PolicyName, stepping: bool) -> None:
    rows = still(60, lambda m: 90.5 if m >= 20 else 100)
    signal = long(multiplier=10, price_stop_loss=85.0)
    assert run(rows, once(signal), policy=policy).only.close_reason == "time_expired"
    told = paid({10: 0.01}, signal, rows, policy=policy, stepping=stepping)
    assert told.only.close_reason == "liquidation"
    assert told.only.pnl.pnl_percentage == pytest.approx(-100)


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
@gears
@pytest.mark.parametrize("hear", [(), ("max_drawdown", "highest_profit")])
def test_a_payment_may_make_a_new_worst_point_on_the_side_of_profit(
    policy: PolicyName, stepping: bool, hear: tuple[str, ...]
) -> None:
    rows = still(60, lambda m: 100.1 if 1 <= m < 15 else 100.2 if m >= 15 else 100)
    told = paid({10: 0.01}, long(minute_estimated_time=20), rows, policy=policy, stepping=stepping, hear=hear)
    assert minute(told.only.signal.fall.timestamp) == 10
    assert told.only.signal.max_drawdown.pnl_percentage == pytest.approx(-1.3, abs=0.01)
    assert told.minutes("max_drawdown") == ([10] if hear else [])


@pytest.mark.parametrize("policy", ["conservative", "next_open"])
@gears
@pytest.mark.parametrize("hear", [(), ("max_drawdown", "highest_profit")])
def test_a_payment_received_may_make_a_new_best_point_on_the_side_of_loss(
    policy: PolicyName, stepping: bool, hear: tuple[str, ...]
) -> None:
    rows = still(60, lambda m: 99.9 if 1 <= m < 15 else 99.8 if m >= 15 else 100)
    told = paid({10: -0.01}, long(minute_estimated_time=20), rows, policy=policy, stepping=stepping, hear=hear)
    assert minute(told.only.signal.peak.timestamp) == 10
    assert told.only.signal.peak_profit.pnl_percentage == pytest.approx(0.5, abs=0.01)
    assert told.minutes("highest_profit") == ([10] if hear else [])


@policies
@gears
def test_a_listener_of_a_payment_may_close_the_position(policy: PolicyName, stepping: bool) -> None:
    commands = Commands().at("funding", None, "commit_partial_profit", 50, price=105.0)
    commands.at("funding", None, "commit_close_pending", id="c")
    told = paid({10: RATE}, policy=policy, stepping=stepping, prepare=commands.listen, hear=["strategy_commit"])
    assert commands.done == [True, True]
    assert told.story[1][:2] == (11, "closed")
    assert [(minute(e.timestamp), e.action) for e in told.of("strategy_commit")] == [
        (10, "partial_profit"),
        (11, "close_pending"),
    ]


def test_a_listener_of_a_payment_in_a_hole_may_close_the_position() -> None:
    source = candles(still(60))
    holed = source.take(np.r_[: HISTORY + 10, HISTORY + 15 : len(source)])
    commands = Commands().at("funding", None, "commit_close_pending")
    told = run(
        holed,
        once(long()),
        prepare=commands.listen,
        last=50,
        exchange={
            "gaps": "skip",
            "span": lambda symbol, interval: (int(source.timestamp[0]), int(source.timestamp[-1])),
            "get_funding_rates": lambda *_: [(START + (HISTORY + 12) * MINUTE, RATE)],
        },
    )
    assert told.story[1][:2] == (17, "closed")


def test_on_write_hears_a_payment_and_the_new_worst_point_that_it_makes() -> None:
    counts: list[int] = []
    callbacks = {"on_write": lambda s, row, *_: counts.append(len(row.fundings) if row else -1)}
    paid({10: RATE}, callbacks=callbacks)
    assert counts == [0, 1, 1, -1]


@gears
def test_payments_do_not_change_what_a_jump_finds(stepping: bool) -> None:
    rows = still(60, lambda m: 100 + (m % 7) * 0.1)
    told = paid({m: RATE * (-1) ** m for m in range(1, 30, 3)}, rows=rows, stepping=stepping, hear=())
    other = paid({m: RATE * (-1) ** m for m in range(1, 30, 3)}, rows=rows, stepping=not stepping, hear=())
    assert told.result.fingerprint == other.result.fingerprint
    assert told.only.signal.fundings == other.only.signal.fundings
    assert (told.only.signal.peak, told.only.signal.fall) == (other.only.signal.peak, other.only.signal.fall)
    assert told.result.counters == other.result.counters
