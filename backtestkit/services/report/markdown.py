"""`MarkdownService`: the one service behind `get_data`, `get_report` and `dump` of every report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtestkit.runtime.clock import Clock
from backtestkit.runtime.files import write_atomic
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.columns import ColumnLike, ColumnService
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.render import render_report
from backtestkit.services.report.spec import ReportedRun, Settings

DUMP_FOLDER = Path("dump")


class MarkdownService:
    """Renders any report of any run.

    `columns` holds the columns in force, `settings` gives the kit's current config (it bounds the tables), `clock`
    dates the files. An unknown report raises `UsageError` everywhere.
    """

    def __init__(self, columns: ColumnService, settings: Settings, clock: Clock) -> None:
        self._columns, self._settings, self._clock = columns, settings, clock

    def get_data(self, report: str, run: ReportedRun) -> Any:
        """The figures of one report of `run`: `BacktestStatistics` for `"backtest"`."""
        spec = report_spec(report)
        return spec.statistics(spec.source(run))

    def get_report(self, report: str, run: ReportedRun, columns: Sequence[ColumnLike] | None = None) -> str:
        """The report as markdown. `columns` replaces those in force for this once; wrong ones raise `ConfigError`."""
        spec = report_spec(report)
        chosen = self._columns.columns_for(report, columns)
        row_limit = getattr(self._settings(), spec.row_limit)
        return render_report(spec, run.key, self.get_data(report, run), chosen, row_limit, run.summary)

    async def dump(
        self,
        report: str,
        run: ReportedRun,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path:
        """Write the report into the folder `path` (default `dump/<report>`) and give the file's path.

        Every call writes a new file. Raises what `get_report` raises, and `OSError` when the file cannot be written.
        """
        text = self.get_report(report, run, columns)
        folder = DUMP_FOLDER / report if path is None else Path(path)
        file = folder / report_file_name(run.key, self._clock)
        await write_atomic(file, text.encode())
        return file
