"""How trades went from inside, and trades that have something in common."""

from __future__ import annotations

import math

import numpy as np
import pytest
from trades import DAY, closed, run_key, with_profit

from backtestkit.math import statistics_quality as k
from backtestkit.model.analysis import BreakdownRow, TradeQuality
from backtestkit.model.result import ClosedResult


def profits(*percent: float) -> list[ClosedResult]:
    return [with_profit(r, day=i + 1) for i, r in enumerate(percent)]


def test_without_trades_nothing_is_known() -> None:
    assert k.trade_quality([]) == TradeQuality()
    assert k.breakdown([]) == ()


def test_payoff_compares_the_mean_win_with_the_mean_loss() -> None:
    assert k.payoff_ratio([3.0, 1.0, 0.0, -1.0]) == 2.0
    assert k.payoff_ratio([1.0]) is None
    assert k.payoff_ratio([-1.0]) is None
    assert k.payoff_ratio([1.0, -1e-12]) is None


def test_r_is_profit_in_units_of_what_the_original_stop_risked() -> None:
    assert k.r_multiple(with_profit(3.0, stop=98.0)) == pytest.approx(1.5)
    assert k.r_multiple(with_profit(3.0, stop=98.0, multiplier=3.0)) == pytest.approx(0.5)
    assert k.r_multiple(with_profit(-1.0, position="short", stop=101.0)) == pytest.approx(-1.0)
    assert k.r_multiple(with_profit(3.0, stop=100.0)) is None


def test_the_quality_number_needs_thirty_trades_and_counts_no_more_than_a_hundred() -> None:
    multiples = [1.0, -0.5, 2.0] * 10
    expected = math.sqrt(30) * np.mean(multiples) / np.std(multiples, ddof=1)
    assert k.system_quality_number(multiples) == pytest.approx(expected)
    assert k.system_quality_number(multiples[:29]) is None
    assert k.system_quality_number([1.0] * 30) is None
    many = multiples * 10
    assert k.system_quality_number(many) == pytest.approx(10 * np.mean(many) / np.std(many, ddof=1))


def test_excursions_are_the_best_and_the_worst_inside_trades() -> None:
    quality = k.trade_quality([closed(60, price) for price in (101.0, 103.0, 98.0)])
    adverse, favorable = [], []
    for price in (101.0, 103.0, 98.0):
        signal = closed(60, price).signal
        adverse.append(signal.max_drawdown.pnl_percentage)
        favorable.append(signal.peak_profit.pnl_percentage)
    assert quality.avg_adverse_excursion == pytest.approx(np.mean(adverse))
    assert quality.median_adverse_excursion == pytest.approx(np.median(adverse))
    assert quality.max_adverse_excursion == min(adverse)
    assert quality.avg_favorable_excursion == pytest.approx(np.mean(favorable))
    assert quality.median_favorable_excursion == pytest.approx(np.median(favorable))
    assert quality.max_favorable_excursion == max(favorable)
    assert quality.edge_ratio == pytest.approx(np.mean(favorable) / abs(np.mean(adverse)))


def test_there_is_no_edge_over_nothing() -> None:
    assert k.edge_ratio(1.0, 0.0) is None
    assert k.edge_ratio(None, -1.0) is None
    assert k.edge_ratio(1.0, None) is None


def test_the_current_streak_is_signed_and_ends_at_a_break_even_trade() -> None:
    assert k.current_streak([1.0, -1.0, -2.0]) == -2
    assert k.current_streak([-1.0, 1.0, 2.0, 3.0]) == 3
    assert k.current_streak([1.0, 0.0]) == 0
    assert k.current_streak([]) == 0


def test_mean_lengths_are_over_the_streaks_of_a_kind() -> None:
    quality = k.trade_quality(profits(1, 1, 1, -1, 1, -1, -1, 0))
    assert (quality.avg_win_streak, quality.avg_loss_streak, quality.current_streak) == (2.0, 1.5, 0)


def row(rows: tuple[BreakdownRow, ...], by: str, key: str) -> BreakdownRow:
    (found,) = [r for r in rows if (r.by, r.key) == (by, key)]
    return found


def test_trades_are_grouped_by_what_they_have_in_common() -> None:
    trades = [
        closed(30, 102.0, opened=90),  # 01:30 on a Wednesday
        closed(30, 98.0, opened=2 * DAY, reason="stop_loss", position="short"),
        closed(30, 99.0, opened=5 * DAY + 95, reason="stop_loss", key=run_key("ETHUSDT")),
    ]
    rows = k.breakdown(trades)
    assert [(r.by, r.key, r.trades) for r in rows] == [
        ("side", "long", 2), ("side", "short", 1),
        ("exit_reason", "take_profit", 1), ("exit_reason", "stop_loss", 2),
        ("hour", "00", 1), ("hour", "01", 2),
        ("weekday", "Mon", 1), ("weekday", "Wed", 1), ("weekday", "Fri", 1),
        ("symbol", "BTCUSDT", 2), ("symbol", "ETHUSDT", 1),
    ]  # fmt: skip


def test_a_group_has_the_figures_of_its_trades() -> None:
    trades = profits(2.0, -1.0, 0.0)
    found = row(k.breakdown(trades), "symbol", "BTCUSDT")
    assert (found.trades, found.win_rate, found.total_pnl, found.total_pnl_cost) == (3, 50.0, 1.0, 1.0)
    assert found.avg_pnl == pytest.approx(1 / 3)
    assert found.profit_factor == 2.0


def test_every_breakdown_counts_every_trade() -> None:
    trades = [closed(30, 100 + i % 3, opened=i * 1000) for i in range(40)]
    rows = k.breakdown(trades)
    for by in ("side", "exit_reason", "hour", "weekday", "symbol"):
        assert sum(r.trades for r in rows if r.by == by) == 40, by
