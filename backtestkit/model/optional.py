"""Packages that are there when somebody wants them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backtestkit.errors import UsageError


def optional_package(name: str) -> Any:
    """The package `name`, imported now; `UsageError` when it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(f"this needs {name}, which is not installed. Install it with: pip install {name}") from None
