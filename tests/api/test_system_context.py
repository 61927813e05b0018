"""Functions that run somewhere else: in an artificial run, outside the running one, or without its time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from kept_runs import FIRST, new_run, prepare

import backtestkit as bk
from backtestkit.errors import ContextError, EngineError, NotRegisteredError
from backtestkit.runtime.clock import SystemClock
from scenarios.market import MINUTE, still


def test_a_mock_context_has_names_a_time_and_no_position() -> None:
    async def look() -> Any:
        return (
            bk.get_symbol(), bk.get_context().strategy_name, bk.get_mode(), bk.get_date(), bk.has_trade_context(),
            await bk.get_pending_signal("BTCUSDT"), await bk.has_no_scheduled_signal("BTCUSDT"),
        )  # fmt: skip

    with bk.Kit():
        before = SystemClock().now_ms()
        symbol, strategy, mode, date, inside, pending, idle = asyncio.run(bk.run_in_mock_context(look))
        assert (symbol, strategy, mode, inside, pending, idle) == ("BTCUSDT", "mock_strategy", "live", True, None, True)
        assert before - MINUTE <= date.timestamp() * 1000 <= SystemClock().now_ms() and date.second == 0
        assert not bk.has_trade_context()


def test_what_is_registered_counts_in_a_mock_context() -> None:
    async def look() -> Any:
        candles = await bk.get_candles("BTC", "1m", 3)
        info = await bk.get_runtime_info()
        return int(candles.timestamp[-1]), info.info, info.range, info.when, info.current_price

    names: Any = {"symbol": "BTC", "strategy_name": "s", "exchange_name": "x", "frame_name": "f", "backtest": True}
    with bk.Kit():
        prepare(still(10), info={"a": 1})
        when = datetime(2025, 1, 1, 0, 8, tzinfo=UTC)
        last, info, range, seen, price = asyncio.run(bk.run_in_mock_context(look, when=when, **names))
    assert (last, info, seen, price) == (FIRST + 2 * MINUTE, {"a": 1}, when, 100.0)
    assert range is not None and range[0] == datetime(2025, 1, 1, 0, 5, tzinfo=UTC)


def test_an_exchange_that_nobody_registered_is_named_when_it_is_read() -> None:
    with bk.Kit():
        prepare(still(1))
        with pytest.raises(
            NotRegisteredError, match=r"exchange 'mock_exchange', needed by get_candles in a mock context"
        ):
            asyncio.run(bk.run_in_mock_context(lambda: bk.get_candles("BTC", "1m", 1)))


def test_a_plain_function_may_be_run_too_and_its_errors_travel() -> None:
    def fail() -> None:
        raise ValueError(bk.get_symbol())

    with bk.Kit():
        assert asyncio.run(bk.run_in_mock_context(bk.get_symbol, symbol="ETH")) == "ETH"
        with pytest.raises(ValueError, match="BTCUSDT"):
            asyncio.run(bk.run_in_mock_context(fail))
        with pytest.raises(ContextError):
            bk.get_symbol()


def test_outside_the_run_there_is_no_run_and_the_same_kit() -> None:
    seen: list[Any] = []

    async def get_signal(*_: Any) -> None:
        def outside() -> Any:
            return bk.has_trade_context(), bk.current_kit().name

        seen.append(await bk.begin_context(outside))
        with pytest.raises(ContextError):
            await bk.begin_context(bk.get_symbol)
        assert bk.get_symbol() == "BTC"

    with bk.Kit(name="mine"):
        prepare(still(1), get_signal, on_error="raise")
        asyncio.run(new_run().result())
        assert asyncio.run(bk.begin_context(bk.has_trade_context)) is False
    assert seen == [(False, "mine")]


def test_outside_the_time_the_names_are_there_and_the_time_is_not() -> None:
    seen: list[Any] = []

    async def get_signal(*_: Any) -> None:
        async def outside() -> Any:
            with pytest.raises(EngineError, match="has no time"):
                bk.get_date()
            return bk.get_symbol(), bk.has_trade_context()

        seen.append(await bk.begin_time(outside))
        assert bk.has_trade_context() and bk.get_timestamp() == FIRST

    with bk.Kit():
        prepare(still(1), get_signal, on_error="raise")
        asyncio.run(new_run().result())
        assert asyncio.run(bk.begin_time(lambda: 5)) == 5
    assert seen == [("BTC", False)]
