"""`Runs`: what is kept of runs, and what can be done with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import backtestkit as bk
from backtestkit.errors import DataError, NotRegisteredError, UsageError
from backtestkit.kit import Kit
from scenarios.market import candles, flat, still
from scenarios.run import market
from scenarios.traded import CONTEXT, five_minutes, run_of, trading_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with trading_kit() as kit:
        bk.set_config(keep_runs=True, runs_path=str(tmp_path / "runs.db"))
        yield kit


def test_a_run_is_kept_with_what_it_was_and_what_it_came_to(kit: Kit) -> None:
    run = run_of(params={"fast": 3}, policy="next_open")
    assert run.record is None
    result = run.wait()
    (record,) = bk.Runs.list()
    assert record == run.record == bk.Runs.get(1) == bk.Runs.get(run.id)
    assert (record.number, record.outcome, record.trades, record.error_count) == (1, "ready", 9, 0)
    assert record.key == run.key
    assert record.params == {"fast": 3}
    assert record.policy["market"] == "next_open"
    assert record.fingerprint == result.fingerprint
    assert record.statistics["win_rate"] == result.statistics.win_rate
    assert set(record.statistics) == {field.name for field in fields(result.statistics)} - {"signal_list"}
    assert record.summary["fee_paid"] == result.fee_paid
    assert record.frame["interval"] == "1m"
    assert (record.first_time, record.last_time) == (result.summary.first_time, result.summary.last_time)
    assert record.config["percent_fee"] == 0.1
    assert "keep_runs" not in record.config
    assert len(record.data_hash) == len(record.code_hash) == 64
    assert [Path(file).name for file in record.origin["files"]] == ["traded.py"]
    assert record.versions["backtestkit"] == bk.__version__


def test_nothing_is_kept_when_that_is_switched_off(kit: Kit, tmp_path: Path) -> None:
    bk.set_config(keep_runs=False)
    run = run_of()
    run.wait()
    assert run.record is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_kept_once_however_it_is_taken(kit: Kit) -> None:
    run = run_of()
    for _ in run:
        break
    assert bk.Runs.list() == []
    list(run)
    run.wait()
    assert [record.trades for record in bk.Runs.list()] == [9]


def wrong(*_: object) -> None:
    raise ZeroDivisionError


def test_a_run_that_failed_is_kept_with_its_error(kit: Kit) -> None:
    bk.set_config(on_error="raise")
    bk.add_strategy(strategy_name="s", interval="1m", get_signal=wrong, replace=True)
    with pytest.raises(bk.RunError):
        run_of().wait()
    (record,) = bk.Runs.list()
    assert (record.outcome, record.trades) == ("failed", 0)
    assert record.error.startswith("RunError: ")
    assert bk.Runs.trials("BTC").failed == 1
    assert bk.Runs.trials("BTC").configurations == 1


def test_a_run_without_data_is_kept_but_is_no_trial(kit: Kit) -> None:
    bk.add_frame(frame_name="f", interval="1m", start_date="2024-01-01", end_date="2024-01-02", replace=True)
    with pytest.raises(DataError):
        run_of().wait()
    (record,) = bk.Runs.list()
    assert (record.outcome, record.data_hash) == ("failed", "")
    assert bk.Runs.trials("BTC").configurations == 0


def test_a_run_that_was_stopped_says_so(kit: Kit) -> None:
    run = run_of()
    for result in run:
        if result.action == "closed":
            run.stop()
    (record,) = bk.Runs.list()
    assert (record.outcome, record.trades) == ("stopped", 1)


def test_errors_that_it_went_on_after_are_counted(kit: Kit) -> None:
    bk.add_strategy(strategy_name="s", interval="1m", get_signal=wrong, replace=True)
    run_of().wait()
    (record,) = bk.Runs.list()
    assert (record.outcome, record.error_count, record.newest_error) == ("ready", 50, "ZeroDivisionError: ")


def test_a_result_comes_back_from_the_store(kit: Kit) -> None:
    result = run_of().wait()
    kept = bk.Runs.get_result(1)
    assert kept.closed == result.closed
    assert kept.summary == result.summary
    assert kept.statistics == result.statistics
    assert kept.market is None
    loaded = asyncio.run(bk.Runs.load(1))
    assert loaded.market is not None and result.market is not None
    assert loaded.market.prices.tolist() == result.market.prices.tolist()
    assert loaded.analysis.equity == result.analysis.equity


def changed() -> None:
    """Put a market in place that went to 101 at its end."""
    market(candles([*still(40), *flat(101.0, 20)]), replace=True)


def test_a_replay_decides_the_same_and_is_not_kept(kit: Kit) -> None:
    run_of(params={"fast": 3}, policy="reference").wait()
    bk.set_config(percent_fee=0.2, min_takeprofit_distance_percent=0.7)
    replay = asyncio.run(bk.Runs.replay(1))
    assert replay.same
    assert replay.changes == ()
    assert replay.result.summary.percent_fee == 0.1
    assert len(bk.Runs.list()) == 1


def test_a_replay_says_what_has_changed(kit: Kit) -> None:
    run_of().wait()
    bk.add_strategy(
        strategy_name="s", interval="1m", get_signal=lambda *_: five_minutes(price_take_profit=120.0), replace=True
    )
    replay = asyncio.run(bk.Runs.replay(1))
    assert not replay.same
    assert [change.name for change in replay.changes] == ["code_hash"]
    changed()
    replay = asyncio.run(bk.Runs.replay(1))
    assert {change.name for change in replay.changes} == {"code_hash", "data_hash"}


def test_a_replay_needs_no_frame_of_that_name(kit: Kit) -> None:
    run_of().wait()
    with Kit({"runs_path": kit.config.runs_path}):
        with pytest.raises(NotRegisteredError, match="strategy 's' is not registered"):
            asyncio.run(bk.Runs.replay(1))
        market(candles(still(60)))
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: five_minutes())
        assert asyncio.run(bk.Runs.replay(1)).same


def test_candles_that_have_changed_are_not_shown_with_old_trades(kit: Kit) -> None:
    run_of().wait()
    changed()
    with pytest.raises(DataError, match="the candles of BTC that exchange 'x' has are not those of run 1 any more"):
        asyncio.run(bk.Runs.load(1))


def test_the_year_of_the_exchange_counts_in_reports_and_is_kept(kit: Kit) -> None:
    year = bk.TradingYear(252, "market_days")
    bk.override_exchange("x", trading_year=year)
    result = run_of().wait()
    assert result.analysis.equity is not None and result.analysis.equity.year == year
    assert "252 days a year, UTC days with prices" in bk.Backtest.get_report("BTC", **CONTEXT)
    loaded = asyncio.run(bk.Runs.load(1)).analysis.equity
    assert loaded is not None and loaded.year == year


def test_runs_side_by_side(kit: Kit) -> None:
    run_of(params={"fast": 3}).wait()
    run_of(params={"fast": 4}).wait()
    comparison = bk.Runs.compare(1, 2)
    assert [(difference.name, difference.values) for difference in comparison.differences] == [("params.fast", (3, 4))]
    assert comparison.figure("total_signals") == (9, 9)
    with pytest.raises(UsageError, match="no run has a figure 'profit'"):
        comparison.figure("profit")
    with pytest.raises(UsageError, match="a comparison needs at least 2 runs; 1 given"):
        bk.Runs.compare(1)


def test_what_was_tried_counts_also_when_it_was_deleted(kit: Kit) -> None:
    for fast in (3, 3, 4):
        run_of(params={"fast": fast}).wait()
    assert bk.Runs.delete(1, 3) == 2
    assert [record.number for record in bk.Runs.list()] == [2]
    trials = bk.Runs.trials("BTC", strategy_name="s")
    assert (trials.runs, trials.configurations, trials.failed) == (3, 2, 0)
    with pytest.raises(UsageError, match="run 3 was deleted"):
        bk.Runs.delete(2, 3)
    assert [record.number for record in bk.Runs.list()] == [2]


def test_runs_are_deleted_by_their_age(kit: Kit) -> None:
    for _ in range(3):
        run_of().wait()
    newest = bk.Runs.get(3).kept_at
    assert bk.Runs.delete(1, before="2020-01-01") == 1
    assert bk.Runs.delete(before=newest + 1) == 2
    assert bk.Runs.list() == []
    assert bk.Runs.trials("BTC").runs == 3
    with pytest.raises(UsageError, match="before='yesterday'"):
        bk.Runs.delete(before="yesterday")


def test_a_list_has_an_end(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        run_of().wait()
    assert [record.number for record in bk.Runs.list(limit=2)] == [2, 3]
    assert [record.number for record in bk.Runs.list(limit=None)] == [1, 2, 3]


def test_two_runs_at_once_are_both_kept(kit: Kit) -> None:
    async def main() -> None:
        await asyncio.gather(run_of(), run_of("ETH"))

    asyncio.run(main())
    assert {record.symbol for record in bk.Runs.list()} == {"BTC", "ETH"}


def test_a_tear_sheet_of_a_kept_run_shows_its_trades(kit: Kit, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    run_of().wait()
    live = bk.Backtest.get_html("BTC", **CONTEXT)
    kept = asyncio.run(bk.Runs.get_html(1))
    assert _trades_of(kept) == _trades_of(live)
    file = asyncio.run(bk.Runs.dump_html(1, tmp_path / "run.html"))
    assert file == tmp_path / "run.html"
    assert _trades_of(file.read_text()) == _trades_of(live)


def _trades_of(page: str) -> list[str]:
    return re.findall(r"<tr>.*?</tr>", page, re.S)
