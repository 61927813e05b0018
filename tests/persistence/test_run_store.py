"""The run store: what is kept, found, deleted and counted, and that nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backtestkit.errors import StoreError, UsageError
from backtestkit.model.run_record import RunRecord, differences
from backtestkit.persistence.run_store import VERSION, RunStore

RECORD = RunRecord(
    id="one",
    kept_at=1_750_000_000_000,
    outcome="ready",
    symbol="BTCUSDT",
    strategy_name="s",
    exchange_name="x",
    frame_name="f",
    frame={"interval": "1m", "start_date": "2025-06-01T00:00:00+00:00", "end_date": "2025-06-02T00:00:00+00:00"},
    policy={"name": "conservative"},
    params={"fast": 3},
    config={"percent_fee": 0.1, "max_signal_lifetime_minutes": "inf"},
    data_hash="d" * 64,
    code_hash="c" * 64,
    versions={"backtestkit": "0.1.0"},
    fingerprint="f" * 64,
    trades=2,
    statistics={"sharpe_ratio": 0.1, "total_pnl": 1 / 3, "trend": None},
    summary={"policy": "conservative", "fee_paid": 0.1},
    seconds=0.25,
    first_time=1,
    last_time=2,
    origin={"files": ["strategy.py"]},
)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "folder" / "runs.db")


def test_a_run_comes_back_as_it_was_given_with_a_number(store: RunStore) -> None:
    first = store.add(RECORD, b"[1,2]")
    second = store.add(replace(RECORD, id="two", outcome="failed", error="E: no", error_count=3), b"[]")
    assert (first, second) == (1, 2)
    assert store.get(1) == store.get("1") == store.get("one") == replace(RECORD, number=1)
    assert store.get("two") == replace(RECORD, id="two", outcome="failed", error="E: no", error_count=3, number=2)
    assert (store.closed(1), store.closed(2)) == (b"[1,2]", b"[]")


def test_looking_makes_no_file(store: RunStore) -> None:
    assert store.find() == []
    assert store.trials("BTCUSDT").runs == 0
    assert store.last_walk("plan") is None
    with pytest.raises(UsageError, match=r"there is no run 1 in .*runs\.db\. It has none\."):
        store.get(1)
    assert not store.path.exists()
    assert not store.path.parent.exists()


def test_an_empty_file_is_a_store_without_runs(store: RunStore) -> None:
    store.path.parent.mkdir()
    store.path.touch()
    assert store.find() == []
    assert store.add(RECORD, b"[]") == 1
    assert len(store.find()) == 1


def test_the_newest_are_found_oldest_first(store: RunStore) -> None:
    for number in range(5):
        store.add(
            replace(RECORD, id=str(number), symbol="BTC" if number % 2 else "ETH", walk="w" * (number > 2)), b"[]"
        )
    assert [record.number for record in store.find(limit=3)] == [3, 4, 5]
    assert [record.number for record in store.find(symbol="BTC")] == [2, 4]
    assert [record.number for record in store.find(symbol="BTC", walk="w")] == [4]
    assert [record.number for record in store.find(strategy_name="other")] == []


def test_an_unknown_run_is_told_with_what_there_is(store: RunStore) -> None:
    store.add(RECORD, b"[]")
    with pytest.raises(UsageError, match=r"there is no run 7 in .* It has runs 1 to 1"):
        store.get(7)
    with pytest.raises(UsageError, match="there is no run nobody in"):
        store.get("nobody")


def test_a_deleted_run_is_gone_but_was_tried(store: RunStore) -> None:
    store.add(RECORD, b"[1]" * 1000)
    store.add(replace(RECORD, id="two", params={"fast": 4}, statistics={"sharpe_ratio": 0.3}), b"[]")
    assert store.forget([1, 1, 99], now=5) == 1
    assert store.forget([1], now=6) == 0
    assert [record.number for record in store.find()] == [2]
    with pytest.raises(UsageError, match="run 1 was deleted from"):
        store.get(1)
    with pytest.raises(UsageError, match="run one was deleted from"):
        store.get("one")
    with pytest.raises(UsageError, match="the trades of run 1 are not in"):
        store.closed(1)
    trials = store.trials("BTCUSDT")
    assert (trials.runs, trials.configurations, trials.sharpe_ratios) == (2, 2, (0.1, 0.3))


def test_a_configuration_counts_once_for_the_same_data(store: RunStore) -> None:
    for changes in (
        {},
        {"frame_name": "called otherwise"},
        {"data_hash": "e" * 64},
        {"params": {"fast": 9}},
        {"code_hash": "9" * 64},
        {"config": {"percent_fee": 0.2}},
        {"strategy_name": "other"},
        {"symbol": "ETHUSDT"},
    ):
        store.add(replace(RECORD, **changes), b"[]")
    assert store.trials("BTCUSDT").runs == 7
    assert store.trials("BTCUSDT").configurations == 6
    assert store.trials("BTCUSDT", "s").configurations == 5
    assert store.trials("ETHUSDT").configurations == 1


def test_a_run_that_never_had_its_data_is_no_trial(store: RunStore) -> None:
    store.add(replace(RECORD, outcome="failed", data_hash="", statistics={}), b"[]")
    trials = store.trials("BTCUSDT")
    assert (trials.runs, trials.failed, trials.configurations, trials.sharpe_ratios) == (1, 1, 0, ())


def test_points_of_a_sweep_count_once_for_the_same_grid_and_ideas(store: RunStore) -> None:
    for id, configuration, points in (("a", "one", 100), ("b", "one", 100), ("c", "two", 50)):
        store.note_sweep(id, "BTCUSDT", "grid", configuration, points, 1)
    store.note_sweep("d", "ETHUSDT", "grid", "one", 7, 1)
    assert (store.trials("BTCUSDT").swept, store.trials("ETHUSDT").swept) == (150, 7)
    assert store.trials("BTCUSDT", "s").swept == 0
    assert store.trials("BTCUSDT").runs == 0


def test_a_walk_is_found_by_its_plan(store: RunStore) -> None:
    store.begin_walk("a", "plan", 1)
    store.begin_walk("b", "plan", 2)
    store.begin_walk("c", "another", 3)
    store.finish_walk("b", 4)
    assert store.last_walk("plan") == ("b", 2, 4)
    assert store.last_walk("another") == ("c", 3, None)


def test_a_store_of_a_later_version_is_refused_and_left_alone(store: RunStore) -> None:
    store.add(RECORD, b"[]")
    with sqlite3.connect(store.path) as database:
        database.execute(f"pragma user_version = {VERSION + 1}")
    database.close()
    before = store.path.read_bytes()
    for use in (store.find, lambda: store.add(RECORD, b"[]")):
        with pytest.raises(
            StoreError, match=f"was written by a newer backtestkit \\(tables {VERSION + 1}, here {VERSION}"
        ):
            use()
    assert store.path.read_bytes() == before


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like something" * 40)
    with pytest.raises(StoreError, match=r"the run store .*notes\.txt could not be read: file is not a database"):
        RunStore(path).find()
    with pytest.raises(StoreError, match=r"notes\.txt could not be written"):
        RunStore(path).add(RECORD, b"[]")
    assert path.read_text().startswith("not a database")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"the run store .*runs\.db could not be written: "):
        RunStore(tmp_path / "file" / "runs.db").add(RECORD, b"[]")


def test_an_error_inside_a_transaction_leaves_the_store_as_it_was(store: RunStore) -> None:
    store.add(RECORD, b"[]")
    with pytest.raises(StoreError, match="could not be written"), store._writing() as database:
        database.execute("update runs set trades = 77")
        database.execute("insert into nowhere values (1)")
    assert store.get(1).trades == 2


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = {path!r}
from test_run_store import RECORD, RunStore

store = RunStore(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    print(store.add(replace(RECORD, id=f"{{sys.argv[3]}}-{{number}}"), b"[]" * 5000), flush=True)
"""


