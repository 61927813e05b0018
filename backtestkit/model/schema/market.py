"""The schemas of exchanges and frames: where candles come from, and over which period."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeAlias

import numpy.typing as npt
from pydantic import BeforeValidator, Field

from backtestkit.errors import UsageError
from backtestkit.model.analysis import EVERY_DAY, TradingYear
from backtestkit.model.candle import Candles
from backtestkit.model.interval import CandleInterval, FrameInterval, parse_time
from backtestkit.model.schema.base import Checked, CompleteComplaint, Kind, Name, Schema


class Table(Protocol):
    """A data frame of pandas, polars or another library: named columns and access by name."""

    @property
    def columns(self) -> Any:
        """The names of the columns."""
        ...

    def __getitem__(self, name: Any, /) -> Any: ...


CandleData: TypeAlias = Candles | npt.NDArray[Any] | Iterable[Sequence[float]] | Iterable[Mapping[str, Any]] | Table

GetCandles: TypeAlias = Callable[[str, CandleInterval, datetime, int, bool], CandleData | Awaitable[CandleData]]
ReadCandles: TypeAlias = Callable[[str, str, int, int], Candles | Awaitable[Candles]]
GetSpan: TypeAlias = Callable[[str, str], tuple[int, int] | Awaitable[tuple[int, int] | None] | None]
FormatNumber: TypeAlias = Callable[[str, float, bool], str | Awaitable[str]]
GetOrderBook: TypeAlias = Callable[[str, int, datetime, datetime, bool], Any]
GetTrades: TypeAlias = Callable[[str, datetime, datetime, bool], Any]
GetFundingRates: TypeAlias = Callable[[str, datetime, datetime, bool], Any]
OnCandleData: TypeAlias = Callable[[str, CandleInterval, datetime, int, Candles], object]
OnTimeframe: TypeAlias = Callable[[Sequence[datetime], datetime, datetime, FrameInterval], object]


def _time(field: str) -> BeforeValidator:
    def parse(value: Any) -> datetime:
        try:
            return parse_time(value, field)
        except UsageError as error:
            raise CompleteComplaint(str(error)) from None

    return BeforeValidator(parse)


class ExchangeCallbacks(Checked, frozen=True):
    """`on_candle_data(symbol, interval, since, limit, candles)` hears every successful read."""

    subject: ClassVar[str] = "exchange callbacks"

    on_candle_data: OnCandleData | None = None


class ExchangeSchema(Schema, frozen=True):
    """A source of market data. One of `get_candles` and `read_candles` is needed."""

    subject: ClassVar[str] = "exchange"
    kind: ClassVar[Kind] = "exchange"

    exchange_name: Name = Field(description="The name to run it by.")
    note: str = Field(default="", description="Free text.")
    get_candles: GetCandles | None = Field(
        default=None,
        description="`(symbol, interval, since, limit, backtest)` to `limit` candles, the first opening at `since`, "
        "as rows, an `(n, 6)` array, a data frame or `Candles`.",
    )
    format_price: FormatNumber | None = Field(
        default=None, description="`(symbol, price, backtest)` to text; 2 decimals without it."
    )
    format_quantity: FormatNumber | None = Field(
        default=None, description="`(symbol, quantity, backtest)` to text; 8 decimals without it."
    )
    get_order_book: GetOrderBook | None = Field(
        default=None, description="`(symbol, depth, since, until, backtest)` to an order book."
    )
    get_aggregated_trades: GetTrades | None = Field(
        default=None, description="`(symbol, since, until, backtest)` to trades."
    )
    get_funding_rates: GetFundingRates | None = Field(
        default=None, description="`(symbol, since, until, backtest)` to funding rates."
    )
    callbacks: ExchangeCallbacks | None = Field(default=None, description="Functions that are told what is read.")
    gaps: Literal["refuse", "skip", "flat"] = Field(
        default="refuse",
        description="Missing candles are an error (`refuse`), left out (`skip`), or stand at the last close (`flat`).",
    )
    base_interval: CandleInterval = Field(default="1m", description="The finest candles it has; the engine's step.")
    coarser: Literal["exchange", "resampled"] = Field(
        default="exchange", description="Whether coarser candles come from the source or are made of the finest."
    )
    read_candles: ReadCandles | None = Field(
        default=None, description="`(symbol, interval, since_ms, until_ms)` to all `Candles` there are in between."
    )
    span: GetSpan | None = Field(
        default=None, description="`(symbol, interval)` to the first and last open time in ms, None without data."
    )
    trading_year: TradingYear = Field(
        default=EVERY_DAY,
        description="How daily figures are taken to a year: 365 days, every one of them, unless it says otherwise.",
    )

    def _relations(self) -> Iterator[str]:
        if self.get_candles is None and self.read_candles is None:
            yield "get_candles is required (or read_candles, for a source that answers by range)"


class FrameCallbacks(Checked, frozen=True):
    """`on_timeframe(times, start_date, end_date, interval)` hears the ticks of a frame when they are made."""

    subject: ClassVar[str] = "frame callbacks"

    on_timeframe: OnTimeframe | None = None


class FrameSchema(Schema, frozen=True):
    """A period of history and the step in which a backtest goes through it."""

    subject: ClassVar[str] = "frame"
    kind: ClassVar[Kind] = "frame"

    frame_name: Name = Field(description="The name to run it by.")
    interval: FrameInterval = Field(default="1m", description="Time between two ticks.")
    start_date: Annotated[datetime, _time("start_date")] = Field(
        description="First tick: text (UTC unless it says otherwise), an aware datetime, a date or ms."
    )
    end_date: Annotated[datetime, _time("end_date")] = Field(
        description="Where the frame ends, not before `start_date`."
    )
    note: str = Field(default="", description="Free text.")
    callbacks: FrameCallbacks | None = Field(default=None, description="Functions that are told about the ticks.")

    def _relations(self) -> Iterator[str]:
        if self.end_date < self.start_date:
            yield f"end_date={self.end_date} must not be before start_date={self.start_date}"
