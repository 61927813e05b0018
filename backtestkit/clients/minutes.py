"""The minute code: what one candle does to a waiting entry or to an open position. Both gears run exactly this."""

from __future__ import annotations

from backtestkit.clients.bars import Bars
from backtestkit.clients.effects import Call, Emit, EventChannel
from backtestkit.clients.entering import activate_by_command, activate_touched
from backtestkit.clients.fills import entry_touched, level_exit, stop_touched
from backtestkit.clients.leaving import cancel, close
from backtestkit.clients.plan import NEAR_ZERO_PERCENT
from backtestkit.clients.position import Levels
from backtestkit.clients.state import Effects, Slot, StrategyState
from backtestkit.math.levels import MILESTONE, last_milestone, progress
from backtestkit.math.profit import funding_payment
from backtestkit.model.event import BreakevenEvent, ExtremeEvent, FundingEvent, LevelEvent, PingEvent
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.signal import CloseReason, Extreme, SignalRow


def waiting_minute(state: StrategyState, bars: Bars, i: int) -> Effects:
    """Candle `i` for a waiting entry: deadlines, commands, touch of the entry, else a ping."""
    slot = state.slot
    row = state.scheduled or (slot.row if slot is not None else None)
    assert row is not None, "a waiting minute without a waiting entry"
    average = bars.average.item(i)
    high, low = bars.high.item(i), bars.low.item(i)
    policy = state.rules.policy
    late = state.now - row.scheduled_at >= state.rules.schedule_await_ms
    deadline_first = policy.label == "open"
    if deadline_first and i >= bars.cut:
        yield from cancel(state, row, "timeout", average)
    elif slot is not None and slot.kind == "cancel":
        yield from cancel(state, row, "user", average, slot)
    elif slot is not None:
        yield from activate_by_command(state, slot, average)
        yield from state.flush()
    elif deadline_first and late:
        yield from cancel(state, row, "timeout", average)
    elif policy.entry_and_stop == "cancelled" and stop_touched(row, high, low):
        yield from cancel(state, row, "price_reject", average)
    elif entry_touched(row, high, low):
        yield from _touched(state, row, bars, i, high, low)
    elif late:
        yield from cancel(state, row, "timeout", average)
    elif i >= bars.cut:
        yield from cancel(state, row, "frame_end", average)
    else:
        state.counters.schedule_pings += 1
        if state.heard.schedule_ping:
            yield Emit("schedule_ping", PingEvent(state.key, state.now, row, average, state.rules.pricing.public))
        yield from state.call("on_schedule_ping", average, row)
        yield from state.flush()


def _touched(state: StrategyState, row: SignalRow, bars: Bars, i: int, high: float, low: float) -> Effects:
    """Open at the touched entry; under `stopped_out` the same candle may stop the position at once."""
    open = bars.open.item(i)
    yield from activate_touched(state, row, open, bars.average.item(i))
    if state.rules.policy.entry_and_stop != "stopped_out" or state.levels is None or state.pending is None:
        return
    exit = level_exit(state.levels, open, high, low, None, state.rules.policy)
    if exit is not None:
        yield from close(state, state.pending, exit.price, exit.reason, ambiguous=exit.ambiguous)


def open_minute(state: StrategyState, bars: Bars, i: int) -> Effects:
    """Candle `i` for an open position: deadlines, commands, levels, else bookkeeping."""
    slot = state.slot
    average = bars.average.item(i)
    policy = state.rules.policy
    row = state.pending or (slot.row if slot is not None else None)
    assert row is not None, "an open minute without a position"
    deadline_first = policy.label == "open"
    if deadline_first and i >= bars.cut:
        yield from _close_at_market(state, bars, i, row, "time_expired")
        return
    if slot is not None:
        yield from _close_slot(state, bars, i, slot)
        return
    if bars.fundings:
        yield from _pay_fundings(state, bars, i, average, within=deadline_first)
        if state.pending is None:
            yield from state.flush()
            return
        row = state.pending
    levels = state.levels
    assert levels is not None, "an open position has levels"
    expired = state.now - row.pending_at >= row.minute_estimated_time * MINUTE_MS
    if deadline_first and expired:
        yield from _close_at_market(state, bars, i, row, "time_expired")
        return
    exit = level_exit(levels, bars.open.item(i), bars.high.item(i), bars.low.item(i), average, policy)
    if exit is not None:
        yield from close(state, row, exit.price, exit.reason, ambiguous=exit.ambiguous)
    elif expired:
        yield from _close_at_market(state, bars, i, row, "time_expired")
    elif i >= bars.cut:
        yield from _close_at_market(state, bars, i, row, "frame_end")
    else:
        if bars.fundings:
            yield from _pay_fundings(state, bars, i, average, within=True)
        if state.pending is not None and state.levels is not None:
            yield from _survive(state, state.pending, state.levels, average)
        yield from state.flush()


