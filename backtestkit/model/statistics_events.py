"""Figures of event reports. Counts are over all events of a run; lists hold the newest ones, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from backtestkit.model.event import BreakevenEvent, CommitEvent, ExtremeEvent, LevelEvent, RiskEvent
from backtestkit.model.performance import MetricType, PerformanceEvent
from backtestkit.model.record import record
from backtestkit.model.result import CancelledResult, OpenedResult, ScheduledResult
from backtestkit.model.sync import SyncEvent

E = TypeVar("E", covariant=True)
ScheduleRow: TypeAlias = ScheduledResult | OpenedResult | CancelledResult


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatistics(Generic[E]):
    """The newest events and how many there were."""

    event_list: tuple[E, ...] = ()
    total_events: int = 0


BreakevenStatistics: TypeAlias = EventStatistics[BreakevenEvent]
HighestProfitStatistics: TypeAlias = EventStatistics[ExtremeEvent]
MaxDrawdownStatistics: TypeAlias = EventStatistics[ExtremeEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatistics(EventStatistics[ScheduleRow]):
    """What became of waiting entries. Signals that opened at once are not counted."""

    total_scheduled: int = 0
    total_opened: int = 0
    total_cancelled: int = 0
    activation_rate: float | None = None
    """Of the entries that were scheduled and decided: how many opened, percent."""
    cancellation_rate: float | None = None
    """The rest of them, percent."""
    avg_activation_time: float | None = None
    """Mean time from scheduling to opening, minutes."""
    avg_wait_time: float | None = None
    """Mean time from scheduling to cancellation, minutes."""


@record
class PartialRow(LevelEvent):
    """A milestone on the way to take profit (`profit`) or stop loss (`loss`)."""

    action: Literal["profit", "loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialStatistics(EventStatistics[PartialRow]):
    """Milestones that open positions have reached."""

    total_profit: int = 0
    total_loss: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskStatistics:
    """Signals that risk rules refused; the counts by name begin with the newest rejection."""

    event_list: tuple[RiskEvent, ...] = ()
    total_rejections: int = 0
    by_symbol: Mapping[str, int] = field(default_factory=dict)
    by_strategy: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyStatistics(EventStatistics[CommitEvent]):
    """Commands that took effect, by kind."""

    cancel_scheduled_count: int = 0
    close_pending_count: int = 0
    partial_profit_count: int = 0
    partial_loss_count: int = 0
    trailing_stop_count: int = 0
    trailing_take_count: int = 0
    breakeven_count: int = 0
    activate_scheduled_count: int = 0
    average_buy_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatistics(EventStatistics[SyncEvent]):
    """Questions to the gates of the exchange: orders to open, positions to close."""

    open_count: int = 0
    close_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStatistics:
    """How long one kind of measurement took, milliseconds. Percentiles are interpolated linearly.

    `count` is how many parts there were; of very many only some are timed, and each stands for several. The waits are the
    wall times between one event of the run and this kind's; 0 where there was none before.
    """

    metric_type: MetricType
    count: int
    total_duration: float
    avg_duration: float
    min_duration: float
    max_duration: float
    std_dev: float
    """Sample standard deviation; 0 for one measurement."""
    median: float
    p95: float
    p99: float
    avg_wait_time: float
    min_wait_time: float
    max_wait_time: float


RunStep: TypeAlias = Literal["candles", "get_signal", "listeners", "engine"]
"""What the time of a run goes to; see `TimeShare`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShare:
    """What part of the time of all runs went to one thing.

    `candles`: reading them before the first tick. `get_signal`: the strategy's own function, with the candles that it asks
    for. `listeners`: telling events to callbacks, actions and listeners, reports among them. `engine`: the rest.
    """

    step: RunStep
    duration: float
    """Milliseconds."""
    share: float
    """Percent of `backtest_total`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceStatistics:
    """Where the time of a run went; `events` are the newest ones, newest first. `total_events` counts measurements."""

    strategy_name: str = ""
    total_events: int = 0
    total_duration: float = 0.0
    """Sum over all measurements, ms. Kinds overlap: the whole run contains its ticks."""
    metric_stats: Mapping[MetricType, MetricStatistics] = field(default_factory=dict)
    events: tuple[PerformanceEvent, ...] = ()
    shares: tuple[TimeShare, ...] = ()
    """Where the time of backtests went, the bottleneck first. They do not overlap: their sum is `backtest_total`."""
