"""The signals of all runs, each as it was last seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from backtestkit.adapters.owner import Owner, joined
from backtestkit.adapters.records import Codec, Records
from backtestkit.model.event import PingEvent
from backtestkit.model.result import AnyResult, CancelledResult, ClosedResult
from backtestkit.model.signal import CloseReason, ProfitLoss, PublicSignal
from backtestkit.persistence.domains import STORAGE
from backtestkit.persistence.store import KeyValueStore, Report
from backtestkit.runtime.clock import SystemClock

SignalStatus: TypeAlias = Literal["scheduled", "opened", "closed", "cancelled"]

_STATUS: dict[str, SignalStatus] = {
    "scheduled": "scheduled",
    "opened": "opened",
    "closed": "closed",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal as it was last seen.

    `created_at` and `updated_at` are the times of its first and its last event (ms UTC), `priority` when the row was
    written (ms UTC of the wall clock). `pnl` is the profit at `current_price`; the close fields are set once it is closed.
    """

    signal: PublicSignal
    backtest: bool
    status: SignalStatus
    created_at: int
    updated_at: int
    priority: int
    current_price: float
    pnl: ProfitLoss | None = None
    close_reason: CloseReason | None = None
    close_timestamp: int | None = None


class SignalBook:
    """The newest signals of one mode. Events that are older than what is known change nothing."""

    def __init__(self, store: KeyValueStore, backtest: bool, limit: Callable[[], int], report: Report) -> None:
        """Keep the last `limit()` signals in `store`."""
        self._backtest, self._clock = backtest, SystemClock()
        self._rows: Records[StoredSignal] = Records(
            store,
            STORAGE.space("backtest" if backtest else "live"),
            Codec(StoredSignal),
            limit=limit,
            order=lambda row: row.priority,
            report=report,
        )

    async def take_result(self, owner: Owner, result: AnyResult) -> None:
        """A signal was scheduled, opened, closed or cancelled."""
        signal = result.signal
        assert signal is not None, f"{result.action} without a signal"
        change = _Change(signal, _STATUS[result.action], result.timestamp, result.current_price)
        if isinstance(result, ClosedResult):
            change.pnl, change.close_reason = result.pnl, result.close_reason
        if isinstance(result, ClosedResult | CancelledResult):
            change.close_timestamp = result.close_timestamp
        await self._put(owner, change)

    async def take_ping(self, owner: Owner, event: PingEvent, status: SignalStatus) -> None:
        """A minute passed; counts only while the signal has `status`."""
        known = await self._rows.get(_id(owner, event.row.id))
        if known is not None and known.status == status and known.updated_at < event.timestamp:
            await self._put(owner, _Change(event.data, status, event.timestamp, event.current_price))

    async def find(self, signal_id: str) -> StoredSignal | None:
        """The newest signal of that id."""
        return next((row for row in reversed(await self._rows.all()) if row.signal.id == signal_id), None)

    async def all(self) -> list[StoredSignal]:
        """All signals, newest first."""
        return (await self._rows.all())[::-1]

    async def _put(self, owner: Owner, change: _Change) -> None:
        id = _id(owner, change.signal.id)
        known = await self._rows.get(id)
        if known is not None and known.updated_at > change.timestamp:
            return
        row = StoredSignal(
            signal=change.signal,
            backtest=self._backtest,
            status=change.status,
            created_at=change.timestamp if known is None else known.created_at,
            updated_at=change.timestamp,
            priority=self._clock.now_ms(),
            current_price=change.price,
            pnl=change.pnl,
            close_reason=change.close_reason,
            close_timestamp=change.close_timestamp,
        )
        await self._rows.put(id, row)


@dataclass(slots=True)
class _Change:
    """What an event says of a signal."""

    signal: PublicSignal
    status: SignalStatus
    timestamp: int
    price: float
    pnl: ProfitLoss | None = None
    close_reason: CloseReason | None = None
    close_timestamp: int | None = None


def _id(owner: Owner, signal_id: str) -> str:
    """Strategies may name their signals themselves, so two owners may use one name."""
    return joined(*owner.names[1:], signal_id)
