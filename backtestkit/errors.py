"""The one tree of errors. Everything the framework raises on purpose is a `BacktestKitError`.

A message names the thing, the value seen, the limit or the known names, and what to do about it. Errors that a program
may want to tell apart carry their parts as attributes too, so nobody has to parse a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class BacktestKitError(Exception):
    """Base of all errors raised by the framework."""


class UsageError(BacktestKitError):
    """The framework was called in a way that cannot work: wrong argument, wrong moment, missing context."""


class NotRegisteredError(UsageError):
    """A name was used that no schema was registered under; `needed_by` says who refers to it."""

    def __init__(self, kind: str, name: str, known: Iterable[str], needed_by: str = "") -> None:
        self.kind, self.name, self.known, self.needed_by = kind, name, sorted(known), needed_by
        subject = f"{kind} {name!r}" + (f", needed by {needed_by}," if needed_by else "")
        super().__init__(f"{subject} is not registered. {suggest(name, self.known, f'bk.add_{kind}(...)')}")


class AlreadyRegisteredError(UsageError):
    """A name was registered a second time without saying that it may be replaced."""


class SchemaError(UsageError):
    """A schema has a wrong, missing or unknown field."""


class ConfigError(UsageError):
    """A configuration value was refused; `keys` names the fields, in the order of the complaints."""

    def __init__(self, message: str, keys: Sequence[str] = ()) -> None:
        self.keys = tuple(keys)
        super().__init__(message)


class ContextError(UsageError):
    """A function that belongs inside a run was called outside one."""


class DataError(BacktestKitError):
    """Market data is missing, malformed or not to be had."""


class InsufficientDataError(DataError):
    """History or future that was asked for does not exist in the source.

    `available` is the first and the last open time there is (ms UTC), None when that is not known.
    """

    def __init__(self, message: str, available: tuple[int, int] | None = None) -> None:
        self.available = available
        super().__init__(message)


class GapError(DataError):
    """Candles are missing inside a range; `holes` lists `(first missing, count)` with open times in ms UTC."""

    def __init__(self, message: str, holes: Sequence[tuple[int, int]] = ()) -> None:
        self.holes = tuple(holes)
        super().__init__(message)


class CandleError(DataError):
    """A candle cannot be true; `code` says which rule it breaks and `timestamp` which candle it is."""

    def __init__(self, message: str, code: str, timestamp: int | None = None) -> None:
        self.code, self.timestamp = code, timestamp
        super().__init__(message)


class SourceError(DataError):
    """The data source itself failed: an exception, an empty or a malformed answer."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule of a signal.

    `code` is stable and meant for programs; `message` names the price, the limit and by how much it is missed.
    """

    code: str
    message: str


class SignalError(BacktestKitError):
    """A signal breaks one or more rules; `violations` lists all of them in the order in which they are checked."""

    def __init__(self, violations: Sequence[Violation], subject: str = "signal") -> None:
        self.violations = tuple(violations)
        super().__init__(f"{subject} refused: " + "; ".join(v.message for v in self.violations))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the broken rules, in order."""
        return tuple(v.code for v in self.violations)


class RunError(BacktestKitError):
    """A run could not go on. The cause is chained."""


class EngineError(BacktestKitError):
    """A rule of the event engine was broken (see the dispatcher and the venues)."""


class LockedError(BacktestKitError):
    """A file or folder belongs to another process at the moment."""


class StoreError(BacktestKitError):
    """A store could not read or write a record, or found a damaged one; the message names it and what was done."""


class DeliveryError(BacktestKitError):
    """A message could not be delivered to its receiver. It is kept and tried again."""


class StrategyTimeoutError(BacktestKitError):
    """`get_signal` took longer than `max_signal_generation_seconds`."""


def suggest(name: str, known: Sequence[str], how_to_add: str) -> str:
    """A sentence that helps with a mistyped name: the near names, else the known ones, else how to add one."""
    if not known:
        return f"Nothing is registered yet; add it with {how_to_add}."
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(repr(n) for n in near) + "?"
    shown = ", ".join(repr(n) for n in known[:8]) + (", ..." if len(known) > 8 else "")
    return f"Known: {shown}. Add it with {how_to_add}."
