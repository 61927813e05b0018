"""The market with the trades in it: for the page, which fills in what is in view, and as one still figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Any, Final

import numpy as np

from backtestkit.model.analysis import Marks
from backtestkit.model.candle import Floats
from backtestkit.model.result import ClosedResult
from backtestkit.services.report import formats
from backtestkit.services.report.html import series
from backtestkit.services.report.html.packing import DECIMALS_MAX, decimals_of, packed
from backtestkit.services.report.html.source import Chart, Market, SheetSource

TRADES_DRAWN_MAX: Final = 10_000
FIGURE_TRADES_MAX: Final = 2_000
NO_PRICES: Final = "The prices of this run are not at hand."
TRADE_LEGEND: Final = (
    ("up", "accent", "Long entry"),
    ("down", "accent", "Short entry"),
    ("circle", "win", "Exit, won"),
    ("cross", "loss", "Exit, lost"),
)

# -- how things look --------------------------------------------------------------------------------------------------


def _area(color: str) -> dict[str, Any]:
    """The way from the entry to a level, as rectangles."""
    line = {"color": f"${color}", "width": 1}
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "fillcolor": f"${color}-soft", "line": line, "opacity": 0.8,
        "hoverinfo": "skip", "connectgaps": False,
    }  # fmt: skip


def _path(color: str) -> dict[str, Any]:
    """The way from the entry to the exit."""
    line = {"color": f"${color}", "width": 1.25, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip", "connectgaps": False}


def _marks(name: str, color: str, symbol: str) -> dict[str, Any]:
    marker = {"color": f"${color}", "symbol": symbol, "size": 9, "line": {"color": "$surface", "width": 1}}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _results(color: str) -> dict[str, Any]:
    """Bars in the lane below the price."""
    marker = {"color": f"${color}", "line": {"width": 0}}
    return {
        "type": "bar", "yaxis": "y2", "marker": marker, "textposition": "none", "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "candles": {
        "type": "candlestick",
        "increasing": {"line": {"color": "$bar", "width": 1}, "fillcolor": "$surface"},
        "decreasing": {"line": {"color": "$bar", "width": 1}, "fillcolor": "$bar"},
        "hoverinfo": "text",
        "showlegend": False,
    },
    "average": {
        "type": "scatter",
        "mode": "lines",
        "name": "Average price",
        "line": {"color": "$bar", "width": 1.25},
        "hovertemplate": "%{x|%-d %b %Y, %H:%M}: %{y:,}<extra></extra>",
    },
    "targets": _area("win"),
    "stops": _area("loss"),
    "paths_won": _path("win"),
    "paths_lost": _path("loss"),
    "long": _marks("Entry, long", "accent", "triangle-up"),
    "short": _marks("Entry, short", "accent", "triangle-down"),
    "won": _marks("Exit, won", "win", "circle"),
    "lost": _marks("Exit, lost", "loss", "x"),
    "gains": _results("win"),
    "losses": _results("loss"),
}
"""The traces of a price chart without their columns, in the order in which they lie on each other."""
PRICE_LOOKS: Final = ("candles", "average")


def drawn_trades(source: SheetSource) -> list[ClosedResult]:
    """The trades that charts mark: the newest ones that have both times, oldest first."""
    timed = [trade for trade in source.closed if trade.signal.pending_at > 0 and trade.close_timestamp > 0]
    return timed[-TRADES_DRAWN_MAX:]


def is_win(trade: ClosedResult) -> bool:
    """Whether a trade earned something after costs."""
    return trade.pnl.pnl_percentage > 0


# -- on the page ------------------------------------------------------------------------------------------------------


def price_chart(source: SheetSource) -> Chart:
    """The market with the trades in it; of several symbols the page shows one at a time."""
    markets = [
        market for place, symbol in enumerate(source.symbols) if (market := _market(source, place, symbol)) is not None
    ]
    if not markets:
        return Chart(id="price", title="Price and trades", note=NO_PRICES, wide=True)
    count, total = len(drawn_trades(source)), len(source.closed)
    cut = f" The newest {count:,} of {total:,} trades are marked." if count < total else ""
    looks = LOOKS if count else PRICE_LOOKS
    layout = {"hovermode": "closest", "barmode": "overlay", "bargap": 0}
    lane = {
        "xaxis": {"anchor": "y2"},
        "yaxis": {"domain": [0.15, 1]},
        "yaxis2": {"domain": [0, 0.11], "tickvals": [0], "ticktext": ["Results"], "zeroline": True},
    }
    return Chart(
        id="price",
        title="Price and trades" if source.report == "heat" else f"{source.key.symbol}: price and trades",
        note=_price_note(source) + cut,
        unit=markets[0].currency,
        data=[{**LOOKS[meta], "meta": meta} for meta in looks],
        layout=layout | (lane if count else {}),
        markets=markets,
        legend=TRADE_LEGEND if count else (),
        height=500,
        wide=True,
        zoom=True,
    )


def trade_columns(source: SheetSource) -> dict[str, Any]:
    """What charts say about each of `drawn_trades`, as columns; charts refer to them by their places."""
    trades, symbols = drawn_trades(source), source.symbols
    reasons = list(dict.fromkeys(trade.close_reason for trade in trades))

    def floats(read: Any) -> Any:
        return packed(np.array([float(read(trade)) for trade in trades]))

    return {
        "symbol": [symbols.index(trade.symbol) for trade in trades],
        "decimals": [_decimals(source, symbol) for symbol in symbols],
        "opened": floats(lambda trade: trade.signal.pending_at),
        "closed": floats(lambda trade: trade.close_timestamp),
        "entry": floats(lambda trade: trade.signal.price_open),
        "exit": floats(lambda trade: trade.current_price),
        "target": floats(lambda trade: trade.signal.price_take_profit),
        "stop": floats(lambda trade: trade.signal.price_stop_loss),
        "side": [1 if trade.signal.position == "long" else -1 for trade in trades],
        "pnl": floats(lambda trade: trade.pnl.pnl_percentage),
        "won": [int(is_win(trade)) for trade in trades],
        "profit": [formats.signed_percent(trade.pnl.pnl_percentage, 2) for trade in trades],
        "amount": [formats.signed_money(trade.pnl.pnl_cost, formats.quote_currency(trade.symbol)) for trade in trades],
        "reason": [reasons.index(trade.close_reason) for trade in trades],
        "reasons": [reason.replace("_", " ") for reason in reasons],
    }


def _market(source: SheetSource, place: int, symbol: str) -> Market | None:
    """What the page keeps of the prices of a symbol; None without any."""
    marks, width = source.markets[symbol], 0
    if symbol in source.candles:
        bars = _bars(source, symbol)
        names = {"x": "time", "open": "open", "high": "high", "low": "low", "close": "close"}
        columns, width = {name: packed(getattr(bars, field)) for name, field in names.items()}, bars.width
    elif marks is not None and len(marks.times):
        places = series.thinned(marks.prices, series.PRICES_MAX)
        columns = {"x": packed(marks.times[places] + marks.offset), "y": packed(marks.prices[places])}
    else:
        return None
    return Market(
        symbol=symbol,
        place=place,
        currency=formats.quote_currency(symbol),
        decimals=_decimals(source, symbol),
        width=width,
        columns=columns,
    )


def _price_note(source: SheetSource) -> str:
    symbol = next(iter(source.candles), None)
    if symbol is None:
        return "The average prices that positions were valued at."
    bars, count = _bars(source, symbol), len(source.candles[symbol])
    if len(bars.time) < count:
        return f"{bars.name} bars, made of {count:,} candles; of a longer time several are drawn as one."
    return f"{count:,} candles of {bars.name}; of a longer time several are drawn as one."


def _bars(source: SheetSource, symbol: str) -> series.BarColumns:
    """The candles of a symbol; several symbols share what a page can hold."""
    return series.resampled(source.candles[symbol], series.BARS_MAX // len(source.candles))


def _decimals(source: SheetSource, symbol: str) -> int:
    """How prices of a symbol are written: as its candles are, else with six digits."""
    marks = source.markets[symbol]
    if symbol in source.candles:
        closes = source.candles[symbol].close
        exact = decimals_of(closes)
        return _readable(closes) if exact is None else exact
    return 2 if marks is None or not len(marks.prices) else _readable(marks.prices)


def _readable(prices: Floats) -> int:
    return min(DECIMALS_MAX, max(0, 5 - floor(log10(max(float(prices.max()), 1e-8)))))


# -- as a still figure ------------------------------------------------------------------------------------------------


def still_price_chart(source: SheetSource) -> Chart:
    """The market of one symbol with its newest trades, with all columns filled in."""
    prices, note = _still_prices(source)
    if not prices:
        return Chart(id="price", title="Price and trades", note=NO_PRICES, wide=True)
    trades = drawn_trades(source)
    if len(trades) > FIGURE_TRADES_MAX:
        note += f" The newest {FIGURE_TRADES_MAX:,} of {len(trades):,} trades are marked."
    times = prices[0]["x"]
    return Chart(
        id="price",
        title=f"{source.key.symbol}: price and trades",
        note=note,
        data=[*prices, *_still_marks(trades[-FIGURE_TRADES_MAX:], source.currency)],
        layout={"xaxis": {"type": "date", "rangeslider": {"visible": False}, "range": [int(times[0]), int(times[-1])]}},
    )


def _still_prices(source: SheetSource) -> tuple[list[dict[str, Any]], str]:
    """What is drawn of the market, and a sentence that says what it is."""
    candles = source.candles.get(source.key.symbol)
    if candles is not None:
        bars = series.resampled(candles, series.FIGURE_BARS_MAX)
        note = f"{bars.name} bars" + (f" made of {len(candles):,} candles." if len(bars.time) < len(candles) else ".")
        columns = {"x": bars.time, "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
        return [{**LOOKS["candles"], "hoverinfo": "x+y", "name": bars.name, **columns}], note
    marks: Marks | None = source.markets.get(source.key.symbol)
    if marks is None or not len(marks.times):
        return [], ""
    places = series.thinned(marks.prices)
    line = {**LOOKS["average"], "x": marks.times[places] + marks.offset, "y": marks.prices[places]}
    return [line], "The average prices that positions were valued at; candles are not at hand."


def _still_marks(trades: Sequence[ClosedResult], currency: str) -> list[dict[str, Any]]:
    """Entries as triangles in the direction of the trade, exits as circles (won) and crosses (lost)."""
    size = 9 if len(trades) <= 100 else 6 if len(trades) <= 600 else 4.5
    paths, entries, exits = [], [], []
    for side in ("long", "short"):
        own = [trade for trade in trades if trade.signal.position == side]
        points = [(trade.signal.pending_at, trade.signal.price_open) for trade in own]
        entries += _still_points(side, own, points, currency, size)
    for name in ("won", "lost"):
        own = [trade for trade in trades if is_win(trade) is (name == "won")]
        points = [(trade.close_timestamp, trade.current_price) for trade in own]
        exits += _still_points(name, own, points, currency, size)
        if own:
            path = [
                point
                for t in own
                for point in (
                    (t.signal.pending_at, t.signal.price_open),
                    (t.close_timestamp, t.current_price),
                    (None, None),
                )
            ]
            shown = {"x": [time for time, _ in path], "y": [price for _, price in path], "showlegend": False}
            paths.append({**LOOKS[f"paths_{name}"], **shown})
    return [*paths, *entries, *exits]


def _still_points(
    name: str, trades: Sequence[ClosedResult], points: Sequence[tuple[int, float]], currency: str, size: float
) -> list[dict[str, Any]]:
    if not trades:
        return []
    look = LOOKS[name]
    columns = {
        "x": [time for time, _ in points],
        "y": [price for _, price in points],
        "text": [trade_text(trade, currency) for trade in trades],
    }
    return [{**look, **columns, "marker": {**look["marker"], "size": size}}]


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
