"""What a command would do to a position, rule by rule: the new row, or the code and the reason of the refusal."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from backtestkit.clients import commands
from backtestkit.clients.commands import Change, Outcome, Proposal
from backtestkit.clients.position import Pricing
from backtestkit.clients.state import StrategyRules, Switches
from backtestkit.math.levels import sl_price_to_percent_shift, tp_price_to_percent_shift
from backtestkit.math.profit import Costs
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE, FillPolicy
from backtestkit.model.signal import PositionSide, SignalRow
from scenarios.rows import partial, signal_row

sides = pytest.mark.parametrize("side", ["long", "short"])
PRICING = Pricing(Costs(0.1, 0.1), 0.2)
NOWHERE = Switches(average_buy_everywhere=False, partial_everywhere=False, trailing_everywhere=False)
EVERYWHERE = Switches(average_buy_everywhere=True, partial_everywhere=True, trailing_everywhere=True)
LIMITS: Any = None  # rules for signals, which no command looks at
NOW = 1


def rules(policy: FillPolicy = CONSERVATIVE, switches: Switches = NOWHERE) -> StrategyRules:
    return StrategyRules(policy, PRICING, LIMITS, switches, 60_000, 60_000, 60.0, 100.0, 1.0, True)


def mirrored(side: PositionSide, price: float) -> float:
    """A price as far from 100 on the other side, for shorts."""
    return price if side == "long" else 200 - price


def code(proposal: Proposal) -> str | None:
    return proposal.code if isinstance(proposal, Outcome) else None


def changed(proposal: Proposal) -> SignalRow:
    assert isinstance(proposal, Change), proposal
    return proposal.row


def close_part(row: SignalRow, kind: str, percent: Any, price: Any, using: StrategyRules | None = None) -> Proposal:
    return commands.partial_close(row, PRICING.levels(row), using or rules(), kind, percent, price, NOW)  # type: ignore[arg-type]


# -- partial closes ---------------------------------------------------------------------------------------------------


@sides
@pytest.mark.parametrize(("kind", "price"), [("profit", 105.0), ("loss", 95.0)])
def test_a_partial_close_remembers_what_it_closed(side: PositionSide, kind: str, price: float) -> None:
    row = signal_row(side)
    proposal = close_part(row, kind, 30, mirrored(side, price))
    (part,) = changed(proposal).partials
    assert (part.type, part.percent, part.current_price, part.timestamp) == (kind, 30.0, mirrored(side, price), NOW)
    assert (part.cost_basis_at_close, part.entry_count_at_close) == (100.0, 1)
    assert isinstance(proposal, Change)
    assert (proposal.commit.action, proposal.commit.percent_to_close) == (f"partial_{kind}", 30.0)


def test_the_percentage_is_of_what_is_held() -> None:
    row = signal_row(partials=(partial(50.0, 104.0, 100.0),))
    (_, second) = changed(close_part(row, "profit", 50, 105.0)).partials
    assert second.cost_basis_at_close == 50.0


@pytest.mark.parametrize("percent", [0, -1, 100.1, math.nan, math.inf, None, "half", True])
def test_a_percentage_must_be_above_0_and_at_most_100(percent: Any) -> None:
    assert code(close_part(signal_row(), "profit", percent, 105.0)) == "percent_invalid"


def test_100_percent_may_be_closed() -> None:
    row = changed(close_part(signal_row(), "profit", 100, 105.0))
    assert commands.is_emptied(row)
    assert not commands.is_emptied(changed(close_part(signal_row(), "profit", 99, 105.0)))


@pytest.mark.parametrize("price", [0, -5.0, math.nan, math.inf, None, False])
@pytest.mark.parametrize("command", ["partial", "trail", "breakeven", "average"])
def test_a_price_must_be_a_finite_number_above_0(price: Any, command: str) -> None:
    row = signal_row()
    levels = PRICING.levels(row)
    proposal = {
        "partial": lambda: close_part(row, "profit", 10, price),
        "trail": lambda: commands.trail(row, levels, rules(), "stop", -1, price, allow_loosen=False),
        "breakeven": lambda: commands.breakeven(row, levels, rules(), price),
        "average": lambda: commands.average_buy(row, rules(), 10, price, NOW),
    }[command]()
    assert code(proposal) == "price_invalid"


@sides
@pytest.mark.parametrize(("kind", "price"), [("profit", 95.0), ("profit", 100.0), ("loss", 105.0), ("loss", 100.0)])
def test_a_partial_close_needs_a_price_on_its_side_of_the_entry(side: PositionSide, kind: str, price: float) -> None:
    row = signal_row(side)
    proposal = close_part(row, kind, 10, mirrored(side, price))
    assert code(proposal) == "wrong_direction"
    assert isinstance(proposal, Outcome)
    assert proposal.price == mirrored(side, price)
    assert f"a partial {kind} needs a price in {kind}" in proposal.message
    everywhere = close_part(row, kind, 10, mirrored(side, price), rules(switches=EVERYWHERE))
    assert changed(everywhere).partials[0].type == kind


@sides
@pytest.mark.parametrize(
    ("kind", "price", "expected"),
    [
        ("profit", 110.0, "beyond_take_profit"),
        ("profit", 111.0, "beyond_take_profit"),
        ("loss", 90.0, "beyond_stop_loss"),
        ("loss", 89.0, "beyond_stop_loss"),
    ],
)
def test_a_partial_close_beyond_the_level_comes_too_late(
    side: PositionSide, kind: str, price: float, expected: str
) -> None:
    for using in (rules(), rules(switches=EVERYWHERE)):
        assert code(close_part(signal_row(side), kind, 10, mirrored(side, price), using)) == expected


def test_levels_in_force_count_and_not_the_original_ones() -> None:
    row = signal_row(trailing_price_take_profit=104.0)
    assert code(close_part(row, "profit", 10, 105.0)) == "beyond_take_profit"


def test_a_position_whose_parts_do_not_add_up_is_not_closed_beyond_what_was_invested() -> None:
    row = signal_row(partials=(partial(50.0, 104.0, 100.0005),))
    assert code(close_part(row, "profit", 100, 105.0)) == "over_closed"
    assert changed(close_part(row, "profit", 99, 105.0))


# -- trailing ---------------------------------------------------------------------------------------------------------


def trail(
    row: SignalRow, leg: str, shift: Any, price: float = 100.0, using: StrategyRules | None = None, loosen: bool = False
) -> Proposal:
    levels = PRICING.levels(row)
    return commands.trail(row, levels, using or rules(), leg, shift, price, allow_loosen=loosen)  # type: ignore[arg-type]


@sides
def test_a_shift_is_counted_from_the_original_level(side: PositionSide) -> None:
    first = changed(trail(signal_row(side), "stop", -3))
    assert first.trailing_price_stop_loss == pytest.approx(mirrored(side, 93.0))
    second = changed(trail(first, "stop", -5))
    assert second.trailing_price_stop_loss == pytest.approx(mirrored(side, 95.0))
    take = changed(trail(second, "take", -4))
    assert take.trailing_price_take_profit == pytest.approx(mirrored(side, 106.0))
    assert take.trailing_price_stop_loss == second.trailing_price_stop_loss


@pytest.mark.parametrize("shift", [0, 101, -101, math.nan, math.inf, None, "1", True])
def test_a_shift_lies_between_minus_100_and_100_and_is_not_0(shift: Any) -> None:
    assert code(trail(signal_row(), "stop", shift)) == "shift_invalid"


@sides
def test_a_level_that_the_price_is_beyond_already_is_refused(side: PositionSide) -> None:
    row = signal_row(side)
    assert code(trail(row, "stop", -15, mirrored(side, 104.0))) == "price_beyond_level"
    assert code(trail(row, "take", -8, mirrored(side, 103.0))) == "price_beyond_level"
    assert changed(trail(row, "stop", -15, mirrored(side, 105.0)))


@sides
def test_levels_do_not_cross(side: PositionSide) -> None:
    row = signal_row(side, trailing_price_take_profit=mirrored(side, 104.0))
    assert code(trail(row, "stop", -14, mirrored(side, 106.0))) == "levels_cross"
    stopped = signal_row(side, trailing_price_stop_loss=mirrored(side, 103.0))
    assert code(trail(stopped, "take", -8, mirrored(side, 101.0))) == "levels_cross"


@sides
@pytest.mark.parametrize("leg", ["stop", "take"])
def test_a_level_only_tightens(side: PositionSide, leg: str) -> None:
    row = signal_row(side)
    assert code(trail(row, leg, 5)) == "not_tighter"
    once = changed(trail(row, leg, -3))
    assert code(trail(once, leg, -3)) == "not_tighter"
    assert code(trail(once, leg, -2)) == "not_tighter"
    assert changed(trail(once, leg, -4))


@sides
@pytest.mark.parametrize("leg", ["stop", "take"])
def test_a_level_may_be_loosened_on_demand(side: PositionSide, leg: str) -> None:
    row = changed(trail(signal_row(side), leg, -3))
    assert changed(trail(row, leg, 5, loosen=True)) != row
    assert changed(trail(row, leg, 5, using=rules(switches=EVERYWHERE))) != row


@sides
def test_under_reference_the_first_call_may_loosen_and_later_ones_may_not(side: PositionSide) -> None:
    reference = rules(REFERENCE)
    loose = changed(trail(signal_row(side), "stop", 5, using=reference))
    assert loose.stop_loss == pytest.approx(mirrored(side, 85.0))
    tight = changed(trail(loose, "stop", -3, using=reference))
    assert code(trail(tight, "stop", -2, using=reference)) == "not_tighter"
    wide = changed(trail(signal_row(side), "take", 5, using=reference))
    assert wide.take_profit == pytest.approx(mirrored(side, 115.0))
    assert code(trail(wide, "take", 6, using=reference)) == "not_tighter"


def test_the_worked_sequence_of_levels() -> None:
    """Entry 100, stop 90, take profit 110, under `reference`, which lets the first call loosen."""
    reference = rules(REFERENCE)
    row = changed(trail(signal_row(), "stop", 5, using=reference))
    assert row.stop_loss == 85.0
    row = changed(trail(row, "stop", -3, using=reference))
    assert row.stop_loss == 93.0
    assert code(trail(row, "stop", -2, using=reference)) == "not_tighter"
    row = changed(commands.breakeven(row, PRICING.levels(row), reference, 101.0))
    assert row.stop_loss == 100.0
    row = changed(trail(row, "stop", -11, 105.0, reference))
    assert row.stop_loss == 101.0
    row = changed(trail(row, "take", 5, 105.0, reference))
    assert row.take_profit == 114.99999999999999
    row = changed(trail(row, "take", -4, 105.0, reference))
    assert row.take_profit == 106.0
    assert code(trail(row, "take", -3, 105.0, reference)) == "not_tighter"
    row = changed(trail(row, "take", tp_price_to_percent_shift(105.0, 110.0, 100.0, "long"), 104.0, reference))
    assert row.take_profit == 105.0
    row = changed(trail(row, "stop", sl_price_to_percent_shift(102.0, 90.0, 100.0, "long"), 104.0, reference))
    assert row.stop_loss == 102.0


# -- breakeven --------------------------------------------------------------------------------------------------------


def even(row: SignalRow, price: float, policy: FillPolicy = CONSERVATIVE) -> Proposal:
    return commands.breakeven(row, PRICING.levels(row), rules(policy), price)


@sides
def test_breakeven_puts_the_stop_at_the_entry_once_the_price_has_come_far_enough(side: PositionSide) -> None:
    row = signal_row(side)
    assert code(even(row, mirrored(side, 100.59))) == "not_reached"
    moved = changed(even(row, mirrored(side, 100.61)))
    assert moved.stop_loss == 100.0
    assert code(even(moved, mirrored(side, 105.0))) == "not_tighter"


@sides
def test_a_take_profit_at_or_behind_the_entry_needs_no_breakeven(side: PositionSide) -> None:
    row = signal_row(side, trailing_price_take_profit=100.0)
    assert code(even(row, mirrored(side, 105.0))) == "take_profit_behind"


@sides
def test_a_stop_in_profit_is_not_moved_back(side: PositionSide) -> None:
    row = signal_row(side, trailing_price_stop_loss=mirrored(side, 102.0))
    refused = even(row, mirrored(side, 105.0))
    assert code(refused) == "already_in_profit"
    assert changed(even(row, mirrored(side, 105.0), REFERENCE)) == row


@sides
def test_an_original_stop_that_is_not_worse_than_the_entry_stays(side: PositionSide) -> None:
    """After average buys the entry may lie behind the original stop."""
    row = signal_row(side, price_stop_loss=mirrored(side, 100.0))
    assert code(even(row, mirrored(side, 105.0))) == "not_tighter"


# -- average buys -----------------------------------------------------------------------------------------------------


def buy(row: SignalRow, cost: Any, price: float, using: StrategyRules | None = None) -> Proposal:
    return commands.average_buy(row, using or rules(), cost, price, NOW)


@sides
def test_an_average_buy_must_be_better_than_all_entries(side: PositionSide) -> None:
    row = signal_row(side, [(100.0, 100.0), (mirrored(side, 96.0), 50.0)])
    refused = buy(row, 10, mirrored(side, 97.0))
    assert code(refused) == "not_better"
    assert isinstance(refused, Outcome)
    assert f"the best of them is {mirrored(side, 96.0)}" in refused.message
    assert code(buy(row, 10, mirrored(side, 96.0))) == "not_better"
    assert changed(buy(row, 10, mirrored(side, 95.0))).entries[-1].cost == 10.0
    assert changed(buy(row, 10, mirrored(side, 97.0), rules(switches=EVERYWHERE)))


def test_the_worked_numbers_of_a_short() -> None:
    row = changed(buy(signal_row("short"), 100, 102.0))
    assert PRICING.levels(row).effective == 100.99009900990099
    assert code(buy(row, 100, 101.2)) == "not_better"


@pytest.mark.parametrize("cost", [0, -10, math.nan, math.inf, "ten", True])
def test_a_cost_must_be_a_finite_number_above_0(cost: Any) -> None:
    assert code(buy(signal_row(), cost, 95.0)) == "cost_not_positive"


def test_under_reference_any_cost_is_taken() -> None:
    assert changed(buy(signal_row(), -10, 95.0, rules(REFERENCE))).entries[-1].cost == -10.0


def test_a_proposal_changes_nothing_by_itself() -> None:
    row = signal_row()
    before = replace(row)
    close_part(row, "profit", 10, 105.0)
    trail(row, "stop", -3)
    even(row, 105.0)
    buy(row, 10, 95.0)
    assert row == before


def test_an_outcome_is_true_when_it_took_effect() -> None:
    assert Outcome(True)
    assert not commands.refuse("code", "why")
