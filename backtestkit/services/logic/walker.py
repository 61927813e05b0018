"""The walker: one backtest a candidate, compared by one figure or several."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from backtestkit.clients.state import Counters
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.event import ErrorEvent
from backtestkit.model.metric import Direction
from backtestkit.model.schema import WalkerCallbacks
from backtestkit.model.walker import (
    WalkerCompleteEvent,
    WalkerEvent,
    WalkerFailure,
    WalkerProgressEvent,
    WalkerPruned,
    WalkerResult,
    WalkerStatistics,
)
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.user_code import user_function
from backtestkit.services.channels import Channels
from backtestkit.services.logic.walk import Candidate, Tested, Tester, Walk
from backtestkit.services.logic.walk_ledger import WalkLedger
from backtestkit.services.logic.walker_local import values_of


@dataclass(slots=True)
class WalkState:
    """What is known of a walk while it goes on and after it. `last` is the candidate it is at."""

    walk: Walk
    results: list[WalkerResult] = field(default_factory=list)
    failed: list[WalkerFailure] = field(default_factory=list)
    pruned: list[WalkerPruned] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    counters: dict[str, Counters] = field(default_factory=dict)
    done: int = 0
    best: WalkerResult | None = None
    last: Candidate | None = None
    stopped: bool = False
    finished: bool = False
    now: int = 0

    @property
    def progress(self) -> float:
        """Share of the candidates that is done, 0 to 1."""
        return self.done / self.walk.source.total

    def key_of(self, candidate: Candidate) -> RunKey:
        """The key of a candidate's backtest."""
        schema = self.walk.schema
        return RunKey(self.walk.symbol, candidate.label, schema.exchange_name, schema.frame_name, True)

    def statistics(self) -> WalkerStatistics:
        """What the walk has come to so far."""
        schema, best, objectives = self.walk.schema, self.best, self.walk.schema.objectives
        return WalkerStatistics(
            walker_name=schema.walker_name,
            symbol=self.walk.symbol,
            exchange_name=schema.exchange_name,
            frame_name=schema.frame_name,
            metric=next(iter(objectives)),
            total_strategies=self.walk.source.total,
            best_strategy=None if best is None else best.strategy_name,
            best_metric=None if best is None else best.metric_value,
            best_stats=None if best is None else best.stats,
            strategy_results=tuple(reversed(self.results)),
            objectives=objectives,
            front=tuple(r.strategy_name for r in front_of(self.results, objectives)) if len(objectives) > 1 else (),
            failed=tuple(self.failed),
            pruned=tuple(self.pruned),
        )


