"""The runs of one kit: at most one per key, the newest kept after it has finished so that its report can be asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Generic, Protocol, TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.scheduler import breathe


class Tracked(Protocol):
    """What the book needs to know of a run."""

    @property
    def key(self) -> RunKey:
        """Whose run it is."""
        ...

    @property
    def running(self) -> bool:
        """True while it goes on."""
        ...


R = TypeVar("R", bound=Tracked)

TURNS_OF_A_GOODBYE: Final = 3
"""Turns of an event loop until a generator that an `async for` has left is closed."""


class RunBook(Generic[R]):
    """Runs by key. A finished or never started run makes room for the next one of its key; a running one does not."""

    def __init__(self) -> None:
        """No runs."""
        self._runs: dict[RunKey, R] = {}

    def blocks(self, run: R) -> bool:
        """Whether another run of the same key is running."""
        earlier = self._runs.get(run.key)
        return earlier is not None and earlier is not run and earlier.running

    def add(self, run: R) -> None:
        """Enter `run`, in place of an earlier one of its key; `UsageError` while that one is running."""
        if self.blocks(run):
            raise UsageError(
                f"{describe(run.key)} is running already. Wait for it, stop it, or use another frame or name."
            )
        self._runs[run.key] = run

    def get(self, key: RunKey) -> R:
        """The newest run of `key`; `UsageError` with what there is otherwise."""
        try:
            return self._runs[key]
        except KeyError:
            there = "; ".join(describe(k) for k in list(self._runs)[:5]) or "nothing was run yet"
            raise UsageError(f"there is no run of {describe(key)}. Known: {there}.") from None

    def all(self) -> list[R]:
        """All runs, oldest first."""
        return list(self._runs.values())

    def running(self) -> list[R]:
        """The runs in progress."""
        return [run for run in self._runs.values() if run.running]

    def clear(self, key: RunKey | None = None) -> None:
        """Forget the run of `key`, or all; running ones raise `UsageError` and nothing is forgotten."""
        going = [run for run in ([self.get(key)] if key else self.all()) if run.running]
        if going:
            raise UsageError(f"{describe(going[0].key)} is running. Stop it or wait for it before clearing.")
        if key is None:
            self._runs.clear()
        else:
            del self._runs[key]


class Taking(Generic[R]):
    """Who takes the results of a run. It goes on while somebody does, and one that goes on by itself until its end.

    It does not know the run, which has it: a circle would keep the candles of a run in memory until they are looked for.
    """

    def __init__(self, book: RunBook[R]) -> None:
        """Nobody yet; `book` is where the run takes its place."""
        self._book = book
        self._takers = 0
        self.by_itself = False

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on; False again when a loop over its results was left."""
        return self._takers > 0 or self.by_itself

    @asynccontextmanager
    async def by(self, run: R) -> AsyncIterator[None]:
        """Around taking the results of `run`; `UsageError` while another run of the same key is running."""
        for _ in range(TURNS_OF_A_GOODBYE):
            if not self._book.blocks(run):
                break
            await breathe()
        self._book.add(run)
        self._takers += 1
        try:
            yield
        finally:
            self._takers -= 1


def describe(key: RunKey) -> str:
    """A key in words for messages."""
    parts = (key.symbol, key.strategy_name, key.exchange_name, key.frame_name)
    return f"{key.mode} " + " / ".join(part for part in parts if part)
