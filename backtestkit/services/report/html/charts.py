"""The charts of the account: equity, drawdown, months, rolling Sharpe ratio, exposure, costs. Data only, no drawing."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from backtestkit.math.statistics_equity import daily_returns, prices_at
from backtestkit.model.analysis import EquityCurve
from backtestkit.model.candle import Floats
from backtestkit.services.report import formats
from backtestkit.services.report.analysis_sections import year_text
from backtestkit.services.report.html import series
from backtestkit.services.report.html.price_charts import price_chart
from backtestkit.services.report.html.source import Chart, SheetSource
from backtestkit.services.report.html.trade_charts import (
    NO_TRADES,
    breakdown_chart,
    excursion_chart,
    hours_chart,
    returns_chart,
    weekdays_chart,
)

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FELL_TO_NOTHING: Final = "The trades lose all of the capital; returns by time need a larger one."


def all_charts(source: SheetSource) -> list[Chart]:
    """The charts of a tear sheet in the order of the page."""
    return [
        equity_chart(source),
        price_chart(source),
        underwater_chart(source),
        exposure_chart(source),
        months_chart(source),
        rolling_chart(source),
        returns_chart(source),
        excursion_chart(source),
        costs_chart(source),
        breakdown_chart(source),
        hours_chart(source),
        weekdays_chart(source),
    ]


def holding(source: SheetSource, curve: EquityCurve) -> Floats | None:
    """An account that buys all symbols in equal parts at the start and holds; None when prices are missing."""
    held = np.zeros(len(curve.times))
    for marks in source.markets.values():
        if marks is None:
            return None
        prices = prices_at(marks, curve.times)
        held += prices / prices[0] / len(source.markets)
    return held * curve.capital if source.markets else None


def equity_chart(source: SheetSource) -> Chart:
    """The account, and buying and holding beside it."""
    curve, title = source.curve, "Equity"
    if curve is None:
        return Chart(id="equity", title=title, note=NO_TRADES, wide=True)
    held = holding(source, curve)
    lines = [_line("Account", curve, curve.equity, "$accent", 2, "%{y:,.2f}")]
    legend = [("line", "accent", "Account")]
    if held is not None:
        lines.insert(0, _line("Buy and hold", curve, held, "$quiet", 1.25, "%{y:,.2f}"))
        legend.append(("line", "quiet", "Buy and hold, without costs"))
    valued = "open positions are valued every minute" if curve.marked else "it moves when a trade closes"
    return Chart(
        id="equity",
        title=title,
        note=f"An account that starts with {formats.money(curve.capital, source.currency)}; {valued}.",
        unit=source.currency,
        data=lines,
        layout={"hovermode": "x unified"},
        legend=legend,
        height=340,
        wide=True,
        zoom=True,
        switch="log" if float(curve.equity.min()) > 0 else "",
    )


def underwater_chart(source: SheetSource) -> Chart:
    """How far the account is below its highest point."""
    curve, title = source.curve, "Drawdown"
    if curve is None:
        return Chart(id="underwater", title=title, note=NO_TRADES)
    line = _line("Drawdown", curve, series.underwater(curve), "$loss", 1.25, "%{y:.2f}%")
    return Chart(
        id="underwater",
        title=title,
        note="Fall of the equity from its highest point so far.",
        data=[line | {"fill": "tozeroy", "fillcolor": "$loss-soft"}],
        layout={"yaxis": {"ticksuffix": "%", "rangemode": "tozero"}, "hovermode": "x unified"},
        zoom=True,
    )


def exposure_chart(source: SheetSource) -> Chart:
    """How much of the time a position was open."""
    curve, title = source.curve, "Exposure"
    if curve is None:
        return Chart(id="exposure", title=title, note=NO_TRADES)
    times, shares, days = series.exposure(curve)
    bars = {
        "type": "bar",
        "x": times + days * 43_200_000,
        "y": shares,
        "width": days * 86_400_000 * 0.86,
        "text": [(formats.iso_time(time) or "")[:10] for time in times.tolist()],
        "textposition": "none",
        "marker": {"color": "$accent", "line": {"width": 0}},
        "hovertemplate": f"%{{text}}{'' if days == 1 else f', {days} days'}: %{{y:.1f}}%<extra></extra>",
    }
    return Chart(
        id="exposure",
        title=title,
        note="Share of each day with a position open." if days == 1 else f"Share of each {days} days with a position.",
        data=[bars],
        layout={"yaxis": {"ticksuffix": "%", "range": [0, 105], "rangemode": "tozero"}},
        zoom=True,
    )


def months_chart(source: SheetSource) -> Chart:
    """Returns by month and year."""
    curve, title = source.curve, "Monthly returns"
    months = None if curve is None else series.monthly_returns(curve)
    if months is None:
        return Chart(id="months", title=title, note=NO_TRADES if curve is None else FELL_TO_NOTHING, wide=True)
    table = np.column_stack((months.returns, months.totals))
    shown = [[None if np.isnan(value) else float(value) for value in row] for row in table]
    limit = float(np.nanmax(np.abs(table))) or 1.0
    cells = {
        "type": "heatmap",
        "x": [*MONTHS, "Year"],
        "y": [str(year) for year in months.years],
        "z": shown,
        "text": [[formats.signed_percent(value, 1) or "" for value in row] for row in shown],
        "texttemplate": "%{text}",
        "textfont": {"color": "$ink"},
        "zmin": -limit,
        "zmax": limit,
        "colorscale": [[0, "$loss-cell"], [0.5, "$grid"], [1, "$win-cell"]],
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hoverongaps": False,
        "hovertemplate": "%{x} %{y}: %{text}<extra></extra>",
    }
    return Chart(
        id="months",
        title=title,
        note="Of the account, by UTC month; the first and the last may be shorter.",
        data=[cells],
        layout={
            "xaxis": {"type": "category", "side": "top", "linewidth": 0},
            "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
        },
        height=44 + 44 * len(months.years),
        wide=True,
    )


def rolling_chart(source: SheetSource) -> Chart:
    """The Sharpe ratio of the last days, day by day."""
    days, curve = series.ROLLING_DAYS, source.curve
    title = f"Rolling Sharpe ratio, {days} days"
    if curve is None:
        return Chart(id="rolling", title=title, note=NO_TRADES)
    times, ratios = series.rolling_sharpe(curve)
    if len(times) < 2:
        count = len(daily_returns(curve))
        return Chart(
            id="rolling",
            title=title,
            note=f"Needs more than {days} days of returns; this run has {count}." if count else FELL_TO_NOTHING,
        )
    return Chart(
        id="rolling",
        title=title,
        note=f"Daily returns of the account, {year_text(curve.year)}, risk-free rate 0.",
        data=[_trace("Sharpe ratio", times, ratios, "$accent", 1.5, "%{y:.2f}") | {"connectgaps": False}],
        layout={"hovermode": "x unified", "yaxis": {"rangemode": "tozero", "zeroline": True}},
        zoom=True,
    )


def costs_chart(source: SheetSource) -> Chart:
    """From gross to net."""
    title = "From gross to net"
    if not source.closed:
        return Chart(id="costs", title=title, note=NO_TRADES)
    costs, currency = source.analysis.costs, source.currency
    steps = (costs.gross, -costs.fee, -costs.slippage, -costs.funding, costs.net)
    levels = [*np.cumsum(steps[:4]).tolist(), costs.net]
    texts = [formats.signed_money(value, currency) or "" for value in steps]
    bars = {
        "type": "waterfall",
        "x": ["Gross", "Fees", "Slippage", "Funding", "Net"],
        "y": list(steps),
        "measure": ["absolute", "relative", "relative", "relative", "total"],
        "text": [text.rsplit(" ", 1)[0] for text in texts],
        "customdata": texts,
        "textposition": "outside",
        "textfont": {"color": "$ink"},
        "constraintext": "none",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{customdata}<extra></extra>",
        "connector": {"line": {"color": "$edge-strong", "width": 1}},
        "increasing": {"marker": {"color": "$win"}},
        "decreasing": {"marker": {"color": "$loss"}},
        "totals": {"marker": {"color": "$accent"}},
    }
    free, double = (formats.signed_money(v, currency) for v in (costs.net_without_costs, costs.net_at_double_costs))
    return Chart(
        id="costs",
        title=title,
        note=f"Net at these fees and slippage {texts[4]}, at none of them {free}, at twice as much {double}.",
        unit=currency,
        data=[bars],
        layout={
            "yaxis": {"zeroline": True, "range": series.roomy(levels, 0.14)},
            "xaxis": {"type": "category"},
            "waterfallgap": 0.4,
        },
    )


def _line(name: str, curve: EquityCurve, values: Floats, color: str, width: float, text: str) -> dict[str, Any]:
    """A line over the times of an account, in steps where it only moves when a trade closes."""
    places = series.thinned(values)
    line = _trace(name, curve.times[places], values[places], color, width, text)
    line["line"]["shape"] = "linear" if curve.marked else "hv"
    return line


def _trace(name: str, times: Any, values: Any, color: str, width: float, text: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times,
        "y": values,
        "line": {"color": color, "width": width},
        "hovertemplate": text,
    }
