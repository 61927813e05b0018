"""The sweep's shell: reads candles, feeds the machine, tells the callbacks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from backtestkit.clients.sweep import ORDERS, ClientSweep, best_of, ranked
from backtestkit.clients.sweep_ideas import Admission, Split, split
from backtestkit.clients.sweep_sample import SampleGrid
from backtestkit.config import Config
from backtestkit.math.profit import Costs
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.model.event import ErrorEvent
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import MINUTE_MS, interval_step_ms, to_ms
from backtestkit.model.schema import SweepCallbacks, SweepSchema
from backtestkit.model.sweep import SweepCounts, SweepOrder, SweepPair, SweepReport, SweepResult, SweepSample
from backtestkit.runtime.clock import Clock
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.scheduler import breathe
from backtestkit.runtime.user_code import user_function
from backtestkit.services.channels import Channels
from backtestkit.services.connection.exchange import ExchangeConnection
from backtestkit.services.logic.sweep_candles import SweepCandles


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep works with, all of it checked, and the choices that are frozen with it."""

    schema: SweepSchema
    symbol: str
    admission: Admission
    exchange: ExchangeConnection
    config: Config
    policy: FillPolicy

    @property
    def key(self) -> RunKey:
        """Symbol, sweep and exchange; there is no frame."""
        return RunKey(self.symbol, self.schema.sweep_name, self.schema.exchange_name, "", True)

    @property
    def grid(self) -> SweepGrid:
        """The points."""
        axes = self.schema.grid_axes
        return SweepGrid(
            axes.hard_stop_percent, axes.trailing_take_percent, axes.hold_minutes, axes.profit_lock_percent
        )

    @property
    def configuration(self) -> str:
        """sha256 of all that was chosen: ideas, grid, fill policy, costs. Two sweeps of one configuration are one trial."""
        ideas = [entered.idea for entered in self.admission.admitted]
        costs = (self.config.percent_fee, self.config.percent_slippage)
        chosen = (ideas, self.schema.grid_axes.model_dump(), self.policy, costs, self.schema.repeat_minutes)
        return hashlib.sha256(orjson.dumps(chosen)).hexdigest()

    @property
    def step(self) -> int:
        """The length of a candle, ms."""
        return interval_step_ms(self.exchange.schema.base_interval)


@dataclass(slots=True)
class SweepState:
    """A sweep while it goes on and after it: `done` of `total` ideas and points, and what it came to."""

    plan: SweepPlan
    done: int = 0
    total: int = 1
    result: SweepResult | None = None
    finished: bool = False
    callbacks: SweepCallbacks = field(init=False)

    def __post_init__(self) -> None:
        self.callbacks = self.plan.schema.callbacks or SweepCallbacks()


