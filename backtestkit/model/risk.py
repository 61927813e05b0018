"""What risk rules see: the open positions of a profile, its closed trades, and the signal that asks to enter."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import overload

from backtestkit.model.interval import from_ms
from backtestkit.model.signal import PositionSide, PublicSignal


@dataclass(frozen=True, slots=True)
class RiskRejection:
    """What a rule returns to refuse a signal: `id` is for programs, `note` says why. None stands for not given."""

    id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ActivePosition:
    """A place that is taken in a risk profile: by an open position, or by an entry that waits (`waiting`).

    Prices are quote currency: `price_open` is the effective entry, `entry_prices` all entries, the levels are those in
    force. `cost` is the cost basis still held, quote currency. `minute_estimated_time` is the longest it may live,
    minutes; `open_timestamp` when it was opened, or when the waiting entry took its place, ms UTC.
    """

    strategy_name: str
    exchange_name: str
    frame_name: str
    symbol: str
    position: PositionSide
    price_open: float
    price_stop_loss: float
    price_take_profit: float
    minute_estimated_time: float
    open_timestamp: int
    cost: float
    multiplier: float
    entry_prices: tuple[float, ...]
    waiting: bool

    @property
    def notional(self) -> float:
        """What it moves in the market: cost times leverage, quote currency."""
        return self.cost * self.multiplier


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A trade of the profile that is over: `timestamp` of its close (ms UTC), its net profit, and what was open."""

    timestamp: int
    pnl_cost: float
    pnl_percentage: float
    entry: ActivePosition

    @property
    def symbol(self) -> str:
        """What was traded."""
        return self.entry.symbol

    @property
    def strategy_name(self) -> str:
        """Who traded."""
        return self.entry.strategy_name

    @property
    def position(self) -> PositionSide:
        """The side."""
        return self.entry.position

    @property
    def lost(self) -> bool:
        """Whether it ended below zero, costs included."""
        return self.pnl_cost < 0


_time = attrgetter("timestamp")


class TradeHistory(Sequence[ClosedTrade]):
    """The closed trades of a profile up to one moment, oldest first. It does not change when more are closed."""

    __slots__ = ("_curve", "_length", "_trades")

    def __init__(
        self, trades: Sequence[ClosedTrade] = (), curve: Sequence[tuple[float, float]] = (), until: float = math.inf
    ) -> None:
        """Trades ordered by time, and after each the sum of the profits and its highest so far; up to `until`, ms UTC."""
        self._trades, self._curve = trades, curve
        late = bool(trades) and trades[-1].timestamp > until
        self._length = bisect_right(trades, until, key=_time) if late else len(trades)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> ClosedTrade: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ClosedTrade, ...]: ...

    def __getitem__(self, index: int | slice) -> ClosedTrade | tuple[ClosedTrade, ...]:
        inside = range(self._length)[index]
        return self._trades[inside] if isinstance(inside, int) else tuple(self._trades[i] for i in inside)

    @property
    def drawdown_cost(self) -> float:
        """How far the sum of all net profits is below its highest so far (at least 0), quote currency."""
        if not self._length:
            return 0.0
        total, peak = self._curve[self._length - 1]
        return peak - total

    def __repr__(self) -> str:
        return f"<TradeHistory of {self._length}>"


@dataclass(frozen=True, slots=True)
class RiskPayload:
    """What a rule is asked about.

    `current_signal` is the signal as it would open, with its profit at `current_price` (all zero for an entry that has
    waited and is about to open). `active_positions` are the places taken in the profile, oldest first, waiting entries
    included and that of the asker left out (counted under a fill policy with `own_place="counted"`);
    `active_position_count` is their number. `history` are the trades that the profile has closed. `timestamp` is the
    simulated time, ms UTC.
    """

    symbol: str
    current_signal: PublicSignal
    strategy_name: str
    exchange_name: str
    risk_name: str
    frame_name: str
    current_price: float
    timestamp: int
    active_position_count: int
    active_positions: tuple[ActivePosition, ...]
    history: TradeHistory

    @property
    def when(self) -> datetime:
        """`timestamp` as an aware datetime."""
        return from_ms(self.timestamp)
