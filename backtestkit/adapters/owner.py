"""Whose data it is, what signal it is about, and what time it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backtestkit.persistence.domains import Domain
from backtestkit.persistence.store import KeyValueStore, Space
from backtestkit.runtime.context import RunContext, RunKey


@dataclass(frozen=True, slots=True)
class Owner:
    """A run of the past, or a context of the present.

    What a backtest keeps is its own: another run over the same dates starts with nothing, so it comes to the same
    results. What a live context keeps outlives the process.
    """

    backtest: bool
    names: Space

    @classmethod
    def of(cls, context: RunContext) -> Owner:
        """The owner of what happens in `context`."""
        return cls(True, ("backtest", context.id)) if context.key.backtest else cls.live(context.key)

    @classmethod
    def live(cls, key: RunKey) -> Owner:
        """The owner of what happens live under these names."""
        return cls(False, ("live", key.symbol, key.strategy_name, key.exchange_name))


@dataclass(frozen=True, slots=True)
class Moment:
    """An owner at a time (ms UTC). What was stored later than that cannot be seen."""

    owner: Owner
    now: int
    key: RunKey

    @property
    def backtest(self) -> bool:
        """Whether this is the past."""
        return self.owner.backtest


@dataclass(frozen=True, slots=True)
class SignalMoment(Moment):
    """The same, with the signal that it is about."""

    signal_id: str


class LatestOwners:
    """The owners that wrote last. What older ones have in memory is let go of, so that many runs do not add up."""

    def __init__(self, store: KeyValueStore, domain: Domain, limit: Callable[[], int]) -> None:
        """Remember `limit()` owners of records of `domain` in `store`."""
        self._store, self._domain, self._limit = store, domain, limit
        self._owners: dict[Owner, None] = {}

    async def wrote(self, owner: Owner) -> None:
        """`owner` has just written."""
        self._owners.pop(owner, None)
        self._owners[owner] = None
        while len(self._owners) > self._limit():
            oldest = next(iter(self._owners))
            del self._owners[oldest]
            await self._store.forget(self._domain.space(*oldest.names))


def joined(*names: str) -> str:
    """`names` as one name: others for others, whatever they contain."""
    return "/".join(name.replace("%", "%25").replace("/", "%2F") for name in names)
