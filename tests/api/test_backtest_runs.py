"""`Backtest`: one run, taken in any way, and the runs of a kit."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.kit import Kit
from scenarios.run import minute
from scenarios.traded import CONTEXT, five_minutes, run_of, trading_kit


@pytest.fixture
def kit() -> Iterator[Kit]:
    with trading_kit() as kit:
        yield kit


# -- ways to take results ---------------------------------------------------------------------------------------------


async def by_async_for(backtest: bk.BacktestRun) -> list[Any]:
    return [result async for result in backtest]


WAYS: dict[str, Callable[[bk.BacktestRun], Any]] = {
    "for": list,
    "async for": lambda backtest: asyncio.run(by_async_for(backtest)),
    "result": lambda backtest: asyncio.run(backtest.result()),
    "wait": lambda backtest: backtest.wait(),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_run(kit: Kit, way: str) -> None:
    first, second = run_of(), run_of("ETH")
    first.wait()
    WAYS[way](second)
    assert first.fingerprint == second.fingerprint
    assert first.snapshot().counters == second.snapshot().counters
    assert len(second.closed) == 9


def test_for_and_async_for_yield_the_same_results(kit: Kit) -> None:
    assert [r.action for r in run_of()] == [r.action for r in asyncio.run(by_async_for(run_of("ETH")))]


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_ways_may_be_mixed_and_each_goes_on_where_the_last_one_stopped(kit: Kit, first: str, then: str) -> None:
    backtest = run_of()
    before = []
    for result in backtest:
        before.append(result)
        if len(before) == 3:
            break
    WAYS[first](backtest)
    WAYS[then](backtest)
    assert len(backtest.closed) == 9
    assert backtest.fingerprint == run_of("ETH").wait().fingerprint


def test_an_async_loop_may_be_left_and_gone_on_with(kit: Kit) -> None:
    async def main() -> tuple[int, int]:
        backtest = run_of()
        taken = 0
        async for _ in backtest:
            taken += 1
            if taken == 4:
                break
        rest = [result async for result in backtest]
        return taken, len(rest)

    assert asyncio.run(main()) == (4, 14)


def test_plain_code_beside_a_running_loop_may_wait_too(kit: Kit) -> None:
    async def main() -> int:
        return len(run_of().wait().closed)

    assert asyncio.run(main()) == 9


def test_the_body_of_a_loop_may_run_a_loop_of_its_own(kit: Kit) -> None:
    async def nothing() -> int:
        return 1

    assert sum(asyncio.run(nothing()) for _ in run_of()) == 18


def test_results_are_taken_in_one_place_at_a_time(kit: Kit) -> None:
    backtest = run_of()

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        with pytest.raises(bk.UsageError, match=r"backtest BTC / t / x / f is being iterated already"):
            await other.result()

    bk.add_strategy(strategy_name="t", interval="1h", get_signal=get_signal)
    other = bk.Backtest.run("BTC", strategy_name="t", exchange_name="x", frame_name="f")
    assert other.wait().error_count == 0
    assert backtest.status == "pending"


def test_a_run_that_is_over_yields_nothing_more(kit: Kit) -> None:
    backtest = run_of()
    first = backtest.wait()
    assert list(backtest) == []
    assert backtest.wait().fingerprint == first.fingerprint


# -- what a run says of itself ----------------------------------------------------------------------------------------


def test_nothing_happens_before_results_are_asked_for(kit: Kit) -> None:
    backtest = run_of()
    assert (backtest.status, backtest.running, backtest.progress) == ("pending", False, 0.0)
    assert bk.Backtest.list() == []
    assert list(backtest.closed) == []


def test_the_status_follows_the_run(kit: Kit) -> None:
    backtest = run_of()
    seen = [(backtest.status, backtest.running, backtest.progress) for _ in backtest]
    assert {s for s, *_ in seen} == {"running"}
    assert [p for *_, p in seen] == sorted(p for *_, p in seen)
    assert (backtest.status, backtest.running, backtest.progress) == ("ready", False, 1.0)


def test_a_run_that_fails_says_so_and_keeps_what_it_had(kit: Kit) -> None:
    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
        if minute(round(when.timestamp() * 1000)) > 10:
            raise ValueError("no")
        return five_minutes()

    bk.add_strategy(strategy_name="t", interval="1m", get_signal=get_signal, on_error="raise")
    backtest = bk.Backtest.run("BTC", strategy_name="t", exchange_name="x", frame_name="f")
    with pytest.raises(bk.RunError):
        backtest.wait()
    assert backtest.status == "failed"
    assert len(backtest.closed) == 2
    assert backtest.snapshot().error_count == 1


def test_representations_name_the_run(kit: Kit) -> None:
    backtest = run_of()
    assert repr(backtest) == "<BacktestRun backtest BTC / s / x / f pending 0%>"
    result = backtest.wait()
    assert repr(backtest) == "<BacktestRun backtest BTC / s / x / f ready 100%>"
    assert repr(result) == f"<BacktestResult backtest BTC / s / x / f: 9 trades, fingerprint {result.fingerprint[:12]}>"
    assert backtest.key == result.key


def test_a_result_holds_the_figures_of_its_trades(kit: Kit) -> None:
    result = run_of().wait()
    assert result.statistics.total_signals == 9
    assert result.statistics is result.statistics
    assert result.ambiguous_exits == 0
    assert result.fee_paid + result.slippage_paid == pytest.approx(-sum(r.pnl.pnl_cost for r in result.closed))
    assert result.summary.fingerprint == result.fingerprint


def test_the_result_of_nothing_costs_nothing(kit: Kit) -> None:
    result = run_of().snapshot()
    assert (result.fee_paid, result.slippage_paid, result.ambiguous_exits) == (0.0, 0.0, 0)
    assert len(result.fingerprint) == 64


def test_a_run_explains_its_gear(kit: Kit) -> None:
    assert run_of().explain().startswith("It jumps")
    assert "stepping=True" in run_of(stepping=True).explain()


def test_a_run_keeps_the_configuration_it_was_made_with(kit: Kit) -> None:
    before, changed = run_of(), None
    bk.set_config({"percent_fee": 0.0, "percent_slippage": 0.0})
    changed = run_of("ETH")
    assert before.wait().closed[0].pnl.pnl_percentage == -0.39960039960038823
    assert changed.wait().closed[0].pnl.pnl_percentage == 0.0


# -- the runs of a kit ------------------------------------------------------------------------------------------------


def test_a_second_run_of_a_running_key_is_refused_when_it_starts(kit: Kit) -> None:
    first, second = run_of(), run_of()
    for _ in first:
        with pytest.raises(bk.UsageError, match="is running already"):
            second.wait()
        break
    first.wait()
    assert len(second.wait().closed) == 9


def test_a_run_that_was_left_stands_in_nobodys_way(kit: Kit) -> None:
    left = run_of()
    for _ in left:
        break
    assert (left.status, left.running, kit.runs.running()) == ("running", False, [])
    second = run_of()
    for _ in second:
        with pytest.raises(bk.UsageError, match="is running already"):
            left.wait()
        break
    assert left.wait().fingerprint == second.wait().fingerprint
    assert len(bk.Backtest.list()) == 1


def test_an_async_loop_that_was_left_stands_in_nobodys_way(kit: Kit) -> None:
    async def main() -> int:
        async for _ in run_of():
            break
        return len((await run_of()).closed)

    assert asyncio.run(main()) == 9


def test_the_kit_shuts_down_although_a_run_was_left(kit: Kit) -> None:
    for _ in run_of():
        break
    asyncio.run(bk.shutdown(timeout_seconds=0))


def test_a_run_that_failed_says_so_whenever_it_is_asked(kit: Kit) -> None:
    def fails_later(symbol: str, when: datetime, price: float) -> bk.Signal:
        if when.minute > 20:
            raise ZeroDivisionError
        return five_minutes()

    bk.add_strategy(strategy_name="s", interval="1m", get_signal=fails_later, on_error="raise", replace=True)
    run = run_of()
    for _ in range(2):
        with pytest.raises(bk.RunError):
            run.wait()
        with pytest.raises(bk.RunError):
            list(run)
    assert run.status == "failed"
    assert 0 < len(run.snapshot().closed) < 9


def test_a_finished_run_that_is_asked_again_does_not_take_the_place_of_a_newer_one(kit: Kit) -> None:
    first, second = run_of(), run_of()
    first.wait()
    second.wait()
    first.wait()
    assert kit.runs.get(first.key) is second


def test_a_run_that_nobody_needs_is_gone_at_once(kit: Kit) -> None:
    run = run_of()
    run.wait()
    there = weakref.ref(run)
    gc.disable()  # its columns are large: they must not wait until circles are looked for
    try:
        kit.runs.clear()
        del run
        assert there() is None
    finally:
        gc.enable()


def test_a_second_run_starts_fresh(kit: Kit) -> None:
    assert run_of().wait().fingerprint == run_of().wait().fingerprint
    assert len(bk.Backtest.list()) == 1


def test_runs_are_listed_oldest_first(kit: Kit) -> None:
    done, going = run_of("ETH"), run_of("BTC")
    done.wait()
    for _ in going:
        rows = bk.Backtest.list()
        assert [(row.key.symbol, row.status) for row in rows] == [("ETH", "ready"), ("BTC", "running")]
        assert rows[0].progress == 1.0
        assert rows[1].progress < 1.0
        break


def test_a_run_is_stopped_by_its_context(kit: Kit) -> None:
    backtest = run_of()
    taken = []
    for result in backtest:
        taken.append(result.action)
        bk.Backtest.stop("BTC", **CONTEXT)
    assert taken == ["opened", "closed"]


def test_a_context_that_never_ran_is_named(kit: Kit) -> None:
    with pytest.raises(bk.UsageError, match=r"no run of backtest DOGE / s / x / f"):
        bk.Backtest.get_data("DOGE", **CONTEXT)


def test_data_and_report_of_the_newest_run(kit: Kit, tmp_path: Path) -> None:
    run_of().wait()
    assert bk.Backtest.get_data("BTC", **CONTEXT).total_signals == 9
    report = bk.Backtest.get_report("BTC", **CONTEXT)
    assert report.startswith("# Backtest Report: s")
    written = asyncio.run(bk.Backtest.dump("BTC", **CONTEXT, path=tmp_path))
    assert written is not None
    assert written.read_text(encoding="utf-8") == report


def test_clearing_forgets_runs(kit: Kit) -> None:
    run_of("BTC").wait()
    run_of("ETH").wait()
    bk.Backtest.clear("BTC", **CONTEXT)
    assert [row.key.symbol for row in bk.Backtest.list()] == ["ETH"]
    bk.Backtest.clear()
    assert bk.Backtest.list() == []


def test_clearing_a_symbol_needs_the_whole_context(kit: Kit) -> None:
    with pytest.raises(bk.UsageError, match="needs strategy_name, exchange_name and frame_name"):
        bk.Backtest.clear("BTC", strategy_name="s")


# -- in the background ------------------------------------------------------------------------------------------------


def test_a_background_run_goes_on_by_itself_and_tells_when_it_is_done(kit: Kit) -> None:
    done: list[Any] = []

    async def main() -> bk.BacktestResult:
        bk.listen_done_backtest(done.append)
        background = bk.Backtest.background("BTC", **CONTEXT)
        assert background.run.status == "running"
        with pytest.raises(bk.UsageError, match="is running already"):
            bk.Backtest.background("BTC", **CONTEXT)
        result: bk.BacktestResult = await background
        return result

    result = asyncio.run(main())
    assert len(result.closed) == 9
    (event,) = done
    assert (event.symbol, minute(event.timestamp)) == ("BTC", 50)


def test_stopping_a_background_run_lets_the_open_position_end(kit: Kit) -> None:
    async def main() -> bk.BacktestResult:
        def stop(event: Any) -> None:
            background()

        bk.listen_signal_event(stop)
        background = bk.Backtest.background("BTC", **CONTEXT)
        result: bk.BacktestResult = await background
        return result

    result = asyncio.run(main())
    assert [r.close_reason for r in result.closed] == ["time_expired"]


def test_a_background_run_that_fails_is_done_too_and_raises_where_it_is_awaited(kit: Kit) -> None:
    def get_signal(*_: Any) -> None:
        raise ValueError("no")

    bk.add_strategy(strategy_name="t", interval="1m", get_signal=get_signal, on_error="raise")
    done: list[Any] = []

    async def main() -> None:
        bk.listen_done_backtest(done.append)
        await bk.Backtest.background("BTC", strategy_name="t", exchange_name="x", frame_name="f")

    with pytest.raises(bk.RunError):
        asyncio.run(main())
    assert len(done) == 1


def test_the_background_needs_a_loop(kit: Kit) -> None:
    with pytest.raises(bk.UsageError, match="needs a running event loop; in a script use"):
        bk.Backtest.background("BTC", **CONTEXT)


def test_several_runs_may_go_on_at_once_and_do_not_see_each_other(kit: Kit) -> None:
    async def main() -> list[bk.BacktestResult]:
        return await asyncio.gather(*(run_of(symbol) for symbol in ("BTC", "ETH", "SOL")))

    results = asyncio.run(main())
    assert len({r.fingerprint for r in results}) == 1
    assert [r.key.symbol for r in results] == ["BTC", "ETH", "SOL"]
