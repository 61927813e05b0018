"""The analysis in reports: equity, daily returns, quality of trades, costs, benchmark, breakdowns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from backtestkit.model.analysis import BenchmarkFigures, CostFigures, EquityFigures, TradeAnalysis, TradingYear
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.spec import Column, Lines, Page, Settings, SummaryLine, Table
from backtestkit.services.report.trade_summary import HIGHER, LOWER, signed_fixed


def analysis_of(page: Page) -> TradeAnalysis | None:
    """The analysis of what the report is about; None when it has none."""
    found: TradeAnalysis | None = getattr(page.subject, "analysis", None)
    return found


def currency_of(page: Page) -> str:
    """The currency of amounts: that of the symbol, of the first one for several."""
    symbols = [row.symbol for row in getattr(page.figures, "symbols", ())]
    return formats.quote_currency(page.subject.key.symbol or (symbols[0] if symbols else ""))


def equity_lines(figures: EquityFigures, currency: str) -> list[str]:
    """An account that makes these trades."""
    f = formats
    money, ratio = partial(f.money, currency=currency), partial(f.fixed, decimals=3)
    share = partial(f.percent, decimals=2)
    capital = f"{money(figures.capital)} ({'given' if figures.capital_given else 'peak of the money at work'})"
    lost = ["The trades lose all of this capital: figures by day and by year need a larger one."]
    return [
        *_line("Capital", capital),
        *_line("Final Equity", money(figures.final_equity)),
        *_line("Total Return", f.signed_percent(figures.total_return, 2), HIGHER),
        *_line("Yearly Return", f.signed_percent(figures.yearly_return, 2), HIGHER),
        *_line("Time-Weighted Return", f.signed_percent(figures.time_weighted_return, 2), HIGHER),
        *_line("Money-Weighted Return", f.signed_percent(figures.money_weighted_return, 2), HIGHER),
        *_line("Sharpe Ratio (daily, yearly)", ratio(figures.sharpe_ratio), HIGHER),
        *_line("Sortino Ratio (daily, yearly)", ratio(figures.sortino_ratio), HIGHER),
        *_line("Calmar Ratio (equity)", ratio(figures.calmar_ratio), HIGHER),
        *_line("Max Drawdown (equity)", share(figures.max_drawdown), LOWER),
        *_line("Longest Drawdown", _days(figures.max_drawdown_days), LOWER),
        *_line("Ulcer Index", ratio(figures.ulcer_index), LOWER),
        *_line("Exposure", share(figures.exposure)),
        *_line("Most Positions at Once", str(figures.max_open_positions)),
        *_line("Peak Money at Work", money(figures.peak_invested)),
        *_line("Average Money at Work", money(figures.avg_invested)),
        *_line("Turnover", f"{f.fixed(figures.turnover, 1)} times the capital"),
        *_line("Annualised", f"daily figures with {year_text(figures.year)}; all others by the clock, 365 days a year"),
        *_line(
            "Valued", "every minute" if figures.marked else "when trades close; drawdowns inside trades are not seen"
        ),
        *(lost if figures.max_drawdown >= 100 else []),
    ]


def year_text(year: TradingYear) -> str:
    """How many days a year has, and which."""
    days = "every UTC day" if year.calendar == "every_day" else "UTC days with prices"
    return f"{formats.number(year.days)} days a year, {days}"


def daily_lines(analysis: TradeAnalysis) -> list[str]:
    """The shape of the account's daily returns."""
    daily = analysis.daily
    share, ratio = partial(formats.percent, decimals=2), partial(formats.fixed, decimals=3)
    sure = daily.probabilistic_sharpe_ratio
    return [
        *_line("Days", str(daily.count)),
        *_line("Value at Risk (95 %)", share(daily.value_at_risk_95)),
        *_line("Conditional Value at Risk (95 %)", share(daily.conditional_value_at_risk_95)),
        *_line("Tail Ratio", ratio(daily.tail_ratio), HIGHER),
        *_line("Skewness", ratio(daily.skewness)),
        *_line("Excess Kurtosis", ratio(daily.kurtosis)),
        *_line("Probability of a Sharpe Ratio above 0", share(None if sure is None else sure * 100), HIGHER),
    ]


