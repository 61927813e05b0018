"""Out of the market: closing a position, giving up a waiting entry."""

from __future__ import annotations

from backtestkit.clients.effects import Emit, Publish, Settle
from backtestkit.clients.state import Effects, Slot, StrategyState
from backtestkit.math.profit import profit_loss
from backtestkit.model.event import ScheduleEvent, SignalEvent
from backtestkit.model.result import CancelledResult, ClosedResult
from backtestkit.model.signal import CancelReason, CloseReason, Extreme, SignalRow


def close(
    state: StrategyState,
    row: SignalRow,
    price: float,
    reason: CloseReason,
    *,
    ambiguous: bool = False,
    slot: Slot | None = None,
    announced: bool = True,
) -> Effects:
    """Close `row` at `price`. `slot` is the command behind it; `announced=False` leaves the signal event out.

    The row and the profit of the result are made first; what listeners of the close do cannot change them.
    """
    pricing = state.rules.pricing
    profit = profit_loss(row, price, pricing.costs)
    percent = profit.pnl_percentage
    here = Extreme(price, state.now, profit)
    if percent < row.fall.pnl.pnl_percentage:
        row = row.with_changes(fall=here)
    elif percent > row.peak.pnl.pnl_percentage and (percent > 0 or state.rules.policy.extremes == "profit"):
        row = row.with_changes(peak=here)
    state.counters.ambiguous_exits += ambiguous
    public = pricing.public(row, price)
    if state.commits and state.rules.policy.overtaken == "announced":
        state.closing = True
        yield from state.flush()
    state.set_slot(None)
    if slot is not None:
        yield state.announce_slot("close_pending", row, slot, price)
    state.closing = True
    if announced and state.heard.signal_event:
        yield Emit("signal_event", SignalEvent(state.key, state.now, "closed", public, price, reason))
    yield from state.call("on_close", price, public)
    state.closing = False
    if state.heard.risk:
        yield Settle("gone", row, profit)
    was_open = state.pending is not None
    state.set_pending(None)
    state.set_slot(None)
    state.commits.clear()
    if was_open:
        yield from state.write(None, price)
    close_id = None if slot is None else slot.id
    yield Publish(ClosedResult(state.key, state.now, price, public, reason, state.now, profit, close_id, ambiguous))


def cancel(
    state: StrategyState,
    row: SignalRow,
    reason: CancelReason,
    price: float,
    slot: Slot | None = None,
    *,
    commit_first: bool = False,
    event_price: float | None = None,
) -> Effects:
    """Give up the waiting `row`. `slot` is the command behind it, announced after the schedule event or before it.

    `event_price` is the price that the schedule event shows when it is not that of the result.
    """
    state.set_scheduled(None)
    state.set_slot(None)
    if state.heard.risk:
        yield Settle("gone", row)
    public = state.rules.pricing.public(row, price)
    shown = price if event_price is None else event_price
    by_command = slot is not None and reason == "user"
    if slot is not None and by_command and commit_first:
        yield state.announce_slot("cancel_scheduled", row, slot, price)
    if state.heard.order_schedule:
        yield Emit("order_schedule", ScheduleEvent(state.key, state.now, "cancelled", public, shown, reason))
    if slot is not None and by_command and not commit_first:
        yield state.announce_slot("cancel_scheduled", row, slot, price)
    yield from state.call("on_cancel", price, public)
    cancel_id = slot.id if slot is not None and by_command else None
    yield Publish(CancelledResult(state.key, state.now, price, public, reason, state.now, cancel_id))
