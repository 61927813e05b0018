"""The last signal of every context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backtestkit.adapters.owner import LatestOwners, Moment, Owner
from backtestkit.adapters.records import Codec
from backtestkit.errors import StoreError
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.signal import PublicSignal
from backtestkit.persistence.domains import RECENT
from backtestkit.persistence.store import KeyValueStore, Report


@dataclass(frozen=True, slots=True)
class LatestSignal:
    """A signal as it was last seen, and when that was (ms UTC)."""

    signal: PublicSignal
    when: int


class RecentBook:
    """One signal per context. A signal from after now is not seen."""

    def __init__(self, store: KeyValueStore, limit: Callable[[], int], report: Report) -> None:
        """Keep those of the last `limit()` owners in `store`; `report` is told of a record that nobody can read."""
        self._store, self._report = store, report
        self._owners = LatestOwners(store, RECENT, limit)
        self._codec: Codec[LatestSignal] = Codec(LatestSignal)

    async def write(self, owner: Owner, signal: PublicSignal, when: int) -> None:
        """`signal` is now the latest."""
        record = self._codec.encode(LatestSignal(signal, when))
        await self._store.write(RECENT.space(*owner.names), signal.symbol, record)
        await self._owners.wrote(owner)

    async def read(self, at: Moment) -> PublicSignal | None:
        """The latest signal as of now; None when there was none."""
        value = await self._store.read(RECENT.space(*at.owner.names), at.key.symbol)
        if value is None:
            return None
        try:
            signal = self._codec.decode(value).signal
        except ValueError as error:
            await self._report(StoreError(f"the latest signal of {at.key} cannot be read and is left out: {error}"))
            return None
        return None if signal.timestamp > at.now else signal

    async def minutes_since(self, at: Moment) -> int | None:
        """Whole minutes since the latest signal was accepted; None when there was none."""
        signal = await self.read(at)
        return None if signal is None else (at.now - signal.timestamp) // MINUTE_MS
