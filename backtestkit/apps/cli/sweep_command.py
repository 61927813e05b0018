"""What `backtestkit sweep` does with a line that makes sense: run the sweeps and show what came of them."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from backtestkit.apps.cli.backtest_command import progress_of
from backtestkit.apps.cli.outcome import Outcome, SweepOutcome
from backtestkit.apps.cli.strategy_file import load_strategy_file
from backtestkit.apps.cli.sweep_plan import SweepRequest, plan_sweeps
from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtestkit.api.sweep import SweepRun


def run_request(request: SweepRequest) -> int:
    """Carry out one command line in a kit of its own; the exit code."""
    import backtestkit as bk
    from backtestkit.apps.cli.sweep_show import show_json, show_table

    with bk.Kit() as kit:
        for file in request.files:
            load_strategy_file(file)
        runs = plan_sweeps(kit, request)
        outcomes = asyncio.run(run_all(runs, request))
    if request.as_json:
        show_json(outcomes)
    else:
        show_table(outcomes)
    return 1 if any(outcome.error for outcome in outcomes) else 0


async def run_all(runs: Sequence[SweepRun], request: SweepRequest) -> list[SweepOutcome]:
    """Run the sweeps one after another and write their reports. One that fails does not stop the others."""
    import backtestkit as bk

    outcomes: list[SweepOutcome] = [Outcome(run) for run in runs]
    with progress_of(runs) if request.progress else nullcontext():
        for outcome in outcomes:
            key = outcome.run.key
            try:
                outcome.result = await outcome.run.result()
                outcome.report = await bk.Sweep.dump(key.symbol, sweep_name=key.strategy_name, path=request.output)
            except (BacktestKitError, OSError) as error:
                outcome.error = error
    return outcomes
