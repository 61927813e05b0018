"""Carrying out what a machine asks for: raise events, call callbacks, publish results."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from backtestkit.clients.effects import Arrive, Ask, Call, Effect, Emit, EventChannel, Heard, Publish, Settle
from backtestkit.clients.fingerprint import Fingerprint
from backtestkit.clients.strategy import ClientStrategy
from backtestkit.model.event import CommitEvent
from backtestkit.model.interval import from_ms
from backtestkit.model.result import (
    AnyResult,
    CancelledResult,
    ClosedResult,
    OpenedResult,
    ScheduledResult,
    YieldedResult,
)
from backtestkit.model.schema import StrategyCallbacks, StrategySchema
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.scheduler import Job, JobFunction, Scheduler
from backtestkit.runtime.user_code import UserFunction, user_function
from backtestkit.services.channels import Channels
from backtestkit.services.logic.actions import ActionSet
from backtestkit.services.logic.user_errors import UserErrors

if TYPE_CHECKING:
    from backtestkit.services.logic.risk_gate import RiskGate
    from backtestkit.services.logic.run_group import Member

_SIGNAL_CALLBACKS = ("on_active_ping", "on_schedule_ping")


class EffectRunner:
    """The shell around one machine. It moves the clock, so that whoever is called sees the machine's time."""

    def __init__(
        self,
        machine: ClientStrategy,
        schema: StrategySchema,
        channels: Channels,
        clock: SimulatedClock,
        scheduler: Scheduler,
        errors: UserErrors,
        actions: ActionSet,
    ) -> None:
        """Wire the shell; `results` collects what the run yields until the loop takes it.

        `gate` and `member` are set for a run whose strategy names risks: who asks them, and who keeps it in step.
        """
        self.machine, self.clock = machine, clock
        self.errors = errors
        self.actions = actions
        self.results: list[YieldedResult] = []
        self.gate: RiskGate | None = None
        self.member: Member | None = None
        self.fingerprint = Fingerprint()
        self._channels, self._scheduler = channels, scheduler
        self._stream = channels.signal_backtest if machine.key.backtest else channels.signal_live
        callbacks = schema.callbacks or StrategyCallbacks()
        self._callbacks: dict[str, UserFunction] = {
            name: user_function(fn)
            for name in StrategyCallbacks.model_fields
            if (fn := getattr(callbacks, name)) is not None
        }
        self._on_tick = self._callbacks.get("on_tick")
        self._emitters = {name: channels[name].emit for name in get_args(EventChannel)}
        self._version = -1
        self.refresh()

    def refresh(self) -> None:
        """Learn who listens, if that changed since the last look."""
        version = self._channels.version
        if version == self._version:
            return
        self._version = version
        heard, channels, backtest = self.machine.heard, self._channels, self.machine.key.backtest
        for name in (f.name for f in fields(Heard)):
            if name == "risk":
                continue
            if name.startswith("on_"):
                value = name in self._callbacks
            else:
                value = channels[name].heard(None, backtest) or self.actions.hears(name)
            setattr(heard, name, value)
        self.hears_idle = (
            heard.idle_ping
            or heard.on_idle
            or self._on_tick is not None
            or self._stream.heard("idle", backtest)
            or channels.signal.heard("idle", backtest)
            or self.actions.hears(self._stream.name)
            or self.actions.hears("signal")
        )
        self.hears_progress = channels.backtest_progress.heard(None, backtest)
        self.machine.version += 1

    def observers(self) -> list[str]:
        """What observes single minutes or ticks at the moment, in words."""
        self.refresh()
        heard = self.machine.heard
        found = [f"{name} has a listener" for name in ("active_ping", "schedule_ping") if getattr(heard, name)]
        per_minute = ("on_active_ping", "on_schedule_ping", "on_partial_profit", "on_partial_loss")
        found += [f"the strategy has a callback {name}" for name in per_minute if getattr(heard, name)]
        if self.hears_idle:
            found.append("idle ticks are heard (idle_ping, on_idle, on_tick or a signal listener for all actions)")
        if self.hears_progress:
            found.append("backtest_progress has a listener")
        return found

    async def apply(self, effect: Effect) -> None:
        """Carry out one effect at the machine's time."""
        self.clock.advance_to_ms(self.machine.now)
        if isinstance(effect, Emit):
            if isinstance(effect.event, CommitEvent):
                self.fingerprint.add_commit(effect.event)
            await self._emitters[effect.name](effect.event)
            if self.actions.hears(effect.name):
                await self.actions.dispatch(effect.name, effect.event)
        elif isinstance(effect, Publish):
            await self._publish(effect.result)
        elif isinstance(effect, Call):
            await self._call(effect)
        elif isinstance(effect, Arrive):
            assert self.member is not None, "a machine that is paced by nobody"
            await self.member.reach(effect.time)
        elif isinstance(effect, Settle):
            assert self.gate is not None, "a machine that asks risk rules that do not exist"
            self.gate.settle(effect.kind, effect.row, effect.profit)
        elif isinstance(effect, Ask):
            assert self.gate is not None, "a machine that asks risk rules that do not exist"
            effect.allowed = await self.gate.admits(effect.row, effect.price, fresh=False)
        else:
            await self.run_jobs()
        if self._channels.version != self._version:
            self.refresh()
        if self._scheduler.queue:
            self.watch_jobs()

    def schedule(self, when_ms: int, fn: JobFunction) -> Job:
        """Have `fn` run inside this run when it comes to `when_ms` (ms UTC); it is not jumped over."""
        job = self._scheduler.schedule(when_ms * 1_000_000, fn)
        self.watch_jobs()
        return job

    async def run_jobs(self) -> None:
        """Run the scheduled jobs that are due at the machine's time."""
        await self._scheduler.run_due(self.machine.now * 1_000_000)
        self.watch_jobs()

    def watch_jobs(self) -> None:
        """Tell the machine when the next scheduled job is due; what it has planned without knowing is void."""
        due = self._scheduler.next_due_ns
        wake_at = float("inf") if due is None else -(-due // 1_000_000)
        if wake_at != self.machine.wake_at:
            self.machine.wake_at = wake_at
            self.machine.version += 1

    async def _publish(self, result: AnyResult) -> None:
        if isinstance(result, ScheduledResult | OpenedResult | ClosedResult | CancelledResult):
            self.fingerprint.add(result)
            self.results.append(result)
        if self._on_tick is not None:
            await self._user("on_tick", self._on_tick, result, result.current_price)
        for channel in (self._stream, self._channels.signal):
            if channel.heard(result.action):
                await channel.emit(result)
            if self.actions.hears(channel.name):
                await self.actions.dispatch(channel.name, result)

    async def _call(self, call: Call) -> None:
        name = call.name
        function = self._callbacks[name]
        payload: Any = call.payload
        machine = self.machine
        if name == "on_idle":
            await self._user(name, function, call.price)
            return
        if name in ("on_partial_profit", "on_partial_loss"):
            row = machine.pending
            if row is not None:
                await self._user(name, function, machine.rules.pricing.public(row, call.price), call.price, payload)
            return
        if payload is not None and (name == "on_write" or name in _SIGNAL_CALLBACKS):
            payload = machine.rules.pricing.public(payload, call.price)
        await self._user(name, function, payload, call.price)

    async def _user(self, name: str, function: UserFunction, *args: Any) -> None:
        key = self.machine.key
        try:
            await function(key.symbol, *args, from_ms(self.machine.now), key.backtest)
        except Exception as error:
            await self.errors.caught(error, name)
