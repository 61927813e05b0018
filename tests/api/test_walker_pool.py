"""Walks over several processes: the same results, errors with their causes, and what happens when a process dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.api.walker_worker import backtest_candidate
from backtestkit.errors import NotRegisteredError
from backtestkit.services.logic import walk as walk_logic
from backtestkit.services.logic.walk import Candidate, Conditions
from backtestkit.services.logic.walk_sources import FixedSource
from backtestkit.services.logic.walker_answer import pack_answer, pack_error, unpack_answer, unpack_error
from backtestkit.services.logic.walker_pool import PoolTransport, _mapped, share
from backtestkit.services.logic.walker_remote import HELD_PER_SLOT, Market, RemoteTester, Session, Setup, portable
from walks.setup import deadly, register, register_deadly


@pytest.fixture(autouse=True)
def kit() -> Iterator[None]:
    with bk.Kit():
        register()
        yield


def figures(came_to: bk.WalkerStatistics) -> list[tuple[Any, ...]]:
    """Everything but the generated ids."""
    return [
        (r.strategy_name, r.metric_value, r.first_event_time, r.last_event_time, [t.pnl for t in r.stats.signal_list])
        for r in came_to.strategy_results
    ]


def test_processes_give_the_same_results_bit_for_bit_and_keep_their_pool() -> None:
    here = bk.Walker.run("BTC", walker_name="space")
    came_to = here.wait()

    async def elsewhere() -> None:
        with await bk.Walker.pool(2, register, symbol="BTC", walker_name="space") as pool:
            for _ in range(2):
                walk = bk.Walker.run("BTC", walker_name="space", pool=pool)
                there = await walk.result()
                assert (there.best_strategy, there.best_metric) == (came_to.best_strategy, came_to.best_metric)
                assert figures(there) == figures(came_to)
                assert walk.fingerprints == here.fingerprints and walk.counters == here.counters
            broken = bk.Walker.run("BTC", walker_name="two", pool=pool)
            assert (await broken.result()).best_strategy == "s"
            ((name, error),) = broken.failed
            assert name == "broken" and isinstance(error, bk.RunError)
            assert repr(error.__cause__) == "RuntimeError('this one never works')"
            assert "get_signal" in getattr(error.__cause__, "__notes__", [""])[0]

    asyncio.run(elsewhere())


def test_a_set_up_must_be_able_to_travel(tmp_path: Path) -> None:
    with pytest.raises(bk.UsageError, match="top of a module"):
        portable(lambda: None)
    with pytest.raises(bk.UsageError, match="does not exist"):
        portable(tmp_path / "none.py")
    with pytest.raises(bk.UsageError, match="names no file"):
        portable([])
    with pytest.raises(bk.UsageError, match="at least 2"):
        PoolTransport(1)


def test_a_pool_that_cannot_be_set_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    close = PoolTransport.close

    def noted(self: PoolTransport) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(PoolTransport, "close", noted)
    with pytest.raises(bk.UsageError, match="top of a module"):
        asyncio.run(bk.Walker.pool(2, lambda: None))
    with pytest.raises(bk.NotRegisteredError, match="Did you mean 'space'"):
        asyncio.run(bk.Walker.pool(2, register, symbol="BTC", walker_name="spce"))
    assert len(closed) == 2


def test_the_configuration_of_here_is_in_force_there(tmp_path: Path) -> None:
    file = tmp_path / "sets.py"
    file.write_text(
        "import backtestkit as bk\nfrom walks.setup import register\nbk.set_config(percent_fee=0.12)\nregister()\n"
    )
    session = Session("config", portable(file), bk.get_config().as_dict())
    conditions = Conditions("BTC", "market", "week", None, False, {"costs.fee": "minimise"}, 10)
    tested = unpack_answer(backtest_candidate(session, [], conditions, Candidate("s", "s", {"fast": 4, "stop": 1.2})))
    alone = bk.Backtest.run(
        "BTC", strategy_name="s", exchange_name="market", frame_name="week", params={"fast": 4, "stop": 1.2}
    ).wait()
    assert tested.figures == {"costs.fee": alone.analysis.costs.fee} and tested.fingerprint == alone.fingerprint


def test_candles_are_shared_without_copying() -> None:
    source = bk.SyntheticExchange("market", seed=3).schema()
    assert source.read_candles is not None
    start = 1_748_800_000_000 // 60_000 * 60_000
    candles = source.read_candles("BTC", "1m", start, start + 600 * 60_000)
    assert isinstance(candles, bk.Candles)
    memory, shared = share(candles, Market("market", "BTC", start, start + 600 * 60_000))
    try:
        same = shared.attach()
        assert same == candles and not same.close.flags.writeable
        del same
        _mapped.pop().close()
    finally:
        memory.close()
        memory.unlink()


def test_a_worker_backtests_what_its_set_up_registers(tmp_path: Path) -> None:
    candidate = Candidate("s(fast=4, stop=1.2)", "s", {"fast": 4, "stop": 1.2})
    (tmp_path / "own_part.py").write_text("from walks.setup import register\n", encoding="utf-8")
    file = tmp_path / "setup.py"
    file.write_text("from own_part import register\nregister()\n", encoding="utf-8")
    conditions = Conditions("BTC", "market", "week", None, False, {"total_pnl": "maximise"}, 10)
    alone = bk.Backtest.run(
        "BTC", strategy_name="s", exchange_name="market", frame_name="week", params=candidate.params
    ).wait()
    setups: list[Setup] = [register, file, [file]]
    for number, setup in enumerate(setups):
        session = Session(f"{number}", portable(setup), bk.get_config().as_dict())
        for _ in range(2):
            tested = unpack_answer(backtest_candidate(session, [], conditions, candidate))
            assert tested.error is None and tested.candidate == candidate
            assert tested.closed and tested.fingerprint == alone.fingerprint
            assert tested.counters.get_signal_calls


def test_a_worker_that_cannot_be_set_up_says_why(tmp_path: Path) -> None:
    file = tmp_path / "broken_setup.py"
    file.write_text("raise KeyError('gone')\n", encoding="utf-8")
    session = Session("broken", portable(file), bk.get_config().as_dict())
    conditions = Conditions("BTC", "market", "week", None, False, {"total_pnl": "maximise"}, 10)
    error = unpack_answer(backtest_candidate(session, [], conditions, Candidate("s", "s", {}))).error
    assert isinstance(error, KeyError) and "broken_setup.py" in error.__notes__[0]


@pytest.mark.parametrize("always", [False, True])
def test_a_process_that_dies_costs_the_others_nothing(tmp_path: Path, always: bool) -> None:
    """The jobs of a broken pool are run again, each alone, so that only the one whose fault it was can fail."""
    bk.override_walker("space", space={"fast": [2, 4]})
    whole = bk.Walker.run("BTC", walker_name="space").wait()
    bad = {"dies": str(tmp_path / "died"), "always": always}
    bk.override_walker("space", space={"fast": [2, 4], "how": [{}, bad]})
    bk.override_strategy("s", get_signal=deadly)

    async def elsewhere() -> tuple[bk.WalkerStatistics, Any]:
        with await bk.Walker.pool(2, register_deadly, symbol="BTC", walker_name="space") as pool:
            walk = bk.Walker.run("BTC", walker_name="space", pool=pool)
            return await walk.result(), walk.failed

    there, failed = asyncio.run(elsewhere())
    good = [r for r in there.strategy_results if r.params["how"] == {}]
    assert [r.metric_value for r in good] == [r.metric_value for r in whole.strategy_results]
    assert len(there.strategy_results) + len(failed) == 4
    assert len(failed) == (2 if always else 0)
    for _, error in failed:
        assert isinstance(error, bk.RunError) and "it ended its process, twice" in str(error)


def test_a_stopped_walk_drops_what_waits() -> None:
    async def elsewhere() -> bk.WalkerStatistics:
        with await bk.Walker.pool(2, register, symbol="BTC", walker_name="space") as pool:
            walk = bk.Walker.run("BTC", walker_name="space", pool=pool)
            async for _ in walk:
                walk.stop()
            return walk.statistics()

    assert len(asyncio.run(elsewhere()).strategy_results) == 1


class Queue:
    """A transport of one slot whose jobs end when they are told to."""

    def __init__(self) -> None:
        self.jobs: dict[str, asyncio.Future[bytes]] = {}

    async def slots(self) -> int:
        return 1

    async def lend(self, candles: bk.Candles, market: Market) -> object:
        raise AssertionError("nothing is lent")

    def submit(self, worker: Any, *job: Any) -> asyncio.Future[bytes]:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.jobs[job[-1].label] = future
        return future

    def end(self, label: str) -> None:
        self.jobs[label].set_result(pack_answer(walk_logic.Tested(Candidate("", "", {}))))

    def close(self) -> None: ...


def test_candidates_go_on_while_the_first_one_takes_its_time_and_come_in_order() -> None:
    queue, candidates = Queue(), [Candidate(f"{i}", "s", {}) for i in range(40)]
    walk = walk_logic.Walk(bk.list_walker_schema()[0], "BTC", None, FixedSource(candidates))
    came: list[str] = []

    async def main() -> None:
        tests = RemoteTester(queue, register, {}, backtest_candidate).test(walk, candidates)

        async def take() -> None:
            async for tested in tests:
                assert tested.error is None
                came.append(tested.candidate.label)

        taking = asyncio.create_task(take())
        for label in (f"{i}" for i in range(1, HELD_PER_SLOT)):
            for _ in range(10):
                await asyncio.sleep(0)
            assert len(queue.jobs) - int(label) <= 2  # the first one and this one, no more at once
            queue.end(label)
        for _ in range(10):
            await asyncio.sleep(0)
        assert came == [] and len(queue.jobs) == HELD_PER_SLOT
        queue.end("0")
        while not taking.done():
            for label, future in list(queue.jobs.items()):
                if not future.done():
                    queue.end(label)
            await asyncio.sleep(0)
        await taking

    asyncio.run(main())
    assert came == [candidate.label for candidate in candidates]


def test_errors_travel_with_their_causes() -> None:
    class OddError(Exception):
        """Of a class that no other process can import."""

    try:
        try:
            try:
                raise OddError("1 and 2")
            except OddError as error:
                raise ValueError("in between") from error
        except ValueError:
            raise KeyError("outer")  # noqa: B904 - a context is a cause too
    except KeyError as error:
        outer = unpack_error(pack_error(error))
    assert repr(outer) == "KeyError('outer')" and repr(outer.__cause__) == "ValueError('in between')"
    odd = outer.__cause__.__cause__ if outer.__cause__ else None
    assert isinstance(odd, bk.RunError) and str(odd) == "OddError: 1 and 2"
    assert "test_errors_travel" in outer.__notes__[0]
    named = unpack_error(pack_error(NotRegisteredError("strategy", "x", ["y"])))
    assert "strategy 'x' is not registered" in str(named)
    alone = unpack_error(pack_error(ValueError("never raised")))
    assert not hasattr(alone, "__notes__") and alone.__cause__ is None
