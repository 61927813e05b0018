"""`backtestkit walker`: compare strategies or parameters and show the ranking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.options import (
    BaseIntervalOption,
    CandlesOption,
    CoarserOption,
    EndOption,
    GapsOption,
    JsonOption,
    OutputOption,
    PolicyOption,
    ProgressOption,
    StartOption,
    SymbolsOption,
    value_of,
)

walker_app = typer.Typer(add_completion=False)


@walker_app.command()
def walker(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="STRATEGY_FILE", exists=True, dir_okay=False, help="Python files with strategies and walkers."
        ),
    ],
    walker: Annotated[
        str | None, typer.Option("--walker", "-w", help="The walker, when the files add several.")
    ] = None,
    symbol: SymbolsOption = None,
    candles: CandlesOption = None,
    start: StartOption = None,
    end: EndOption = None,
    policy: PolicyOption = None,
    gaps: GapsOption = None,
    base_interval: BaseIntervalOption = None,
    coarser: CoarserOption = None,
    processes: Annotated[int, typer.Option("--processes", "-p", help="Run the backtests in that many processes.")] = 1,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run them on a cluster of Dask, such as tcp://10.0.0.5:8786.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a walk that was interrupted.")] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="How many places of the ranking are shown: 10 without it, all as JSON.")
    ] = None,
    output: OutputOption = None,
    progress: ProgressOption = True,
    as_json: JsonOption = False,
) -> None:
    """Run a walker of one or more files over candles, show the ranking and write a report of each walk."""
    from backtestkit.apps.cli.walker_command import run_walker
    from backtestkit.apps.cli.walker_plan import WalkerRequest

    request = WalkerRequest(
        files=files,
        walker=walker,
        symbols=symbol or [],
        candles=candles or [],
        start=start,
        end=end,
        policy=value_of(policy),
        gaps=value_of(gaps),
        base_interval=base_interval,
        coarser=value_of(coarser),
        processes=processes,
        cluster=cluster,
        resume=resume,
        top=top,
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_walker(request))
