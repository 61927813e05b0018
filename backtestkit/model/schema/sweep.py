"""The schema of sweeps: the grid of exit rules over which forecasts are graded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field

from backtestkit.errors import UsageError
from backtestkit.model.interval import parse_time
from backtestkit.model.schema.base import Checked, CompleteComplaint, Kind, Name, Schema, above_zero
from backtestkit.model.sweep import AuthorTracks, IdeaProfile, SweepOrder, SweepReport, SweepResult, SweepTrade


class SweepCallbacks(Checked, frozen=True):
    """Progress of a sweep.

    `on_ideas(symbol, total, directional)`, `on_profiles(symbol, profiles)`, `on_progress(symbol, stage, done, total)`
    with the ideas and then the points of the grid, `on_grid_point(symbol, report, trades)` for each point,
    `on_authors_trained(symbol, tracks)`, `on_ranking(symbol, criterion, reports, best)` and, at the end,
    `on_done(symbol, result)`. Points, tracks and ranking are those of the sample from which the winner is chosen.
    """

    subject: ClassVar[str] = "sweep callbacks"

    on_ideas: Callable[[str, int, int], object] | None = None
    on_profiles: Callable[[str, Sequence[IdeaProfile]], object] | None = None
    on_progress: Callable[[str, Literal["profiles", "grid"], int, int], object] | None = None
    on_grid_point: Callable[[str, SweepReport, Sequence[SweepTrade]], object] | None = None
    on_authors_trained: Callable[[str, AuthorTracks], object] | None = None
    on_ranking: Callable[[str, SweepOrder, Sequence[SweepReport], SweepReport | None], object] | None = None
    on_done: Callable[[str, SweepResult], object] | None = None


def _points(value: Any, what: str, of: Callable[[Any], float]) -> tuple[float, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError(f"must be a list of {what}")
    points = tuple(of(point) for point in value)
    if not points:
        raise ValueError("must have at least one value")
    doubled = sorted({point for point in points if points.count(point) > 1})
    if doubled:
        raise ValueError(f"has {', '.join(f'{point:g}' for point in doubled)} twice")
    return points


def _axis(value: Any) -> tuple[float, ...]:
    return _points(value, "numbers above 0", above_zero)


def _axis_below_100(value: Any) -> tuple[float, ...]:
    points = _axis(value)
    if max(points) >= 100:
        raise ValueError("must be percents below 100")
    return points


def _axis_with_zero(value: Any) -> tuple[float, ...]:
    return _points(value, "numbers of at least 0", lambda point: 0.0 if point == 0 else above_zero(point))


def _axis_of_minutes(value: Any) -> tuple[int, ...]:
    points = _points(value, "whole numbers of minutes", above_zero)
    if any(not point.is_integer() for point in points):
        raise ValueError("must be whole numbers of minutes")
    return tuple(int(point) for point in points)


Axis: TypeAlias = Annotated[tuple[float, ...], BeforeValidator(_axis)]
AxisBelow100: TypeAlias = Annotated[tuple[float, ...], BeforeValidator(_axis_below_100)]
AxisWithZero: TypeAlias = Annotated[tuple[float, ...], BeforeValidator(_axis_with_zero)]
AxisOfMinutes: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(_axis_of_minutes)]


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(float(x) for x in np.arange(first, last + step / 2, step))


class GridAxes(Checked, frozen=True):
    """The exit rules that a sweep tries: percents, and minutes to hold. 21,280 points when nothing is said.

    A profit lock of 0 means none.
    """

    subject: ClassVar[str] = "sweep grid"

    hard_stop_percent: Axis = _steps(1, 10, 0.5)
    trailing_take_percent: AxisBelow100 = _steps(0.5, 5, 0.5)
    hold_minutes: AxisOfMinutes = tuple(1440 * days for days in range(1, 15))
    profit_lock_percent: AxisWithZero = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)


HOLDOUT_PERCENT: Final = 30.0
"""How much of the ideas a sweep holds out unless told otherwise."""


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 100:
        raise ValueError("must be a percentage from 0 to below 100")
    return float(value)


def _minutes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a whole number of minutes of at least 0")
    return value


def _holdout_from(value: Any) -> datetime | None:
    try:
        return None if value is None else parse_time(value, "holdout_from")
    except UsageError as error:
        raise CompleteComplaint(str(error)) from None


Share: TypeAlias = Annotated[float, BeforeValidator(_share)]
Minutes: TypeAlias = Annotated[int, BeforeValidator(_minutes)]


class SweepSchema(Schema, frozen=True):
    """A grid of exit rules over which forecasts are graded."""

    subject: ClassVar[str] = "sweep"
    kind: ClassVar[Kind] = "sweep"

    sweep_name: Name = Field(description="The name to run it by.")
    exchange_name: Name = Field(description="Where the candles come from.")
    grid_axes: GridAxes = Field(default=GridAxes(), description="The values to try.")
    report_order: SweepOrder = Field(default="sharpe", description="What the reports are sorted by, best first.")
    holdout_percent: Share = Field(
        default=HOLDOUT_PERCENT,
        description="The newest ideas, percent of all, on which the winner is tried and nothing is chosen; 0 for none.",
    )
    holdout_from: Annotated[datetime | None, BeforeValidator(_holdout_from)] = Field(
        default=None, description="Hold out the ideas that enter from then on, in place of a percentage."
    )
    repeat_minutes: Minutes = Field(
        default=480,
        description="An idea so soon after the last one of its author and direction that was kept is a repeat, left out.",
    )
    note: str = Field(default="", description="Free text.")
    callbacks: SweepCallbacks | None = Field(default=None, description="Functions that are told the progress.")

    def _relations(self) -> Iterator[str]:
        if self.holdout_from is not None and self.holdout_percent != HOLDOUT_PERCENT:
            yield (
                f"holdout_percent={self.holdout_percent:g} has no place beside holdout_from={self.holdout_from}. "
                "Give one of them"
            )
