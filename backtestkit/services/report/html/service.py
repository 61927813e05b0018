"""`HtmlService`: hands out tear sheets and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from backtestkit.config import Config
from backtestkit.math.statistics_positions import TradeSet
from backtestkit.model.analysis import Marks, TradeAnalysis
from backtestkit.model.candle import Candles
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.files import write_atomic
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.html.sheet import tear_sheet
from backtestkit.services.report.html.source import SheetSource
from backtestkit.services.report.markdown import DUMP_FOLDER
from backtestkit.services.report.spec import Reported, ReportedRun, Settings


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
    """Makes tear sheets. `settings` gives the kit's current config, `clock` dates the files."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def get_html(self, source: SheetSource) -> str:
        """The page as text; `UsageError` when plotly is not installed."""
        return tear_sheet(source, self._settings())

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


def portfolio_source(subject: Reported, sets: Sequence[TradeSet], analysis: TradeAnalysis) -> SheetSource:
    """The tear sheet of several backtests together. `subject` is what the heat report is about."""
    trades = sorted(chain.from_iterable(own.trades for own in sets), key=lambda trade: trade.close_timestamp)
    markets = {own.symbol: own.marks for own in sets}
    return SheetSource(report="heat", subject=subject, closed=trades, analysis=analysis, markets=markets)


def backtest_source(run: AnalysedRun, candles: Candles | None, config: Config) -> SheetSource:
    """The tear sheet of one backtest; `candles` are those of its span, `config` what was in force."""
    return SheetSource(
        report="backtest",
        subject=run,
        closed=run.closed,
        analysis=run.analysis,
        markets={run.key.symbol: run.market},
        candles=candles,
        summary=run.summary,
        config=config.model_dump(),
    )
