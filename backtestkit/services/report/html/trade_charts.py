"""The charts of the trades away from the price: by return, from inside, by kind and by time of day. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10
from typing import Final

import numpy as np

from backtestkit.model.analysis import BreakdownBy, BreakdownRow
from backtestkit.services.report import formats
from backtestkit.services.report.html import series
from backtestkit.services.report.html.price_charts import drawn_trades, is_win
from backtestkit.services.report.html.source import Chart, SheetSource

EXCURSIONS_MAX: Final = 2_000
NO_TRADES: Final = "No position was closed, so there is nothing to draw."


def returns_chart(source: SheetSource) -> Chart:
    """How the profits of the trades are spread."""
    title = "Returns of trades"
    if not source.closed:
        return Chart(id="returns", title=title, note=NO_TRADES)
    bins = series.binned(np.array([trade.pnl.pnl_percentage for trade in source.closed]))
    lows, highs = bins.edges[:-1].tolist(), bins.edges[1:].tolist()
    decimals = max(0, -floor(log10(highs[0] - lows[0]) + 1e-9))
    bars = {
        "type": "bar",
        "x": (bins.edges[:-1] + bins.edges[1:]) / 2,
        "y": bins.counts,
        "width": (highs[0] - lows[0]) * 0.9,
        "marker": {"color": ["$win" if low > -1e-9 else "$loss" for low in lows], "line": {"width": 0}},
        "text": [
            f"{formats.percent(low, decimals)} to {formats.percent(high, decimals)}"
            for low, high in zip(lows, highs, strict=True)
        ],
        "textposition": "none",
        "hovertemplate": "%{text}: %{y:,} trades<extra></extra>",
    }
    return Chart(
        id="returns",
        title=title,
        note="How many trades had which net profit.",
        unit="Trades",
        data=[bars],
        layout={
            "xaxis": {"ticksuffix": "%", "title": {"text": "Net profit of a trade"}},
            "yaxis": {"rangemode": "tozero", "tickformat": ",d", "nticks": 6},
        },
    )


def excursion_chart(source: SheetSource) -> Chart:
    """The best and the worst moment inside each trade."""
    title = "Trades from inside"
    trades = drawn_trades(source)
    if not trades:
        return Chart(id="excursions", title=title, note=NO_TRADES)
    places = range(max(0, len(trades) - EXCURSIONS_MAX), len(trades))
    traces, legend = [], []
    for name, color, symbol, won in (("Won", "win", "circle", True), ("Lost", "loss", "x", False)):
        own = [place for place in places if is_win(trades[place]) is won]
        if own:
            marker = {
                "color": f"${color}", "symbol": symbol, "size": 7 if len(places) <= 500 else 5, "opacity": 0.8,
                "line": {"color": "$surface", "width": 0.5},
            }  # fmt: skip
            points = {
                "type": "scatter",
                "mode": "markers",
                "meta": "trades",
                "name": name,
                "x": [trades[place].signal.max_drawdown.pnl_percentage for place in own],
                "y": [trades[place].signal.peak_profit.pnl_percentage for place in own],
                "customdata": own,
                "hovertemplate": "%{text}<br>Worst (MAE) %{x:.2f}%, best (MFE) %{y:.2f}%<extra></extra>",
                "marker": marker,
            }
            traces.append(points)
            legend.append(("circle" if won else "cross", color, name))
    cut = f" The newest {len(places):,} of {len(source.closed):,}." if len(places) < len(source.closed) else ""
    return Chart(
        id="excursions",
        title=title,
        note=f"Each trade by its worst (MAE) and its best moment (MFE), net.{cut}",
        data=traces,
        layout={
            "xaxis": {"ticksuffix": "%", "zeroline": True, "title": {"text": "Worst moment"}},
            "yaxis": {"ticksuffix": "%", "zeroline": True, "title": {"text": "Best moment"}},
            "hovermode": "closest",
        },
        legend=legend,
    )


def breakdown_chart(source: SheetSource) -> Chart:
    """Profit by exit reason, side and symbol."""
    title = "Where the profit comes from"
    kinds: tuple[BreakdownBy, ...] = ("exit_reason", "side", *(("symbol",) if len(source.symbols) > 1 else ()))
    rows = [row for by in kinds for row in source.analysis.breakdown_by(by)]
    if not rows:
        return Chart(id="breakdown", title=title, note=NO_TRADES, wide=True)
    amounts, currency = [row.total_pnl_cost for row in rows], source.currency
    names = [escape(row.key if row.by == "symbol" else row.key.replace("_", " ").capitalize()) for row in rows]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": amounts,
        "width": 0.6,
        "text": [(formats.signed_money(amount, currency) or "").rsplit(" ", 1)[0] for amount in amounts],
        "textposition": "outside",
        "textfont": {"color": "$quiet"},
        "constraintext": "none",
        "cliponaxis": False,
        "customdata": [_said(name, row, currency) for name, row in zip(names, rows, strict=True)],
        "marker": {"color": ["$win" if amount > 0 else "$loss" for amount in amounts], "line": {"width": 0}},
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    between = [i - 0.5 for i in range(1, len(rows)) if rows[i].by != rows[i - 1].by]
    return Chart(
        id="breakdown",
        title=title,
        note="Net profit by exit reason, by side" + (" and by symbol." if len(source.symbols) > 1 else "."),
        unit=currency,
        data=[bars],
        layout={
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": names,
                "range": [len(rows) - 0.5, -0.5],
                "showgrid": False,
                "tickfont": {"color": "$ink"},
            },
            "xaxis": {
                "zeroline": True,
                "visible": True,
                "showticklabels": False,
                "showline": False,
            },
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": y,
                    "y1": y,
                    "line": {"color": "$edge", "width": 1},
                }
                for y in between
            ],
        },
        height=40 + 34 * len(rows),
        wide=True,
    )


def hours_chart(source: SheetSource) -> Chart:
    """Profit by the hour at which positions were opened."""
    return _times_chart(source, "hour", [f"{hour:02d}" for hour in range(24)], "By hour of opening, UTC")


def weekdays_chart(source: SheetSource) -> Chart:
    """Profit by the weekday on which positions were opened."""
    return _times_chart(
        source, "weekday", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "By weekday of opening, UTC"
    )


def _times_chart(source: SheetSource, by: BreakdownBy, keys: Sequence[str], title: str) -> Chart:
    rows = {row.key: row for row in source.analysis.breakdown_by(by)}
    if not rows:
        return Chart(id=by, title=title, note=NO_TRADES)
    there = [key for key in keys if key in rows]
    amounts = [rows[key].total_pnl_cost for key in there]
    bars = {
        "type": "bar",
        "x": [keys.index(key) for key in there],
        "y": amounts,
        "width": 0.8,
        "text": [_said(f"{key}:00 to {key}:59" if by == "hour" else key, rows[key], source.currency) for key in there],
        "textposition": "none",
        "marker": {"color": ["$win" if amount > 0 else "$loss" for amount in amounts], "line": {"width": 0}},
        "hovertemplate": "%{text}<extra></extra>",
    }
    shown = keys[::3] if len(keys) > 12 else keys
    return Chart(
        id=by,
        title=title,
        note="Net profit. Of many rows some look good by chance.",
        unit=source.currency,
        data=[bars],
        layout={
            "xaxis": {
                "tickvals": [keys.index(key) for key in shown],
                "ticktext": list(shown),
                "range": [-0.5, len(keys) - 0.5],
                "tickangle": 0,
            },
            "yaxis": {"zeroline": True},
        },
    )


def _said(name: str, row: BreakdownRow, currency: str) -> str:
    """What is said about one row when it is pointed at; `name` is escaped."""
    lines = [
        f"<b>{name}</b>",
        f"Net {formats.signed_money(row.total_pnl_cost, currency)} in {row.trades:,} trade{'' if row.trades == 1 else 's'}",
        f"Win rate {formats.percent(row.win_rate, 2) or 'N/A'}, average PNL {formats.signed_percent(row.avg_pnl, 2)}",
    ]
    return "<br>".join(lines)