class SweepLogicService:
    """Runs sweeps of one kit."""

    def __init__(self, *, channels: Channels, wall_clock: Clock) -> None:
        """`wall_clock` says which candles have closed."""
        self._channels, self._clock = channels, wall_clock

    async def run(self, state: SweepState) -> SweepResult:
        """Grade the ideas over the grid. Raises `DataError` as the exchange does, and `UsageError` for a hold below a candle.

        What a callback raises is reported on the error channel, and the sweep goes on.
        """
        try:
            state.result = await self._run(state)
            await self._call(state, state.callbacks.on_done, state.plan.symbol, state.result)
            return state.result
        finally:
            state.finished = True

    async def _run(self, state: SweepState) -> SweepResult:
        plan, schema, symbol = state.plan, state.plan.schema, state.plan.symbol
        total, directional = plan.admission.total, len(plan.admission.admitted)
        state.total = directional + len(plan.grid) * 2
        await self._call(state, state.callbacks.on_ideas, symbol, total, directional)
        machine = await self._profiles(state)
        await self._call(state, state.callbacks.on_profiles, symbol, machine.profiles)
        parts = split(
            [profile.entry_timestamp for profile in machine.profiles],
            [profile.outcome_known_at for profile in machine.profiles],
            percent=schema.holdout_percent,
            since=None if schema.holdout_from is None else to_ms(schema.holdout_from),
        )
        grid = machine.sample(parts.inside)
        reports = await self._points(state, grid, chosen=True)
        await self._call(state, state.callbacks.on_authors_trained, symbol, grid.tracks())
        order = schema.report_order
        ranking = ranked(reports, order)
        await self._call(state, state.callbacks.on_ranking, symbol, order, ranking, best_of(reports, order))
        inside, outside, tried = grid.sample(ranking), None, None
        if parts.at is not None:
            held = machine.sample(parts.outside)
            tried = await self._points(state, held, chosen=False)
            outside = held.sample([tried[report.point] for report in ranking])
        state.done = state.total
        return self._result(plan, machine, parts, (inside, outside), (reports, tried))

    async def _profiles(self, state: SweepState) -> ClientSweep:
        """The machine with all ideas that have candles."""
        plan, symbol, admission = state.plan, state.plan.symbol, state.plan.admission
        costs = Costs(plan.config.percent_slippage, plan.config.percent_fee)
        machine = ClientSweep(plan.grid, policy=plan.policy, costs=costs, step=plan.step)
        horizon = plan.grid.horizon * MINUTE_MS
        candles = SweepCandles(
            plan.exchange,
            symbol,
            step=plan.step,
            newest=self._clock.now_ms() // plan.step * plan.step,
            strict=plan.policy.candles == "strict",
        )
        await candles.load([(entry, entry + horizon) for _, entry in admission.admitted])
        for done, (idea, entry) in enumerate(admission.admitted, 1):
            feed = await candles.window(entry, entry + horizon)
            if len(feed.candles):
                machine.add(idea, feed.candles, feed.known_until)
            state.done = done
            await self._call(state, state.callbacks.on_progress, symbol, "profiles", done, len(admission.admitted))
            await breathe()
        return machine

    async def _points(self, state: SweepState, grid: SampleGrid, *, chosen: bool) -> list[SweepReport]:
        """All reports in the order of the grid. Callbacks hear of the sample from which a rule is `chosen`."""
        symbol, callbacks = state.plan.symbol, state.callbacks
        reports: list[SweepReport] = []
        for block in grid.blocks():
            reports += block
            state.done += len(block)
            if chosen:
                if callbacks.on_grid_point is not None:
                    for report in block:
                        await self._call(state, callbacks.on_grid_point, symbol, report, report.trades)
                await self._call(state, callbacks.on_progress, symbol, "grid", len(reports), len(state.plan.grid))
            await breathe()
        return reports

    def _result(
        self,
        plan: SweepPlan,
        machine: ClientSweep,
        parts: Split,
        samples: tuple[SweepSample, SweepSample | None],
        reports: tuple[Sequence[SweepReport], Sequence[SweepReport] | None],
    ) -> SweepResult:
        inside, outside = samples
        chosen, tried = reports
        admission = plan.admission

        def pair(order: SweepOrder) -> SweepPair | None:
            best = best_of(chosen, order)
            return None if best is None else SweepPair(best, None if tried is None else tried[best.point])

        return SweepResult(
            sweep_name=plan.schema.sweep_name,
            symbol=plan.symbol,
            exchange_name=plan.schema.exchange_name,
            policy=plan.policy.name,
            percent_fee=plan.config.percent_fee,
            percent_slippage=plan.config.percent_slippage,
            order=plan.schema.report_order,
            points=len(plan.grid),
            counts=SweepCounts(
                total=admission.total,
                neutral=admission.neutral,
                repeated=admission.repeated,
                without_candles=len(admission.admitted) - len(machine.profiles),
                in_sample=len(parts.inside),
                purged=len(parts.purged),
                out_of_sample=len(parts.outside),
                truncated=inside.truncated + (0 if outside is None else outside.truncated),
            ),
            split_at=parts.at,
            profiles=machine.profiles,
            in_sample=inside,
            out_of_sample=outside,
            best={order: pair(order) for order in ORDERS},
        )

    async def _call(self, state: SweepState, function: Any, *arguments: Any) -> None:
        if function is None:
            return
        try:
            await user_function(function)(*arguments)
        except Exception as error:
            event = ErrorEvent(error, "a callback of a sweep", state.plan.key, self._clock.now_ms())
            await self._channels.error.emit(event)
