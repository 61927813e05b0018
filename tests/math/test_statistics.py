"""Each figure alone: its formula on numbers that can be checked by hand, and the sample it needs."""

from __future__ import annotations

import math
import statistics as reference
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.math import statistics_formulas as s
from backtestkit.math.statistics import backtest_statistics, trade_figures
from backtestkit.math.statistics_price import price_profile, trend_name
from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.signal import ZERO_PROFIT, Extreme, ProfitLoss, PublicSignal
from backtestkit.model.statistics import BacktestStatistics, PriceProfile, TradeColumns, TradeFigures
from backtestkit.runtime.context import RunKey

T0 = 1_700_000_000_000
PNL = st.lists(st.floats(-90, 90).map(lambda x: round(x, 3)), min_size=1, max_size=40)


def columns(
    pnl: list[float], step_ms: int = DAY_MS, fall: float | None = None, price: list[float] | None = None
) -> TradeColumns:
    """Trades with profits given oldest first, one every `step_ms`, each an hour long."""
    n = len(pnl)
    opened = [T0 + i * step_ms for i in range(n)]
    return TradeColumns(
        pnl=tuple(pnl[::-1]),
        pnl_cost=tuple(r * 2 for r in pnl[::-1]),
        opened=tuple(opened[::-1]),
        closed=tuple(o + 60 * MINUTE_MS for o in opened[::-1]),
        peak=(None,) * n,
        fall=(fall,) * n,
        price=tuple((price or [100.0] * n)[::-1]),
    )


def closed_trade(pnl: float, pending_at: int, close_timestamp: int, price: float = 100.0) -> ClosedResult:
    profit = ProfitLoss(pnl, pnl, 100.0, 100.0, price)
    signal = PublicSignal(
        id=f"t{close_timestamp}", symbol="BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f",
        position="long", note="", price_open=100.0, price_take_profit=110.0, price_stop_loss=90.0,
        original_price_open=100.0, original_price_take_profit=110.0, original_price_stop_loss=90.0,
        minute_estimated_time=60, cost=100.0, multiplier=1.0, isolated=True, scheduled_at=pending_at,
        pending_at=pending_at, timestamp=pending_at, total_entries=1, total_partials=0, partial_executed=0.0,
        pnl=profit, peak_profit=ProfitLoss(3.0, 3.0, 100.0, 100.0, 103.0), max_drawdown=ZERO_PROFIT,
        peak=Extreme(103.0, pending_at, profit), fall=Extreme(100.0, pending_at, ZERO_PROFIT), entries=(), partials=(),
    )  # fmt: skip
    key = RunKey("BTCUSDT", "s", "e", "f", True)
    return ClosedResult(key, close_timestamp, price, signal, "take_profit", close_timestamp, profit, None, False)


class TestSums:
    def test_a_total_is_added_left_to_right_without_compensation(self) -> None:
        assert s.total([1e16, 1.0, -1e16]) == 0.0
        assert s.total([0.1] * 10) == 0.9999999999999999

    def test_mean_and_median_of_nothing_are_none(self) -> None:
        assert s.mean([]) is None
        assert s.median([]) is None

    @given(PNL)
    def test_mean_and_median_agree_with_the_library(self, pnl: list[float]) -> None:
        assert s.mean(pnl) == pytest.approx(reference.fmean(pnl), abs=1e-9)
        assert s.median(pnl) == pytest.approx(reference.median(pnl))


class TestRates:
    def test_break_even_trades_are_neither_won_nor_lost(self) -> None:
        assert s.win_rate([1.0, 0.0, -1.0, 2.0]) == pytest.approx(200 / 3)
        assert s.win_rate([0.0, 0.0]) is None

    def test_profit_factor_needs_a_win_and_a_loss(self) -> None:
        assert s.profit_factor([3.0, -1.0, -0.5]) == 2.0
        assert s.profit_factor([3.0]) is None
        assert s.profit_factor([-3.0]) is None
        assert s.profit_factor([3.0, -1e-10]) is None

    def test_certainty_ratio_needs_ten_trades_a_win_and_a_loss(self) -> None:
        assert s.certainty_ratio([2.0] * 5 + [-1.0] * 5) == 2.0
        assert s.certainty_ratio([2.0] * 5 + [-1.0] * 4) is None
        assert s.certainty_ratio([2.0] * 10) is None
        assert s.certainty_ratio([-2.0] * 10) is None
        assert s.certainty_ratio([2.0] * 9 + [-1e-9]) is None

    def test_expectancy_weights_wins_and_losses_by_their_share_of_all_trades(self) -> None:
        assert s.expectancy([2.0] * 6 + [-1.0] * 2 + [0.0] * 2) == pytest.approx(0.6 * 2 - 0.2 * 1)
        assert s.expectancy([0.0] * 10) == 0.0
        assert s.expectancy([2.0] * 9) is None


