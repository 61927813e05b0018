"""The heat map: one row a symbol, and all symbols as one sequence of trades."""

from __future__ import annotations

import pytest

from backtestkit.math.statistics import backtest_statistics, live_statistics
from backtestkit.math.statistics_heat import heat_row, heat_statistics, trades_by_symbol
from backtestkit.model.interval import DAY_MS, MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.signal import ZERO_PROFIT, Extreme, ProfitLoss, PublicSignal
from backtestkit.model.statistics import HeatStatistics, TradeColumns
from backtestkit.runtime.context import RunKey

T0 = 1_700_000_000_000


def trade(symbol: str, day: float, pnl: float, *, opened: int | None = None, price: float = 100.0) -> ClosedResult:
    """A trade of one hour that closes `day` days after the start."""
    closed = T0 + int(day * DAY_MS)
    pending = closed - 60 * MINUTE_MS if opened is None else opened
    profit = ProfitLoss(pnl, pnl, 100.0, 100.0, price)
    peak, fall = ProfitLoss(abs(pnl) + 1, 1.0, 100.0, 100.0, 101.0), ProfitLoss(-abs(pnl), -1.0, 100.0, 100.0, 99.0)
    signal = PublicSignal(
        id=f"{symbol}{day}", symbol=symbol, strategy_name="s", exchange_name="e", frame_name="f", position="long",
        note="", price_open=100.0, price_take_profit=110.0, price_stop_loss=90.0, original_price_open=100.0,
        original_price_take_profit=110.0, original_price_stop_loss=90.0, minute_estimated_time=60, cost=100.0,
        multiplier=1.0, isolated=True, scheduled_at=pending, pending_at=pending, timestamp=pending, total_entries=1,
        total_partials=0, partial_executed=0.0, pnl=profit, peak_profit=peak, max_drawdown=fall,
        peak=Extreme(101.0, pending, peak), fall=Extreme(99.0, pending, ZERO_PROFIT), entries=(), partials=(),
    )  # fmt: skip
    key = RunKey(symbol, "s", "e", "f", True)
    return ClosedResult(key, closed, price, signal, "take_profit", closed, profit, None, False)


def sequence(symbol: str, *pnl: float, start: float = 0.0) -> list[ClosedResult]:
    return [trade(symbol, start + i, r) for i, r in enumerate(pnl)]


def test_without_trades_there_are_no_rows_and_no_totals() -> None:
    assert heat_statistics({}) == HeatStatistics()
    assert heat_statistics({"BTCUSDT": []}) == HeatStatistics()


def test_a_row_has_the_figures_of_its_symbol_and_those_of_the_heat_map() -> None:
    trades = sequence("BTCUSDT", 1.0, -2.0, 3.0, 0.0)
    row = heat_statistics({"BTCUSDT": trades}).symbols[0]
    alone = backtest_statistics(trades)
    assert (row.symbol, row.total_trades, row.total_pnl, row.win_rate) == (
        "BTCUSDT",
        4,
        alone.total_pnl,
        alone.win_rate,
    )
    assert (row.avg_win, row.avg_loss) == (2.0, -2.0)
    assert (row.peak_profit_pnl, row.max_drawdown_pnl) == (4.0, -3.0)


def test_rows_are_ordered_by_sharpe_and_those_without_one_come_last_as_first_seen() -> None:
    good, bad = [2.0, 1.0] * 5, [-2.0, 1.0] * 5
    heat = heat_statistics({
        "FEW": sequence("FEW", 9.0), "BAD": sequence("BAD", *bad), "ALSO": sequence("ALSO", 1.0),
        "GOOD": sequence("GOOD", *good),
    })  # fmt: skip
    assert [row.symbol for row in heat.symbols] == ["GOOD", "BAD", "FEW", "ALSO"]


def test_the_portfolio_takes_all_trades_as_one_sequence_in_the_order_of_their_closes() -> None:
    first, second = sequence("A", *[1.0, -2.0] * 5), sequence("B", *[3.0, -1.0] * 5, start=0.5)
    heat = heat_statistics({"A": first, "B": second})
    merged = backtest_statistics(sorted([*first, *second], key=lambda t: t.close_timestamp))
    assert heat.portfolio_total_trades == 20
    assert heat.portfolio_total_pnl == pytest.approx(merged.total_pnl)
    for name in ("sharpe_ratio", "sortino_ratio", "certainty_ratio", "std_dev", "expectancy", "recovery_factor"):
        assert getattr(heat, f"portfolio_{name}") == pytest.approx(getattr(merged, name)), name
    assert heat.portfolio_median_pnl == merged.median_pnl


def test_means_over_symbols_are_weighted_by_trades() -> None:
    heat = heat_statistics({"A": sequence("A", 1.0, 1.0, 1.0), "B": sequence("B", 5.0), "C": sequence("C", -1.0)})
    assert heat.portfolio_avg_consecutive_win_pnl == pytest.approx((3.0 * 3 + 5.0 * 1) / 4)
    assert heat.portfolio_avg_consecutive_loss_pnl == -1.0
    assert (heat.portfolio_peak_profit_pnl, heat.portfolio_max_drawdown_pnl) == (6.0, -5.0)


def test_only_break_even_trades_have_no_expectancy() -> None:
    heat = heat_statistics({"A": sequence("A", *[0.0] * 10)})
    assert (heat.symbols[0].expectancy, heat.portfolio_expectancy, heat.symbols[0].win_rate) == (None, None, None)


def test_a_trade_without_a_time_is_not_counted_here_either() -> None:
    heat = heat_statistics(
        {"A": [trade("A", 1, 5.0, opened=0), trade("A", 2, 1.0)], "B": [trade("B", 1, 1.0, opened=0)]}
    )
    assert [(row.symbol, row.total_trades) for row in heat.symbols] == [("A", 1)]
    assert heat.portfolio_total_pnl == 1.0


def test_a_row_limit_keeps_the_newest_trades_of_each_symbol() -> None:
    heat = heat_statistics({"A": sequence("A", 1.0, 2.0, 4.0), "B": sequence("B", 8.0)}, row_limit=2)
    assert heat.portfolio_total_pnl == 14.0


def test_snapshots_that_were_not_recorded_are_left_out() -> None:
    columns = TradeColumns((1.0,), (1.0,), (T0,), (T0 + 1,), (None,), (None,), (100.0,))
    row = heat_row("A", columns)
    assert (row.peak_profit_pnl, row.max_drawdown_pnl) == (None, None)


def test_trades_of_several_runs_are_put_in_the_order_of_their_closes() -> None:
    first, second = sequence("A", 1.0, 2.0), sequence("A", 3.0, start=0.5)
    groups = trades_by_symbol([first, sequence("B"), second])
    assert groups == {"A": [first[0], second[0], first[1]]}


def test_live_figures_are_those_of_the_trades_and_events_stand_beside_them() -> None:
    trades = sequence("A", 1.0, -2.0, 3.0)
    live = live_statistics(trades, trades[:0:-1], total_events=7)
    assert (live.total_closed, live.total_events, live.total_pnl) == (3, 7, 2.0)
    assert live.event_list == (trades[2], trades[1])
    assert live_statistics(trades, trades, row_limit=1).total_closed == 1
    assert live_statistics(trades, trades).total_events == 3