def _pay_fundings(state: StrategyState, bars: Bars, i: int, average: float, *, within: bool) -> Effects:
    """Book the funding payments that are due at candle `i`.

    A payment at the end of the candle concerns only who is still there then; one that fell into a hole before the candle
    opened comes before everything (`within` tells which are wanted).
    """
    opened = int(bars.times[i])
    while state.next_funding < len(bars.fundings) and bars.funding_candles[state.next_funding] <= i:
        rate = bars.fundings[state.next_funding]
        row = state.pending
        if row is None or (rate.timestamp > opened and not within):
            return
        state.next_funding += 1
        if rate.timestamp <= row.pending_at:
            state.version += 1  # the plan stopped here for it and knows of no other payment
            continue
        funding = funding_payment(row, rate.rate, average, rate.timestamp)
        row = row.with_changes(fundings=(*row.fundings, funding))
        state.set_pending(row)
        yield from state.write(row, average)
        if state.heard.funding:
            public = state.rules.pricing.public(row, average)
            yield Emit("funding", FundingEvent(state.key, state.now, public, average, funding))


def _close_slot(state: StrategyState, bars: Bars, i: int, slot: Slot) -> Effects:
    """Carry out a close command, or book a fill that was reported."""
    price = bars.average.item(i)
    if slot.kind == "close" and state.rules.policy.market == "next_open":
        price = bars.open.item(i)
    yield from close_by_command(state, slot, price)


def close_by_command(state: StrategyState, slot: Slot, market: float, *, announced: bool = True) -> Effects:
    """Close the row of `slot`: at `market`, or at the level whose fill was reported."""
    row = slot.row
    if slot.kind == "take_profit":
        yield from close(state, row, row.take_profit, "take_profit", slot=slot)
    elif slot.kind == "stop_loss":
        yield from close(state, row, row.stop_loss, "stop_loss", slot=slot)
    else:
        yield from close(state, row, market, "closed", slot=slot, announced=announced)


def _close_at_market(state: StrategyState, bars: Bars, i: int, row: SignalRow, reason: CloseReason) -> Effects:
    price = bars.average.item(i)
    if state.rules.policy.market == "next_open" and i + 1 < len(bars.times):
        price = bars.open.item(i + 1)
    yield from close(state, row, price, reason)


