"""Net profit: slippage, fees, leverage. The worked numbers are those of the engine's specification, to the last digit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import BacktestKitError
from backtestkit.math.profit import Costs, costs_paid, effective_price_open, holding, invested_cost, profit_loss
from backtestkit.model.signal import PositionSide, SignalRow
from scenarios.rows import partial, signal_row

COSTS = Costs(percent_slippage=0.1, percent_fee=0.1)
FREE = Costs(0.0, 0.0)


def percent(row: SignalRow, close: float) -> float:
    return profit_loss(row, close, COSTS).pnl_percentage


@pytest.mark.parametrize(
    ("side", "close", "multiplier", "expected"),
    [
        ("long", 100.0, 1.0, -0.39960039960038823),
        ("long", 102.0, 1.0, 1.5944075924075942),
        ("long", 98.0, 1.0, -2.3936083916083852),
        ("short", 100.0, 1.0, -0.40040040040038904),
        ("short", 98.0, 1.0, 1.6056076076076284),
        ("long", 102.0, 3.0, 4.783222777222782),
        ("long", 100.0, 10.0, -3.9960039960038825),
    ],
)
def test_worked_numbers_of_one_entry(side: PositionSide, close: float, multiplier: float, expected: float) -> None:
    assert percent(signal_row(side, multiplier=multiplier), close) == expected


def test_profit_in_quote_currency_is_the_percentage_of_everything_invested() -> None:
    profit = profit_loss(signal_row(entries=[(100.0, 250.0)]), 102.0, COSTS)
    assert profit.pnl_entries == 250.0
    assert profit.pnl_cost == profit.pnl_percentage / 100 * 250.0
    assert (profit.price_open, profit.price_close) == (100.0, 102.0)


@pytest.mark.parametrize("side", ["long", "short"])
def test_without_costs_it_is_the_move_of_the_price(side: PositionSide) -> None:
    row = signal_row(side, multiplier=3.0)
    move = 5.0 if side == "long" else -5.0
    assert profit_loss(row, 105.0, FREE).pnl_percentage == pytest.approx(3 * move, rel=1e-12)


def test_fees_and_slippage_grow_with_the_multiplier() -> None:
    assert percent(signal_row(multiplier=10.0), 100.0) == pytest.approx(10 * percent(signal_row(), 100.0))


@settings(max_examples=100, deadline=None)
@given(st.floats(1, 1000), st.floats(1, 1000), st.sampled_from(["long", "short"]), st.floats(0.1, 50))
def test_profit_is_a_straight_line_of_the_close_price(
    first: float, second: float, side: PositionSide, multiplier: float
) -> None:
    row = signal_row(side, multiplier=multiplier)
    middle = percent(row, (first + second) / 2)
    assert middle == pytest.approx((percent(row, first) + percent(row, second)) / 2, rel=1e-9, abs=1e-9)


def test_several_entries_have_the_cost_weighted_harmonic_mean_as_price() -> None:
    row = signal_row(entries=[(100.0, 100.0), (98.0, 100.0)])
    assert effective_price_open(row) == 98.989898989899
    assert invested_cost(row) == 200.0


def test_average_buy_of_a_short_moves_its_price_up() -> None:
    assert effective_price_open(signal_row("short", [(100.0, 100.0), (102.0, 100.0)])) == 100.99009900990099


def test_one_entry_may_differ_from_its_price_in_the_last_digit() -> None:
    assert effective_price_open(signal_row(entries=[(97.0, 100.0)])) == 97.00000000000001


def test_without_entries_price_and_cost_of_the_signal_count() -> None:
    row = signal_row(entries=[], price_open=50.0, cost=30.0)
    assert effective_price_open(row) == 50.0
    assert invested_cost(row) == 30.0
    assert holding(row).remaining == 30.0


def test_an_entry_that_bought_nothing_has_no_price() -> None:
    assert effective_price_open(signal_row(entries=[(100.0, 0.0)])) == 0.0
    assert effective_price_open(signal_row(entries=[(100.0, 0.0), (90.0, 0.0)])) == 0.0


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["long", "short"]),
    st.lists(st.tuples(st.floats(50, 200), st.floats(1, 1000)), min_size=1, max_size=4),
    st.floats(50, 200),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_fee_and_slippage_are_what_lies_between_gross_and_net(
    side: PositionSide, entries: list[tuple[float, float]], close: float, slippage: float, fee: float
) -> None:
    row = signal_row(side, entries, multiplier=2.0)
    costs = Costs(slippage, fee)
    paid = costs_paid(row, close, costs)
    gross, net = profit_loss(row, close, FREE).pnl_cost, profit_loss(row, close, costs).pnl_cost
    assert paid.fee + paid.slippage == pytest.approx(gross - net, rel=1e-9, abs=1e-9)
    assert paid.fee >= -1e-9
    assert paid.slippage >= -1e-9
    assert paid.funding == 0


@pytest.mark.parametrize("partials", [(), (partial(50.0, 101.0, 100.0),)])
def test_a_position_that_cost_nothing_has_no_profit_but_an_error(partials: tuple[()]) -> None:
    row = signal_row(entries=[(100.0, 0.0)], partials=partials)
    with pytest.raises(BacktestKitError, match=r"0 invested has no entry price; give every entry a cost above 0\.$"):
        profit_loss(row, 101.0, COSTS)


def test_a_slippage_of_everything_leaves_a_short_without_a_price() -> None:
    with pytest.raises(BacktestKitError, match=r"and percent_slippage=100 below 100"):
        profit_loss(signal_row("short"), 101.0, Costs(100.0, 0.1))
