"""Walks in the run store: each candidate is kept when it was tested, and an interrupted walk goes on from there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.errors import DataError, UsageError
from backtestkit.kit import Kit
from backtestkit.services.logic import walk_ledger
from backtestkit.services.logic.walk import Candidate
from walks import setup

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with Kit({"keep_runs": True, "runs_path": str(tmp_path / "runs.db")}) as kit:
        setup.register()
        yield kit


def fresh(kit: Kit) -> Kit:
    """What another process has: the same file, and everything registered anew."""
    other = Kit({"keep_runs": True, "runs_path": kit.config.runs_path})
    with other:
        setup.register()
    return other


def begun(walker_name: str, count: int) -> bk.WalkerRun:
    """A walk that was left after `count` candidates that went through."""
    walk = bk.Walker.run("BTC", walker_name=walker_name)
    for number, _ in enumerate(walk, 1):
        if number == count:
            break
    return walk


def told(walk: bk.WalkerRun) -> list[tuple[str, Any]]:
    """What makes two walks the same: each candidate with its figures and fingerprint."""
    return [
        (result.strategy_name, replace(result, stats=replace(result.stats, signal_list=())))
        for result in walk.statistics().strategy_results
    ] + sorted(walk.fingerprints.items())


def uninterrupted(walker_name: str) -> list[tuple[str, Any]]:
    with Kit():
        setup.register()
        walk = bk.Walker.run("BTC", walker_name=walker_name)
        walk.wait()
        return told(walk)


def test_every_candidate_is_kept_under_the_id_of_its_walk(kit: Kit) -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    walk.wait()
    records = bk.Runs.list(walk=walk.id)
    assert [record.label for record in records] == [r.strategy_name for r in walk.statistics().strategy_results[::-1]]
    assert {record.label: record.fingerprint for record in records} == walk.fingerprints
    assert {record.outcome for record in records} == {"ready"}
    assert dict(records[0].params) == {"fast": 2, "stop": 0.6}
    assert records[0].origin["files"] == [str(Path(setup.__file__))]
    assert bk.Runs.trials("BTC").configurations == 6


def test_a_candidate_of_a_walk_can_be_done_again_as_a_run(kit: Kit) -> None:
    bk.Walker.run("BTC", walker_name="space").wait()
    replay = asyncio.run(bk.Runs.replay(4))
    assert replay.same
    assert replay.changes == ()


def test_a_walk_that_was_left_goes_on_where_it_stood(kit: Kit) -> None:
    first = begun("space", 2)
    with fresh(kit) as other:
        walk = bk.Walker.run("BTC", walker_name="space", resume=True)
        walk.wait()
        assert walk.id == first.id
        assert told(walk) == uninterrupted("space")
        assert len(bk.Runs.list(walk=walk.id)) == 6
        again = bk.Walker.run("BTC", walker_name="space", resume=True)
        assert again.id != walk.id
        assert other.container.run_keeper().store.last_walk("nothing") is None


def test_what_is_known_is_not_tested_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    begun("space", 4)
    asked: list[Candidate] = []
    recalling = walk_ledger.RecallingTester

    class Watched:
        def __init__(self, tester: Any) -> None:
            self._tester = tester

        def test(self, walk: Any, candidates: Any) -> Any:
            asked.extend(candidates)
            return self._tester.test(walk, candidates)

    monkeypatch.setattr(walk_ledger, "RecallingTester", lambda tester, known: recalling(Watched(tester), known))
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    events = list(walk)
    assert [candidate.label for candidate in asked] == ["s(fast=8, stop=0.6)", "s(fast=8, stop=1.2)"]
    assert len(events) == 6
    assert walk.statistics().total_strategies == 6


def test_the_time_left_counts_what_this_walk_has_tested(kit: Kit) -> None:
    begun("space", 4)
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    etas = [walk.eta_seconds for _ in walk]
    assert etas[:4] == [None] * 4
    assert etas[4] is not None and etas[4] > 0
    assert etas[5] == 0


def test_without_resume_a_walk_begins_anew(kit: Kit) -> None:
    first = begun("space", 2)
    walk = bk.Walker.run("BTC", walker_name="space")
    walk.wait()
    assert walk.id != first.id
    assert len(bk.Runs.list(walk=walk.id)) == 6


def test_a_walk_that_was_stopped_goes_on_too(kit: Kit) -> None:
    first = bk.Walker.run("BTC", walker_name="space")
    for event in first:
        if event.strategies_tested == 3:
            first.stop()
    assert first.statistics().best_strategy is not None
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    walk.wait()
    assert walk.id == first.id
    assert told(walk) == uninterrupted("space")


def test_what_failed_is_tried_again(kit: Kit) -> None:
    first = begun("two", 1)
    assert [name for name, _ in first.failed] == ["broken"]
    assert bk.Runs.list(walk=first.id)[0].outcome == "failed"
    walk = bk.Walker.run("BTC", walker_name="two", resume=True)
    walk.wait()
    assert [name for name, _ in walk.failed] == ["broken"]
    assert [record.label for record in bk.Runs.list(walk=walk.id)] == ["broken", "s", "broken"]


@pytest.mark.parametrize(
    "change",
    [
        lambda: bk.override_walker("space", space={"fast": [2, 4], "stop": [0.6]}),
        lambda: bk.override_strategy("s", params={"fast": 3}),
        lambda: bk.set_config(percent_fee=0.05),
        lambda: bk.add_frame(frame_name="week", start_date="2025-06-02", end_date="2025-06-08", replace=True),
    ],
    ids=["space", "strategy", "config", "frame"],
)
def test_another_walk_does_not_go_on_with_this_one(kit: Kit, change: Any) -> None:
    first = begun("space", 2)
    change()
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    walk.wait()
    assert walk.id != first.id


def test_notes_and_callbacks_do_not_make_another_walk(kit: Kit) -> None:
    first = begun("space", 2)
    bk.override_walker("space", note="later", callbacks={"on_complete": print})
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    next(iter(walk))
    assert walk.id == first.id


def test_a_walk_over_changed_candles_is_refused(kit: Kit) -> None:
    begun("space", 2)
    bk.add_exchange(bk.SyntheticExchange("market", seed=4), replace=True)
    with pytest.raises(DataError, match="the candles of BTC have changed since this walk was interrupted"):
        bk.Walker.run("BTC", walker_name="space", resume=True).wait()


@pytest.mark.parametrize("options", [{}, {"pruner": "median", "batch": 3, "samples": 14}], ids=["alone", "in batches"])
def test_proposals_that_learn_go_on_as_if_nothing_had_happened(kit: Kit, options: dict[str, Any]) -> None:
    pytest.importorskip("optuna")
    bk.override_walker("mixed", **options)
    begun("mixed", 5)
    with fresh(kit):
        bk.override_walker("mixed", **options)
        walk = bk.Walker.run("BTC", walker_name="mixed", resume=True)
        walk.wait()
    with Kit():
        setup.register()
        bk.override_walker("mixed", **options)
        whole = bk.Walker.run("BTC", walker_name="mixed")
        whole.wait()
    assert told(walk) == told(whole)
    assert walk.pruned == whole.pruned


def test_errors_that_strategies_went_on_after_are_known_again(kit: Kit) -> None:
    def odd(symbol: str, when: datetime, price: float) -> None:
        raise ValueError(f"odd {bk.get_params()['fast']}")

    bk.override_strategy("s", get_signal=odd)
    first = begun("space", 2)
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    results = walk.wait().strategy_results
    assert walk.id == first.id
    assert {result.newest_error for result in results} == {f"ValueError: odd {fast}" for fast in (2, 4, 8)}
    assert len({result.error_count for result in results}) == 1 and results[0].error_count > 0


def test_pruned_candidates_are_kept_as_such_and_known_again(kit: Kit) -> None:
    pytest.importorskip("optuna")
    from walks.judges import GiveUpAt

    bk.override_walker("mixed", pruner=GiveUpAt(2), samples=6)
    assert bk.Walker.run("BTC", walker_name="mixed").wait().strategy_results == ()
    records = bk.Runs.list()
    assert {record.outcome for record in records} == {"pruned"}
    assert all(len(record.in_walk["checkpoints"]) == 2 for record in records)
    with kit.container.run_keeper().store._writing() as database:
        database.execute("update walks set finished_at = null")
    walk = bk.Walker.run("BTC", walker_name="mixed", resume=True)
    assert len(walk.wait().pruned) == len(records)
    assert len(bk.Runs.list()) == len(records)


def test_candidates_that_were_tested_elsewhere_are_kept_here(kit: Kit) -> None:
    async def main() -> bk.WalkerRun:
        with await bk.Walker.pool(2, setup.register, symbol="BTC", walker_name="space") as pool:
            walk = bk.Walker.run("BTC", walker_name="space", pool=pool)
            await walk
            return walk

    walk = asyncio.run(main())
    elsewhere = bk.Runs.list(walk=walk.id)
    here = bk.Walker.run("BTC", walker_name="space")
    here.wait()
    assert [(r.label, r.fingerprint, r.data_hash, r.code_hash) for r in elsewhere] == [
        (r.label, r.fingerprint, r.data_hash, r.code_hash) for r in bk.Runs.list(walk=here.id)
    ]


def test_resume_needs_the_store(kit: Kit) -> None:
    bk.set_config(keep_runs=False)
    with pytest.raises(UsageError, match="resume=True needs the run store"):
        bk.Walker.run("BTC", walker_name="space", resume=True)
    walk = bk.Walker.run("BTC", walker_name="space")
    assert walk.id is None
    walk.wait()
    assert bk.Runs.list() == []


def test_a_store_that_cannot_be_written_costs_no_walk_its_result(kit: Kit, tmp_path: Path) -> None:
    bk.set_config(runs_path=str(tmp_path))
    sources: list[str] = []
    bk.listen_error(lambda event: sources.append(event.source))
    assert len(bk.Walker.run("BTC", walker_name="space").wait().strategy_results) == 6
    assert sources == ["beginning a walk", *["keeping a run"] * 6, "finishing a walk"]


WALKING = """
import sys
sys.path[:0] = [{support!r}, {root!r}]
import backtestkit as bk
from walks.setup import register

with bk.Kit({{"keep_runs": True, "runs_path": sys.argv[1]}}):
    register()
    for event in bk.Walker.run("BTC", walker_name="space"):
        print(event.result.strategy_name, flush=True)
        if event.strategies_tested == 3:
            sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_walk_whose_process_was_killed_goes_on(kit: Kit) -> None:
    code = WALKING.format(support=str(ROOT / "tests" / "support"), root=str(ROOT))
    command = [sys.executable, "-c", code, kit.config.runs_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        tested = [process.stdout.readline().strip() for _ in range(3)]
        os.kill(process.pid, signal.SIGKILL)
    assert [record.label for record in bk.Runs.list()] == tested
    walk = bk.Walker.run("BTC", walker_name="space", resume=True)
    walk.wait()
    assert len(bk.Runs.list(walk=walk.id)) == 6
    assert told(walk) == uninterrupted("space")
