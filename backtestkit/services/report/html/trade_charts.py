"""The charts of the trades: on the price, by return, from inside, by kind. Data only, no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np

from backtestkit.model.result import ClosedResult
from backtestkit.services.report import formats
from backtestkit.services.report.html import series
from backtestkit.services.report.html.source import Chart, SheetSource

TRADES_DRAWN_MAX: Final = 2_000
MARKER_SIZES: Final = {100: 8.0, 300: 6.5, 600: 5.5, TRADES_DRAWN_MAX: 4.5}
"""Up to so many trades, pixels."""
NO_TRADES: Final = "No position was closed, so there is nothing to draw."
NO_PRICES: Final = "The prices of this run are not at hand."


def price_chart(source: SheetSource) -> Chart:
    """The market with the entries and exits of the newest trades."""
    prices, note = _prices(source)
    if not prices:
        return Chart(id="price", title="Price and trades", note=NO_PRICES, wide=True)
    trades = [t for t in source.closed if t.signal.pending_at > 0 and t.close_timestamp > 0]
    if len(trades) > TRADES_DRAWN_MAX:
        note += f" The newest {TRADES_DRAWN_MAX:,} of {len(trades):,} trades are marked."
    return Chart(
        id="price",
        title=f"{source.key.symbol}: price and trades",
        note=note,
        data=[*prices, *_trade_marks(trades[-TRADES_DRAWN_MAX:], source.currency)],
        layout={
            "xaxis": {
                "type": "date",
                "rangeslider": {"visible": False},
                "range": [int(prices[0]["x"][0]), int(prices[0]["x"][-1])],
            },
            "yaxis": {"tickformat": ",~r"},
            "showlegend": True,
            "hovermode": "closest",
        },
        height=460,
        wide=True,
    )


def _prices(source: SheetSource) -> tuple[list[dict[str, Any]], str]:
    """What is drawn of the market, and a sentence that says what it is."""
    if source.candles is not None and len(source.candles):
        bars = series.resampled(source.candles)
        resampled = len(bars.time) < len(source.candles)
        note = f"{bars.name} bars" + (f" made of {len(source.candles):,} candles." if resampled else ".")
        return [_candles(bars)], note
    marks = source.markets.get(source.key.symbol)
    if marks is None or not len(marks.times):
        return [], ""
    places = series.thinned(marks.prices)
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "Average price",
        "x": marks.times[places] + marks.offset,
        "y": marks.prices[places],
        "line": {"color": "$quiet", "width": 1.25},
        "hovertemplate": "%{y:,}<extra></extra>",
    }
    return [line], "The average prices that positions were valued at; candles are not at hand."


def _candles(bars: series.BarColumns) -> dict[str, Any]:
    return {
        "type": "candlestick",
        "name": bars.name,
        "x": bars.time,
        "open": bars.open,
        "high": bars.high,
        "low": bars.low,
        "close": bars.close,
        "increasing": {"line": {"color": "$bar", "width": 1}, "fillcolor": "$surface"},
        "decreasing": {"line": {"color": "$bar", "width": 1}, "fillcolor": "$bar"},
        "showlegend": False,
        "hoverinfo": "none",
    }


def _trade_marks(trades: Sequence[ClosedResult], currency: str) -> list[dict[str, Any]]:
    """Entries as triangles in the direction of the trade, exits as circles (won) and crosses (lost)."""
    texts = {id(trade): trade_text(trade, currency) for trade in trades}
    size = next(size for count, size in MARKER_SIZES.items() if len(trades) <= count)
    paths, entries, exits = [], [], []
    for side, symbol in (("long", "triangle-up"), ("short", "triangle-down")):
        own = [(t.signal.pending_at, t.signal.price_open, texts[id(t)]) for t in trades if t.signal.position == side]
        if own:
            entries.append(_markers(f"Entry, {side}", own, "$accent", symbol, size))
    for name, color, symbol, won in (("won", "$win", "circle", True), ("lost", "$loss", "x", False)):
        ended = [trade for trade in trades if is_win(trade) is won]
        if ended:
            paths.append(_paths(ended, color))
            own = [(t.close_timestamp, t.current_price, texts[id(t)]) for t in ended]
            exits.append(_markers(f"Exit, {name}", own, color, symbol, size))
    return [*paths, *entries, *exits]


def _markers(
    name: str, points: Sequence[tuple[int, float, str]], color: str, symbol: str, size: float
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [time for time, _, _ in points],
        "y": [price for _, price, _ in points],
        "text": [text for _, _, text in points],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "symbol": symbol, "size": size},
    }


def _paths(trades: Sequence[ClosedResult], color: str) -> dict[str, Any]:
    """A thin line from each entry to its exit."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [time for t in trades for time in (t.signal.pending_at, t.close_timestamp, None)],
        "y": [price for t in trades for price in (t.signal.price_open, t.current_price, None)],
        "line": {"color": color, "width": 1, "dash": "dot"},
        "connectgaps": False,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def is_win(trade: ClosedResult) -> bool:
    """Whether a trade earned something after costs."""
    return trade.pnl.pnl_percentage > 0


