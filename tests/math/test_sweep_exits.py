"""What one idea comes to by each value of each axis: the worked values, gaps, costs, and what makes no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtestkit.errors import RunError
from backtestkit.math import sweep_exits
from backtestkit.math.profit import Costs, whole_profit
from backtestkit.math.sweep_exits import NEVER, IdeaExits, idea_exits
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE, FillPolicy
from scenarios.market import candles

COSTS = Costs(percent_slippage=0.1, percent_fee=0.1)
STOP, TRAIL, LOCK, HOLD = 0, 1, 2, 3
FAR = 90.0


def exits(
    rows: list[tuple[float, float, float, float]],
    *,
    long: bool = True,
    stop: float = FAR,
    trail: float = FAR,
    lock: float = 0.0,
    policy: FillPolicy = REFERENCE,
    costs: Costs = COSTS,
) -> IdeaExits:
    market: Candles = candles([(*row, 1.0) for row in rows])
    grid = SweepGrid((stop,), (trail,), (len(rows),), (lock,))
    counts = np.array([len(rows)])
    return idea_exits(market, long=long, grid=grid, counts=counts, policy=policy, costs=costs)


def flat(price: float) -> tuple[float, float, float, float]:
    return price, price, price, price


class TestWorkedValuesOfTheReference:
    def test_nothing_happens(self) -> None:
        assert exits([flat(100.0)] * 3).pnl[HOLD] == -0.39980019980018844
        assert exits([flat(100.0)] * 3, long=False).pnl[HOLD] == pytest.approx(-0.4002002002)

    def test_a_stop_of_five_percent(self) -> None:
        assert exits([flat(100.0), (96, 96, 90, 92)], stop=5.0).pnl[STOP] == pytest.approx(-5.295, abs=1e-9)
        assert exits([flat(100.0), (104, 110, 104, 108)], long=False, stop=5.0).pnl[STOP] == pytest.approx(
            -5.305, abs=1e-9
        )

    def test_a_lock_of_two_percent(self) -> None:
        rows = [flat(100.0), (100, 103, 100, 103), (103, 103, 101, 101)]
        found = exits(rows, lock=2.0)
        assert found.index[LOCK] == 2 and found.pnl[LOCK] == pytest.approx(1.698, abs=1e-9)

    def test_a_trailing_exit_of_one_percent_after_a_high_of_110(self) -> None:
        rows = [flat(100.0), (100, 110, 100, 110), (110, 110, 105, 105)]
        found = exits(rows, trail=1.0)
        assert found.index[TRAIL] == 2 and found.pnl[TRAIL] == 8.48241758241759


class TestTouches:
    def test_the_high_of_a_candle_arms_nothing_before_the_next_one(self) -> None:
        spike = [flat(100.0), (100, 110, 100, 101), flat(101.5)]
        found = exits(spike, trail=1.0, lock=2.0)
        assert found.index[TRAIL] == 2 and found.index[LOCK] == 2

    def test_a_level_that_is_met_exactly_is_touched(self) -> None:
        policy, free = CONSERVATIVE, Costs(0.0, 0.0)
        found = exits([flat(100.0), (100, 100, 95, 96)], stop=5.0, policy=policy, costs=free)
        assert found.index[STOP] == 1 and found.price[STOP] == 95.0 and found.pnl[STOP] == pytest.approx(-5.0)

    def test_what_is_never_touched_has_no_price(self) -> None:
        found = exits([flat(100.0)] * 4, stop=5.0, trail=1.0, lock=2.0)
        assert (
            (found.index[:HOLD] == NEVER).all()
            and np.isnan(found.price[:HOLD]).all()
            and np.isnan(found.pnl[:HOLD]).all()
        )

    def test_a_lock_of_zero_is_none(self) -> None:
        rows = [flat(100.0), (100, 103, 100, 103), (103, 103, 99, 99)]
        assert exits(rows, lock=0.0).index[LOCK] == NEVER

    def test_of_trail_and_lock_on_one_candle_the_better_level_counts(self) -> None:
        rows = [flat(100.0), (100, 110, 100, 110), (110, 110, 100, 100)]
        by_trail = exits(rows, trail=1.0, lock=2.0)
        assert by_trail.profit_column.tolist() == [TRAIL] and by_trail.profit_index.tolist() == [2]
        by_lock = exits(rows, trail=8.5, lock=5.0)
        assert by_lock.profit_column.tolist() == [LOCK] and by_lock.profit_index.tolist() == [2]

    def test_grading_looks_at_the_quoted_entry_and_at_the_same_candle(self) -> None:
        rows = [flat(100.0), (100, 102.0, 95.0, 100)]
        found = exits(rows, stop=5.0, lock=2.0)
        assert found.stop_touch.tolist() == [1] and found.profit_touch.tolist() == [1]
        assert found.index[STOP] == 1, "the slipped stop, 95.095, is touched too"
        assert exits([flat(100.0), (100, 102.05, 100, 100), flat(99.0)], lock=2.0).index[LOCK] == NEVER


class TestGaps:
    ROWS = ((100.0, 100.0, 100.0, 100.0), (50.0, 52.0, 49.0, 51.0))

    def test_a_stop_that_a_candle_opens_beyond_fills_at_its_open(self) -> None:
        found = exits(list(self.ROWS), stop=5.0, policy=CONSERVATIVE, costs=Costs(0.0, 0.0))
        assert found.price[STOP] == 50.0 and found.pnl[STOP] == -50.0

    def test_the_reference_fills_it_at_its_level(self) -> None:
        found = exits(list(self.ROWS), stop=5.0, costs=Costs(0.0, 0.0))
        assert found.price[STOP] == 95.0 and found.pnl[STOP] == pytest.approx(-5.0)

    def test_a_short_fills_at_the_open_above_its_stop(self) -> None:
        found = exits(
            [flat(100.0), (120, 121, 119, 120)], long=False, stop=5.0, policy=CONSERVATIVE, costs=Costs(0.0, 0.0)
        )
        assert found.price[STOP] == 120.0 and found.pnl[STOP] == -20.0

    @pytest.mark.parametrize("axis", [{"trail": 1.0}, {"lock": 5.0}])
    def test_trailing_exits_and_locks_too(self, axis: dict[str, Any]) -> None:
        rows = [flat(100.0), (100, 110, 100, 110), (101, 102, 101, 102)]
        column = TRAIL if "trail" in axis else LOCK
        assert exits(rows, policy=CONSERVATIVE, **axis).price[column] == 101.0
        assert exits(rows, policy=REFERENCE, **axis).price[column] > 104.0

    def test_an_open_on_the_good_side_does_not_help(self) -> None:
        found = exits([flat(100.0), (99, 99, 90, 91)], stop=5.0, policy=CONSERVATIVE)
        assert found.price[STOP] == 95.0


@pytest.mark.parametrize("long", [True, False])
def test_profits_are_those_of_the_engine(long: bool) -> None:
    rows = [flat(100.0), (100, 104, 97, 102), (102, 103, 96, 101), (101, 102, 100, 101.5)]
    found = exits(rows, long=long, stop=3.5, trail=1.0, lock=0.5, policy=CONSERVATIVE)
    for price, pnl in zip(found.price.tolist(), found.pnl.tolist(), strict=True):
        if price == price:
            assert pnl == whole_profit(long, 100.0, 100.0, 1.0, price, COSTS).pnl_percentage
    assert found.pnl[HOLD] == whole_profit(long, 100.0, 100.0, 1.0, 101.5, COSTS).pnl_percentage


class TestSense:
    """Exits at their levels that bring less than levels and costs allow."""

    def test_a_short_stop_beyond_all_bounds(self) -> None:
        with pytest.raises(RunError, match=r"an exit by hard stop brings -400\.7 %, less than the -400\.6 %"):
            exits([flat(100.0), (600, 700, 600, 700)], long=False, stop=400.0)

    def test_a_lock_beyond_all_bounds(self) -> None:
        with pytest.raises(RunError, match="an exit by profit lock"):
            exits([flat(100.0), (100, 700, 100, 700), (700, 700, 400, 400)], lock=400.0)

    def test_trailing_exits_are_held_to_it_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweep_exits, "TOLERANCE_PERCENT", -20.0)
        with pytest.raises(RunError, match="an exit by trailing take"):
            exits([flat(100.0), (100, 110, 100, 110), (110, 110, 105, 105)], trail=1.0)

    def test_a_gap_is_no_nonsense(self) -> None:
        assert exits([flat(100.0), flat(10.0)], stop=5.0, policy=CONSERVATIVE).pnl[STOP] < -90
