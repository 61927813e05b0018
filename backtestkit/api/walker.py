"""The facade of walks: many backtests, compared by one figure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtestkit.errors import UsageError
from backtestkit.kit import Kit, current_kit
from backtestkit.model.event import DoneEvent
from backtestkit.model.fill_policy import FillPolicy, PolicyName
from backtestkit.model.interval import interval_step_ms, to_ms
from backtestkit.runtime.bridge import wait
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.iteration import iterate
from backtestkit.services.core.run_book import RunBook, Taking
from backtestkit.services.report.spec import Subject

if TYPE_CHECKING:
    from backtestkit.clients.state import Counters
    from backtestkit.model.candle import Candles
    from backtestkit.model.walker import WalkerEvent, WalkerStatistics
    from backtestkit.services.logic.walk import Tester, Walk
    from backtestkit.services.logic.walk_ledger import WalkLedger
    from backtestkit.services.logic.walker import WalkState
    from backtestkit.services.logic.walker_remote import Market, RemoteTester, Setup, Transport
    from backtestkit.services.report.columns import ColumnLike


class WalkerRun:
    """One walk. Take its events with `for` or `async for`, or the end of it with `await walk` or `walk.wait()`."""

    def __init__(self, kit: Kit, state: WalkState, tester: Tester, ledger: WalkLedger | None) -> None:
        """Made by `Walker.run`."""
        self._kit, self._state, self._ledger = kit, state, ledger
        schema = state.walk.schema
        self._key = RunKey(state.walk.symbol, schema.walker_name, schema.exchange_name, schema.frame_name, True)
        self._steps = kit.container.walker_logic().run(state, tester, ledger)
        self._started: float | None = None
        self._taking = Taking(walks_of(kit))

    @property
    def key(self) -> RunKey:
        """Symbol, walker, exchange and frame."""
        return self._key

    @property
    def running(self) -> bool:
        """True while somebody takes its events, or it goes on in the background; False again after a `break`."""
        return self._taking.goes_on and not self._state.finished

    @property
    def id(self) -> str | None:
        """The identity of the walk in the run store (`Runs.list(walk=...)`); None when runs are not kept."""
        return None if self._ledger is None else self._ledger.id

    @property
    def progress(self) -> float:
        """Share of the strategies that is done, failed and pruned ones included, 0 to 1."""
        return self._state.progress

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to go, if the rest takes as long as what is done; None before the first strategy."""
        tested = self._state.done - (0 if self._ledger is None else self._ledger.known)
        if self._started is None or tested <= 0:
            return None
        spent = monotonic_seconds() - self._started
        return spent / tested * (self._state.walk.source.total - self._state.done)

    @property
    def failed(self) -> Sequence[tuple[str, Exception]]:
        """The strategies that failed, with their errors."""
        return [(failure.strategy_name, failure.error) for failure in self._state.failed]

    @property
    def pruned(self) -> Sequence[str]:
        """The strategies that were given up."""
        return [pruned.strategy_name for pruned in self._state.pruned]

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each strategy's backtest."""
        return dict(self._state.fingerprints)

    @property
    def counters(self) -> dict[str, Counters]:
        """Minutes, ticks and calls of each strategy's backtest."""
        return dict(self._state.counters)

    def stop(self) -> None:
        """End the walk before its next strategy."""
        self._state.stopped = True

    def __aiter__(self) -> AsyncIterator[WalkerEvent]:
        return self._events()

    def __iter__(self) -> Iterator[WalkerEvent]:
        return iterate(self._events)

    def __await__(self) -> Generator[Any, None, WalkerStatistics]:
        return self.result().__await__()

    async def result(self) -> WalkerStatistics:
        """Walk to the end; what it came to. `await walk` for short."""
        async for _ in self._events():
            pass
        return self._state.statistics()

    def wait(self) -> WalkerStatistics:
        """`result` for scripts and plain functions."""
        return wait(self.result())

    def statistics(self) -> WalkerStatistics:
        """What the walk has come to so far."""
        return self._state.statistics()

    async def _events(self) -> AsyncIterator[WalkerEvent]:
        if self._state.finished:
            return
        async with self._taking.by(self):
            if self._started is None:
                self._started = monotonic_seconds()
            async for event in self._steps:
                yield event

    def begin(self) -> None:
        """Take a place among the walks of the kit and go on by itself; `UsageError` while another one is running there."""
        walks_of(self._kit).add(self)
        self._taking.by_itself = True

    def _repr_html_(self) -> str:
        from backtestkit.services.report.notebook import progress_page

        status = "pending" if self._started is None else "running" if self.running else "ready"
        best = self._state.statistics().best_strategy
        return progress_page(self._key, status, self.progress, "" if best is None else f"Best so far: {best}.")


