"""The machine around the walk: holes, the end of the data, slots, tracks and ranking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtestkit.clients import sweep_sample
from backtestkit.clients.sweep import ORDERS, ClientSweep, best_of, ranked
from backtestkit.clients.sweep_sample import SampleGrid
from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE
from backtestkit.model.sweep import Idea, IdeaDirection, SweepCounts, SweepReport
from scenarios.market import MINUTE, START, Row, candles

FREE = Costs(0.0, 0.0)


def client(grid: SweepGrid, policy: Any = CONSERVATIVE, step: int = MINUTE) -> ClientSweep:
    return ClientSweep(grid, policy=policy, costs=FREE, step=step)


def grid(hold: tuple[int, ...] = (4,), **axes: tuple[float, ...]) -> SweepGrid:
    return SweepGrid(axes.get("stop", (50.0,)), axes.get("trail", (50.0,)), hold, axes.get("lock", (0.0,)))


def still(prices: list[float], first: int = 0) -> Candles:
    rows: list[Row] = [(p, p, p, p, 1.0) for p in prices]
    return candles(rows, start=START + first * MINUTE)


def idea(name: str = "i", direction: IdeaDirection = "long", author: str = "ann", minute: int = 0) -> Idea:
    return Idea(name, START + (minute - 1) * MINUTE, "BTC", direction, author)


def reports(sample: SampleGrid) -> list[SweepReport]:
    return [report for block in sample.blocks() for report in block]


def only(machine: ClientSweep) -> SweepReport:
    (report,) = reports(machine.sample(range(len(machine.profiles))))
    return report


class TestTime:
    def test_a_hold_counts_clock_time_over_holes(self) -> None:
        machine = client(grid((4,)))
        market = still([100, 101, 102, 103, 104]).take(np.array([0, 1, 4]))
        machine.add(idea(), market, START + 5 * MINUTE)
        (trade,) = only(machine).trades
        assert trade.exit_price == 101.0 and trade.hold_minutes == 2 and trade.exit_reason == "time_expired"

    def test_the_exit_is_dated_as_the_policy_dates_candles(self) -> None:
        for policy, minutes in ((CONSERVATIVE, 4), (REFERENCE, 3)):
            machine = client(grid((4,)), policy)
            machine.add(idea(), still([100, 101, 102, 103]), START + 4 * MINUTE)
            (trade,) = only(machine).trades
            assert trade.exit_timestamp == START + minutes * MINUTE and trade.hold_minutes == 4

    def test_coarse_candles_count_when_they_close_inside_the_hold(self) -> None:
        machine = client(grid((10, 14, 15)), step=5 * MINUTE)
        machine.add(idea(), candles([(p, p, p, p, 1.0) for p in (100, 101, 102)], step=5 * MINUTE), START + 15 * MINUTE)
        found = reports(machine.sample([0]))
        assert [report.trades[0].exit_price for report in found] == [101.0, 101.0, 102.0]
        assert [report.trades[0].hold_minutes for report in found] == [10, 10, 15]

    def test_a_hold_shorter_than_a_candle_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"hold_minutes=4 is shorter than a candle of 5 minutes"):
            client(grid((4, 10)), step=5 * MINUTE)


class TestOneCandle:
    """A candle from which more than one story could be told."""

    def outcome(self, *rows: Row, **axes: tuple[float, ...]) -> tuple[str, bool]:
        """The reason of the exit, and whether the idea was right."""
        machine = client(grid((len(rows),), **axes))
        machine.add(idea(), candles(rows), START + 60 * MINUTE)
        sample = machine.sample([0])
        (report,) = reports(sample)
        return report.trades[0].exit_reason, sample.tracks()[0].hits == 1

    def test_the_stop_comes_before_a_lock_and_a_trailing_exit(self) -> None:
        up: Row = (100.0, 103.0, 100.0, 103.0, 1.0)
        crash: Row = (103.0, 103.0, 90.0, 91.0, 1.0)
        assert self.outcome(up, crash, stop=(5.0,), lock=(2.0,)) == ("hard_stop", True)
        assert self.outcome(up, crash, stop=(5.0,), trail=(1.0,)) == ("hard_stop", True)

    def test_the_stop_comes_before_the_goal_of_the_grading(self) -> None:
        wild: Row = (100.0, 110.0, 90.0, 100.0, 1.0)
        assert self.outcome(wild, wild, stop=(5.0,), lock=(2.0,)) == ("hard_stop", False)

    def test_the_last_candle_of_a_hold_may_still_stop(self) -> None:
        calm: Row = (100.0, 100.0, 100.0, 100.0, 1.0)
        assert self.outcome(calm, (100.0, 100.0, 95.0, 100.0, 1.0), stop=(5.0,)) == ("hard_stop", False)
        assert self.outcome(calm, (100.0, 100.0, 95.1, 100.0, 1.0), stop=(5.0,)) == ("time_expired", False)


class TestTheEndOfTheData:
    def test_an_idea_is_graded_by_the_holds_that_its_candles_cover(self) -> None:
        machine = client(grid((2, 4), lock=(1.0,)))
        profile = machine.add(idea(), still([100, 102, 102]), START + 3 * MINUTE)
        assert profile.truncated
        sample = machine.sample([0])
        short, long = reports(sample)
        assert short.trades[0].exit_reason == "time_expired" and long.trades[0].exit_reason == "data_truncated"
        tracks = sample.tracks()
        assert [(t.ideas, t.hits, t.hit_rate, t.ungraded) for t in tracks] == [(1, 1, 100.0, 0), (0, 0, None, 1)]
        assert sample.sample([short, long]).truncated == 1

    def test_the_reference_counts_it_as_a_miss(self) -> None:
        machine = client(grid((2, 3, 4), lock=(5.0,)), replace(REFERENCE, name="mine"))
        machine.add(idea(), still([100, 102, 102]), START + 3 * MINUTE)
        sample = machine.sample([0])
        reasons = [report.trades[0].exit_reason for report in reports(sample)]
        assert reasons == ["time_expired", "data_truncated", "data_truncated"]
        assert [(t.ideas, t.hits) for t in sample.tracks()] == [(1, 0), (1, 0), (1, 0)]


class TestSlots:
    def machine(self) -> ClientSweep:
        machine = client(grid((3,)))
        for place, (author, minute) in enumerate([("ann", 0), ("bob", 1), ("ann", 2), ("ann", 3)]):
            market = still([100.0] * 3, first=minute)
            machine.add(idea(f"i{place}", author=author, minute=minute), market, START + 60 * MINUTE)
        return machine

    def test_an_idea_that_finds_the_slot_taken_is_absorbed_and_counted(self) -> None:
        report = only(self.machine())
        assert report.trade_count == 3 and report.skipped_busy == 1
        assert [(t.idea.id, t.absorbed_ideas) for t in report.trades] == [("i0", ("i2",)), ("i1", ()), ("i3", ())]

    def test_a_sample_knows_only_its_own_ideas(self) -> None:
        machine = self.machine()
        (report,) = reports(machine.sample([2, 3]))
        assert [(t.idea.id, t.absorbed_ideas) for t in report.trades] == [("i2", ("i3",))]


class TestTracks:
    def tracks(self) -> Any:
        machine = client(grid((3,), stop=(5.0, 50.0), lock=(1.0,)))
        for place, (author, last) in enumerate([("ann", 94.0), ("bob", 102.0), ("bob", 100.5), ("cid", 90.0)]):
            machine.add(idea(f"i{place}", author=author), still([100.0, last, 102.0]), START + 60 * MINUTE)
        sample = machine.sample(range(4))
        reports(sample)
        return sample.tracks()

    def test_most_ideas_first_and_equal_ones_as_they_came(self) -> None:
        tracks = self.tracks()
        assert [(t.author, t.ideas, t.hits) for t in tracks.of(0)] == [("bob", 2, 2), ("ann", 1, 0), ("cid", 1, 0)]
        assert [(t.author, t.hits) for t in tracks.of(1)] == [("bob", 2), ("ann", 1), ("cid", 1)]

    def test_they_are_a_sequence(self) -> None:
        tracks = self.tracks()
        assert len(tracks) == 6 and tracks[-1] == tracks[5] == list(tracks)[5] and tracks[4:] == [tracks[4], tracks[5]]
        assert tracks[0].hit_rate == 100.0
        for outside in (6, -7):
            with pytest.raises(IndexError, match="of 6"):
                tracks[outside]


class TestRanking:
    def reports(self) -> list[SweepReport]:
        machine = client(grid((1, 2, 3, 4)))
        machine.add(idea(), still([100, 103, 101, 103]), START + 60 * MINUTE)
        return reports(machine.sample([0]))

    def test_highest_first_and_equal_ones_in_the_order_of_the_grid(self) -> None:
        found = self.reports()
        assert [report.rule.hold_minutes for report in ranked(found, "pnl")] == [2, 4, 3, 1]
        best = best_of(found, "pnl")
        assert best is not None and best.rule.hold_minutes == 2

    def test_without_the_figure_a_rule_is_never_the_best_and_ranks_last(self) -> None:
        found = self.reports()
        assert [report.figure("sharpe") for report in found] == [None] * 4 and best_of(found, "sharpe") is None
        one = replace(found[3], sharpe=-1.0)
        assert ranked([*found[:3], one], "sharpe")[0] == one and best_of([*found[:3], one], "sharpe") == one

    def test_a_sample_without_ideas_has_no_best(self) -> None:
        sample = client(grid((1, 2))).sample([])
        found = reports(sample)
        assert [best_of(found, order) for order in ORDERS] == [None] * 4
        assert (
            [report.trade_count for report in found] == [0, 0] and found[0].trades == () and found[0].win_rate is None
        )
        whole = sample.sample(found)
        assert (whole.ideas, whole.trade_count, whole.avg_hold_minutes, whole.first_entry) == (0, 0, None, None)
        assert len(whole.tracks) == 0 and repr(whole) == "<SweepSample 0 ideas, 2 points, 0 trades>"


def test_figures_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    close = 100 + rng.standard_normal(400).cumsum() * 0.3
    rows = [(c, c + 0.4, c - 0.4, c + 0.1, 1.0) for c in close.tolist()]
    market = candles(rows)
    machine = client(SweepGrid((1.0, 2.0), (0.5, 1.0, 2.0), (30, 60, 90), (0.0, 1.0)))
    for place in range(0, 300, 20):
        machine.add(idea(f"i{place}", minute=place), market[place : place + 90], START + 400 * MINUTE)
    together = machine.sample(range(15))
    whole = reports(together)
    monkeypatch.setattr(sweep_sample, "BLOCK_POINTS_MIN", 5)
    monkeypatch.setattr(sweep_sample, "BLOCK_CELLS", 1)
    apart = machine.sample(range(15))
    assert [len(block) for block in machine.sample(range(15)).blocks()] == [5] * 7 + [1]
    assert reports(apart) == whole
    assert apart.sample(whole).trade_count == together.sample(whole).trade_count == sum(r.trade_count for r in whole)


def test_an_idea_that_is_lost_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="2 ideas counted of 3"):
        SweepCounts(
            total=3, neutral=1, repeated=0, without_candles=0, in_sample=1, purged=0, out_of_sample=0, truncated=0
        )
