"""Small functions on values: paths into nested data, decimal places, markdown as plain text, command lines."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.runtime.context import Mode
from backtestkit.services.report.plain_text import plain_text

__all__ = ["RunArguments", "get_path", "get_price_scale", "parse_args", "set_path", "to_plain_string"]


def get_path(value: Any, path: str | Sequence[str | int], default: Any = None) -> Any:
    """What lies at `path` in nested data: `"a.b.0"` or `["a", "b", 0]`; `default` where that leads nowhere.

    Steps are keys of mappings, places in lists, and attributes of anything else.
    """
    for step in _steps(path):
        found = _step(value, step)
        if found is _NOWHERE:
            return default
        value = found
    return value


def set_path(value: Any, path: str | Sequence[str | int], new: Any) -> None:
    """Put `new` at `path` in nested data. Missing keys become dictionaries; `UsageError` where a path cannot go."""
    *steps, last = _steps(path)
    for step in steps:
        found = _step(value, step)
        if found is _NOWHERE:
            if not isinstance(value, MutableMapping):
                raise UsageError(f"set_path: {type(value).__name__} has nothing at {step!r} of {path!r}")
            found = value[step] = {}
        value = found
    if isinstance(value, MutableMapping):
        value[last] = new
    elif isinstance(value, MutableSequence):
        try:
            value[int(last)] = new
        except (ValueError, IndexError):
            raise UsageError(f"set_path: a list of {len(value)} has no place {last!r} of {path!r}") from None
    else:
        try:
            setattr(value, str(last), new)
        except AttributeError:
            raise UsageError(f"set_path: {type(value).__name__} takes nothing at {last!r} of {path!r}") from None


def get_price_scale(value: float) -> int:
    """How many decimal places suit a price: as many as show five significant digits, at least 2 and at most 8."""
    if not math.isfinite(value):
        raise UsageError(f"get_price_scale: {value!r} is not a finite number")
    return 2 if value == 0 else min(8, max(2, 4 - math.floor(math.log10(abs(value)))))


def to_plain_string(markdown: str) -> str:
    """`markdown` on one line of plain text: marks go, code blocks go with their content, links keep their text."""
    return plain_text(markdown)


@dataclass(frozen=True, slots=True)
class RunArguments:
    """What a program is asked to run. Names that were not given are None."""

    mode: Mode
    paper: bool
    symbol: str | None
    strategy_name: str | None
    exchange_name: str | None
    frame_name: str | None
    verbose: bool
    rest: tuple[str, ...]


def parse_args(arguments: Sequence[str] | None = None, **defaults: str) -> RunArguments:
    """The flags `--backtest`, `--paper`, `--live`, `--symbol`, `--strategy`, `--exchange`, `--frame`, `--verbose`.

    Read from `arguments`, by default those of the program. `defaults` are names for what is not given (`symbol=`,
    `strategy=`, `exchange=`, `frame=`). What is not known is in `rest`. A line that makes no sense is shown and ends the
    program, as argparse does.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--backtest", action="store_true", help="test on history (the default)")
    mode.add_argument("--paper", action="store_true", help="run live without orders")
    mode.add_argument("--live", action="store_true", help="run live")
    for name in _NAMES:
        parser.add_argument(f"--{name}", default=defaults.pop(name, None))
    parser.add_argument("--verbose", action="store_true")
    if defaults:
        raise UsageError(f"parse_args has no default {next(iter(defaults))!r}. Give {', '.join(_NAMES)}.")
    found, rest = parser.parse_known_args(arguments)
    return RunArguments(
        mode="live" if found.live or found.paper else "backtest",
        paper=found.paper,
        symbol=found.symbol,
        strategy_name=found.strategy,
        exchange_name=found.exchange,
        frame_name=found.frame,
        verbose=found.verbose,
        rest=tuple(rest),
    )


_NAMES = ("symbol", "strategy", "exchange", "frame")
_NOWHERE = object()


def _steps(path: str | Sequence[str | int]) -> list[str | int]:
    steps: list[str | int] = [*path.split(".")] if isinstance(path, str) else list(path)
    if not steps or "" in steps:
        raise UsageError(f"the path {path!r} has an empty step. Write it like 'a.b.0'.")
    return steps


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, _NOWHERE)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        try:
            return value[int(step)]
        except (ValueError, IndexError):
            return _NOWHERE
    return getattr(value, str(step), _NOWHERE)
