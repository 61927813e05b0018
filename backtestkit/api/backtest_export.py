"""How the result of a backtest leaves the framework: frames, files, a figure, and what notebooks show of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backtestkit.math.statistics_equity import daily_returns, day_ends
from backtestkit.model.analysis import Marks, TradeAnalysis
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import BacktestStatistics, RunSummary
from backtestkit.model.table import Table, Tabular
from backtestkit.model.table_column import TableColumn
from backtestkit.model.trade_table import trade_table
from backtestkit.runtime.context import RunKey

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from backtestkit.model.candle import Candles
    from backtestkit.services.report.figure import Theme

DAILY_COLUMNS = (
    TableColumn("time", "time", about="End of the UTC day, or of the tested span."),
    TableColumn("daily_return", "number", "percent", "Return of the account since the end of the day before."),
)


class BacktestExport(Tabular):
    """The exports of a `BacktestResult`: its trades as frames and files, its account as tables, a figure, a page."""

    if TYPE_CHECKING:
        key: RunKey
        closed: tuple[ClosedResult, ...]
        summary: RunSummary
        market: Marks | None

        @property
        def statistics(self) -> BacktestStatistics: ...
        @property
        def analysis(self) -> TradeAnalysis: ...

    def to_table(self) -> Table:
        """The closed trades, oldest first, one row each; the columns are described in the table."""
        return trade_table(self.closed)

    def daily_table(self) -> Table:
        """The returns of the account by UTC day, idle days included; no rows without trades or once it fell to 0."""
        curve = self.analysis.curve
        returns = None if curve is None else daily_returns(curve)
        if curve is None or returns is None or not len(returns):
            return Table.of_rows(DAILY_COLUMNS, [])
        ends = day_ends(int(curve.times[0]), int(curve.times[-1]))
        return Table.of_cells(DAILY_COLUMNS, [ends, returns])

    def plot(self, candles: Candles | None = None, *, theme: Theme = "light") -> Figure:
        """A plotly figure: price with entries and exits, equity beside buying and holding, drawdown.

        The price is drawn as bars of those `candles` that lie in the tested span, by default as the average prices that
        positions were valued at. Needs plotly (`pip install "backtestkit[plots]"`), else `UsageError`.
        """
        from backtestkit.services.report.figure import run_figure
        from backtestkit.services.report.html.source import SheetSource

        first, last = self.summary.first_time, self.summary.last_time
        if candles is not None and first is not None and last is not None:
            candles = candles[int(candles.timestamp.searchsorted(first)) : int(candles.timestamp.searchsorted(last))]
        return run_figure(
            SheetSource(
                report="backtest",
                subject=self,
                closed=self.closed,
                analysis=self.analysis,
                markets={self.key.symbol: self.market},
                candles={self.key.symbol: candles} if candles is not None and len(candles) else {},
                summary=self.summary,
            ),
            theme,
        )

    def _repr_html_(self) -> str:
        from backtestkit.services.report.notebook import result_page

        return result_page(self)


class RunProgress:
    """A run that notebooks show as a bar of progress."""

    if TYPE_CHECKING:

        @property
        def key(self) -> RunKey: ...
        @property
        def status(self) -> str: ...
        @property
        def progress(self) -> float: ...
        @property
        def closed(self) -> Sequence[ClosedResult]: ...

    def _repr_html_(self) -> str:
        from backtestkit.services.report.notebook import progress_page

        count = len(self.closed)
        return progress_page(
            self.key, self.status, self.progress, f"{count:,} trade{'' if count == 1 else 's'} closed."
        )
