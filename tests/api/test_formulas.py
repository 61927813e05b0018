"""The formulas that are exported: those of the engine, with the costs of the current configuration."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.clients.position import Pricing
from backtestkit.math.profit import Costs
from scenarios.rows import partial, signal_row


def test_profit_uses_the_costs_of_the_configuration() -> None:
    row = signal_row()
    assert bk.to_profit_loss(row, 102.0).pnl_percentage == 1.5944075924075942
    with bk.Kit({"percent_fee": 0.0, "percent_slippage": 0.0}):
        assert bk.to_profit_loss(row, 102.0).pnl_percentage == pytest.approx(2.0)


def test_they_take_public_signals_too() -> None:
    public = Pricing(Costs(0.1, 0.1), 0.2).public(signal_row(), 102.0)
    assert bk.to_profit_loss(public, 102.0) == public.pnl
    assert bk.get_effective_price_open(public) == 100.0


def test_effective_price_and_closed_share() -> None:
    row = signal_row(
        entries=[(100.0, 100.0), (98.0, 100.0), (96.0, 200.0)], partials=(partial(50.0, 96.0, 200.0, 2, "loss"),)
    )
    assert bk.get_effective_price_open(row) == 96.97636063771303
    assert (bk.get_total_closed(row).closed_percent, bk.get_total_closed(row).remaining) == (25.0, 300.0)


def test_liquidation_price() -> None:
    assert bk.get_liquidation_price(signal_row(multiplier=10.0)) == 90.3707511315119
    assert bk.get_liquidation_price(signal_row(multiplier=0.5)) is None


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_the_difference_of_two_numbers_is_that_of_the_larger_over_the_smaller(a: float, b: float) -> None:
    difference = bk.percent_diff(a, b)
    assert difference == bk.percent_diff(b, a)
    assert difference == pytest.approx((max(a, b) / min(a, b) - 1) * 100, rel=1e-9, abs=1e-9)


def test_the_difference_to_nothing_is_infinite_and_of_equals_nothing() -> None:
    assert bk.percent_diff(0.0, 5.0) == math.inf
    assert bk.percent_diff(5.0, 0.0) == math.inf
    assert bk.percent_diff(0.0, 0.0) == 0.0
    assert bk.percent_diff(7.0, 7.0) == 0.0


def test_change_and_shares_in_percent() -> None:
    assert bk.percent_value(100.0, 103.0) == pytest.approx(3.0)
    assert bk.percent_to_close_cost(25.0, 400.0) == 100.0
    assert bk.invested_cost_to_percent(100.0, 400.0) == 25.0


def test_trailing_conversions_are_exported() -> None:
    assert bk.sl_percent_shift_to_price(-3.0, 90.0, 100.0, "long") == 93.0
    assert bk.tp_percent_shift_to_price(-4.0, 110.0, 100.0, "long") == 106.0
    assert bk.sl_price_to_percent_shift(93.0, 90.0, 100.0, "long") == pytest.approx(-3.0)
    assert bk.tp_price_to_percent_shift(106.0, 110.0, 100.0, "long") == pytest.approx(-4.0)
