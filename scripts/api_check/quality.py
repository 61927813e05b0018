"""Whether a public object explains itself: to people by its documentation, to type checkers by its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any


def shortcomings(name: str, value: Any, *, stubbed: bool = False) -> Iterator[str]:
    """What `value` lacks, in words that begin with its name.

    `stubbed` says that type checkers read a stub beside the module instead; another test compares the two.
    """
    if inspect.isclass(value) or inspect.isroutine(value):
        if not inspect.getdoc(value):
            yield f"{name} is not documented"
    elif not inspect.getdoc(type(value)):
        yield f"{name} is not documented"
    if inspect.isroutine(value):
        if not stubbed:
            yield from _of_function(name, value)
        return
    kind = value if inspect.isclass(value) else type(value)
    if kind.__module__.startswith("backtestkit"):
        yield from _of_members(name, kind)


def _of_members(name: str, kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        if not base.__module__.startswith("backtestkit"):
            continue
        for member, value in vars(base).items():
            if member.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property)):
                continue
            if not inspect.getdoc(value):
                yield f"{name}.{member} is not documented"
            getter = value.fget if isinstance(value, property) else value
            if getter is not None:
                yield from _of_function(f"{name}.{member}", getter)


def _of_function(name: str, fn: Callable[..., Any]) -> Iterator[str]:
    signature = inspect.signature(fn)
    for parameter in signature.parameters.values():
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls"):
            yield f"{name}: parameter {parameter.name} has no type"
    if signature.return_annotation is signature.empty:
        yield f"{name}: what it returns has no type"