class TestRatios:
    @given(st.lists(st.floats(-90, 90).map(lambda x: round(x, 3)), min_size=10, max_size=40))
    def test_deviation_is_the_sample_deviation(self, pnl: list[float]) -> None:
        assert s.standard_deviation(pnl) == pytest.approx(reference.stdev(pnl), abs=1e-9)

    def test_ratios_need_ten_trades(self) -> None:
        nine = [1.0, -1.0, 2.0] * 3
        assert s.standard_deviation(nine) is None
        assert s.sharpe_ratio(nine) is None
        assert s.sortino_ratio(nine) is None

    def test_sharpe_is_none_when_every_trade_is_the_same(self) -> None:
        assert s.sharpe_ratio([1.0] * 10) is None
        assert s.sharpe_ratio([1.0, 3.0] * 5) == pytest.approx(2 / reference.stdev([1.0, 3.0] * 5))

    def test_sortino_counts_all_trades_under_the_losses(self) -> None:
        assert s.sortino_ratio([2.0] * 9 + [-1.0]) == pytest.approx(1.7 / math.sqrt(1 / 10))
        assert s.sortino_ratio([2.0] * 10) is None
        assert s.sortino_ratio([2.0] * 9 + [-1e-9]) is None

    def test_annual_sharpe_needs_both_parts(self) -> None:
        assert s.annualized_sharpe_ratio(0.5, 100) == 5.0
        assert s.annualized_sharpe_ratio(None, 100) is None
        assert s.annualized_sharpe_ratio(0.5, None) is None


class TestPace:
    def span(self, n: int, days: float) -> float | None:
        return s.trades_per_year([T0] * n, [T0 + round(days * DAY_MS)] * n)

    def test_pace_is_trades_over_the_span_in_years(self) -> None:
        assert self.span(10, 73) == pytest.approx(50)

    def test_pace_needs_ten_trades_over_fourteen_days(self) -> None:
        assert self.span(9, 73) is None
        assert self.span(10, 13.9) is None
        assert self.span(10, 14) is not None

    def test_more_than_one_trade_a_day_has_no_pace(self) -> None:
        assert self.span(14, 14) == 365
        assert self.span(15, 14) is None


class TestEquityCurve:
    def test_trades_compound_and_the_drawdown_is_from_the_highest_point(self) -> None:
        curve = s.sequential_curve(columns([10.0, -50.0, 20.0]))
        assert curve.end == pytest.approx(1.1 * 0.5 * 1.2)
        assert curve.max_drawdown == pytest.approx(50)

    def test_the_worst_profit_inside_a_winning_trade_counts(self) -> None:
        assert s.sequential_curve(columns([10.0], fall=-30.0)).max_drawdown == pytest.approx(30)

    def test_the_curve_follows_the_closing_times_not_the_rows(self) -> None:
        rows = TradeColumns(
            pnl=(10.0, -50.0), pnl_cost=(0, 0), opened=(1, 2), closed=(10, 20), peak=(None,) * 2, fall=(None,) * 2,
            price=(1, 1),
        )  # fmt: skip
        assert s.sequential_curve(rows).max_drawdown == pytest.approx(50)
        assert s.sequential_curve(columns([-50.0, 10.0])).max_drawdown == pytest.approx(50)

    @pytest.mark.parametrize(("pnl", "fall"), [([10.0, -100.0, 50.0], None), ([10.0, 5.0], -100.0)])
    def test_a_loss_of_everything_ends_the_curve(self, pnl: list[float], fall: float | None) -> None:
        assert s.sequential_curve(columns(pnl, fall=fall)) == s.SequentialCurve(None, 100.0)

    @given(PNL)
    def test_the_drawdown_is_a_percentage_and_nothing_without_a_loss(self, pnl: list[float]) -> None:
        curve = s.sequential_curve(columns(pnl))
        assert 0 <= curve.max_drawdown <= 100
        assert (curve.max_drawdown > 0) == any(r < 0 for r in pnl)


