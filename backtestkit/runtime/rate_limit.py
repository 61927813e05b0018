"""A limit on how often something may be done: the token bucket."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from backtestkit.errors import UsageError
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.scheduler import sleep


class TokenBucketLimiter:
    """Allows `tokens_per_period` uses in each `period_duration` seconds, in bursts up to that number.

    The bucket may be in debt: each use takes a token at once and is told how long to wait, so callers queue up behind
    each other in the order in which they asked.
    """

    def __init__(
        self,
        tokens_per_period: float,
        period_duration: float,
        initial_tokens: float = 0,
        clock: Callable[[], float] = monotonic_seconds,
    ) -> None:
        """`clock` gives seconds that only go forwards."""
        for name, value in (("tokens_per_period", tokens_per_period), ("period_duration", period_duration)):
            if not (isfinite(value) and value > 0):
                raise UsageError(f"{name}={value!r} is not a positive number")
        if not isfinite(initial_tokens):
            raise UsageError(f"initial_tokens={initial_tokens!r} is not a number")
        self._tokens_per_period, self._period_duration = tokens_per_period, period_duration
        self._clock = clock
        self._tokens, self._as_of = float(initial_tokens), clock()

    @property
    def tokens_per_period(self) -> float:
        """Uses per period, and the most tokens that can be saved up."""
        return self._tokens_per_period

    @property
    def period_duration(self) -> float:
        """Seconds of a period."""
        return self._period_duration

    @property
    def tokens(self) -> float:
        """Tokens in the bucket now; negative in debt."""
        self._refill()
        return self._tokens

    def consume(self) -> float:
        """Take one token; returns the seconds to wait before using it."""
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._tokens_per_period * self._period_duration)

    async def wait(self) -> None:
        """Take one token and sleep until it may be used."""
        seconds = self.consume()
        if seconds > 0:
            await sleep(seconds)

    def _refill(self) -> None:
        now = self._clock()
        earned = self._tokens_per_period * (now - self._as_of) / self._period_duration
        self._tokens = min(self._tokens_per_period, self._tokens + earned)
        self._as_of = now
