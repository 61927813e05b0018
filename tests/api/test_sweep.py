"""Sweeps through the public interface: what they count, call, refuse, and how they agree with the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from scenarios.market import MINUTE, START, Row, candles

AXES = {
    "hard_stop_percent": [2, 5],
    "trailing_take_percent": [1],
    "hold_minutes": [30, 60],
    "profit_lock_percent": [0, 1],
}


@pytest.fixture(autouse=True)
def kit() -> Iterator[bk.Kit]:
    with bk.Kit() as kit:
        yield kit


def add_market(source: bk.Candles, name: str = "x", *, span: bool = True, **options: Any) -> list[tuple[int, int]]:
    """An exchange over `source`, which answers by range; the ranges it was asked for."""
    asked: list[tuple[int, int]] = []

    def read(symbol: str, interval: str, since: int, until: int) -> bk.Candles:
        asked.append((since, until))
        start, stop = source.timestamp.searchsorted((since, until))
        return source[int(start) : int(stop)]

    told = (int(source.timestamp[0]), int(source.timestamp[-1])) if len(source) else None
    said: Any = (lambda symbol, interval: told) if span else None
    bk.add_exchange(exchange_name=name, read_candles=read, span=said, **options)
    return asked


def random_market(minutes: int = 3000, seed: int = 1) -> bk.Candles:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(minutes)) * 0.001)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.0005, np.minimum(open_, close) * 0.9995
    return bk.Candles.from_columns(START + MINUTE * np.arange(minutes), open_, high, low, close, np.ones(minutes))


def idea(minute: int, direction: str = "long", author: str = "ann", symbol: str = "BTC") -> dict[str, Any]:
    """An idea that enters in a minute."""
    name = f"{author}{minute}{direction}"
    time = START + (minute - 1) * MINUTE
    return {"id": name, "ts": time, "symbol": symbol, "direction": direction, "author": author}


def spread_ideas(count: int = 12, step: int = 200) -> list[dict[str, Any]]:
    return [idea(10 + i * step, "long" if i % 3 else "short", "ann" if i % 2 else "bob") for i in range(count)]


def add_sweep(**fields: Any) -> None:
    bk.add_sweep({"sweep_name": "s", "exchange_name": "x", "grid_axes": AXES, "repeat_minutes": 0} | fields)


def run(ideas: list[dict[str, Any]], **options: Any) -> bk.SweepResult:
    return bk.Sweep.run("BTC", sweep_name="s", ideas=ideas, **options).wait()


class TestCounting:
    def test_every_idea_is_counted_once(self) -> None:
        add_market(random_market())
        add_sweep(repeat_minutes=480)
        ideas = [idea(10 + i * 500, author="ann") for i in range(5)]
        ideas += [idea(20), idea(30, "neutral"), idea(9000), idea(40, symbol="ETH")]
        counts = run(ideas).counts
        assert (counts.total, counts.neutral, counts.repeated, counts.without_candles) == (8, 1, 1, 1)
        assert (counts.in_sample, counts.purged, counts.out_of_sample) == (4, 0, 1) and counts.directional == 6

    def test_the_newest_ideas_are_held_out_unless_told_otherwise(self) -> None:
        add_market(random_market())
        add_sweep()
        result = run(spread_ideas())
        assert (result.in_sample.ideas, result.out_of_sample and result.out_of_sample.ideas) == (9, 3)
        assert result.split_at == START + (10 + 9 * 200) * MINUTE
        until = result.in_sample.until
        assert until is not None and until <= result.split_at

    def test_no_outcome_leaks_over_the_split(self) -> None:
        add_market(random_market())
        add_sweep(holdout_from=START + 1000 * MINUTE)
        result = run([*spread_ideas(), idea(950), idea(990, author="cid")])
        assert (result.counts.purged, result.counts.in_sample) == (2, 5)
        trades = [trade for report in result.in_sample.reports for trade in report.trades]
        assert max(trade.exit_timestamp for trade in trades) <= START + 1000 * MINUTE

    def test_without_a_hold_out_there_is_one_sample(self) -> None:
        add_market(random_market())
        add_sweep(holdout_percent=0)
        result = run(spread_ideas())
        assert result.out_of_sample is None and result.split_at is None and result.in_sample.ideas == 12
        assert {pair.out_of_sample for pair in result.pairs} == {None}

    def test_the_winner_is_chosen_in_sample_alone(self) -> None:
        add_market(random_market(), "x")
        add_sweep(report_order="pnl")
        result = run(spread_ideas())
        best = result.best["pnl"]
        totals = [report.total_pnl_percent for report in result.in_sample.reports]
        assert best is not None and best.in_sample.total_pnl_percent == max(totals)
        assert totals == sorted(totals, reverse=True)
        assert [pair.rule for pair in result.pairs] == [report.rule for report in result.in_sample.reports]
        for pair in result.pairs:
            assert pair.out_of_sample is not None and pair.out_of_sample.rule == pair.rule
        outside = random_market(3000, seed=99)
        cut = 10 + 9 * 200
        mixed = bk.Candles.concat([random_market()[:cut], outside[cut:]])
        add_market(mixed, "y")
        bk.override_sweep("s", exchange_name="y")
        assert [report.point for report in run(spread_ideas()).in_sample.reports] == [
            report.point for report in result.in_sample.reports
        ]


class TestCandles:
    def test_overlapping_windows_are_read_once(self) -> None:
        asked = add_market(random_market())
        add_sweep()
        run([idea(10), idea(40, "short"), idea(2000)])
        assert [(a - START) // MINUTE for a, _ in asked] == [10, 2000]

    def test_the_candles_at_the_edge_of_the_data_are_used(self) -> None:
        for name, span in (("told", True), ("untold", False)):
            add_market(random_market(150), name, span=span)
            add_sweep(sweep_name=name, exchange_name=name, holdout_percent=0)
            ideas = [idea(10), idea(130, "short"), idea(149), idea(150), idea(-20, "short")]
            result = bk.Sweep.run("BTC", sweep_name=name, ideas=ideas).wait()
            assert [(p.candles, p.truncated) for p in result.profiles] == [(60, False), (20, True), (1, True)], name
            assert result.counts.without_candles == 2 and result.counts.truncated == 2

    def test_what_was_read_before_does_not_change_what_there_is(self) -> None:
        add_market(random_market(150), span=False)
        add_sweep(holdout_percent=0)
        exchange = bk.current_kit().container.exchange_pool().connect("x")
        asyncio.run(exchange.columns("BTC", START, START + 150 * MINUTE, strict=True))
        assert [p.candles for p in run([idea(100), idea(149, "short")]).profiles] == [50, 1]

    def test_a_long_silence_is_the_end_of_a_source_that_skips_holes(self) -> None:
        bk.set_config(max_candles_per_request=20)
        add_market(random_market(150), span=False, gaps="skip")
        add_sweep(holdout_percent=0)
        result = run([idea(10), idea(120), idea(200)])
        assert [(p.candles, p.truncated) for p in result.profiles] == [(60, False), (30, True)]

    def test_a_source_that_answers_in_pages_and_does_not_say_where_it_ends(self) -> None:
        market = random_market(130)

        def get(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> bk.Candles:
            start = (int(since.timestamp() * 1000) - START) // MINUTE
            return market[max(0, start) : max(0, start + limit)]

        bk.set_config(max_candles_per_request=20, get_candles_retry_delay_ms=0)
        bk.add_exchange(exchange_name="x", get_candles=get)
        add_sweep(holdout_percent=0)
        result = run([idea(10), idea(50, "short"), idea(110, author="bob"), idea(140)])
        assert [(p.candles, p.truncated) for p in result.profiles] == [(60, False), (60, False), (20, True)]
        assert result.counts.without_candles == 1

    def test_a_hole_is_an_error_unless_the_exchange_skips_it(self) -> None:
        market = random_market(200)
        holed = market.take(np.flatnonzero((np.arange(200) < 30) | (np.arange(200) > 34)))
        add_market(holed)
        add_sweep(holdout_percent=0)
        with pytest.raises(bk.GapError, match="gaps='skip'"):
            run([idea(10)])
        add_market(holed, "skips", gaps="skip")
        bk.override_sweep("s", exchange_name="skips")
        result = run([idea(10), idea(32, "short")])
        assert [(p.candles, p.truncated) for p in result.profiles] == [(55, False)]
        assert result.counts.without_candles == 1, "there is no candle to enter with"

    def test_candles_that_have_not_closed_do_not_exist(self) -> None:
        bk.add_exchange(bk.SyntheticExchange("x"))
        add_sweep(holdout_percent=0)
        soon = {"id": "1", "ts": "2200-01-01", "symbol": "BTC", "direction": "long"}
        result = run([soon])
        assert result.counts.without_candles == 1 and result.in_sample.ideas == 0 and result.best["pnl"] is None

    def test_coarse_candles(self) -> None:
        rows: list[Row] = [(100.0 + i, 101.0 + i, 99.0 + i, 100.5 + i, 1.0) for i in range(40)]
        add_market(candles(rows, step=5 * MINUTE), base_interval="5m")
        add_sweep(holdout_percent=0)
        (profile,) = run([idea(12)]).profiles
        assert (profile.entry_timestamp - START) // MINUTE == 15 and profile.candles == 12


class TestCallbacks:
    def test_they_are_told_in_order(self) -> None:
        told: list[Any] = []

        def note(name: str) -> Any:
            return lambda *arguments: told.append((name, *arguments))

        names = [
            "on_ideas",
            "on_profiles",
            "on_progress",
            "on_grid_point",
            "on_authors_trained",
            "on_ranking",
            "on_done",
        ]
        add_market(random_market())
        add_sweep(callbacks={name: note(name) for name in names}, report_order="pnl")
        result = run([*spread_ideas(4), idea(11, "neutral")])
        assert list(dict.fromkeys(name for name, *_ in told)) == [
            "on_ideas", "on_progress", "on_profiles", "on_grid_point", "on_authors_trained", "on_ranking", "on_done",
        ]  # fmt: skip
        assert told[0] == ("on_ideas", "BTC", 5, 4)
        progress = [rest for name, _, *rest in told if name == "on_progress"]
        assert progress == [
            ["profiles", 1, 4],
            ["profiles", 2, 4],
            ["profiles", 3, 4],
            ["profiles", 4, 4],
            ["grid", 8, 8],
        ]
        points = [rest for name, _, *rest in told if name == "on_grid_point"]
        assert [report.point for report, _ in points] == list(range(8))
        assert all(trades == report.trades for report, trades in points)
        (ranking,) = [rest for name, _, *rest in told if name == "on_ranking"]
        assert ranking[0] == "pnl" and ranking[2] is ranking[1][0] and len(ranking[1]) == 8
        assert told[-1] == ("on_done", "BTC", result)

    def test_a_failing_callback_is_reported_and_harms_nothing(self) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("no")

        heard: list[bk.ErrorEvent] = []
        bk.listen_error(heard.append)
        add_market(random_market())
        add_sweep(callbacks={"on_ideas": fail, "on_done": fail})
        assert run(spread_ideas(4)).counts.total == 4
        assert [event.source for event in heard] == ["a callback of a sweep"] * 2
        assert heard[0].key == bk.RunKey("BTC", "s", "x", "", True)

    def test_async_ones_are_awaited(self) -> None:
        told: list[str] = []

        async def on_done(symbol: str, result: bk.SweepResult) -> None:
            await asyncio.sleep(0)
            told.append(symbol)

        add_market(random_market())
        add_sweep(callbacks={"on_done": on_done})
        run(spread_ideas(3))
        assert told == ["BTC"]


class TestFacade:
    def test_a_sweep_has_data_and_a_report_and_is_listed(self, tmp_path: Path) -> None:
        add_market(random_market())
        add_sweep()
        sweep = bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas())
        assert not sweep.running and sweep.progress == 0.0 and bk.Sweep.list() == []
        result = sweep.wait()
        assert sweep.progress == 1.0 and not sweep.running and sweep.wait() is result
        assert bk.Sweep.list() == [sweep] and bk.Sweep.get_data("BTC", sweep_name="s") is result
        report = bk.Sweep.get_report("BTC", sweep_name="s")
        assert report.startswith("# Sweep Report: s\n")
        file = asyncio.run(bk.Sweep.dump("BTC", sweep_name="s", path=tmp_path))
        assert file is not None and file.parent == tmp_path and file.read_text(encoding="utf-8") == report
        assert repr(result) == "<SweepResult s BTC: 12 ideas, 8 points>"

    def test_it_can_be_awaited(self) -> None:
        add_market(random_market())
        add_sweep()

        async def main() -> bk.SweepResult:
            return await bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas())

        assert asyncio.run(main()).points == 8

    def test_reports_go_to_the_dump_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        add_market(random_market())
        add_sweep()
        run(spread_ideas())
        file = asyncio.run(bk.Sweep.dump("BTC", sweep_name="s"))
        assert file is not None and file.parent == Path("dump/sweep")

    def test_two_sweeps_of_a_name_at_once_are_refused(self) -> None:
        add_market(random_market())
        add_sweep()

        async def main() -> None:
            first = bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas())
            going = asyncio.create_task(first.result())
            await asyncio.sleep(0)
            assert first.running
            with pytest.raises(bk.UsageError, match="is running already"):
                await bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas())
            with pytest.raises(bk.UsageError, match="is running already"):
                await first
            with pytest.raises(bk.UsageError, match="it is running or has failed"):
                bk.Sweep.get_data("BTC", sweep_name="s")
            with pytest.raises(bk.UsageError, match="is running"):
                bk.reset()
            await going

        asyncio.run(main())
        bk.reset()
        assert bk.Sweep.list() == []

    def test_a_sweep_that_failed_says_so(self) -> None:
        add_market(random_market(), base_interval="1h")
        add_sweep()
        sweep = bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas())
        with pytest.raises(bk.UsageError, match="hold_minutes=30 is shorter than a candle of 60 minutes"):
            sweep.wait()
        with pytest.raises(bk.UsageError, match="has failed; start another one"):
            sweep.wait()

    def test_names_and_ideas_are_checked_before_anything_starts(self) -> None:
        add_market(random_market())
        add_sweep()
        with pytest.raises(bk.NotRegisteredError, match="Did you mean 's'"):
            bk.Sweep.run("BTC", sweep_name="ss", ideas=[])
        with pytest.raises(bk.UsageError, match="2 ideas refused"):
            bk.Sweep.run("BTC", sweep_name="s", ideas=[{}, {}])
        with pytest.raises(bk.UsageError, match=r"no idea is about symbol 'BTX'. Did you mean 'BTC'"):
            bk.Sweep.run("BTX", sweep_name="s", ideas=spread_ideas())
        with pytest.raises(bk.UsageError, match="fill policy 'kind' is unknown"):
            bk.Sweep.run("BTC", sweep_name="s", ideas=spread_ideas(), policy="kind")  # type: ignore[arg-type]

    def test_costs_and_policy_are_those_of_the_configuration(self) -> None:
        add_market(random_market())
        add_sweep()
        dear = run(spread_ideas())
        bk.set_config(percent_fee=0, percent_slippage=0, fill_policy="reference")
        free = run(spread_ideas())
        assert (dear.policy, dear.percent_fee, free.policy, free.percent_fee) == ("conservative", 0.1, "reference", 0.0)
        assert all(
            a.total_pnl_percent < b.total_pnl_percent for a, b in zip(_by_point(dear), _by_point(free), strict=True)
        )

    def test_its_points_count_as_trials_once(self, tmp_path: Path) -> None:
        add_market(random_market())
        add_sweep()
        bk.set_config(keep_runs=True, runs_path=str(tmp_path / "runs.db"))
        for _ in range(2):
            run(spread_ideas())
        points = len(bk.Sweep.get_data("BTC", sweep_name="s").in_sample.reports)
        assert bk.Runs.trials("BTC").swept == points > 1
        run(spread_ideas()[:-1])
        assert bk.Runs.trials("BTC").swept == 2 * points

    def test_a_store_that_cannot_be_written_costs_no_sweep_its_result(self, tmp_path: Path) -> None:
        add_market(random_market())
        add_sweep()
        bk.set_config(keep_runs=True, runs_path=str(tmp_path))
        told: list[str] = []
        bk.listen_error(lambda event: told.append(event.source))
        assert run(spread_ideas()).in_sample.reports
        assert told == ["keeping a sweep"]


def _by_point(result: bk.SweepResult) -> list[bk.SweepReport]:
    return sorted(result.in_sample.reports, key=lambda report: report.point)


class TestTheEngine:
    """A trade of a sweep is what the engine makes of the same position, entered at the same open."""

    @pytest.mark.parametrize("side", ["long", "short"])
    @pytest.mark.parametrize("gap", [False, True])
    def test_a_stop(self, side: Any, gap: bool) -> None:
        sign = 1 if side == "long" else -1
        hit = 100.0 - sign * (7.0 if gap else 3.0)
        rows: list[Row] = [(100.0, 100.0, 100.0, 100.0, 1.0)] * 60
        end = 100.0 - sign * 8.0
        rows += [(hit, max(hit, end), min(hit, end), end, 1.0)] + [(end, end, end, end, 1.0)] * 200
        source = candles(rows)
        add_market(source)
        bk.add_frame(frame_name="f", start_date=START + 20 * MINUTE, end_date=START + 200 * MINUTE)

        def get_signal(symbol: str, when: datetime, price: float) -> bk.Signal | None:
            if int(when.timestamp() * 1000) != START + 30 * MINUTE:
                return None
            stop, target = 100.0 - sign * 5.0, 100.0 + sign * 50.0
            return bk.Signal(position=side, price_stop_loss=stop, price_take_profit=target, minute_estimated_time=100)

        bk.add_strategy(strategy_name="one", interval="1m", get_signal=get_signal)
        policy = replace(bk.CONSERVATIVE, name="mine", market="next_open")
        traded = bk.Backtest.run("BTC", strategy_name="one", exchange_name="x", frame_name="f", policy=policy).wait()
        add_sweep(holdout_percent=0, grid_axes={**AXES, "hard_stop_percent": [5], "hold_minutes": [100]})
        swept = run([idea(30, side)])
        (closed,) = traded.closed
        (trade,) = swept.in_sample.reports[0].trades
        assert closed.close_reason == "stop_loss" and trade.exit_reason == "hard_stop"
        assert trade.exit_timestamp == closed.close_timestamp
        assert trade.exit_price == pytest.approx(closed.pnl.price_close, rel=1e-12)
        assert trade.pnl_percent == pytest.approx(closed.pnl.pnl_percentage, rel=1e-12)
