"""What `backtestkit backtest` does with a line that makes sense: run what was planned and show what came of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtestkit.apps.cli.backtest_plan import Request, plan_runs
from backtestkit.apps.cli.outcome import BacktestOutcome, Outcome
from backtestkit.apps.cli.strategy_file import load_strategy_file
from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from backtestkit.apps.cli.show_progress import Running
    from backtestkit.kit import Kit


def run_request(request: Request) -> int:
    """Carry out one command line in a kit of its own; the exit code."""
    import backtestkit as bk

    with bk.Kit() as kit:
        for file in request.files:
            load_strategy_file(file)
        kit.container.run_keeper().origin = request.origin
        bk.listen_error(lambda event: None)  # they are shown with the results, not logged as well
        outcomes = asyncio.run(run_all(kit, request))
    if request.as_json:
        from backtestkit.apps.cli.show_json import show_json

        show_json(outcomes)
    else:
        from backtestkit.apps.cli.show_table import show_table

        show_table(outcomes)
    return 1 if any(outcome.error for outcome in outcomes) else 0


async def run_all(kit: Kit, request: Request) -> list[BacktestOutcome]:
    """Plan the runs, run all of them together and write their reports. A run that fails does not stop the others."""
    outcomes: list[BacktestOutcome] = [Outcome(run) for run in await plan_runs(kit, request)]
    with progress_of([outcome.run for outcome in outcomes]) if request.progress else nullcontext():
        async with asyncio.TaskGroup() as tasks:
            for outcome in outcomes:
                tasks.create_task(_run_one(outcome, request.output))
    return outcomes


async def _run_one(outcome: BacktestOutcome, output: Path | None) -> None:
    import backtestkit as bk

    key = outcome.run.key
    try:
        outcome.result = await outcome.run.result()
        outcome.report = await bk.Backtest.dump(
            key.symbol,
            strategy_name=key.strategy_name,
            exchange_name=key.exchange_name,
            frame_name=key.frame_name,
            path=output,
        )
    except (BacktestKitError, OSError) as error:
        outcome.error = error


def progress_of(runs: Sequence[Running]) -> AbstractContextManager[Any]:
    """Bars where somebody can see them; nothing is imported for a pipe."""
    if not sys.stderr.isatty():
        return nullcontext()
    from backtestkit.apps.cli.show_progress import progress_bars

    return progress_bars(runs)
