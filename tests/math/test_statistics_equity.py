"""The equity of an account: what positions are worth at every minute, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trades import COSTS, DAY, FREE, START, at, closed, marks, partial, signal

from backtestkit.math import statistics_equity as q
from backtestkit.math.profit import Costs, profit_loss
from backtestkit.math.statistics_positions import PositionPath, position_path, traded_value
from backtestkit.model.analysis import EquityCurve, EquityFigures, Marks
from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.result import ClosedResult


def paths(trades: Sequence[ClosedResult], costs: Costs = COSTS) -> list[PositionPath]:
    return [position_path(trade, costs) for trade in trades]


def curve(
    trades: Sequence[ClosedResult],
    prices: Marks | None = None,
    *,
    last: float = 100,
    capital: float | None = None,
    costs: Costs = COSTS,
) -> EquityCurve:
    return q.equity_curve(paths(trades, costs), {"BTCUSDT": prices}, at(0), at(last), capital)


def figures(trades: Sequence[ClosedResult], prices: Marks | None = None, **options: Any) -> EquityFigures:
    made = curve(trades, prices, **options)
    return q.equity_figures(made, paths(trades), {"BTCUSDT": prices}, capital_given="capital" in options)


class TestPaths:
    def test_a_plain_position_is_one_line(self) -> None:
        (segment,) = position_path(closed(60, 101.0), COSTS).segments
        assert (segment.start, segment.end, segment.held, segment.realised) == (at(0), at(60), 100.0, 0.0)
        for price in (90.0, 100.0, 107.3):
            assert segment.profit(price) == pytest.approx(profit_loss(signal(), price, COSTS).pnl_cost)

    @pytest.mark.parametrize("position", ["long", "short"])
    @pytest.mark.parametrize("multiplier", [1.0, 3.0])
    def test_every_stretch_of_a_position_has_its_line(self, position: str, multiplier: float) -> None:
        changes: dict[str, Any] = {
            "position": position, "multiplier": multiplier, "opened": 0,
            "entries": [(10, 98.0, 50.0)], "partials": [partial(20, 40.0, 103.0, 150.0, 2)], "fundings": [(30, -0.25)],
        }  # fmt: skip
        path = position_path(closed(60, 101.0, **changes), COSTS)
        assert [(s.start, s.end) for s in path.segments] == [
            (at(0), at(10)), (at(10), at(20)), (at(20), at(30)), (at(30), at(60)),
        ]  # fmt: skip
        assert [s.held for s in path.segments] == pytest.approx([100.0, 150.0, 90.0, 90.0])
        stages: list[set[str]] = [set(), {"entries"}, {"entries", "partials"}, {"entries", "partials", "fundings"}]
        for segment, kept in zip(path.segments, stages, strict=True):
            known = {k: v for k, v in changes.items() if k in kept or k in ("position", "multiplier")}
            for price in (95.0, 102.0):
                expected = profit_loss(signal(**known), price, COSTS).pnl_cost
                assert segment.profit(price) == pytest.approx(expected)
        assert path.segments[-1].profit(101.0) == pytest.approx(path.profit)

    def test_entries_and_partial_closes_of_one_minute_count_as_they_followed_each_other(self) -> None:
        trade = closed(60, 101.0, entries=[(20, 98.0, 50.0)], partials=[partial(20, 50.0, 101.0, 100.0, 1)])
        path = position_path(trade, COSTS)
        assert [s.held for s in path.segments] == pytest.approx([100.0, 100.0])  # 50 left, 50 added

    def test_a_full_partial_close_leaves_nothing_at_work(self) -> None:
        path = position_path(closed(21, 103.0, partials=[partial(20, 100.0, 103.0)]), COSTS)
        assert path.segments[-1].held == 0.0
        assert path.segments[-1].slope == 0.0
        assert path.segments[-1].profit(50.0) == pytest.approx(path.profit)

    def test_changes_outside_the_life_of_a_position_make_no_stretch(self) -> None:
        trade = closed(60, 101.0, entries=[(0, 99.0, 50.0)], fundings=[(60, 0.1), (90, 0.1)])
        assert [(s.start, s.end) for s in position_path(trade, COSTS).segments] == [(at(0), at(60))]

    def test_value_traded_is_entries_and_exits_at_their_prices_with_leverage(self) -> None:
        plain = signal(price_open=100.0, multiplier=2.0)
        assert traded_value(plain, 110.0) == pytest.approx(2 * (100 + 110))
        split = signal(partials=[partial(5, 50.0, 120.0)])
        assert traded_value(split, 110.0) == pytest.approx(100 + 60 + 55)
        assert traded_value(signal(entries=[(1, 50.0, 100.0)]), 100.0) == pytest.approx(200 + 100 + 200)
        assert traded_value(signal(cost=40.0), 100.0) == pytest.approx(80)


class TestCurve:
    def test_an_open_position_is_valued_at_every_mark_net_of_its_exit(self) -> None:
        trade = closed(3, 103.0, opened=1)
        made = curve([trade], marks(100, 100, 101, 99, 103, 90), last=5)
        assert made.marked
        assert ((made.times - START) // MINUTE_MS).tolist() == [0, 1, 2, 3, 4, 5]
        expected = [0.0, *(profit_loss(trade.signal, p, COSTS).pnl_cost for p in (100, 101, 99))]
        assert (made.equity - made.capital)[:4] == pytest.approx(np.array(expected))
        assert (made.equity - made.capital)[4:] == pytest.approx(np.full(2, trade.pnl.pnl_cost))
        assert made.invested.tolist() == [0.0, 100.0, 100.0, 100.0, 0.0, 0.0]

    def test_without_prices_the_account_moves_when_a_trade_closes(self) -> None:
        trade = closed(3, 103.0, opened=1)
        made = curve([trade], last=5)
        assert not made.marked
        assert (made.equity - made.capital).tolist() == pytest.approx(
            [0.0, 0.0, trade.pnl.pnl_cost, trade.pnl.pnl_cost]
        )

    def test_one_symbol_without_prices_leaves_the_whole_account_unmarked(self) -> None:
        made = q.equity_curve(
            [*paths([closed(3, 103.0)]), PositionPath("ETHUSDT", paths([closed(2, 99.0)])[0].segments, -1.0, 200.0)],
            {"BTCUSDT": marks(100, 100, 100, 100)}, at(0), at(5), None,
        )  # fmt: skip
        assert not made.marked

    def test_marks_may_be_labelled_later_than_their_candles(self) -> None:
        late = Marks(marks(100, 101, 102).times, marks(100, 101, 102).prices, MINUTE_MS)
        assert q.prices_at(late, np.array([at(0), at(1), at(2.5), at(9)])).tolist() == [100, 100, 101, 102]
        made = curve([closed(1, 101.0, opened=1)], late, last=3)
        assert ((made.times - START) // MINUTE_MS).tolist() == [0, 1, 2, 3]

    def test_the_account_at_the_end_has_what_the_trades_came_to(self) -> None:
        trades = [closed(5, 100 + i, opened=i * 7, position="long" if i % 2 else "short") for i in range(8)]
        made = curve(trades, marks(*range(95, 160)), last=64)
        assert made.equity[-1] - made.capital == pytest.approx(sum(t.pnl.pnl_cost for t in trades))


class TestOverlap:
    def test_capital_is_the_peak_of_the_money_at_work_unless_it_is_given(self) -> None:
        trades = [closed(10, 101.0, opened=m) for m in (0, 5, 20)]
        assert curve(trades).capital == 200.0
        assert curve(trades, capital=1000.0).capital == 1000.0

    def test_money_that_leaves_makes_room_in_the_same_minute(self) -> None:
        trades = [closed(10, 101.0, opened=0), closed(10, 101.0, opened=10)]
        assert (q.peak_invested(paths(trades)), q.max_open_positions(paths(trades))) == (100.0, 1)

    def test_a_position_of_one_moment_had_its_money_at_work(self) -> None:
        trades = [closed(0, 99.0, opened=5), closed(10, 101.0, opened=0)]
        assert (q.peak_invested(paths(trades)), q.max_open_positions(paths(trades))) == (200.0, 2)

    def test_averaging_in_raises_the_money_at_work_and_partial_closes_lower_it(self) -> None:
        trade = closed(60, 101.0, entries=[(10, 98.0, 50.0)], partials=[partial(20, 40.0, 103.0, 150.0, 2)])
        made = figures([trade], last=60)
        assert made.peak_invested == 150.0
        assert made.avg_invested == pytest.approx((100 * 10 + 150 * 10 + 90 * 40) / 60)

    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30), st.floats(90, 110)), min_size=1, max_size=12))
    def test_overlapping_trades_add_up(self, given_trades: list[tuple[int, int, float]]) -> None:
        prices = marks(*np.linspace(90, 110, 101))
        trades = [closed(minutes, price, opened=opened) for opened, minutes, price in given_trades]
        together = curve(trades, prices, capital=1000.0)
        alone = [curve([trade], prices, capital=1000.0) for trade in trades]
        assert together.equity - 1000 == pytest.approx(sum(own.equity - 1000 for own in alone), abs=1e-9)
        assert together.invested == pytest.approx(sum(own.invested for own in alone), abs=1e-9)
        assert q.peak_invested(paths(trades)) == pytest.approx(float(together.invested.max()), abs=1e-9)


def made_curve(*equity: float, step_ms: int = DAY_MS, capital: float = 100.0) -> EquityCurve:
    times = START + step_ms * np.arange(len(equity), dtype=np.int64)
    return EquityCurve(times, np.array(equity), np.zeros(len(equity)), capital, True)


class TestDrawdowns:
    def test_falls_are_measured_from_the_highest_point_so_far(self) -> None:
        falls = q.drawdowns(made_curve(100, 120, 90, 110, 130, 117, 131))
        assert (falls.percent, falls.cost) == (25.0, 30.0)
        assert falls.days == 3.0  # from 120 on day 1 to 130 on day 4
        assert falls.ulcer == pytest.approx(math.sqrt((25.0**2 + (10 / 120 * 100) ** 2 + 10.0**2) / 6))

    def test_a_fall_that_is_not_made_good_lasts_to_the_end(self) -> None:
        assert q.drawdowns(made_curve(100, 120, 90, 90, 90)).days == 3.0

    def test_a_loss_at_once_is_a_fall_from_the_capital(self) -> None:
        assert q.drawdowns(made_curve(90, 95)).percent == 10.0

    def test_an_account_that_only_rises_has_none(self) -> None:
        falls = q.drawdowns(made_curve(100, 101, 102))
        assert (falls.percent, falls.cost, falls.ulcer, falls.days) == (0.0, 0.0, 0.0, 1.0)

    def test_nobody_loses_more_than_everything(self) -> None:
        falls = q.drawdowns(made_curve(100, -50, -60))
        assert (falls.percent, falls.cost) == (100.0, 160.0)

    def test_time_weighs_the_ulcer_index(self) -> None:
        times = START + np.array([0, 1, 10], dtype=np.int64) * DAY_MS
        falls = q.drawdowns(EquityCurve(times, np.array([100.0, 90.0, 100.0]), np.zeros(3), 100.0, True))
        assert falls.ulcer == pytest.approx(math.sqrt(10.0**2 * 9 / 10))

    def test_a_span_without_length_has_no_ulcer(self) -> None:
        assert q.drawdowns(made_curve(90)).ulcer == 0.0


class TestDays:
    def test_days_end_at_midnight_and_the_last_one_with_the_span(self) -> None:
        ends = q.day_ends(at(DAY - 5), at(2 * DAY + 10))
        assert ends.tolist() == [at(DAY), at(2 * DAY), at(2 * DAY + 10)]
        assert q.day_ends(at(0), at(2 * DAY)).tolist() == [at(DAY), at(2 * DAY)]
        assert q.day_ends(at(5), at(5)).tolist() == [at(5)]

    def test_returns_are_those_of_the_account_from_midnight_to_midnight(self) -> None:
        returns = q.daily_returns(made_curve(100, 110, 99, capital=100.0))
        assert returns == pytest.approx(np.array([10.0, -10.0]))

    def test_idle_days_count(self) -> None:
        made = curve([closed(60, 101.0)], last=5 * DAY)
        assert q.daily_returns(made)[1:].tolist() == [0.0] * 4

    def test_an_account_that_is_gone_has_no_returns(self) -> None:
        assert len(q.daily_returns(made_curve(100, -1, 5))) == 0

    def test_ratios_of_days_are_taken_to_a_year_of_365(self) -> None:
        returns = np.array([1.0, -0.5, 2.0, -1.0])
        assert q.daily_sharpe(returns) == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(365))
        downside = math.sqrt((0.25 + 1.0) / 4)
        assert q.daily_sortino(returns) == pytest.approx(returns.mean() / downside * math.sqrt(365))

    def test_ratios_need_a_spread_and_a_loss(self) -> None:
        assert q.daily_sharpe(np.ones(5)) is None
        assert q.daily_sortino(np.ones(5)) is None
        assert q.daily_sharpe(np.ones(1)) is None
        assert q.daily_sortino(np.ones(1)) is None


class TestFigures:
    def test_profit_and_return_are_over_the_capital(self) -> None:
        made = figures([closed(60, 101.0)], capital=1000.0, last=20 * DAY)
        net = closed(60, 101.0).pnl.pnl_cost
        assert (made.capital, made.capital_given, made.marked) == (1000.0, True, False)
        assert made.net_profit == pytest.approx(net)
        assert made.final_equity == pytest.approx(1000 + net)
        assert made.total_return == pytest.approx(net / 10)
        assert made.yearly_return == pytest.approx(((1 + net / 1000) ** (365 / 20) - 1) * 100)
        assert made.time_weighted_return is None
        assert made.calmar_ratio is None  # unmarked, and no trade lost: no drawdown

    def test_exposure_is_the_share_of_the_span_with_a_position(self) -> None:
        trades = [closed(60, 101.0, opened=0), closed(60, 101.0, opened=30), closed(10, 101.0, opened=200)]
        made = figures(trades, last=400)
        assert made.exposure == pytest.approx((90 + 10) / 400 * 100)
        assert made.max_open_positions == 2

    def test_turnover_is_value_traded_over_capital(self) -> None:
        made = figures([closed(60, 101.0), closed(60, 99.0, opened=100)], capital=50.0, last=20 * DAY)
        assert made.turnover == pytest.approx((100 + 101 + 100 + 99) / 50)
        assert made.turnover_per_year == pytest.approx(made.turnover / 20 * 365)

    def test_yearly_figures_need_two_weeks(self) -> None:
        short = figures([closed(60, 99.0)], last=13.9 * DAY)
        assert (short.yearly_return, short.sharpe_ratio, short.turnover_per_year) == (None, None, None)
        assert figures([closed(60, 99.0)], last=14 * DAY).yearly_return is not None

    def test_an_account_that_is_gone_has_no_yearly_return(self) -> None:
        trades = [closed(60, 1.0, opened=i * 100) for i in range(3)]
        made = figures(trades, last=20 * DAY)
        assert made.final_equity < 0
        assert (made.yearly_return, made.sharpe_ratio, made.calmar_ratio, made.max_drawdown) == (
            None,
            None,
            None,
            100.0,
        )

    def test_growth_that_no_double_holds_is_no_figure(self) -> None:
        assert q.yearly_return(1e300, 14) is None
        assert q.yearly_return(2.0, 365) == pytest.approx(100.0)

    def test_a_drawdown_inside_a_trade_is_seen_with_prices(self) -> None:
        trade = closed(3, 103.0)
        marked = figures([trade], marks(100, 90, 95, 103, 103), last=20 * DAY)
        blind = figures([trade], last=20 * DAY)
        assert marked.max_drawdown == pytest.approx(-profit_loss(trade.signal, 90.0, COSTS).pnl_cost)
        assert blind.max_drawdown == 0.0
        assert marked.calmar_ratio == pytest.approx((marked.yearly_return or 0) / marked.max_drawdown)

    def test_a_span_of_one_moment_divides_by_nothing(self) -> None:
        made = figures([closed(0, 99.0)], last=0)
        assert (made.exposure, made.avg_invested, made.days) == (0.0, 0.0, 0.0)


def test_costs_at_zero_make_a_round_trip_free() -> None:
    made = curve([closed(3, 100.0, costs=FREE)], marks(100, 100, 100, 100), last=3, costs=FREE)
    assert made.equity.tolist() == pytest.approx([100.0] * 4)
