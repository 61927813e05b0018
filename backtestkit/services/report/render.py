"""From a spec and figures to markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.services.report.spec import NOT_AVAILABLE, Column, Lines, Page, ReportSpec, Table

_TITLE_FIELDS = ("symbol", "strategy_name", "exchange_name", "frame_name", "mode")


def render_report(
    spec: ReportSpec[Any, Any], page: Page, columns: Mapping[str, Sequence[Column[Any]]], limits: Mapping[str, int]
) -> str:
    """The text of a report: title, sections, legend, with blank lines between.

    `columns` are those to show, by table; `limits` bounds the rows of the tables that have a limit. A table that is cut
    says so; the figures are those of all rows.
    """
    key = page.subject.key
    blocks = [["# " + spec.title.format(**{name: _one_line(getattr(key, name)) for name in _TITLE_FIELDS})]]
    empty = spec.is_empty(page.figures)
    if empty:
        blocks.append([spec.empty_text])
    for section in spec.sections:
        if isinstance(section, Lines):
            if not empty or section.when_empty:
                blocks += _lines(section, page)
        elif not empty:
            blocks += _table(section, page, columns[section.key], limits.get(section.key))
    if not empty:
        blocks += [[text] for text in spec.legend]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def render_table(rows: Sequence[Any], columns: Sequence[Column[Any]]) -> list[str]:
    """A markdown table as lines. A cell is one line and its bars are escaped, so no content can break the table."""
    lines = [_row([column.label for column in columns]), _row(["---"] * len(columns))]
    lines.extend(_row([_cell(column, row, i) for column in columns]) for i, row in enumerate(rows))
    return lines


def _lines(section: Lines, page: Page) -> list[list[str]]:
    given = section.of(page)
    lines = [] if given is None else [line for part in section.parts for line in part(given)]
    heading = section.heading if isinstance(section.heading, str) else section.heading(page)
    return [[f"## {heading}"], lines] if heading and lines else [lines]


def _table(section: Table[Any], page: Page, columns: Sequence[Column[Any]], limit: int | None) -> list[list[str]]:
    rows = section.rows(page)
    shown = rows if limit is None else rows[:limit]
    total = len(rows) if section.total is None else section.total(page)
    if not rows and section.optional:
        return []
    blocks = [[f"## {section.heading}"]] if section.heading else []
    if not rows and section.empty_text:
        return [*blocks, [section.empty_text]]
    blocks.append(render_table(shown, columns))
    if total > len(shown):
        blocks.append([f"Showing {len(shown)} of {total} rows; the figures count all of them."])
    return blocks


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
