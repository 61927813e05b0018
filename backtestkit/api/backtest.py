"""The facade of historical runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtestkit.api.backtest_run import BackgroundRun, BacktestResult, BacktestRun, RunStatus
from backtestkit.api.commands_facade import PositionCommandsFacade
from backtestkit.api.queries_facade import PositionQueriesFacade
from backtestkit.errors import UsageError
from backtestkit.kit import Kit, current_kit
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.event import DoneEvent
from backtestkit.model.fill_policy import FillPolicy, PolicyName
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.runtime.context import RunKey

if TYPE_CHECKING:
    from backtestkit.services.report.columns import ColumnLike
    from backtestkit.services.report.html.source import SheetSource


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One row of `Backtest.list`."""

    key: RunKey
    status: RunStatus
    progress: float


class _Backtest(PositionQueriesFacade, PositionCommandsFacade):
    """Historical runs of the current kit. The context of a run is always given by keywords."""

    def run(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
        policy: FillPolicy | PolicyName | None = None,
        stepping: bool = False,
        params: Mapping[str, Any] | None = None,
    ) -> BacktestRun:
        """A new run of a registered strategy on `symbol`; it starts when its results are asked for.

        `policy` is the fill policy, by default the configured one. `stepping=True` handles every minute on its own,
        which is slower and gives the same results. `params` override the strategy's own parameters. Unknown names raise
        with the near ones.
        """
        kit = current_kit()
        key = RunKey(symbol, strategy_name, exchange_name, frame_name, True)
        plan = kit.container.run_resolver().backtest(key, kit.config, policy, params)
        logic = kit.container.backtest_logic()
        return BacktestRun(kit, logic, logic.start(plan, stepping=stepping))

    def background(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
        policy: FillPolicy | PolicyName | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> BackgroundRun:
        """Start a run as a task of the running event loop. The done event is raised once when it has ended.

        Call the answer to stop the run, await it for the result. A key that is running already raises `UsageError`, and
        so does a call without a running loop.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "Backtest.background needs a running event loop; in a script use Backtest.run(...).wait()"
            ) from None
        kit = current_kit()
        run = self.run(
            symbol,
            strategy_name=strategy_name,
            exchange_name=exchange_name,
            frame_name=frame_name,
            policy=policy,
            params=params,
        )
        run.begin()
        return BackgroundRun(run, loop.create_task(self._finish(kit, run)))

    async def _finish(self, kit: Kit, run: BacktestRun) -> BacktestResult:
        try:
            return await run.result()
        finally:
            await kit.channels.done_backtest.emit(DoneEvent(run.key, run.state.machine.now))

    def stop(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str) -> None:
        """Stop a run: nothing new is opened, an open position runs to its natural end."""
        self._run(symbol, strategy_name, exchange_name, frame_name).stop()

    def list(self) -> list[RunInfo]:
        """The runs of this kit with their status and progress, oldest first."""
        return [RunInfo(run.key, run.status, run.progress) for run in current_kit().runs.all() if run.key.backtest]

    def get_data(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str) -> BacktestStatistics:
        """The figures of the newest run of this context."""
        return backtest_statistics(self._run(symbol, strategy_name, exchange_name, frame_name).closed)

    def get_report(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
        columns: Sequence[ColumnLike] | None = None,
    ) -> str:
        """The markdown report of the newest run of this context."""
        run = self._run(symbol, strategy_name, exchange_name, frame_name)
        return current_kit().container.markdown().get_report("backtest", run.snapshot(), columns)

    async def dump(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
        path: str | Path | None = None,
        columns: Sequence[ColumnLike] | None = None,
    ) -> Path | None:
        """Write the markdown report of the newest run of this context into the folder `path`.

        Gives the file, None when the writer in force made none (`Markdown.use_dummy()`).
        """
        run = self._run(symbol, strategy_name, exchange_name, frame_name)
        return await current_kit().container.markdown().dump("backtest", run.snapshot(), path, columns)

    def get_html(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str) -> str:
        """The tear sheet of the newest run of this context: one HTML page with charts that needs no network.

        `UsageError` when plotly is not installed (`pip install "backtestkit[plots]"`).
        """
        source = self._sheet(symbol, strategy_name, exchange_name, frame_name)
        return current_kit().container.html().get_html(source)

    async def dump_html(
        self,
        symbol: str,
        *,
        strategy_name: str,
        exchange_name: str,
        frame_name: str,
        path: str | Path | None = None,
    ) -> Path:
        """Write the tear sheet into the folder `path`, or as the file `path` when that ends with `.html`.

        Without a path the folder is `dump/html`. Gives the file. Raises what `get_html` raises, and `OSError`.
        """
        source = self._sheet(symbol, strategy_name, exchange_name, frame_name)
        return await current_kit().container.html().dump(source, path)

    def _sheet(self, symbol: str, strategy_name: str, exchange_name: str, frame_name: str) -> SheetSource:
        from backtestkit.services.report.html.service import backtest_source

        run = self._run(symbol, strategy_name, exchange_name, frame_name)
        return backtest_source(run.snapshot(), run.state.candles(), run.state.plan.config)

    def clear(
        self,
        symbol: str | None = None,
        *,
        strategy_name: str | None = None,
        exchange_name: str | None = None,
        frame_name: str | None = None,
    ) -> None:
        """Forget one run, or all of them when nothing is named. A running one raises `UsageError`."""
        runs = current_kit().runs
        if symbol is None:
            runs.clear()
            return
        if strategy_name is None or exchange_name is None or frame_name is None:
            raise UsageError("Backtest.clear needs strategy_name, exchange_name and frame_name together with a symbol")
        runs.clear(RunKey(symbol, strategy_name, exchange_name, frame_name, True))

    async def get_paused(self, symbol: str, *, strategy_name: str, exchange_name: str, frame_name: str) -> bool:
        """Whether new signals are held back."""
        return await self._position(symbol, strategy_name, exchange_name, frame_name).get_strategy_paused()

    async def set_paused(
        self, symbol: str, paused: bool, *, strategy_name: str, exchange_name: str, frame_name: str
    ) -> None:
        """Hold back (True) or release new signals."""
        await self._position(symbol, strategy_name, exchange_name, frame_name).set_strategy_paused(paused)


Backtest = _Backtest()
"""Historical runs: `run`, `background`, `stop`, `list`, `get_data`, `get_report`, `dump`, `get_html`, `dump_html`, `clear`."""
