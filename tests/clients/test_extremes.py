"""The best and the worst point of a position."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import still
from scenarios.run import minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
honest = pytest.mark.parametrize("policy", ["conservative", "next_open"])
gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
EXTREMES = ("highest_profit", "max_drawdown")


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 120.0, "price_stop_loss": 85.0, "minute_estimated_time": 40} | changes
    return bk.Signal(position="long", **fields)


ONE = {"avg_price_candles_count": 1}


def hump(m: int) -> float:
    return {2: 101.0, 3: 103.0, 4: 102.0, 5: 99.0, 6: 97.0, 7: 98.0}.get(m, 100.0)


@policies
@gears
@pytest.mark.parametrize("listening", [False, True])
def test_they_are_where_the_average_was_best_and_worst(policy: PolicyName, stepping: bool, listening: bool) -> None:
    hear = EXTREMES if listening else ()
    told = run(still(60, hump), once(long()), policy=policy, stepping=stepping, config=ONE, hear=hear)
    signal, late = told.only.signal, policy != "reference"
    assert (signal.peak.price, minute(signal.peak.timestamp)) == (103.0, 3 + late)
    assert (signal.fall.price, minute(signal.fall.timestamp)) == (97.0, 6 + late)
    assert signal.peak_profit == signal.peak.pnl
    assert signal.max_drawdown == signal.fall.pnl
    assert signal.peak_profit.pnl_percentage == pytest.approx(3 - 0.4, abs=0.01)


@policies
@gears
def test_an_event_tells_of_each_new_one(policy: PolicyName, stepping: bool) -> None:
    told = run(still(60, hump), once(long()), policy=policy, stepping=stepping, config=ONE, hear=EXTREMES)
    assert [e.current_price for e in told.of("highest_profit")] == [101.0, 103.0]
    assert [e.current_price for e in told.of("max_drawdown")] == [99.0, 97.0]
    assert [e.signal.peak.price for e in told.of("highest_profit")] == [101.0, 103.0]


@pytest.mark.parametrize(("policy", "percent"), [("conservative", -0.39960039960038823), ("reference", 0.0)])
def test_a_position_that_never_moves_keeps_the_profit_of_its_opening(policy: PolicyName, percent: float) -> None:
    told = run(still(60), once(long()), policy=policy, hear=EXTREMES)
    assert told.heard == []
    assert told.only.signal.peak_profit.pnl_percentage == percent
    assert told.only.signal.max_drawdown.pnl_percentage == -0.39960039960038823


@policies
@gears
def test_a_gain_smaller_than_the_costs_raises_no_event(policy: PolicyName, stepping: bool) -> None:
    rows = still(60, lambda m: 100.2 if m >= 3 else 100)
    told = run(rows, once(long()), policy=policy, stepping=stepping, hear=EXTREMES)
    assert told.of("highest_profit") == []
    assert told.only.signal.peak_profit.pnl_percentage == (
        0.0 if policy == "reference" else pytest.approx(-0.2, abs=0.01)
    )


@policies
@gears
def test_a_short_finds_them_the_other_way_round(policy: PolicyName, stepping: bool) -> None:
    signal = bk.Signal(position="short", price_take_profit=80.0, price_stop_loss=115.0, minute_estimated_time=40)
    told = run(still(60, hump), once(signal), policy=policy, stepping=stepping, config=ONE)
    assert (told.only.signal.peak.price, told.only.signal.fall.price) == (97.0, 103.0)


@policies
@pytest.mark.parametrize("command", ["commit_close_pending", "commit_create_take_profit", "commit_create_stop_loss"])
def test_a_close_by_command_counts_too(policy: PolicyName, command: str) -> None:
    commands = Commands().at("active_ping", 4, command)
    told = run(still(60), once(long()), policy=policy, prepare=commands.listen)
    signal = told.only.signal
    best, worst = signal.peak_profit.pnl_percentage, signal.max_drawdown.pnl_percentage
    percent = told.only.pnl.pnl_percentage
    assert worst <= percent <= max(best, 0)
    assert percent in (best, worst)


@policies
def test_the_close_itself_is_the_worst_point_of_a_stopped_position(policy: PolicyName) -> None:
    told = run(still(60, lambda m: 80 if m >= 5 else 100), once(long()), policy=policy)
    assert told.only.signal.max_drawdown.pnl_percentage == told.only.pnl.pnl_percentage


def averaged(policy: PolicyName) -> Any:
    """Entry at 100, a second one at 90: the effective price is near 94.7, and 96 is a profit."""
    commands = Commands().at("active_ping", 6, "commit_average_buy", 100.0)
    rows = still(60, lambda m: 100 if m < 3 else 90 if m < 8 else 96)
    return run(rows, once(long()), policy=policy, prepare=commands.listen, config=ONE, hear=EXTREMES)


@honest
def test_after_an_average_buy_a_better_profit_at_a_lower_price_is_the_best_point(policy: PolicyName) -> None:
    told = averaged(policy)
    assert told.only.signal.peak.price == 96.0
    assert [e.current_price for e in told.of("highest_profit")] == [96.0]


def test_under_reference_the_first_entry_price_hides_it() -> None:
    told = averaged("reference")
    assert told.of("highest_profit") == []
    # The close itself, at 96, is a better profit and is counted.
    assert told.only.signal.peak.price == 96.0


@policies
@gears
def test_of_equal_points_the_first_one_counts(policy: PolicyName, stepping: bool) -> None:
    rows = still(60, lambda m: 103.0 if m in (4, 9) else 97.0 if m in (12, 15) else 100.0)
    told = run(rows, once(long()), policy=policy, stepping=stepping, config=ONE)
    late = policy != "reference"
    assert minute(told.only.signal.peak.timestamp) == 4 + late
    assert minute(told.only.signal.fall.timestamp) == 12 + late


@gears
def test_partial_closes_hold_the_best_profit_of_the_whole_position(stepping: bool) -> None:
    commands = Commands().at("active_ping", 5, "commit_partial_profit", 50)
    rows = still(60, lambda m: 103 if 3 <= m < 6 else 105 if 6 <= m < 9 else 100)
    told = run(rows, once(long()), prepare=commands.listen, config=ONE, stepping=stepping)
    best = told.only.signal.peak_profit.pnl_percentage
    assert told.only.signal.peak.price == 105.0
    assert best == pytest.approx(0.5 * 3 + 0.5 * 5 - 0.4, abs=0.02)
