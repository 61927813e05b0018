"""What a tear sheet is made of, and what a chart is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backtestkit.model.analysis import EquityCurve, Marks, TradeAnalysis
from backtestkit.model.candle import Candles
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.context import RunKey
from backtestkit.services.report import formats
from backtestkit.services.report.spec import Column, Reported


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetSource:
    """What a tear sheet shows.

    - `report`: the name of the report whose figures it has; `subject`: what that report is about.
    - `closed`: the trades, oldest first; `analysis`: theirs.
    - `markets`: the prices that positions were valued at, by symbol.
    - `candles`: those of the tested span, by symbol, as far as they are at hand.
    - `summary`: what was assumed and what it cost; `config`: the configuration in force.
    """

    report: str
    subject: Reported
    closed: Sequence[ClosedResult]
    analysis: TradeAnalysis
    markets: Mapping[str, Marks | None]
    candles: Mapping[str, Candles] = field(default_factory=dict)
    summary: RunSummary | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> RunKey:
        """Symbol and names."""
        return self.subject.key

    @property
    def currency(self) -> str:
        """The currency of amounts: that of the symbol, of the first one for several."""
        return formats.quote_currency(self.key.symbol or next(iter(self.markets), ""))

    @property
    def curve(self) -> EquityCurve | None:
        """The account over time; None without trades."""
        return self.analysis.curve

    @property
    def symbols(self) -> list[str]:
        """The symbols in the order of the page."""
        return list(self.markets)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The prices of one symbol as the page keeps them, all of them: what of it is drawn depends on what is in view.

    `columns` are packed: `x`, `open`, `high`, `low`, `close` of candles that are `width` ms wide, or `x` and `y` of average
    prices, whose width is 0. `place` is that of the symbol on the page; prices are written with `decimals`.
    """

    symbol: str
    place: int
    currency: str
    decimals: int
    width: int
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """One chart as plain data.

    `data` and `layout` are those of plotly. A colour is written `$name` and takes its value from the style sheet, so a
    page can change its theme. `note` is a line below the title, `unit` says what the upward axis counts. A chart that
    cannot be drawn has no data and its note says why. `wide` ones take a whole row, those that `zoom` share their view of
    time, and `switch` names a second scale that the page offers ("log"). Where there are `markets`, `data` are the looks
    of traces by their `meta`, and the page fills in the columns for what is in view; of several it shows one at a time.
    Traces whose `meta` is "trades" have the places of trades as `customdata`.
    """

    id: str
    title: str
    note: str = ""
    unit: str = ""
    data: Sequence[Mapping[str, Any]] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    markets: Sequence[Market] = ()
    legend: Sequence[tuple[str, str, str]] = ()
    """Shape ("line", "up", "down", "circle", "cross"), colour and name of what needs explaining."""
    height: int = 280
    wide: bool = False
    zoom: bool = False
    switch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumns:
    """The columns in force for the tables of the page: those of trades and those of symbols."""

    trades: Sequence[Column[Any]]
    symbols: Sequence[Column[Any]] = ()
