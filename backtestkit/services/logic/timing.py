"""Timing the parts of a run for whoever hears it.

A run has tens of thousands of parts, and an event for each would cost more than many of them take. So durations are kept as
bare numbers while the run goes on and told in blocks, one event for all parts of a kind. The first ticks are timed all;
of the many after them every 23rd stands for 23, because reading a clock costs too. A prime divides no period of a
calendar, so what a strategy does every hour or every day is hit like everything else.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import fsum
from typing import Final

from backtestkit.model.performance import MetricType, PerformanceEvent
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.clock import Clock, monotonic_seconds
from backtestkit.runtime.context import RunKey

ALL_TICKS: Final = 500
"""Ticks of a run that are timed one by one."""
STRIDE: Final = 23
BLOCK_TICKS: Final = 65_536
"""Timed ticks after which a run tells what it has measured: the bound of what it holds."""


class RunTimer:
    """A stopwatch that stands still while the run's results are in other hands: `away` has those seconds.

    `ticked`, `asked`, `told` and `lived` are what was measured since the last time it was told, seconds: ticks, answers of the
    strategy, events told to whoever hears them, and lives of signals. `on` says whether the present tick is timed, `due`
    whether it is time to `tell`.
    """

    __slots__ = (
        "_began", "_channel", "_key", "_previous", "_rare", "_start", "_wall_clock", "_weight", "asked",
        "away", "clock", "due", "lived", "on", "ticked", "told",
    )  # fmt: skip

    def __init__(
        self,
        key: RunKey,
        channel: Channel[PerformanceEvent],
        wall_clock: Clock,
        clock: Callable[[], float] = monotonic_seconds,
    ) -> None:
        """Start now; measurements go to `channel`, dated by `wall_clock`."""
        self._key, self._channel, self._wall_clock = key, channel, wall_clock
        self.clock = clock
        self.ticked, self.asked, self.told, self.lived = (array("d") for _ in range(4))
        self.on = self.due = False
        self.away = self._began = 0.0
        self._rare, self._weight = False, 1
        self._previous: int | None = None
        self._start = clock()

    def seconds(self) -> float:
        """A reading; the difference of two is the time between them that the run itself took."""
        return self.clock() - self.away

    async def loaded(self, timestamp: int) -> None:
        """The candles are there; `timestamp` is the time of the run."""
        await self._tell("backtest_load", timestamp, array("d", [self.seconds() - self._start]), 1)

    def begin(self, seen: int) -> int:
        """A tick that is timed begins, number `seen` (from 1) of those looked at; gives the number of the next one."""
        self.on = True
        self.due = len(self.ticked) >= BLOCK_TICKS or (seen > ALL_TICKS and self._weight == 1)
        self._rare = seen >= ALL_TICKS
        self._began = self.clock() - self.away
        return seen + 1 if seen < ALL_TICKS else seen + STRIDE

    def over(self, born: float | None) -> None:
        """The tick that was timed is over; at `born` (a reading) the life of a signal began in it."""
        now = self.clock() - self.away
        self.on = False
        self.ticked.append(now - self._began)
        if born is not None:
            self.lived.append(now - born)

    async def tell(self, timestamp: int) -> None:
        """Announce what has been measured so far. `timestamp` is the time of the run."""
        kinds: tuple[tuple[MetricType, array[float]], ...] = (
            ("backtest_timeframe", self.ticked),
            ("backtest_signal", self.lived),
            ("backtest_get_signal", self.asked),
            ("backtest_listeners", self.told),
        )
        self.ticked, self.asked, self.told, self.lived = (array("d") for _ in range(4))
        for metric_type, taken in kinds:
            if taken:
                await self._tell(metric_type, timestamp, taken, self._weight)
        self._weight = STRIDE if self._rare else 1

    async def end(self, timestamp: int) -> None:
        """The run is over: announce what was left, and how long all of it took."""
        whole = self.seconds() - self._start
        await self.tell(timestamp)
        await self._tell("backtest_total", timestamp, array("d", [whole]), 1)

    async def _tell(self, metric_type: MetricType, timestamp: int, seconds: array[float], weight: int) -> None:
        durations = array("d", [second * 1000 for second in seconds])
        wall = self._wall_clock.now_ms()
        previous, self._previous = self._previous, wall
        await self._channel.emit(
            PerformanceEvent(
                self._key, timestamp, metric_type, fsum(durations) * weight, wall, previous, durations, weight
            )
        )
