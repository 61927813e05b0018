"""Candles ahead of time: brought into a store, checked to be there, and waited for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FIRST, new_run

import backtestkit as bk
from backtestkit.errors import DataError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.runtime.scheduler import use_sleeper
from scenarios.market import MINUTE, START, candles, still

RANGE: Any = ("BTC", "1m", "2025-01-01T00:00", "2025-01-01T00:30")


def exchange(asked: list[int]) -> None:
    source = candles(still(40))

    async def get_candles(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> Candles:
        first = int(since.timestamp() * 1000)
        asked.append(limit)
        low = (first - START) // MINUTE
        return source[low : low + limit]

    bk.add_exchange(exchange_name="x", get_candles=get_candles)


def test_candles_are_brought_into_the_store_once(tmp_path: Path) -> None:
    asked: list[int] = []
    told: list[Any] = []
    with bk.Kit({"max_candles_per_request": 20}):
        exchange(asked)
        bk.use_candle_store(tmp_path)
        with pytest.raises(DataError, match="is not in the candle store"):
            asyncio.run(bk.check_candles(*RANGE, exchange_name="x"))
        asyncio.run(
            bk.cache_candles(
                *RANGE,
                exchange_name="x",
                on_check_start=lambda: told.append("check"),
                on_warm_start=lambda: told.append("warm"),
                on_progress=lambda done, total: told.append((done, total)),
            )
        )
        assert told == ["check", "warm", (20, 30), (30, 30), "check", (20, 30), (30, 30)]
        assert sum(asked) == 30
        asyncio.run(bk.check_candles(*RANGE, exchange_name="x"))
        asyncio.run(bk.warm_candles(*RANGE, exchange_name="x"))
        assert sum(asked) == 30
    assert list(tmp_path.rglob("*.parquet"))


def test_a_backtest_reads_from_the_store(tmp_path: Path) -> None:
    asked: list[int] = []
    for times in range(2):
        with bk.Kit():
            exchange(asked)
            bk.use_candle_store(tmp_path)
            bk.add_frame(frame_name="f", interval="1m", start_date=FIRST, end_date=FIRST + 20 * MINUTE)
            bk.add_strategy(strategy_name="s", get_signal=None)
            asyncio.run(new_run().result())
        if not times:
            assert asked
            asked.clear()
    assert asked == []


def test_without_a_store_there_is_nothing_to_fill(tmp_path: Path) -> None:
    with bk.Kit():
        exchange([])
        bk.use_candle_store(tmp_path)
        bk.use_candle_store(None)
        with pytest.raises(UsageError, match="has no candle store to fill"):
            asyncio.run(bk.warm_candles(*RANGE, exchange_name="x"))


def test_the_next_candle_is_waited_for_as_long_as_it_takes() -> None:
    slept: list[float] = []

    async def scenario() -> datetime:
        from backtestkit.runtime import clock

        now = [FIRST + 59_000]

        async def sleeper(seconds: float) -> None:
            slept.append(seconds)
            now[0] += 400 if len(slept) == 1 else int(seconds * 1000)

        with pytest.MonkeyPatch.context() as patch, use_sleeper(sleeper):
            patch.setattr(clock.SystemClock, "now_ms", lambda _: now[0])
            return await bk.wait_for_candle("5m")

    assert asyncio.run(scenario()) == datetime(2025, 1, 1, 0, 10, tzinfo=UTC)
    assert slept == [241.0, 240.6]
