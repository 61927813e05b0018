"""Recorded scenarios of the reference implementation: every event, number and counter, in both gears."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from golden_runner import main as golden
from golden_runner import records, scenario

GOLDEN = Path(__file__).resolve().parents[1].parent / "shared" / "golden"
FILES = records.files([GOLDEN]) if GOLDEN.is_dir() else []
absent = pytest.mark.skipif(not FILES, reason="the recorded scenarios (../shared/golden) are not beside this checkout")


@absent
@pytest.mark.parametrize("path", FILES or [GOLDEN], ids=lambda path: path.name.partition(".")[0])
def test_a_file_of_records_is_reproduced(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = golden.main([str(path)])
    shown = capsys.readouterr().out
    assert status == 0, shown
    assert not shown.startswith("0 passed")


def first(topic: str, *wanted: str) -> dict[str, Any]:
    """The first good record of a topic whose events have all `wanted` types."""
    for record in records.read(next(path for path in FILES if path.name.startswith(f"{topic}."))):
        types = {event["type"] for event in record["expected"]["events"]}
        if not record.get("suspect") and types.issuperset(wanted):
            return record
    raise AssertionError(f"{topic} has no record with {wanted}")


@absent
@pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
class TestADifferenceIsFound:
    """A record that is changed on purpose is not reproduced any more."""

    def record(self) -> dict[str, Any]:
        return copy.deepcopy(first("levels", "signal", "partial_profit", "highest_profit"))

    def test_nothing_is_found_in_the_record_itself(self, stepping: bool) -> None:
        assert scenario.first_difference(self.record(), stepping=stepping) is None

    def test_a_wrong_number_anywhere(self, stepping: bool) -> None:
        record = self.record()
        closed = next(e for e in record["expected"]["events"] if e.get("action") == "closed" and e["type"] == "signal")
        closed["signal"]["pnl"]["pnl_percentage"] *= 1 + 1e-8
        found = scenario.first_difference(record, stepping=stepping)
        assert found is not None
        assert "signal.pnl.pnl_percentage: got" in found

    def test_a_time_that_is_one_minute_off(self, stepping: bool) -> None:
        record = self.record()
        record["expected"]["events"][-1]["timestamp"] += 60_000
        found = scenario.first_difference(record, stepping=stepping)
        assert found is not None
        assert "timestamp: got" in found

    def test_a_missing_event(self, stepping: bool) -> None:
        record = self.record()
        del record["expected"]["events"][-1]
        found = scenario.first_difference(record, stepping=stepping)
        assert found is not None
        assert "more:" in found

    def test_an_event_that_never_came(self, stepping: bool) -> None:
        record = self.record()
        record["expected"]["events"].append(record["expected"]["events"][-1])
        found = scenario.first_difference(record, stepping=stepping)
        assert found is not None
        assert "fewer:" in found

    def test_two_events_in_the_wrong_order(self, stepping: bool) -> None:
        record = self.record()
        events = record["expected"]["events"]
        at = next(i for i in range(1, len(events)) if events[i]["type"] != events[i - 1]["type"])
        events[at - 1], events[at] = events[at], events[at - 1]
        assert scenario.first_difference(record, stepping=stepping) is not None

    def test_a_wrong_counter(self, stepping: bool) -> None:
        record = self.record()
        record["expected"]["runs"][0]["active_pings"] += 1
        found = scenario.first_difference(record, stepping=stepping)
        assert found is not None
        assert found.startswith("run 0 active_pings: got")

    def test_a_question_at_another_minute(self, stepping: bool) -> None:
        record = self.record()
        record["expected"]["runs"][0]["get_signal_minutes"][-1][0] += 1
        assert scenario.first_difference(record, stepping=stepping) is not None

    def test_another_input(self, stepping: bool) -> None:
        record = self.record()
        record["config"] = {**record.get("config", {}), "CC_PERCENT_FEE": 0.11}
        assert scenario.first_difference(record, stepping=stepping) is not None


@absent
def test_a_wrong_verdict_on_a_configuration_is_found() -> None:
    path = next(path for path in FILES if path.name.startswith("config_validation"))
    for record in records.read(path):
        assert scenario.first_difference(record, stepping=False) is None
        record["expected"] = {"accepted": True} if not record["expected"]["accepted"] else {
            "accepted": False, "invalid_keys": []
        }  # fmt: skip
        assert scenario.first_difference(record, stepping=False) is not None


@absent
def test_the_command_says_which_record_failed_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = first("levels", "partial_profit")
    record["expected"]["events"] = record["expected"]["events"][:-1]
    (tmp_path / "one.jsonl").write_text(json.dumps(record), encoding="utf-8")
    assert golden.main([str(tmp_path / "one.jsonl")]) == 1
    shown = capsys.readouterr().out
    assert record["id"] in shown
    assert "0 passed, 1 failed" in shown
    assert golden.main(["--id", "nobody", str(tmp_path)]) == 0
