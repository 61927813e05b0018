"""The tables of the page: trades in the columns of the report, and symbols beside each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import HeatStatistics
from backtestkit.services.report.html.price_charts import TRADES_DRAWN_MAX, drawn_trades
from backtestkit.services.report.html.source import SheetSource
from backtestkit.services.report.spec import NOT_AVAILABLE, Column

PAGE_ROWS: Final = 50
_NUMBER: Final = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?( ?%|x| [A-Z]{2,6})?")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z")

FIRST_COLUMNS: Final = (
    "open_timestamp", "close_timestamp", "symbol", "position", "pnl", "pnl_cost", "close_reason", "duration", "open_price",
    "close_price", "take_profit", "stop_loss", "peak_pnl", "fall_pnl", "note",
)  # fmt: skip
"""What a reader of the page looks for, while nobody has chosen the columns of trades."""


def reading_order(columns: Sequence[Column[Any]]) -> list[Column[Any]]:
    """All of the default columns, those of `FIRST_COLUMNS` in front: on a page the others must be scrolled to."""
    places = {key: place for place, key in enumerate(FIRST_COLUMNS)}
    return sorted(columns, key=lambda column: places.get(column.key, len(places)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableData:
    """A table as texts: `classes` are those of the columns, `tones` those of the rows where a column is about profit.

    `trades` has the place of each row's trade among those that charts mark, None where it is not marked; `symbols` the
    places of the rows' symbols on the page.
    """

    labels: Sequence[str]
    classes: Sequence[str]
    rows: Sequence[Sequence[str]]
    tones: Sequence[str] = ()
    trades: Sequence[int | None] = ()
    symbols: Sequence[int] = ()
    note: str = ""


def trade_table(source: SheetSource, columns: Sequence[Column[Any]]) -> TableData:
    """The trades, newest first, in the columns in force; the page shows them in parts."""
    newest = backtest_statistics(source.closed).signal_list[:TRADES_DRAWN_MAX]
    rows = [[_cell(column, trade, i) for column in columns] for i, trade in enumerate(newest)]
    total, marked = len(source.closed), {id(trade): i for i, trade in enumerate(drawn_trades(source))}
    note = f"{total:,} trades, newest first."
    if len(newest) < total:
        note = f"the newest {len(newest):,} of {total:,} trades; all figures count every one."
    return TableData(
        labels=[column.label for column in columns],
        classes=_classes(columns, rows),
        rows=rows,
        tones=[tone(trade.pnl.pnl_percentage) for trade in newest],
        trades=[marked.get(id(trade)) for trade in newest],
        note=note,
    )


def symbol_table(figures: HeatStatistics, symbols: Sequence[str], columns: Sequence[Column[Any]]) -> TableData:
    """A row for each symbol, in the columns of the heat report; `symbols` are those of the page in its order."""
    rows = [[_cell(column, row, i) for column in columns] for i, row in enumerate(figures.symbols)]
    return TableData(
        labels=[column.label for column in columns],
        classes=_classes(columns, rows, profit=("total_pnl",)),
        rows=rows,
        tones=[tone(row.total_pnl) for row in figures.symbols],
        symbols=[symbols.index(row.symbol) for row in figures.symbols],
        note=f"{len(rows):,} symbols, by Sharpe ratio. Choose one to see its price.",
    )


def tone(value: float | None) -> str:
    """The class of the style sheet for a gain or a loss."""
    return "" if not value else "win" if value > 0 else "loss"


def _cell(column: Column[Any], row: ClosedResult | Any, index: int) -> str:
    """The text of the report; of times what a reader compares, to the minute."""
    text = column.format(row, index)
    if text is None:
        return NOT_AVAILABLE
    found = _TIME.fullmatch(text)
    return text if found is None else f"{found.group(1)} {found.group(2)}"


def _classes(
    columns: Sequence[Column[Any]], rows: Sequence[Sequence[str]], profit: Sequence[str] = ("pnl", "pnl_cost")
) -> list[str]:
    """Columns of numbers stand on the right, in the colour of the row where they are its profit; long texts wrap,
    and of ids the end is hidden."""
    classes = []
    for place, column in enumerate(columns):
        texts = [row[place] for row in rows if row[place] != NOT_AVAILABLE]
        if all(_NUMBER.fullmatch(text) for text in texts):
            classes.append("pnl" if column.key in profit else "")
        else:
            kind = "id" if column.key.endswith("_id") else "long" if max(map(len, texts)) > 40 else ""
            classes.append(f"text {kind}".strip())
    return classes
