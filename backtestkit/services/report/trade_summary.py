"""What all reports on closed trades have in common: summary lines and legend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backtestkit.model.statistics import TradeFigures
from backtestkit.services.report import formats
from backtestkit.services.report.spec import SummaryLine

HIGHER, LOWER, NEAR_ZERO = "higher is better", "lower is better", "closer to 0 is better"


def trade_summary() -> list[SummaryLine[TradeFigures]]:
    """The lines that all reports on closed trades share, from the win rate on."""

    def line(
        label: str, field: str, text: Callable[..., str | None], *arguments: int, hint: str = "", scale: float = 1
    ) -> SummaryLine[TradeFigures]:
        def value(figures: TradeFigures) -> str | None:
            figure = getattr(figures, field)
            return None if figure is None else text(figure * scale if scale != 1 else figure, *arguments)

        return SummaryLine(label, value, hint)

    f = formats
    return [
        SummaryLine("Win rate", win_rate, HIGHER),
        line("Average PNL", "avg_pnl", f.signed_percent, 2, hint=HIGHER),
        line("Total PNL", "total_pnl", f.signed_percent, 2, hint=HIGHER),
        line("Standard Deviation Per Trade", "std_dev", f.percent, 3, hint=LOWER),
        line("Sharpe Ratio", "sharpe_ratio", f.fixed, 3, hint=HIGHER),
        line("Annualized Sharpe Ratio", "annualized_sharpe_ratio", f.fixed, 3, hint=HIGHER),
        line("Certainty Ratio", "certainty_ratio", f.fixed, 3, hint=HIGHER),
        line("Expected Yearly Returns", "expected_yearly_returns", f.signed_percent, 2, hint=HIGHER),
        line("Avg Peak PNL", "avg_peak_pnl", f.signed_percent, 2, hint=HIGHER),
        line("Avg Max Drawdown PNL", "avg_fall_pnl", f.percent, 2, hint=NEAR_ZERO),
        line("Sortino Ratio", "sortino_ratio", f.fixed, 3, hint=HIGHER),
        line("Calmar Ratio", "calmar_ratio", f.fixed, 3, hint=HIGHER),
        line("Recovery Factor", "recovery_factor", f.fixed, 3, hint=HIGHER),
        line("Expectancy", "expectancy", f.signed_percent, 3, hint=HIGHER),
        line("Median PNL", "median_pnl", f.signed_percent, 3, hint=HIGHER),
        line("Avg Duration", "avg_duration", f.minutes, 1),
        line("Avg Win Duration", "avg_win_duration", f.minutes, 1),
        line("Avg Loss Duration", "avg_loss_duration", f.minutes, 1),
        line("Avg Consecutive Win PNL", "avg_consecutive_win_pnl", f.signed_percent, 3, hint=HIGHER),
        line("Avg Consecutive Loss PNL", "avg_consecutive_loss_pnl", f.percent, 3, hint=NEAR_ZERO),
        line("Trend", "trend", str),
        line("Trend Strength", "trend_strength", trend_strength),
        line("Trend Confidence (R²)", "trend_confidence", f.fixed, 3),
        line("Buyer Pressure", "buyer_pressure", f.percent, 1, scale=100),
        line("Seller Pressure", "seller_pressure", f.percent, 1, scale=100),
        line("Buyer Strength", "buyer_strength", f.percent, 1, scale=100),
        line("Seller Strength", "seller_strength", f.percent, 1, scale=100),
        line("Pressure Imbalance", "pressure_imbalance", signed_fixed, 3),
        line("Median Step Size", "median_step_size", f.percent, 3),
        line("Max Drawdown", "max_drawdown", f.percent, 2, hint=LOWER),
        line("Profit Factor", "profit_factor", f.fixed, 3, hint=HIGHER),
        line("Trades Per Year", "trades_per_year", f.fixed, 1),
    ]


def win_rate(figures: TradeFigures) -> str | None:
    """The win rate with the counts behind it."""
    rate = formats.percent(figures.win_rate, 2)
    return None if rate is None else f"{rate} ({figures.win_count}W / {figures.loss_count}L)"


def signed_fixed(value: float | None, decimals: int) -> str | None:
    """A number with its sign."""
    return formats.signed(value, formats.fixed(value, decimals))


def trend_strength(value: float) -> str | None:
    """A slope in percent a day."""
    return f"{signed_fixed(value, 3)}%/day"


TRADE_LEGEND: Final = (
    "All percentages are net of fees and slippage. PNL is the profit of a trade in percent of what it had invested; "
    "Total PNL adds the trades up without compounding.",
    "**Win rate**: wins among the trades that won or lost. **Standard deviation**: how far trades spread around the "
    "average. **Median PNL**: the trade in the middle, unmoved by a few large ones.",
    "**Sharpe**: average divided by standard deviation, per trade. **Annualized Sharpe**: times the root of the trades "
    "a year; believe it only when trades do not depend on each other. **Sortino**: like Sharpe, with losses alone as "
    "risk. **Certainty**: average win divided by average loss.",
    "**Max Drawdown**: the deepest fall of an equity curve that puts the whole capital into one trade after the other, "
    "worst moments inside trades included. **Calmar**: yearly returns divided by it. **Recovery**: total return "
    "divided by it.",
    "**Avg Peak PNL** and **Avg Max Drawdown PNL**: the best and the worst moment inside a trade, on average. A large "
    "peak beside a small average profit means that gains are given back.",
    "**Trend**, **pressure** and **strength** describe the closing prices of the trades, not the whole market.",
    "N/A: the trades are too few or too much alike to say. Ratios need 10 trades; yearly figures also need 14 days and "
    "at most 365 trades a year.",
)
