"""Packages of the extras: imported when somebody wants what they do."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from backtestkit.errors import UsageError

EXTRAS: Final = {
    "apprise": ("notify", "sending notifications"),
    "cmaes": ("optimize", "sampler='cma_es'"),
    "distributed": ("cluster", "a cluster"),
    "optuna": ("optimize", "method='optuna'"),
    "pandas": ("frames", "a pandas frame"),
    "plotly": ("plots", "drawing charts"),
    "polars": ("frames", "a polars frame"),
}
"""The extra that brings each package, and what needs it."""


def optional_package(name: str) -> Any:
    """The package or module `name`, imported now; `UsageError` that names the extra when it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        extra, purpose = EXTRAS[package]
        raise UsageError(
            f'{purpose} needs the package {package}. Install it with: pip install "backtestkit[{extra}]"'
        ) from None
