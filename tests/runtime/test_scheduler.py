"""The job queue is ordered by (when, insertion); sleeping goes through a seam."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.runtime import bridge
from backtestkit.runtime.clock import to_ns
from backtestkit.runtime.scheduler import Job, Scheduler, breathe, sleep, sleep_blocking, use_sleeper

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def run_due(scheduler: Scheduler, until_ns: int) -> None:
    asyncio.run(scheduler.run_due(until_ns))


@given(st.lists(st.integers(0, 5)), st.integers(-1, 6))
def test_due_jobs_run_in_the_order_of_time_and_insertion(times: list[int], until: int) -> None:
    scheduler, ran = Scheduler(), list[tuple[int, int]]()
    for number, when in enumerate(times):
        scheduler.schedule(when, partial(ran.append, (when, number)))
    run_due(scheduler, until)
    expected = sorted((when, number) for number, when in enumerate(times))
    assert ran == [job for job in expected if job[0] <= until]
    later = [when for when in times if when > until]
    assert len(scheduler) == len(later)
    assert scheduler.next_due_ns == min(later, default=None)
    assert scheduler.last_due_ns == max(later, default=None)


def test_times_are_aware_datetimes_or_nanoseconds() -> None:
    scheduler = Scheduler()
    job = scheduler.schedule(NOON, print)
    assert (job.when, job.when_ns, scheduler.next_due_ns) == (NOON, to_ns(NOON), to_ns(NOON))
    assert repr(job) == f"<Job {print!r} due 2025-06-01 12:00:00.000000>"
    with pytest.raises(ValueError, match="no time zone"):
        scheduler.schedule(datetime(2025, 6, 1), print)  # noqa: DTZ001
    with pytest.raises(UsageError, match="cannot be called"):
        scheduler.schedule(NOON, "job")  # type: ignore[arg-type]
    assert len(scheduler) == 1


def test_a_job_may_schedule_another_that_is_due_too() -> None:
    scheduler, ran = Scheduler(), list[str]()
    scheduler.schedule(1, lambda: scheduler.schedule(2, lambda: ran.append("second")))
    scheduler.schedule(2, lambda: ran.append("first"))
    run_due(scheduler, 2)
    assert ran == ["first", "second"]


def test_a_cancelled_job_does_not_run() -> None:
    scheduler, ran = Scheduler(), list[str]()
    jobs = [scheduler.schedule(1, lambda: ran.append("x")) for _ in range(3)]
    kept = scheduler.schedule(2, lambda: ran.append("kept"))
    for job in jobs:
        job.cancel()
    assert (len(scheduler), scheduler.next_due_ns, scheduler.last_due_ns) == (1, 2, 2)
    run_due(scheduler, 5)
    kept.cancel()
    assert ran == ["kept"]
    assert scheduler.pop_due(100) is None


async def async_job(ran: list[str]) -> None:
    await breathe()
    ran.append("async")


@pytest.mark.parametrize("armed", [False, True])
def test_jobs_are_plain_or_async(armed: bool) -> None:
    if armed:
        bridge.arm()
    scheduler, ran = Scheduler(), list[str]()
    scheduler.schedule(1, lambda: ran.append("plain"))
    scheduler.schedule(1, lambda: async_job(ran))

    async def job() -> None:
        await async_job(ran)

    scheduler.schedule(1, job)
    run_due(scheduler, 1)
    assert ran == ["plain", "async", "async"]


def test_errors_are_logged_and_the_next_job_runs(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, ran = Scheduler(), list[str]()
    scheduler.schedule(NOON, lambda: 1 / 0)
    scheduler.schedule(NOON, lambda: ran.append("next"))
    run_due(scheduler, to_ns(NOON))
    assert ran == ["next"]
    assert "job_failed" in caplog.text
    assert "2025-06-01T12:00:00+00:00" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_errors_may_be_handled() -> None:
    told: list[tuple[Job, Exception]] = []
    scheduler = Scheduler(on_error=lambda job, error: told.append((job, error)))
    job = scheduler.schedule(1, lambda: 1 / 0)
    run_due(scheduler, 1)
    assert told[0][0] is job
    assert isinstance(told[0][1], ZeroDivisionError)


def test_sleeping_can_be_replaced_for_a_context_and_its_tasks() -> None:
    slept: list[float] = []

    async def sleeper(seconds: float) -> None:
        slept.append(seconds)

    async def main() -> Any:
        with use_sleeper(sleeper):
            task = asyncio.create_task(sleep(7))
            await sleep(5)
        await task
        await sleep(0)

    asyncio.run(main())
    assert slept == [5, 7]


def test_blocking_sleep_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    sleep_blocking(3)
    assert slept == [3]
