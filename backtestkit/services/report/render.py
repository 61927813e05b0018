"""From a spec and rows to markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.context import RunKey
from backtestkit.services.report import formats
from backtestkit.services.report.spec import NOT_AVAILABLE, Column, ReportSpec


def render_report(
    spec: ReportSpec[Any, Any],
    key: RunKey,
    figures: Any,
    columns: Sequence[Column[Any]],
    row_limit: int,
    summary: RunSummary,
) -> str:
    """The text of a report: title, table, summary, what the run assumed, legend, with blank lines between.

    `columns` are shown as given. The table has at most `row_limit` rows and says so when there are more; the figures
    are those of all rows.
    """
    title = "# " + spec.title.format(**{name: _one_line(getattr(key, name)) for name in _TITLE_FIELDS})
    run = run_lines(summary, formats.quote_currency(key.symbol))
    if spec.is_empty(figures):
        return _document([title], [spec.empty_text], run)
    rows = spec.rows(figures)
    table = render_table(rows[:row_limit], columns)
    if len(rows) > row_limit:
        table += ["", f"Showing {row_limit} of {len(rows)} rows; the figures count all of them."]
    lines = [line for part in spec.summary for line in part(figures)]
    body = [lines, table] if spec.summary_first else [table, lines]
    return _document([title], *body, run, _paragraphs(spec.legend))


def render_table(rows: Sequence[Any], columns: Sequence[Column[Any]]) -> list[str]:
    """A markdown table as lines. A cell is one line and its bars are escaped, so no content can break the table."""
    lines = [_row([column.label for column in columns]), _row(["---"] * len(columns))]
    lines.extend(_row([_cell(column, row, i) for column in columns]) for i, row in enumerate(rows))
    return lines


def run_lines(summary: RunSummary, currency: str) -> list[str]:
    """What a run assumed and what that cost, one line each; what is not known has no line."""
    lines = [f"**Fill policy:** {summary.policy}"]
    for label, rate, paid in (
        ("Fee", summary.percent_fee, summary.fee_paid),
        ("Slippage", summary.percent_slippage, summary.slippage_paid),
    ):
        parts = []
        if rate is not None:
            parts.append(f"{formats.number(rate)}% of each entry and exit")
        if paid is not None:
            parts.append(f"{formats.money(paid, currency)} paid")
        if parts:
            lines.append(f"**{label}:** {', '.join(parts)}")
    if summary.funding_paid is not None:
        lines.append(f"**Funding:** {formats.money(summary.funding_paid, currency)} paid")
    if summary.ambiguous_exits is not None:
        lines.append(
            f"**Ambiguous exits:** {summary.ambiguous_exits} (one candle reached both stop and take profit; "
            f"candles do not tell which came first)"
        )
    gaps = [] if summary.gaps is None else [summary.gaps]
    if summary.candles_missing is not None:
        gaps.append(f"{summary.candles_missing} candles missing")
    if summary.candles_filled is not None:
        gaps.append(f"{summary.candles_filled} filled")
    if gaps:
        lines.append(f"**Gaps:** {', '.join(gaps)}")
    if summary.first_time is not None and summary.last_time is not None:
        lines.append(f"**Tested:** {formats.iso_time(summary.first_time)} to {formats.iso_time(summary.last_time)}")
    if summary.fingerprint is not None:
        lines.append(f"**Fingerprint:** {summary.fingerprint}")
    return lines


_TITLE_FIELDS = ("symbol", "strategy_name", "exchange_name", "frame_name", "mode")


def _document(*parts: Sequence[str]) -> str:
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [line for i, text in enumerate(texts) for line in (["", text] if i else [text])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_one_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _cell(column: Column[Any], row: Any, index: int) -> str:
    try:
        text = column.format(row, index)
    except Exception as error:
        raise UsageError(f"column {column.key!r} failed on row {index}: {type(error).__name__}: {error}") from error
    return NOT_AVAILABLE if text is None else str(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
