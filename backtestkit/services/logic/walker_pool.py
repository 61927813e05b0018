"""Walks over several processes, with the candles of the parent shared in memory.

Workers are spawned, so they start from nothing: `setup`, strategy files or a function that can be imported, registers in
each of them what the parent has registered. The candles of the frame are read once, by the parent, and mapped by all.
Every backtest is the same as in one process, bit for bit; only the waiting is shared.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import runpy
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np

from backtestkit.clients.state import Counters
from backtestkit.errors import UsageError
from backtestkit.model.candle import Candles
from backtestkit.services.logic.walk import Candidate, Tested, Walk

Setup: TypeAlias = str | Path | Sequence[str | Path] | Callable[[], object]


@dataclass(frozen=True, slots=True)
class SharedCandles:
    """Where the columns of a market lie: a block of shared memory, and the range that they cover (ms UTC)."""

    memory: str
    count: int
    exchange_name: str
    symbol: str
    since: int
    until: int


def share(
    candles: Candles, exchange_name: str, symbol: str, since: int, until: int
) -> tuple[SharedMemory, SharedCandles]:
    """Copy `candles` into shared memory; the caller unlinks the memory when nobody needs it any more."""
    count = len(candles)
    memory = SharedMemory(create=True, size=max(6 * 8 * count, 1))
    times, block = _views(memory, count)
    times[:] = candles.timestamp
    for i, column in enumerate((candles.open, candles.high, candles.low, candles.close, candles.volume)):
        block[i] = column
    return memory, SharedCandles(memory.name, count, exchange_name, symbol, since, until)


def attach(shared: SharedCandles) -> tuple[SharedMemory, Candles]:
    """The candles behind `shared`, without copying; the memory must be kept as long as they are used."""
    memory = SharedMemory(shared.memory)
    times, block = _views(memory, shared.count)
    for array in (times, block):
        array.flags.writeable = False
    return memory, Candles(times, *block)


def _views(memory: SharedMemory, count: int) -> tuple[Any, Any]:
    times: Any = np.ndarray(count, np.int64, memory.buf)
    block: Any = np.ndarray((5, count), np.float64, memory.buf, offset=8 * count)
    return times, block


class PoolTester:
    """Runs the backtests of walks in a pool of processes that is kept between walks. A context manager."""

    def __init__(self, processes: int, setup: Setup, config: dict[str, Any], worker: Callable[..., Any]) -> None:
        """`worker` is the function that runs one backtest there; it is passed in because it lives on a higher floor."""
        if isinstance(processes, bool) or not isinstance(processes, int) or processes < 2:
            raise UsageError(f"processes={processes!r} must be a whole number of at least 2; use 1 to stay in this one")
        self._setup, self._config, self._worker = _portable(setup), config, worker
        self._shared: list[tuple[SharedMemory, SharedCandles]] = []
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, mp_context=context)
        self._ahead = processes * 2

    def lend(self, candles: Candles, exchange_name: str, symbol: str, since: int, until: int) -> None:
        """Share candles that all candidates of the coming walks read."""
        self._shared.append(share(candles, exchange_name, symbol, since, until))

    async def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncIterator[Tested]:
        """Test `candidates`, some at a time, and give them back in their order."""
        loop = asyncio.get_running_loop()
        shared = tuple(spec for _, spec in self._shared)
        waiting: list[tuple[Candidate, asyncio.Future[Any]]] = []
        queue = list(candidates)
        try:
            while queue or waiting:
                while queue and len(waiting) < self._ahead:
                    candidate = queue.pop(0)
                    job = (self._setup, self._config, shared, _bare(walk), candidate)
                    waiting.append((candidate, loop.run_in_executor(self._pool, self._worker, *job)))
                candidate, future = waiting.pop(0)
                try:
                    closed, fingerprint, counters = await future
                    yield Tested(candidate, closed, fingerprint, counters, None)
                except Exception as error:
                    yield Tested(candidate, (), "", Counters(), error)
        finally:
            for _, future in waiting:
                future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and free the shared memory."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for memory, _ in self._shared:
            memory.close()
            memory.unlink()
        self._shared.clear()


def _bare(walk: Walk) -> tuple[str, str, str, Any, bool]:
    """What a worker needs to know of a walk; the schema may hold functions that cannot travel."""
    return walk.symbol, walk.schema.exchange_name, walk.schema.frame_name, walk.policy, walk.stepping


def _portable(setup: Setup) -> tuple[str, ...] | Callable[[], object]:
    if callable(setup):
        if "<" in getattr(setup, "__qualname__", "<"):
            raise UsageError(
                f"setup={setup!r} must be a function at the top of a module, so that other processes can import it"
            )
        return setup
    paths = [setup] if isinstance(setup, str | Path) else list(setup)
    missing = [str(path) for path in paths if not Path(path).is_file()]
    if missing or not paths:
        raise UsageError(
            f"setup names {missing[0] if missing else 'no'} file that does not exist; give strategy files or a function"
        )
    return tuple(str(Path(path).resolve()) for path in paths)


def run_setup(setup: tuple[str, ...] | Callable[[], object]) -> None:
    """Register in this process what the parent has registered."""
    if callable(setup):
        setup()
        return
    for path in setup:
        runpy.run_path(path, run_name="backtestkit_strategy")
