"""How long the parts of a run took, by the wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from backtestkit.model.event import RunEvent
from backtestkit.model.record import record

MetricType: TypeAlias = Literal[
    "backtest_total",
    "backtest_load",
    "backtest_timeframe",
    "backtest_signal",
    "backtest_get_signal",
    "backtest_listeners",
    "live_tick",
]
"""What is timed.

All of a run (`total`), reading its candles (`load`), one tick that was looked at, until the next one (`timeframe`), the life
of one signal (`signal`), one answer of the strategy's `get_signal`, one event told to callbacks, actions and listeners,
reports among them (`listeners`), and one tick of a live run. They contain each other: the total everything, ticks the rest.
"""


@record
class PerformanceEvent(RunEvent):
    """Parts of a run have been timed.

    A backtest tells many parts of one kind together: `durations` has what was measured, milliseconds, each standing for
    `weight` parts, because of very many not all are timed; `duration` is the sum of all. Without `durations` it is one
    part that took `duration`. What the taker of the results did in between is not counted.

    `timestamp` is the time of the run, as in all its events; the wall clock stands beside it: `wall_timestamp` when the
    measurement ended (ms UTC) and `previous_wall_timestamp` when the one before it did, None for the first of a run.
    """

    metric_type: MetricType
    duration: float
    wall_timestamp: int
    previous_wall_timestamp: int | None
    durations: Sequence[float] | None = None
    weight: int = 1

    @property
    def count(self) -> int:
        """How many parts it stands for."""
        return 1 if self.durations is None else len(self.durations) * self.weight

    @property
    def wait(self) -> int | None:
        """Wall time since the measurement before this one, ms."""
        previous = self.previous_wall_timestamp
        return None if previous is None else self.wall_timestamp - previous
