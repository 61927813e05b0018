"""Walks of which optuna chooses the points: repeatable, the same in any number of processes, and pruned where asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.services.logic import walk as walks_logic
from backtestkit.services.logic.walk_sources import source_of
from walks.setup import register

optuna = pytest.importorskip("optuna", reason="the extra optimize is not installed")
BOTH = {"total_pnl": "maximise", "max_drawdown": "minimise"}


@pytest.fixture(autouse=True)
def kit() -> Iterator[None]:
    with bk.Kit():
        register()
        yield


def came_to(walk: bk.WalkerStatistics) -> Any:
    """Everything that a walk decided."""
    tested = [(r.strategy_name, r.metric_values) for r in walk.strategy_results]
    return tested, walk.pruned, walk.front, walk.best_strategy


def run(**changes: Any) -> bk.WalkerStatistics:
    bk.override_walker("mixed", **changes)
    return bk.Walker.run("BTC", walker_name="mixed").wait()


@pytest.mark.parametrize(
    "changes",
    [
        {"sampler": "tpe"},
        {"sampler": "random", "batch": 5},
        {"sampler": "nsga2", "metrics": BOTH},
        {"sampler": "tpe", "metrics": BOTH, "batch": 3},
        {"pruner": True},
        {"pruner": "successive_halving", "batch": 2},
        {"pruner": "hyperband"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values()))[:30],
)
def test_a_seed_makes_the_same_walk(changes: dict[str, Any]) -> None:
    first = run(seed=4, **changes)
    assert came_to(first) == came_to(run())
    assert len(first.strategy_results) + len(first.pruned) == first.total_strategies == 12
    assert came_to(first) != came_to(run(seed=5))


def test_points_lie_in_their_ranges_and_each_is_tested_once() -> None:
    results = run().strategy_results
    assert len({result.strategy_name for result in results}) == 12
    for result in results:
        fast, stop, label = result.params["fast"], result.params["stop"], result.params["label"]
        assert isinstance(fast, int) and 2 <= fast <= 12
        assert isinstance(stop, float) and 0.6 <= stop <= 2.0
        assert label in ("x", "y")


def test_ranges_in_steps_give_the_values_that_are_written() -> None:
    space = {"fast": bk.IntRange(2, 9, step=3), "stop": bk.FloatRange(0.6, 1.25, step=0.2)}
    results = run(space=space, samples=8).strategy_results
    assert {result.params["fast"] for result in results} <= {2, 5, 8}
    assert {result.params["stop"] for result in results} <= {0.6, 0.8, 1.0, 1.2}


def test_what_is_learned_is_used() -> None:
    source = source_of(bk.override_walker("mixed", samples=60, space={"x": bk.FloatRange(0, 100)}))
    seen = []
    while batch := source.propose():
        (candidate,) = batch
        seen.append(candidate.params["x"])
        source.tell(walks_logic.Tested(candidate), [-abs(candidate.params["x"] - 70)])
    late = [abs(x - 70) for x in seen[30:]]
    # Points drawn evenly are 29 away from the best one, on average.
    assert sum(late) / len(late) < 15


def test_a_batch_is_chosen_before_any_of_it_is_known() -> None:
    source = source_of(bk.override_walker("mixed", batch=4, samples=10))
    sizes = []
    while batch := source.propose():
        sizes.append(len(batch))
        for candidate in batch:
            source.tell(walks_logic.Tested(candidate), [1.0])
    assert sizes == [4, 4, 2]


def test_an_outcome_that_is_told_again_leads_to_the_same_proposals() -> None:
    schema = bk.override_walker("mixed", batch=3, samples=12, pruner=True)
    outcomes: dict[str, tuple[walks_logic.Tested, list[float | None]]] = {}
    first: list[str] = []
    source = source_of(schema)
    while batch := source.propose():
        for number, candidate in enumerate(batch):
            first.append(candidate.label)
            value = float(candidate.params["fast"])
            tested = walks_logic.Tested(candidate, checkpoints=(value, None, value), pruned=number == 2)
            if number == 1:
                tested = walks_logic.Tested(candidate, error=ValueError("no"))
            outcomes[candidate.label] = tested, [value if number == 0 else None]
            source.tell(*outcomes[candidate.label])
    again, replayed = source_of(schema), []
    while batch := again.propose():
        for candidate in batch:
            replayed.append(candidate.label)
            again.tell(*outcomes[candidate.label])
    assert replayed == first and len(first) == 12


def test_a_point_that_is_proposed_again_is_not_tested_again_and_the_search_ends() -> None:
    from walks.judges import Same

    for batch in (1, 3):
        walk = bk.Walker.run("BTC", walker_name=bk.override_walker("mixed", sampler=Same(), batch=batch).name)
        statistics = walk.wait()
        assert [r.params for r in statistics.strategy_results] == [{"fast": 2, "stop": 0.6, "label": "x"}]
        assert walk.progress == 1.0 and statistics.total_strategies == 1 and walk.eta_seconds == 0.0


def test_there_are_no_more_samples_than_points() -> None:
    statistics = run(space={"fast": [2, 4], "stop": [1.0]}, samples=50, sampler="random")
    assert sorted(r.params["fast"] for r in statistics.strategy_results) == [2, 4]


def test_a_candidate_is_given_up_at_a_checkpoint_counted_and_not_ranked() -> None:
    from walks.judges import GiveUpAt

    told: list[Any] = []
    callbacks = {"on_strategy_pruned": lambda name, symbol, value: told.append((name, symbol, value))}
    bk.override_walker("mixed", pruner=GiveUpAt(3), checkpoints=7, samples=3, callbacks=callbacks)
    progress: list[float] = []
    bk.listen_walker_progress(lambda event: progress.append(event.progress))
    walk = bk.Walker.run("BTC", walker_name="mixed")
    statistics = walk.wait()
    assert statistics.strategy_results == () and statistics.best_strategy is None
    assert [pruned.checkpoint for pruned in statistics.pruned] == [3, 3, 3]
    assert told == [(pruned.strategy_name, "BTC", pruned.metric_value) for pruned in statistics.pruned]
    assert list(walk.pruned) == [name for name, _, _ in told] and progress == [1 / 3, 2 / 3, 1.0]
    assert "**Strategies Pruned:** 3" in bk.Walker.get_report("BTC", walker_name="mixed")


@pytest.mark.parametrize(
    ("metric", "stepping"), [("total_pnl", False), ("total_pnl", True), ("equity.net_profit", False)]
)
def test_the_figure_at_a_checkpoint_is_that_of_the_trades_closed_by_then(metric: str, stepping: bool) -> None:
    from walks.judges import GiveUpAt

    bk.override_walker("mixed", pruner=GiveUpAt(2), checkpoints=4, samples=1, metric=metric)
    (pruned,) = bk.Walker.run("BTC", walker_name="mixed", stepping=stepping).wait().pruned
    alone = bk.Backtest.run(
        "BTC", strategy_name="s", exchange_name="market", frame_name="week", params=pruned.params
    ).wait()
    first, last = alone.summary.first_time, alone.summary.last_time
    assert first is not None and last is not None
    closed = list(takewhile(lambda trade: trade.close_timestamp <= first + (last - first) // 2, alone.closed))
    assert 0 < len(closed) < len(alone.closed)
    figure = [trade.pnl.pnl_percentage if metric == "total_pnl" else trade.pnl.pnl_cost for trade in closed]
    assert pruned.metric_value == pytest.approx(sum(figure))


def test_the_median_gives_up_what_falls_behind_and_keeps_the_best() -> None:
    whole = run(samples=25, seed=1)
    pruned = run(pruner="median")
    assert pruned.pruned and len(pruned.pruned) + len(pruned.strategy_results) == 25
    assert whole.pruned == ()


def test_processes_make_the_same_walk() -> None:
    from walks.judges import GiveUpAt

    async def elsewhere() -> None:
        with await bk.Walker.pool(2, register, symbol="BTC", walker_name="mixed") as pool:
            for pruner in (GiveUpAt(4), "median"):
                bk.override_walker("mixed", pruner=pruner, batch=3, samples=9)
                here = await bk.Walker.run("BTC", walker_name="mixed")
                there = await bk.Walker.run("BTC", walker_name="mixed", pool=pool)
                assert came_to(here) == came_to(there)

    asyncio.run(elsewhere())


def test_a_strategy_that_fails_is_told_as_a_failure_and_the_walk_goes_on() -> None:
    bk.override_walker("mixed", strategies=["broken"], samples=3)
    statistics = bk.Walker.run("BTC", walker_name="mixed").wait()
    assert len(statistics.failed) == 3 and statistics.total_strategies == 3


def test_a_strategy_without_a_figure_has_no_rank_and_the_walk_goes_on() -> None:
    statistics = run(metric="trades_per_year", samples=4)  # a week is too short for it
    assert [r.metric_value for r in statistics.strategy_results] == [None] * 4
    assert statistics.best_strategy is None


def test_cma_es_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"fast": bk.IntRange(2, 12), "stop": bk.FloatRange(0.6, 2.0)}
    pytest.importorskip("cmaes", reason="cmaes is not installed")
    assert len(run(sampler="cma_es", space=space).strategy_results) == 12
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(bk.UsageError, match=r"needs the package cmaes.*backtestkit\[optimize\]"):
        bk.Walker.run("BTC", walker_name="mixed")


def test_without_optuna_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(bk.UsageError, match=r'pip install "backtestkit\[optimize\]"'):
        bk.Walker.run("BTC", walker_name="mixed")


def test_what_optuna_logs_for_others_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    run(samples=2)
    assert optuna.logging.get_verbosity() == before
    assert "study" not in capsys.readouterr().err


def test_options_of_optuna_are_checked() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"sampler": "tp"}, "a sampler of optuna"),
        ({"pruner": 7}, "a pruner of optuna"),
        ({"pruner": "median", "metrics": BOTH}, "compares one figure"),
        ({"method": "random", "pruner": "median"}, "pruner='median' needs method='optuna'"),
        ({"method": "random", "batch": 2}, "batch=2 needs method='optuna'"),
        ({"space": None}, "needs a space"),
        ({"checkpoints": 1}, "checkpoints=1"),
    ]
    for changes, complaint in wrong:
        with pytest.raises(bk.SchemaError, match=complaint):
            bk.override_walker("mixed", **changes)
    assert bk.override_walker("mixed", pruner=False).pruner is None
