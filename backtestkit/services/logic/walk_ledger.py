"""What a walk leaves in the run store, and going on from there after a crash.

Every candidate is kept as soon as it was tested, under the id of its walk. A walk that goes on answers the candidates it
has kept from the store; since a source is a deterministic function of its seed and of what it is told, it comes to where
the earlier process stood, and tests the rest.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import orjson

from backtestkit.clients.state import Counters
from backtestkit.config import Config
from backtestkit.errors import DataError, StoreError
from backtestkit.model.run_record import RunRecord
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.ids import new_id
from backtestkit.services.core.run_resolver import RunResolver
from backtestkit.services.core.user_code import user_code
from backtestkit.services.logic.replay import ReplayService
from backtestkit.services.logic.run_keeper import RunKeeper, plain, trades_from
from backtestkit.services.logic.walk import Candidate, Tested, Tester, Walk

Identity: TypeAlias = tuple[str, bytes]


class WalkLedger:
    """Keeps one walk. `id` names it in the run store, by `Runs.list(walk=...)`."""

    def __init__(
        self,
        walk: Walk,
        config: Config,
        *,
        resolver: RunResolver,
        keeper: RunKeeper,
        replays: ReplayService,
        resume: bool,
    ) -> None:
        """With `resume` the newest walk like this one that was not finished goes on; else a new one begins."""
        self._walk, self._config, self._resume = walk, config, resume
        self._resolver, self._keeper, self._replays = resolver, keeper, replays
        self.id = new_id()
        self.known = 0

    async def begin(self, tester: Tester) -> Tester:
        """Note that the walk begins or goes on; the tester to use.

        Raises `DataError` when the candles are not those of the walk that was to go on. A store that cannot be written
        costs no walk its result: the error goes to the error channel.
        """
        plan, store = self._plan(), self._keeper.store
        last = await to_thread(store.last_walk, plan) if self._resume else None
        if last is not None and last.finished_at is None:
            self.id = last.id
            known = await self._recalled()
            self.known = len(known)
            return RecallingTester(tester, known)
        await self._write("beginning a walk", store.begin_walk, self.id, plan, self._keeper.now_ms())
        return tester

    async def keep(self, tested: Tested) -> None:
        """Keep what became of a candidate, unless that is where it came from."""
        record = tested.record
        if record is None:
            return
        in_walk = {
            "params": plain(tested.candidate.params),
            "counters": asdict(tested.counters),
            "figures": plain(tested.figures),
            "checkpoints": plain(tested.checkpoints),
        }
        origin = self._keeper.origin or record.origin
        own = replace(record, walk=self.id, label=tested.candidate.label, in_walk=in_walk, origin=origin)
        await self._keeper.keep(own, tested.closed)

    async def finish(self) -> None:
        """Note that nothing is left to test."""
        await self._write("finishing a walk", self._keeper.store.finish_walk, self.id, self._keeper.now_ms())

    def _plan(self) -> str:
        """A hash of everything that decides what this walk comes to, but the candles."""
        walk, schema = self._walk, self._walk.schema
        plans = [
            self._resolver.backtest(
                RunKey(walk.symbol, name, schema.exchange_name, schema.frame_name, True), self._config, walk.policy
            )
            for name in schema.strategies
        ]
        chosen = schema.model_copy(update={"callbacks": None, "note": ""})
        frame = plans[0].frame
        return user_code(
            walk.symbol,
            chosen,
            plans[0].policy,
            self._config.deciding(),
            (frame.interval, frame.start_date, frame.end_date),
            [(plan.strategy, plan.actions, plan.risks, plan.sizing) for plan in plans],
        ).hash

    async def _recalled(self) -> dict[Identity, Tested]:
        """What was tested before, but for what failed: that is tried again."""
        store = self._keeper.store
        records = [r for r in await to_thread(lambda: store.find(walk=self.id)) if r.outcome in ("ready", "pruned")]
        if records:
            _, same = await self._replays.load(records[0], self._config)
            if not same:
                raise DataError(
                    f"the candles of {self._walk.symbol} have changed since this walk was interrupted, so that its parts "
                    f"could not be compared. Start it anew, without resume."
                )
        return {
            _identity(record.strategy_name, record.in_walk["params"]): _tested(
                record, await to_thread(store.closed, record.number)
            )
            for record in records
        }

    async def _write(self, what: str, write: Any, *arguments: Any) -> None:
        try:
            await to_thread(write, *arguments)
        except StoreError as error:
            schema = self._walk.schema
            key = RunKey(self._walk.symbol, schema.walker_name, schema.exchange_name, schema.frame_name, True)
            await self._keeper.tell(error, what, key)


class RecallingTester:
    """Gives known candidates back as they were, and lets another tester test the rest."""

    def __init__(self, tester: Tester, known: Mapping[Identity, Tested]) -> None:
        """`known` by strategy and parameters."""
        self._tester, self._known = tester, known

    async def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncGenerator[Tested, None]:
        """Give the outcomes of `candidates` in their order."""
        known = [self._known.get(_identity(c.strategy_name, plain(c.params))) for c in candidates]
        unknown = [candidate for candidate, tested in zip(candidates, known, strict=True) if tested is None]
        async with aclosing(self._tester.test(walk, unknown)) as fresh:
            for candidate, tested in zip(candidates, known, strict=True):
                yield await anext(fresh) if tested is None else replace(tested, candidate=candidate)


def _identity(strategy_name: str, params: Mapping[str, Any]) -> Identity:
    return strategy_name, orjson.dumps(params, option=orjson.OPT_SORT_KEYS)


def _tested(record: RunRecord, closed: bytes) -> Tested:
    kept = record.in_walk
    return Tested(
        Candidate(record.label, record.strategy_name, dict(kept["params"])),
        trades_from(closed),
        record.fingerprint,
        Counters(**kept["counters"]),
        record.error_count,
        record.newest_error,
        figures=kept["figures"],
        checkpoints=tuple(kept["checkpoints"]),
        pruned=record.outcome == "pruned",
    )