class _Walker:
    """Walks of the current kit."""

    def run(
        self,
        symbol: str,
        *,
        walker_name: str,
        policy: FillPolicy | PolicyName | None = None,
        pool: Tester | None = None,
        stepping: bool = False,
        resume: bool = False,
    ) -> WalkerRun:
        """A new walk of a registered walker over `symbol`; it starts when its events are asked for.

        With a `pool` the backtests run in its processes (see `Walker.pool`, and `Walker.cluster` for other machines), with
        the same results bit for bit. `stepping=True` handles every minute on its own. `UsageError` when the walker needs
        optuna and that is not installed.

        With `resume` the newest walk of the same walker, strategies, code, frame and settings goes on if it was not
        finished: what it has tested comes from the run store, failed strategies are tried again, and the result is that
        of a walk that was never interrupted. `UsageError` when runs are not kept; `DataError`, when the walk starts, if the
        candles have changed since.
        """
        from backtestkit.services.logic.walk import Walk
        from backtestkit.services.logic.walk_sources import source_of
        from backtestkit.services.logic.walker import WalkState
        from backtestkit.services.logic.walker_local import LocalTester

        kit = current_kit()
        schema = kit.validations["walker"].validate(walker_name)
        container = kit.container
        state = WalkState(Walk(schema, symbol, policy, source_of(schema), stepping))
        tester = pool or LocalTester(container.run_resolver(), container.backtest_logic(), container.run_keeper(), kit)
        return WalkerRun(kit, state, tester, self._ledger(kit, state.walk, resume))

    def _ledger(self, kit: Kit, walk: Walk, resume: bool) -> WalkLedger | None:
        from backtestkit.services.logic.walk_ledger import WalkLedger

        if not kit.config.keep_runs:
            if resume:
                raise UsageError("resume=True needs the run store; switch it on with bk.set_config(keep_runs=True)")
            return None
        container = kit.container
        return WalkLedger(
            walk,
            kit.config,
            resolver=container.run_resolver(),
            keeper=container.run_keeper(),
            replays=container.replays(),
            resume=resume,
        )

    async def pool(
        self, processes: int, setup: Setup, *, symbol: str | None = None, walker_name: str | None = None
    ) -> RemoteTester:
        """A pool of `processes` for walks; use it as a context manager, or close it.

        The processes start from nothing, so `setup` (strategy files, or a function at the top of a module) must register
        in them what is registered here. With `symbol` and `walker_name` the candles of that frame are read once and
        shared between the processes in memory.
        """
        from backtestkit.services.logic.walker_pool import PoolTransport

        return await self._remote(PoolTransport(processes), setup, symbol, walker_name)

    async def cluster(
        self, cluster: Any, setup: Setup, *, symbol: str | None = None, walker_name: str | None = None
    ) -> RemoteTester:
        """A cluster of Dask for walks, for the `pool` of `Walker.run`; use it as a context manager, or close it.

        `cluster` is the address of a scheduler (`"tcp://10.0.0.5:8786"`) or a `distributed.Client`. `setup` is that of
        `Walker.pool`: strategy files travel with their text, a function must exist on the workers. With `symbol` and
        `walker_name` the candles of that frame are read here and sent to each worker once; candles beyond it, a worker
        reads for itself. The candidates of a worker that is lost are tested on another one. `UsageError` without the
        package distributed (`pip install "backtestkit[cluster]"`), when the cluster cannot be reached, or when a worker
        has another version of backtestkit.
        """
        from backtestkit.services.logic.walker_cluster import connect

        return await self._remote(await connect(cluster), setup, symbol, walker_name)

    async def _remote(
        self, transport: Transport, setup: Setup, symbol: str | None, walker_name: str | None
    ) -> RemoteTester:
        """A tester over `transport`, with the candles of a walk lent to it."""
        from backtestkit.api.walker_worker import backtest_candidate
        from backtestkit.services.logic.walker_remote import RemoteTester

        kit = current_kit()
        try:
            tester = RemoteTester(transport, setup, kit.config.as_dict(), backtest_candidate)
            if symbol is not None and walker_name is not None:
                await tester.lend(*await self._candles(kit, symbol, walker_name))
        except BaseException:
            transport.close()
            raise
        return tester

    async def _candles(self, kit: Kit, symbol: str, walker_name: str) -> tuple[Candles, Market]:
        """The candles that every backtest of a walk reads."""
        from backtestkit.services.logic.walker_remote import Market

        schema = kit.validations["walker"].validate(walker_name)
        frame = kit.registries["frame"].get(schema.frame_name)
        exchange = kit.container.exchange_pool().connect(schema.exchange_name)
        step = interval_step_ms(exchange.schema.base_interval)
        since = to_ms(frame.start_date) // step * step - kit.config.avg_price_candles_count * step
        until = -(-to_ms(frame.end_date) // step) * step
        span = await exchange.span(symbol)
        if span is not None:
            since, until = max(since, span[0]), min(until, span[1] + step)
        candles = await exchange.columns(symbol, since, until, strict=False)
        real = candles if candles.filled is None else candles.take((~candles.filled).nonzero()[0])
        return real, Market(schema.exchange_name, symbol, since, until)

    def background(
        self,
        symbol: str,
        *,
        walker_name: str,
        policy: FillPolicy | PolicyName | None = None,
        pool: Tester | None = None,
        resume: bool = False,
    ) -> asyncio.Task[WalkerStatistics]:
        """Start a walk as a task of the running event loop; the done event is raised when it has ended.

        A walk of the same walker and symbol that is running already raises `UsageError`.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "Walker.background needs a running event loop; in a script use Walker.run(...).wait()"
            ) from None
        kit = current_kit()
        run = self.run(symbol, walker_name=walker_name, policy=policy, pool=pool, resume=resume)
        run.begin()
        return loop.create_task(self._finish(kit, run))

    async def _finish(self, kit: Kit, run: WalkerRun) -> WalkerStatistics:
        try:
            return await run.result()
        finally:
            await kit.channels.done_walker.emit(DoneEvent(run.key, run._state.now))

    def stop(self, symbol: str, *, walker_name: str) -> None:
        """End a walk before its next strategy."""
        self._find(symbol, walker_name).stop()

    def list(self) -> list[WalkerRun]:
        """The walks of this kit, oldest first."""
        return walks_of(current_kit()).all()

    def get_data(self, symbol: str, *, walker_name: str) -> WalkerStatistics:
        """What the newest walk of this walker came to."""
        return self._find(symbol, walker_name).statistics()

    def get_report(self, symbol: str, *, walker_name: str, columns: Sequence[ColumnLike] | None = None) -> str:
        """The comparison as markdown."""
        return current_kit().container.markdown().get_report("walker", self._subject(symbol, walker_name), columns)

    async def dump(
        self,
        symbol: str,
        *,
        walker_name: str,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path | None:
        """Write the comparison into the folder `path`; gives the file."""
        subject = self._subject(symbol, walker_name)
        return await current_kit().container.markdown().dump("walker", subject, path, columns)

    def _subject(self, symbol: str, walker_name: str) -> Subject:
        run = self._find(symbol, walker_name)
        return Subject(run.key, run.statistics())

    def _find(self, symbol: str, walker_name: str) -> WalkerRun:
        kit = current_kit()
        schema = kit.validations["walker"].validate(walker_name)
        return walks_of(kit).get(RunKey(symbol, walker_name, schema.exchange_name, schema.frame_name, True))


def walks_of(kit: Kit) -> RunBook[WalkerRun]:
    """The walks of `kit`."""
    walks: RunBook[WalkerRun] = kit.walks
    return walks


Walker = _Walker()
"""Comparisons of strategies: `run`, `pool`, `cluster`, `background`, `stop`, `list`, `get_data`, `get_report`, `dump`."""