def trade_text(trade: ClosedResult, currency: str) -> str:
    """What is said of a trade when it is pointed at."""
    signal, money = trade.signal, formats.money
    reason = trade.close_reason.replace("_", " ")
    profit = formats.signed_percent(trade.pnl.pnl_percentage, 2)
    lines = [
        f"<b>{escape(signal.position)}, {escape(reason)}: {profit}</b>",
        f"PNL {formats.signed_money(trade.pnl.pnl_cost, currency)}",
        f"Entry {money(signal.price_open, currency)}, exit {money(trade.current_price, currency)}",
        f"TP {money(signal.price_take_profit, currency)}, SL {money(signal.price_stop_loss, currency)}",
        f"{formats.iso_time(signal.pending_at)}<br>to {formats.iso_time(trade.close_timestamp)}",
    ]
    return "<br>".join(lines)


def returns_chart(source: SheetSource) -> Chart:
    """How the profits of the trades are spread."""
    title = "Returns of trades"
    if not source.closed:
        return Chart(id="returns", title=title, note=NO_TRADES)
    bins = series.binned(np.array([trade.pnl.pnl_percentage for trade in source.closed]))
    lows, highs = bins.edges[:-1], bins.edges[1:]
    bars = {
        "type": "bar",
        "x": (lows + highs) / 2,
        "y": bins.counts,
        "width": (highs - lows) * 0.92,
        "marker": {"color": ["$win" if low > -1e-9 else "$loss" for low in lows.tolist()]},
        "text": [f"{low:.4g}% to {high:.4g}%" for low, high in zip(lows.tolist(), highs.tolist(), strict=True)],
        "textposition": "none",
        "hovertemplate": "%{text}: %{y} trades<extra></extra>",
    }
    return Chart(
        id="returns",
        title=title,
        note="Number of trades by net profit.",
        data=[bars],
        layout={"xaxis": {"ticksuffix": "%", "showgrid": False}, "yaxis": {"rangemode": "tozero"}},
    )


def excursion_chart(source: SheetSource) -> Chart:
    """The best and the worst moment inside each trade."""
    title = "Trades from inside"
    if not source.closed:
        return Chart(id="excursions", title=title, note=NO_TRADES)
    trades = source.closed[-TRADES_DRAWN_MAX:]
    traces = []
    for name, color, symbol, won in (("Won", "$win", "circle", True), ("Lost", "$loss", "x", False)):
        own = [trade for trade in trades if is_win(trade) is won]
        points = {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [trade.signal.max_drawdown.pnl_percentage for trade in own],
            "y": [trade.signal.peak_profit.pnl_percentage for trade in own],
            "text": [trade_text(trade, source.currency) for trade in own],
            "hovertemplate": "Worst %{x:.2f}%, best %{y:.2f}%<br>%{text}<extra></extra>",
            "marker": {"color": color, "symbol": symbol, "size": 7, "opacity": 0.75},
        }
        if own:
            traces.append(points)
    cut = f" The newest {len(trades):,} of {len(source.closed):,}." if len(trades) < len(source.closed) else ""
    return Chart(
        id="excursions",
        title=title,
        note=f"Across the worst moment (MAE), upwards the best one (MFE).{cut}",
        data=traces,
        layout={
            "xaxis": {"ticksuffix": "%", "zeroline": True},
            "yaxis": {"ticksuffix": "%", "zeroline": True},
            "hovermode": "closest",
            "showlegend": True,
        },
    )


def breakdown_chart(source: SheetSource) -> Chart:
    """Profit by exit reason, side and symbol."""
    title = f"Where the profit comes from, {source.currency}"
    kinds = (("symbol", "Symbol"), ("side", "Side"), ("exit_reason", "Exit"))
    rows = [(label, row) for by, label in kinds for row in source.analysis.breakdown if row.by == by]
    if not rows:
        return Chart(id="breakdown", title=title, note=NO_TRADES)
    amounts = [row.total_pnl_cost for _, row in rows]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [
            f"{label}: {escape(row.key.replace('_', ' ') if row.by != 'symbol' else row.key)}" for label, row in rows
        ],
        "x": amounts,
        "text": [
            f"{formats.signed_money(row.total_pnl_cost, source.currency)} in {row.trades} trades" for _, row in rows
        ],
        "textposition": "none",
        "marker": {"color": ["$win" if amount > 0 else "$loss" for amount in amounts]},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    return Chart(
        id="breakdown",
        title=title,
        note="Net profit by exit reason, side and symbol.",
        data=[bars],
        layout={
            "yaxis": {"type": "category", "automargin": True, "showgrid": False},
            "xaxis": {"zeroline": True, "tickformat": ",~r"},
            "bargap": 0.35,
        },
        height=max(180, 60 + 32 * len(rows)),
        wide=True,
    )
