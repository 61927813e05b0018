"""The analysis as a whole: its parts, the costs, the benchmark, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from trades import COSTS, DAY, START, at, closed, marks, run_key, trade_set

from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs, profit_loss
from backtestkit.math.statistics_analysis import analyse, cost_figures
from backtestkit.model.analysis import EVERY_DAY, CostFigures, Marks, ReturnFigures, TradeQuality, TradingYear


def daily(count: int, seed: int = 1, drift: float = 0.0) -> Marks:
    """A price for every hour of so many days."""
    rng = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(rng.normal(drift, 0.004, count * 24 + 1)))
    return marks(*prices.tolist(), step=60)


def test_without_trades_only_the_costs_are_there() -> None:
    nothing = analyse([trade_set([], daily(2), last=DAY)])
    assert (nothing.equity, nothing.benchmark, nothing.curve, nothing.breakdown) == (None, None, None, ())
    assert (nothing.costs, nothing.quality) == (CostFigures(), TradeQuality())
    assert (nothing.daily, nothing.per_trade) == (ReturnFigures(), ReturnFigures())
    assert analyse([]).equity is None


def test_trades_that_lack_a_time_are_left_out() -> None:
    trades = [closed(60, 101.0), closed(60, 150.0, opened=100, pending_at=0)]
    whole = analyse([trade_set(trades)])
    assert whole.per_trade.count == 1
    assert whole.costs.net == pytest.approx(trades[0].pnl.pnl_cost)


@pytest.mark.parametrize("capital", [0.0, -5.0, math.nan, math.inf])
def test_capital_must_be_a_number_above_zero(capital: float) -> None:
    with pytest.raises(UsageError, match="capital="):
        analyse([trade_set([closed()])], capital)


class TestCosts:
    def test_the_waterfall_adds_up(self) -> None:
        trades = [
            closed(60, 103.0, fundings=[(30, -0.5)]),
            closed(60, 98.0, opened=100, position="short", multiplier=3.0),
            closed(60, 97.0, opened=200, entries=[(210, 95.0, 50.0)]),
        ]
        costs = cost_figures([trade_set(trades)])
        assert costs.gross - costs.fee - costs.slippage - costs.funding == pytest.approx(costs.net)
        assert costs.net == pytest.approx(sum(t.pnl.pnl_cost for t in trades))
        assert (costs.funding, costs.fee > 0, costs.slippage > 0) == (0.5, True, True)

    def test_gross_is_the_move_of_the_market(self) -> None:
        costs = cost_figures([trade_set([closed(60, 103.0)])])
        assert costs.gross == pytest.approx(3.0)
        assert costs.net_without_costs == pytest.approx(3.0)
        assert costs.fee == pytest.approx(0.1 + 0.1 * (103 * 0.999) / (100 * 1.001))

    def test_without_costs_funding_stays(self) -> None:
        costs = cost_figures([trade_set([closed(60, 103.0, fundings=[(30, -0.5)])])])
        assert (costs.net_without_costs, costs.gross) == pytest.approx((2.5, 3.0))

    def test_double_costs_are_those_of_a_dearer_market_on_the_same_fills(self) -> None:
        trade = closed(60, 103.0)
        costs = cost_figures([trade_set([trade])])
        assert costs.net_at_double_costs == pytest.approx(profit_loss(trade.signal, 103.0, Costs(0.2, 0.2)).pnl_cost)
        assert costs.net_at_double_costs < costs.net < costs.net_without_costs

    def test_each_set_has_its_own_costs(self) -> None:
        dear = Costs(0.5, 0.5)
        sets = [trade_set([closed(60, 103.0)]), trade_set([closed(60, 103.0, costs=dear)], costs=dear)]
        assert cost_figures(sets).net == pytest.approx(sum(t.pnl.pnl_cost for s in sets for t in s.trades))


class TestBenchmark:
    def test_holding_is_buying_on_the_first_day(self) -> None:
        prices = daily(30)
        found = analyse([trade_set([closed(60, 101.0)], prices, last=30 * DAY)]).benchmark
        assert found is not None
        assert found.total_return == pytest.approx((prices.prices[-1] / prices.prices[0] - 1) * 100)
        peaks = np.maximum.accumulate(prices.prices)
        assert found.max_drawdown == pytest.approx(float(((peaks - prices.prices) / peaks).max()) * 100)

    def test_an_account_that_holds_has_a_beta_of_one_and_no_alpha(self) -> None:
        prices = daily(30, seed=3)
        free = Costs(0.0, 0.0)
        first, last = float(prices.prices[0]), float(prices.prices[-1])
        held = closed(30 * DAY, last, price_open=first, costs=free)
        found = analyse([trade_set([held], prices, costs=free)]).benchmark
        assert found is not None
        assert (found.beta, found.correlation) == pytest.approx((1.0, 1.0))
        assert found.alpha == pytest.approx(0.0, abs=1e-9)
        assert found.excess_return == pytest.approx(0.0, abs=1e-9)

    def test_half_of_the_capital_has_half_the_beta_at_first(self) -> None:
        prices = daily(30, seed=3)
        held = closed(30 * DAY, float(prices.prices[-1]), price_open=float(prices.prices[0]), costs=Costs(0.0, 0.0))
        found = analyse([trade_set([held], prices, costs=Costs(0.0, 0.0))], capital=10_000.0).benchmark
        assert found is not None
        assert found.beta == pytest.approx(0.01, rel=0.1)

    def test_the_regression_needs_twenty_days_and_a_market_that_moves(self) -> None:
        few = analyse([trade_set([closed(60, 101.0)], daily(19), last=19 * DAY)]).benchmark
        assert few is not None
        assert (few.beta, few.alpha, few.correlation) == (None, None, None)
        still = analyse([trade_set([closed(60, 100.0)], marks(*[100.0] * 25, step=DAY), last=24 * DAY)]).benchmark
        assert still is not None
        assert still.beta is None

    def test_an_account_that_stands_still_has_no_correlation(self) -> None:
        trade = closed(60, 100.0, costs=Costs(0.0, 0.0))
        found = analyse([trade_set([trade], daily(25, seed=5), costs=Costs(0.0, 0.0), first=DAY, last=25 * DAY)])
        assert found.benchmark is not None

    def test_several_symbols_are_held_in_equal_parts(self) -> None:
        first, second = marks(100, 110, step=DAY), marks(50, 40, step=DAY)
        sets = [
            trade_set([closed(60, 101.0)], first, last=DAY),
            trade_set([closed(60, 101.0, key=run_key("ETHUSDT"))], second, symbol="ETHUSDT", last=DAY),
        ]
        found = analyse(sets).benchmark
        assert found is not None
        assert found.total_return == pytest.approx((10 - 20) / 2)

    def test_without_prices_there_is_no_benchmark(self) -> None:
        assert analyse([trade_set([closed()])]).benchmark is None


class TestParts:
    def test_trades_of_all_sets_make_one_account(self) -> None:
        sets = [
            trade_set([closed(60, 101.0)], daily(30), last=30 * DAY),
            trade_set([closed(60, 99.0, opened=30, key=run_key("ETHUSDT"))], daily(30, 2), symbol="ETHUSDT"),
        ]
        whole = analyse(sets)
        assert whole.equity is not None
        assert (whole.equity.capital, whole.equity.max_open_positions) == (200.0, 2)
        assert whole.equity.days == 30.0
        assert whole.per_trade.count == 2
        assert [row.key for row in whole.breakdown_by("symbol")] == ["BTCUSDT", "ETHUSDT"]

    def test_daily_figures_are_those_of_the_curve(self) -> None:
        whole = analyse([trade_set([closed(25 * DAY, 101.0)], daily(30), last=30 * DAY)])
        assert whole.daily.count == 30
        assert whole.curve is not None
        assert whole.curve.times[0] == START
        assert whole.curve.times[-1] == at(30 * DAY)
        assert whole.equity is not None
        assert whole.equity.net_profit == pytest.approx(float(whole.curve.equity[-1]) - whole.curve.capital)

    def test_an_analysis_of_the_same_trades_is_the_same_whatever_their_costs_were_called(self) -> None:
        one, other = (analyse([trade_set([closed()], daily(20), costs=c)]) for c in (COSTS, Costs(0.1, 0.1)))
        assert one.equity == other.equity


class TestYear:
    def test_a_year_needs_days_and_a_calendar_that_exist(self) -> None:
        wrong: list[tuple[Any, ...]] = [(0,), (367,), (float("nan"),), (252, "weekdays")]
        for arguments in wrong:
            with pytest.raises(UsageError, match="at most 366, calendar one of every_day, market_days"):
                TradingYear(*arguments)

    def test_the_year_is_that_of_the_markets(self) -> None:
        shares = TradingYear(252, "market_days")
        own = replace(trade_set([closed()], daily(20)), year=shares)
        analysis = analyse([own, replace(own, symbol="ETHUSDT")])
        assert analysis.equity is not None and analysis.equity.year == shares
        other = replace(own, symbol="ETHUSDT", year=EVERY_DAY)
        with pytest.raises(UsageError, match="the markets have different years"):
            analyse([own, other])
        chosen = analyse([own, other], year=EVERY_DAY)
        assert chosen.equity is not None and chosen.equity.year == EVERY_DAY

    def test_market_days_need_prices(self) -> None:
        with pytest.raises(UsageError, match="needs the candles of all symbols"):
            analyse([trade_set([closed(60)], None, last=60)], year=TradingYear(252, "market_days"))

    def test_days_without_prices_have_no_return(self) -> None:
        # Prices on days 0, 1 and 4; a position is held through all of them.
        day = 1440
        times = np.array([at(m) for m in (60, day + 60, 4 * day + 60)], dtype=np.int64)
        prices = Marks(times, np.array([100.0, 110.0, 121.0]))
        own = trade_set([closed(4 * day, 121.0, opened=60, price_open=100.0)], prices, last=4 * day + 60)
        every, market = analyse([own]), analyse([own], year=TradingYear(252, "market_days"))
        assert (every.daily.count, market.daily.count) == (5, 3)
        assert every.equity is not None and market.equity is not None
        assert (every.equity.year, market.equity.year) == (EVERY_DAY, TradingYear(252, "market_days"))
        assert every.equity.total_return == market.equity.total_return
