"""Every exit that one idea can come to: one for each value of each axis, not for each point of the grid.

A rule leaves by its stop, its trailing exit, its lock or its time, and what that brings depends on one value of one axis.
So a grid of 21,280 points needs 51 exits of an idea, and a point only chooses among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtestkit.errors import RunError
from backtestkit.math.profit import Costs, whole_profit
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.math.sweep_touch import (
    SignedPath,
    first_fallen,
    first_given_back,
    first_retraced,
    first_risen,
    signed_path,
)
from backtestkit.model.candle import Candles, Flags, Floats, Integers
from backtestkit.model.fill_policy import FillPolicy

NEVER = np.iinfo(np.int32).max
"""The index of a candle that there is not."""
TOLERANCE_PERCENT = 0.01


@dataclass(frozen=True, slots=True)
class IdeaExits:
    """The exits of one idea, in columns as the grid numbers them: stops, trailing exits, locks, holds.

    - `index`: the candle at which each exit happens, `NEVER` for never; for a hold its last candle.
    - `price`: as quoted; `pnl`: percent, net; both NaN for never.
    - `profit_column`, `profit_index`: for each pair of a trailing exit and a lock the exit that comes first, and when.
    - `stop_touch`, `profit_touch`: the candles at which the stop, and the lock or the arming level, are touched, for the
      grading.
    """

    index: Integers
    price: Floats
    pnl: Floats
    profit_column: Integers
    profit_index: Integers
    stop_touch: Integers
    profit_touch: Integers


def idea_exits(
    candles: Candles, *, long: bool, grid: SweepGrid, counts: Integers, policy: FillPolicy, costs: Costs
) -> IdeaExits:
    """The exits of a position that enters at the first open of `candles`; each hold lasts `counts` of them.

    `RunError` when an exit at a level brings less than its level and the costs allow, which is a sign of costs or levels
    without sense.
    """
    path = signed_path(candles, long=long)
    sign, entry = path.sign, float(path.open[0])
    slipped = policy.forecast_entry == "slipped"
    base = entry * (1 + sign * (costs.percent_slippage / 100)) if slipped else entry
    stops, factors, locks = _levels(grid, sign, base)
    peaks = path.peaks(base)
    index = np.concatenate((
        first_fallen(path.worst, stops),
        first_retraced(path, peaks, base, factors),
        first_given_back(path, peaks, locks),
        counts - 1,
    ))  # fmt: skip
    index[grid.unlocked] = len(path)
    at = np.minimum(index, len(path) - 1)
    level = np.concatenate((stops, peaks[at[grid.trails]] * factors, locks, path.close[at[grid.holds]]))
    price = level if policy.gapped_stop == "level" else _filled(path, level, at, grid)
    never = index >= len(path)
    index[never] = NEVER
    pnl = _profits(price * sign, never, sign, entry * sign, base * sign, slipped, costs)
    if policy.gapped_stop == "level":
        _check_sense(pnl, grid, costs)
    column, first = _first_profit(index, level, grid)
    graded = _levels(grid, sign, entry) if slipped else (stops, factors, locks)
    stop_touch, profit_touch = _touches(path, entry, graded, grid)
    return IdeaExits(index, np.where(never, np.nan, price * sign), pnl, column, first, stop_touch, profit_touch)


def _levels(grid: SweepGrid, sign: int, base: float) -> tuple[Floats, Floats, Floats]:
    """Signed stops, factors of trailing exits and signed locks of an entry at the signed price `base`."""
    stops = base * (1 - sign * np.array(grid.hard_stop_percent) / 100)
    factors = 1 - sign * (np.array(grid.trailing_take_percent) / 100)
    locks = base * (1 + sign * np.array(grid.profit_lock_percent) / 100)
    return stops, factors, locks


def _filled(path: SignedPath, level: Floats, at: Integers, grid: SweepGrid) -> Floats:
    """What an exit fills at: its level, or the open of a candle that opens beyond it."""
    price = np.minimum(level, path.open[at])
    price[grid.holds] = level[grid.holds]
    return price


def _profits(price: Floats, never: Flags, sign: int, entry: float, base: float, slipped: bool, costs: Costs) -> Floats:
    """Net profit of each exit, percent."""
    if slipped:
        pnl = sign * (price * (1 - sign * (costs.percent_slippage / 100)) - base) / base * 100 - 2 * costs.percent_fee
        return np.where(never, np.nan, pnl)
    return np.array([
        np.nan if absent else whole_profit(sign > 0, entry, 100.0, 1.0, exit_price, costs).pnl_percentage
        for exit_price, absent in zip(price.tolist(), never.tolist(), strict=True)
    ])  # fmt: skip


def _check_sense(pnl: Floats, grid: SweepGrid, costs: Costs) -> None:
    margin = 2 * costs.percent_fee + 4 * costs.percent_slippage + TOLERANCE_PERCENT
    for part, name, least in (
        (grid.stops, "hard stop", -np.array(grid.hard_stop_percent)),
        (grid.trails, "trailing take", np.zeros(len(grid.trailing_take_percent))),
        (grid.locks, "profit lock", np.array(grid.profit_lock_percent)),
    ):
        for brought, bound in zip(pnl[part].tolist(), (least - margin).tolist(), strict=True):
            if brought < bound:
                raise RunError(
                    f"an exit by {name} brings {brought:.4g} %, less than the {bound:.4g} % that its level and the costs "
                    f"(fee {costs.percent_fee:g} %, slippage {costs.percent_slippage:g} %) allow. Check the grid and the costs."
                )


def _first_profit(index: Integers, level: Floats, grid: SweepGrid) -> tuple[Integers, Integers]:
    """The exit that comes first of each trailing exit and lock; on one candle the better level, the trailing one of equals."""
    trail, lock = index[grid.trails][:, None], index[grid.locks][None, :]
    higher = level[grid.trails][:, None] >= level[grid.locks][None, :]
    by_trail = (trail < lock) | ((trail == lock) & higher)
    columns = np.arange(len(index))
    column = np.where(by_trail, columns[grid.trails][:, None], columns[grid.locks][None, :])
    return column.ravel(), np.minimum(trail, lock).ravel()


def _touches(
    path: SignedPath, entry: float, levels: tuple[Floats, Floats, Floats], grid: SweepGrid
) -> tuple[Integers, Integers]:
    """When wicks touch each stop, and each pair of arming level and lock."""
    stops, factors, locks = levels
    risen = first_risen(path.best, locks)
    risen[np.array(grid.profit_lock_percent) == 0] = NEVER
    armed = first_risen(path.best, entry / factors)
    stop = first_fallen(path.worst, stops)
    profit = np.minimum(armed[:, None], risen[None, :]).ravel()
    stop[stop >= len(path)] = NEVER
    profit[profit >= len(path)] = NEVER
    return stop, profit
