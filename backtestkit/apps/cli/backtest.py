"""`backtestkit backtest`: run the strategies of a file over candles and show what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.options import (
    BaseIntervalOption,
    CandlesOption,
    CoarserOption,
    EndOption,
    ExchangeOption,
    GapsOption,
    JsonOption,
    OutputOption,
    PolicyOption,
    ProgressOption,
    StartOption,
    SymbolsOption,
    value_of,
)

backtest_app = typer.Typer(add_completion=False)


@backtest_app.command()
def backtest(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="STRATEGY_FILE", exists=True, dir_okay=False, help="Python files with strategies."),
    ],
    symbol: SymbolsOption = None,
    candles: CandlesOption = None,
    strategy: Annotated[str | None, typer.Option(help="Only this strategy; all of the files without it.")] = None,
    exchange: ExchangeOption = None,
    frame: Annotated[str | None, typer.Option(help="The frame, when the files add several.")] = None,
    start: StartOption = None,
    end: EndOption = None,
    policy: PolicyOption = None,
    gaps: GapsOption = None,
    base_interval: BaseIntervalOption = None,
    coarser: CoarserOption = None,
    output: OutputOption = None,
    progress: ProgressOption = True,
    as_json: JsonOption = False,
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
        policy=value_of(policy),
        gaps=value_of(gaps),
        base_interval=base_interval,
        coarser=value_of(coarser),
        output=output,
        progress=progress and not as_json,
        as_json=as_json,
    )
    raise typer.Exit(run_request(request))
