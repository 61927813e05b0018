"""The facade of sweeps: forecasts, graded over a grid of exit rules."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtestkit.errors import UsageError
from backtestkit.kit import Kit, current_kit
from backtestkit.model.fill_policy import FillPolicy, PolicyName
from backtestkit.model.sweep import Idea
from backtestkit.runtime.bridge import wait
from backtestkit.runtime.context import RunKey
from backtestkit.services.core.run_book import RunBook, describe

if TYPE_CHECKING:
    from backtestkit.model.sweep import SweepResult
    from backtestkit.services.logic.sweep import SweepLogicService, SweepPlan


class SweepRun:
    """One sweep. Take what it comes to with `await sweep` or `sweep.wait()`; it starts then."""

    def __init__(self, kit: Kit, plan: SweepPlan, logic: SweepLogicService) -> None:
        """Made by `Sweep.run`."""
        from backtestkit.services.logic.sweep import SweepState

        self._kit, self._logic = kit, logic
        self._state = SweepState(plan)
        self._started = False

    @property
    def key(self) -> RunKey:
        """Symbol, sweep and exchange."""
        return self._state.plan.key

    @property
    def running(self) -> bool:
        """True from the start until the sweep has ended."""
        return self._started and not self._state.finished

    @property
    def progress(self) -> float:
        """Share of the ideas and points that is done, 0 to 1."""
        return min(1.0, self._state.done / self._state.total)

    def __await__(self) -> Generator[Any, None, SweepResult]:
        return self.result().__await__()

    async def result(self) -> SweepResult:
        """What the sweep came to; the first call runs it, and whoever calls meanwhile is refused.

        Raises `DataError` as the exchange does, `UsageError` for a hold that is shorter than a candle.
        """
        if self._state.result is not None:
            return self._state.result
        if self._started:
            state = "has failed; start another one" if self._state.finished else "is running already"
            raise UsageError(f"the sweep {describe(self.key)} {state}")
        sweeps_of(self._kit).add(self)
        self._started = True
        result = await self._logic.run(self._state)
        if self._state.plan.config.keep_runs:
            plan = self._state.plan
            await self._kit.container.run_keeper().keep_sweep(self.key, plan.configuration, len(plan.grid))
        return result

    def wait(self) -> SweepResult:
        """`result` for scripts and plain functions."""
        return wait(self.result())


class _Sweep:
    """Sweeps of the current kit."""

    def run(
        self,
        symbol: str,
        *,
        sweep_name: str,
        ideas: Iterable[Idea | Mapping[str, Any]],
        policy: FillPolicy | PolicyName | None = None,
    ) -> SweepRun:
        """A new sweep of `ideas` about `symbol` over the grid of a registered sweep.

        Ideas are `Idea`s or mappings with `id`, `timestamp` (or `ts`: an aware datetime, text, or milliseconds), `symbol`,
        `direction` (`long`, `short`, `neutral`) and `author`; those about other symbols are left alone. `UsageError` lists
        what is wrong with them, or says that none is about `symbol`. `policy` is the fill policy, the configured one without it.
        """
        from backtestkit.clients.sweep_ideas import admit, as_ideas
        from backtestkit.model.interval import interval_step_ms
        from backtestkit.services.core.run_resolver import resolve_policy
        from backtestkit.services.logic.sweep import SweepPlan

        kit = current_kit()
        container, config = kit.container, kit.config
        schema = kit.validations["sweep"].validate(sweep_name)
        exchange = container.exchange_pool().connect(schema.exchange_name)
        admission = admit(
            as_ideas(ideas),
            symbol,
            repeat_minutes=schema.repeat_minutes,
            step=interval_step_ms(exchange.schema.base_interval),
        )
        plan = SweepPlan(schema, symbol, admission, exchange, config, resolve_policy(policy, config))
        return SweepRun(kit, plan, container.sweep_logic())

    def list(self) -> list[SweepRun]:
        """The sweeps of this kit, oldest first."""
        return sweeps_of(current_kit()).all()

    def get_data(self, symbol: str, *, sweep_name: str) -> SweepResult:
        """What the newest sweep of that name over `symbol` came to; `UsageError` before it has ended."""
        run = self._find(symbol, sweep_name)
        result = run._state.result
        if result is None:
            raise UsageError(f"the sweep {describe(run.key)} has no result; it is running or has failed")
        return result

    def get_report(self, symbol: str, *, sweep_name: str) -> str:
        """The winners, the ranking and the authors, in and out of sample, as markdown."""
        from backtestkit.services.report.sweep_report import sweep_report

        return sweep_report(self.get_data(symbol, sweep_name=sweep_name))

    async def dump(self, symbol: str, *, sweep_name: str, path: str | Path | None = None) -> Path | None:
        """Write the report into the folder `path`, `dump/sweep` without one; gives the file."""
        text = self.get_report(symbol, sweep_name=sweep_name)
        key = self._find(symbol, sweep_name).key
        folder = Path("dump") / "sweep" if path is None else Path(path)
        return await current_kit().container.markdown().write("sweep", text, key, folder)

    def _find(self, symbol: str, sweep_name: str) -> SweepRun:
        kit = current_kit()
        schema = kit.validations["sweep"].validate(sweep_name)
        return sweeps_of(kit).get(RunKey(symbol, sweep_name, schema.exchange_name, "", True))


def sweeps_of(kit: Kit) -> RunBook[SweepRun]:
    """The sweeps of `kit`."""
    sweeps: RunBook[SweepRun] = kit.sweeps
    return sweeps


Sweep = _Sweep()
"""Forecasts over a grid of exit rules: `run`, `list`, `get_data`, `get_report`, `dump`."""
