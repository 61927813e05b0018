"""Stops: tested against the candle's extreme, filled at their level or at the open that gapped past it, liquidation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.clients.fills import level_exit
from backtestkit.clients.position import Pricing
from backtestkit.math.profit import Costs
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE, PolicyName
from backtestkit.model.signal import PositionSide
from scenarios.market import still
from scenarios.rows import signal_row
from scenarios.run import once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
honest = pytest.mark.parametrize("policy", ["conservative", "next_open"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 150.0, "price_stop_loss": 90.0, "minute_estimated_time": 60} | changes
    return bk.Signal(position="long", **fields)


def short(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 50.0, "price_stop_loss": 110.0, "minute_estimated_time": 60} | changes
    return bk.Signal(position="short", **fields)


@policies
@pytest.mark.parametrize(
    ("signal", "row"),
    [(long(), (100.0, 100.0, 90.0, 100.0, 1.0)), (short(), (100.0, 110.0, 100.0, 100.0, 1.0))],
    ids=["long", "short"],
)
def test_a_wick_that_just_touches_the_stop_fills_it_at_its_level(
    signal: bk.Signal, row: tuple[float, float, float, float, float], policy: PolicyName
) -> None:
    told = run(still(30, at={10: row}), once(signal), policy=policy)
    assert told.story[1][1:] == ("stop_loss", signal.price_stop_loss)


@policies
def test_a_wick_that_misses_the_stop_does_nothing(policy: PolicyName) -> None:
    told = run(still(80, at={10: (100.0, 100.0, 90.01, 100.0, 1.0)}), once(long()), policy=policy)
    assert told.story[1][1] == "time_expired"


@pytest.mark.parametrize(("policy", "price"), [("conservative", 85.0), ("next_open", 85.0), ("reference", 90.0)])
def test_a_stop_that_the_candle_opened_beyond_fills_at_that_open(policy: PolicyName, price: float) -> None:
    told = run(still(30, at={10: (85.0, 95.0, 80.0, 92.0, 1.0)}), once(long()), policy=policy)
    assert told.story[1][1:] == ("stop_loss", price)


@pytest.mark.parametrize(("policy", "price"), [("conservative", 115.0), ("next_open", 115.0), ("reference", 110.0)])
def test_a_short_stop_that_the_candle_opened_beyond_fills_at_that_open(policy: PolicyName, price: float) -> None:
    told = run(still(30, at={10: (115.0, 120.0, 105.0, 108.0, 1.0)}), once(short()), policy=policy)
    assert told.story[1][1:] == ("stop_loss", price)


@policies
def test_liquidation_comes_before_a_stop_that_is_further_away(policy: PolicyName) -> None:
    falling = still(60, lambda m: 100 - max(0, m - 4))
    told = run(falling, once(long(multiplier=10, price_stop_loss=81.0)), policy=policy)
    assert told.story[1][1:] == ("liquidation", 90.3707511315119)
    assert told.only.pnl.pnl_percentage == pytest.approx(-100)


@pytest.mark.parametrize(
    ("isolated", "minute", "reason", "price"),
    [(True, 15, "liquidation", 90.3707511315119), (False, 24, "stop_loss", 81.0)],
)
def test_the_worked_minutes_of_liquidation(isolated: bool, minute: int, reason: str, price: float) -> None:
    falling = still(60, lambda m: 100 - max(0, m - 5))
    signal = long(multiplier=10, price_stop_loss=81.0, isolated=isolated)
    assert run(falling, once(signal), policy="reference").story[1] == (minute, reason, price)


@policies
def test_a_stop_nearer_than_liquidation_comes_first(policy: PolicyName) -> None:
    falling = still(60, lambda m: 100 - max(0, m - 4))
    told = run(falling, once(long(multiplier=10, price_stop_loss=95.0)), policy=policy)
    assert told.story[1][1] == "stop_loss"


@policies
def test_without_isolated_margin_a_loss_may_pass_100_percent(policy: PolicyName) -> None:
    falling = still(60, lambda m: 100 - max(0, m - 4))
    told = run(falling, once(long(multiplier=10, price_stop_loss=81.0, isolated=False)), policy=policy)
    assert told.story[1][1:] == ("stop_loss", 81.0)
    assert told.only.pnl.pnl_percentage == -193.42676323676318


@honest
@pytest.mark.parametrize(
    "signal", [long(multiplier=10), long(multiplier=10, price_stop_loss=95.0)], ids=["far", "near"]
)
def test_a_gap_beyond_liquidation_costs_the_margin_and_no_more(signal: bk.Signal, policy: PolicyName) -> None:
    told = run(still(30, lambda m: 70 if m >= 10 else 100), once(signal), policy=policy)
    assert told.story[1] == (11, "liquidation", 90.3707511315119)
    assert told.only.pnl.pnl_percentage == pytest.approx(-100)


@honest
def test_a_gap_beyond_the_stop_but_not_beyond_liquidation_is_a_stop(policy: PolicyName) -> None:
    told = run(
        still(30, lambda m: 93 if m >= 10 else 100), once(long(multiplier=10, price_stop_loss=95.0)), policy=policy
    )
    assert told.story[1] == (11, "stop_loss", 93.0)


def test_a_short_that_gaps_beyond_liquidation_costs_the_margin_and_no_more() -> None:
    told = run(still(30, lambda m: 140 if m >= 10 else 100), once(short(multiplier=10)))
    assert told.story[1] == (11, "liquidation", 109.5708487316879)


@policies
def test_a_liquidation_on_a_candle_that_reaches_the_take_profit_too_is_ambiguous(policy: PolicyName) -> None:
    told = run(
        still(30, at={10: (100.0, 160.0, 90.0, 100.0, 1.0)}),
        once(long(multiplier=10, price_stop_loss=85.0)),
        policy=policy,
    )
    assert told.only.close_reason == "liquidation"
    assert told.only.ambiguous


PRICING = Pricing(Costs(0.1, 0.1), 0.2)


@settings(max_examples=150, deadline=None)
@given(
    side=st.sampled_from(["long", "short"]),
    multiplier=st.floats(1, 50),
    stop=st.floats(0.5, 20),
    open=st.floats(20, 300),
    up=st.floats(0, 50),
    down=st.floats(0, 19),
)
def test_an_isolated_position_never_loses_more_than_its_margin(
    side: PositionSide, multiplier: float, stop: float, open: float, up: float, down: float
) -> None:
    level = 100 - stop if side == "long" else 100 + stop
    take = 200.0 if side == "long" else 1.0
    row = signal_row(side, multiplier=multiplier, price_stop_loss=level, price_take_profit=take)
    exit = level_exit(PRICING.levels(row), open, open + up, open - down, None, CONSERVATIVE)
    if exit is not None:
        assert PRICING.profit(row, PRICING.levels(row), exit.price).pnl_percentage >= -100 - 1e-6


@pytest.mark.parametrize("policy", [CONSERVATIVE, REFERENCE])
def test_a_take_profit_is_not_tested_without_an_average(policy: bk.FillPolicy) -> None:
    levels = PRICING.levels(signal_row())
    assert level_exit(levels, 100.0, 500.0, 99.0, None, policy) is None
    exit = level_exit(levels, 100.0, 500.0, 99.0, 110.0, policy)
    assert exit is not None
    assert (exit.price, exit.reason, exit.ambiguous) == (110.0, "take_profit", False)


@policies
def test_a_take_profit_never_fills_better_than_its_level(policy: PolicyName) -> None:
    told = run(still(30, lambda m: 200 if m >= 10 else 100), once(long()), policy=policy)
    assert told.story[1][1:] == ("take_profit", 150.0)