def quality_lines(analysis: TradeAnalysis) -> list[str]:
    """How the trades went from inside."""
    quality = analysis.quality
    share, ratio = partial(formats.percent, decimals=2), partial(formats.fixed, decimals=3)
    return [
        *_line("Payoff Ratio", ratio(quality.payoff_ratio), HIGHER),
        *_line("Average R", signed_fixed(quality.avg_r, 3), HIGHER),
        *_line("System Quality Number", ratio(quality.system_quality_number), HIGHER),
        *_line("Median Adverse Excursion", share(quality.median_adverse_excursion)),
        *_line("Worst Adverse Excursion", share(quality.max_adverse_excursion)),
        *_line("Median Favorable Excursion", share(quality.median_favorable_excursion)),
        *_line("Best Favorable Excursion", share(quality.max_favorable_excursion)),
        *_line("Edge Ratio", ratio(quality.edge_ratio), HIGHER),
        *_line("Average Win Streak", formats.fixed(quality.avg_win_streak, 1)),
        *_line("Average Loss Streak", formats.fixed(quality.avg_loss_streak, 1)),
    ]


def cost_lines(costs: CostFigures, currency: str) -> list[str]:
    """From gross to net, and what net would be at other costs."""
    money = partial(formats.signed_money, currency=currency)
    return [
        *_line("Gross", money(costs.gross)),
        *_line("Fees", money(-costs.fee)),
        *_line("Slippage", money(-costs.slippage)),
        *_line("Funding", money(-costs.funding)),
        *_line("Net", money(costs.net)),
        *_line("Net without fees and slippage", money(costs.net_without_costs)),
        *_line("Net at twice the fees and slippage", money(costs.net_at_double_costs)),
    ]


def benchmark_lines(benchmark: BenchmarkFigures) -> list[str]:
    """The account beside buying and holding."""
    ratio = partial(formats.fixed, decimals=3)
    return [
        *_line("Buy and Hold", formats.signed_percent(benchmark.total_return, 2)),
        *_line("Its Max Drawdown", formats.percent(benchmark.max_drawdown, 2)),
        *_line("Excess Return", formats.signed_percent(benchmark.excess_return, 2), HIGHER),
        *_line("Beta", ratio(benchmark.beta)),
        *_line("Alpha (yearly)", formats.signed_percent(benchmark.alpha, 2), HIGHER),
        *_line("Correlation", ratio(benchmark.correlation)),
    ]


def breakdown_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of trades that have something in common."""
    return [
        c.text("by", "By", "by"),
        c.text("key", "Which", "key"),
        c.number("trades", "Trades", "trades"),
        c.percent("win_rate", "Win Rate", "win_rate"),
        c.signed_percent("total_pnl", "Total PNL", "total_pnl"),
        c.signed_percent("avg_pnl", "Average PNL", "avg_pnl"),
        c.fixed("profit_factor", "Profit Factor", "profit_factor", 3),
    ]


def _line(label: str, value: str | None, hint: str = "") -> list[str]:
    line: SummaryLine[None] = SummaryLine(label, lambda _: value, hint)
    return line(None)


def _days(value: float) -> str:
    return f"{formats.fixed(value, 1)} days"


def _of(part: str, lines: Callable[[Any, str], list[str]]) -> Callable[[Page], list[str]]:
    """Lines over one part of the analysis, nothing where it is missing."""

    def section(page: Page) -> list[str]:
        figures = getattr(analysis_of(page), part, None)
        return [] if figures is None else lines(figures, currency_of(page))

    return section


def _whole(page: Page) -> Page:
    return page


ANALYSIS_LEGEND = (
    "**Equity**: an account that makes these trades with their own sizes, idle time included; open positions are valued "
    "net of what closing them would cost. **Time-weighted return**: what money earned that was in every position from "
    "start to end. **Money-weighted return**: the same with sizes counted; above it when the larger positions did better.",
    "**Value at risk**: on 95 of 100 days the account did better. **R**: profit in units of what the original stop put at "
    "risk. **Probability of a Sharpe ratio above 0**: how sure the sample is that it is no luck, for one strategy tried "
    "once; of many tried, the best one looks surer than it is.",
)

ANALYSIS_SECTIONS = (
    Lines(heading="Equity", of=_whole, parts=(_of("equity", equity_lines),)),
    Lines(heading="Daily Returns", of=analysis_of, parts=(daily_lines,)),
    Lines(heading="Trades from Inside", of=analysis_of, parts=(quality_lines,)),
    Lines(heading="Costs", of=_whole, parts=(_of("costs", cost_lines),)),
    Lines(heading="Benchmark", of=_whole, parts=(_of("benchmark", lambda figures, _: benchmark_lines(figures)),)),
)


def breakdown_table(key: str) -> Table[Any]:
    """The breakdowns as a table; `key` is its name for whoever chooses columns."""
    return Table(
        key=key,
        heading="Breakdown",
        rows=lambda page: () if (analysis := analysis_of(page)) is None else analysis.breakdown,
        columns=breakdown_columns,
        optional=True,
    )
