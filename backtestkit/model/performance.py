"""How long the parts of a run took, by the wall clock."""

from __future__ import annotations

from typing import Literal, TypeAlias

from backtestkit.model.event import RunEvent
from backtestkit.model.record import record

MetricType: TypeAlias = Literal["backtest_total", "backtest_timeframe", "backtest_signal", "live_tick"]


@record
class PerformanceEvent(RunEvent):
    """A part of a run has been timed: all of it, one tick, or the life of one signal.

    `timestamp` is the time of the run, as in all its events; the wall clock stands beside it: `wall_timestamp` when the
    measurement ended (ms UTC) and `previous_wall_timestamp` when the one before it did, None for the first of a run.
    `duration` is milliseconds, without what the taker of the results did in between.
    """

    metric_type: MetricType
    duration: float
    wall_timestamp: int
    previous_wall_timestamp: int | None

    @property
    def wait(self) -> int | None:
        """Wall time since the measurement before this one, ms."""
        previous = self.previous_wall_timestamp
        return None if previous is None else self.wall_timestamp - previous
