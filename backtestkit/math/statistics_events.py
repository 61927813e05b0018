"""Figures of event reports: one tally a report, which sees every event once and keeps none of them.

So the figures count all events of a run, however few of them a report still lists.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Generic, Protocol, TypeVar

from backtestkit.math.statistics import live_statistics
from backtestkit.math.statistics_formulas import mean, median, total
from backtestkit.model.event import CommitAction, CommitEvent, RiskEvent
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.performance import MetricType, PerformanceEvent
from backtestkit.model.result import AnyResult, ClosedResult, OpenedResult, ScheduledResult
from backtestkit.model.statistics import LiveStatistics
from backtestkit.model.statistics_events import (
    EventStatistics,
    MetricStatistics,
    PartialRow,
    PartialStatistics,
    PerformanceStatistics,
    RiskStatistics,
    RunStep,
    ScheduleRow,
    ScheduleStatistics,
    StrategyStatistics,
    SyncStatistics,
    TimeShare,
)
from backtestkit.model.sync import SyncEvent

Event = TypeVar("Event")
EventIn = TypeVar("EventIn", contravariant=True)
FiguresOut = TypeVar("FiguresOut", covariant=True)


class Tally(Protocol[EventIn, FiguresOut]):
    """Counts events as they come."""

    def add(self, event: EventIn, /) -> None:
        """Count one event."""
        ...

    def figures(self, newest: Sequence[EventIn], /) -> FiguresOut:
        """The figures of everything counted, beside the `newest` events, which are newest first."""
        ...


class EventTally(Generic[Event]):
    """Counts events of one kind."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._events = 0

    def add(self, event: Event) -> None:
        """Count one event."""
        self._events += 1

    def figures(self, newest: Sequence[Event]) -> EventStatistics[Event]:
        """How many there were."""
        return EventStatistics(event_list=tuple(newest), total_events=self._events)


class ScheduleTally:
    """Counts what becomes of waiting entries. A signal that opened in the moment it was made never waited."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._waiting: set[str] = set()
        self._scheduled = self._opened = self._cancelled = 0
        self._known_opened = self._known_cancelled = 0
        self._activation_ms = self._wait_ms = 0

    def add(self, event: ScheduleRow) -> None:
        """Count one result."""
        signal = event.signal
        if isinstance(event, ScheduledResult):
            self._scheduled += 1
            self._waiting.add(signal.id)
            return
        known = signal.id in self._waiting
        self._waiting.discard(signal.id)
        if isinstance(event, OpenedResult):
            self._opened += 1
            self._known_opened += known
            self._activation_ms += signal.pending_at - signal.scheduled_at
        else:
            self._cancelled += 1
            self._known_cancelled += known
            self._wait_ms += event.close_timestamp - signal.scheduled_at

    def figures(self, newest: Sequence[ScheduleRow]) -> ScheduleStatistics:
        """Counts, rates among the decided entries whose scheduling was seen, and mean times."""
        decided = self._known_opened + self._known_cancelled
        return ScheduleStatistics(
            event_list=tuple(newest),
            total_events=self._scheduled + self._opened + self._cancelled,
            total_scheduled=self._scheduled,
            total_opened=self._opened,
            total_cancelled=self._cancelled,
            activation_rate=self._known_opened / decided * 100 if decided else None,
            cancellation_rate=self._known_cancelled / decided * 100 if decided else None,
            avg_activation_time=self._activation_ms / MINUTE_MS / self._opened if self._opened else None,
            avg_wait_time=self._wait_ms / MINUTE_MS / self._cancelled if self._cancelled else None,
        )


class PartialTally:
    """Counts milestones by side."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._sides: Counter[str] = Counter()

    def add(self, event: PartialRow) -> None:
        """Count one milestone."""
        self._sides[event.action] += 1

    def figures(self, newest: Sequence[PartialRow]) -> PartialStatistics:
        """Milestones of profit and of loss."""
        return PartialStatistics(
            event_list=tuple(newest),
            total_events=self._sides.total(),
            total_profit=self._sides["profit"],
            total_loss=self._sides["loss"],
        )


class RiskTally:
    """Counts rejections by symbol and by strategy."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._symbols: dict[str, int] = {}
        self._strategies: dict[str, int] = {}
        self._rejections = 0

    def add(self, event: RiskEvent) -> None:
        """Count one rejection."""
        self._rejections += 1
        for counts, name in ((self._symbols, event.symbol), (self._strategies, event.strategy_name)):
            counts[name] = counts.pop(name, 0) + 1  # the newest name stands last

    def figures(self, newest: Sequence[RiskEvent]) -> RiskStatistics:
        """Rejections, and their counts by name."""
        return RiskStatistics(
            event_list=tuple(newest),
            total_rejections=self._rejections,
            by_symbol=dict(reversed(self._symbols.items())),
            by_strategy=dict(reversed(self._strategies.items())),
        )


class StrategyTally:
    """Counts commands by kind."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._actions: Counter[CommitAction] = Counter()

    def add(self, event: CommitEvent) -> None:
        """Count one command."""
        self._actions[event.action] += 1

    def figures(self, newest: Sequence[CommitEvent]) -> StrategyStatistics:
        """Commands, and their counts by kind."""
        counts = {f"{action}_count": count for action, count in self._actions.items()}
        return StrategyStatistics(event_list=tuple(newest), total_events=self._actions.total(), **counts)


