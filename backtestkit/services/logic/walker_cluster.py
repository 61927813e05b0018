"""Jobs of a walk on a cluster of Dask.

Dask rather than Ray: its client and its workers are plain Python that a walk can be pointed at by an address, and they
bring what a walk needs, which is jobs, data that is sent once, and workers that may be lost. Ray would add a hundred
megabytes of compiled services for an object store and actors that a walk has no use for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from backtestkit.errors import RunError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.runtime.optional import optional_package
from backtestkit.services.logic.walker_remote import Market, Worker

CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ScatteredCandles:
    """Candles that a worker of the cluster holds."""

    market: Market
    candles: Candles

    def attach(self) -> Candles:
        """The candles."""
        return self.candles


class ClusterTransport:
    """Workers of a cluster. Dask runs the jobs of a worker that is lost again elsewhere, three times at most."""

    def __init__(self, client: Any, *, own: bool) -> None:
        """Made by `connect`; an `own` client is closed in the end."""
        self._client, self._own = client, own
        self._lent: list[Any] = []

    async def slots(self) -> int:
        """The number of threads of all workers; 1 while there is none, so that a job waits for the first."""
        threads: dict[str, int] = await asyncio.to_thread(self._client.nthreads)
        return max(sum(threads.values()), 1)

    async def lend(self, candles: Candles, market: Market) -> Any:
        """Send `candles` to every worker."""
        scattered = ScatteredCandles(market, candles)
        future = await asyncio.to_thread(self._client.scatter, scattered, broadcast=True, hash=False)
        self._lent.append(future)
        return future

    def submit(self, worker: Worker, *job: Any) -> asyncio.Future[bytes]:
        """Run a job on one of the workers."""
        loop = asyncio.get_running_loop()
        ours: asyncio.Future[bytes] = loop.create_future()
        theirs = self._client.submit(worker, *job, pure=False)

        def settle(answer: bytes | None, error: BaseException | None) -> None:
            if ours.done():
                return
            if error is not None:
                ours.set_exception(error)
            else:
                ours.set_result(answer)  # type: ignore[arg-type]

        def done(future: Any) -> None:  # in a thread of Dask
            answer: bytes | None = None
            error: BaseException | None = None
            if future.status == "finished":
                try:
                    answer = future.result()
                except Exception as lost:  # its worker went away with the answer
                    error = lost
            elif future.status == "error":
                error = future.exception()
            else:
                error = RunError("the cluster dropped it; were all workers that had the candles lost?")
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(settle, answer, error)

        theirs.add_done_callback(done)
        ours.add_done_callback(lambda _: theirs.cancel() if ours.cancelled() else None)
        return ours

    def close(self) -> None:
        """Free what was sent, and close the connection if it is our own. The cluster stays."""
        for future in self._lent:
            future.release()
        self._lent.clear()
        if self._own:
            self._client.close()


async def connect(cluster: Any) -> ClusterTransport:
    """The cluster at an address such as `"tcp://10.0.0.5:8786"`, or that of a client of Dask.

    `UsageError` when it cannot be reached, or when its workers have no backtestkit or another version of it.
    """
    distributed = optional_package("distributed")
    if isinstance(cluster, distributed.Client) and not cluster.asynchronous:
        client, own = cluster, False
    elif isinstance(cluster, str | distributed.Client):
        address = cluster if isinstance(cluster, str) else cluster.scheduler.address
        security = None if isinstance(cluster, str) else cluster.security
        client, own = await asyncio.to_thread(_client, distributed, address, security), True
    else:
        raise UsageError(f"cluster={cluster!r} must be the address of a scheduler, or a distributed.Client")
    transport = ClusterTransport(client, own=own)
    try:
        await asyncio.to_thread(_check_versions, client)
    except BaseException:
        transport.close()
        raise
    return transport


def _client(distributed: ModuleType, address: str, security: Any) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, security=security, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"cluster={address!r} cannot be reached: {error}") from error


def version() -> str:
    """The version of this package, asked for in each worker."""
    import backtestkit

    return backtestkit.__version__


def _check_versions(client: Any) -> None:
    """Results are the same bit for bit only where the code is."""
    try:
        versions: dict[str, str] = client.run(version)
    except Exception as error:
        raise UsageError(f"a worker of the cluster cannot import backtestkit: {error}") from error
    different = {worker: theirs for worker, theirs in versions.items() if theirs != version()}
    if different:
        worker, theirs = next(iter(different.items()))
        raise UsageError(
            f"worker {worker} has backtestkit {theirs}, this process {version()}; install the same version"
        )
