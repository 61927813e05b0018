"""The figures of every recorded set of trades equal those of the reference, where it is not in doubt."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from backtestkit.math.statistics import price_profile, trade_figures, valid_trades
from backtestkit.model.statistics import BacktestStatistics, TradeColumns

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
REFERENCE_LIMIT = 250


def load(topic: str) -> list[dict[str, Any]]:
    file = GOLDEN / f"{topic}.jsonl.gz"
    if not file.exists():
        return []
    with gzip.open(file, "rt") as lines:
        return [json.loads(line) for line in lines]


RECORDS = load("statistics")
RUNS = load("statistics_run")
pytestmark = pytest.mark.skipif(not RECORDS, reason="the recorded statistics are not beside this checkout")


def columns(signals: list[dict[str, Any]]) -> TradeColumns:
    newest_first = signals[::-1]
    return TradeColumns(
        pnl=tuple(s["pnl"]["pnl_percentage"] for s in newest_first),
        pnl_cost=tuple(s["pnl"]["pnl_cost"] for s in newest_first),
        opened=tuple(s["pending_at"] for s in newest_first),
        closed=tuple(s["close_timestamp"] for s in newest_first),
        peak=tuple(s["peak_profit"]["pnl_percentage"] for s in newest_first),
        fall=tuple(s["max_drawdown"]["pnl_percentage"] for s in newest_first),
        price=tuple(s["pnl"]["price_close"] for s in newest_first),
    )


def assert_equal(signals: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    trades = valid_trades(columns(signals))
    figures = trade_figures(trades)
    actual = {name: len(trades) if name == "total_signals" else getattr(figures, name) for name in expected}
    wrong = {
        name: (actual[name], value)
        for name, value in expected.items()
        if actual[name] != (pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, int | float) else value)
    }
    assert wrong == {}


def cases(part: str) -> list[Any]:
    return [
        pytest.param(record, id=record["id"])
        for record in RECORDS
        if part in record["expected"] and part not in record.get("suspect_fields", ())
    ]


def by_symbol(record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for signal in record["signals"]:
        groups.setdefault(signal["symbol"], []).append(signal)
    return groups


@pytest.mark.parametrize("record", cases("pooled"))
def test_all_trades_of_a_set_pooled(record: dict[str, Any]) -> None:
    assert_equal(record["signals"][-REFERENCE_LIMIT:], record["expected"]["pooled"])
    if "expected_unlimited" in record:
        assert_equal(record["signals"], record["expected_unlimited"]["pooled"])


@pytest.mark.parametrize("record", cases("by_symbol"))
def test_trades_of_each_symbol_alone(record: dict[str, Any]) -> None:
    for symbol, signals in by_symbol(record).items():
        assert_equal(signals[-REFERENCE_LIMIT:], record["expected"]["by_symbol"][symbol])
        if "expected_unlimited" in record:
            assert_equal(signals, record["expected_unlimited"]["by_symbol"][symbol])


@pytest.mark.parametrize("record", cases("live"))
def test_the_same_formulas_serve_the_live_statistics(record: dict[str, Any]) -> None:
    expected = {k: v for k, v in record["expected"]["live"].items() if k not in ("total_events", "total_closed")}
    assert_equal(record["signals"][-REFERENCE_LIMIT:], expected)


@pytest.mark.parametrize("record", cases("heat"))
def test_the_same_formulas_serve_a_row_of_the_heat_table(record: dict[str, Any]) -> None:
    groups = by_symbol(record)
    for row in record["expected"]["heat"]["symbols"]:
        signals = groups[row["symbol"]][-REFERENCE_LIMIT:]
        assert_equal(signals, {name: value for name, value in row.items() if name in FIGURES})


FIGURES = {f.name for f in fields(BacktestStatistics)} - {"signal_list", "total_signals"}


def test_the_price_profile_reads_the_same_from_bare_columns() -> None:
    for record in RECORDS:
        trades = valid_trades(columns(record["signals"][-REFERENCE_LIMIT:]))
        profile = price_profile(trades.closed, trades.price)
        assert profile.trend == record["expected"]["pooled"]["trend"]


@pytest.mark.parametrize("record", [pytest.param(record, id=record["id"]) for record in RUNS])
def test_the_closed_events_of_a_run_give_its_statistics(record: dict[str, Any]) -> None:
    for run in record["expected"]["statistics"]:
        closed = [
            event["signal"] | {"close_timestamp": event["close_timestamp"], "pnl": event["pnl"]}
            for event in record["expected"]["events"]
            if (event["type"], event.get("action")) == ("signal", "closed")
            and event.get("symbol", run["symbol"]) == run["symbol"]
            and event.get("strategy", run["strategy"]) == run["strategy"]
        ]
        assert_equal(closed[-REFERENCE_LIMIT:], run["backtest"])
