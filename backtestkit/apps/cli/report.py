"""`backtestkit report`: the report of a kept run, in the terminal or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtestkit.apps.cli.options import StoreOption
from backtestkit.apps.cli.runs import RUN

report_app = typer.Typer(add_completion=False)


@report_app.command()
def report(
    run: Annotated[str, RUN],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tear sheet to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the markdown to this file.")] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", exists=True, dir_okay=False, help="Strategy file to use in place of those of the run."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Show the report of a run, or write it to files. The candles are read again from where the run had them."""
    from backtestkit.apps.cli.runs_command import report_run

    report_run(store, run, files or [], html=html, markdown=markdown)