class WalkerLogicService:
    """Runs walks of one kit."""

    def __init__(self, *, channels: Channels) -> None:
        self._channels = channels

    async def run(
        self, state: WalkState, tester: Tester, ledger: WalkLedger | None = None
    ) -> AsyncGenerator[WalkerEvent, None]:
        """Test the candidates in order, yielding an event for each that went through; `ledger` keeps them.

        A candidate that fails is reported on the error channel and to `on_strategy_error`, one that is given up to
        `on_strategy_pruned`, and the walk goes on; both are counted, shown, and never the best. A stop takes effect
        before the next candidate.
        """
        walk = state.walk
        callbacks = walk.schema.callbacks or WalkerCallbacks()
        try:
            if ledger is not None:
                tester = await ledger.begin(tester)
            while not state.stopped and (batch := walk.source.propose()):
                async with aclosing(tester.test(walk, batch)) as tests:
                    for candidate in batch:
                        if state.stopped:
                            break
                        state.last = candidate
                        await self._call(state, candidate, callbacks.on_strategy_start)
                        tested = await anext(tests)
                        if ledger is not None:
                            await ledger.keep(tested)
                        event = await self._take(state, tested, callbacks)
                        await self._progress(state, candidate)
                        if event is not None:
                            await self._channels.walker.emit(event)
                            yield event
            if ledger is not None and not state.stopped:
                await ledger.finish()
            await self._complete(state, callbacks)
        finally:
            state.finished = True

    async def _take(self, state: WalkState, tested: Tested, callbacks: WalkerCallbacks) -> WalkerEvent | None:
        """Take in what became of a candidate: an event for one that went through."""
        candidate, walk = tested.candidate, state.walk
        objectives, source = walk.schema.objectives, walk.source
        state.done += 1
        if tested.error is not None:
            source.tell(tested, [None] * len(objectives))
            state.failed.append(
                WalkerFailure(strategy_name=candidate.label, params=candidate.params, error=tested.error)
            )
            await self._tell(state, candidate, tested.error, f"backtest of {candidate.label!r} in a walk")
            await self._call(state, candidate, callbacks.on_strategy_error, tested.error)
            return None
        if tested.pruned:
            value = tested.checkpoints[-1]
            source.tell(tested, [value])
            state.pruned.append(
                WalkerPruned(
                    strategy_name=candidate.label,
                    params=candidate.params,
                    checkpoint=len(tested.checkpoints),
                    metric_value=value,
                )
            )
            await self._call(state, candidate, callbacks.on_strategy_pruned, value)
            return None
        result = walker_result(tested, objectives)
        source.tell(tested, list(result.metric_values.values()))
        state.results.append(result)
        state.fingerprints[candidate.label] = tested.fingerprint
        state.counters[candidate.label] = tested.counters
        state.now = max(state.now, result.last_event_time or 0)
        if is_better(result, state.best, objectives):
            state.best = result
        await self._call(state, candidate, callbacks.on_strategy_complete, result.stats, result.metric_value)
        best = state.best
        return WalkerEvent(
            key=state.key_of(candidate),
            timestamp=state.now,
            walker_name=walk.schema.walker_name,
            metric=next(iter(objectives)),
            result=result,
            best_strategy=None if best is None else best.strategy_name,
            best_metric=None if best is None else best.metric_value,
            strategies_tested=len(state.results),
            total_strategies=source.total,
        )

    async def _progress(self, state: WalkState, candidate: Candidate) -> None:
        total, name = state.walk.source.total, state.walk.schema.walker_name
        event = WalkerProgressEvent(state.key_of(candidate), state.now, name, total, state.done, state.progress)
        await self._channels.walker_progress.emit(event)

    async def _complete(self, state: WalkState, callbacks: WalkerCallbacks) -> None:
        first = state.walk.schema.strategies[0]
        last = state.last or Candidate(first, first, {})  # stopped before it had one
        statistics = state.statistics()
        await self._guarded(state, last, callbacks.on_complete, statistics)
        await self._channels.walker_complete.emit(WalkerCompleteEvent(state.key_of(last), state.now, statistics))

    async def _call(self, state: WalkState, candidate: Candidate, function: Any, *arguments: Any) -> None:
        """A callback about one candidate."""
        await self._guarded(state, candidate, function, candidate.label, state.walk.symbol, *arguments)

    async def _guarded(self, state: WalkState, candidate: Candidate, function: Any, *arguments: Any) -> None:
        if function is None:
            return
        try:
            await user_function(function)(*arguments)
        except Exception as error:
            await self._tell(state, candidate, error, "a callback of a walker")

    async def _tell(self, state: WalkState, candidate: Candidate, error: Exception, source: str) -> None:
        await self._channels.error.emit(ErrorEvent(error, source, state.key_of(candidate), state.now))


def walker_result(tested: Tested, objectives: Mapping[str, Direction]) -> WalkerResult:
    """The statistics of a tested candidate and the figures by which it is compared."""
    statistics = backtest_statistics(tested.closed)
    values = dict(zip(objectives, values_of(list(objectives), statistics, tested.figures), strict=True))
    opened = [trade.signal.pending_at for trade in tested.closed]
    closed = [trade.close_timestamp for trade in tested.closed]
    return WalkerResult(
        strategy_name=tested.candidate.label,
        stats=statistics,
        metric_value=next(iter(values.values())),
        first_event_time=min(opened, default=None),
        last_event_time=max(closed, default=None),
        params=tested.candidate.params,
        metric_values=values,
        error_count=tested.error_count,
        newest_error=tested.newest_error,
    )


def gains(result: WalkerResult, objectives: Mapping[str, Direction]) -> tuple[float, ...] | None:
    """The compared figures, turned so that more is better; None when one of them is missing."""
    values = [
        None if value is None else value if objectives[name] == "maximise" else -value
        for name, value in result.metric_values.items()
    ]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def is_better(result: WalkerResult, best: WalkerResult | None, objectives: Mapping[str, Direction]) -> bool:
    """Whether `result` beats `best` in the first figure in which they differ.

    One without a figure never does, and of equals the earlier stays.
    """
    own, theirs = gains(result, objectives), None if best is None else gains(best, objectives)
    return own is not None and (theirs is None or own > theirs)


def front_of(results: Sequence[WalkerResult], objectives: Mapping[str, Direction]) -> list[WalkerResult]:
    """The results that no other one beats: as good in all figures and better in one. The best in the first come first."""
    known = [(own, result) for result in results if (own := gains(result, objectives)) is not None]
    known.sort(key=lambda entry: entry[0], reverse=True)
    front: list[tuple[tuple[float, ...], WalkerResult]] = []
    for own, result in known:  # whoever beats this one comes before it, and one that is beaten is beaten by the front
        if not any(own != other and all(x <= y for x, y in zip(own, other, strict=True)) for other, _ in front):
            front.append((own, result))
    return [result for _, result in front]
