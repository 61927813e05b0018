"""`backtestkit sweep`: grade the forecasts of a file over a grid of exit rules."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.backtest import Coarser, Gaps, Policy

sweep_app = typer.Typer(add_completion=False)


class Order(StrEnum):
    """What rules can be ranked by."""

    sharpe = "sharpe"
    sortino = "sortino"
    pnl = "pnl"
    recovery = "recovery"


@sweep_app.command()
def sweep(
    ideas: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Forecasts: a .json, .jsonl or .csv file.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Python files with an exchange or a sweep."),
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The axes of the grid: a .json file.")
    ] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", "-s", help="Only ideas about it; may be given several times. All without it."),
    ] = None,
    candles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH|SYMBOL=PATH", help="Candles: a Parquet or CSV file, or a folder; may be given several times."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--sweep", help="The sweep, when the files add several.")] = None,
    exchange: Annotated[str | None, typer.Option(help="The exchange, when the files add several.")] = None,
    order: Annotated[Order | None, typer.Option(help="What the rules are ranked by.")] = None,
    holdout: Annotated[
        float | None, typer.Option(metavar="PERCENT", help="The newest ideas that are held out; 0 for none.")
    ] = None,
    holdout_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="Hold out ideas from then on, such as 2025-06-20 (UTC).")
    ] = None,
    policy: Annotated[Policy | None, typer.Option(help="The fill policy; the configured one without it.")] = None,
    gaps: Annotated[Gaps | None, typer.Option(help="What to do about missing candles (with --candles).")] = None,
    base_interval: Annotated[
        str | None, typer.Option(metavar="INTERVAL", help="The interval of the candles (with --candles).")
    ] = None,
    coarser: Annotated[Coarser | None, typer.Option(help="Where coarser candles come from (with --candles).")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the reports; dump/sweep without it.")] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show how far the sweeps are.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures as JSON instead of a table.")] = False,
) -> None:
    """Grade the forecasts of a file over a grid of exit rules and show the best, in sample and out of sample."""
    from backtestkit.apps.cli.sweep_command import run_request
    from backtestkit.apps.cli.sweep_plan import SweepRequest

    request = SweepRequest(
        ideas=ideas,
        files=files or [],
        grid=grid,
        symbols=symbol or [],
        candles=candles or [],
        sweep=name,
        exchange=exchange,
        order=None if order is None else order.value,
        holdout=holdout,
        holdout_from=holdout_from,
        policy=None if policy is None else policy.value,
        gaps=None if gaps is None else gaps.value,
        base_interval=base_interval,
        coarser=None if coarser is None else coarser.value,
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_request(request))
