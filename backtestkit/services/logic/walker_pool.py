"""Jobs of a walk in a pool of processes on this machine, with the candles shared in memory."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Final

import numpy as np

from backtestkit.errors import RunError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.services.logic.walker_remote import Market, Worker

INTERRUPTED: Final = 130
"""The exit code of a program that Ctrl-C has ended."""

_mapped: Final[list[SharedMemory]] = []  # must stay mapped as long as columns over it are used: while the process lives


@dataclass(frozen=True, slots=True)
class SharedCandles:
    """Where the columns of a market lie: the name of a block of shared memory, and how many candles it has."""

    memory: str
    count: int
    market: Market

    def attach(self) -> Candles:
        """The candles, without copying. They are read only, and mapped until the process ends."""
        memory = SharedMemory(self.memory)
        _mapped.append(memory)
        times, block = _views(memory, self.count)
        for array in (times, block):
            array.flags.writeable = False
        return Candles(times, *block)


def share(candles: Candles, market: Market) -> tuple[SharedMemory, SharedCandles]:
    """Copy `candles` into shared memory; the caller unlinks the memory when nobody needs it any more."""
    count = len(candles)
    memory = SharedMemory(create=True, size=max(6 * 8 * count, 1))
    times, block = _views(memory, count)
    times[:] = candles.timestamp
    for i, column in enumerate((candles.open, candles.high, candles.low, candles.close, candles.volume)):
        block[i] = column
    return memory, SharedCandles(memory.name, count, market)


def _views(memory: SharedMemory, count: int) -> tuple[Any, Any]:
    times: Any = np.ndarray(count, np.int64, memory.buf)
    block: Any = np.ndarray((5, count), np.float64, memory.buf, offset=8 * count)
    return times, block


class PoolTransport:
    """Spawned processes on this machine."""

    def __init__(self, processes: int) -> None:
        """`UsageError` for less than two processes."""
        if isinstance(processes, bool) or not isinstance(processes, int) or processes < 2:
            raise UsageError(f"processes={processes!r} must be a whole number of at least 2; use 1 to stay in this one")
        self._processes = processes
        self._pool = self._new(processes)
        self._memories: list[SharedMemory] = []
        self._alone = asyncio.Lock()

    async def slots(self) -> int:
        """The number of processes."""
        return self._processes

    async def lend(self, candles: Candles, market: Market) -> SharedCandles:
        """Copy `candles` into shared memory."""
        memory, shared = share(candles, market)
        self._memories.append(memory)
        return shared

    def submit(self, worker: Worker, *job: Any) -> asyncio.Future[bytes]:
        """Run a job in one of the processes."""
        return asyncio.ensure_future(self._run(worker, *job))

    def close(self) -> None:
        """End the processes and free the shared memory."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for memory in self._memories:
            memory.close()
            memory.unlink()
        self._memories.clear()

    async def _run(self, worker: Worker, *job: Any) -> bytes:
        """The answer to a job. When a process dies, all jobs of the pool are lost and nobody knows whose fault it was."""
        loop, pool = asyncio.get_running_loop(), self._pool
        try:
            return await loop.run_in_executor(pool, worker, *job)
        except BrokenProcessPool:
            if pool is self._pool:
                self._pool, self._alone = self._new(self._processes), asyncio.Lock()
        async with self._alone:  # so that a second death is this job's own
            with self._new(1) as single:
                try:
                    return await loop.run_in_executor(single, worker, *job)
                except BrokenProcessPool:
                    raise RunError(
                        "it ended its process, twice: too little memory, a crash below Python, or a set-up that the "
                        "process cannot import"
                    ) from None

    def _new(self, processes: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, mp_context=context, initializer=end_at_interrupt)


def end_at_interrupt() -> None:
    """Let Ctrl-C, which all processes of a terminal hear, end this one without a word: the walk says what happened."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
