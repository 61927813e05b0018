"""Walks on a cluster: a real scheduler and two worker processes on loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.services.logic import walker_cluster
from walks.setup import deadly, register, register_deadly

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def kit() -> Iterator[None]:
    with bk.Kit():
        register()
        yield


def figures(came_to: bk.WalkerStatistics) -> list[tuple[Any, ...]]:
    """Everything but the generated ids."""
    return [
        (r.strategy_name, r.metric_values, r.first_event_time, r.last_event_time, [t.pnl for t in r.stats.signal_list])
        for r in came_to.strategy_results
    ]


def test_a_cluster_gives_the_same_results_bit_for_bit(cluster: Any, tmp_path: Path) -> None:
    file = tmp_path / "strategies.py"
    file.write_text("from walks.setup import register\nregister()\n", encoding="utf-8")
    here = bk.Walker.run("BTC", walker_name="space")
    came_to = here.wait()

    async def there() -> None:
        with await bk.Walker.cluster(cluster.scheduler_address, file, symbol="BTC", walker_name="space") as testers:
            for _ in range(2):
                walk = bk.Walker.run("BTC", walker_name="space", pool=testers)
                assert figures(await walk.result()) == figures(came_to)
                assert walk.fingerprints == here.fingerprints and walk.counters == here.counters

    asyncio.run(there())


def test_a_client_of_ones_own_stays_open_and_errors_come_with_their_causes(cluster: Any) -> None:
    async def there(client: Any) -> None:
        with await bk.Walker.cluster(client, register) as testers:
            walk = bk.Walker.run("BTC", walker_name="two", pool=testers)
            assert (await walk.result()).best_strategy == "s"
            ((name, error),) = walk.failed
            assert name == "broken" and isinstance(error, bk.RunError)
            assert repr(error.__cause__) == "RuntimeError('this one never works')"

    with distributed.Client(cluster, set_as_default=False) as client:
        asyncio.run(there(client))
        assert client.status == "running"


def test_a_client_of_a_running_loop_lends_its_address(cluster: Any) -> None:
    async def there() -> bk.WalkerStatistics:
        async with distributed.Client(cluster.scheduler_address, asynchronous=True, set_as_default=False) as client:
            with await bk.Walker.cluster(client, register) as testers:
                return await bk.Walker.run("BTC", walker_name="space", pool=testers)

    assert len(asyncio.run(there()).strategy_results) == 6


def test_the_candidates_of_a_lost_worker_are_tested_elsewhere(cluster: Any, tmp_path: Path) -> None:
    bad: dict[str, Any] = {"dies": str(tmp_path / "died"), "always": False}
    bk.override_strategy("s", get_signal=deadly)
    bk.override_walker("space", space={"fast": [2, 4], "how": [{}]})
    expected = bk.Walker.run("BTC", walker_name="space").wait()
    bk.override_walker("space", space={"fast": [2, 4], "how": [{}, bad]})

    async def there() -> tuple[bk.WalkerStatistics, Any]:
        with await bk.Walker.cluster(
            cluster.scheduler_address, register_deadly, symbol="BTC", walker_name="space"
        ) as testers:
            walk = bk.Walker.run("BTC", walker_name="space", pool=testers)
            return await walk.result(), walk.failed

    came_to, failed = asyncio.run(there())
    assert failed == [] and Path(bad["dies"]).exists()
    for way in ({}, bad):
        values = [r.metric_value for r in came_to.strategy_results if r.params["how"] == way]
        assert values == [r.metric_value for r in expected.strategy_results]


def test_a_stopped_walk_drops_what_waits(cluster: Any) -> None:
    async def there() -> bk.WalkerStatistics:
        with await bk.Walker.cluster(cluster.scheduler_address, register) as testers:
            walk = bk.Walker.run("BTC", walker_name="space", pool=testers)
            async for _ in walk:
                walk.stop()
            return walk.statistics()

    assert len(asyncio.run(there()).strategy_results) == 1


def test_workers_must_have_the_same_version(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bk, "__version__", "0.0.1")
    with pytest.raises(bk.UsageError, match=r"has backtestkit .*, this process 0\.0\.1; install the same version"):
        asyncio.run(bk.Walker.cluster(cluster.scheduler_address, register))


def test_workers_that_cannot_run_a_walk_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def version() -> str:
        raise ModuleNotFoundError("No module named 'backtestkit'")

    monkeypatch.setattr(walker_cluster, "version", version)
    with pytest.raises(bk.UsageError, match="cannot import backtestkit: No module named"):
        asyncio.run(bk.Walker.cluster(cluster.scheduler_address, register))


class Answer:
    """A future of the cluster that has ended."""

    def __init__(self, status: str) -> None:
        self.status = status

    def add_done_callback(self, done: Callable[[Any], None]) -> None:
        done(self)
        done(self)  # only the first time counts

    def result(self) -> bytes:
        raise OSError("its worker went away")


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [("cancelled", bk.RunError, "the cluster dropped it"), ("finished", OSError, "its worker went away")],
)
def test_an_answer_that_is_lost_is_an_error(status: str, error: type[Exception], message: str) -> None:
    class Client:
        def submit(self, *job: Any, pure: bool) -> Answer:
            return Answer(status)

    def worker(*job: Any) -> bytes:
        raise AssertionError("runs nowhere")

    async def there() -> bytes:
        return await walker_cluster.ClusterTransport(Client(), own=False).submit(worker)

    with pytest.raises(error, match=message):
        asyncio.run(there())


def test_a_cluster_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walker_cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(bk.UsageError, match=r"cluster='tcp://127\.0\.0\.1:1' cannot be reached"):
        asyncio.run(bk.Walker.cluster("tcp://127.0.0.1:1", register))
    with pytest.raises(bk.UsageError, match="cluster=5 must be the address of a scheduler"):
        asyncio.run(bk.Walker.cluster(5, register))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(bk.UsageError, match=r'pip install "backtestkit\[cluster\]"'):
        asyncio.run(bk.Walker.cluster("tcp://127.0.0.1:1", register))
