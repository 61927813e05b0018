"""Funding payments: what perpetual contracts charge one side and pay the other."""

from __future__ import annotations

import pytest

from backtestkit.math.profit import Costs, costs_paid, funding_paid, funding_payment, profit_loss
from backtestkit.model.signal import Funding, PositionSide
from scenarios.rows import partial, signal_row

COSTS = Costs(0.1, 0.1)
RATE = 0.0001


def paid(*costs: float) -> tuple[Funding, ...]:
    return tuple(Funding(0, RATE, 100.0, cost) for cost in costs)


@pytest.mark.parametrize(("side", "sign"), [("long", -1), ("short", 1)])
def test_at_a_positive_rate_longs_pay_and_shorts_receive(side: PositionSide, sign: int) -> None:
    funding = funding_payment(signal_row(side), RATE, 110.0, 7)
    assert funding.cost == pytest.approx(sign * 110.0 * RATE)
    assert (funding.timestamp, funding.rate) == (7, RATE)


def test_the_notional_is_the_held_quantity_at_the_price_times_the_multiplier() -> None:
    row = signal_row(entries=[(100.0, 200.0)], multiplier=5.0, partials=(partial(25.0, 101.0, 200.0),))
    assert funding_payment(row, RATE, 120.0, 0).notional == pytest.approx(1.5 * 120 * 5)


@pytest.mark.parametrize("partials", [(), (partial(50.0, 100.0, 100.0),)])
def test_payments_are_part_of_the_net_profit_as_they_were_paid(partials: tuple[()]) -> None:
    plain = signal_row(multiplier=7.0, partials=partials)
    row = plain.with_changes(fundings=paid(-0.5, -0.25))
    assert funding_paid(row) == -0.75
    without, with_ = profit_loss(plain, 102.0, COSTS), profit_loss(row, 102.0, COSTS)
    assert with_.pnl_cost == pytest.approx(without.pnl_cost - 0.75)
    assert with_.pnl_percentage == pytest.approx(without.pnl_percentage - 0.75)


def test_what_was_paid_is_told_apart_from_fee_and_slippage() -> None:
    plain = signal_row(multiplier=3.0)
    row = plain.with_changes(fundings=paid(-0.5, 0.2))
    assert costs_paid(row, 103.0, COSTS).funding == pytest.approx(0.3)
    assert costs_paid(row, 103.0, COSTS).fee == pytest.approx(costs_paid(plain, 103.0, COSTS).fee)
    assert costs_paid(row, 103.0, COSTS).slippage == pytest.approx(costs_paid(plain, 103.0, COSTS).slippage)
