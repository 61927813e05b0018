"""The sweep: ideas go in with their candles, reports on every point of the grid come out.

Why it is fast: what an idea comes to by one value of one axis (its stop of 2 %, its hold of a day) is looked up once, in
columns and by searches (`math/sweep_exits`). A point of the grid only chooses the first of four such exits, for all ideas
and thousands of points in one comparison of matrices (`clients/sweep_sample`). No candle is looked at per point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, get_args

import numpy as np

from backtestkit.clients.sweep_sample import Entered, SampleGrid
from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs
from backtestkit.math.sweep_exits import NEVER, idea_exits
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.math.sweep_points import EXIT_REASONS
from backtestkit.math.sweep_profile import idea_profile
from backtestkit.model.candle import Candles, Integers
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.sweep import Idea, IdeaProfile, SweepOrder, SweepReport

ORDERS: Final[tuple[SweepOrder, ...]] = get_args(SweepOrder)
_EXPIRED, _TRUNCATED = EXIT_REASONS.index("time_expired"), EXIT_REASONS.index("data_truncated")


class ClientSweep:
    """One sweep over one symbol: `add` its ideas in their order, then make the `sample` of any part of them."""

    def __init__(self, grid: SweepGrid, *, policy: FillPolicy, costs: Costs, step: int) -> None:
        """`step` is the length of a candle, ms; a hold that is shorter raises `UsageError`."""
        if min(grid.hold_minutes) * MINUTE_MS < step:
            raise UsageError(
                f"hold_minutes={min(grid.hold_minutes)} is shorter than a candle of {step // MINUTE_MS} minutes. "
                f"Hold at least one candle, or use an exchange with finer ones."
            )
        self._grid, self._policy, self._costs, self._step = grid, policy, costs, step
        self._rules = grid.rules()
        self._entered: list[Entered] = []

    @property
    def profiles(self) -> tuple[IdeaProfile, ...]:
        """The profiles of the ideas so far."""
        return tuple(one.profile for one in self._entered)

    def add(self, idea: Idea, candles: Candles, known_until: int) -> IdeaProfile:
        """Take `idea`, which enters with the first of `candles`; these reach to the end of the longest hold, if they can.

        `known_until` (ms UTC) is up to when the market is known: what lies before it and is missing is a hole.
        """
        grid, step = self._grid, self._step
        entry = int(candles.timestamp[0])
        over = entry + np.array(grid.hold_minutes, dtype=np.int64) * MINUTE_MS
        covered = over <= known_until
        truncated = not covered.all()
        counts = candles.timestamp.searchsorted(over - step, side="right")
        missed = self._policy.forecast_truncated == "missed"
        cut = truncated & (counts == len(candles)) if missed else ~covered
        exits = idea_exits(
            candles,
            long=idea.direction == "long",
            grid=grid,
            counts=counts,
            policy=self._policy,
            costs=self._costs,
        )
        opened_at = np.where(exits.index == NEVER, 0, candles.timestamp[np.minimum(exits.index, len(candles) - 1)])
        profile = idea_profile(idea, candles, step=step, truncated=truncated)
        self._entered.append(
            Entered(
                profile=profile,
                exits=exits,
                opened_at=opened_at,
                minutes=np.maximum(0, opened_at + step - entry) // MINUTE_MS,
                reason=self._reasons(np.where(cut, _TRUNCATED, _EXPIRED)),
                counts=counts,
                graded=covered | missed,
            )
        )
        return profile

    def _reasons(self, of_holds: Integers) -> Integers:
        """The code of the reason of each column."""
        codes = np.empty(self._grid.holds.stop, dtype=np.int64)
        for code, columns in enumerate((self._grid.stops, self._grid.trails, self._grid.locks)):
            codes[columns] = code
        codes[self._grid.holds] = of_holds
        return codes

    def sample(self, rows: Iterable[int]) -> SampleGrid:
        """The grid over the ideas at the places `rows`, in the order in which they were added."""
        entered = [self._entered[row] for row in rows]
        return SampleGrid(self._grid, self._rules, entered, policy=self._policy, step=self._step)


def ranked(reports: Sequence[SweepReport], order: SweepOrder) -> list[SweepReport]:
    """The reports by a figure, highest first, those without it at the end; equal ones stay in their order."""

    def place(report: SweepReport) -> tuple[bool, float]:
        figure = report.figure(order)
        return (True, 0.0) if figure is None else (False, -figure)

    return sorted(reports, key=place)


def best_of(reports: Sequence[SweepReport], order: SweepOrder) -> SweepReport | None:
    """The first of the reports with the highest figure; None when none has it."""
    leader = max(reports, key=lambda report: _or_least(report.figure(order)), default=None)
    return None if leader is None or leader.figure(order) is None else leader


def _or_least(figure: float | None) -> float:
    return -np.inf if figure is None else figure
