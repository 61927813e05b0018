"""The figures of every recorded set of trades equal those of the reference, where it is not in doubt."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from golden_runner import records, statistics

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
FILE = GOLDEN / "statistics.jsonl.gz"
RECORDS = list(records.read(FILE)) if FILE.exists() else []
pytestmark = pytest.mark.skipif(not RECORDS, reason="the recorded statistics are not beside this checkout")


@pytest.mark.parametrize("record", [pytest.param(record, id=record["id"]) for record in RECORDS])
def test_backtest_live_and_heat_statistics_are_those_of_the_reference(record: dict[str, Any]) -> None:
    assert statistics.first_difference(record) is None


@pytest.mark.parametrize("part", ["pooled", "live", "by_symbol", "heat"])
def test_the_comparison_sees_a_figure_that_differs(part: str) -> None:
    record = copy.deepcopy(next(r for r in RECORDS if "by_symbol" in r["expected"] and not r.get("suspect")))
    target = record["expected"][part]
    if part == "by_symbol":
        target = next(iter(target.values()))
    name = "portfolio_total_pnl" if part == "heat" else "total_pnl"
    target[name] += 1e-6
    assert name in (statistics.first_difference(record) or "")


def test_the_comparison_sees_what_a_row_limit_would_hide() -> None:
    record = copy.deepcopy(next(r for r in RECORDS if "expected_unlimited" in r))
    record["expected_unlimited"]["pooled"]["total_pnl"] += 1e-6
    assert (statistics.first_difference(record) or "").startswith("unlimited: pooled.total_pnl")
