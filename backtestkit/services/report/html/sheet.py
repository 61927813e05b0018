"""A tear sheet from its parts. Every figure is written as the markdown report writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backtestkit.config import Config
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.statistics import HeatStatistics, RunSummary
from backtestkit.runtime.optional import optional_package
from backtestkit.services.report import formats
from backtestkit.services.report.analysis_sections import year_text
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.html import page
from backtestkit.services.report.html.charts import all_charts
from backtestkit.services.report.html.page import Figure
from backtestkit.services.report.html.price_charts import trade_columns
from backtestkit.services.report.html.source import Chart, SheetColumns, SheetSource
from backtestkit.services.report.html.tables import TableData, symbol_table, tone, trade_table
from backtestkit.services.report.spec import Lines, Page
from backtestkit.services.report.trade_summary import HIGHER, LOWER, NEAR_ZERO

PANEL_ROWS_MAX: Final = 20
MAIN_BLOCK: Final = "Trades"
ASSUMPTIONS_BLOCK: Final = "Assumptions"
_LINE: Final = re.compile(r"\*\*(.+?):\*\* (.*)", re.DOTALL)
_HINT: Final = re.compile(rf"(.*) \(({'|'.join((HIGHER, LOWER, NEAR_ZERO))})\)")


def tear_sheet(source: SheetSource, columns: SheetColumns) -> str:
    """The page of a run; `columns` are those of its tables. `UsageError` when plotly is not installed."""
    charts = all_charts(source)
    key, summary = source.key, source.summary
    what = key.symbol or f"{len(source.markets)} symbols"
    title = f"{key.strategy_name} on {what}"
    subtitle = "Backtest" if source.report == "backtest" else "Portfolio of backtests"
    trades = trade_table(source, columns.trades)
    parts = [
        page.head(title, subtitle, facts(source), (summary.fingerprint or "") if summary is not None else ""),
        page.cards(key_figures(source)),
        *_symbols(source, columns),
        page.chart_grid(charts),
        page.figure_panels(figure_blocks(source)),
        page.row_table("Trades", trades, "trades"),
        *([page.config_panel(settings(source.config))] if source.config else []),
    ]
    library = plotly_source() if any(chart.data for chart in charts) else ""
    return page.document(title, parts, page_data(source, charts, trades), library)


def plotly_source() -> str:
    """The source of plotly.js, which the package plotly brings; `UsageError` when that is not installed."""
    source: str = optional_package("plotly.offline").get_plotlyjs()
    return source.replace("</script", "<\\/script")


def page_data(source: SheetSource, charts: Sequence[Chart], trades: TableData) -> dict[str, Any]:
    """What the scripts of the page draw: the span of time, the charts that have data, and the trades."""
    return {
        "span": _span(source),
        "charts": [page.chart_data(chart) for chart in charts if chart.data],
        "trades": trade_columns(source),
        "table": None if not trades.rows else {
            "rows": trades.rows, "classes": trades.classes, "tones": trades.tones, "trades": trades.trades,
            "note": trades.note,
        },
    }  # fmt: skip


def _span(source: SheetSource) -> tuple[int, int]:
    """The first and the last time of the charts over time; both 0 when there are none."""
    curve = source.curve
    ends = [] if curve is None else [int(curve.times[0]), int(curve.times[-1])]
    for candles in source.candles.values():
        ends += [int(candles.timestamp[0]), int(candles.timestamp[-1])]
    for marks in source.markets.values():
        if not ends and marks is not None and len(marks.times):
            ends += [int(marks.times[0]) + marks.offset, int(marks.times[-1]) + marks.offset]
    return (min(ends), max(ends)) if ends else (0, 0)


def _symbols(source: SheetSource, columns: SheetColumns) -> list[str]:
    """The table of symbols, where there are several."""
    figures = report_spec(source.report).figures(source.subject)
    if not isinstance(figures, HeatStatistics):
        return []
    return [page.row_table("Symbols", symbol_table(figures, source.symbols, columns.symbols))]


def facts(source: SheetSource) -> list[Figure]:
    """What was run, over which span and at which costs."""
    key, summary = source.key, source.summary
    rows = [
        Figure("Symbol", key.symbol) if key.symbol else Figure("Symbols", ", ".join(source.symbols), tone="two"),
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
        Figure("Total return", f.signed_percent(total, 2), "of the capital", tone(total)),
        Figure("Max drawdown", None if equity is None else f.percent(equity.max_drawdown, 2),
               f"longest {days} days" if days else ""),
        Figure("Sharpe ratio", None if equity is None else f.fixed(equity.sharpe_ratio, 3),
               "" if equity is None else f"daily, {year_text(equity.year)}"),
        Figure("Win rate", f.percent(figures.win_rate, 2), counts),
        Figure("Profit factor", f.fixed(figures.profit_factor, 3), "wins / losses"),
        Figure("Trades", str(figures.total_signals), "closed positions"),
        Figure("Net profit", f.signed_money(net, source.currency), "after all costs", tone(net)),
        Figure("Against holding", f.signed_percent(excess, 2), f"buy and hold {holding}" if holding else "",
               tone(excess)),
    ]  # fmt: skip


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


def settings(values: Mapping[str, Any]) -> Sequence[tuple[str, str, bool]]:
    """The configuration as names, values and whether they differ from the defaults."""
    defaults = Config.defaults().model_dump()
    return [(name, str(value), name in defaults and defaults[name] != value) for name, value in values.items()]
