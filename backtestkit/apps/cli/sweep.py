"""`backtestkit sweep`: grade the forecasts of a file over a grid of exit rules."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.options import (
    BaseIntervalOption,
    CandlesOption,
    CoarserOption,
    ExchangeOption,
    GapsOption,
    JsonOption,
    OutputOption,
    PolicyOption,
    ProgressOption,
    SymbolsOption,
    value_of,
)

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
    symbol: SymbolsOption = None,
    candles: CandlesOption = None,
    name: Annotated[str | None, typer.Option("--sweep", help="The sweep, when the files add several.")] = None,
    exchange: ExchangeOption = None,
    order: Annotated[Order | None, typer.Option(help="What the rules are ranked by.")] = None,
    holdout: Annotated[
        float | None, typer.Option(metavar="PERCENT", help="The newest ideas that are held out; 0 for none.")
    ] = None,
    holdout_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="Hold out ideas from then on, such as 2025-06-20 (UTC).")
    ] = None,
    policy: PolicyOption = None,
    gaps: GapsOption = None,
    base_interval: BaseIntervalOption = None,
    coarser: CoarserOption = None,
    output: OutputOption = None,
    progress: ProgressOption = True,
    as_json: JsonOption = False,
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
        order=value_of(order),
        holdout=holdout,
        holdout_from=holdout_from,
        policy=value_of(policy),
        gaps=value_of(gaps),
        base_interval=base_interval,
        coarser=value_of(coarser),
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_request(request))