class SyncTally:
    """Counts questions to the gates. An order that is placed to rest is not an opening."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._actions: Counter[str] = Counter()

    def add(self, event: SyncEvent) -> None:
        """Count one question."""
        self._actions[event.action] += 1

    def figures(self, newest: Sequence[SyncEvent]) -> SyncStatistics:
        """Questions about openings and about closes."""
        return SyncStatistics(
            event_list=tuple(newest),
            total_events=self._actions.total(),
            open_count=self._actions["signal_open"],
            close_count=self._actions["signal_close"],
        )


class LiveTally:
    """Keeps the closed trades of a live run: their figures need all of them."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._closed: list[ClosedResult] = []
        self._events = 0

    def add(self, event: AnyResult) -> None:
        """Count one result."""
        self._events += 1
        if isinstance(event, ClosedResult):
            self._closed.append(event)

    def figures(self, newest: Sequence[AnyResult]) -> LiveStatistics:
        """The statistics of the trades closed so far."""
        return live_statistics(self._closed, newest, self._events)


class PerformanceTally:
    """Keeps durations and waits as bare numbers, because percentiles need all of them."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._durations: dict[MetricType, array[float]] = {}
        self._waits: dict[MetricType, array[float]] = {}
        self._strategy = ""

    def add(self, event: PerformanceEvent) -> None:
        """Count one measurement."""
        self._strategy = event.strategy_name
        taken = self._durations.setdefault(event.metric_type, array("d"))
        if event.durations is None:
            taken.append(event.duration)
        else:
            for _ in range(event.weight):
                taken.extend(event.durations)
        if event.wait is not None:
            self._waits.setdefault(event.metric_type, array("d")).append(event.wait)

    def figures(self, newest: Sequence[PerformanceEvent]) -> PerformanceStatistics:
        """One set of figures for each kind of measurement, by the sum of their durations, largest first."""
        metrics = [metric_statistics(kind, taken, self._waits.get(kind, ())) for kind, taken in self._durations.items()]
        metrics.sort(key=lambda metric: -metric.total_duration)
        return PerformanceStatistics(
            strategy_name=self._strategy,
            total_events=sum(metric.count for metric in metrics),
            total_duration=total(metric.total_duration for metric in metrics),
            metric_stats={metric.metric_type: metric for metric in metrics},
            events=tuple(newest),
            shares=time_shares({metric.metric_type: metric.total_duration for metric in metrics}),
        )


def time_shares(durations: Mapping[MetricType, float]) -> tuple[TimeShare, ...]:
    """What the time of whole backtests went to, the most first; nothing before one of them is over.

    `durations` are the sums of all parts of a kind, ms. What was measured of parts can exceed the whole by little, because
    of very many parts only some are timed; the rest, which is the engine's, is never below 0.
    """
    whole = durations.get("backtest_total", 0.0)
    if whole <= 0:
        return ()
    parts: dict[RunStep, float] = {
        "candles": durations.get("backtest_load", 0.0),
        "get_signal": durations.get("backtest_get_signal", 0.0),
        "listeners": durations.get("backtest_listeners", 0.0),
    }
    parts["engine"] = max(0.0, whole - total(parts.values()))
    taken = total(parts.values())
    shares = [TimeShare(step=step, duration=ms, share=ms / taken * 100) for step, ms in parts.items()]
    return tuple(sorted(shares, key=lambda share: -share.duration))


def metric_statistics(metric_type: MetricType, durations: Sequence[float], waits: Sequence[float]) -> MetricStatistics:
    """The figures of one kind of measurement; `durations` (ms) has at least one."""
    ordered = sorted(durations)
    count, whole = len(ordered), total(durations)
    centre = whole / count
    spread = sqrt(total((d - centre) ** 2 for d in ordered) / (count - 1)) if count > 1 else 0.0
    return MetricStatistics(
        metric_type=metric_type,
        count=count,
        total_duration=whole,
        avg_duration=centre,
        min_duration=ordered[0],
        max_duration=ordered[-1],
        std_dev=spread,
        median=median(ordered) or 0.0,
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        avg_wait_time=mean(waits) or 0.0,
        min_wait_time=min(waits, default=0.0),
        max_wait_time=max(waits, default=0.0),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the sorted values lie, interpolated linearly (Hyndman and Fan 1996, type 7)."""
    rank = percent / 100 * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def statistics_of(tally: Tally[Event, FiguresOut], events: Iterable[Event]) -> FiguresOut:
    """The figures of `events`, oldest first, all of them listed; `tally` is new."""
    listed = list(events)
    for event in listed:
        tally.add(event)
    return tally.figures(listed[::-1])
