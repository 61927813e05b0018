"""`backtestkit runs`: look at kept runs, compare them, do them again, delete them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.options import JsonOption, StoreOption

runs_app = typer.Typer(add_completion=False, no_args_is_help=True, help="Kept runs: look, compare, repeat, delete.")

RUN = typer.Argument(metavar="RUN", help="The number of a run, as `runs list` shows it, or its id.")


@runs_app.command("list")
def list_runs(
    symbol: Annotated[str | None, typer.Option("--symbol", "-s", help="Only runs of this symbol.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Only runs of this strategy.")] = None,
    walk: Annotated[str | None, typer.Option(help="Only runs of the walk with this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest are shown.")] = 20,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest runs, newest last."""
    from backtestkit.apps.cli.runs_command import show_list

    show_list(store, symbol=symbol, strategy_name=strategy, walk=walk, limit=limit, as_json=as_json)


@runs_app.command()
def show(run: Annotated[str, RUN], store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show all that was kept of a run: choices, hashes, figures, costs."""
    from backtestkit.apps.cli.runs_command import show_run

    show_run(store, run, as_json=as_json)


@runs_app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Two or more runs.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show runs side by side: in what their choices differ, and their figures."""
    from backtestkit.apps.cli.runs_command import show_comparison

    show_comparison(store, runs, as_json=as_json)


@runs_app.command()
def replay(
    run: Annotated[str, RUN],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[STRATEGY_FILE]...", exists=True, dir_okay=False, help="Files to use in place of those of the run."
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do a run again and say whether it decided the same, or what has changed. Exits with 1 when it did not."""
    from backtestkit.apps.cli.runs_command import replay_run

    raise typer.Exit(replay_run(store, run, files or [], as_json=as_json))


@runs_app.command()
def delete(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="The runs to delete.")] = None,
    walk: Annotated[str | None, typer.Option(help="The runs of the walk with this id.")] = None,
    before: Annotated[str | None, typer.Option(metavar="TIME", help="Runs from before that time (UTC).")] = None,
    store: StoreOption = None,
) -> None:
    """Delete details and trades of runs. That they were tried stays in the store."""
    from backtestkit.apps.cli.runs_command import delete_runs

    delete_runs(store, runs or [], walk=walk, before=before)


@runs_app.command()
def trials(
    symbol: Annotated[str, typer.Argument(help="The market.")],
    strategy: Annotated[str | None, typer.Option(help="Only this strategy.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how often strategies were tried on a market, deleted runs included."""
    from backtestkit.apps.cli.runs_command import show_trials

    show_trials(store, symbol, strategy, as_json=as_json)
