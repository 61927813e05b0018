"""The facade of the run store: what was run, again and again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from backtestkit.api.backtest_run import BacktestResult, BacktestRun
from backtestkit.clients.state import Counters
from backtestkit.errors import DataError, UsageError
from backtestkit.kit import current_kit
from backtestkit.model.interval import TimeLike, parse_time, to_ms
from backtestkit.model.run_record import Difference, RunRecord, Trials, differences
from backtestkit.model.statistics import RunSummary
from backtestkit.persistence.run_store import RunStore

if TYPE_CHECKING:
    from backtestkit.services.logic.run_state import RunState
    from backtestkit.services.report.html.source import SheetSource

LISTED: Final = 100
RunName: TypeAlias = "int | str"
"""A run of the store by its number or its id."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A run that was done again.

    - `record`: the run as it was kept; `result`: what it came to now.
    - `same`: whether it decided the same, bit for bit. `changes`: in what code, data, versions and choices differ from
      then, each with the value then and now. A run may be the same in spite of changes, and another one without any that
      are recorded: when its strategy throws dice, reads other data, or shared risk rules with runs that are not repeated.
    """

    record: RunRecord
    result: BacktestResult
    changes: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the fingerprints are equal."""
        return self.result.fingerprint == self.record.fingerprint


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Several runs side by side: `records`, and in what their choices and circumstances differ."""

    records: tuple[RunRecord, ...]
    differences: tuple[Difference, ...]

    def figure(self, name: str) -> tuple[float | str | None, ...]:
        """One figure of the statistics, for each run; `UsageError` for a name that none of them has."""
        if not any(name in record.statistics for record in self.records):
            known = ", ".join(self.records[0].statistics)
            raise UsageError(f"no run has a figure {name!r}. Known: {known}.")
        return tuple(record.statistics.get(name) for record in self.records)


class _Runs:
    """The run store of the current kit: the file `runs_path` of its configuration.

    A run is named by its number, which `list` shows, or by its id. Where nothing was kept yet, nothing is found. Every
    method raises `StoreError` when the file cannot be read, and `UsageError` for a run that is not in it.
    """

    def list(
        self,
        *,
        symbol: str | None = None,
        strategy_name: str | None = None,
        walk: str | None = None,
        limit: int | None = LISTED,
    ) -> list[RunRecord]:
        """The runs of a symbol, of a strategy, of a walk, or any: the newest `limit` of them, oldest first; None for all."""
        return _store().find(symbol=symbol, strategy_name=strategy_name, walk=walk, limit=limit)

    def get(self, run: RunName) -> RunRecord:
        """What was kept of one run."""
        return _store().get(run)

    def get_result(self, run: RunName) -> BacktestResult:
        """The result of a run as it was, trades and all, but for the prices of the market: see `load`."""
        return _result(self.get(run))

    def compare(self, *runs: RunName) -> RunComparison:
        """Two or more runs side by side."""
        if len(runs) < 2:
            raise UsageError(f"a comparison needs at least 2 runs; {len(runs)} given")
        records = tuple(map(self.get, runs))
        return RunComparison(records, differences(records))

    def delete(self, *runs: RunName, walk: str | None = None, before: TimeLike | None = None) -> int:
        """Delete details and trades of runs; how many there were. That they were tried stays: see `trials`.

        With `walk` also the runs of that walk, with `before` also those that were kept before that time, with both those of
        the walk from before that time. Nothing is deleted when one of `runs` is not there.
        """
        numbers = [self.get(run).number for run in runs]
        if walk is not None or before is not None:
            until = None if before is None else to_ms(parse_time(before, "before"))
            numbers += _store().numbers(walk=walk, before=until)
        return _store().forget(numbers, current_kit().container.wall_clock().now_ms())

    def trials(self, symbol: str, *, strategy_name: str | None = None) -> Trials:
        """How often strategies, or one of them, were tried on a symbol, deleted runs included.

        The best of many tries is better than its strategy: a figure means little without this number beside it.
        """
        return _store().trials(symbol, strategy_name)

    async def replay(self, run: RunName) -> Replay:
        """Do a run again, with its frame, parameters, policy and settings, and what is registered now.

        Its strategy and its exchange must be registered under their names. It is not kept and counts as no trial.
        """
        kit, record = current_kit(), self.get(run)
        keeper, state = (
            kit.container.run_keeper(),
            kit.container.replays().start(record, kit.config.merged({"keep_runs": False})),
        )
        begun = keeper.begin(state.plan)
        again = BacktestRun(kit, kit.container.backtest_logic(), state)
        result = await again.result()
        return Replay(record, result, differences((record, keeper.record(begun, state, again.id))))

    async def load(self, run: RunName) -> BacktestResult:
        """`get_result` with the prices of the market, read again through the registered exchange.

        Raises `DataError` when the candles are not those of the run any more.
        """
        result, _ = await self._load(run)
        return result

    async def get_html(self, run: RunName) -> str:
        """The tear sheet of a run; raises what `load` raises, and `UsageError` when plotly is not installed."""
        return current_kit().container.html().get_html(await self._sheet(run))

    async def dump_html(self, run: RunName, path: str | Path | None = None) -> Path:
        """Write the tear sheet of a run into the folder `path`, or as the file `path` when that ends with `.html`.

        Without a path the folder is `dump/html`. Gives the file. Raises what `get_html` raises, and `OSError`.
        """
        return await current_kit().container.html().dump(await self._sheet(run), path)

    async def _sheet(self, run: RunName) -> SheetSource:
        from backtestkit.services.report.html.service import backtest_source

        result, state = await self._load(run)
        return backtest_source(result, state.candles(), state.plan.config)

    async def _load(self, run: RunName) -> tuple[BacktestResult, RunState]:
        kit, record = current_kit(), self.get(run)
        state, same = await kit.container.replays().load(record, kit.config)
        if not same:
            raise DataError(
                f"the candles of {record.symbol} that exchange {record.exchange_name!r} has are not those of run "
                f"{record.number} any more (data hash {record.data_hash[:12]} then). `replay` runs it over what they are now."
            )
        return replace(_result(record), market=state.marks()), state


def _result(record: RunRecord) -> BacktestResult:
    from backtestkit.services.logic.run_keeper import trades_from

    closed = trades_from(_store().closed(record.number))
    known = {field.name for field in fields(RunSummary)}
    summary = RunSummary(**{name: value for name, value in record.summary.items() if name in known})
    counters = Counters(ambiguous_exits=summary.ambiguous_exits or 0)
    return BacktestResult(record.key, closed, summary, counters, errors=(), error_count=0)


def _store() -> RunStore:
    return RunStore(current_kit().config.runs_path)


Runs = _Runs()
"""Kept runs: `list`, `get`, `get_result`, `load`, `compare`, `delete`, `trials`, `replay`, `get_html`, `dump_html`."""
