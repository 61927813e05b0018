"""From a signal to a row, and from a row into the market."""

from __future__ import annotations

from backtestkit.clients.effects import Ask, Emit, Publish, Settle
from backtestkit.clients.fills import waiting_entry_price
from backtestkit.clients.leaving import cancel
from backtestkit.clients.state import Effects, Reported, Slot, StrategyState
from backtestkit.clients.validation import check_common, check_market, is_reached
from backtestkit.errors import SignalError, Violation
from backtestkit.model.event import ScheduleEvent, SignalEvent
from backtestkit.model.result import OpenedResult, ScheduledResult
from backtestkit.model.signal import ZERO_PROFIT, Entry, Extreme, Signal, SignalRow


def draft(state: StrategyState, signal: Signal, new_id: str, now: int, market: float) -> SignalRow | None:
    """The row that `signal` would become at the price `market`, or None for a repeated id; its rules are not checked.

    An entry without `price_open`, or one that the market has reached, opens at once; others wait.
    """
    if signal.symbol is not None and signal.symbol != state.key.symbol:
        text = f"symbol={signal.symbol!r} differs from the running symbol {state.key.symbol!r}"
        raise SignalError([Violation("symbol_mismatch", text)])
    if signal.id is not None and signal.id == state.last_opened_id:
        return None
    return make_row(state, signal, signal.id or new_id, now, market)


def approve(state: StrategyState, row: SignalRow, market: float) -> None:
    """Raise `SignalError` with all rules that `row` breaks at the price `market`; nothing changes."""
    violations = check_common(row, state.rules.limits, state.rules.policy)
    if not violations and not row.is_scheduled:
        violations = check_market(row, market)
    if violations:
        raise SignalError(violations)


def make_row(state: StrategyState, signal: Signal, id: str, now: int, market: float) -> SignalRow:
    """`signal` with defaults filled in; nothing is checked."""
    rules, key = state.rules, state.key
    asked = signal.price_open
    waits = False
    price = market if asked is None else asked
    if isinstance(asked, int | float) and signal.position in ("long", "short"):
        waits = not is_reached(signal.position == "long", asked, market)
        if not waits and rules.policy.reached_entry == "average":
            price = market
    cost = shown_cost = rules.default_cost if signal.cost is None else signal.cost
    if rules.policy.cost == "as_given" and not cost:
        shown_cost = rules.default_cost  # the reference shows the default and books the zero that it was given
    lifetime = rules.default_lifetime if signal.minute_estimated_time is None else signal.minute_estimated_time
    start = Extreme(_float(price), now, ZERO_PROFIT)
    return SignalRow(
        id=id,
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        frame_name=key.frame_name,
        position=signal.position,  # type: ignore[arg-type]  # the rules refuse anything but the two sides
        note=signal.note,
        price_open=_float(price),
        price_take_profit=_float(signal.price_take_profit),
        price_stop_loss=_float(signal.price_stop_loss),
        minute_estimated_time=lifetime,
        cost=_float(shown_cost),
        multiplier=_float(rules.default_multiplier if signal.multiplier is None else signal.multiplier),
        isolated=rules.default_isolated if signal.isolated is None else signal.isolated,
        scheduled_at=now,
        pending_at=0 if waits else now,
        timestamp=now,
        is_scheduled=waits,
        entries=(Entry(_float(price), _float(cost), now),),
        partials=(),
        trailing_price_take_profit=None,
        trailing_price_stop_loss=None,
        peak=start,
        fall=start,
    )


def enter(state: StrategyState, row: SignalRow, now: int, market: float) -> Effects:
    """Open `row`, or let it wait; `market` is the price of the tick."""
    state.now = now
    if not row.is_scheduled:
        yield from open_position(state, row, row.price_open)
        return
    state.set_scheduled(row)
    public = state.latest = state.rules.pricing.public(row, market)
    if state.heard.order_schedule:
        yield Emit("order_schedule", ScheduleEvent(state.key, now, "scheduled", public, market, None))
    yield from state.call("on_schedule", market, public)
    yield Publish(ScheduledResult(state.key, now, market, public))


def open_position(state: StrategyState, row: SignalRow, price: float) -> Effects:
    """Make `row` the open position, entered at `price`."""
    pricing = state.rules.pricing
    peak, fall = pricing.opening_extremes(row, row.pending_at, from_zero=state.rules.policy.excursion == "zero")
    row = row.with_changes(peak=peak, fall=fall)
    state.set_pending(row)
    state.set_scheduled(None)
    state.slot = None
    state.reported = Reported()
    state.last_opened_id = row.id
    if state.heard.risk:
        yield Settle("opened", row)
    yield from state.write(row, price)
    public = state.latest = pricing.public(row, price)
    if state.heard.signal_event:
        yield Emit("signal_event", SignalEvent(state.key, state.now, "opened", public, price, None))
    yield from state.call("on_open", price, public)
    yield Publish(OpenedResult(state.key, state.now, price, public))


def activate_touched(state: StrategyState, row: SignalRow, open: float, average: float) -> Effects:
    """Open a waiting entry whose price a candle that opened at `open` has touched, unless a risk rule is against it."""
    if state.heard.risk:
        ask = Ask(row, row.price_open)
        yield ask
        if state.scheduled is not row:
            return
        if not ask.allowed:
            refusal = Slot("cancel", row, None, None)
            yield from cancel(state, row, "user", average, refusal, event_price=row.price_open)
            return
    price = waiting_entry_price(row, open, state.rules.policy)
    yield from open_position(state, _activated(state, row, price), price)


def activate_by_command(state: StrategyState, slot: Slot, average: float) -> Effects:
    """Open a waiting entry because a command wants it, where the market stands (`average`).

    A position whose levels the market has passed by now is not opened but given up with the reason `price_reject`.
    """
    row = slot.row
    state.set_slot(None)
    if state.heard.risk:
        ask = Ask(row, average)
        yield ask
        if state.stopped or not ask.allowed:
            yield from cancel(state, row, "user", average, slot)
            return
    price = row.price_open
    if state.rules.policy.activated_entry == "average":
        price = average
        if check_market(row, average):
            yield from cancel(state, row, "price_reject", average, slot)
            return
    opened = _activated(state, row, price)
    yield state.announce_slot("activate_scheduled", opened, slot, average, average)
    yield from open_position(state, opened, price)


def _activated(state: StrategyState, row: SignalRow, price: float) -> SignalRow:
    first = row.entries[0]
    return row.with_changes(
        price_open=price,
        entries=(Entry(price, first.cost, first.timestamp),),
        pending_at=state.now,
        is_scheduled=False,
    )


def _float(value: object) -> float:
    """Numbers as floats, so that 100 and 100.0 make the same record; anything else stays for the rules to refuse."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value  # type: ignore[return-value]
