"""One risk profile as a pure machine: who holds a place in it, and what it has closed.

A place is taken when a signal may enter, becomes the open position when it does, and is free again when that is over.
The machine holds no rules: those belong to the run that asks, and several runs share a profile.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from operator import attrgetter

from backtestkit.clients.position import Pricing
from backtestkit.errors import UsageError
from backtestkit.math.profit import effective_price_open, holding, profit_loss
from backtestkit.model.risk import ActivePosition, ClosedTrade, RiskRejection, TradeHistory
from backtestkit.model.signal import Extreme, ProfitLoss, PublicSignal, SignalRow
from backtestkit.runtime.context import RunKey

_time = attrgetter("timestamp")
_opened = attrgetter("open_timestamp")


class ClientRisk:
    """The places and the history of one profile. A run holds at most one place, under its key.

    `version` grows with every change, so that who has asked user code for its opinion can see whether that is still
    about the same state.
    """

    def __init__(self, *, by_time: bool = True) -> None:
        """With `by_time`, which is for backtests, a run may be behind the others and sees what was open at its time.

        Live runs are all at the same time, whatever the ticks say in which they happen to be.
        """
        self.version = 0
        self._by_time = by_time
        self._places: dict[RunKey, ActivePosition] = {}
        self._trades: list[ClosedTrade] = []
        self._curve: list[tuple[float, float]] = []
        self._latest = -1

    def active(self, now: int, without: RunKey | None = None) -> tuple[ActivePosition, ...]:
        """The places taken at `now`, in the order in which they were taken first, that of `without` left out."""
        places = [place for key, place in self._places.items() if key != without]
        if now >= self._latest or not self._by_time:
            return tuple(places)
        then = [trade.entry for trade in self._trades if trade.entry.open_timestamp <= now < trade.timestamp]
        return tuple(sorted([*then, *(place for place in places if place.open_timestamp <= now)], key=_opened))

    def history(self, now: int) -> TradeHistory:
        """The trades closed up to `now`."""
        return TradeHistory(self._trades, self._curve, now if self._by_time else math.inf)

    def take(self, key: RunKey, place: ActivePosition, now: int) -> None:
        """Give `key` its place, or replace what it has there."""
        self._places[key] = place
        self._changed(now)

    def free(self, key: RunKey, now: int, profit: ProfitLoss | None = None) -> None:
        """Take the place of `key` away, if it has one; with a `profit` it was a trade that closed now."""
        place = self._places.pop(key, None)
        if place is None:
            return
        if profit is not None:
            self._record(ClosedTrade(now, profit.pnl_cost, profit.pnl_percentage, place))
        self._changed(now)

    def _changed(self, now: int) -> None:
        self.version += 1
        self._latest = max(self._latest, now)

    def _record(self, trade: ClosedTrade) -> None:
        """Put `trade` where it belongs in time; histories that were given away keep what they showed."""
        later = [trade]
        if self._trades and trade.timestamp < self._trades[-1].timestamp:
            at = bisect_right(self._trades, trade.timestamp, key=_time)
            later += self._trades[at:]
            self._trades, self._curve = self._trades[:at], self._curve[:at]
        for each in later:
            total, peak = self._curve[-1] if self._curve else (0.0, 0.0)
            total += each.pnl_cost
            self._trades.append(each)
            self._curve.append((total, max(peak, total)))


def place_of(row: SignalRow, since: int) -> ActivePosition:
    """The place that `row` holds in its profiles since `since`."""
    return ActivePosition(
        strategy_name=row.strategy_name,
        exchange_name=row.exchange_name,
        frame_name=row.frame_name,
        symbol=row.symbol,
        position=row.position,
        price_open=effective_price_open(row),
        price_stop_loss=row.stop_loss,
        price_take_profit=row.take_profit,
        minute_estimated_time=row.minute_estimated_time,
        open_timestamp=since,
        cost=holding(row).remaining,
        multiplier=row.multiplier,
        entry_prices=tuple(entry.price for entry in row.entries),
        waiting=row.is_scheduled,
    )


def can_be_shown(row: SignalRow) -> bool:
    """Whether the numbers of `row`, whose rules were not checked yet, make a profit that can be shown."""
    numbers = (row.price_open, row.price_take_profit, row.price_stop_loss, row.multiplier, row.entries[0].cost)
    return row.position in ("long", "short") and all(
        isinstance(number, float) and math.isfinite(number) and number > 0 for number in numbers
    )


def candidate(row: SignalRow, price: float, now: int, pricing: Pricing, *, fresh: bool) -> PublicSignal:
    """`row` as risk rules see it at `price`.

    A `fresh` signal shows the profit of a position opened at its entry, also when it will have to wait for that; one
    that has waited shows none.
    """
    if fresh:
        start = Extreme(price, now, profit_loss(row, price, pricing.costs))
        row = row.with_changes(is_scheduled=False, peak=start, fall=start)
    return pricing.public(row, price)


def rejection_of(answer: object, rule: str) -> RiskRejection | None:
    """What the `answer` of the rule called `rule` means: None and what else is false passes, text and mappings reject.

    Anything else raises `UsageError`: a rule that says True may mean either.
    """
    if answer is None or isinstance(answer, RiskRejection):
        return answer
    if isinstance(answer, Mapping):
        id, note = answer.get("id"), answer.get("note")
        return RiskRejection(None if id is None else str(id), None if note is None else str(note))
    if isinstance(answer, str):
        return RiskRejection(None, answer) if answer else None
    if answer:
        raise UsageError(
            f"{rule} returned {answer!r}. Return None to pass, or text, a RiskRejection or a mapping with id and note "
            f"to reject."
        )
    return None
