"""A table as a piece of HTML for notebooks: it needs nothing but itself and reads on light and on dark pages.

Colours are those of the page around it, made fainter; nothing is fetched and nothing runs. Every text is escaped here.
"""

from __future__ import annotations

from html import escape
from typing import Any, Final, Protocol

from backtestkit.model.interval import MINUTE_MS, from_ms
from backtestkit.model.table_column import MISSING_TIME, Cells, TableColumn

ROWS_SHOWN: Final = 10
SIGNED: Final = ("pnl", "pnl_cost", "_return")
"""Ends of names of columns that hold gains and losses, which are coloured."""

STYLE: Final = """<style>
.bk-page { font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: inherit;
  font-variant-numeric: tabular-nums; max-width: 1100px; }
.bk-page .bk-quiet { opacity: 0.65; font-size: 12px; }
.bk-page .bk-scroll { overflow-x: auto; margin: 6px 0 2px; }
.bk-page table.bk-table { border-collapse: collapse; margin: 0; font-size: 12px; color: inherit; background: none; border: 0; }
.bk-page .bk-table th, .bk-page .bk-table td { padding: 3px 10px; border: 0; white-space: nowrap; text-align: right;
  border-bottom: 1px solid rgba(128, 128, 128, 0.22); color: inherit; background: none; }
.bk-page .bk-table th { font-weight: 400; opacity: 0.65; }
.bk-page .bk-table .bk-text { text-align: left; max-width: 260px; overflow: hidden; text-overflow: ellipsis; }
.bk-page .bk-table .bk-cut td { text-align: center; opacity: 0.65; }
.bk-page .bk-win, .bk-page .bk-table td.bk-win { color: #16966f; }
.bk-page .bk-loss, .bk-page .bk-table td.bk-loss { color: #d2571f; }
</style>"""
"""The style of everything that notebooks show; its colours for gain and loss are readable on white and on black."""


def page(content: str) -> str:
    """`content` with the style around it."""
    return f'{STYLE}<div class="bk-page">{content}</div>'


class Rows(Protocol):
    """What is shown: columns of equal length and their descriptions."""

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """The descriptions."""
        ...

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The values, column by column."""
        ...

    def __len__(self) -> int: ...


def table_page(table: Rows, rows: int = ROWS_SHOWN) -> str:
    """The first and the last rows of `table`, half of `rows` each, and how many there are."""
    return page(table_part(table, rows))


def table_part(table: Rows, rows: int = ROWS_SHOWN) -> str:
    """`table_page` without the style."""
    count, half = len(table), rows // 2
    head = "".join(f"<th{_class(column)}{_title(column)}>{escape(column.name)}</th>" for column in table.columns)
    shown = list(range(count)) if count <= rows else [*range(half), *range(count - half, count)]
    lines = [
        f"<tr>{''.join(_cell(column, cells[i]) for column, cells in zip(table.columns, table.cells, strict=True))}</tr>"
        for i in shown
    ]
    if count > rows:
        lines.insert(half, f'<tr class="bk-cut"><td colspan="{len(table.columns)}">&#8230;</td></tr>')
    body = f'<table class="bk-table"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    said = f"{count:,} row{'' if count == 1 else 's'}" if count <= rows else f"showing {len(shown)} of {count:,}"
    return f'<div class="bk-scroll">{body}</div><div class="bk-quiet">{said}</div>'


def _class(column: TableColumn) -> str:
    return ' class="bk-text"' if column.kind in ("text", "time") else ""


def _title(column: TableColumn) -> str:
    text = ". ".join(part for part in (column.about.rstrip("."), column.unit) if part)
    return f' title="{escape(text, quote=True)}"' if text else ""


def _cell(column: TableColumn, value: Any) -> str:
    if column.name.endswith(SIGNED) and value != 0 and value == value:
        return f'<td class="bk-{"win" if value > 0 else "loss"}">{_shown(column, value)}</td>'
    return f"<td{_class(column)}>{escape(_shown(column, value))}</td>"


def _shown(column: TableColumn, value: Any) -> str:
    """A value in a few characters; exports have all of its digits."""
    if value is None or value != value or (column.kind == "time" and value == MISSING_TIME):
        return ""
    if column.kind == "time":
        return from_ms(int(value)).strftime("%Y-%m-%d %H:%M" if value % MINUTE_MS == 0 else "%Y-%m-%d %H:%M:%S")
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "text":
        return str(value)
    if column.kind == "count":
        return f"{value:,}"
    return f"{value:,.2f}" if column.unit == "percent" or abs(value) >= 1000 else f"{value:,.6g}"
