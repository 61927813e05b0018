"""What can be asked about an open position: pure answers over a row, a time and a price."""

from __future__ import annotations

import math

import pytest

from backtestkit.clients.position import Pricing
from backtestkit.clients.queries import Ladder, PositionView, cost, percentage
from backtestkit.math.profit import Costs
from backtestkit.model.signal import Extreme, PositionSide, SignalRow
from scenarios.market import MINUTE, START
from scenarios.rows import partial, signal_row

sides = pytest.mark.parametrize("side", ["long", "short"])
PRICING = Pricing(Costs(0.1, 0.1), 0.2)


def view(row: SignalRow, price: float = 100.0, minutes: float = 0) -> PositionView:
    return PositionView(row, PRICING.levels(row), PRICING, round(START + minutes * MINUTE), price)


def extreme(row: SignalRow, price: float) -> Extreme:
    return Extreme(price, START, PRICING.profit(row, PRICING.levels(row), price))


def test_the_held_share_is_what_partial_closes_left() -> None:
    row = signal_row(
        entries=[(100.0, 100.0), (98.0, 100.0), (96.0, 200.0)], partials=(partial(50.0, 96.0, 200.0, 2, "loss"),)
    )
    seen = view(row)
    assert (seen.percent_held, seen.holding.remaining, seen.invested) == (75.0, 300.0, 400.0)


@pytest.mark.parametrize(("minutes", "left"), [(0, 60), (0.99, 60), (1, 59), (59.5, 1), (60, 0), (200, 0)])
def test_the_countdown_counts_whole_minutes_and_stops_at_0(minutes: float, left: int) -> None:
    assert view(signal_row(), minutes=minutes).countdown_minutes == left


def test_an_endless_position_counts_down_from_infinity() -> None:
    assert view(signal_row(minute_estimated_time=math.inf), minutes=99).countdown_minutes == math.inf


def test_the_profit_is_that_at_the_price() -> None:
    row = signal_row()
    assert view(row, 102.0).profit.pnl_percentage == 1.5944075924075942
    assert view(row, 102.0).signal.pnl == view(row, 102.0).profit


@sides
def test_distances_from_the_extremes_are_never_negative(side: PositionSide) -> None:
    row = signal_row(side)
    best, worst = (106.0, 97.0) if side == "long" else (94.0, 103.0)
    row = row.with_changes(peak=extreme(row, best), fall=extreme(row, worst))
    seen = view(row, 100.0)
    peak, fall = row.peak.pnl.pnl_percentage, row.fall.pnl.pnl_percentage
    now = seen.profit.pnl_percentage
    assert seen.from_peak(percentage) == peak - now
    assert seen.from_fall(percentage) == now - fall
    assert seen.peak_to_fall(percentage) == peak - fall
    beyond, below = (107.0, 96.0) if side == "long" else (93.0, 104.0)
    assert view(row, beyond).from_peak(cost) == 0.0
    assert view(row, below).from_fall(cost) == 0.0


@sides
def test_whether_the_best_price_was_beyond_breakeven_is_judged_by_the_entry_of_now(side: PositionSide) -> None:
    near, far = (100.5, 100.7) if side == "long" else (99.5, 99.3)
    row = signal_row(side)
    assert not view(row.with_changes(peak=extreme(row, near))).peak_breakeven
    assert view(row.with_changes(peak=extreme(row, far))).peak_breakeven


@sides
@pytest.mark.parametrize(("price", "answer"), [(100.59, False), (100.61, True)])
def test_breakeven_is_possible_from_its_price_on(side: PositionSide, price: float, answer: bool) -> None:
    assert view(signal_row(side), price if side == "long" else 200 - price).breakeven is answer


def test_a_stop_in_profit_counts_as_breakeven() -> None:
    assert view(signal_row(trailing_price_stop_loss=102.0), 100.0).breakeven


@pytest.mark.parametrize(("price", "answer"), [(98.5, True), (98.49, False), (101.49, True), (101.51, False)])
def test_a_price_overlaps_a_level_within_the_ladder(price: float, answer: bool) -> None:
    assert Ladder().overlaps(100.0, price) is answer


def test_the_ladder_has_two_sides() -> None:
    ladder = Ladder(upper_percent=1.0, lower_percent=3.0)
    assert ladder.overlaps(100.0, 97.0)
    assert not ladder.overlaps(100.0, 102.0)


# -- what follows from a row ------------------------------------------------------------------------------------------


@sides
def test_the_stop_is_the_nearer_of_stop_loss_and_liquidation(side: PositionSide) -> None:
    near = PRICING.levels(signal_row(side, multiplier=5.0))
    assert (near.stop, near.liquidates) == (near.stop_loss, False)
    assert near.liquidation is not None
    high = PRICING.levels(signal_row(side, multiplier=20.0))
    assert (high.stop, high.liquidates) == (high.liquidation, True)


def test_without_isolated_margin_there_is_no_liquidation() -> None:
    levels = PRICING.levels(signal_row(multiplier=20.0, isolated=False))
    assert (levels.liquidation, levels.liquidates, levels.stop) == (None, False, 90.0)


def test_the_public_row_shows_what_is_in_force_and_what_was_given() -> None:
    row = signal_row(
        entries=[(100.0, 100.0), (96.0, 100.0)],
        trailing_price_stop_loss=95.0,
        trailing_price_take_profit=108.0,
        partials=(partial(25.0, 104.0, 200.0, 2),),
    )
    public = PRICING.public(row, 103.0)
    assert (public.price_stop_loss, public.original_price_stop_loss) == (95.0, 90.0)
    assert (public.price_take_profit, public.original_price_take_profit) == (108.0, 110.0)
    assert (public.price_open, public.original_price_open) == (PRICING.levels(row).effective, 100.0)
    assert (public.total_entries, public.total_partials, public.partial_executed) == (2, 1, 25.0)
    assert (public.entries, public.partials) == (row.entries, row.partials)


def test_extremes_start_at_the_profit_of_the_opening_or_the_best_one_at_0() -> None:
    row = signal_row()
    best, worst = PRICING.opening_extremes(row, START, from_zero=False)
    assert best == worst
    assert worst.pnl.pnl_percentage == -0.39960039960038823
    best, worst = PRICING.opening_extremes(row, START, from_zero=True)
    assert best.pnl.pnl_percentage == 0.0
    assert worst.pnl.pnl_percentage == -0.39960039960038823
