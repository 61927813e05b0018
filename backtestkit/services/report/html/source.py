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
from backtestkit.services.report.spec import Reported


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetSource:
    """What a tear sheet shows.

    - `report`: the name of the report whose figures it has; `subject`: what that report is about.
    - `closed`: the trades, oldest first; `analysis`: theirs.
    - `markets`: the prices that positions were valued at, by symbol.
    - `candles`: those of the tested span, for a run of one symbol.
    - `summary`: what was assumed and what it cost; `config`: the configuration in force.
    """

    report: str
    subject: Reported
    closed: Sequence[ClosedResult]
    analysis: TradeAnalysis
    markets: Mapping[str, Marks | None]
    candles: Candles | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chart:
    """One chart as plain data.

    `data` and `layout` are those of plotly. A colour is written `$name` and takes its value from the style sheet, so a
    page can change its theme. `note` is a line below the title. A chart that cannot be drawn has no data and its note
    says why. `wide` ones take a whole row; `switch` names a second scale that the page offers ("log").
    """

    id: str
    title: str
    note: str = ""
    data: Sequence[Mapping[str, Any]] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    height: int = 280
    wide: bool = False
    switch: str = ""
