"""The backtest: ask the strategy at every tick of the frame, follow what it enters, jump where nothing can happen."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from backtestkit.clients.state import Effects
from backtestkit.errors import BacktestKitError, RunError
from backtestkit.model.event import BoundaryEvent, ProgressEvent
from backtestkit.model.interval import MINUTE_MS, from_ms, to_ms
from backtestkit.model.result import ClosedResult, YieldedResult
from backtestkit.model.signal import Signal, SignalRow, to_signal
from backtestkit.runtime.clock import Clock, SimulatedClock
from backtestkit.runtime.scheduler import Scheduler, breathe
from backtestkit.runtime.user_code import UserFunction, user_function
from backtestkit.services.channels import Channels
from backtestkit.services.connection.risk import RiskPool
from backtestkit.services.connection.strategy import new_strategy
from backtestkit.services.core.run_resolver import BacktestPlan
from backtestkit.services.logic.actions import ActionSet
from backtestkit.services.logic.admission import Admission
from backtestkit.services.logic.backtest_data import BacktestData
from backtestkit.services.logic.effects import EffectRunner
from backtestkit.services.logic.risk_gate import Profile, RiskGate
from backtestkit.services.logic.run_group import Carried, RunGroups, started_together
from backtestkit.services.logic.run_state import RunState
from backtestkit.services.logic.sizer import Sizer
from backtestkit.services.logic.timing import RunTimer
from backtestkit.services.logic.user_errors import UserErrors
from backtestkit.services.logic.watchdog import Watchdog

BREATHE_EVERY = 128
"""Calls of `get_signal` after which the event loop gets a turn: some ten milliseconds of work."""


class BacktestLogicService:
    """Runs backtests of one kit. Each run is independent; candles are shared through the exchange connection."""

    def __init__(self, *, channels: Channels, wall_clock: Clock, risks: RiskPool, groups: RunGroups) -> None:
        """`wall_clock` says where the future begins: a frame does not reach beyond now."""
        self._channels, self._wall_clock = channels, wall_clock
        self._risks, self._groups = risks, groups

    def start(self, plan: BacktestPlan, *, stepping: bool = False, alone: bool = False) -> RunState:
        """The state of a new run; nothing happens until `run` is iterated. `stepping` forbids jumping.

        A run that is `alone` has risk profiles of its own: it is compared with others, not in the market with them.
        """
        machine = new_strategy(plan.key, plan.strategy, plan.config, plan.policy)
        machine.stepping = stepping
        machine.heard.risk = machine.paced = bool(plan.risks)
        on_error = plan.strategy.on_error or plan.config.on_error
        errors = UserErrors(self._channels, machine, raises=on_error == "raise")
        actions = ActionSet(plan.actions, plan.key, errors.tell)
        runner = EffectRunner(machine, plan.strategy, self._channels, SimulatedClock(), Scheduler(), errors, actions)
        return RunState(
            plan,
            machine,
            errors,
            runner,
            stepping,
            risks=RiskPool() if alone else self._risks,
            rank=self._groups.next_rank(),
        )

    def run(self, state: RunState) -> AsyncGenerator[YieldedResult, None]:
        """Drive the run, yielding scheduled, opened, closed and cancelled results as they happen.

        The caller sets the run's context around each step. An error in the data or in the engine is raised on the error
        channel and then to the caller; it ends this run and no other.
        """
        return self._run_in_step(state) if state.plan.risks else self._run(state)

    async def _run_in_step(self, state: RunState) -> AsyncGenerator[YieldedResult, None]:
        """The same with risk rules, in step with the runs that share some of them."""
        plan, runner = state.plan, state.runner
        frame_floor = to_ms(plan.frame.start_date) // MINUTE_MS * MINUTE_MS
        books = state.risks.enter(plan.key, (risk.risk_name for risk in plan.risks))
        try:
            profiles = [Profile(schema, book) for schema, book in zip(plan.risks, books, strict=True)]
            runner.gate = RiskGate(state.machine, profiles, self._channels, state.errors, runner.actions)
            runner.member = self._groups.join(state.rank, frame_floor, books)
            async with aclosing(Carried(runner.member, self._run(state))) as results:
                async for result in results:
                    yield result
        finally:
            if not state.finished:  # it never began; else it has left already, and its key may be that of a later run
                state.finished = True
                state.risks.leave(plan.key, state.machine.now)

    async def _run(self, state: RunState) -> AsyncGenerator[YieldedResult, None]:
        loop = _BacktestLoop(state, self._channels, self._wall_clock)
        try:
            await loop.load(self._wall_clock.now_ms())
            await loop.keep_step()
            async for result in loop.run():
                yield result
            state.complete = state.finished = True
            await loop.end()
        except RunError:
            raise
        except BacktestKitError as error:
            await state.errors.tell(error, "backtest")
            raise
        finally:
            try:
                await state.runner.actions.dispose()
            finally:
                state.finished = True
                loop.watchdog.stop()
                state.risks.leave(state.plan.key, state.machine.now)


class _BacktestLoop:
    """One run in progress."""

    heading = following = 0

    def __init__(self, state: RunState, channels: Channels, wall_clock: Clock) -> None:
        self.state, self.channels = state, channels
        self.plan, self.machine, self.runner = state.plan, state.machine, state.runner
        self.per_request = self.plan.policy.candles == "per_request"
        get_signal = self.plan.strategy.get_signal
        self.get_signal: UserFunction | None = None if get_signal is None else user_function(get_signal)
        self.watchdog = Watchdog(self.plan.config.max_signal_generation_seconds)
        sizing = self.plan.sizing
        sizer = None if sizing is None else Sizer(sizing, self.plan, state.closed, state.errors.caught)
        self.admission = Admission(self.machine, self.runner.gate, sizer)
        heard = channels.performance.heard(None, True)  # asked once: a run is timed from its start or not at all
        self.timer = RunTimer(self.plan.key, channels.performance, wall_clock) if heard else None

    async def load(self, now: int) -> None:
        """Read what the run needs, as of `now` (ms UTC)."""
        data = BacktestData(self.state)
        await data.load(now)
        self.bars, self.ticks, self.requests = data.bars, data.ticks, data.requests
        if self.timer is not None:
            await self.timer.loaded(self.ticks.time(0))

    async def keep_step(self) -> None:
        """Begin together with the runs that share risks with this one."""
        member = self.runner.member
        if member is not None:
            await started_together()
            await member.reach(self.ticks.time(0))

    # -- the ticks ----------------------------------------------------------------------------------------------------

    async def run(self) -> AsyncIterator[YieldedResult]:
        """Go through the ticks, yielding results as they come."""
        machine, runner, state = self.machine, self.runner, self.state
        ticks, timer = self.ticks, self.timer
        machine.now = ticks.time(0)
        await self._tell_frame()
        await self._boundary("before_start", machine.now, None)
        await runner.actions.init()
        position = asked = seen = 0
        upcoming = 1  # the next tick, of those looked at, that is timed if anybody hears it
        while position < ticks.count and not machine.stopped:
            state.ticks_done = position
            if runner.member is not None and not await self._reach(position):
                position = self.heading
                continue
            now, candle = ticks.time(position), ticks.candle(position)
            await self._arrive(now)
            seen += 1
            timed = timer if seen == upcoming else None
            if timed is not None:
                upcoming = timed.begin(seen)
                if timed.due:
                    await timed.tell(now)
            price = self._price(candle)
            effects = None
            if machine.must_ask(now):
                asked += 1
                if asked % BREATHE_EVERY == 0:
                    await breathe()
                effects = await self._ask(now, candle, price)
            entered = effects is not None
            if effects is None:
                if not runner.hears_idle:
                    machine.skip_idle(1)
                    position = self._next(position)
                    if timed is not None:
                        timed.over(None)
                    continue
                effects = machine.idle(now, price)
            born = timed.seconds() if timed is not None and entered else None
            for effect in effects:
                if timed is None:
                    await runner.apply(effect)
                else:
                    began = timed.clock()
                    await runner.apply(effect)
                    timed.told.append(timed.clock() - began)
                if runner.results:
                    left = 0.0 if timer is None else timer.clock()
                    for result in runner.results:
                        if isinstance(result, ClosedResult):
                            state.closed.append(result)
                        yield result
                    if timer is not None:  # while results are in other hands the watch stands still
                        timer.away += timer.clock() - left
                    runner.results.clear()
            if timed is not None:
                timed.over(born)
            if entered:
                position = self.following = ticks.after(machine.now)
            else:
                position = self._next(position)
        state.ticks_done = position
        if position >= ticks.count:  # ticks that nobody noticed have passed all the same
            machine.now = max(machine.now, ticks.time(ticks.count - 1))
        if runner.hears_progress:
            await self._progress(machine.now, done=True)
        if timer is not None:
            await timer.end(machine.now)

    async def end(self) -> None:
        """Tell that the run is over."""
        await self._boundary("after_end", self.machine.now, self.state.market_price())

    async def _reach(self, position: int) -> bool:
        """Come to a tick in step with the others; False when somebody came to this run before, who may have changed it."""
        member = self.runner.member
        assert member is not None, "in step with nobody"
        self.heading, self.machine.meanwhile = position, self._pass
        arrived = await member.reach(self.ticks.time(position))
        self.machine.meanwhile = None
        return arrived

    def _pass(self, until: int) -> None:
        """Be at the first tick at `until` or later: those jumped over from there on are still to come."""
        first = min(self.heading, max(self.ticks.at_or_after(until), self.following))
        self.machine.skip_idle(first - self.heading)
        self.heading = first
        self.machine.now = max(self.machine.now, self.ticks.time(first - 1))  # nobody waits before the first tick

    async def _arrive(self, now: int) -> None:
        """Bring machine and clock to a tick: scheduled jobs first, then who hears the progress."""
        machine, runner = self.machine, self.runner
        runner.refresh()
        machine.now = now
        runner.clock.advance_to_ms(now)
        runner.watch_jobs()
        if now >= machine.wake_at:
            await runner.run_jobs()
        if runner.hears_progress:
            await self._progress(now)

    def _next(self, position: int) -> int:
        """The next tick worth a look: the following one, or the first at which the strategy may be asked again."""
        runner, machine = self.runner, self.machine
        following = self.following = position + 1
        if machine.stopped or machine.stepping or runner.hears_idle or runner.hears_progress or not self._clean():
            return following
        asks = machine.next_ask() if self.get_signal is not None or machine.created is not None else math.inf
        nxt = max(following, self.ticks.at_or_after(min(asks, machine.wake_at)))
        machine.skip_idle(nxt - following)
        return nxt

    def _clean(self) -> bool:
        return not self.per_request or self.requests.clean

    def _price(self, candle: int) -> float:
        """The average price before candle `candle`; under `per_request` its candles are checked as asked for."""
        if not self._clean():
            self.requests.check_average(candle)
        return self.bars.average.item(candle - 1)

    async def _ask(self, now: int, candle: int, price: float) -> Effects | None:
        """Ask the strategy, unless a command has queued a signal; the effects of entering, or None."""
        machine, market = self.machine, self._market(candle, price)
        signal = queued = machine.take_created()
        if queued is None:
            try:
                signal = await self._answer(now, price)
            except Exception as error:  # whatever the user's code raises
                await self.runner.errors.caught(error, "get_signal")
                return None
            queued = machine.take_created()
            signal = queued or (None if machine.stopped else signal)
        if signal is None:
            return None
        try:
            row = await self.admission.admit(signal, now, price, market, queued=queued is not None)
        except RunError:
            raise
        except BacktestKitError as error:
            await self.runner.errors.caught(error, "get_signal")
            return None
        return None if row is None else self._life(row, now, candle, price)

    async def _answer(self, now: int, price: float) -> Signal | None:
        if self.get_signal is None:
            return None
        self.machine.counters.get_signal_calls += 1
        timer = self.timer
        if timer is None or not timer.on:
            return to_signal(await self.watchdog.guard(self.get_signal(self.plan.key.symbol, from_ms(now), price)))
        began = timer.clock()
        try:
            return to_signal(await self.watchdog.guard(self.get_signal(self.plan.key.symbol, from_ms(now), price)))
        finally:
            timer.asked.append(timer.clock() - began)

    def _market(self, candle: int, price: float) -> float:
        """Where a market order of this tick fills: at the average, or at the open that follows."""
        return self.bars.open.item(candle) if self.plan.policy.market == "next_open" else price

    def _life(self, row: SignalRow, now: int, candle: int, price: float) -> Effects:
        """The life of a signal, with what ends the run when candles that it needs cannot be used."""
        machine, bars = self.machine, self.bars
        limit = bars.limit
        failure = None if self._clean() else self.requests.failure(row, candle)
        if failure is not None:
            bars.limit = min(limit, failure[0])
        try:
            yield from machine.live(row, now, price, bars, candle)
        finally:
            bars.limit = limit
        if not machine.has_open and not machine.has_waiting:
            return
        if failure is not None:
            raise failure[1]
        yield from machine.cut(bars)

    async def _progress(self, now: int, *, done: bool = False) -> None:
        state = self.state
        processed = state.ticks if done else state.ticks_done
        event = ProgressEvent(self.plan.key, now, state.ticks, processed, processed / state.ticks)
        await self.channels.backtest_progress.emit(event)

    async def _tell_frame(self) -> None:
        """Tell the frame's callback what there is to go through."""
        frame = self.plan.frame
        if frame.callbacks is None or frame.callbacks.on_timeframe is None:
            return
        self.runner.clock.advance_to_ms(self.machine.now)
        told = user_function(frame.callbacks.on_timeframe)
        try:
            await told(self.state.timeframe(), frame.start_date, frame.end_date, frame.interval)
        except Exception as error:
            await self.state.errors.caught(error, "on_timeframe")

    async def _boundary(self, name: str, now: int, price: float | None) -> None:
        channel = self.channels.before_start if name == "before_start" else self.channels.after_end
        if channel.heard():
            self.runner.clock.advance_to_ms(now)
            await channel.emit(BoundaryEvent(self.plan.key, now, price))
