"""The token bucket and its figures."""

from __future__ import annotations

import asyncio
import math

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.rate_limit import TokenBucketLimiter
from backtestkit.runtime.scheduler import use_sleeper


class Time:
    """Seconds that pass when told, or when slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("tokens_per_period", "period", "initial", "wait"),
    [(1, 1, 0, 1), (1, 1, 1, 0), (10, 1, 0, 0.1), (10, 7, 0, 0.7), (1, 2, 0, 2), (0.5, 1, 0, 2)],
)
def test_first_wait(tokens_per_period: float, period: float, initial: float, wait: float) -> None:
    limiter = TokenBucketLimiter(tokens_per_period, period, initial, clock=Time())
    assert limiter.consume() == pytest.approx(wait)
    assert (limiter.tokens_per_period, limiter.period_duration) == (tokens_per_period, period)


def test_debt_grows_with_every_use_and_is_paid_by_time() -> None:
    time = Time()
    limiter = TokenBucketLimiter(2, 1, clock=time)
    assert [limiter.consume() for _ in range(3)] == [0.5, 1.0, 1.5]
    time.now += 1
    assert limiter.tokens == -1
    assert limiter.consume() == 1.0


def test_tokens_are_saved_up_to_one_period() -> None:
    time = Time()
    limiter = TokenBucketLimiter(3, 1, clock=time)
    time.now += 1000
    assert limiter.tokens == 3
    assert [limiter.consume() for _ in range(4)] == [0, 0, 0, pytest.approx(1 / 3)]


def test_waiting_keeps_the_rate() -> None:
    time = Time()
    limiter = TokenBucketLimiter(4, 1, initial_tokens=1, clock=time)

    async def main() -> None:
        with use_sleeper(time.sleep):
            for _ in range(9):
                await limiter.wait()

    asyncio.run(main())
    assert time.slept == [0.25] * 8
    assert time.now == 102.0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0, 1), "tokens_per_period"),
        ((1, -1), "period_duration"),
        ((math.inf, 1), "tokens_per_period"),
        ((1, 1, math.nan), "initial"),
    ],
)
def test_bad_figures_are_refused(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        TokenBucketLimiter(*arguments)  # type: ignore[arg-type]


def test_the_default_clock_only_goes_forwards() -> None:
    limiter = TokenBucketLimiter(1000, 1, initial_tokens=5)
    assert limiter.tokens >= 5
