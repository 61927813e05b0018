"""What `backtestkit walker` does with a line that makes sense: walk, show the ranking, write the report."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import typer

from backtestkit.apps.cli.backtest_command import progress_of
from backtestkit.apps.cli.outcome import WalkOutcome
from backtestkit.apps.cli.strategy_file import load_strategy_file
from backtestkit.apps.cli.walker_plan import WalkerRequest, WalkerSetup, plan_frame, plan_walker
from backtestkit.errors import BacktestKitError
from backtestkit.services.logic.walker_pool import INTERRUPTED

if TYPE_CHECKING:
    from backtestkit.kit import Kit
    from backtestkit.model.fill_policy import FillPolicy
    from backtestkit.model.schema import WalkerSchema
    from backtestkit.services.logic.walker_remote import RemoteTester


def run_walker(request: WalkerRequest) -> int:
    """Carry out one command line in a kit of its own; the exit code.

    1 when a walk failed, or all candidates of one; 130 when it was interrupted.
    """
    import backtestkit as bk

    with bk.Kit() as kit:
        for file in request.files:
            load_strategy_file(file)
        kit.container.run_keeper().origin = request.origin
        bk.listen_error(lambda event: None)  # they are counted and shown with the results, not logged as well
        try:
            outcomes = asyncio.run(walk_all(kit, request))
        except KeyboardInterrupt:
            if kit.config.keep_runs:
                typer.echo("Interrupted. What was tested is kept; the same command with --resume goes on.", err=True)
            return INTERRUPTED
    if request.as_json:
        from backtestkit.apps.cli.walker_json import show_walks_json

        show_walks_json(outcomes, request.top)
    else:
        from backtestkit.apps.cli.walker_table import show_walks

        show_walks(outcomes, request.top)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


async def walk_all(kit: Kit, request: WalkerRequest) -> list[WalkOutcome]:
    """Walk symbol by symbol. A walk that fails does not stop the others."""
    from backtestkit.services.core.run_resolver import resolve_policy

    schema, symbols = plan_walker(kit, request)
    policy = resolve_policy(request.policy, kit.config)
    outcomes = []
    for symbol in symbols:
        setup = await plan_frame(kit, request, schema, symbol, policy)
        outcomes.append(await _walk(request, schema, symbol, policy, setup))
    return outcomes


async def _walk(
    request: WalkerRequest, schema: WalkerSchema, symbol: str, policy: FillPolicy, setup: WalkerSetup
) -> WalkOutcome:
    import backtestkit as bk

    name, outcome = schema.walker_name, WalkOutcome(schema.walker_name, symbol)
    try:
        with await _testers(request, name, symbol, setup) as pool:
            walk = bk.Walker.run(symbol, walker_name=name, policy=policy, pool=pool, resume=request.resume)
            with progress_of([walk]) if request.progress else nullcontext():
                outcome.result = await walk
        outcome.report = await bk.Walker.dump(symbol, walker_name=name, path=request.output)
    except (BacktestKitError, OSError) as error:
        outcome.error = error
    return outcome


async def _testers(
    request: WalkerRequest, walker_name: str, symbol: str, setup: WalkerSetup
) -> AbstractContextManager[RemoteTester | None]:
    """Where the backtests run: on a cluster, in several processes, or None for here."""
    import backtestkit as bk

    if request.cluster is not None:
        return await bk.Walker.cluster(request.cluster, setup, symbol=symbol, walker_name=walker_name)
    if request.processes > 1:
        return await bk.Walker.pool(request.processes, setup, symbol=symbol, walker_name=walker_name)
    return nullcontext()
