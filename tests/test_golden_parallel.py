"""The recorded parallel runs over shared risk profiles.

Their recorded outcome depends on how the recording system scheduled its tasks, so the records do not say what must come
out. What must hold: one order of time, limits that are kept, and the same outcome whoever is started first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from golden_runner import records, scenario

GOLDEN = Path(__file__).resolve().parents[1].parent / "shared" / "golden" / "multi.jsonl.gz"

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="the recorded scenarios are not beside this checkout")


def parallel() -> Iterator[Any]:
    """The records of parallel runs that share a risk profile."""
    if GOLDEN.exists():
        for record in records.read(GOLDEN):
            if record.get("run_mode") == "parallel" and record.get("risks"):
                yield pytest.param(record, id=record["id"])


def positions(events: list[dict[str, Any]]) -> Iterator[dict[str, int]]:
    """How many positions each symbol has after each change."""
    open_now: dict[str, int] = defaultdict(int)
    for event in events:
        if event["type"] == "signal_event":
            open_now[event["symbol"]] += 1 if event["action"] == "opened" else -1
            yield open_now


@pytest.mark.parametrize("record", list(parallel()))
def test_parallel_runs_keep_one_time_and_their_limits_in_every_order(record: dict[str, Any]) -> None:
    (risk,) = record["risks"]
    first = scenario.play_parallel(record, range(len(record["runs"])), stepping=False)
    times = [event["timestamp"] for event in first if "timestamp" in event]  # errors of signals have none
    assert times == sorted(times)
    per_symbol = risk["kind"] == "max_positions_symbol"
    for now in positions(first):
        assert (max(now.values()) if per_symbol else sum(now.values())) <= risk["value"]
    for order in permutations(range(len(record["runs"]))):
        for stepping in (False, True):
            assert scenario.play_parallel(record, order, stepping=stepping) == first
