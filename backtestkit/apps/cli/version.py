"""`backtestkit version`."""

from __future__ import annotations

import typer

version_app = typer.Typer(add_completion=False)


@version_app.command()
def version() -> None:
    """Print the versions of backtestkit and Python."""
    import platform

    import backtestkit as bk

    typer.echo(f"backtestkit {bk.__version__}, Python {platform.python_version()}")
