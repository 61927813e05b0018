"""Scripted strategies: what `get_signal` answers, call by call."""

from __future__ import annotations

from typing import Any

from backtestkit import Signal

MINUTE = 60_000


class ScriptedError(Exception):
    """The error that a script asks for."""


class Script:
    """One strategy's script in one run; remembers which entries were used and when it was called."""

    def __init__(self, strategy: dict[str, Any], symbol: str, frame_start: int) -> None:
        self._entries = list(strategy.get("signals", []))
        self._symbol, self._start = symbol, frame_start
        self.minutes: list[int] = []
        self.prices: list[float] = []

    def minute(self, time_ms: int) -> int:
        """Whole minutes since the start of the frame."""
        return round((time_ms - self._start) / MINUTE)

    def answer(self, time_ms: int, price: float) -> Signal | None:
        """What the script says to this call."""
        minute = self.minute(time_ms)
        self.minutes.append(minute)
        self.prices.append(price)
        for i, entry in enumerate(self._entries):
            if self._matches(entry, minute):
                if not entry.get("repeat"):
                    del self._entries[i]
                if entry.get("throws"):
                    raise ScriptedError("scripted error")
                return to_signal(entry["dto"])
        return None

    def _matches(self, entry: dict[str, Any], minute: int) -> bool:
        return bool(
            entry.get("call", len(self.minutes)) == len(self.minutes)
            and minute >= entry.get("minute", minute)
            and entry.get("symbol", self._symbol) == self._symbol
        )


def to_signal(dto: dict[str, Any]) -> Signal:
    """A signal as recorded; a lifetime of null is infinite."""
    fields = dict(dto)
    if "minute_estimated_time" in fields and fields["minute_estimated_time"] is None:
        fields["minute_estimated_time"] = float("inf")
    return Signal(**fields)


def triples(minutes: list[int]) -> list[list[int]]:
    """Minutes as `[first, step, count]` runs; equal to a recorded list when they expand to the same minutes."""
    out: list[list[int]] = []
    for minute in minutes:
        if out:
            first, step, count = out[-1]
            if count == 1:
                out[-1] = [first, minute - first, 2]
                continue
            if minute == first + step * count:
                out[-1][2] += 1
                continue
        out.append([minute, 1, 1])
    return out


def expand(runs: list[list[int]]) -> list[int]:
    """The minutes that triples stand for."""
    return [first + step * i for first, step, count in runs for i in range(count)]
