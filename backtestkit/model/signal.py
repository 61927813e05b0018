"""Signals: what a strategy returns, what the engine keeps, and what everybody else gets to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from backtestkit.errors import UsageError, suggest
from backtestkit.model.record import record

PositionSide: TypeAlias = Literal["long", "short"]
CloseReason: TypeAlias = Literal["take_profit", "stop_loss", "liquidation", "time_expired", "closed", "frame_end"]
CancelReason: TypeAlias = Literal["timeout", "price_reject", "user", "frame_end"]


@dataclass(slots=True, kw_only=True)
class Signal:
    """What `get_signal` returns: a side, two levels and how long to hold.

    Prices are quote currency. Without `price_open` the position opens at once at the market's average price; with it,
    it opens when the market gets there. Fields left at None take the configured default.

    - `position`: `"long"` or `"short"`.
    - `price_take_profit`, `price_stop_loss`: the two exit levels, on opposite sides of the entry.
    - `minute_estimated_time`: the longest the position may live, in minutes from its opening; `math.inf` for no limit
      (needs `max_signal_lifetime_minutes=inf`).
    - `cost`: cost of the first entry in quote currency.
    - `multiplier`: leverage, scales profit, fees and slippage. `isolated`: liquidate at -100 %.
    - `id`: your own identity; a signal with the id of the last opened one is ignored.
    - `symbol`: only a check: an answer for another symbol is an error.
    """

    position: PositionSide | None = None
    price_take_profit: float | None = None
    price_stop_loss: float | None = None
    price_open: float | None = None
    minute_estimated_time: float | None = None
    cost: float | None = None
    multiplier: float | None = None
    isolated: bool | None = None
    id: str | None = None
    symbol: str | None = None
    note: str = ""


SIGNAL_FIELDS = tuple(f.name for f in fields(Signal))


@record
class Entry:
    """One entry of a position: `price` and `cost` in quote currency, `timestamp` in ms UTC."""

    price: float
    cost: float
    timestamp: int


@record
class PartialClose:
    """One partial close. `percent` is of the cost basis held before it, `cost_basis_at_close` that basis."""

    type: Literal["profit", "loss"]
    percent: float
    current_price: float
    cost_basis_at_close: float
    entry_count_at_close: int
    timestamp: int


@record
class Funding:
    """One funding payment of a position: `rate` (a fraction) on `notional`, `cost` what it brought (negative: was paid).

    Notional and cost are quote currency, `timestamp` is the instant of the payment, ms UTC.
    """

    timestamp: int
    rate: float
    notional: float
    cost: float


@record
class ProfitLoss:
    """Profit of a position at a price.

    `pnl_percentage` is percent of everything invested, net of fees and slippage, times the multiplier; `pnl_cost` is
    that in quote currency, `pnl_entries` the invested cost, `price_open` the effective entry price.
    """

    pnl_percentage: float
    pnl_cost: float
    pnl_entries: float
    price_open: float
    price_close: float


ZERO_PROFIT = ProfitLoss(0.0, 0.0, 0.0, 0.0, 0.0)


@record
class Extreme:
    """The best or the worst point of a position so far: the price, when it was seen, and the profit there."""

    price: float
    timestamp: int
    pnl: ProfitLoss


@record
class SignalRow:
    """A signal as the engine keeps it.

    Rows are values: a change makes a new row (`with_changes`), so an event that holds a row holds that moment.
    `price_open`, `price_take_profit` and `price_stop_loss` never change; the `trailing_*` fields override the levels.
    `pending_at` is 0 while the entry waits.
    """

    id: str
    symbol: str
    strategy_name: str
    exchange_name: str
    frame_name: str
    position: PositionSide
    note: str
    price_open: float
    price_take_profit: float
    price_stop_loss: float
    minute_estimated_time: float
    cost: float
    multiplier: float
    isolated: bool
    scheduled_at: int
    pending_at: int
    timestamp: int
    is_scheduled: bool
    entries: tuple[Entry, ...]
    partials: tuple[PartialClose, ...]
    trailing_price_take_profit: float | None
    trailing_price_stop_loss: float | None
    peak: Extreme
    fall: Extreme
    fundings: tuple[Funding, ...] = ()

    def with_changes(self, **changes: Any) -> SignalRow:
        """A copy with some fields changed."""
        values = list(_row_values(self))
        for name, value in changes.items():
            values[_ROW_INDEX[name]] = value
        return SignalRow(*values)

    @property
    def take_profit(self) -> float:
        """The take profit in force."""
        return self.price_take_profit if self.trailing_price_take_profit is None else self.trailing_price_take_profit

    @property
    def stop_loss(self) -> float:
        """The stop loss in force."""
        return self.price_stop_loss if self.trailing_price_stop_loss is None else self.trailing_price_stop_loss


_ROW_FIELDS = tuple(SignalRow.__dataclass_fields__)
_ROW_INDEX = {name: i for i, name in enumerate(_ROW_FIELDS)}
_row_values = attrgetter(*_ROW_FIELDS)  # several times faster than dataclasses.replace, and rows change often


@record
class PublicSignal:
    """A signal as results, events and queries show it, at one moment and one price.

    `price_open` is the effective (cost-weighted) entry price, `price_take_profit` and `price_stop_loss` are the levels
    in force; the `original_*` fields are what the strategy gave. `partial_executed` is the percentage of the invested
    cost that was closed. `pnl` is the profit at the price the event is about, `peak_profit` and `max_drawdown` the
    profit at the best and the worst point, `peak` and `fall` where those were. `fundings` are the funding payments so
    far, which are part of every profit.
    """

    id: str
    symbol: str
    strategy_name: str
    exchange_name: str
    frame_name: str
    position: PositionSide
    note: str
    price_open: float
    price_take_profit: float
    price_stop_loss: float
    original_price_open: float
    original_price_take_profit: float
    original_price_stop_loss: float
    minute_estimated_time: float
    cost: float
    multiplier: float
    isolated: bool
    scheduled_at: int
    pending_at: int
    timestamp: int
    total_entries: int
    total_partials: int
    partial_executed: float
    pnl: ProfitLoss
    peak_profit: ProfitLoss
    max_drawdown: ProfitLoss
    peak: Extreme
    fall: Extreme
    entries: tuple[Entry, ...]
    partials: tuple[PartialClose, ...]
    fundings: tuple[Funding, ...] = ()


def to_signal(answer: object) -> Signal | None:
    """What `get_signal` returned as a `Signal`: itself, a mapping with its fields, or None; else `UsageError`."""
    if answer is None or isinstance(answer, Signal):
        return answer
    if not isinstance(answer, Mapping):
        raise UsageError(f"get_signal returned {answer!r}; return a Signal, a mapping with its fields, or None")
    unknown = [str(name) for name in answer if name not in SIGNAL_FIELDS]
    if unknown:
        raise UsageError(
            f"a signal has no field {unknown[0]!r}. {suggest(unknown[0], SIGNAL_FIELDS, 'one of its fields')}"
        )
    return Signal(**answer)
