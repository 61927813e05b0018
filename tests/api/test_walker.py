"""Walks: what is tried, what is compared, what happens to what fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

import backtestkit as bk
from backtestkit.model.metric import metric_names
from backtestkit.services.logic.walker import front_of, is_better
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


BOTH: dict[str, Any] = {"total_pnl": "maximise", "total_signals": "minimise"}


def test_of_several_figures_the_front_is_what_no_other_strategy_beats() -> None:
    bk.override_walker("space", metrics=BOTH)
    came_to = bk.Walker.run("BTC", walker_name="space").wait()
    points = {
        r.strategy_name: (r.metric_values["total_pnl"] or 0.0, -(r.metric_values["total_signals"] or 0.0))
        for r in came_to.strategy_results
    }
    beaten = {
        name
        for name, own in points.items()
        if any(other != own and other[0] >= own[0] and other[1] >= own[1] for other in points.values())
    }
    assert set(came_to.front) == set(points) - beaten and beaten
    assert came_to.front[0] == came_to.best_strategy and came_to.metric == "total_pnl"
    assert came_to.objectives == BOTH
    assert "## Pareto Front" in bk.Walker.get_report("BTC", walker_name="space")


def test_of_equals_in_the_first_figure_the_next_one_decides() -> None:
    def result(name: str, *values: float | None) -> bk.WalkerResult:
        return bk.WalkerResult(
            strategy_name=name,
            stats=bk.BacktestStatistics(),
            metric_value=values[0],
            first_event_time=None,
            last_event_time=None,
            metric_values=dict(zip(BOTH, values, strict=True)),
        )

    a, b, c = result("a", 1.0, 5.0), result("b", 1.0, 3.0), result("c", 2.0, None)
    assert is_better(a, None, BOTH) and is_better(b, a, BOTH) and not is_better(a, b, BOTH)
    assert not is_better(c, None, BOTH) and not is_better(c, a, BOTH)
    assert front_of([a, b, c, b], BOTH) == [b, b]
    assert front_of([], BOTH) == []


@pytest.mark.parametrize("metric", ["equity.sharpe_ratio", "daily.mean", "costs.fee", "benchmark.excess_return"])
def test_a_figure_of_the_analysis_can_be_compared(metric: str) -> None:
    bk.override_walker("space", metric=metric, space={"fast": [4], "stop": [1.2]})
    came_to = bk.Walker.run("BTC", walker_name="space").wait()
    alone = bk.Backtest.run(
        "BTC", strategy_name="s", exchange_name="market", frame_name="week", params={"fast": 4, "stop": 1.2}
    ).wait()
    part, _, name = metric.partition(".")
    expected = getattr(getattr(alone.analysis, part), name)
    assert came_to.best_metric == expected


def test_every_numeric_figure_can_be_compared_and_a_wrong_one_suggests_the_near_ones() -> None:
    for metric in metric_names():
        assert bk.override_walker("space", metric=metric).metric == metric
    assert {"total_pnl", "win_count", "equity.calmar_ratio", "quality.avg_r"} <= set(metric_names())
    assert not {"signal_list", "trend", "equity.marked", "equity.capital_given"} & set(metric_names())
    with pytest.raises(bk.SchemaError, match="did you mean 'sharpe_ratio'"):
        bk.override_walker("space", metric="sharp_ratio")
    with pytest.raises(bk.SchemaError, match="must be a figure"):
        bk.override_walker("space", metric=3)  # type: ignore[call-overload]


def test_several_figures_are_checked_one_by_one() -> None:
    wrong: list[tuple[Any, str]] = [
        (["total_pnl", "max_drawdown"], "must be directions by figure"),
        ({"total_pnl": "maximise"}, "at least two figures"),
        ({"total_pnl": "maximise", "max_drawdwn": "minimise"}, "names 'max_drawdwn'.* did you mean 'max_drawdown'"),
        ({"total_pnl": "maximise", "max_drawdown": "down"}, "direction 'down' for 'max_drawdown'"),
    ]
    for metrics, complaint in wrong:
        with pytest.raises(bk.SchemaError, match=complaint):
            bk.override_walker("space", metrics=metrics)


def test_errors_in_the_code_of_a_strategy_are_counted_and_shown() -> None:
    bk.listen_error(lambda event: None)
    bk.override_strategy("broken", on_error="report")
    broken, good = reversed(bk.Walker.run("BTC", walker_name="two").wait().strategy_results)
    assert broken.error_count > 100 and good.error_count == 0
    report = bk.Walker.get_report("BTC", walker_name="two")
    assert "**Strategies With Errors In Their Code:** 1" in report
    assert f"| broken | {broken.error_count} | RuntimeError: this one never works |" in report


def test_the_text_of_a_walk_is_short() -> None:
    came_to = bk.Walker.run("BTC", walker_name="space").wait()
    assert repr(came_to).startswith("<WalkerStatistics space BTC: 6 of 6 tested, best s(fast=")
    assert repr(came_to.strategy_results[0]).endswith(" trades>") and len(repr(came_to)) < 200


def test_a_stop_before_the_first_strategy_ends_a_walk_with_nothing() -> None:
    walk = bk.Walker.run("BTC", walker_name="space")
    walk.stop()
    assert walk.wait().strategy_results == () and walk.progress == 0.0


def test_a_grid_must_be_countable() -> None:
    wrong: list[tuple[Any, str]] = [
        ({"stop": bk.FloatRange(0.5, 1.0)}, "a grid cannot count"),
        ({"fast": bk.IntRange(2, 100, log=True)}, "a grid cannot count"),
        ({"fast": bk.IntRange(1, 2000), "slow": bk.IntRange(1, 2000)}, "4,000,000 points; a grid may have 1,000,000"),
        ({"fast": {2, 3}}, "a list of values"),
        ({"fast": [2, 2.0]}, "has 2 for 'fast' twice"),
    ]
    for space, complaint in wrong:
        with pytest.raises(bk.SchemaError, match=complaint):
            bk.override_walker("space", space=space)


def test_a_grid_over_ranges_has_every_combination() -> None:
    bk.override_walker("space", space={"fast": bk.IntRange(2, 4, step=2), "stop": bk.FloatRange(0.6, 0.8, step=0.1)})
    came_to = bk.Walker.run("BTC", walker_name="space").wait()
    assert [(r.params["fast"], r.params["stop"]) for r in reversed(came_to.strategy_results)] == [
        (fast, stop) for fast in (2, 4) for stop in (0.6, 0.7, 0.8)
    ]
