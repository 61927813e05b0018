"""walker-2: how much faster a walk is in two processes than in one, with the pool already running.

Wall time says so only on a machine that does nothing else. So CPU time is given too: what one process needs, and what the
two and their parent need together for the same walk. Half of that is the time of two free cores that are kept busy.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field

import backtestkit as bk
from backtestkit.services.logic.walk import Tester

from .market import MONTH, month_of
from .workloads import market_kit, register_market, walk_entry

FAST = range(2, 12)
SLOW = range(20, 120, 4)
PROCESSES = 2


@dataclass
class Clock:
    """Wall and CPU seconds of several walks."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def register() -> None:
    """What the processes of the pool have to know."""
    register_market({"BTCUSDT": month_of(0)}, MONTH, walk_entry)


def measure(repeats: int) -> dict[str, float]:
    """Medians of the seconds of 250 sets in one process and in two, the ratios, and the load beside them."""
    return asyncio.run(_measure(min(repeats, 3)))


async def _measure(repeats: int) -> dict[str, float]:
    one, two = Clock(), Clock()
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
        starting = await _in_pool(0, two)
        whole = await _in_pool(repeats, two)
        for _ in range(repeats):
            await _walk("sets", None, one)
    alone, together = statistics.median(one.wall), statistics.median(two.wall)
    cpu_one = statistics.median(one.cpu)
    cpu_two = statistics.median(two.cpu) + (whole - starting) / repeats
    return {
        "one_s": alone,
        "two_s": together,
        "ratio": alone / together,
        "one_cpu_s": cpu_one,
        "two_cpu_s": cpu_two,
        "ratio_cpu": cpu_one / (cpu_two / PROCESSES),
        "load_1m": os.getloadavg()[0],
    }


async def _in_pool(repeats: int, clock: Clock) -> float:
    """Walk in a pool that is warm; the CPU seconds of its processes from their start to their end."""
    before = os.times()
    with await bk.Walker.pool(PROCESSES, register, symbol="BTCUSDT", walker_name="sets") as pool:
        await _walk("warm", pool, Clock())
        for _ in range(repeats):
            await _walk("sets", pool, clock)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


async def _walk(name: str, tester: Tester | None, clock: Clock) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    came_to = await bk.Walker.run("BTCUSDT", walker_name=name, policy="reference", pool=tester)
    assert not came_to.failed, came_to.failed
    clock.wall.append(time.perf_counter() - wall)
    clock.cpu.append(time.process_time() - cpu)
