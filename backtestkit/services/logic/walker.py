"""The walker: one backtest a candidate, compared by one figure."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from backtestkit.clients.state import Counters
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.event import ErrorEvent
from backtestkit.model.schema import WalkerCallbacks
from backtestkit.model.walker import (
    WalkerCompleteEvent,
    WalkerEvent,
    WalkerProgressEvent,
    WalkerResult,
    WalkerStatistics,
)
from backtestkit.runtime.context import InContext, RunContext, RunKey
from backtestkit.runtime.user_code import user_function
from backtestkit.services.channels import Channels
from backtestkit.services.core.run_resolver import RunResolver
from backtestkit.services.logic.backtest import BacktestLogicService
from backtestkit.services.logic.walk import Candidate, Tested, Tester, Walk


@dataclass(slots=True)
class WalkState:
    """What is known of a walk while it goes on and after it. `failed` are the candidates that raised."""

    walk: Walk
    results: list[WalkerResult] = field(default_factory=list)
    failed: list[tuple[Candidate, Exception]] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    counters: dict[str, Counters] = field(default_factory=dict)
    done: int = 0
    best: WalkerResult | None = None
    stopped: bool = False
    finished: bool = False
    now: int = 0

    def key_of(self, candidate: Candidate) -> RunKey:
        """The key of a candidate's backtest."""
        schema = self.walk.schema
        return RunKey(self.walk.symbol, candidate.label, schema.exchange_name, schema.frame_name, True)

    def statistics(self) -> WalkerStatistics:
        """What the walk has come to so far."""
        schema, best = self.walk.schema, self.best
        return WalkerStatistics(
            walker_name=schema.walker_name,
            symbol=self.walk.symbol,
            exchange_name=schema.exchange_name,
            frame_name=schema.frame_name,
            metric=schema.metric,
            total_strategies=len(self.walk.candidates),
            best_strategy=None if best is None else best.strategy_name,
            best_metric=None if best is None else best.metric_value,
            best_stats=None if best is None else best.stats,
            strategy_results=tuple(reversed(self.results)),
        )


class LocalTester:
    """Runs the backtests of a walk one after another in this process."""

    def __init__(self, resolver: RunResolver, logic: BacktestLogicService, kit: Any) -> None:
        """`kit` is whose runs these are."""
        self._resolver, self._logic, self._kit = resolver, logic, kit

    async def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncIterator[Tested]:
        """Test `candidates` in their order."""
        for candidate in candidates:
            try:
                yield await self._one(walk, candidate)
            except Exception as error:
                yield Tested(candidate, (), "", Counters(), error)

    async def _one(self, walk: Walk, candidate: Candidate) -> Tested:
        schema = walk.schema
        key = RunKey(walk.symbol, candidate.strategy_name, schema.exchange_name, schema.frame_name, True)
        plan = self._resolver.backtest(key, self._kit.config, walk.policy, candidate.params)
        state = self._logic.start(plan, stepping=walk.stepping, alone=True)
        context = RunContext(key, state.runner.clock, self._kit, state)
        async for _ in InContext(context, self._logic.run(state)):
            pass
        fingerprint = state.runner.fingerprint.hexdigest()
        return Tested(candidate, tuple(state.closed), fingerprint, state.machine.counters, None)


