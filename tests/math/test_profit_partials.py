"""Partial closes and average buys together: effective price, what is held, net profit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import BacktestKitError
from backtestkit.math.profit import Costs, effective_price_open, holding, profit_loss
from scenarios.rows import partial, signal_row

COSTS = Costs(0.1, 0.1)


def test_two_partial_closes_and_the_rest() -> None:
    row = signal_row(partials=(partial(30.0, 102.0, 100.0), partial(50.0, 102.5, 70.0)))
    assert profit_loss(row, 107.0, COSTS).pnl_percentage == 3.5136402847152874


def test_a_partial_close_between_two_average_buys() -> None:
    row = signal_row(
        entries=[(100.0, 100.0), (98.0, 100.0), (96.0, 200.0)], partials=(partial(50.0, 96.0, 200.0, 2, "loss"),)
    )
    profit = profit_loss(row, 99.0, COSTS)
    assert profit.pnl_percentage == 0.40792196961202964
    assert profit.pnl_cost == 1.6316878784481186
    assert profit.pnl_entries == 400.0
    assert effective_price_open(row) == 96.97636063771303
    assert holding(row).closed_percent == 25.0
    assert holding(row).remaining == 300.0


def test_a_partial_close_alone_does_not_move_the_effective_price() -> None:
    whole = signal_row(entries=[(100.0, 100.0), (98.0, 100.0)])
    row = whole.with_changes(partials=(partial(30.0, 103.0, 200.0, 2),))
    assert effective_price_open(row) == pytest.approx(effective_price_open(whole), rel=1e-15)


def test_the_profit_of_a_fully_closed_position_does_not_depend_on_the_price() -> None:
    row = signal_row(partials=(partial(40.0, 102.0, 100.0), partial(100.0, 103.0, 60.0)))
    assert profit_loss(row, 50.0, COSTS).pnl_percentage == profit_loss(row, 500.0, COSTS).pnl_percentage
    assert holding(row).remaining == 0.0
    assert holding(row).closed_percent == 100.0


@pytest.mark.parametrize("side", ["long", "short"])
def test_without_costs_each_part_earns_on_its_own(side: str) -> None:
    row = signal_row("long" if side == "long" else "short", partials=(partial(25.0, 104.0, 100.0),))
    sign = 1 if side == "long" else -1
    assert profit_loss(row, 108.0, Costs(0.0, 0.0)).pnl_percentage == pytest.approx(sign * (0.25 * 4 + 0.75 * 8))


def test_more_closed_than_invested_is_an_error_that_names_both() -> None:
    row = signal_row(partials=(partial(100.0, 102.0, 200.0),))
    with pytest.raises(BacktestKitError, match=r"add up to 200\.0, more than the invested 100\.0"):
        profit_loss(row, 102.0, COSTS)


def test_rounding_of_the_closed_parts_is_no_error() -> None:
    row = signal_row(partials=(partial(100.0, 102.0, 100.0 + 1e-4),))
    assert profit_loss(row, 102.0, COSTS).pnl_percentage == pytest.approx(1.5944075924075942, abs=1e-3)


def test_partials_before_any_quantity_was_bought_use_the_price_of_the_signal() -> None:
    row = signal_row(entries=[(100.0, 0.0), (90.0, 100.0)], price_open=100.0, partials=(partial(50.0, 101.0, 0.0, 1),))
    assert effective_price_open(row) == 90.0


price = st.floats(50, 200)
step = st.one_of(
    st.tuples(st.just("buy"), price, st.floats(1, 500)), st.tuples(st.just("close"), price, st.floats(1, 90))
)


@settings(max_examples=100, deadline=None)
@given(st.lists(step, max_size=8), price)
def test_cost_and_quantity_are_conserved(steps: list[tuple[str, float, float]], close: float) -> None:
    entries, partials = [(100.0, 100.0)], []
    cost, coins = Fraction(100), Fraction(1)
    basis = 100.0
    for kind, at, amount in steps:
        if kind == "buy":
            entries.append((at, amount))
            cost, coins, basis = cost + Fraction(amount), coins + Fraction(amount) / Fraction(at), basis + amount
        else:
            partials.append(partial(amount, at, basis, len(entries)))
            kept = 1 - Fraction(amount) / 100
            cost, coins, basis = cost * kept, coins * kept, basis * (1 - amount / 100)
    row = signal_row(entries=entries, partials=tuple(partials))
    assert holding(row).remaining == pytest.approx(float(cost), rel=1e-9)
    assert effective_price_open(row) == pytest.approx(float(cost / coins), rel=1e-9)
