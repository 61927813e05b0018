"""Testing candidates in this process: the ordinary backtest, watched at its checkpoints where somebody judges it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import takewhile
from typing import Any

from backtestkit.math.profit import Costs
from backtestkit.math.statistics import backtest_statistics
from backtestkit.math.statistics_analysis import analyse
from backtestkit.math.statistics_positions import TradeSet
from backtestkit.model.metric import finite, is_of_analysis, read_analysis
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.runtime.context import InContext, RunContext, RunKey
from backtestkit.services.core.run_resolver import RunResolver
from backtestkit.services.logic.backtest import BacktestLogicService
from backtestkit.services.logic.run_keeper import RunKeeper
from backtestkit.services.logic.run_state import RunState
from backtestkit.services.logic.walk import Candidate, Conditions, Tested, Walk


class LocalTester:
    """Runs the backtests of a walk one after another in this process."""

    def __init__(self, resolver: RunResolver, logic: BacktestLogicService, keeper: RunKeeper, kit: Any) -> None:
        """`kit` is whose runs these are; `keeper` makes their records, which the walk keeps."""
        self._resolver, self._logic, self._kit, self._keeper = resolver, logic, kit, keeper

    async def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncGenerator[Tested, None]:
        """Test `candidates` in their order."""
        conditions = walk.conditions
        for candidate in candidates:
            yield await self.one(conditions, candidate)

    async def one(self, conditions: Conditions, candidate: Candidate) -> Tested:
        """Test one candidate."""
        try:
            return await self._backtest(conditions, candidate)
        except Exception as error:
            return Tested(candidate, error=error)

    async def _backtest(self, conditions: Conditions, candidate: Candidate) -> Tested:
        key = RunKey(conditions.symbol, candidate.strategy_name, conditions.exchange_name, conditions.frame_name, True)
        plan = self._resolver.backtest(key, self._kit.config, conditions.policy, candidate.params)
        state = self._logic.start(plan, stepping=conditions.stepping, alone=True)
        context = RunContext(key, state.runner.clock, self._kit, state)
        begun = self._keeper.begin(plan) if plan.config.keep_runs else None
        try:
            tested = await self._run(conditions, candidate, state, context)
        except Exception as error:
            if begun is None:
                raise
            return Tested(candidate, error=error, record=self._keeper.record(begun, state, context.id, error))
        if begun is None:
            return tested
        record = self._keeper.record(begun, state, context.id)
        return replace(tested, record=replace(record, outcome="pruned") if tested.pruned else record)

    async def _run(self, conditions: Conditions, candidate: Candidate, state: RunState, context: RunContext) -> Tested:
        watch = None if candidate.judge is None else _Watch(state, conditions, candidate.judge.begin())
        pruned = False
        async with aclosing(InContext(context, self._logic.run(state))) as results:
            async for _ in results:
                if watch is not None and watch.gives_up():
                    pruned = True
                    break
        wanted = [name for name in conditions.objectives if is_of_analysis(name) and not pruned]
        return Tested(
            candidate,
            tuple(state.closed),
            state.runner.fingerprint.hexdigest(),
            state.machine.counters,
            state.errors.count,
            state.errors.newest,
            figures=_analysed(wanted, state, state.closed, state.last_time),
            checkpoints=() if watch is None else tuple(watch.values),
            pruned=pruned,
        )


class _Watch:
    """Looks at a run whenever it gives a result, and asks the judge about each checkpoint that it has passed."""

    def __init__(self, state: RunState, conditions: Conditions, judge: Callable[[int, float], bool]) -> None:
        self._state, self._judge, self._count = state, judge, conditions.checkpoints
        (self._objective,) = conditions.objectives
        self.values: list[float | None] = []

    def gives_up(self) -> bool:
        """Whether the run falls behind at one of the checkpoints that it has passed since the last time."""
        state, passed = self._state, len(self.values)
        assert state.first_time is not None and state.last_time is not None, "gave a result before it had candles"
        while passed < self._count - 1:
            time = state.first_time + (state.last_time - state.first_time) * (passed + 1) // self._count
            if state.machine.now <= time:
                break
            passed += 1
            value = self._value(time)
            self.values.append(value)
            if value is not None and self._judge(passed, value):
                return True
        return False

    def _value(self, time: int) -> float | None:
        """The figure of the trades that had closed at `time`."""
        closed = list(takewhile(lambda trade: trade.close_timestamp <= time, self._state.closed))
        figures = _analysed([self._objective] if is_of_analysis(self._objective) else [], self._state, closed, time)
        return values_of([self._objective], backtest_statistics(closed), figures)[0]


def _analysed(
    names: Sequence[str], state: RunState, closed: Sequence[ClosedResult], last_time: int | None
) -> dict[str, float | None]:
    """Figures of the analysis of `closed`; nothing is analysed for none."""
    if not names:
        return {}
    config = state.plan.config
    costs = Costs(config.percent_slippage, config.percent_fee)
    last = max([last_time or 0, *(trade.close_timestamp for trade in closed)])
    trades = TradeSet(state.plan.key.symbol, closed, costs, state.marks(), state.first_time or last, last, state.year)
    return read_analysis(names, analyse([trades]))


def values_of(
    names: Sequence[str], statistics: BacktestStatistics, figures: Mapping[str, float | None]
) -> list[float | None]:
    """Figures by name, of the statistics or of what was analysed; None for what is not finite."""
    return [figures.get(name) if is_of_analysis(name) else finite(getattr(statistics, name)) for name in names]