def _survive(state: StrategyState, row: SignalRow, levels: Levels, average: float) -> Effects:
    """Bookkeeping of a minute in which nothing ended: extremes, ping, breakeven, milestones.

    The distance, its side and the progress keep their values from before the ping, also when a listener of the ping
    changes the position. This runs once a minute when somebody observes minutes, so what is not heard is not called.
    """
    heard, reported = state.heard, state.reported
    distance = average - levels.effective if levels.long else levels.effective - average
    paid = bool(row.fundings) and state.rules.policy.extremes == "profit"  # then a profit may lie on either side
    moved = _new_peak(state, row, levels, average) if distance > 0 or paid else None
    if moved is not None:
        yield from _extreme_moved(state, moved, average, "highest_profit")
    elif distance < 0 or paid:
        moved = _new_fall(state, row, levels, average)
        if moved is not None:
            yield from _extreme_moved(state, moved, average, "max_drawdown")
    state.counters.active_pings += 1
    pending = state.pending
    if pending is not None:
        if heard.active_ping:
            yield Emit("active_ping", PingEvent(state.key, state.now, pending, average, state.rules.pricing.public))
        if heard.on_active_ping:
            yield Call("on_active_ping", average, pending)
    if distance > 0:
        span = levels.take_profit - levels.effective if levels.long else levels.effective - levels.take_profit
        done = progress(distance, span)
        if not reported.breakeven:
            yield from _maybe_breakeven(state, average)
        if done >= reported.profit + MILESTONE:
            first, reported.profit = reported.profit + MILESTONE, last_milestone(done)
            if heard.partial_profit_available:
                yield from _milestones(state, average, first, reported.profit, "partial_profit_available")
        if heard.on_partial_profit:
            yield Call("on_partial_profit", average, done)
    elif distance < 0:
        span = levels.effective - levels.stop_loss if levels.long else levels.stop_loss - levels.effective
        done = progress(-distance, span)
        if done >= reported.loss + MILESTONE:
            first, reported.loss = reported.loss + MILESTONE, last_milestone(done)
            if heard.partial_loss_available:
                yield from _milestones(state, average, first, reported.loss, "partial_loss_available")
        if heard.on_partial_loss:
            yield Call("on_partial_loss", average, done)


def _new_peak(state: StrategyState, row: SignalRow, levels: Levels, average: float) -> SignalRow | None:
    """The row with a new best point, if `average` is one; by price, one at a loss does not count."""
    best = row.peak.pnl.pnl_percentage
    if state.rules.policy.extremes == "price":
        if not (average > row.peak.price if levels.long else average < row.peak.price):
            return None
        best = 0.0
    elif levels.line.at(average) < best - NEAR_ZERO_PERCENT:
        return None
    profit = state.rules.pricing.profit(row, levels, average)
    if profit.pnl_percentage > best:
        return row.with_changes(peak=Extreme(average, state.now, profit))
    return None


def _new_fall(state: StrategyState, row: SignalRow, levels: Levels, average: float) -> SignalRow | None:
    """The row with a new worst point, if `average` is one."""
    worst = row.fall.pnl.pnl_percentage
    by_price = state.rules.policy.extremes == "price"
    if by_price:
        if not (average < row.fall.price if levels.long else average > row.fall.price):
            return None
    elif levels.line.at(average) > worst + NEAR_ZERO_PERCENT:
        return None
    profit = state.rules.pricing.profit(row, levels, average)
    if by_price or profit.pnl_percentage < worst:
        return row.with_changes(fall=Extreme(average, state.now, profit))
    return None


def _extreme_moved(state: StrategyState, row: SignalRow, average: float, channel: EventChannel) -> Effects:
    state.pending = row  # the levels stay: extremes are no part of them
    yield from state.write(row, average)
    if channel == "max_drawdown":
        wanted = state.heard.max_drawdown
    else:  # a best point at a loss is kept, but it is no profit to tell of
        wanted = state.heard.highest_profit and row.peak.pnl.pnl_percentage > 0
    if wanted:
        yield Emit(channel, ExtremeEvent(state.key, state.now, state.rules.pricing.public(row, average), average))


def _maybe_breakeven(state: StrategyState, average: float) -> Effects:
    levels = state.levels
    if levels is None:
        return
    if average < levels.breakeven if levels.long else average > levels.breakeven:
        return
    state.reported.breakeven = True
    public = state.rules.pricing.public
    if state.heard.breakeven_available and state.pending is not None:
        event = BreakevenEvent(state.key, state.now, public(state.pending, average), average)
        yield Emit("breakeven_available", event)
    if state.heard.on_breakeven and state.pending is not None:
        yield Call("on_breakeven", average, public(state.pending, average))


def _milestones(state: StrategyState, average: float, first: int, last: int, channel: EventChannel) -> Effects:
    """Announce the milestones from `first` to `last`; all of one minute show the signal as before the first."""
    row = state.pending
    if row is None:
        return
    public = state.rules.pricing.public(row, average)
    for level in range(first, last + MILESTONE, MILESTONE):
        if state.pending is not None:
            yield Emit(channel, LevelEvent(state.key, state.now, public, average, level))
