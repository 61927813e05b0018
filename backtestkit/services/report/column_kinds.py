"""Kinds of columns, and the groups of them that reports share.

A column reads its value by a path such as `data.price_open`. What a row does not have, and what is missing (None, not a
number, a time of 0), shows as N/A and never spoils the report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from backtestkit.services.report import formats
from backtestkit.services.report.spec import Column, Settings

AnyColumn: TypeAlias = Column[Any]


def text(key: str, label: str, path: str) -> AnyColumn:
    """Text as it is."""
    return _column(key, label, path, lambda value: None if value is None else str(value))


def upper(key: str, label: str, path: str) -> AnyColumn:
    """Text in upper case."""
    return _column(key, label, path, formats.upper)


def number(key: str, label: str, path: str, suffix: str = "") -> AnyColumn:
    """A number in its shortest form."""
    return _column(key, label, path, lambda value: None if value is None else f"{formats.number(value)}{suffix}")


def fixed(key: str, label: str, path: str, decimals: int) -> AnyColumn:
    """A number with so many decimals."""
    return _column(key, label, path, lambda value: formats.fixed(value, decimals))


def percent(key: str, label: str, path: str, decimals: int = 2, scale: float = 1) -> AnyColumn:
    """A number of percent; `scale` is 100 for a share."""
    return _column(key, label, path, lambda value: formats.percent(None if value is None else value * scale, decimals))


def signed_percent(key: str, label: str, path: str, decimals: int = 2) -> AnyColumn:
    """A number of percent with its sign."""
    return _column(key, label, path, lambda value: formats.signed_percent(value, decimals))


def time(key: str, label: str, path: str) -> AnyColumn:
    """A time, ms UTC."""
    return _column(key, label, path, formats.iso_time)


def money(key: str, label: str, path: str, *, signed: bool = False, zero: bool = True) -> AnyColumn:
    """A price or an amount in the quote currency of the row's symbol; `zero=False` takes 0 for missing."""
    write = formats.signed_money if signed else formats.money

    def cell(row: Any, _: int) -> str | None:
        value = read(row, path)
        return None if not zero and value == 0 else write(value, formats.quote_currency(row.symbol))

    return Column(key, label, cell)


def note(path: str, settings: Settings) -> AnyColumn:
    """What the strategy wrote, shown when the configuration says so."""
    return Column(
        "note", "Note", lambda row, _: formats.note(read(row, path)), lambda: settings().report_show_signal_note
    )


def margin(path: str) -> AnyColumn:
    """Isolated or cross margin."""
    return _column(
        "isolated", "Margin", path, lambda value: None if value is None else "isolated" if value else "cross"
    )


def mode() -> AnyColumn:
    """Backtest or live."""
    return _column("mode", "Mode", "backtest", lambda value: "Backtest" if value else "Live")


def who(signal: str) -> list[AnyColumn]:
    """Symbol, strategy, signal and side; `signal` is the path to the signal."""
    return [
        text("symbol", "Symbol", "symbol"),
        text("strategy_name", "Strategy", "strategy_name"),
        text("signal_id", "Signal ID", f"{signal}.id"),
        upper("position", "Position", f"{signal}.position"),
    ]


def levels(signal: str, take_profit: str = "price_take_profit", stop_loss: str = "price_stop_loss") -> list[AnyColumn]:
    """The levels in force and as they were given, entries and partial closes; two keys differ between reports."""
    return [
        money(take_profit, "Take Profit", f"{signal}.price_take_profit"),
        money(stop_loss, "Stop Loss", f"{signal}.price_stop_loss"),
        money("original_price_take_profit", "Original TP", f"{signal}.original_price_take_profit"),
        money("original_price_stop_loss", "Original SL", f"{signal}.original_price_stop_loss"),
        money("original_price_open", "Original Entry", f"{signal}.original_price_open"),
        number("total_entries", "DCA Entries", f"{signal}.total_entries"),
        number("total_partials", "Partial Closes", f"{signal}.total_partials"),
    ]


def end() -> list[AnyColumn]:
    """When and in which mode."""
    return [time("timestamp", "Timestamp", "timestamp"), mode()]


def read(row: Any, path: str) -> Any:
    """What stands in `row` at `path`; None as soon as a part of it is missing."""
    for name in path.split("."):
        row = getattr(row, name, None)
    return row


def _column(key: str, label: str, path: str, write: Callable[[Any], str | None]) -> AnyColumn:
    return Column(key, label, lambda row, _: write(read(row, path)))
