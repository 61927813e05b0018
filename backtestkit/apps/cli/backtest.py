"""`backtestkit backtest`: run the strategies of a file over candles and show what came of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

backtest_app = typer.Typer(add_completion=False)


class Policy(StrEnum):
    """The fill policies that can be named."""

    conservative = "conservative"
    reference = "reference"
    next_open = "next_open"


class Gaps(StrEnum):
    """What to do about missing candles."""

    refuse = "refuse"
    skip = "skip"
    flat = "flat"


class Coarser(StrEnum):
    """Where candles of coarser intervals come from."""

    exchange = "exchange"
    resampled = "resampled"


@backtest_app.command()
def backtest(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="STRATEGY_FILE", exists=True, dir_okay=False, help="Python files with strategies."),
    ],
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", "-s", help="A symbol to test on; may be given several times.")
    ] = None,
    candles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH|SYMBOL=PATH", help="Candles: a Parquet or CSV file, or a folder; may be given several times."
        ),
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Only this strategy; all of the files without it.")] = None,
    exchange: Annotated[str | None, typer.Option(help="The exchange, when the files add several.")] = None,
    frame: Annotated[str | None, typer.Option(help="The frame, when the files add several.")] = None,
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
    output: Annotated[Path | None, typer.Option(help="Folder of the reports; dump/backtest without it.")] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show how far the runs are.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures as JSON instead of a table.")] = False,
) -> None:
    """Run the strategies of one or more files over candles, show a table of results and write a report of each run."""
    from backtestkit.apps.cli.backtest_command import run_request
    from backtestkit.apps.cli.backtest_plan import Request

    request = Request(
        files=files,
        symbols=symbol or [],
        candles=candles or [],
        strategy=strategy,
        exchange=exchange,
        frame=frame,
        start=start,
        end=end,
        policy=None if policy is None else policy.value,
        gaps=None if gaps is None else gaps.value,
        base_interval=base_interval,
        coarser=None if coarser is None else coarser.value,
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_request(request))
