"""The money of a position over time: what was put in, what it was worth at any price, what came out.

Between two changes (entries, partial closes, funding payments) the profit of a position is a straight line over the
price. So a position is a short list of lines, and the equity of an account at every minute is two running sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backtestkit.math.profit import Costs, effective_price_open, holding, profit_loss, whole_profit
from backtestkit.model.analysis import EVERY_DAY, Marks, TradingYear
from backtestkit.model.record import record
from backtestkit.model.result import ClosedResult
from backtestkit.model.signal import Entry, Funding, PartialClose, PositionSide, PublicSignal


@dataclass(frozen=True, slots=True)
class TradeSet:
    """Closed trades of one symbol with what their valuation needs.

    - `trades`: oldest first, all with an opening and a closing time.
    - `costs`: what they were charged.
    - `marks`: the prices that the engine valued positions at, None when there are no candles at hand.
    - `first_time`, `last_time`: the span that was tested, ms UTC.
    - `year`: how daily figures of this market are taken to a year.
    """

    symbol: str
    trades: Sequence[ClosedResult]
    costs: Costs
    marks: Marks | None
    first_time: int
    last_time: int
    year: TradingYear = EVERY_DAY


@record
class Segment:
    """A position between two changes, `start` to `end` (ms UTC), quote currency.

    `held` is the cost basis at work, `realised` the profit that no price changes any more, funding included. What is
    held has the profit `level + slope * price`, net of what closing it would cost.
    """

    start: int
    end: int
    held: float
    realised: float
    level: float
    slope: float

    def profit(self, price: float) -> float:
        """Profit of the whole position at `price`."""
        return self.realised + self.level + self.slope * price


@record
class PositionPath:
    """A closed position: its segments in order of time, what it came to, and the value that was bought and sold."""

    symbol: str
    segments: tuple[Segment, ...]
    profit: float
    traded: float

    @property
    def opened(self) -> int:
        """When it was opened, ms UTC."""
        return self.segments[0].start

    @property
    def closed(self) -> int:
        """When it was closed, ms UTC."""
        return self.segments[-1].end


def position_path(trade: ClosedResult, costs: Costs) -> PositionPath:
    """The money of a closed trade over time."""
    signal = trade.signal
    opened, closed = signal.pending_at, max(signal.pending_at, trade.close_timestamp)
    changes = {entry.timestamp for entry in signal.entries[1:]}
    changes |= {partial.timestamp for partial in signal.partials}
    changes |= {funding.timestamp for funding in signal.fundings}
    starts = [opened, *sorted(time for time in changes if opened < time < closed)]
    ends = [*starts[1:], closed]
    states = [_state(signal, start) for start in starts]
    segments = tuple(_segment(state, start, end, costs) for state, start, end in zip(states, starts, ends, strict=True))
    return PositionPath(trade.symbol, segments, trade.pnl.pnl_cost, traded_value(signal, trade.current_price))


def traded_value(signal: PublicSignal, price_close: float) -> float:
    """Value of all entries and exits of a position closed at `price_close`, leverage included, quote currency."""
    bought = sum(entry.cost for entry in signal.entries) if signal.entries else signal.cost
    value = bought
    for i, partial in enumerate(signal.partials):
        before = _Held.of(signal, signal.entries[: partial.entry_count_at_close], signal.partials[:i], ())
        value += (
            partial.percent / 100 * partial.cost_basis_at_close / effective_price_open(before) * partial.current_price
        )
    value += holding(signal).remaining / effective_price_open(signal) * price_close
    return value * signal.multiplier


@record
class _Held:
    """A position as it was at some time."""

    position: PositionSide
    price_open: float
    cost: float
    multiplier: float
    entries: tuple[Entry, ...]
    partials: tuple[PartialClose, ...]
    fundings: tuple[Funding, ...]

    @classmethod
    def of(
        cls,
        signal: PublicSignal,
        entries: tuple[Entry, ...],
        partials: tuple[PartialClose, ...],
        fundings: tuple[Funding, ...],
    ) -> _Held:
        return cls(signal.position, signal.price_open, signal.cost, signal.multiplier, entries, partials, fundings)


def _state(signal: PublicSignal, time: int) -> _Held:
    """The position after everything that happened until `time`."""
    if len(signal.entries) <= 1 and not signal.partials and not signal.fundings:
        return _Held.of(signal, signal.entries, (), ())
    partials = tuple(p for p in signal.partials if p.timestamp <= time)
    known = max((p.entry_count_at_close for p in partials), default=1)
    entries = tuple(e for i, e in enumerate(signal.entries) if i < known or e.timestamp <= time)
    return _Held.of(signal, entries, partials, tuple(f for f in signal.fundings if f.timestamp <= time))


def _segment(state: _Held, start: int, end: int, costs: Costs) -> Segment:
    price, held = effective_price_open(state), holding(state).remaining
    long = state.position == "long"
    here, below = (whole_profit(long, price, held, state.multiplier, at, costs).pnl_cost for at in (price, price * 0.9))
    slope = (here - below) / (price - price * 0.9)
    realised = 0.0
    if state.partials or state.fundings:
        realised = profit_loss(state, price, costs).pnl_cost - here
    return Segment(start, end, held, realised, here - slope * price, slope)
