"""Candles ahead of time: brought into a store before runs need them, and checked to be there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from backtestkit.kit import current_kit
from backtestkit.model.interval import CandleInterval, from_ms, interval_step_ms, parse_time, to_ms
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.scheduler import sleep

if TYPE_CHECKING:
    from backtestkit.services.connection.exchange import ExchangeConnection

__all__ = ["cache_candles", "check_candles", "use_candle_store", "wait_for_candle", "warm_candles"]

Time: TypeAlias = datetime | str | int
Progress: TypeAlias = Callable[[int, int], object]


def use_candle_store(folder: str | Path | None) -> None:
    """Keep the candles that backtests of the current kit read in Parquet files below `folder`; None for nowhere.

    For exchanges that are given as functions; ready ones, such as `CcxtExchange(store=...)`, have a store of their own.
    """
    from backtestkit.market.candle_store import CandleStore

    current_kit().container.exchange_pool().use_store(None if folder is None else CandleStore(folder))


async def warm_candles(
    symbol: str,
    interval: CandleInterval,
    since: Time,
    until: Time,
    *,
    exchange_name: str,
    on_progress: Progress | None = None,
) -> None:
    """Bring the candles of [since, until), floored to the interval, into the candle store; what is there stays.

    `on_progress(done, total)` counts candles. Raises `UsageError` without a store or for an empty range,
    `InsufficientDataError` for one that ends in the future.
    """
    await _connection(exchange_name).warm_candles(
        symbol, interval, _ms(since, "since"), _ms(until, "until"), on_progress=on_progress
    )


async def check_candles(
    symbol: str,
    interval: CandleInterval,
    since: Time,
    until: Time,
    *,
    exchange_name: str,
    on_progress: Progress | None = None,
) -> None:
    """Raise `DataError` with the first part of [since, until) that is not in the candle store. Nothing is fetched."""
    await _connection(exchange_name).check_candles(
        symbol, interval, _ms(since, "since"), _ms(until, "until"), on_progress=on_progress
    )


async def cache_candles(
    symbol: str,
    interval: CandleInterval,
    since: Time,
    until: Time,
    *,
    exchange_name: str,
    on_check_start: Callable[[], object] | None = None,
    on_warm_start: Callable[[], object] | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Check; if something is missing, warm and check once more. The second failure is raised."""
    await _connection(exchange_name).cache_candles(
        symbol, interval, _ms(since, "since"), _ms(until, "until"),
        on_check_start=on_check_start, on_warm_start=on_warm_start, on_progress=on_progress,
    )  # fmt: skip


async def wait_for_candle(interval: CandleInterval) -> datetime:
    """Wait until the next candle of `interval` begins by the wall clock; returns when it began."""
    clock, step = SystemClock(), interval_step_ms(interval)
    boundary = (clock.now_ms() // step + 1) * step
    while (rest := boundary - clock.now_ms()) > 0:
        await sleep(rest / 1000)
    return from_ms(boundary)


def _connection(exchange_name: str) -> ExchangeConnection:
    return current_kit().container.exchange_pool().connect(exchange_name)


def _ms(value: Time, field: str) -> int:
    return to_ms(parse_time(value, field))
