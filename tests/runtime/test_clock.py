"""Clocks: simulated time only goes forwards, wall time is aware, conversions are exact."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import EngineError
from backtestkit.runtime.clock import (
    SimulatedClock,
    SystemClock,
    from_ns,
    local_now,
    monotonic_seconds,
    to_ns,
    utc_now,
)

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def test_simulated_clock_has_no_time_before_it_is_set() -> None:
    clock = SimulatedClock()
    assert not clock.available
    assert clock.is_simulated
    with pytest.raises(EngineError, match="before the first event"):
        clock.now()
    with pytest.raises(EngineError, match="before the first event"):
        clock.now_ms()


def test_simulated_clock_goes_where_it_is_moved() -> None:
    clock = SimulatedClock(NOON)
    assert clock.available
    assert clock.now() == NOON
    clock.advance_to_ms(clock.now_ms() + 60_000)
    assert clock.now() == NOON + timedelta(minutes=1)
    clock.advance_to_ns(clock.now_ns)
    assert clock.now_ms() == to_ns(NOON) // 1_000_000 + 60_000


def test_simulated_clock_never_moves_backwards() -> None:
    clock = SimulatedClock(NOON)
    with pytest.raises(EngineError, match=r"2025-06-01 12:00:00\+00:00 .* 2025-06-01 11:59:59.999000"):
        clock.advance_to_ms(clock.now_ms() - 1)
    assert clock.now() == NOON


@pytest.mark.parametrize("monotonic", [False, True])
def test_system_clock_tells_the_wall_time(monotonic: bool) -> None:
    clock = SystemClock(monotonic)
    assert clock.available
    assert not clock.is_simulated
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert abs(clock.now_ms() - time.time_ns() // 1_000_000) < 5000


def test_monotonic_system_clock_ignores_changes_of_the_system_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    steady, wall = SystemClock(monotonic=True), SystemClock()
    before = steady.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert wall.now() == datetime(1970, 1, 1, tzinfo=UTC)
    assert before <= steady.now() < before + timedelta(seconds=5)


def test_wall_times_are_aware() -> None:
    assert utc_now().utcoffset() == timedelta(0)
    assert utc_now(monotonic=True).utcoffset() == timedelta(0)
    assert local_now().tzinfo is not None
    assert abs(local_now() - utc_now()) < timedelta(seconds=5)
    assert monotonic_seconds() <= monotonic_seconds()


def test_naive_datetimes_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_ns(datetime(2025, 6, 1))  # noqa: DTZ001


def test_nanoseconds_count_instants_not_wall_readings() -> None:
    assert to_ns(datetime(2025, 6, 1, 14, tzinfo=timezone(timedelta(hours=2)))) == to_ns(NOON)


@given(st.datetimes(timezones=st.just(UTC)))
def test_datetime_to_nanoseconds_and_back_is_exact(when: datetime) -> None:
    assert from_ns(to_ns(when)) == when


def test_nanoseconds_below_a_microsecond_are_floored() -> None:
    assert from_ns(1999) == from_ns(1000)
    assert from_ns(-1) == datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
