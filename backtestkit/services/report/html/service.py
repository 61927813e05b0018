"""`HtmlService`: hands out tear sheets and writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from backtestkit.config import Config
from backtestkit.math.statistics_positions import TradeSet
from backtestkit.model.analysis import Marks, TradeAnalysis
from backtestkit.model.candle import Candles
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.files import write_atomic
from backtestkit.services.report.columns import ColumnService
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.html.sheet import tear_sheet
from backtestkit.services.report.html.source import SheetColumns, SheetSource
from backtestkit.services.report.html.tables import reading_order
from backtestkit.services.report.markdown import DUMP_FOLDER
from backtestkit.services.report.spec import Column, Reported, ReportedRun


class AnalysedRun(ReportedRun, Protocol):
    """What a backtest came to, with its analysis and the prices it was valued at."""

    @property
    def analysis(self) -> TradeAnalysis:
        """The analysis of the trades."""
        ...

    @property
    def market(self) -> Marks | None:
        """The prices that positions were valued at."""
        ...


class HtmlService:
    """Makes tear sheets. `columns` holds the columns in force, `clock` dates the files."""

    def __init__(self, columns: ColumnService, clock: Clock) -> None:
        self._columns, self._clock = columns, clock

    def get_html(self, source: SheetSource) -> str:
        """The page as text; `UsageError` when plotly is not installed."""
        trades: Sequence[Column[Any]] = self._columns.columns_for("backtest")
        if self._columns.get_columns()["backtest"] is self._columns.get_default_columns()["backtest"]:
            trades = reading_order(trades)
        return tear_sheet(source, SheetColumns(trades=trades, symbols=self._columns.columns_for("heat")))

    async def dump(self, source: SheetSource, path: str | Path | None = None) -> Path:
        """Write the page as a new file in the folder `path`, by default `dump/html`; gives the file.

        A path that ends with `.html` is the file itself. Raises what `get_html` raises, and `OSError`.
        """
        text = self.get_html(source)
        target = DUMP_FOLDER / "html" if path is None else Path(path)
        if target.suffix != ".html":
            target /= report_file_name(source.key, self._clock, ".html")
        await write_atomic(target, text.encode())
        return target


def portfolio_source(
    subject: Reported, sets: Sequence[TradeSet], analysis: TradeAnalysis, candles: Mapping[str, Candles | None]
) -> SheetSource:
    """The tear sheet of several backtests together.

    `subject` is what the heat report is about, `candles` those of the tested span by symbol.
    """
    trades = sorted(chain.from_iterable(own.trades for own in sets), key=lambda trade: trade.close_timestamp)
    markets = {own.symbol: own.marks for own in sets}
    return SheetSource(
        report="heat",
        subject=subject,
        closed=trades,
        analysis=analysis,
        markets=markets,
        candles=there(candles),
    )


def backtest_source(run: AnalysedRun, candles: Candles | None, config: Config) -> SheetSource:
    """The tear sheet of one backtest; `candles` are those of its span, `config` what was in force."""
    return SheetSource(
        report="backtest",
        subject=run,
        closed=run.closed,
        analysis=run.analysis,
        markets={run.key.symbol: run.market},
        candles=there({run.key.symbol: candles}),
        summary=run.summary,
        config=config.model_dump(),
    )


def there(candles: Mapping[str, Candles | None]) -> dict[str, Candles]:
    """The candles of the symbols that have some."""
    return {symbol: own for symbol, own in candles.items() if own is not None and len(own)}
