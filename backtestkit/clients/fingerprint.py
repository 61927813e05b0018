"""The fingerprint of a run: a hash over what it decided, so that two runs can be compared bit for bit.

It covers the scheduled, opened, closed and cancelled results and the commits, each with a fixed list of fields; ids
count as the order in which they first appear. Listeners, reports and the gear do not enter.
"""

from __future__ import annotations

import hashlib
import math
import struct

from backtestkit.model.event import CommitEvent
from backtestkit.model.result import CancelledResult, ClosedResult, OpenedResult, ScheduledResult
from backtestkit.model.signal import PublicSignal

_NUMBERS = struct.Struct("<qd6d2d?2q2q3d")
_COMMAND = struct.Struct("<3d")


class Fingerprint:
    """Accumulates the results of one run; `hexdigest` is the fingerprint of what was added so far."""

    def __init__(self) -> None:
        """Nothing added yet."""
        self._hash = hashlib.sha256()
        self._ids: dict[str, int] = {}

    def add(self, result: ScheduledResult | OpenedResult | ClosedResult | CancelledResult) -> None:
        """Add one result."""
        signal = result.signal
        self._hash.update(
            f"{result.action}|{self._ids.setdefault(signal.id, len(self._ids) + 1)}|{signal.position}".encode()
        )
        if isinstance(result, ClosedResult):
            self._hash.update(result.close_reason.encode())
        elif isinstance(result, CancelledResult):
            self._hash.update(result.reason.encode())
        self._hash.update(_numbers(result.timestamp, result.current_price, signal))

    def add_commit(self, event: CommitEvent) -> None:
        """Add one command that took effect."""
        signal = event.data
        self._hash.update(f"{event.action}|{self._ids.setdefault(signal.id, len(self._ids) + 1)}".encode())
        command = (event.percent_to_close, event.percent_shift, event.cost)
        self._hash.update(_COMMAND.pack(*(_number(value) for value in command)))
        self._hash.update(_numbers(event.timestamp, _number(event.current_price), signal))

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _numbers(timestamp: int, price: float, signal: PublicSignal) -> bytes:
    return _NUMBERS.pack(
        timestamp, price, signal.price_open, signal.price_take_profit, signal.price_stop_loss,
        signal.original_price_open, signal.original_price_take_profit, signal.original_price_stop_loss,
        signal.cost, signal.multiplier, signal.isolated, signal.scheduled_at, signal.pending_at,
        signal.total_entries, signal.total_partials,
        signal.pnl.pnl_percentage, signal.peak_profit.pnl_percentage, signal.max_drawdown.pnl_percentage,
    )  # fmt: skip
