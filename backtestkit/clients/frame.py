"""Frames: the ticks of a backtest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backtestkit.errors import UsageError
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import MINUTE_MS, from_ms, interval_step_ms, iso


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """Ticks every `step` ms from `start`, `count` of them; `end` is when the frame is over (ms UTC).

    The start is floored to the minute, not to the interval: a frame of 1h from 00:17 ticks at 00:17, 01:17, ...
    """

    start: int
    step: int
    count: int
    end: int

    @classmethod
    def between(
        cls, start: int, end: int, interval: str, now: int, policy: FillPolicy, name: str = "frame"
    ) -> ClientFrame:
        """The frame from `start` to `end`, not beyond `now`.

        Under `frame_end="last_tick"` a tick at the end itself belongs to it; under `end_date` a tick needs a candle
        after it that still lies inside. No tick at all raises `UsageError`.
        """
        start = start // MINUTE_MS * MINUTE_MS
        step = interval_step_ms(interval)
        end = min(end, now)
        last = end if policy.frame_end == "last_tick" else end - 1
        count = (last - start) // step + 1
        if count < 1:
            raise UsageError(
                f"frame {name!r} has no tick: it starts at {iso(start)} and ends at {iso(end)}"
                + (" (now)" if end == now else "")
                + ". Give an end_date after the start_date, in the past."
            )
        return cls(start, step, count, end)

    @property
    def last(self) -> int:
        """The last tick."""
        return self.start + (self.count - 1) * self.step

    def times(self) -> list[datetime]:
        """All ticks as aware datetimes."""
        return [from_ms(self.start + i * self.step) for i in range(self.count)]
