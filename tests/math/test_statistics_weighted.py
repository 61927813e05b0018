"""Time-weighted and money-weighted returns of the money at work."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trades import COSTS, FREE, at, closed, marks, partial

from backtestkit.math import statistics_weighted as w
from backtestkit.math.profit import Costs
from backtestkit.math.statistics_positions import PositionPath, position_path
from backtestkit.model.analysis import Marks
from backtestkit.model.result import ClosedResult


def paths(trades: list[ClosedResult], costs: Costs = COSTS) -> list[PositionPath]:
    return [position_path(trade, costs) for trade in trades]


def time_weighted(trades: list[ClosedResult], prices: Marks, costs: Costs = COSTS) -> float:
    found = w.time_weighted_return(paths(trades, costs), {"BTCUSDT": prices})
    assert found is not None
    return found


class TestClock:
    def test_it_runs_while_at_least_one_position_is_open(self) -> None:
        clock = w.time_in_market(paths([closed(10, 101, opened=m) for m in (0, 5, 30)]))
        assert clock.total == at(25) - at(0)
        times = np.array([at(0), at(7), at(15), at(20), at(30), at(35), at(99)])
        assert (clock.at(times) // 60_000).tolist() == [0, 7, 15, 15, 15, 20, 25]

    def test_positions_that_touch_make_one_stretch(self) -> None:
        clock = w.time_in_market(paths([closed(10, 101, opened=0), closed(10, 101, opened=10)]))
        assert len(clock.starts) == 1

    def test_nothing_open_is_no_time(self) -> None:
        assert w.time_in_market([]).total == 0


class TestTimeWeighted:
    @given(st.lists(st.floats(90, 110), min_size=1, max_size=10))
    def test_one_position_after_the_other_compounds(self, prices: list[float]) -> None:
        trades = [closed(10, price, opened=i * 15) for i, price in enumerate(prices)]
        expected = math.prod(1 + t.pnl.pnl_percentage / 100 for t in trades) - 1
        assert time_weighted(trades, marks(*[100.0] * 200)) == pytest.approx(expected * 100)

    def test_sizes_do_not_matter(self) -> None:
        small, large = ([closed(10, 105, cost=c), closed(10, 95, opened=20, cost=100)] for c in (100, 1000))
        flat = marks(*[100.0] * 40)
        assert time_weighted(small, flat) == pytest.approx(time_weighted(large, flat))

    def test_positions_that_overlap_count_by_what_they_are_worth(self) -> None:
        trades = [closed(20, 110, opened=0, costs=FREE), closed(20, 100, opened=10, cost=300, costs=FREE)]
        prices = marks(*[100.0] * 10, *[105.0] * 10, *[110.0] * 20)
        # 100 -> 105; then 105 and 300 new money -> 110 and 300; then 300 stay 300: the mark at 30 is the exit price
        trades[1] = closed(20, 105, opened=10, cost=300, price_open=105.0, costs=FREE)
        first, second, third = 1.05, (110 + 300 * 110 / 105) / (105 + 300), 105 / 110
        assert time_weighted(trades, prices, FREE) == pytest.approx((first * second * third - 1) * 100)

    def test_costs_of_a_new_position_do_not_touch_the_money_before_it(self) -> None:
        alone = [closed(20, 100.0, opened=0)]
        later = [*alone, closed(10, 100.0, opened=20)]
        flat = marks(*[100.0] * 40)
        cost = 1 + alone[0].pnl.pnl_percentage / 100
        assert time_weighted(later, flat) == pytest.approx((cost * cost - 1) * 100)

    def test_averaging_in_and_partial_closes_keep_the_sum_of_gains(self) -> None:
        trade = closed(
            60, 108.0, entries=[(10, 90.0, 100.0)], partials=[partial(30, 50.0, 100.0, 200.0, 2)],
            fundings=[(40, -1.0)], costs=FREE,
        )  # fmt: skip
        prices = marks(*[100.0] * 10, *[90.0] * 20, *[100.0] * 30, 108.0)
        middle = (100 * 100 / 100 + 100 * 100 / 90) / (90 + 100)  # 90 and 100 new at 90, up to 100
        held = (100 * 90 / 100 + 100) / 90 * 100 / 2  # half of it, valued at 100
        last = 1.08 - 1.0 / held  # the payment is a loss of the stretch that it begins
        expected = 0.9 * middle * last
        assert time_weighted([trade], prices, FREE) == pytest.approx((expected - 1) * 100)

    def test_a_position_of_one_moment_counts(self) -> None:
        trade = closed(0, 90.0, costs=FREE)
        assert time_weighted([trade], marks(100.0), FREE) == pytest.approx(-10.0)

    def test_losing_everything_is_final(self) -> None:
        trades = [closed(10, 1.0, multiplier=5.0), closed(10, 200.0, opened=20)]
        assert time_weighted(trades, marks(*[100.0] * 40)) == -100.0

    def test_without_prices_it_is_not_known(self) -> None:
        assert w.time_weighted_return(paths([closed(10, 101)]), {"BTCUSDT": None}) is None


class TestMoneyWeighted:
    def test_one_position_earns_its_profit(self) -> None:
        trade = closed(10, 105.0)
        assert w.money_weighted_return(paths([trade])) == pytest.approx(trade.pnl.pnl_percentage)

    def test_time_without_a_position_does_not_pass(self) -> None:
        near = [closed(10, 105, opened=0), closed(10, 103, opened=10)]
        far = [closed(10, 105, opened=0), closed(10, 103, opened=5000)]
        assert w.money_weighted_return(paths(near)) == pytest.approx(w.money_weighted_return(paths(far)))

    @given(st.floats(90, 110), st.floats(90, 110))
    def test_profits_that_are_put_in_again_compound(self, first: float, second: float) -> None:
        one = closed(10, first, costs=FREE)
        two = closed(10, second, opened=10, cost=100 + one.pnl.pnl_cost, costs=FREE)
        expected = (1 + one.pnl.pnl_percentage / 100) * (1 + two.pnl.pnl_percentage / 100) - 1
        assert w.money_weighted_return(paths([one, two], FREE)) == pytest.approx(expected * 100, abs=1e-7)

    def test_the_larger_position_weighs_more(self) -> None:
        flat = marks(*[100.0] * 40)
        lucky = [closed(10, 105, cost=1000), closed(10, 95, opened=10, cost=100)]
        money = w.money_weighted_return(paths(lucky))
        assert money is not None
        assert money > time_weighted(lucky, flat)

    def test_the_flows_are_even_at_the_rate(self) -> None:
        trade = closed(60, 108.0, entries=[(10, 90.0, 100.0)], partials=[partial(30, 50.0, 100.0, 200.0, 2)])
        rate = w.money_weighted_return(paths([trade]))
        assert rate is not None
        growth = math.log(1 + rate / 100)
        flows = w.cash_flows(position_path(trade, COSTS))
        assert sum(amount for _, amount in flows) == pytest.approx(trade.pnl.pnl_cost)
        value = sum(amount * math.exp(growth * (1 - (time - at(0)) / (at(60) - at(0)))) for time, amount in flows)
        assert value == pytest.approx(0.0, abs=1e-9)

    def test_flows_that_are_even_already_earn_nothing(self) -> None:
        assert w.money_weighted_return(paths([closed(10, 100.0, costs=FREE)], FREE)) == pytest.approx(0.0)

    def test_when_nothing_comes_back_no_rate_fits(self) -> None:
        assert w.money_weighted_return(paths([closed(10, 40.0, multiplier=2.0)])) is None

    def test_no_time_is_no_rate(self) -> None:
        assert w.money_weighted_return(paths([closed(0, 99.0)])) is None
