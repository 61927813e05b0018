"""One backtest, and what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from backtestkit.api.backtest_export import BacktestExport, RunProgress
from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs
from backtestkit.math.statistics import backtest_statistics
from backtestkit.math.statistics_analysis import analyse
from backtestkit.math.statistics_positions import TradeSet
from backtestkit.model.analysis import Marks, TradeAnalysis, TradingYear
from backtestkit.model.event import ErrorEvent
from backtestkit.model.result import ClosedResult, YieldedResult
from backtestkit.model.statistics import BacktestStatistics, RunSummary
from backtestkit.runtime.bridge import wait
from backtestkit.runtime.context import InContext, RunContext, RunKey
from backtestkit.runtime.iteration import iterate
from backtestkit.services.core.run_book import Taking, describe

if TYPE_CHECKING:
    from backtestkit.clients.state import Counters
    from backtestkit.kit import Kit
    from backtestkit.model.run_record import RunRecord
    from backtestkit.services.logic.backtest import BacktestLogicService
    from backtestkit.services.logic.run_keeper import Begun
    from backtestkit.services.logic.run_state import RunState

RunStatus: TypeAlias = Literal["pending", "running", "ready", "failed"]


@dataclass(frozen=True, repr=False)
class BacktestResult(BacktestExport):
    """What a backtest came to.

    - `closed`: the closed trades, oldest first. `statistics`: their figures. `analysis`: what an account would have done
      with them, its risk, the costs, and breakdowns.
    - `fingerprint`: equal for equal runs, whatever was listening.
    - `summary`: what was assumed and what it cost; `ambiguous_exits`, `fee_paid` and `slippage_paid` (quote currency)
      are parts of it.
    - `errors`: the newest errors in user code that were reported, `error_count` how many there were.
    - `counters`: minutes, ticks and calls of each kind.
    - `market`: the prices that positions were valued at, for analyses.

    `to_pandas`, `to_polars`, `to_arrow`, `to_csv`, `to_json` and `to_parquet` export the closed trades, one row each;
    `plot` draws price, equity and drawdown.
    """

    key: RunKey
    closed: tuple[ClosedResult, ...]
    summary: RunSummary
    counters: Counters
    errors: tuple[ErrorEvent, ...]
    error_count: int
    market: Marks | None = None

    def __repr__(self) -> str:
        return f"<BacktestResult {describe(self.key)}: {len(self.closed)} trades, fingerprint {self.fingerprint[:12]}>"

    @cached_property
    def statistics(self) -> BacktestStatistics:
        """The figures of the closed trades."""
        return backtest_statistics(self.closed)

    @cached_property
    def analysis(self) -> TradeAnalysis:
        """`analyse` with the largest cost basis that was at work at once as capital."""
        return self.analyse()

    def analyse(self, capital: float | None = None, year: TradingYear | None = None) -> TradeAnalysis:
        """Equity, daily returns, quality, costs, benchmark and breakdowns of the trades.

        `capital` is what the account starts with, quote currency; by default the largest cost basis that was at work at
        once. One that is not above 0 raises `UsageError`. `year` says how daily figures are taken to a year, by default
        as its exchange has it (`trading_year`).
        """
        return analyse([self.trade_set()], capital, year)

    def trade_set(self) -> TradeSet:
        """The trades with what their valuation needs, for `bk.analyse` of several runs together."""
        summary = self.summary
        year = TradingYear(summary.days_per_year, summary.calendar)
        costs = Costs(summary.percent_slippage or 0.0, summary.percent_fee or 0.0)
        last = max([summary.last_time or 0, *(trade.close_timestamp for trade in self.closed)])
        return TradeSet(self.key.symbol, self.closed, costs, self.market, summary.first_time or last, last, year)

    @property
    def fingerprint(self) -> str:
        """sha256 over what the run decided, 64 hexadecimal digits."""
        return self.summary.fingerprint or ""

    @property
    def ambiguous_exits(self) -> int:
        """Exits on a candle that also reached the other level, so that their order inside it is an assumption."""
        return self.summary.ambiguous_exits or 0

    @property
    def fee_paid(self) -> float:
        """Fees of all closed trades, quote currency."""
        return self.summary.fee_paid or 0.0

    @property
    def slippage_paid(self) -> float:
        """Slippage of all closed trades, quote currency."""
        return self.summary.slippage_paid or 0.0


class BacktestRun(RunProgress):
    """One backtest. Take its results with `for`, with `async for`, or all at once with `await run`.

    The ways may be mixed: each goes on where the last one stopped. Nothing runs before one of them is used.
    """

    def __init__(self, kit: Kit, logic: BacktestLogicService, state: RunState) -> None:
        """Made by `Backtest.run`."""
        self._state, self._kit = state, kit
        self._context = RunContext(state.plan.key, state.runner.clock, kit, state)
        self._steps: InContext[YieldedResult] = InContext(self._context, logic.run(state))
        self._started = self._busy = False
        self._taking = Taking(kit.runs)
        self._failure: Exception | None = None
        self._begun: Begun | None = None
        self._record: RunRecord | None = None

    @property
    def state(self) -> RunState:
        """What the engine knows of the run; for facades and tools."""
        return self._state

    @property
    def key(self) -> RunKey:
        """Symbol and names of the run."""
        return self._state.plan.key

    @property
    def id(self) -> str:
        """The identity of this run, by which its memories, states and sessions are kept apart from those of others."""
        return self._context.id

    @property
    def record(self) -> RunRecord | None:
        """What the run store has of this run; None before it is over, and when `keep_runs` is off."""
        return self._record

    @property
    def progress(self) -> float:
        """Share of the frame that is done, 0 to 1."""
        return self._state.progress

    @property
    def running(self) -> bool:
        """True while somebody takes its results, or it goes on in the background; False again after a `break`."""
        return self._taking.goes_on and not self._state.finished

    @property
    def status(self) -> RunStatus:
        """`pending` before its first step, `running`, `ready` when it went through, `failed` when it did not."""
        if not self._started:
            return "pending"
        if not self._state.finished:
            return "running"
        return "ready" if self._state.complete else "failed"

    @property
    def fingerprint(self) -> str:
        """sha256 over what the run has decided so far."""
        return self._state.runner.fingerprint.hexdigest()

    @property
    def closed(self) -> Sequence[ClosedResult]:
        """The trades closed so far, oldest first."""
        return self._state.closed

    def begin(self) -> None:
        """Take a place among the runs of the kit and go on by itself; `UsageError` while another one is running there."""
        self._kit.runs.add(self)
        self._taking.by_itself = True
        self._start()

    def stop(self) -> None:
        """Open nothing new; an open position runs to its natural end, then the run ends."""
        self._state.present().stop()

    def explain(self) -> str:
        """Which gear the run uses and why."""
        return self._state.explain()

    def __aiter__(self) -> AsyncIterator[YieldedResult]:
        return self._results()

    def __iter__(self) -> Iterator[YieldedResult]:
        return iterate(self._results)

    def __await__(self) -> Generator[Any, None, BacktestResult]:
        return self.result().__await__()

    async def result(self) -> BacktestResult:
        """Run to the end and give what the whole run came to; `await run` for short.

        Raises what ended the run, every time it is asked; `snapshot` has what it came to until then.
        """
        async for _ in self._results():
            pass
        return self.snapshot()

    def wait(self) -> BacktestResult:
        """`result` for scripts and plain functions."""
        return wait(self.result())

    def snapshot(self) -> BacktestResult:
        """What the run has come to so far."""
        state = self._state
        return BacktestResult(
            key=self.key,
            closed=tuple(state.closed),
            summary=state.summary(),
            counters=state.machine.counters,
            errors=tuple(state.errors.kept),
            error_count=state.errors.count,
            market=state.marks(),
        )

    async def _results(self) -> AsyncIterator[YieldedResult]:
        # One that is over takes nobody's place any more, but may have results that nobody has asked for.
        async with nullcontext() if self._state.finished else self._taking.by(self):
            self._start()
            if self._busy:
                raise UsageError(f"{describe(self.key)} is being iterated already. Take its results in one place.")
            while True:
                self._busy = True
                try:
                    result = await self._steps.__anext__()
                except StopAsyncIteration:
                    if self._failure is not None:  # told again, or the part would pass for the whole
                        raise self._failure from None
                    await self._keep(None)
                    return
                except Exception as error:
                    self._failure = error
                    await self._keep(error)
                    raise
                finally:
                    self._busy = False
                yield result

    def _start(self) -> None:
        if not self._started:
            self._started = True
            if self._state.plan.config.keep_runs:
                self._begun = self._kit.container.run_keeper().begin(self._state.plan)

    async def _keep(self, error: Exception | None) -> None:
        """Put the run, which is over, into the run store; once."""
        begun, self._begun = self._begun, None
        if begun is not None:
            keeper = self._kit.container.run_keeper()
            record = keeper.record(begun, self._state, self.id, error)
            self._record = await keeper.keep(record, self._state.closed)

    def __repr__(self) -> str:
        return f"<BacktestRun {describe(self.key)} {self.status} {self.progress:.0%}>"


class BackgroundRun:
    """A run that goes on by itself. Call it to stop the run; `await` it for the result."""

    def __init__(self, run: BacktestRun, task: asyncio.Task[BacktestResult]) -> None:
        """Made by `Backtest.background`."""
        self.run, self._task = run, task

    def __call__(self) -> None:
        """Open nothing new and end when nothing is open any more."""
        self.run.stop()

    def __await__(self) -> Generator[Any, None, BacktestResult]:
        return self._task.__await__()

    def _repr_html_(self) -> str:
        return self.run._repr_html_()
