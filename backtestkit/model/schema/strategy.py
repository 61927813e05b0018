"""The schema of a strategy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, field_validator

from backtestkit.model.interval import CANDLE_INTERVALS, CandleInterval, SignalInterval
from backtestkit.model.result import AnyResult
from backtestkit.model.schema.base import Checked, Kind, Name, Names, Schema
from backtestkit.model.signal import PublicSignal, Signal

OnError: TypeAlias = Literal["report", "raise"]
Warmup: TypeAlias = Mapping[CandleInterval, int] | timedelta

# Arguments are passed by position; the answer of a callback is not looked at.
SignalAnswer: TypeAlias = Signal | Mapping[str, object]
GetSignal: TypeAlias = Callable[[str, datetime, float], SignalAnswer | Awaitable[SignalAnswer | None] | None]
OnTick: TypeAlias = Callable[[str, AnyResult, float, datetime, bool], object]
OnIdle: TypeAlias = Callable[[str, float, datetime, bool], object]
OnSignal: TypeAlias = Callable[[str, PublicSignal, float, datetime, bool], object]
OnWrite: TypeAlias = Callable[[str, PublicSignal | None, float, datetime, bool], object]
OnPartial: TypeAlias = Callable[[str, PublicSignal, float, float, datetime, bool], object]


class StrategyCallbacks(Checked, frozen=True):
    """What a strategy may be told. Errors in a callback are handled as `on_error` of the strategy says.

    Most get `(symbol, signal, price, when, backtest)`. `on_tick` gets the tick's result instead of a signal; `on_idle`
    `(symbol, price, when, backtest)`; `on_write` None for the signal when the position is gone; `on_partial_profit` and
    `on_partial_loss` the percent of the way to the level, `(symbol, signal, price, percent, when, backtest)`.
    `on_active` fires only for a position that was restored after a restart. `on_tick`, `on_idle`, the two pings and the
    two partial callbacks are wanted every minute and make a backtest step through all of them.
    """

    subject: ClassVar[str] = "strategy callbacks"

    on_tick: OnTick | None = None
    on_open: OnSignal | None = None
    on_active: OnSignal | None = None
    on_idle: OnIdle | None = None
    on_close: OnSignal | None = None
    on_schedule: OnSignal | None = None
    on_cancel: OnSignal | None = None
    on_write: OnWrite | None = None
    on_partial_profit: OnPartial | None = None
    on_partial_loss: OnPartial | None = None
    on_breakeven: OnSignal | None = None
    on_schedule_ping: OnSignal | None = None
    on_active_ping: OnSignal | None = None


class StrategySchema(Schema, frozen=True):
    """A strategy: a function that is asked once an interval whether to enter, and what to do around it."""

    subject: ClassVar[str] = "strategy"
    kind: ClassVar[Kind] = "strategy"

    strategy_name: Name = Field(description="The name to run it by.")
    interval: SignalInterval = Field(default="1m", description="How often `get_signal` is asked.")
    get_signal: GetSignal | None = Field(
        default=None,
        description="`(symbol, when, current_price)` to a `Signal` (or a mapping with its fields) or None. Without it only "
        "commands open positions.",
    )
    note: str = Field(default="", description="Free text.")
    risk_name: Name | None = Field(default=None, description="A risk that every signal must pass.")
    risk_list: Names = Field(default=(), description="Further risks, asked in this order after `risk_name`.")
    sizing_name: Name | None = Field(default=None, description="The sizing it uses.")
    actions: Names = Field(default=(), description="Actions that hear its events, in this order.")
    info: Any = Field(default=None, description="Anything of yours; `get_runtime_info` shows it.")
    callbacks: StrategyCallbacks | None = Field(default=None, description="Functions that are told what happens.")
    warmup: Warmup | None = Field(
        default=None,
        description="History needed before the first question: candles per interval, `{'15m': 48}`, or a timedelta.",
    )
    on_error: OnError | None = Field(
        default=None, description="Whether an error in your code is reported or ends the run; None as configured."
    )
    params: Mapping[str, Any] | None = Field(default=None, description="Parameters of yours, recorded with the run.")

    @field_validator("warmup", mode="before")
    @classmethod
    def _warmup(cls, value: Any) -> Any:
        if isinstance(value, timedelta):
            if value <= timedelta(0):
                raise ValueError("must be longer than nothing")
        elif isinstance(value, Mapping):
            for interval, count in value.items():
                if interval not in CANDLE_INTERVALS:
                    raise ValueError(f"counts candles of {interval!r}; the intervals are {', '.join(CANDLE_INTERVALS)}")
                if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                    raise ValueError(f"asks for {count!r} candles of {interval}; it must be a whole number above 0")
        elif value is not None:
            raise ValueError("must be candles per interval such as {'15m': 48}, or a timedelta")
        return value

    @property
    def risks(self) -> tuple[str, ...]:
        """The names of its risks in the order in which they are asked, each once."""
        first = () if self.risk_name is None else (self.risk_name,)
        return first + tuple(name for name in self.risk_list if name != self.risk_name)
