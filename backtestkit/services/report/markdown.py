"""`MarkdownService`: the one service behind `get_data`, `get_report` and `dump` of every report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from backtestkit.runtime.clock import Clock
from backtestkit.runtime.context import RunKey, current_run
from backtestkit.runtime.user_code import user_function
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.columns import ColumnLike, ColumnService
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.render import render_report
from backtestkit.services.report.spec import Page, Reported, Settings
from backtestkit.services.report.writers import BackendSlot, DumpOptions, MarkdownFolderBase

DUMP_FOLDER: Final = Path("dump")


class MarkdownService:
    """Renders any report of anything.

    `columns` holds the columns in force, `settings` gives the kit's current config (it bounds the tables), `clock`
    dates the files. An unknown report raises `UsageError` everywhere. `writer` is where dumped reports go.
    """

    def __init__(self, columns: ColumnService, settings: Settings, clock: Clock) -> None:
        self._columns, self._settings, self._clock = columns, settings, clock
        self.writer = BackendSlot(MarkdownFolderBase, "wait_for_init", "dump")

    def get_data(self, report: str, subject: Reported) -> Any:
        """The figures of one report: `BacktestStatistics` for `"backtest"`, whose subject is a run."""
        return report_spec(report).figures(subject)

    def get_report(self, report: str, subject: Reported, columns: Sequence[ColumnLike] | None = None) -> str:
        """The report as markdown. `columns` replaces those of its main table for this once; wrong ones raise `ConfigError`."""
        spec = report_spec(report)
        settings = self._settings()
        main = spec.tables[0].key
        chosen = {
            table.key: self._columns.columns_for(table.key, columns if table.key == main else None)
            for table in spec.tables
        }
        limits: dict[str, int] = {
            table.key: getattr(settings, table.row_limit) for table in spec.tables if table.row_limit is not None
        }
        return render_report(spec, Page(subject, self.get_data(report, subject)), chosen, limits)

    async def dump(
        self,
        report: str,
        subject: Reported,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path | None:
        """Hand the report to the writer in force; by default it becomes a new file in the folder `path`.

        Without a path that is `dump/<report>`. Gives the path of the file, None when the writer made none. Raises what
        `get_report` raises, and what the writer raises: `OSError` when a file cannot be written.
        """
        text = self.get_report(report, subject, columns)
        folder = DUMP_FOLDER / (report_spec(report).folder or report) if path is None else Path(path)
        return await self.write(report, text, subject.key, folder)

    async def write(self, report: str, text: str, key: RunKey, folder: Path) -> Path | None:
        """Hand any text to the writer in force, as the report of that name on the run `key`."""
        run = current_run.get()
        now = self._clock.now_ms() if run is None or not run.clock.available else run.clock.now_ms()
        options = DumpOptions(report, key, folder, report_file_name(key, self._clock), now)
        backend = await self.writer.ready(report)
        answer = await user_function(backend.dump)(text, options)
        return answer if isinstance(answer, Path) else None
