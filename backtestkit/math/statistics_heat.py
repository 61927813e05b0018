"""The heat map: figures of each symbol, and of all symbols taken together as one sequence of trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import chain
from operator import attrgetter
from typing import Any

from backtestkit.math import statistics_formulas as f
from backtestkit.math.statistics import as_keywords, finite_figures, newest, trade_columns, trade_figures, valid_trades
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import HeatRow, HeatStatistics, TradeColumns

POOLED = (
    "std_dev", "sharpe_ratio", "annualized_sharpe_ratio", "sortino_ratio", "certainty_ratio", "expectancy",
    "expected_yearly_returns", "trades_per_year", "calmar_ratio", "recovery_factor", "median_pnl", "avg_duration",
    "avg_win_duration", "avg_loss_duration",
)  # fmt: skip
"""Figures of the portfolio that are those of all trades as one sequence."""

WEIGHTED = ("avg_peak_pnl", "avg_fall_pnl", "avg_consecutive_win_pnl", "avg_consecutive_loss_pnl")
"""Figures of the portfolio that are means over the symbols, weighted by their trades."""


def heat_statistics(trades: Mapping[str, Sequence[ClosedResult]], row_limit: int | None = None) -> HeatStatistics:
    """The heat map of closed trades by symbol: symbols in the order in which they were first seen, trades oldest first.

    A symbol without a valid trade has no row. `row_limit` keeps only that many of the newest trades of each symbol; it
    is there for comparisons.
    """
    columns = {
        symbol: valid
        for symbol, given in trades.items()
        if (valid := valid_trades(trade_columns(newest(given, row_limit))))
    }
    rows = [heat_row(symbol, valid) for symbol, valid in columns.items()]
    if not rows:
        return HeatStatistics()
    pool = pooled(list(columns.values()))
    figures = trade_figures(pool)
    peaks = [row.peak_profit_pnl for row in rows if row.peak_profit_pnl is not None]
    falls = [row.max_drawdown_pnl for row in rows if row.max_drawdown_pnl is not None]
    portfolio: dict[str, Any] = {name: getattr(figures, name) for name in POOLED}
    portfolio |= {name: weighted_mean(rows, name) for name in WEIGHTED}
    if not f.wins(pool.pnl) and not f.losses(pool.pnl):
        portfolio["expectancy"] = None
    return HeatStatistics(
        symbols=tuple(sorted(rows, key=_by_sharpe)),
        total_symbols=len(rows),
        portfolio_total_trades=len(pool),
        portfolio_total_pnl=f.total(row.total_pnl or 0.0 for row in rows),
        portfolio_peak_profit_pnl=max(peaks, default=None),
        portfolio_max_drawdown_pnl=min(falls, default=None),
        **{f"portfolio_{name}": value for name, value in portfolio.items()},
    )


def trades_by_symbol(runs: Iterable[Sequence[ClosedResult]]) -> dict[str, list[ClosedResult]]:
    """The trades of several runs by symbol, each list in the order in which the trades closed.

    Symbols stand in the order of the runs; one without a trade is left out.
    """
    groups: dict[str, list[ClosedResult]] = {}
    for trades in runs:
        for trade in trades:
            groups.setdefault(trade.symbol, []).append(trade)
    for listed in groups.values():
        listed.sort(key=attrgetter("close_timestamp"))
    return groups


def heat_row(symbol: str, trades: TradeColumns) -> HeatRow:
    """The figures of one symbol's valid trades."""
    figures = trade_figures(trades)
    won, lost = f.wins(trades.pnl), f.losses(trades.pnl)
    named = as_keywords(figures)
    if not won and not lost:
        named["expectancy"] = None
    return finite_figures(
        HeatRow(
            symbol=symbol,
            total_trades=len(trades),
            avg_win=f.mean(won),
            avg_loss=f.mean(lost),
            peak_profit_pnl=max((peak for peak in trades.peak if peak is not None), default=None),
            max_drawdown_pnl=min((fall for fall in trades.fall if fall is not None), default=None),
            **named,
        )
    )


def pooled(columns: Sequence[TradeColumns]) -> TradeColumns:
    """Several columns as one, in the order given."""
    return TradeColumns(
        **{
            field.name: tuple(chain.from_iterable(map(attrgetter(field.name), columns)))
            for field in fields(TradeColumns)
        }
    )


def weighted_mean(rows: Sequence[HeatRow], name: str) -> float | None:
    """Mean of the rows' figure `name`, each row counting as often as it has trades; None when no row has it."""
    weighed = [(value, row.total_trades) for row in rows if (value := getattr(row, name)) is not None]
    if not weighed:
        return None
    return f.total(value * trades for value, trades in weighed) / sum(trades for _, trades in weighed)


def _by_sharpe(row: HeatRow) -> tuple[bool, float]:
    return row.sharpe_ratio is None, -(row.sharpe_ratio or 0.0)
