"""The heat map: one row a symbol, and the portfolio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backtestkit.model.statistics import HeatRow, HeatStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.analysis_sections import ANALYSIS_LEGEND, ANALYSIS_SECTIONS, breakdown_table
from backtestkit.services.report.journal_records import result_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table
from backtestkit.services.report.trade_summary import signed_fixed


def heat_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of symbols; each key is the name of a figure."""
    return [
        c.text("symbol", "Symbol", "symbol"),
        c.percent("total_pnl", "Total PNL", "total_pnl"),
        c.fixed("sharpe_ratio", "Sharpe", "sharpe_ratio", 3),
        c.fixed("annualized_sharpe_ratio", "Ann Sharpe", "annualized_sharpe_ratio", 3),
        c.fixed("certainty_ratio", "Certainty", "certainty_ratio", 3),
        c.percent("expected_yearly_returns", "Exp Yearly", "expected_yearly_returns"),
        c.fixed("trades_per_year", "Trades/Yr", "trades_per_year", 1),
        c.fixed("profit_factor", "PF", "profit_factor", 3),
        c.percent("expectancy", "Expect", "expectancy"),
        c.percent("win_rate", "WR", "win_rate"),
        c.percent("avg_win", "Avg Win", "avg_win"),
        c.percent("avg_loss", "Avg Loss", "avg_loss"),
        Column("max_drawdown", "Max DD", lambda row, _: _negated(row)),
        c.number("max_win_streak", "W Streak", "max_win_streak"),
        c.number("max_loss_streak", "L Streak", "max_loss_streak"),
        c.number("total_trades", "Trades", "total_trades"),
        c.percent("avg_peak_pnl", "Avg Peak PNL", "avg_peak_pnl"),
        c.percent("avg_fall_pnl", "Avg DD PNL", "avg_fall_pnl"),
        c.percent("peak_profit_pnl", "Peak Profit PNL", "peak_profit_pnl"),
        c.percent("max_drawdown_pnl", "Max DD PNL", "max_drawdown_pnl"),
        c.percent("median_pnl", "Median PNL", "median_pnl"),
        c.fixed("avg_duration", "Avg Dur (min)", "avg_duration", 1),
        c.fixed("avg_win_duration", "Avg Win Dur", "avg_win_duration", 1),
        c.fixed("avg_loss_duration", "Avg Loss Dur", "avg_loss_duration", 1),
        c.percent("avg_consecutive_win_pnl", "Avg Win Streak PNL", "avg_consecutive_win_pnl"),
        c.percent("avg_consecutive_loss_pnl", "Avg Loss Streak PNL", "avg_consecutive_loss_pnl"),
        c.text("trend", "Trend", "trend"),
        c.percent("trend_strength", "Trend %/d", "trend_strength"),
        c.fixed("trend_confidence", "Trend R²", "trend_confidence", 3),
        c.percent("buyer_pressure", "Buyer Pres", "buyer_pressure", 1, scale=100),
        c.percent("seller_pressure", "Seller Pres", "seller_pressure", 1, scale=100),
        c.percent("buyer_strength", "Buyer Str", "buyer_strength", 1, scale=100),
        c.percent("seller_strength", "Seller Str", "seller_strength", 1, scale=100),
        Column("pressure_imbalance", "Pres Imb", lambda row, _: signed_fixed(row.pressure_imbalance, 3)),
        c.percent("median_step_size", "Median Step", "median_step_size"),
        c.fixed("sortino_ratio", "Sortino", "sortino_ratio", 3),
        c.fixed("calmar_ratio", "Calmar", "calmar_ratio", 3),
        c.fixed("recovery_factor", "Recovery", "recovery_factor", 3),
    ]


def _negated(row: HeatRow) -> str | None:
    value = row.max_drawdown
    return formats.percent(-value if value else value, 2)


def _line(label: str, field: str, text: Callable[[Any], str | None]) -> SummaryLine[HeatStatistics]:
    return SummaryLine(label, lambda heat: text(getattr(heat, field)))


def _ratio(value: float | None) -> str | None:
    return formats.fixed(value, 3)


def _percent(value: float | None) -> str | None:
    text = formats.fixed(value, 2)
    return None if text is None else f"{text} %"


def _minutes(value: float | None) -> str | None:
    return formats.minutes(value, 1)


HEAT_REPORT: Final[ReportSpec[Any, HeatStatistics]] = ReportSpec(
    name="heat",
    folder="heatmap",
    title="Portfolio Heatmap: {strategy_name}",
    empty_text="*No data available*",
    is_empty=lambda heat: heat.total_symbols == 0,
    sections=(
        Lines(
            parts=(
                _line("Total Symbols", "total_symbols", str),
                _line("Portfolio PNL", "portfolio_total_pnl", _percent),
                _line("Pooled Sharpe", "portfolio_sharpe_ratio", _ratio),
                _line("Annualized Sharpe", "portfolio_annualized_sharpe_ratio", _ratio),
                _line("Certainty Ratio", "portfolio_certainty_ratio", _ratio),
                _line("Expected Yearly Returns", "portfolio_expected_yearly_returns", _percent),
                _line("Trades Per Year", "portfolio_trades_per_year", lambda value: formats.fixed(value, 1)),
                _line("Total Trades", "portfolio_total_trades", str),
                _line("Avg Peak PNL", "portfolio_avg_peak_pnl", _percent),
                _line("Avg Max Drawdown PNL", "portfolio_avg_fall_pnl", _percent),
                _line("Peak Profit PNL", "portfolio_peak_profit_pnl", _percent),
                _line("Max Drawdown PNL", "portfolio_max_drawdown_pnl", _percent),
                _line("Median PNL", "portfolio_median_pnl", _percent),
                _line("Avg Duration", "portfolio_avg_duration", _minutes),
                _line("Avg Win Duration", "portfolio_avg_win_duration", _minutes),
                _line("Avg Loss Duration", "portfolio_avg_loss_duration", _minutes),
                _line("Avg Consecutive Win PNL Per Symbol", "portfolio_avg_consecutive_win_pnl", _percent),
                _line("Avg Consecutive Loss PNL Per Symbol", "portfolio_avg_consecutive_loss_pnl", _percent),
                _line("Standard Deviation Per Trade", "portfolio_std_dev", _percent),
                _line("Sortino Ratio", "portfolio_sortino_ratio", _ratio),
                _line("Calmar Ratio", "portfolio_calmar_ratio", _ratio),
                _line("Recovery Factor", "portfolio_recovery_factor", _ratio),
                _line("Expectancy", "portfolio_expectancy", _percent),
            )
        ),
        Table(
            key="heat",
            rows=lambda page: page.figures.symbols,
            columns=heat_columns,
            row_limit="max_heatmap_markdown_rows",
        ),
        *ANALYSIS_SECTIONS,
        breakdown_table("heat_breakdown"),
    ),
    legend=(
        "Symbols stand in the order of their Sharpe ratio. A row counts the closed trades of its symbol alone; its "
        "figures are those of the backtest report.",
        "The portfolio figures above the table take the trades of all symbols as one sequence, each with the whole "
        "capital. Trades that overlap in time cannot all have it: what an account would have done stands under Equity.",
        "N/A: the trades are too few or too much alike to say. Ratios need 10 trades; yearly figures also need 14 days and "
        "at most 365 trades a year.",
        *ANALYSIS_LEGEND,
    ),
    feeds=(Feed("signal_backtest", ("closed",)), Feed("signal_live", ("closed",))),
    record=result_record,
    row_limit="max_heatmap_markdown_rows",
)
