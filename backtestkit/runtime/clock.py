"""Clocks: the only place where the package learns what time it is.

Trading decisions read the clock of their run, never the wall. A backtest's clock is moved by events, so the same code
sees the same times in every run; a live clock is the wall's.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from backtestkit.errors import EngineError

NS_PER_MS: Final = 1_000_000
NEVER_NS: Final = -(1 << 63)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What every reader of time depends on."""

    @property
    def available(self) -> bool:
        """Whether `now` can be called yet."""
        ...

    @property
    def is_simulated(self) -> bool:
        """True when time is moved by events and not by the wall."""
        ...

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...

    def now_ms(self) -> int:
        """The current instant in milliseconds since the epoch."""
        ...


running_clock: ContextVar[Clock | None] = ContextVar("backtestkit_clock", default=None)
"""The clock of the dispatcher that runs in this context; a run of the signal half has its clock in `current_run`."""


class SimulatedClock:
    """A clock that its owner moves forwards.

    `now_ns` is the instant in nanoseconds since the epoch, `NEVER_NS` before the first one. It is a bare field so that
    the loop that owns the clock and has compared the times already can move it at the price of an assignment; everybody
    else uses `advance_to_ns` or `advance_to_ms`.
    """

    __slots__ = ("now_ns",)

    def __init__(self, start: datetime | None = None) -> None:
        """A clock standing at `start` (aware), or one that is not available yet."""
        self.now_ns: int = NEVER_NS if start is None else to_ns(start)

    @property
    def available(self) -> bool:
        """False until the clock was first set."""
        return self.now_ns != NEVER_NS

    @property
    def is_simulated(self) -> bool:
        """Always True."""
        return True

    def now(self) -> datetime:
        """The simulated instant, aware, UTC, floored to a microsecond; `EngineError` before the first event."""
        return from_ns(self._set_ns())

    def now_ms(self) -> int:
        """The simulated instant in ms since the epoch; `EngineError` before the first event."""
        return self._set_ns() // NS_PER_MS

    def advance_to_ms(self, timestamp: int) -> None:
        """Move to `timestamp` (ms since the epoch); an earlier one than now raises `EngineError` and moves nothing."""
        self.advance_to_ns(timestamp * NS_PER_MS)

    def advance_to_ns(self, timestamp_ns: int) -> None:
        """The same in nanoseconds."""
        if timestamp_ns < self.now_ns:
            raise EngineError(
                f"the simulated clock stands at {from_ns(self.now_ns)} and was asked to go back to "
                f"{from_ns(timestamp_ns)}. Feed events in the order of their times."
            )
        self.now_ns = timestamp_ns

    def _set_ns(self) -> int:
        if self.now_ns == NEVER_NS:
            raise EngineError("the simulated clock has no time before the first event. Ask `available` first.")
        return self.now_ns


class SystemClock:
    """The wall clock. With `monotonic`, later changes of the system's clock are not followed."""

    __slots__ = ("_monotonic", "_offset_ns")

    def __init__(self, monotonic: bool = False) -> None:
        self._monotonic = monotonic
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    @property
    def available(self) -> bool:
        """Always True."""
        return True

    @property
    def is_simulated(self) -> bool:
        """Always False."""
        return False

    @property
    def now_ns(self) -> int:
        """The current instant in nanoseconds since the epoch."""
        return time.monotonic_ns() + self._offset_ns if self._monotonic else time.time_ns()

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        return from_ns(self.now_ns)

    def now_ms(self) -> int:
        """The current instant in milliseconds since the epoch."""
        return self.now_ns // NS_PER_MS


def to_ns(when: datetime) -> int:
    """An aware datetime in nanoseconds since the epoch, exactly; a naive one raises `ValueError`."""
    if when.tzinfo is None or when.utcoffset() is None:
        raise ValueError(f"{when!r} has no time zone. Give an aware datetime, for example with tzinfo=UTC.")
    delta = when - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def from_ns(timestamp_ns: int) -> datetime:
    """Nanoseconds since the epoch as an aware datetime in UTC, floored to a microsecond."""
    return EPOCH + timedelta(microseconds=timestamp_ns // 1000)


def utc_now(monotonic: bool = False) -> datetime:
    """The wall time, aware, UTC. With `monotonic` it never goes back while the process lives."""
    return (_STEADY if monotonic else _WALL).now()


def local_now() -> datetime:
    """The wall time, aware, in the zone of this machine."""
    return _WALL.now().astimezone()


monotonic_seconds: Final = time.monotonic
"""Seconds of a clock that only goes forwards; for durations, deadlines and rates, never for the time of day.

Not a function around it: whoever times thousands of parts pays for every call.
"""


_WALL = SystemClock()
_STEADY = SystemClock(monotonic=True)
