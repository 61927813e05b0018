"""Statistics of closed trades: from trades to columns, from columns to figures.

Columns are newest first, because sums run over the trades in that order. The formulas are in `statistics_formulas`; the
heat map, event reports, equity and the other analyses have modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import isfinite
from typing import Any, TypeVar

from backtestkit.math import statistics_formulas as f
from backtestkit.math.statistics_price import price_profile
from backtestkit.model.result import AnyResult, ClosedResult
from backtestkit.model.statistics import BacktestStatistics, LiveStatistics, TradeColumns, TradeFigures

Figures = TypeVar("Figures", bound=Any)


def backtest_statistics(trades: Sequence[ClosedResult], row_limit: int | None = None) -> BacktestStatistics:
    """The statistics of closed trades given in the order in which they closed, oldest first.

    All trades count. `row_limit` keeps only that many of the newest, which is how systems with a bounded report count;
    it is there to compare with them.
    """
    kept = newest(trades, row_limit)
    columns = valid_trades(trade_columns(kept))
    figures = trade_figures(columns)
    return BacktestStatistics(signal_list=tuple(kept[::-1]), total_signals=len(columns), **as_keywords(figures))


def live_statistics(
    trades: Sequence[ClosedResult],
    events: Sequence[AnyResult] = (),
    total_events: int | None = None,
    row_limit: int | None = None,
) -> LiveStatistics:
    """The statistics of a live run: figures of its closed `trades` (oldest first), beside its newest `events`.

    Trades are counted from a list of their own, so idle and active rows never push one out. `events` are newest first;
    `total_events` is how many there were when older ones are no longer kept. `row_limit` is for comparisons only, as in
    `backtest_statistics`.
    """
    columns = valid_trades(trade_columns(newest(trades, row_limit)))
    return LiveStatistics(
        event_list=tuple(events),
        total_events=len(events) if total_events is None else total_events,
        total_closed=len(columns),
        **as_keywords(trade_figures(columns)),
    )


def newest(trades: Sequence[ClosedResult], row_limit: int | None) -> Sequence[ClosedResult]:
    """The last `row_limit` of trades given oldest first; all of them for None."""
    return trades if row_limit is None else trades[max(0, len(trades) - row_limit) :]


def trade_columns(trades: Sequence[ClosedResult]) -> TradeColumns:
    """The columns of closed trades given oldest first. Only here is the order turned: columns are newest first."""
    newest_first = trades[::-1]
    return TradeColumns(
        pnl=tuple(t.pnl.pnl_percentage for t in newest_first),
        pnl_cost=tuple(t.pnl.pnl_cost for t in newest_first),
        opened=tuple(t.signal.pending_at for t in newest_first),
        closed=tuple(t.close_timestamp for t in newest_first),
        peak=tuple(t.signal.peak_profit.pnl_percentage for t in newest_first),
        fall=tuple(t.signal.max_drawdown.pnl_percentage for t in newest_first),
        price=tuple(t.current_price for t in newest_first),
    )


def valid_trades(trades: TradeColumns) -> TradeColumns:
    """The trades whose opening and closing times are known (above 0)."""
    keep = [o > 0 and c > 0 for o, c in zip(trades.opened, trades.closed, strict=True)]
    if all(keep):
        return trades
    columns = {field.name: getattr(trades, field.name) for field in fields(trades)}
    return TradeColumns(**{
        name: tuple(value for value, kept in zip(column, keep, strict=True) if kept) for name, column in columns.items()
    })  # fmt: skip


def trade_figures(trades: TradeColumns) -> TradeFigures:
    """All figures of one sequence of valid trades; without a trade every figure is None and every count 0."""
    r, n = trades.pnl, len(trades)
    if n == 0:
        return TradeFigures()
    minutes = f.durations(trades)
    streaks = f.pnl_streaks(r)
    curve = f.sequential_curve(trades)
    sharpe = f.sharpe_ratio(r)
    per_year = f.trades_per_year(trades.opened, trades.closed)
    yearly = f.expected_yearly_returns(curve, per_year, n)
    figures = TradeFigures(
        win_count=len(f.wins(r)),
        loss_count=len(f.losses(r)),
        win_rate=f.win_rate(r),
        avg_pnl=f.mean(r),
        total_pnl=f.total(r),
        total_pnl_cost=f.total(trades.pnl_cost),
        median_pnl=f.median(r),
        std_dev=f.standard_deviation(r),
        sharpe_ratio=sharpe,
        annualized_sharpe_ratio=f.annualized_sharpe_ratio(sharpe, per_year),
        sortino_ratio=f.sortino_ratio(r),
        certainty_ratio=f.certainty_ratio(r),
        profit_factor=f.profit_factor(r),
        expectancy=f.expectancy(r),
        trades_per_year=per_year,
        expected_yearly_returns=yearly,
        max_drawdown=curve.max_drawdown,
        calmar_ratio=f.calmar_ratio(curve, yearly),
        recovery_factor=f.recovery_factor(curve, n),
        avg_peak_pnl=f.mean([peak for peak in trades.peak if peak is not None]),
        avg_fall_pnl=f.mean([fall for fall in trades.fall if fall is not None]),
        avg_duration=f.mean(minutes),
        avg_win_duration=f.mean([m for m, x in zip(minutes, r, strict=True) if x > 0]),
        avg_loss_duration=f.mean([m for m, x in zip(minutes, r, strict=True) if x < 0]),
        max_win_streak=max(streaks.win_lengths, default=0),
        max_loss_streak=max(streaks.loss_lengths, default=0),
        avg_consecutive_win_pnl=f.mean(streaks.win_sums),
        avg_consecutive_loss_pnl=f.mean(streaks.loss_sums),
        **as_keywords(price_profile(trades.closed, trades.price)),
    )
    return finite_figures(figures)


def finite_figures(figures: Figures) -> Figures:
    """The figures with None in place of what is infinite or not a number."""
    broken = {
        field.name: None
        for field in fields(figures)
        if isinstance(value := getattr(figures, field.name), float) and not isfinite(value)
    }
    return replace(figures, **broken) if broken else figures


def as_keywords(figures: Any) -> dict[str, Any]:
    """The fields of a set of figures by name, to make a larger set from it."""
    return {field.name: getattr(figures, field.name) for field in fields(figures)}
