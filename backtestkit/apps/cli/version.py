"""`backtestkit version`."""

from __future__ import annotations

import typer

version_app = typer.Typer(add_completion=False)


@version_app.command()
def version() -> None:
    """Print the versions of backtestkit and Python."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        number = installed("backtestkit")
    except PackageNotFoundError:
        number = "(not installed; run from its sources)"
    typer.echo(f"backtestkit {number}, Python {platform.python_version()}")
