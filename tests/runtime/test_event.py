"""Events, sources and priorities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.event import Event, EventSource, FifoQueueEventSource, Producer

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def test_an_event_keeps_the_time_it_was_given() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=3)))
    event = Event(there)
    assert event.when is there
    assert event.when_ns == 1_748_779_200_000_000_000
    assert Event(event.when_ns + 1500).when == NOON + timedelta(microseconds=1)
    assert Event(event.when_ns).when == NOON
    assert repr(Event(NOON)) == "<Event 2025-06-01T12:00:00+00:00>"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Event(datetime(2025, 6, 1))  # noqa: DTZ001


def test_a_queue_gives_the_oldest_event_and_then_none() -> None:
    first, second, third = (Event(i) for i in range(3))
    source: FifoQueueEventSource[Event] = FifoQueueEventSource(events=[first, second])
    source.push(third)
    assert [source.pop() for _ in range(4)] == [first, second, third, None]


@pytest.mark.parametrize("priority", [-1001, 1001, 0.5, True, "1"])
def test_priorities_are_integers_within_limits_at_construction_and_later(priority: object) -> None:
    with pytest.raises(UsageError, match="from -1000 to 1000"):
        FifoQueueEventSource(priority=priority)  # type: ignore[arg-type]
    source: FifoQueueEventSource[Event] = FifoQueueEventSource(priority=-1000)
    with pytest.raises(UsageError, match="from -1000 to 1000"):
        source.priority = priority  # type: ignore[assignment]
    assert source.priority == -1000
    source.priority = 1000
    assert source.priority == 1000


def test_a_source_may_be_its_own_producer() -> None:
    class Csv(EventSource[Event], Producer):
        def pop(self) -> Event | None:
            return None

    own = Csv()
    assert own.producer is own
    other = Producer()
    assert Csv(other).producer is other
    assert FifoQueueEventSource[Event]().producer is None
