"""Walks: what is tried, what is compared, what happens to what fails, and walks over several processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

import backtestkit as bk
from backtestkit.api.walker_worker import backtest_candidate
from backtestkit.services.logic.walk import Candidate, Conditions
from backtestkit.services.logic.walker_errors import unpack_error
from backtestkit.services.logic.walker_pool import PoolTransport, _mapped, share
from backtestkit.services.logic.walker_remote import Market, Session, portable
from walks.setup import register


@pytest.fixture(autouse=True)
def kit() -> Iterator[None]:
    with bk.Kit():
        register()
        yield


def test_every_point_of_a_space_is_backtested_once_with_its_own_parameters() -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    labels = [event.result.strategy_name for event in walk]
    assert labels[0] == "s(fast=2, stop=0.6)" and len(set(labels)) == len(labels) == 6
    assert len(set(walk.fingerprints.values())) > 1
    alone = bk.Backtest.run(
        "BTC", strategy_name="s", exchange_name="market", frame_name="week", params={"fast": 4, "stop": 1.2}
    ).wait()
    assert walk.fingerprints["s(fast=4, stop=1.2)"] == alone.fingerprint


def test_the_best_is_the_one_with_the_highest_figure() -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    best: list[float] = []
    for event in walk:
        assert event.best_metric is not None
        best.append(event.best_metric)
    assert best == sorted(best)
    came_to = walk.statistics()
    values = [result.metric_value for result in came_to.strategy_results if result.metric_value is not None]
    assert came_to.best_metric == max(values) == best[-1]
    assert walk.progress == 1.0 and walk.eta_seconds == 0.0 and not walk.running


def test_less_can_be_better() -> None:
    bk.override_walker("space", metric="max_drawdown", direction="minimise")
    came_to = bk.Walker.run("BTC", walker_name="space").wait()
    assert came_to.best_metric == min(r.metric_value or 0.0 for r in came_to.strategy_results)


def test_a_strategy_that_fails_is_counted_and_shown_and_the_walk_goes_on() -> None:
    heard: list[str] = []
    calls: list[Any] = []
    bk.override_walker(
        "two",
        callbacks={
            "on_strategy_start": lambda name, symbol: calls.append(("start", name)),
            "on_strategy_error": lambda name, symbol, error: calls.append(("error", name)),
            "on_strategy_complete": lambda name, symbol, stats, metric: calls.append(("complete", name)),
            "on_complete": lambda results: calls.append(("end", results.best_strategy)),
        },
    )
    bk.listen_error(lambda event: heard.append(event.source))
    progress: list[float] = []
    bk.listen_walker_progress(lambda event: progress.append(event.progress))
    complete: list[Any] = []
    bk.listen_walker_complete(complete.append)
    walk = bk.Walker.run("BTC", walker_name="two")
    came_to = walk.wait()
    assert [(name, type(error)) for name, error in walk.failed] == [("broken", bk.RunError)]
    assert came_to.total_strategies == 2 and [r.strategy_name for r in came_to.strategy_results] == ["s"]
    assert calls == [("start", "broken"), ("error", "broken"), ("start", "s"), ("complete", "s"), ("end", "s")]
    assert "backtest of 'broken' in a walk" in heard
    assert progress == [0.5, 1.0]
    assert [event.results.best_strategy for event in complete] == ["s"]


def test_a_failing_callback_harms_nothing() -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    bk.override_walker("two", callbacks={"on_complete": fail})
    heard: list[str] = []
    bk.listen_error(lambda event: heard.append(event.source))
    assert bk.Walker.run("BTC", walker_name="two").wait().best_strategy == "s"
    assert "a callback of a walker" in heard


def test_a_stop_ends_the_walk_before_its_next_strategy() -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    for event in walk:
        if event.strategies_tested == 2:
            bk.Walker.stop("BTC", walker_name="space")
    assert len(walk.statistics().strategy_results) == 2 and walk.progress == pytest.approx(2 / 6)


def test_a_walk_has_data_and_a_report_and_is_listed(tmp_path: Path) -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    came_to = walk.wait()
    assert bk.Walker.list() == [walk]
    assert bk.Walker.get_data("BTC", walker_name="space") == came_to
    report = bk.Walker.get_report("BTC", walker_name="space")
    assert f"Best Strategy: {came_to.best_strategy}" in report
    file = asyncio.run(bk.Walker.dump("BTC", walker_name="space", path=tmp_path))
    assert file is not None and file.read_text(encoding="utf-8") == report


def test_a_walk_in_the_background_raises_the_done_event_once() -> None:
    done: list[Any] = []
    bk.listen_done_walker(done.append)

    async def main() -> bk.WalkerStatistics:
        return await bk.Walker.background("BTC", walker_name="two")

    assert asyncio.run(main()).best_strategy == "s"
    assert len(done) == 1
    with pytest.raises(bk.UsageError, match="needs a running event loop"):
        bk.Walker.background("BTC", walker_name="two")


def test_an_unknown_walker_suggests_the_near_ones() -> None:
    with pytest.raises(bk.NotRegisteredError, match="space"):
        bk.Walker.run("BTC", walker_name="spce")


@pytest.mark.parametrize("method", ["random", "latin_hypercube"])
def test_some_points_of_a_space(method: Literal["random", "latin_hypercube"]) -> None:
    bk.override_walker("space", method=method, samples=3, seed=5)
    assert len(bk.Walker.run("BTC", walker_name="space").wait().strategy_results) == 3


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
            assert [name for name, _ in broken.failed] == ["broken"]

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
    for number, setup in enumerate((register, file, [file])):
        session = Session(f"{number}", portable(setup), bk.get_config().as_dict())
        for _ in range(2):
            tested, error = backtest_candidate(session, [], conditions, candidate)
            assert error is None and tested.candidate == candidate
            assert tested.closed and tested.fingerprint == alone.fingerprint
            assert tested.counters.get_signal_calls


def test_a_worker_that_cannot_be_set_up_says_why(tmp_path: Path) -> None:
    file = tmp_path / "broken_setup.py"
    file.write_text("raise KeyError('gone')\n", encoding="utf-8")
    session = Session("broken", portable(file), bk.get_config().as_dict())
    conditions = Conditions("BTC", "market", "week", None, False, {"total_pnl": "maximise"}, 10)
    _, packed = backtest_candidate(session, [], conditions, Candidate("s", "s", {}))
    assert packed is not None
    error = unpack_error(packed)
    assert isinstance(error, KeyError) and "broken_setup.py" in error.__notes__[0]


def test_a_space_must_have_values(kit: None) -> None:
    wrong: list[tuple[Any, str]] = [
        ({}, "at least one parameter"),
        ({"fast": []}, "at least one value for 'fast'"),
        ({"fast": "12"}, "a list of values, an IntRange or a FloatRange for 'fast'"),
        (7, "space"),
    ]
    for space, complaint in wrong:
        with pytest.raises(bk.SchemaError, match=complaint):
            bk.override_walker("space", space=space)
    with pytest.raises(bk.SchemaError, match="exactly one strategy"):
        bk.override_walker("two", space={"fast": [1]})
