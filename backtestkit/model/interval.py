"""Candle and frame intervals, and alignment of times to them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal, TypeAlias, get_args

from backtestkit.errors import UsageError, suggest

CandleInterval: TypeAlias = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "1d"]
FrameInterval: TypeAlias = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]
SignalInterval: TypeAlias = Literal["1m", "3m", "5m", "15m", "30m", "1h"]
TimeLike: TypeAlias = datetime | date | str | int
"""A time as users give it; `parse_time` says what each kind means."""

MINUTE_MS = 60_000
DAY_MS = 86_400_000
CANDLE_INTERVALS: tuple[str, ...] = get_args(CandleInterval)
FRAME_INTERVALS: tuple[str, ...] = get_args(FrameInterval)
SIGNAL_INTERVALS: tuple[str, ...] = get_args(SignalInterval)
INTERVAL_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": DAY_MS,
}


def interval_step_ms(interval: str) -> int:
    """Length of `interval` in milliseconds; an unknown one raises `UsageError` with the near names."""
    try:
        return INTERVAL_MS[interval]
    except KeyError:
        raise UsageError(
            f"unknown interval={interval!r}. {suggest(interval, list(INTERVAL_MS), 'one of these')}"
        ) from None


def interval_start(timestamp: int, interval: str) -> int:
    """The open time (ms UTC) of the bucket of `interval` that contains `timestamp`, counted from the epoch."""
    step = interval_step_ms(interval)
    return timestamp // step * step


def align_to_interval(when: datetime, interval: str) -> datetime:
    """`when` floored to `interval`, as an aware datetime in UTC."""
    return from_ms(interval_start(to_ms(when), interval))


def from_ms(timestamp: int) -> datetime:
    """Milliseconds since the epoch as an aware datetime in UTC."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)


def to_ms(when: datetime) -> int:
    """An aware datetime as milliseconds since the epoch; a naive one raises `UsageError`."""
    if when.tzinfo is None:
        raise UsageError(f"{when!r} has no time zone. Give an aware datetime, for example with tzinfo=UTC.")
    delta = when - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def parse_time(value: TimeLike, field: str = "time") -> datetime:
    """An aware UTC datetime from what users write.

    Text without an offset is UTC, a bare date is its 00:00, an integer counts milliseconds. A naive datetime is refused,
    because it means another instant on another machine.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UsageError(
                f"{field}={value!r} has no time zone. Give an aware datetime (tzinfo=UTC) or text such as '2025-06-01'."
            )
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UsageError(
            f"{field}={value!r} is not a time. Give text such as '2025-06-01', an aware datetime or milliseconds."
        )
    if isinstance(value, int):
        return from_ms(value)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{field}={value!r} is not a time. Write it as '2025-06-01' or '2025-06-01T12:30'.") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def iso(timestamp: int) -> str:
    """`timestamp` (ms UTC) as text for messages: minutes unless seconds matter."""
    when = from_ms(timestamp)
    return when.strftime("%Y-%m-%d %H:%M" if timestamp % MINUTE_MS == 0 else "%Y-%m-%d %H:%M:%S")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
