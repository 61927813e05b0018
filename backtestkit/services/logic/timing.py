"""Timing the parts of a run for whoever hears it."""

from __future__ import annotations

from backtestkit.model.performance import MetricType, PerformanceEvent
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.clock import Clock, monotonic_seconds
from backtestkit.runtime.context import RunKey


class RunTimer:
    """A stopwatch that stands still while the run's results are in other hands."""

    def __init__(self, key: RunKey, channel: Channel[PerformanceEvent], wall_clock: Clock) -> None:
        """Start now; measurements go to `channel`, dated by `wall_clock`."""
        self._key, self._channel, self._wall_clock = key, channel, wall_clock
        self._away = 0.0
        self._left = 0.0
        self._previous: int | None = None
        self.start = monotonic_seconds()

    def seconds(self) -> float:
        """A reading; the difference of two is the time between them that the run itself took."""
        return monotonic_seconds() - self._away

    def leave(self) -> None:
        """The run gives a result away and waits."""
        self._left = monotonic_seconds()

    def come_back(self) -> None:
        """The run goes on."""
        self._away += monotonic_seconds() - self._left

    async def tell(self, metric_type: MetricType, since: float, timestamp: int) -> None:
        """Announce what was measured from the reading `since` until now; `timestamp` is the time of the run."""
        duration = (self.seconds() - since) * 1000
        wall = self._wall_clock.now_ms()
        previous, self._previous = self._previous, wall
        await self._channel.emit(PerformanceEvent(self._key, timestamp, metric_type, duration, wall, previous))
