"""`MarkdownService`: the one service behind `get_data`, `get_report` and `dump` of every report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.files import write_atomic
from backtestkit.services.report.catalog import report_spec
from backtestkit.services.report.columns import ColumnLike, ColumnService
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.render import render_report
from backtestkit.services.report.rows import RowSource
from backtestkit.services.report.spec import Settings

DUMP_FOLDER = Path("dump")


class MarkdownService:
    """Renders any report of any run.

    - `source`: the rows of the runs.
    - `columns`: the columns in force.
    - `settings`: the kit's current config, which bounds the tables.
    - `clock`: dates the files.
    """

    def __init__(self, source: RowSource, columns: ColumnService, settings: Settings, clock: Clock) -> None:
        self._source, self._columns, self._settings, self._clock = source, columns, settings, clock

    def get_data(self, report: str, key: RunKey) -> Any:
        """The figures of one report, for instance `BacktestStatistics`.

        Raises `UsageError` when no run of that key has started.
        """
        return report_spec(report).statistics(self._rows(report, key))

    def get_report(self, report: str, key: RunKey, columns: Sequence[ColumnLike] | None = None) -> str:
        """The report as markdown. `columns` replaces those in force for this once.

        Raises `UsageError` when no run of that key has started, `ConfigError` when the columns are wrong.
        """
        spec = report_spec(report)
        chosen = self._columns.columns_for(report, columns)
        figures = spec.statistics(self._rows(report, key))
        row_limit = getattr(self._settings(), spec.row_limit)
        return render_report(spec, key, figures, chosen, row_limit, self._source.summary(key))

    async def dump(
        self,
        report: str,
        key: RunKey,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path:
        """Write the report into the folder `path` (default `dump/<report>`) and give the file's path.

        Every call writes a new file. Errors are those of `get_report`, and what the file system raises.
        """
        text = self.get_report(report, key, columns)
        folder = DUMP_FOLDER / report if path is None else Path(path)
        file = folder / report_file_name(key, self._clock)
        await write_atomic(file, text.encode())
        return file

    def _rows(self, report: str, key: RunKey) -> Sequence[Any]:
        rows = self._source.rows(report, key)
        if rows is None:
            known = "; ".join(_names(other) for other in self._source.runs() if other.mode == key.mode)
            hint = f"Runs so far: {known}." if known else f"There was no {key.mode} run yet; start one first."
            raise UsageError(f"no {key.mode} run of {_names(key)} has started in this kit. {hint}")
        return rows


def _names(key: RunKey) -> str:
    names = (key.symbol, key.strategy_name, key.exchange_name, key.frame_name)
    return ", ".join(repr(name) for name in names if name)
