"""Strategy files of a command line."""

from __future__ import annotations

from pathlib import Path

from backtestkit.errors import UsageError


def load_strategy_file(path: Path) -> None:
    """Run `path` in the current kit (`run_strategy`).

    Whatever it raises comes out as a `UsageError` that names the file, with the original as its cause.
    """
    from backtestkit.services.core.strategy_file import run_strategy

    if path.suffix != ".py":
        raise UsageError(f"{path} is no Python file; its name must end in .py")
    try:
        run_strategy(path.resolve(), path.read_text(encoding="utf-8"))
    except Exception as error:
        raise UsageError(f"{path} could not be loaded") from error
