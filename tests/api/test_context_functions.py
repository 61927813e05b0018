"""Asking where the code stands, inside and outside a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import RunContext, current_run

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Exchange:
    async def get_average_price(self, symbol: str, **where: Any) -> float:
        assert where == {"when_ms": 1_748_779_200_000, "backtest": where["backtest"], "strict": True}
        return 100.0


@contextmanager
def running(*, backtest: bool = True) -> Iterator[bk.RunKey]:
    key = bk.RunKey("BTCUSDT", "s", "e", "f" if backtest else "", backtest)
    plan = SimpleNamespace(
        strategy=bk.StrategySchema(strategy_name="s", info={"mine": 1}),
        frame=SimpleNamespace(start_date=NOON, end_date=NOON),
        exchange=Exchange(),
        policy=bk.CONSERVATIVE,
    )
    token = current_run.set(RunContext(key, SimulatedClock(NOON), bk.Kit(), SimpleNamespace(plan=plan)))
    try:
        yield key
    finally:
        current_run.reset(token)


def test_inside_a_run_the_functions_tell_whose_and_when() -> None:
    with running() as key:
        assert bk.has_trade_context()
        assert bk.get_context() is key
        assert (bk.get_symbol(), bk.get_mode()) == ("BTCUSDT", "backtest")
        assert (bk.get_date(), bk.get_timestamp()) == (NOON, 1_748_779_200_000)


def test_runtime_info_shows_the_run_at_this_moment() -> None:
    with running() as key:
        info = asyncio.run(bk.get_runtime_info())
    assert info == bk.RuntimeInfo("BTCUSDT", (NOON, NOON), {"mine": 1}, key, NOON, 100.0, True)


def test_a_live_run_has_no_range() -> None:
    with running(backtest=False):
        info = asyncio.run(bk.get_runtime_info())
        assert (info.range, info.backtest, bk.get_mode()) == (None, False, "live")


@pytest.mark.parametrize(
    "function", [bk.get_context, bk.get_symbol, bk.get_mode, bk.get_date, bk.get_timestamp], ids=lambda f: f.__name__
)
def test_outside_a_run_they_say_what_they_need(function: Callable[[], object]) -> None:
    assert not bk.has_trade_context()
    with pytest.raises(bk.ContextError, match=f"{function.__name__} needs a running strategy"):
        function()


def test_runtime_info_needs_a_run_too() -> None:
    with pytest.raises(bk.ContextError, match="get_runtime_info needs a running strategy"):
        asyncio.run(bk.get_runtime_info())
