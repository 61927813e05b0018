"""The names of the package, for type checkers, and their sync twins."""

from __future__ import annotations

import inspect
from importlib import import_module

import backtestkit
from generators.source import HEAD, tidy


def package_stub() -> str:
    """`__init__.pyi`: every name from the module that has it."""
    lines = [
        f"from {module} import {name} as {name}"
        for module, names in backtestkit.ROOMS.items()
        for name in names.split()
    ]
    for name, module in backtestkit.SUBMODULES.items():
        lines.append(f"from {module.rpartition('.')[0]} import {name} as {name}")
    rest = ["", "ROOMS: dict[str, str]", "SUBMODULES: dict[str, str]", "__version__: str", ""]
    body = "\n".join([*lines, *rest, f"__all__ = {backtestkit.__all__!r}", ""])
    return tidy(HEAD.format(text="Every public name, typed.") + body)


def sync_module() -> str:
    """`sync.py`: a plain twin of every public coroutine function."""
    imports, twins = [], []
    for module, names in backtestkit.ROOMS.items():
        for name in names.split():
            if inspect.iscoroutinefunction(getattr(import_module(module), name)):
                imports.append(f"from {module} import {name} as _{name}")
                twins.append(name)
    head = HEAD.format(text=SYNC_TEXT)
    body = [*imports, "from backtestkit.runtime.bridge import twin", ""]
    body += [f"{name} = twin(_{name})" for name in twins]
    body += ["", f"__all__ = {sorted(twins)!r}", ""]
    return tidy(head + "\n".join(body), "sync.py")


SYNC_TEXT = """Plain twins of the coroutine functions, for scripts, notebooks and plain strategy functions.

Same names, same arguments, no `await`:

    from backtestkit import sync
    candles = sync.get_candles(symbol, "15m", 48)"""