class WalkerLogicService:
    """Runs walks of one kit."""

    def __init__(self, *, channels: Channels) -> None:
        self._channels = channels

    async def run(self, state: WalkState, tester: Tester) -> AsyncGenerator[WalkerEvent, None]:
        """Test the candidates in order, yielding an event for each that went through.

        A candidate that fails is reported on the error channel and to `on_strategy_error`, and the walk goes on; it is
        counted, shown, and never the best. A stop takes effect before the next candidate.
        """
        walk = state.walk
        callbacks = walk.schema.callbacks or WalkerCallbacks()
        try:
            tests = tester.test(walk, walk.candidates).__aiter__()
            for candidate in walk.candidates:
                if state.stopped:
                    break
                await self._call(state, candidate, callbacks.on_strategy_start, candidate.label, walk.symbol)
                tested = await anext(tests)
                event = await self._take(state, tested, callbacks)
                await self._progress(state, candidate)
                if event is not None:
                    await self._channels.walker.emit(event)
                    yield event
            await self._complete(state, callbacks)
        finally:
            state.finished = True

    async def _take(self, state: WalkState, tested: Tested, callbacks: WalkerCallbacks) -> WalkerEvent | None:
        candidate, walk = tested.candidate, state.walk
        state.done += 1
        if tested.error is not None:
            state.failed.append((candidate, tested.error))
            await self._tell(state, candidate, tested.error, f"backtest of {candidate.label!r} in a walk")
            await self._call(state, candidate, callbacks.on_strategy_error, candidate.label, walk.symbol, tested.error)
            return None
        result = walker_result(candidate, tested, walk.schema.metric)
        state.results.append(result)
        state.fingerprints[candidate.label] = tested.fingerprint
        state.counters[candidate.label] = tested.counters
        state.now = max(state.now, result.last_event_time or 0)
        if is_better(result, state.best, minimise=walk.schema.direction == "minimise"):
            state.best = result
        best = state.best
        await self._call(
            state,
            candidate,
            callbacks.on_strategy_complete,
            candidate.label,
            walk.symbol,
            result.stats,
            result.metric_value,
        )
        return WalkerEvent(
            key=state.key_of(candidate),
            timestamp=state.now,
            walker_name=walk.schema.walker_name,
            metric=walk.schema.metric,
            result=result,
            best_strategy=None if best is None else best.strategy_name,
            best_metric=None if best is None else best.metric_value,
            strategies_tested=len(state.results),
            total_strategies=len(walk.candidates),
        )

    async def _progress(self, state: WalkState, candidate: Candidate) -> None:
        total = len(state.walk.candidates)
        name = state.walk.schema.walker_name
        event = WalkerProgressEvent(state.key_of(candidate), state.now, name, total, state.done, state.done / total)
        await self._channels.walker_progress.emit(event)

    async def _complete(self, state: WalkState, callbacks: WalkerCallbacks) -> None:
        last = state.walk.candidates[max(state.done - 1, 0)]
        statistics = state.statistics()
        await self._call(state, last, callbacks.on_complete, statistics)
        await self._channels.walker_complete.emit(WalkerCompleteEvent(state.key_of(last), state.now, statistics))

    async def _call(self, state: WalkState, candidate: Candidate, function: Any, *arguments: Any) -> None:
        if function is None:
            return
        try:
            await user_function(function)(*arguments)
        except Exception as error:
            await self._tell(state, candidate, error, "a callback of a walker")

    async def _tell(self, state: WalkState, candidate: Candidate, error: Exception, source: str) -> None:
        await self._channels.error.emit(ErrorEvent(error, source, state.key_of(candidate), state.now))


def walker_result(candidate: Candidate, tested: Tested, metric: str) -> WalkerResult:
    """The statistics of a tested candidate and the figure by which it is compared."""
    statistics = backtest_statistics(tested.closed)
    value = getattr(statistics, metric)
    opened = [trade.signal.pending_at for trade in tested.closed]
    closed = [trade.close_timestamp for trade in tested.closed]
    return WalkerResult(
        strategy_name=candidate.label,
        stats=statistics,
        metric_value=value if isinstance(value, int | float) and math.isfinite(value) else None,
        first_event_time=min(opened, default=None),
        last_event_time=max(closed, default=None),
    )


def is_better(result: WalkerResult, best: WalkerResult | None, *, minimise: bool) -> bool:
    """Whether `result` beats `best`: one without a figure never does, and of equals the earlier stays."""
    value = result.metric_value
    if value is None:
        return False
    if best is None or best.metric_value is None:
        return True
    return value < best.metric_value if minimise else value > best.metric_value