class TestYearly:
    def test_a_year_compounds_the_mean_trade(self) -> None:
        assert s.expected_yearly_returns(s.SequentialCurve(1.1, 5), 20, 10) == pytest.approx((1.1**2 - 1) * 100)

    @pytest.mark.parametrize(
        ("curve", "per_year"),
        [
            (s.SequentialCurve(None, 100), 20.0),
            (s.SequentialCurve(1.1, 5), None),
            (s.SequentialCurve(2.0, 5), 20.0),
            (s.SequentialCurve(1e300, 5), 20.0),
            (s.SequentialCurve(math.inf, 5), 20.0),
            (s.SequentialCurve(math.nan, 5), 20.0),
        ],
    )
    def test_a_year_that_cannot_be_believed_is_none(self, curve: s.SequentialCurve, per_year: float | None) -> None:
        assert s.expected_yearly_returns(curve, per_year, 10) is None

    def test_calmar_and_recovery_divide_by_the_drawdown_within_a_thousand(self) -> None:
        assert s.calmar_ratio(s.SequentialCurve(1.1, 5), 20.0) == 4.0
        assert s.calmar_ratio(s.SequentialCurve(1.1, 0.001), 20.0) == 1000
        assert s.calmar_ratio(s.SequentialCurve(0.9, 0.001), -20.0) == -1000
        assert s.calmar_ratio(s.SequentialCurve(1.1, 0), 20.0) is None
        assert s.calmar_ratio(s.SequentialCurve(1.1, 5), None) is None
        assert s.recovery_factor(s.SequentialCurve(1.5, 5), 10) == pytest.approx(10)
        assert s.recovery_factor(s.SequentialCurve(1.5, 5), 9) is None
        assert s.recovery_factor(s.SequentialCurve(1.5, 0), 10) is None
        assert s.recovery_factor(s.SequentialCurve(None, 100), 10) is None


class TestStreaks:
    def test_a_break_even_trade_ends_a_streak_and_the_open_one_counts(self) -> None:
        streaks = s.pnl_streaks([1.0, 2.0, 0.0, 3.0, -1.0, -2.0][::-1])
        assert streaks.win_sums == [3.0, 3.0]
        assert streaks.loss_sums == [-3.0]
        assert streaks.win_lengths == [2, 1]
        assert streaks.loss_lengths == [2]

    @given(PNL)
    def test_streaks_hold_every_decisive_trade_once(self, pnl: list[float]) -> None:
        streaks = s.pnl_streaks(pnl)
        assert sum(streaks.win_lengths) == len(s.wins(pnl))
        assert sum(streaks.loss_lengths) == len(s.losses(pnl))
        assert s.total(streaks.win_sums + streaks.loss_sums) == pytest.approx(s.total(pnl), abs=1e-9)


class TestPriceProfile:
    TIMES = tuple(T0 + i * DAY_MS for i in range(10))

    def test_nine_prices_have_no_profile(self) -> None:
        assert price_profile(self.TIMES[:9], [100.0] * 9) == PriceProfile()

    def test_prices_that_cannot_be_true_are_left_out(self) -> None:
        bad = [100.0] * 7 + [0.0, math.nan, math.inf]
        assert price_profile(self.TIMES, bad) == PriceProfile()
        assert price_profile((*self.TIMES[:9], 0), [100.0] * 10) == PriceProfile()

    def test_a_flat_market_is_sideways_without_pressure(self) -> None:
        profile = price_profile(self.TIMES, [100.0] * 10)
        assert (profile.median_step_size, profile.trend, profile.trend_confidence) == (0.0, "sideways", 0.0)
        assert profile.buyer_pressure is profile.buyer_strength is profile.pressure_imbalance is None

    def test_a_rising_market_is_bullish_with_all_pressure_on_the_buyers(self) -> None:
        profile = price_profile(self.TIMES, [100 * 1.02**i for i in range(10)])
        assert profile.trend == "bullish"
        assert profile.trend_strength == pytest.approx(math.log(1.02) * 100)
        assert profile.trend_confidence == pytest.approx(1)
        assert (profile.buyer_pressure, profile.seller_pressure, profile.pressure_imbalance) == (1, 0, 1)

    def test_order_of_time_decides_not_order_of_rows(self) -> None:
        prices = [100 * 0.98**i for i in range(10)]
        assert price_profile(self.TIMES[::-1], prices[::-1]) == price_profile(self.TIMES, prices)
        assert price_profile(self.TIMES, prices).trend == "bearish"

    def test_the_line_is_the_least_squares_line(self) -> None:
        prices = [100.0, 103, 101, 105, 104, 108, 107, 111, 109, 113]
        days = np.arange(10.0)
        slope, _ = np.polyfit(days, np.log(prices), 1)
        profile = price_profile(self.TIMES, prices)
        assert profile.trend_strength == pytest.approx(slope * 100)
        assert profile.trend_confidence == pytest.approx(np.corrcoef(days, np.log(prices))[0, 1] ** 2)

    def test_without_time_between_the_prices_there_is_no_trend(self) -> None:
        profile = price_profile((T0,) * 10, [100.0 + i for i in range(10)])
        assert (profile.trend, profile.trend_strength, profile.trend_confidence) == (None, None, None)
        assert profile.buyer_pressure == 1

    def test_trend_words(self) -> None:
        assert trend_name(5.0, 0.29, 1.0) == "sideways"
        assert trend_name(0.2, 0.30, 1.0) == "neutral"
        assert trend_name(0.25, 0.30, 1.0) == "bullish"
        assert trend_name(-0.25, 0.30, 1.0) == "bearish"


