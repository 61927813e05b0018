"""Handing texts and records of your own to the writers of reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.runtime.context import RunKey


class _MarkdownWriter:
    """Writes a text where `Markdown` writes its reports."""

    async def write_data(
        self,
        report: str,
        content: str,
        *,
        symbol: str = "",
        strategy_name: str = "",
        exchange_name: str = "",
        frame_name: str = "",
        path: str | Path | None = None,
    ) -> Path | None:
        """Hand `content` to the writer in force, as a report of that name; names that are empty are left out.

        By default it becomes a new file in the folder `path`, without one in `dump/<report>`; its path is the answer. A name
        that is no file name raises `UsageError`.
        """
        from backtestkit.services.report.markdown import DUMP_FOLDER

        _check(report)
        key = RunKey(symbol, strategy_name, exchange_name, frame_name, bool(frame_name))
        folder = DUMP_FOLDER / report if path is None else Path(path)
        return await current_kit().container.markdown().write(report, content, key, folder)


class _ReportWriter:
    """Writes a record where `Report` writes events."""

    async def write_data(
        self,
        report: str,
        data: Mapping[str, Any],
        *,
        timestamp: int,
        symbol: str = "",
        strategy_name: str = "",
        exchange_name: str = "",
        frame_name: str = "",
        signal_id: str = "",
        walker_name: str = "",
    ) -> None:
        """Hand `data` of the time `timestamp` (ms UTC) to the writer in force; names that are empty are left out.

        By default it becomes a line of `dump/report/<report>.jsonl`, with the lines of a backtest (those with a frame) in
        blocks and others at once. A name that is no file name raises `UsageError`.
        """
        from backtestkit.services.report.journal_file import WriteOptions

        _check(report)
        key = RunKey(symbol, strategy_name, exchange_name, frame_name, bool(frame_name))
        options = WriteOptions(report, key, signal_id, walker_name, timestamp)
        await current_kit().container.report_journal().write(data, options)


def _check(report: str) -> None:
    from backtestkit.services.report.file_name import safe_part

    if safe_part(report) != report:
        raise UsageError(f"report={report!r} is no file name. Use letters, digits and _ . + - only.")


MarkdownWriter = _MarkdownWriter()
ReportWriter = _ReportWriter()
