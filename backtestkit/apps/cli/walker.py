"""`backtestkit walker`: compare strategies or parameters and show the ranking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.backtest import Coarser, Gaps, Policy

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
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", "-s", help="A symbol to walk on; may be given several times.")
    ] = None,
    candles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH|SYMBOL=PATH",
            help="Candles in the place of the walker's exchange: a Parquet or CSV file, or a folder; may be repeated.",
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Start no earlier, such as 2025-06-01 (UTC).")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End no later.")] = None,
    policy: Annotated[Policy | None, typer.Option(help="The fill policy; the configured one without it.")] = None,
    gaps: Annotated[Gaps | None, typer.Option(help="What to do about missing candles (with --candles).")] = None,
    base_interval: Annotated[
        str | None, typer.Option(metavar="INTERVAL", help="The interval of the candles (with --candles).")
    ] = None,
    coarser: Annotated[Coarser | None, typer.Option(help="Where coarser candles come from (with --candles).")] = None,
    processes: Annotated[int, typer.Option("--processes", "-p", help="Run the backtests in that many processes.")] = 1,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run them on a cluster of Dask, such as tcp://10.0.0.5:8786.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a walk that was interrupted.")] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="How many places of the ranking are shown: 10 without it, all as JSON.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the report; dump/walker without it.")] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show how far the walk is.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures as JSON instead of a table.")] = False,
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
        policy=None if policy is None else policy.value,
        gaps=None if gaps is None else gaps.value,
        base_interval=base_interval,
        coarser=None if coarser is None else coarser.value,
        processes=processes,
        cluster=cluster,
        resume=resume,
        top=top,
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_walker(request))
