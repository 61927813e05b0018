"""Identities, behind a seam: a test or a replay puts its own factory in place and gets the same ids every time."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TypeAlias

IdFactory: TypeAlias = Callable[[], str]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """A new identity: some 22 lower-case letters and digits, unique across processes, in order inside one process."""
    return _factory.get()()


@contextmanager
def use_ids(factory: IdFactory) -> Iterator[None]:
    """Take ids from `factory` in this context (and the tasks it starts) until the block ends."""
    token = _factory.set(factory)
    try:
        yield
    finally:
        _factory.reset(token)


def sequential_ids(prefix: str = "id") -> IdFactory:
    """A factory that counts: `id-1`, `id-2`, ... ; for tests and for replaying a session."""
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"


def process_ids() -> IdFactory:
    """The default factory: the start in ms and 30 random bits name the process, a counter the id.

    Sixteen characters of name and a counter of at least six: cheaper than drawing random bits for every id, and two
    processes share a name only when they start in the same millisecond and draw the same number out of 2**30.
    """
    name = _base32(time.time_ns() // 1_000_000, 10) + _base32(secrets.randbits(30), 6)
    numbers = count(1)
    return lambda: f"{name}{next(numbers):06x}"


def _base32(value: int, digits: int) -> str:
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(digits)))


class _Default:
    """The process's own factory, replaced in a forked child, which would otherwise repeat its parent's ids."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._make = process_ids()

    def __call__(self) -> str:
        return self._make()


_default = _Default()
_factory: ContextVar[IdFactory] = ContextVar("backtestkit_ids", default=_default)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_default.renew)
