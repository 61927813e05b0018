"""A tear sheet from its parts. Every figure is written as the markdown report writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backtestkit.config import Config
from backtestkit.errors import UsageError
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.services.report import formats
from backtestkit.services.report.analysis_sections import year_text
from backtestkit.services.report.backtest_report import backtest_columns
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.html import page
from backtestkit.services.report.html.charts import all_charts
from backtestkit.services.report.html.page import Cell, Figure
from backtestkit.services.report.html.source import SheetSource
from backtestkit.services.report.spec import NOT_AVAILABLE, Column, Lines, Page
from backtestkit.services.report.trade_summary import HIGHER, LOWER, NEAR_ZERO

TRADES_SHOWN_MAX: Final = 250
PANEL_ROWS_MAX: Final = 20
MAIN_BLOCK: Final = "Trades"
ASSUMPTIONS_BLOCK: Final = "Assumptions"

# Columns of the table of trades, by their keys in the report, and the class of their cells.
TRADE_COLUMNS: Final = {
    "symbol": "text", "position": "text", "open_timestamp": "text", "close_timestamp": "text", "open_price": "",
    "close_price": "", "take_profit": "", "stop_loss": "", "price_take_profit": "", "price_stop_loss": "", "pnl": "pnl",
    "pnl_cost": "pnl", "close_reason": "text", "duration": "", "fall_pnl": "", "peak_pnl": "", "note": "text note",
}  # fmt: skip
_LINE: Final = re.compile(r"\*\*(.+?):\*\* (.*)", re.DOTALL)
_HINT: Final = re.compile(rf"(.*) \(({'|'.join((HIGHER, LOWER, NEAR_ZERO))})\)")


def tear_sheet(source: SheetSource, config: Config) -> str:
    """The page of a run. `config` decides what notes may be shown; `source.config` is what the run had."""
    charts = all_charts(source)
    plotly = plotly_source() if any(chart.data for chart in charts) else ""
    key, summary = source.key, source.summary
    what = key.symbol or f"{len(source.markets)} symbols"
    title = f"{key.strategy_name} on {what}"
    subtitle = "Backtest" if source.report == "backtest" else "Portfolio of backtests"
    parts = [
        page.head(title, subtitle, facts(source), (summary.fingerprint or "") if summary is not None else ""),
        page.cards(key_figures(source)),
        page.chart_grid(charts),
        page.figure_panels(figure_blocks(source)),
        trade_table(source, config),
        *([page.config_panel(settings(source.config))] if source.config else []),
    ]
    return page.document(title, parts, charts, plotly)


def plotly_source() -> str:
    """The source of plotly.js, from the package plotly; `UsageError` when that is not installed."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise UsageError(
            'tear sheets need the package plotly. Install it with: pip install "backtestkit[plots]"'
        ) from None
    source: str = get_plotlyjs()
    return source.replace("</script", "<\\/script")


def facts(source: SheetSource) -> list[Figure]:
    """What was run, over which span and at which costs."""
    key, summary = source.key, source.summary
    rows = [
        Figure("Symbol", key.symbol or ", ".join(source.markets)),
        Figure("Strategy", key.strategy_name),
        Figure("Exchange", key.exchange_name),
        Figure("Frame", key.frame_name),
        Figure("Trades", str(backtest_statistics(source.closed).total_signals)),
    ]
    return rows if summary is None else [*rows, *_assumptions(summary, source.currency)]


def _assumptions(summary: RunSummary, currency: str) -> list[Figure]:
    def charge(label: str, rate: float | None, paid: float | None) -> Figure:
        return Figure(
            label,
            _paid(paid, currency),
            "" if rate is None else f"{formats.number(rate)}% of each entry and exit",
        )

    first, last = (_minute(time) for time in (summary.first_time, summary.last_time))
    ambiguous = summary.ambiguous_exits
    return [
        Figure("Tested", f"{first} to {last}" if first and last else None, tone="two"),
        Figure("Fill policy", summary.policy),
        charge("Fees", summary.percent_fee, summary.fee_paid),
        charge("Slippage", summary.percent_slippage, summary.slippage_paid),
        Figure("Funding", _paid(summary.funding_paid, currency) or "no funding rates"),
        Figure("Ambiguous exits", None if ambiguous is None else str(ambiguous)),
    ]


def _paid(amount: float | None, currency: str) -> str | None:
    if amount is None:
        return None
    return f"{formats.money(abs(amount), currency)} {'received' if amount < 0 else 'paid'}"


def _minute(time: int | None) -> str | None:
    text = formats.iso_time(time)
    return None if text is None else text[:16].replace("T", " ")


