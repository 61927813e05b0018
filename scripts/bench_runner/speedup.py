"""walker-2: how much faster a walk is in two processes than in one, wall time, with the pool already running."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from typing import Any

import backtestkit as bk

from .market import MONTH, month_of
from .workloads import market_kit, register_market, walk_entry

FAST = range(2, 12)
SLOW = range(20, 120, 4)
PROCESSES = 2


def register() -> None:
    """What the processes of the pool have to know."""
    register_market({"BTCUSDT": month_of(0)}, MONTH, walk_entry)


def measure(repeats: int) -> dict[str, float]:
    """Medians of wall seconds of 250 sets one after another and in two processes, their ratio, and the load beside them."""
    return asyncio.run(_measure(min(repeats, 3)))


async def _measure(repeats: int) -> dict[str, float]:
    alone: list[float] = []
    together: list[float] = []
    with market_kit({"BTCUSDT": month_of(0)}, MONTH, walk_entry):
        for name, slow in (("warm", SLOW[:1]), ("sets", SLOW)):
            bk.add_walker(
                walker_name=name,
                exchange_name="walk",
                frame_name="frame",
                strategies=["above-mean"],
                space={"fast": list(FAST), "slow": list(slow)},
                metric="total_pnl",
            )
        with await bk.Walker.pool(PROCESSES, register, symbol="BTCUSDT", walker_name="sets") as pool:
            for tester in (None, pool):
                await bk.Walker.run("BTCUSDT", walker_name="warm", policy="reference", pool=tester)
            for _ in range(repeats):
                for tester, seconds in ((None, alone), (pool, together)):
                    seconds.append(await _seconds(tester))
    one, two = statistics.median(alone), statistics.median(together)
    return {"one_s": one, "two_s": two, "ratio": one / two, "load_1m": os.getloadavg()[0]}


async def _seconds(tester: Any) -> float:
    start = time.perf_counter()
    came_to = await bk.Walker.run("BTCUSDT", walker_name="sets", policy="reference", pool=tester)
    assert len(came_to.strategy_results) == len(FAST) * len(SLOW), came_to.failed
    return time.perf_counter() - start
