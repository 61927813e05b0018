"""The life of a signal as a pure machine: idle, waiting, open, closed.

`ClientStrategy` is the state of one strategy on one symbol and all that can happen to it. It is driven by a shell:
times and candle columns go in, effects (events to raise, callbacks to call, results to publish) come out of
generators, and the shell resumes a generator when it has carried an effect out. So a listener may change the machine
between any two steps, exactly as in live trading, and the machine still does no I/O.

There is one minute code (`minutes`) and two gears. Stepping runs it for every candle. Jumping scans the columns for the
next candle at which it would do something that anybody can notice, takes the unnoticed candles into account at once
(`plan.summarise`), and runs the same minute code there.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from functools import partial
from typing import TypeAlias

from backtestkit.clients import commands, entering, leaving, minutes, plan
from backtestkit.clients.bars import Bars
from backtestkit.clients.commands import Leg, Outcome, PartialKind, Proposal, refuse
from backtestkit.clients.effects import Arrive, Effect, Emit, Publish, Settle, Wake
from backtestkit.clients.state import Commit, Effects, Slot, SlotKind, StrategyState
from backtestkit.clients.validation import check_common, check_market
from backtestkit.errors import SignalError, UsageError, Violation
from backtestkit.math.levels import last_milestone, sl_price_to_percent_shift, tp_price_to_percent_shift
from backtestkit.math.profit import holding
from backtestkit.model.event import IdlePingEvent, PauseEvent, SignalNotifyEvent
from backtestkit.model.result import IdleResult
from backtestkit.model.signal import CancelReason, Signal, SignalRow

Command: TypeAlias = Generator[Effect, None, Outcome]

_OCCUPIED: dict[SlotKind, str] = {
    "close": "create_signal_close_awaiting",
    "take_profit": "create_signal_fill_awaiting",
    "stop_loss": "create_signal_fill_awaiting",
    "cancel": "create_signal_cancel_awaiting",
    "activate": "create_signal_activation_awaiting",
}


class ClientStrategy(StrategyState):
    """State and transitions of one strategy on one symbol. See the module for how it is driven."""

    # -- asking for a signal ------------------------------------------------------------------------------------------

    def must_ask(self, now: int) -> bool:
        """Whether a signal is due at `now`: a queued one always, else once an interval; the interval counts as asked."""
        if self.stopped:
            return False
        bucket = now // self.rules.interval_ms
        if self.created is None and bucket == self.bucket:
            return False
        self.bucket = None if self.paused else bucket
        return not self.paused

    def next_ask(self) -> float:
        """The earliest time at which `must_ask` can be true again; infinite while paused or stopped."""
        if self.paused or self.stopped:
            return math.inf
        if self.created is not None or self.bucket is None:
            return 0
        return (self.bucket + 1) * self.rules.interval_ms

    def take_created(self) -> Signal | None:
        """The signal that a command has queued, which is then no longer queued."""
        created, self.created = self.created, None
        return created

    def draft(self, signal: Signal, new_id: str, now: int, market: float) -> SignalRow | None:
        """The row that `signal` would become; None for a repeated id, `SignalError` for another symbol (see `entering`)."""
        return entering.draft(self, signal, new_id, now, market)

    def approve(self, row: SignalRow, market: float) -> None:
        """Raise `SignalError` with all rules that a draft breaks; nothing changes."""
        entering.approve(self, row, market)

    def outdated(self, error: SignalError) -> SignalError:
        """Why a queued signal, which was valid when it was queued, is dropped; the interval is free again."""
        self.bucket = None
        text = f"the queued signal is no longer valid: {error}"
        return SignalError([Violation("queued_signal_revalidation_failed", text)])

    def rejected(self) -> None:
        """Account for a signal that a risk rule refused: the policy says when the strategy is asked again."""
        if self.rules.policy.rejected == "tick":
            self.bucket = None

    # -- following ----------------------------------------------------------------------------------------------------

    def follow(self, bars: Bars, start: int, market: float) -> Effects:
        """Follow what is waiting or open from candle `start` until it ends or the candles do; `index` is the next candle.

        A command given before the first candle is carried out at once, at the `market` price of the tick.
        """
        self.index = start
        if self.slot is not None and self.slot.kind == "close" and self.rules.policy.market == "next_open":
            market = bars.open.item(start)
        yield from self._before_first(market)
        while self.index < bars.limit:
            if self.has_waiting:
                yield from self._gear(bars, waiting=True)
            elif self.has_open:
                yield from self._gear(bars, waiting=False)
            else:
                return

    def _before_first(self, market: float) -> Effects:
        slot = self.slot
        if slot is None or slot.kind == "activate":
            return
        if slot.kind == "cancel":
            yield from leaving.cancel(self, slot.row, "user", market, slot, commit_first=True)
        else:
            yield from self.flush()
            announced = self.rules.policy.early_close == "announced"
            yield from minutes.close_by_command(self, slot, market, announced=announced)

    def _gear(self, bars: Bars, *, waiting: bool) -> Effects:
        """Handle candles until what is followed changes its kind."""
        minute = minutes.waiting_minute if waiting else minutes.open_minute
        while self.index < bars.limit:
            version = self.version
            for i in self._candles(bars, waiting=waiting):
                if self.paced and i < bars.limit:
                    self.meanwhile = partial(self._pass, bars, i, waiting)
                    yield Arrive(bars.label(i))
                    self.meanwhile = None
                    if self.version != version:
                        break
                self._absorb(bars, i, waiting=waiting)
                self.index = i
                if i >= bars.limit:
                    return
                self.now = bars.label(i)
                if self.now >= self.wake_at:
                    yield Wake()
                    assert self.wake_at > self.now, "a job that was run is due again"
                    break
                self.index = i + 1
                yield from minute(self, bars, i)
                if self.version != version:
                    break
            if not (self.has_waiting if waiting else self.has_open):
                return

    def _candles(self, bars: Bars, *, waiting: bool) -> Iterator[int]:
        """The candles to handle, from `index` on: every one, the next one, or those that a plan names."""
        heard = self.heard
        if self.busy:
            return iter((self.index,))
        if self.stepping or (heard.every_minute_waiting if waiting else heard.every_minute_open):
            return iter(range(self.index, bars.limit))
        if waiting:
            assert self.scheduled is not None
            return plan.waiting(bars, self.index, self.scheduled, self.rules.schedule_await_ms, self.wake_at)
        assert self.pending is not None and self.levels is not None
        wake_at = self.wake_at
        if self.next_funding < len(bars.fundings):
            wake_at = min(wake_at, bars.label(min(bars.funding_candles[self.next_funding], bars.limit - 1)))
        by_price = self.rules.policy.extremes == "price"
        return plan.open_position(
            bars, self.index, self.pending, self.levels, heard, self.reported, wake_at, by_price=by_price
        )

    def _absorb(self, bars: Bars, end: int, *, waiting: bool) -> None:
        """Account for the candles from `index` up to `end` that nobody can notice one by one."""
        skipped = end - self.index
        if skipped <= 0:
            return
        if waiting:
            self.counters.schedule_pings += skipped
            return
        self.counters.active_pings += skipped
        row, levels = self.pending, self.levels
        assert row is not None and levels is not None
        by_price = self.rules.policy.extremes == "price"
        span = plan.summarise(bars, self.index, end, row, levels, self.rules.pricing, by_price=by_price)
        if span.peak is not None or span.fall is not None:
            self.pending = row.with_changes(peak=span.peak or row.peak, fall=span.fall or row.fall)
        reported = self.reported
        reported.profit = max(reported.profit, last_milestone(span.profit_progress))
        reported.loss = max(reported.loss, last_milestone(span.loss_progress))
        reported.breakeven = reported.breakeven or span.breakeven

    def _pass(self, bars: Bars, planned: int, waiting: bool, until: int) -> None:
        """Be at the first candle at `until` or later, of those before the `planned` one, and plan again from there."""
        end = min(planned, bars.first_labelled(until))
        self._absorb(bars, end, waiting=waiting)
        if end > self.index:
            self.index = end
            self.now = bars.label(end - 1)
        self.version += 1

    def cut(self, bars: Bars) -> Effects:
        """End what is still there although no candle is left, at the last average.

        Where candles act at their open, the candle that would cut may be missing at the end of the data; it is taken as
        opening then. Where they act at their close, this is what the last candle itself has opened, or what a command
        given in it wants.
        """
        last, slot = bars.limit - 1, self.slot
        average = bars.average.item(last)
        row = self.scheduled or self.pending or (slot.row if slot is not None else None)
        assert row is not None, "a cut with nothing to end"
        open_labels = self.rules.policy.label == "open"
        self.now = bars.label(last) + (bars.step if open_labels else 0)
        if row.is_scheduled:
            reason: CancelReason = "timeout" if open_labels else "frame_end"
            if not open_labels and slot is not None and slot.kind == "cancel":
                reason = "user"
            yield from leaving.cancel(self, row, reason, average, slot)
        elif slot is not None and not open_labels:
            yield from minutes.close_by_command(self, slot, average)
        else:
            yield from leaving.close(self, row, average, "time_expired" if open_labels else "frame_end")

    def live(self, row: SignalRow, now: int, market: float, bars: Bars, start: int) -> Effects:
        """The whole life of an admitted signal: enter at `now`, then follow it from candle `start` to its end."""
        yield from entering.enter(self, row, now, market)
        yield from self.follow(bars, start, market)

    def idle(self, now: int, price: float) -> Effects:
        """A tick that found nothing to do, for those who hear it."""
        self.now = now
        self.skip_idle(1)
        if self.heard.idle_ping:
            yield Emit("idle_ping", IdlePingEvent(self.key, now, price))
        yield from self.call("on_idle", price, None)
        yield Publish(IdleResult(self.key, now, price))

    def skip_idle(self, ticks: int) -> None:
        """Account for ticks that found nothing to do and that nobody hears."""
        self.counters.idle_ticks += ticks
        self.counters.idle_pings += ticks

    # -- commands that change the open position at once ---------------------------------------------------------------

    def partial_close(self, kind: PartialKind, percent: float, price: float) -> Command:
        """Close `percent` of what is held at `price`; what leaves nothing closes the position at the next candle."""
        row, levels = self.pending, self.levels
        if row is None or levels is None:
            return (yield from _refused(self._no_position()))
        change = commands.partial_close(row, levels, self.rules, kind, percent, price, self.now)
        outcome = yield from self._commit(change, price)
        if outcome and self.pending is not None and not self.closing and commands.is_emptied(self.pending):
            row = self.pending
            self.set_pending(None)
            self.set_slot(Slot("close", row, None, "full_partial_close"))
            yield from self.write(None, price)
        return outcome

    def partial_close_cost(self, kind: PartialKind, cost: float, price: float) -> Command:
        """Close `cost` (quote currency) of what is held at `price`."""
        if self.pending is None:
            return (yield from _refused(self._no_position()))
        return (yield from self.partial_close(kind, cost / holding(self.pending).remaining * 100, price))

    def trail(self, leg: Leg, shift: float, price: float, *, allow_loosen: bool = False) -> Command:
        """Shift the stop or the take profit by `shift` percentage points from its original distance."""
        row, levels = self.pending, self.levels
        if row is None or levels is None:
            return (yield from _refused(self._no_position()))
        change = commands.trail(row, levels, self.rules, leg, shift, price, allow_loosen=allow_loosen)
        return (yield from self._commit(change, price))

    def trail_to(self, leg: Leg, level: float, price: float, *, allow_loosen: bool = False) -> Command:
        """Move the stop or the take profit to the price `level`."""
        row, levels = self.pending, self.levels
        if row is None or levels is None:
            return (yield from _refused(self._no_position()))
        if leg == "stop":
            shift = sl_price_to_percent_shift(level, row.price_stop_loss, levels.effective, row.position)
        else:
            shift = tp_price_to_percent_shift(level, row.price_take_profit, levels.effective, row.position)
        return (yield from self.trail(leg, shift, price, allow_loosen=allow_loosen))

    def breakeven(self, price: float) -> Command:
        """Move the stop to the entry."""
        row, levels = self.pending, self.levels
        if row is None or levels is None:
            return (yield from _refused(self._no_position()))
        return (yield from self._commit(commands.breakeven(row, levels, self.rules, price), price))

    def average_buy(self, cost: float | None, price: float) -> Command:
        """Add an entry of `cost` (the configured one for None) at `price`."""
        if self.pending is None:
            return (yield from _refused(self._no_position()))
        cost = self.rules.default_cost if cost is None else cost
        change = commands.average_buy(self.pending, self.rules, cost, price, self.now)
        return (yield from self._commit(change, price))

    def _commit(self, change: Proposal, price: float) -> Command:
        if isinstance(change, Outcome):
            return change
        if self.closing:
            if self.rules.policy.while_closing == "refused":
                return refuse("closing", "the position is being closed; its result is final", price)
            return Outcome(True, price)
        self._apply(change.row, change.commit)
        if self.heard.risk:
            yield Settle("changed", change.row)
        yield from self.write(change.row, price)
        return Outcome(True, price)

    def _apply(self, row: SignalRow, commit: Commit) -> None:
        self.set_pending(row)
        self.commits.append(commit)

    def _no_position(self) -> Outcome:
        text = "there is no open position" + ("; one is on its way out" if self.slot is not None else "")
        return refuse("no_pending_signal", text)

    def notify(self, note: str, id: str | None, price: float) -> Command:
        """Tell whoever listens a note on the open position; nothing of it changes."""
        row = self.pending
        if row is None:
            return (yield from _refused(self._no_position()))
        if self.heard.signal_notify:
            public = self.rules.pricing.public(row, price)
            yield Emit("signal_notify", SignalNotifyEvent(self.key, self.now, public, price, note, id))
        return Outcome(True, price)

    # -- commands that take effect at the next candle or tick ---------------------------------------------------------

    def close_pending(
        self, id: str | None = None, note: str | None = None, *, price: float = 0.0, kind: SlotKind = "close"
    ) -> Command:
        """Close the position, or book the fill of a level as the broker reported it (`kind`)."""
        row = self.pending
        if row is None:
            return (yield from _refused(self._no_position()))
        if self.closing:
            if self.rules.policy.while_closing == "refused":
                return refuse("closing", "the position is being closed; its result is final")
            return Outcome(True)
        self.set_pending(None)
        self.set_slot(Slot(kind, row, id, note))
        yield from self.write(None, price)
        return Outcome(True)

    def cancel_scheduled(self, id: str | None = None, note: str | None = None) -> Outcome:
        """Give up the waiting entry."""
        row = self.scheduled
        if row is None:
            return refuse("no_scheduled_signal", "no entry is waiting")
        self.set_scheduled(None)
        self.set_slot(Slot("cancel", row, id, note))
        return Outcome(True)

    def activate_scheduled(self, id: str | None = None, note: str | None = None) -> Outcome:
        """Open the waiting entry."""
        row = self.scheduled
        if row is None:
            return refuse("no_scheduled_signal", "no entry is waiting")
        self.set_scheduled(None)
        self.set_slot(Slot("activate", row, id, note))
        return Outcome(True)

    def create_signal(self, signal: Signal, price: float) -> Outcome:
        """Queue `signal` for the next tick, past `get_signal` and its interval.

        Raises `SignalError` when the strategy is stopped, something is open, waiting, queued or on its way, or when the
        signal is not valid at `price`.
        """
        code = self._occupied()
        if code is not None:
            raise SignalError([Violation(code, _WHY[code])], "created signal")
        row = entering.make_row(self, signal, signal.id or "created", self.now, price)
        violations = check_common(row, self.rules.limits, self.rules.policy)
        if not violations and not row.is_scheduled:
            violations = check_market(row, price)
        if violations:
            inner = "; ".join(v.message for v in violations)
            raise SignalError([Violation("create_signal_invalid", inner)], "created signal") from SignalError(
                violations
            )
        self.created = signal
        self.version += 1
        return Outcome(True, price)

    def _occupied(self) -> str | None:
        if self.stopped:
            return "strategy_stopped"
        if self.pending is not None or self.closing:
            return "create_signal_pending_exists"
        if self.scheduled is not None:
            return "create_signal_scheduled_exists"
        if self.created is not None:
            return "create_signal_already_queued"
        return None if self.slot is None else _OCCUPIED[self.slot.kind]

    def stop(self) -> None:
        """Open nothing new, for good. A waiting entry is cancelled at the next candle; an open position runs on."""
        self.stopped = True
        self.created = None
        row = self.scheduled
        if self.slot is not None and self.slot.kind == "activate":
            row = self.slot.row
        if row is not None:
            self.set_scheduled(None)
            self.set_slot(Slot("cancel", row, None, "stop_strategy"))
        self.version += 1

    def set_paused(self, paused: bool) -> Effects:
        """Hold or release new signals; what is open, waiting or queued stays. An event is raised when this changes it."""
        if not isinstance(paused, bool):
            raise UsageError(f"paused={paused!r} must be True or False")
        if paused == self.paused:
            return
        self.paused = paused
        self.version += 1
        if self.heard.pause:
            yield Emit("pause", PauseEvent(self.key, self.now, paused))


_WHY = {
    "strategy_stopped": "the strategy is stopped and opens nothing new",
    "create_signal_pending_exists": "a position is open",
    "create_signal_scheduled_exists": "an entry is waiting",
    "create_signal_already_queued": "another signal is queued already",
    "create_signal_close_awaiting": "a close is on its way",
    "create_signal_fill_awaiting": "a reported fill is on its way",
    "create_signal_cancel_awaiting": "a cancellation is on its way",
    "create_signal_activation_awaiting": "an activation is on its way",
}


def _refused(outcome: Outcome) -> Command:
    """A command that ends before its first effect."""
    return outcome
    yield  # makes this a generator
