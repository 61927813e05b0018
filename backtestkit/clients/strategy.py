"""The life of a signal as a pure machine: idle, waiting, open, closed.

`ClientStrategy` holds the state of one strategy on one symbol. It is driven by a shell: times and candle columns go
in, effects (events to raise, callbacks to call, results to publish) come out of generators, and the shell resumes the
generator when it has carried an effect out. So a listener may change the machine between any two steps, exactly as in
live trading, and the machine still does no I/O.

There is one minute code (`_open_minute`, `_waiting_minute`) and two gears. Stepping runs it for every candle. Jumping
scans the columns for the next candle at which it would do something that anybody can notice, takes the unnoticed
minutes into account at once (`_absorb`), and runs the same minute code there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from backtestkit.clients import plan
from backtestkit.clients.bars import Bars
from backtestkit.clients.effects import Call, Effect, Emit, EventChannel, Heard, Hook, Publish, Wake
from backtestkit.clients.fills import LevelExit, entry_touched, level_exit, stop_touched, waiting_entry_price
from backtestkit.clients.position import Levels, Pricing
from backtestkit.clients.validation import SignalLimits, check_common, check_market, is_reached
from backtestkit.errors import SignalError, Violation
from backtestkit.math.levels import MILESTONES, progress
from backtestkit.model.event import BreakevenEvent, ExtremeEvent, IdlePingEvent, LevelEvent, PingEvent, ScheduleEvent, SignalEvent
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import CancelledResult, ClosedResult, IdleResult, OpenedResult, ScheduledResult
from backtestkit.model.signal import ZERO_PROFIT, CancelReason, CloseReason, Entry, Extreme, Signal, SignalRow
from backtestkit.runtime.context import RunKey

Effects = Generator[Effect, None, None]


@dataclass(frozen=True, slots=True)
class StrategyRules:
    """Everything configurable that a machine needs, frozen at the start of a run.

    `interval_ms` throttles `get_signal`; `schedule_await_ms` is how long an entry waits; `default_*` fill what a signal
    leaves out.
    """

    policy: FillPolicy
    pricing: Pricing
    limits: SignalLimits
    interval_ms: int
    schedule_await_ms: int
    default_lifetime: float
    default_cost: float
    default_multiplier: float
    default_isolated: bool


@dataclass(slots=True)
class Counters:
    """How many minutes and ticks of each kind a run has seen, heard or not."""

    get_signal_calls: int = 0
    idle_ticks: int = 0
    idle_pings: int = 0
    active_pings: int = 0
    schedule_pings: int = 0
    ambiguous_exits: int = 0


@dataclass(slots=True)
class _Reported:
    """What has been announced for the current position, so that it is announced once."""

    profit: set[int] = field(default_factory=set)
    loss: set[int] = field(default_factory=set)
    breakeven: bool = False


class ClientStrategy:
    """State and transitions of one strategy on one symbol. See the module for how it is driven."""

    def __init__(self, key: RunKey, rules: StrategyRules, heard: Heard) -> None:
        """Start idle. `heard` is shared with the shell, which keeps it up to date and bumps `version` when it changes."""
        self.key, self.rules, self.heard = key, rules, heard
        self.now = 0
        self.index = 0
        self.pending: SignalRow | None = None
        self.scheduled: SignalRow | None = None
        self.stopped = False
        self.version = 0
        self.wake_at: float = float("inf")
        self.stepping = False
        self.counters = Counters()
        self.last_opened_id: str | None = None
        self._bucket: int | None = None
        self._levels: Levels | None = None
        self._reported = _Reported()

    # -- asking for a signal ------------------------------------------------------------------------------------------

    def must_ask(self, now: int) -> bool:
        """Whether `get_signal` is due at `now` (at most once per interval); if so the interval counts as asked."""
        bucket = now // self.rules.interval_ms
        if self.stopped or bucket == self._bucket:
            return False
        self._bucket = bucket
        return True

    def next_ask(self) -> int:
        """The earliest time at which `must_ask` can be true again."""
        return 0 if self._bucket is None else (self._bucket + 1) * self.rules.interval_ms

    def reset_throttle(self) -> None:
        """Let the next tick ask again, whatever the interval."""
        self._bucket = None

    def admit(self, signal: Signal, new_id: str, now: int, market: float) -> SignalRow | None:
        """The row that `signal` becomes at the price `market`, or None for a repeated id.

        An entry without `price_open`, or one that the market has reached, opens at once; others wait. A signal that
        breaks a rule raises `SignalError` with all broken rules and changes nothing.
        """
        if signal.symbol is not None and signal.symbol != self.key.symbol:
            code, text = "symbol_mismatch", f"symbol={signal.symbol!r} differs from the running symbol {self.key.symbol!r}"
            raise SignalError([Violation(code, text)])
        if signal.id is not None and signal.id == self.last_opened_id:
            return None
        row, waits = self._row(signal, signal.id or new_id, now, market)
        violations = check_common(row, self.rules.limits, self.rules.policy)
        if not violations and not waits:
            violations = check_market(row, market)
        if violations:
            raise SignalError(violations)
        return row

    def _row(self, signal: Signal, id: str, now: int, market: float) -> tuple[SignalRow, bool]:
        rules = self.rules
        asked = signal.price_open
        waits = False
        price = market if asked is None else asked
        if isinstance(asked, int | float) and signal.position in ("long", "short"):
            waits = not is_reached(signal.position == "long", asked, market)
            if not waits and rules.policy.reached_entry == "average":
                price = market
        cost = rules.default_cost if signal.cost is None else signal.cost
        lifetime = rules.default_lifetime if signal.minute_estimated_time is None else signal.minute_estimated_time
        key = self.key
        nothing = Extreme(0.0, now, ZERO_PROFIT)
        row = SignalRow(
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
            cost=_float(cost),
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
            peak=nothing,
            fall=nothing,
        )
        return row, waits

    # -- entering -----------------------------------------------------------------------------------------------------

    def enter(self, row: SignalRow, now: int, market: float) -> Effects:
        """Open `row`, or let it wait; `market` is the price of the tick."""
        self.now = now
        if not row.is_scheduled:
            yield from self._open(row, row.price_open)
            return
        self.scheduled = row
        self.version += 1
        public = self.rules.pricing.public(row, market)
        if self.heard.order_schedule:
            yield Emit("order_schedule", ScheduleEvent(self.key, now, "scheduled", public, market, None))
        yield from self._call("on_schedule", market, public)
        yield Publish(ScheduledResult(self.key, now, market, public))

    def _open(self, row: SignalRow, price: float) -> Effects:
        pricing = self.rules.pricing
        peak, fall = pricing.opening_extremes(row, row.pending_at, from_zero=self.rules.policy.excursion == "zero")
        row = row.with_changes(peak=peak, fall=fall)
        self._set_pending(row)
        self.scheduled = None
        self._reported = _Reported()
        self.last_opened_id = row.id
        yield from self._write(row, price)
        public = pricing.public(row, price)
        if self.heard.signal_event:
            yield Emit("signal_event", SignalEvent(self.key, self.now, "opened", public, price, None))
        yield from self._call("on_open", price, public)
        yield Publish(OpenedResult(self.key, self.now, price, public))

    def _set_pending(self, row: SignalRow | None) -> None:
        self.pending = row
        self._levels = None if row is None else self.rules.pricing.levels(row)
        self.version += 1

    # -- following ----------------------------------------------------------------------------------------------------

    def follow(self, bars: Bars, start: int) -> Effects:
        """Follow what is waiting or open from candle `start` until it ends or the candles do; `index` is the next candle."""
        self.index = start
        while self.index < bars.limit:
            if self.scheduled is not None:
                yield from self._gear(bars, waiting=True)
            elif self.pending is not None:
                yield from self._gear(bars, waiting=False)
            else:
                return

    def _gear(self, bars: Bars, *, waiting: bool) -> Effects:
        """Handle candles until the state changes its kind."""
        minute = self._waiting_minute if waiting else self._open_minute
        while self.index < bars.limit:
            version = self.version
            for i in self._minutes(bars, waiting=waiting):
                self._absorb(bars, i, waiting=waiting)
                self.index = i
                if i >= bars.limit:
                    return
                self.now = bars.label(i)
                if self.now >= self.wake_at:
                    yield Wake()
                    if self.version != version:
                        break
                self.index = i + 1
                yield from minute(bars, i)
                if self.version != version:
                    break
            if (self.scheduled if waiting else self.pending) is None:
                return

    def _minutes(self, bars: Bars, *, waiting: bool) -> Iterator[int]:
        """The candles to handle, from `index` on: every one, or those that a plan names."""
        heard = self.heard
        if self.stepping or (heard.every_minute_waiting if waiting else heard.every_minute_open):
            return iter(range(self.index, bars.limit))
        if waiting:
            assert self.scheduled is not None
            return plan.waiting(bars, self.index, self.scheduled, self.rules.schedule_await_ms, self.wake_at)
        assert self.pending is not None and self._levels is not None
        return plan.open_position(bars, self.index, self.pending, self._levels, heard, self._known(), self.wake_at)

    def _known(self) -> plan.Known:
        reported = self._reported
        return plan.Known(reported.profit, reported.loss, reported.breakeven)

    def _absorb(self, bars: Bars, end: int, *, waiting: bool) -> None:
        """Account for the candles from `index` up to `end` that nobody can notice one by one."""
        skipped = end - self.index
        if skipped <= 0:
            return
        if waiting:
            self.counters.schedule_pings += skipped
            return
        self.counters.active_pings += skipped
        row, levels = self.pending, self._levels
        assert row is not None and levels is not None
        span = plan.summarise(bars, self.index, end, row, levels, self.rules.pricing)
        if span.peak is not None or span.fall is not None:
            self.pending = row.with_changes(peak=span.peak or row.peak, fall=span.fall or row.fall)
        reported = self._reported
        reported.profit.update(k for k in MILESTONES if k <= span.profit_progress)
        reported.loss.update(k for k in MILESTONES if k <= span.loss_progress)
        reported.breakeven = reported.breakeven or span.breakeven

    # -- one minute of a waiting entry --------------------------------------------------------------------------------

    def _waiting_minute(self, bars: Bars, i: int) -> Effects:
        row = self.scheduled
        assert row is not None
        average = bars.average.item(i)
        high, low = bars.high.item(i), bars.low.item(i)
        policy = self.rules.policy
        late = self.now - row.scheduled_at >= self.rules.schedule_await_ms
        inside = policy.label == "close"
        if not inside and i >= bars.cut:
            yield from self._cancel(row, "timeout", average)
        elif not inside and late:
            yield from self._cancel(row, "timeout", average)
        elif policy.entry_and_stop == "cancelled" and stop_touched(row, high, low):
            yield from self._cancel(row, "price_reject", average)
        elif entry_touched(row, high, low):
            yield from self._activate(row, bars, i, high, low)
        elif late:
            yield from self._cancel(row, "timeout", average)
        elif i >= bars.cut:
            yield from self._cancel(row, "frame_end", average)
        else:
            self.counters.schedule_pings += 1
            if self.heard.schedule_ping:
                event = PingEvent(self.key, self.now, row, average, self.rules.pricing.public)
                yield Emit("schedule_ping", event)
            yield from self._call("on_schedule_ping", average, row)

    def _activate(self, row: SignalRow, bars: Bars, i: int, high: float, low: float) -> Effects:
        """Open a waiting entry at candle `i`; under `stopped_out` the same candle may stop it at once."""
        open = bars.open.item(i)
        price = waiting_entry_price(row, open, self.rules.policy)
        first = row.entries[0]
        opened = row.with_changes(
            price_open=price,
            entries=(Entry(price, first.cost, first.timestamp),),
            pending_at=self.now,
            is_scheduled=False,
        )
        yield from self._open(opened, price)
        levels = self._levels
        if levels is not None and self.rules.policy.entry_and_stop == "stopped_out":
            exit = level_exit(levels, open, high, low, None, self.rules.policy)
            if exit is not None:
                yield from self._close(exit.price, exit.reason, exit.ambiguous)

    def _cancel(self, row: SignalRow, reason: CancelReason, price: float) -> Effects:
        self.scheduled = None
        self.version += 1
        public = self.rules.pricing.public(row, price)
        if self.heard.order_schedule:
            yield Emit("order_schedule", ScheduleEvent(self.key, self.now, "cancelled", public, price, reason))
        yield from self._call("on_cancel", price, public)
        yield Publish(CancelledResult(self.key, self.now, price, public, reason, self.now, None))

    # -- one minute of an open position -------------------------------------------------------------------------------

    def _open_minute(self, bars: Bars, i: int) -> Effects:
        row, levels = self.pending, self._levels
        assert row is not None and levels is not None
        average = bars.average.item(i)
        policy = self.rules.policy
        expired = self.now - row.pending_at >= row.minute_estimated_time * MINUTE_MS
        if policy.label == "open":
            if i >= bars.cut or expired:
                yield from self._close_at_market(bars, i, average, "time_expired")
                return
        exit = level_exit(levels, bars.open.item(i), bars.high.item(i), bars.low.item(i), average, policy)
        if exit is not None:
            yield from self._close(exit.price, exit.reason, exit.ambiguous)
        elif expired:
            yield from self._close_at_market(bars, i, average, "time_expired")
        elif i >= bars.cut:
            yield from self._close_at_market(bars, i, average, "frame_end")
        else:
            yield from self._survive(row, levels, average)

    def _survive(self, row: SignalRow, levels: Levels, average: float) -> Effects:
        """Bookkeeping of a minute in which nothing ended: extremes, ping, breakeven, milestones."""
        distance = average - levels.effective if levels.long else levels.effective - average
        if distance > 0:
            yield from self._maybe_peak(row, levels, average)
        elif distance < 0:
            yield from self._maybe_fall(row, levels, average)
        yield from self._ping(average)
        if distance > 0:
            span = levels.take_profit - levels.effective if levels.long else levels.effective - levels.take_profit
            done = progress(distance, span)
            yield from self._maybe_breakeven(average)
            yield from self._milestones(average, done, self._reported.profit, "partial_profit_available")
            yield from self._call("on_partial_profit", average, done)
        elif distance < 0:
            span = levels.effective - levels.stop_loss if levels.long else levels.stop_loss - levels.effective
            done = progress(-distance, span)
            yield from self._milestones(average, done, self._reported.loss, "partial_loss_available")
            yield from self._call("on_partial_loss", average, done)

    def _maybe_peak(self, row: SignalRow, levels: Levels, average: float) -> Effects:
        if not (average > row.peak.price if levels.long else average < row.peak.price):
            return
        profit = self.rules.pricing.profit(row, average)
        if profit.pnl_percentage <= 0:
            return
        row = row.with_changes(peak=Extreme(average, self.now, profit))
        yield from self._new_extreme(row, average, "highest_profit")

    def _maybe_fall(self, row: SignalRow, levels: Levels, average: float) -> Effects:
        if average < row.fall.price if levels.long else average > row.fall.price:
            row = row.with_changes(fall=Extreme(average, self.now, self.rules.pricing.profit(row, average)))
            yield from self._new_extreme(row, average, "max_drawdown")

    def _new_extreme(self, row: SignalRow, average: float, channel: EventChannel) -> Effects:
        self.pending = row  # the levels stay: extremes are no part of them
        yield from self._write(row, average)
        if self.heard.highest_profit if channel == "highest_profit" else self.heard.max_drawdown:
            yield Emit(channel, ExtremeEvent(self.key, self.now, self.rules.pricing.public(row, average), average))

    def _ping(self, average: float) -> Effects:
        self.counters.active_pings += 1
        row = self.pending
        if row is None:
            return
        if self.heard.active_ping:
            yield Emit("active_ping", PingEvent(self.key, self.now, row, average, self.rules.pricing.public))
        yield from self._call("on_active_ping", average, row)

    def _maybe_breakeven(self, average: float) -> Effects:
        row, levels = self.pending, self._levels
        if self._reported.breakeven or row is None or levels is None:
            return
        if average < levels.breakeven if levels.long else average > levels.breakeven:
            return
        self._reported.breakeven = True
        if self.heard.breakeven_available:
            event = BreakevenEvent(self.key, self.now, self.rules.pricing.public(row, average), average)
            yield Emit("breakeven_available", event)
        if self.heard.on_breakeven:
            yield Call("on_breakeven", average, self.rules.pricing.public(row, average))

    def _milestones(self, average: float, done: float, reported: set[int], channel: EventChannel) -> Effects:
        new = [level for level in MILESTONES if level <= done and level not in reported]
        if not new:
            return
        reported.update(new)
        row = self.pending
        heard = self.heard.partial_profit_available if channel == "partial_profit_available" else self.heard.partial_loss_available
        if row is None or not heard:
            return
        public = self.rules.pricing.public(row, average)
        for level in new:
            if self.pending is not None:
                yield Emit(channel, LevelEvent(self.key, self.now, public, average, level))

    # -- leaving ------------------------------------------------------------------------------------------------------

    def cut(self, bars: Bars) -> Effects:
        """End what is still there although no candle is left, at the last average: the frame reaches beyond the data."""
        last = bars.limit - 1
        self.now = bars.label(last) + bars.step
        average = bars.average.item(last)
        if self.scheduled is not None:
            yield from self._cancel(self.scheduled, "timeout", average)
        elif self.pending is not None:
            yield from self._close(average, "time_expired", False)

    def _close_at_market(self, bars: Bars, i: int, average: float, reason: CloseReason) -> Effects:
        price = average
        if self.rules.policy.market == "next_open" and i + 1 < len(bars.times):
            price = bars.open.item(i + 1)
        yield from self._close(price, reason, False)

    def _close(self, price: float, reason: CloseReason, ambiguous: bool) -> Effects:
        row = self.pending
        assert row is not None
        pricing = self.rules.pricing
        profit = pricing.profit(row, price)
        percent = profit.pnl_percentage
        here = Extreme(price, self.now, profit)
        if percent < row.fall.pnl.pnl_percentage:
            row = row.with_changes(fall=here)
        elif percent > 0 and percent > row.peak.pnl.pnl_percentage:
            row = row.with_changes(peak=here)
        self.counters.ambiguous_exits += ambiguous
        public = pricing.public(row, price)
        if self.heard.signal_event:
            yield Emit("signal_event", SignalEvent(self.key, self.now, "closed", public, price, reason))
        yield from self._call("on_close", price, public)
        self._set_pending(None)
        yield from self._write(None, price)
        result = ClosedResult(self.key, self.now, price, public, reason, self.now, profit, None, ambiguous)
        yield Publish(result)

    # -- idling -------------------------------------------------------------------------------------------------------

    def idle(self, now: int, price: float) -> Effects:
        """A tick that found nothing to do."""
        self.now = now
        self.counters.idle_ticks += 1
        self.counters.idle_pings += 1
        if self.heard.idle_ping:
            yield Emit("idle_ping", IdlePingEvent(self.key, now, price))
        yield from self._call("on_idle", price, None)
        yield Publish(IdleResult(self.key, now, price))

    def _call(self, hook: Hook, price: float, payload: object) -> Effects:
        if getattr(self.heard, hook):
            yield Call(hook, price, payload)

    def _write(self, row: SignalRow | None, price: float) -> Effects:
        if self.heard.on_write:
            yield Call("on_write", price, row)


def _float(value: object) -> float:
    """Numbers as floats, so that 100 and 100.0 make the same record; anything else stays for the rules to refuse."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value  # type: ignore[return-value]
