"""Reports on runs and on events, and the two switches behind the reports on events.

    bk.Markdown.enable(partial=True, schedule=True)       # before the run
    ...
    print(bk.Partial.get_report("BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f"))

`Backtest` and `Heat` read what runs keep and need no switch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypedDict, TypeVar, Unpack

from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.math.statistics_analysis import analyse
from backtestkit.math.statistics_heat import heat_statistics, trades_by_symbol
from backtestkit.model.analysis import TradeAnalysis, TradingYear
from backtestkit.model.statistics import HeatStatistics
from backtestkit.model.statistics_events import (
    BreakevenStatistics,
    HighestProfitStatistics,
    MaxDrawdownStatistics,
    PartialStatistics,
    PerformanceStatistics,
    RiskStatistics,
    ScheduleStatistics,
    StrategyStatistics,
    SyncStatistics,
)
from backtestkit.runtime.context import RunKey
from backtestkit.services.core.run_book import describe

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestRun
    from backtestkit.services.report.columns import ColumnLike
    from backtestkit.services.report.html.source import SheetSource
    from backtestkit.services.report.journal import JournalFactory
    from backtestkit.services.report.spec import Subject
    from backtestkit.services.report.writers import MarkdownFactory

Figures = TypeVar("Figures", covariant=True)
ALL_STRATEGIES: Final = "all strategies"


class ReportNames(TypedDict, total=False):
    """The thirteen reports, each with True for meant."""

    backtest: bool
    live: bool
    heat: bool
    walker: bool
    schedule: bool
    partial: bool
    breakeven: bool
    highest_profit: bool
    max_drawdown: bool
    risk: bool
    strategy: bool
    sync: bool
    performance: bool


class EventReport(Generic[Figures]):
    """A report on the events of a run, collected while `Markdown.enable` is on for it.

    The context of the run is given by keywords; without `frame_name` it is a live run. `UsageError` is raised when
    nothing is collected for the report, or when there is no such run.
    """

    def __init__(self, report: str, about: str) -> None:
        """`report` is its name, `about` what it tells."""
        self._report = report
        self.__doc__ = f"{about} `get_data`, `get_report` and `dump`, after `Markdown.enable({report}=True)`."

    def get_data(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str = "") -> Figures:
        """The figures of all events of the newest run of this context, and the newest of the events."""
        figures: Figures = self._subject(symbol, strategy_name, exchange_name, frame_name).figures
        return figures

    def get_report(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str = "",
        columns: Sequence[ColumnLike] | None = None,
    ) -> str:
        """The same as markdown; `columns` replaces those of its table for this once."""
        subject = self._subject(symbol, strategy_name, exchange_name, frame_name)
        return current_kit().container.markdown().get_report(self._report, subject, columns)

    async def dump(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str = "",
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path | None:
        """Write the markdown report into the folder `path`; gives the file, None when the writer in force made none."""
        subject = self._subject(symbol, strategy_name, exchange_name, frame_name)
        return await current_kit().container.markdown().dump(self._report, subject, path, columns)

    def _subject(self, symbol: str, strategy_name: str, exchange_name: str, frame_name: str) -> Subject:
        kit = current_kit()
        collector = kit.container.report_collector()
        key = RunKey(symbol, strategy_name, exchange_name, frame_name, bool(frame_name))
        subject = collector.subject(self._report, key)
        if not collector.has(self._report, key):
            kit.runs.get(key)  # no events is an answer, no such run is a mistake
        return subject

    def __repr__(self) -> str:
        return f"<{self._report} report>"


class _Heat:
    """The portfolio over all symbols: every run of this kit with the same exchange and frame, live runs without a frame.

    Each run counts with what it has come to so far. `capital` (quote currency) is what the account under `equity` starts with, by
    default the largest cost basis that was at work at once. `UsageError` when nothing of that was run.
    """

    def get_data(
        self,
        *,
        exchange_name: str,
        frame_name: str = "",
        strategy_name: str | None = None,
        capital: float | None = None,
    ) -> HeatStatistics:
        """The figures of each symbol and of the portfolio, of one strategy or of all (None)."""
        figures: HeatStatistics = self._subject(exchange_name, frame_name, strategy_name, capital).figures
        return figures

    def analyse(
        self,
        *,
        exchange_name: str,
        frame_name: str = "",
        strategy_name: str | None = None,
        capital: float | None = None,
        year: TradingYear | None = None,
    ) -> TradeAnalysis:
        """Equity, daily returns, quality, costs, benchmark and breakdowns of all trades together.

        `capital` is what the account starts with, `year` says how daily figures are taken to a year, by default that of
        the exchange.
        """
        sets = [run.snapshot().trade_set() for run in _runs(exchange_name, frame_name, strategy_name)]
        return analyse(sets, capital, year)

    def get_report(
        self,
        *,
        exchange_name: str,
        frame_name: str = "",
        strategy_name: str | None = None,
        capital: float | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> str:
        """Both as markdown; `columns` replaces those of the table of symbols for this once."""
        subject = self._subject(exchange_name, frame_name, strategy_name, capital)
        return current_kit().container.markdown().get_report("heat", subject, columns)

    async def dump(
        self,
        *,
        exchange_name: str,
        frame_name: str = "",
        strategy_name: str | None = None,
        capital: float | None = None,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path | None:
        """Write the markdown report into the folder `path`; gives the file, None when the writer in force made none."""
        subject = self._subject(exchange_name, frame_name, strategy_name, capital)
        return await current_kit().container.markdown().dump("heat", subject, path, columns)

    def get_html(
        self,
        *,
        exchange_name: str,
        frame_name: str,
        strategy_name: str | None = None,
        capital: float | None = None,
    ) -> str:
        """The tear sheet of the portfolio: one HTML page with charts that needs no network.

        `UsageError` when plotly is not installed (`pip install "backtestkit[plots]"`).
        """
        return current_kit().container.html().get_html(self._sheet(exchange_name, frame_name, strategy_name, capital))

    async def dump_html(
        self,
        *,
        exchange_name: str,
        frame_name: str,
        strategy_name: str | None = None,
        capital: float | None = None,
        path: str | Path | None = None,
    ) -> Path:
        """Write the tear sheet into the folder `path`, or as the file `path` when that ends with `.html`.

        Without a path the folder is `dump/html`. Gives the file. Raises what `get_html` raises, and `OSError`.
        """
        source = self._sheet(exchange_name, frame_name, strategy_name, capital)
        return await current_kit().container.html().dump(source, path)

    def _sheet(
        self, exchange_name: str, frame_name: str, strategy_name: str | None, capital: float | None
    ) -> SheetSource:
        from backtestkit.services.report.html.service import portfolio_source

        subject = self._subject(exchange_name, frame_name, strategy_name, capital)
        runs = _runs(exchange_name, frame_name, strategy_name)
        sets = [run.snapshot().trade_set() for run in runs]
        assert subject.analysis is not None, "the subject of the heat report has its analysis"
        candles = {run.key.symbol: run.state.candles() for run in runs}
        return portfolio_source(subject, sets, subject.analysis, candles)

    def _subject(
        self, exchange_name: str, frame_name: str, strategy_name: str | None, capital: float | None
    ) -> Subject:
        from backtestkit.services.report.spec import Subject

        analysis = self.analyse(
            exchange_name=exchange_name, frame_name=frame_name, strategy_name=strategy_name, capital=capital
        )
        runs = _runs(exchange_name, frame_name, strategy_name)
        statistics = heat_statistics(trades_by_symbol(run.closed for run in runs))
        key = RunKey("", strategy_name or ALL_STRATEGIES, exchange_name, frame_name, bool(frame_name))
        return Subject(key, replace(statistics, equity=analysis.equity), analysis)


def _runs(exchange_name: str, frame_name: str, strategy_name: str | None) -> list[BacktestRun]:
    """The runs of this kit with these names, oldest first; `UsageError` without any."""
    there = current_kit().runs.all()
    wanted = (exchange_name, frame_name)
    runs = [
        run
        for run in there
        if (run.key.exchange_name, run.key.frame_name) == wanted and strategy_name in (None, run.key.strategy_name)
    ]
    if not runs:
        asked = " / ".join(name for name in (strategy_name, *wanted) if name)
        known = "; ".join(describe(run.key) for run in there[:5]) or "nothing was run yet"
        raise UsageError(f"there is no run of {asked}. Known: {known}.")
    return runs


def _chosen(reports: ReportNames) -> list[str] | None:
    """The reports that are True, None for all when nothing was said; `UsageError` for a name that no report has."""
    from backtestkit.services.report.catalog import report_spec

    for name in reports:
        report_spec(name)
    return [name for name, meant in reports.items() if meant] if reports else None


class _Markdown:
    """The switch of the reports on events, and where all markdown reports are written.

    Without a name every call means all reports; with names it means those that are True. What is enabled twice is
    enabled once. `backtest`, `live`, `heat` and `walker` may be named too; they read what runs keep.
    """

    def enable(self, **reports: Unpack[ReportNames]) -> Callable[[], None]:
        """Collect events for these reports from now on. The answer stops that and forgets what was collected."""
        return current_kit().container.report_collector().enable(_chosen(reports))

    def disable(self, **reports: Unpack[ReportNames]) -> None:
        """Stop collecting for these reports and forget what was collected; the others go on."""
        current_kit().container.report_collector().disable(_chosen(reports))

    def clear(self, **reports: Unpack[ReportNames]) -> None:
        """Forget the events collected for these reports; collecting goes on."""
        current_kit().container.report_collector().clear(_chosen(reports))

    def use_md(self) -> None:
        """Write every report into a file of its own (the default)."""
        from backtestkit.services.report.writers import MarkdownFolderBase

        self.use_markdown_adapter(MarkdownFolderBase)

    def use_jsonl(self) -> None:
        """Append reports to `dump/markdown/<report>.jsonl`."""
        from backtestkit.services.report.writers import MarkdownFileBase

        self.use_markdown_adapter(MarkdownFileBase)

    def use_dummy(self) -> None:
        """Write nothing."""
        from backtestkit.services.report.writers import MarkdownDummy

        self.use_markdown_adapter(MarkdownDummy)

    def use_markdown_adapter(self, adapter: MarkdownFactory) -> None:
        """Give reports to a class of your own: `adapter(report)` with `wait_for_init(initial)` and `dump(content, options)`.

        Both may be plain or async; `options` is a `DumpOptions`. It takes over at once, also for names used before.
        """
        current_kit().container.markdown().writer.use(adapter)


class _Report:
    """The switch of the JSONL journals of events: `dump/report/<report>.jsonl`, one object a line.

    Without a name every call means all journals; with names it means those that are True. What is enabled twice is
    enabled once. Lines of a backtest are written in blocks and at its end, those of a live run at once.
    """

    def enable(self, **reports: Unpack[ReportNames]) -> Callable[[], None]:
        """Write the events of these reports from now on. The answer stops that."""
        return current_kit().container.report_journal().enable(_chosen(reports))

    def disable(self, **reports: Unpack[ReportNames]) -> None:
        """Stop writing the events of these reports; what was heard until now is written."""
        current_kit().container.report_journal().disable(_chosen(reports))

    async def flush(self) -> None:
        """Wait until everything heard so far is on the disk."""
        await current_kit().container.report_journal().flush()

    def use_jsonl(self) -> None:
        """Write files (the default)."""
        from backtestkit.services.report.journal_file import ReportBase

        self.use_report_adapter(ReportBase)

    def use_dummy(self) -> None:
        """Write nothing."""
        from backtestkit.services.report.journal import JournalDummy

        self.use_report_adapter(JournalDummy)

    def use_report_adapter(self, adapter: JournalFactory) -> None:
        """Give events to a class of your own: `adapter(report)` with `wait_for_init(initial)` and `write(data, options)`.

        Both may be plain or async; `options` is a `WriteOptions`. It takes over at once, also for names used before.
        """
        current_kit().container.report_journal().use(adapter)


Heat = _Heat()
Markdown = _Markdown()
Report = _Report()
Schedule: EventReport[ScheduleStatistics] = EventReport("schedule", "What became of entries that waited.")
Partial: EventReport[PartialStatistics] = EventReport("partial", "Milestones on the way to take profit and stop loss.")
Breakeven: EventReport[BreakevenStatistics] = EventReport("breakeven", "When breakeven became possible.")
HighestProfit: EventReport[HighestProfitStatistics] = EventReport("highest_profit", "New best points of positions.")
MaxDrawdown: EventReport[MaxDrawdownStatistics] = EventReport("max_drawdown", "New worst points of positions.")
Risk: EventReport[RiskStatistics] = EventReport("risk", "Signals that risk rules refused.")
Strategy: EventReport[StrategyStatistics] = EventReport("strategy", "Commands that took effect.")
Sync: EventReport[SyncStatistics] = EventReport("sync", "Questions to the exchange's gates; live only.")
Performance: EventReport[PerformanceStatistics] = EventReport("performance", "How long runs, ticks and signals took.")