class TestFigures:
    def test_without_trades_counts_are_zero_and_the_rest_is_none(self) -> None:
        figures = trade_figures(TradeColumns())
        values = {f.name: getattr(figures, f.name) for f in fields(figures)}
        counts = {name for name, value in values.items() if value == 0}
        assert counts == {"win_count", "loss_count", "max_win_streak", "max_loss_streak"}
        assert {value for name, value in values.items() if name not in counts} == {None}

    def test_durations_are_minutes_and_split_by_outcome(self) -> None:
        figures = trade_figures(columns([1.0, -1.0, 0.0]))
        assert (figures.avg_duration, figures.avg_win_duration, figures.avg_loss_duration) == (60, 60, 60)
        assert trade_figures(columns([1.0])).avg_loss_duration is None

    def test_excursions_that_were_not_recorded_do_not_count(self) -> None:
        figures = trade_figures(columns([1.0, 2.0], fall=-0.5))
        assert (figures.avg_peak_pnl, figures.avg_fall_pnl) == (None, -0.5)

    def test_a_figure_that_is_not_finite_becomes_none(self) -> None:
        figures = trade_figures(columns([1e308, 1e308, 1.0]))
        assert figures.total_pnl is None
        assert figures.median_pnl == 1e308

    def test_costs_and_streaks_are_counted(self) -> None:
        figures = trade_figures(columns([1.0, 1.0, -1.0, 1.0]))
        assert (figures.total_pnl_cost, figures.max_win_streak, figures.max_loss_streak) == (4.0, 2, 1)


class TestBacktestStatistics:
    def test_rows_are_listed_newest_first_and_all_of_them_count(self) -> None:
        trades = [closed_trade(1.0, T0 + i * MINUTE_MS, T0 + (i + 1) * MINUTE_MS) for i in range(400)]
        statistics = backtest_statistics(trades)
        assert statistics.total_signals == 400
        assert statistics.signal_list == tuple(trades[::-1])
        assert statistics.avg_peak_pnl == 3.0

    def test_a_row_limit_keeps_the_newest(self) -> None:
        trades = [closed_trade(float(i), T0 + i * MINUTE_MS, T0 + (i + 1) * MINUTE_MS) for i in range(5)]
        assert backtest_statistics(trades, row_limit=2).total_pnl == 7.0
        assert backtest_statistics(trades, row_limit=9).total_pnl == 10.0

    def test_a_trade_without_a_time_is_listed_but_not_counted(self) -> None:
        trades = [closed_trade(1.0, T0, T0 + MINUTE_MS), closed_trade(5.0, 0, T0 + 2 * MINUTE_MS)]
        statistics = backtest_statistics(trades)
        assert (statistics.total_signals, statistics.total_pnl, len(statistics.signal_list)) == (1, 1.0, 2)

    def test_nothing_closed_is_an_empty_answer(self) -> None:
        assert backtest_statistics([]) == BacktestStatistics()


def test_every_figure_says_what_it_is() -> None:
    import ast
    import inspect

    from backtestkit.model import statistics as model

    tree = ast.parse(inspect.getsource(model))
    silent: list[Any] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in ("PriceProfile", "TradeFigures", "BacktestStatistics"):
            for field, after in zip(node.body, [*node.body[1:], None], strict=True):
                documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                if isinstance(field, ast.AnnAssign) and not documented:
                    silent.append(ast.unparse(field.target))
    assert silent == []
    assert len(fields(TradeFigures)) > 30