def key_figures(source: SheetSource) -> list[Figure]:
    """The figures that are looked at first."""
    analysis, figures = source.analysis, backtest_statistics(source.closed)
    equity, benchmark, f = analysis.equity, analysis.benchmark, formats
    counts = "" if figures.win_rate is None else f"{figures.win_count} won, {figures.loss_count} lost"
    total, net = (None, None) if equity is None else (equity.total_return, equity.net_profit)
    excess = None if benchmark is None else benchmark.excess_return
    holding = None if benchmark is None else f.signed_percent(benchmark.total_return, 2)
    days = None if equity is None else f.fixed(equity.max_drawdown_days, 1)
    return [
        Figure("Total return", f.signed_percent(total, 2), "of the capital", _tone(total)),
        Figure("Max drawdown", None if equity is None else f.percent(equity.max_drawdown, 2),
               f"longest {days} days" if days else ""),
        Figure("Sharpe ratio", None if equity is None else f.fixed(equity.sharpe_ratio, 3),
               "" if equity is None else f"daily, {year_text(equity.year)}"),
        Figure("Win rate", f.percent(figures.win_rate, 2), counts),
        Figure("Profit factor", f.fixed(figures.profit_factor, 3), "wins / losses"),
        Figure("Trades", str(figures.total_signals), "closed positions"),
        Figure("Net profit", f.signed_money(net, source.currency), "after all costs", _tone(net)),
        Figure("Against holding", f.signed_percent(excess, 2), f"buy and hold {holding}" if holding else "",
               _tone(excess)),
    ]  # fmt: skip


def _tone(value: float | None) -> str:
    return "" if not value else "win" if value > 0 else "loss"


def figure_blocks(source: SheetSource) -> list[tuple[str, list[Figure]]]:
    """The lines of the markdown report, by its headings."""
    spec = report_spec(source.report)
    whole = Page(source.subject, spec.figures(source.subject))
    empty = spec.is_empty(whole.figures)
    blocks = []
    for section in spec.sections:
        if not isinstance(section, Lines) or (empty and not section.when_empty):
            continue
        given = section.of(whole)
        lines = [] if given is None else [line for part in section.parts for line in part(given)]
        heading = section.heading if isinstance(section.heading, str) else section.heading(whole)
        heading = heading or (ASSUMPTIONS_BLOCK if section.when_empty else MAIN_BLOCK)
        for start in range(0, len(lines), PANEL_ROWS_MAX):
            part = lines[start : start + PANEL_ROWS_MAX]
            blocks.append((f"{heading}, continued" if start else heading, [_figure(line) for line in part]))
    return blocks


def _figure(line: str) -> Figure:
    found = _LINE.fullmatch(line)
    if found is None:
        return Figure("", line)
    label, value = found.groups()
    hinted = _HINT.fullmatch(value)
    return Figure(label, value) if hinted is None else Figure(label, hinted.group(1), hinted.group(2))


def trade_table(source: SheetSource, config: Config) -> str:
    """The newest trades, newest first."""
    made = {column.key: column for column in backtest_columns(lambda: config) if column.is_visible()}
    columns = [made[key] for key in TRADE_COLUMNS if key in made and (key != "symbol" or not source.key.symbol)]
    newest = source.closed[: -TRADES_SHOWN_MAX - 1 : -1]
    rows = [[_cell(column, trade, i) for column in columns] for i, trade in enumerate(newest)]
    total = len(source.closed)
    below = "No position was closed." if not total else f"All {total:,} trades, newest first."
    if len(newest) < total:
        below = f"The newest {len(newest):,} of {total:,} trades; all figures count every one."
    labels = [Cell(column.label, TRADE_COLUMNS[column.key].partition(" ")[0]) for column in columns]
    return page.row_table("Trades", labels, rows, below)


def _cell(column: Column[Any], trade: ClosedResult, index: int) -> Cell:
    text, kind = column.format(trade, index), TRADE_COLUMNS[column.key]
    if kind == "pnl":
        kind = _tone(trade.pnl.pnl_percentage)
    if column.key.endswith("_timestamp") and text is not None:
        text = text[:16].replace("T", " ")
    return Cell(NOT_AVAILABLE if text is None else text, kind)


def settings(values: Mapping[str, Any]) -> Sequence[tuple[str, str, bool]]:
    """The configuration as names, values and whether they differ from the defaults."""
    defaults = Config.defaults().model_dump()
    return [(name, str(value), name in defaults and defaults[name] != value) for name, value in values.items()]
