"""What notebooks show of a run: a few figures, its equity as a small line, and the first and last trades."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, Protocol

from backtestkit.model.analysis import EquityCurve, TradeAnalysis
from backtestkit.model.candle import Floats
from backtestkit.model.interval import iso
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import BacktestStatistics, RunSummary
from backtestkit.model.table import Table
from backtestkit.model.table_html import page, table_part
from backtestkit.model.trade_table import TRADE_COLUMNS
from backtestkit.runtime.context import RunKey
from backtestkit.services.report import formats
from backtestkit.services.report.html.series import thinned
from backtestkit.services.report.spec import NOT_AVAILABLE

SHOWN: Final = (
    "position", "open_time", "close_time", "price_open", "price_close", "close_reason", "pnl", "pnl_cost", "duration",
)  # fmt: skip
POINTS: Final = 400
WIDTH, HEIGHT = 640, 120

STYLE: Final = """<style>
.bk-page .bk-title { font-size: 16px; font-weight: 600; }
.bk-page .bk-figures { display: flex; flex-wrap: wrap; gap: 8px 26px; margin: 10px 0; }
.bk-page .bk-figures b { display: block; font-size: 16px; font-weight: 600; }
.bk-page svg.bk-line { display: block; width: 100%; height: 120px; margin: 4px 0; }
.bk-page .bk-bar { height: 6px; border-radius: 3px; background: rgba(128, 128, 128, 0.25); margin: 8px 0; max-width: 420px; }
.bk-page .bk-bar div { height: 6px; border-radius: 3px; background: #4a7fe0; }
</style>"""


class ShownResult(Protocol):
    """What a backtest came to."""

    @property
    def key(self) -> RunKey:
        """Symbol and names."""
        ...

    @property
    def closed(self) -> Sequence[ClosedResult]:
        """The closed trades, oldest first."""
        ...

    @property
    def summary(self) -> RunSummary:
        """What was assumed and what it cost."""
        ...

    @property
    def statistics(self) -> BacktestStatistics:
        """The figures of the trades."""
        ...

    @property
    def analysis(self) -> TradeAnalysis:
        """The analysis of the trades."""
        ...


def result_page(result: ShownResult) -> str:
    """A backtest as a piece of HTML without scripts; every text from outside is escaped."""
    key, curve = result.key, result.analysis.curve
    trades = result.closed
    columns = [column for column in TRADE_COLUMNS if column.name in SHOWN]
    parts = [STYLE, _title(key), f'<div class="bk-quiet">{escape(_assumptions(result))}</div>']
    if not trades:
        return page("".join([*parts, "<p>No position was closed.</p>"]))
    parts.append(_figures(result))
    if curve is not None:
        parts.append(sparkline(curve, f"Equity, {formats.quote_currency(key.symbol)}"))
    parts.append(table_part(Table.of_rows(columns, trades)))
    return page("".join(parts))


def progress_page(key: RunKey, status: str, progress: float, said: str) -> str:
    """How far a run is (`progress` from 0 to 1); `said` is one more sentence on it."""
    done = min(max(progress, 0.0), 1.0) * 100
    bar = f'<div class="bk-bar"><div style="width:{done:.1f}%"></div></div>'
    text = f'<div class="bk-quiet">{escape(status)}, {done:.0f}% done. {escape(said)}</div>'
    return page(f"{STYLE}{_title(key)}{bar}{text}")


def sparkline(curve: EquityCurve, label: str) -> str:
    """The account over time as an SVG line with its start, its highest and lowest value and its end."""
    places = thinned(curve.equity, POINTS)
    times, values = curve.times[places].astype(float), curve.equity[places]
    low, high = float(min(values.min(), curve.capital)), float(max(values.max(), curve.capital))
    span = (high - low) or 1.0
    x = (times - times[0]) / ((times[-1] - times[0]) or 1.0) * WIDTH
    y = 4 + (high - values) / span * (HEIGHT - 8)
    base = 4 + (high - curve.capital) / span * (HEIGHT - 8)
    kind = "bk-win" if values[-1] >= curve.capital else "bk-loss"
    said = f"{label}: {curve.capital:,.2f} to {values[-1]:,.2f}, lowest {low:,.2f}, highest {high:,.2f}"
    if not curve.marked:
        said += "; moves when a trade closes"
    fixed = 'vector-effect="non-scaling-stroke" fill="none" stroke="currentColor"'
    return (
        f'<svg class="bk-line {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img">'
        f"<title>{escape(said)}</title>"
        f'<line x1="0" x2="{WIDTH}" y1="{base:.1f}" y2="{base:.1f}" {fixed} stroke-width="1" stroke-dasharray="4 4" '
        f'opacity="0.45"/><polyline points="{_points(x, y)}" {fixed} stroke-width="1.5"/></svg>'
        f'<div class="bk-quiet">{escape(said)}</div>'
    )


def _points(x: Floats, y: Floats) -> str:
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in zip(x.tolist(), y.tolist(), strict=True))


def _title(key: RunKey) -> str:
    return f'<div class="bk-title">{escape(key.strategy_name)} on {escape(key.symbol)}</div>'


def _assumptions(result: ShownResult) -> str:
    key, summary = result.key, result.summary
    span = (
        f", {iso(summary.first_time)} to {iso(summary.last_time)} UTC"
        if summary.first_time and summary.last_time
        else ""
    )
    said = [f"{key.exchange_name}, {key.frame_name}{span}", f"policy {summary.policy}"]
    if summary.percent_fee is not None:
        said.append(f"fee {formats.number(summary.percent_fee)}%")
    if summary.percent_slippage is not None:
        said.append(f"slippage {formats.number(summary.percent_slippage)}%")
    return " · ".join(said)


def _figures(result: ShownResult) -> str:
    statistics, equity = result.statistics, result.analysis.equity
    currency = formats.quote_currency(result.key.symbol)
    shown = [
        ("Trades", f"{statistics.total_signals:,}"),
        ("Win rate", formats.percent(statistics.win_rate, 1)),
        ("Net profit", formats.signed_money(statistics.total_pnl_cost, currency)),
        ("Return", None if equity is None else formats.signed_percent(equity.total_return, 2)),
        ("Max drawdown", None if equity is None else formats.percent(equity.max_drawdown, 2)),
        ("Sharpe, daily", None if equity is None else formats.fixed(equity.sharpe_ratio, 2)),
        ("Profit factor", formats.fixed(statistics.profit_factor, 2)),
        ("Ambiguous exits", formats.number(result.summary.ambiguous_exits)),
    ]
    made = (
        f'<div><span class="bk-quiet">{label}</span><b>{escape(value or NOT_AVAILABLE)}</b></div>'
        for label, value in shown
    )
    return f'<div class="bk-figures">{"".join(made)}</div>'