def writer(path: Path, count: int, name: str) -> subprocess.Popen[str]:
    places = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    code = WRITER.format(path=places)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(count), name], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_write_at_once_lose_nothing(store: RunStore) -> None:
    writers = [writer(store.path, 40, name) for name in "ab"]
    numbers = [int(line) for process in writers for line in process.communicate(timeout=60)[0].split()]
    assert sorted(numbers) == list(range(1, 81))
    assert {record.id for record in store.find()} == {f"{name}-{n}" for name in "ab" for n in range(40)}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_what_was_acknowledged_survives_a_kill(store: RunStore) -> None:
    with writer(store.path, 100_000, "k") as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(25)]
        os.kill(process.pid, signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    kept = [record.number for record in store.find()]
    assert kept[: len(told)] == told
    assert len(kept) - len(told) <= 1  # the one that was being told
    assert store.add(RECORD, b"[]") == kept[-1] + 1


def test_differences_name_what_was_chosen_otherwise() -> None:
    other = replace(
        RECORD,
        params={"fast": 3, "slow": 9},
        config={**RECORD.config, "percent_fee": 0.0},
        data_hash="e" * 64,
        trades=9,
    )
    found = {difference.name: difference.values for difference in differences((RECORD, other, RECORD))}
    assert found == {
        "params.slow": (None, 9, None),
        "config.percent_fee": (0.1, 0.0, 0.1),
        "data_hash": ("d" * 64, "e" * 64, "d" * 64),
    }
    assert differences((RECORD, replace(RECORD, number=4, id="another"))) == ()


def test_a_transaction_ends_on_the_disk(store: RunStore) -> None:
    with store._writing() as database:
        (level,) = database.execute("pragma synchronous").fetchone()
        (journal,) = database.execute("pragma journal_mode").fetchone()
    # With `extra` the folder is synced too, so that the journal, whose removal is the commit, does not come back.
    assert (level, journal) == (3, "delete")


def test_the_space_of_deleted_runs_is_given_back(store: RunStore) -> None:
    for number in range(20):
        store.add(replace(RECORD, id=str(number)), os.urandom(50_000))
    full = store.path.stat().st_size
    assert store.forget(range(1, 20), now=5) == 19
    assert store.path.stat().st_size < full / 5
    assert store.closed(20)


def test_runs_of_a_walk_and_of_a_time_are_numbered(store: RunStore) -> None:
    for number, walk in enumerate(["", "w", "w", "v"]):
        store.add(replace(RECORD, id=str(number), walk=walk, kept_at=1000 + number), b"[]")
    store.forget([2], now=5)
    assert store.numbers(walk="w") == [3]
    assert store.numbers(before=1002) == [1]
    assert store.numbers(walk="v", before=1003) == []
    assert store.numbers() == [1, 3, 4]
