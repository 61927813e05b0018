"""The schemas of walkers and sweeps: comparing strategies, and grading forecasts over a grid of exit rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, get_args

import numpy as np
from pydantic import BeforeValidator, Field

from backtestkit.errors import UsageError
from backtestkit.model.interval import parse_time
from backtestkit.model.metric import Direction, check_metric
from backtestkit.model.schema.base import Checked, CompleteComplaint, Kind, Name, Names, Schema, above_zero
from backtestkit.model.space import Axes, FloatRange, IntRange, count_of, describe_value
from backtestkit.model.sweep import AuthorTracks, IdeaProfile, SweepOrder, SweepReport, SweepResult, SweepTrade

SpaceMethod: TypeAlias = Literal["grid", "random", "latin_hypercube", "optuna"]
SamplerName: TypeAlias = Literal["tpe", "nsga2", "cma_es", "random"]
PrunerName: TypeAlias = Literal["median", "successive_halving", "hyperband"]
POINTS_MAX = 1_000_000
"""How many points a grid may have."""


def _metric(value: Any) -> str:
    return check_metric(value)


def _metrics(value: Any) -> dict[str, Direction]:
    if not isinstance(value, Mapping):
        raise ValueError("must be directions by figure, such as {'total_pnl': 'maximise', 'max_drawdown': 'minimise'}")
    for name, direction in value.items():
        try:
            check_metric(name)
        except ValueError as error:
            raise ValueError(f"names {name!r}, which {error}") from None
        if direction not in ("maximise", "minimise"):
            raise ValueError(f"has direction {direction!r} for {name!r}; it must be 'maximise' or 'minimise'")
    if len(value) < 2:
        raise ValueError("must name at least two figures; for one there are metric and direction")
    return dict(value)


def _space(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        name: axis if isinstance(axis, FloatRange | IntRange) else _axis_values(name, axis)
        for name, axis in value.items()
    }


def _axis_values(name: Any, given: Any) -> tuple[Any, ...]:
    if isinstance(given, str | bytes | Mapping | Set) or not isinstance(given, Iterable):
        raise ValueError(f"must have a list of values, an IntRange or a FloatRange for {name!r}, not {given!r}")
    values = tuple(given)
    if not values:
        raise ValueError(f"must have at least one value for {name!r}")
    shown = [describe_value(value) for value in values]
    alike = next((text for text in shown if shown.count(text) > 1), None)
    if alike is not None:
        raise ValueError(f"has {alike} for {name!r} twice")
    return values


def _sampler(value: Any) -> Any:
    return _name_or_object(
        value, get_args(SamplerName), ("sample_relative", "sample_independent"), "a sampler of optuna"
    )


def _pruner(value: Any) -> Any:
    if value is None or value is False:
        return None
    if value is True:
        return "median"
    return _name_or_object(value, get_args(PrunerName), ("prune",), "a pruner of optuna")


def _name_or_object(value: Any, names: Sequence[str], methods: Sequence[str], what: str) -> Any:
    known = value in names if isinstance(value, str) else all(callable(getattr(value, m, None)) for m in methods)
    if not known:
        raise ValueError(f"must be {', '.join(map(repr, names))} or {what}")
    return value


Metric: TypeAlias = Annotated[str, BeforeValidator(_metric)]
Metrics: TypeAlias = Annotated[Mapping[str, Direction], BeforeValidator(_metrics)]
Space: TypeAlias = Annotated[Axes, BeforeValidator(_space)]
Sampler: TypeAlias = Annotated[Any, BeforeValidator(_sampler)]
Pruner: TypeAlias = Annotated[Any, BeforeValidator(_pruner)]


class WalkerCallbacks(Checked, frozen=True):
    """Progress of a walk.

    `on_strategy_start(strategy, symbol)`, then one of `on_strategy_complete(strategy, symbol, stats, metric)`,
    `on_strategy_error(strategy, symbol, error)` and `on_strategy_pruned(strategy, symbol, metric)`; at the end
    `on_complete(results)`.
    """

    subject: ClassVar[str] = "walker callbacks"

    on_strategy_start: Callable[[str, str], object] | None = None
    on_strategy_complete: Callable[[str, str, Any, float | None], object] | None = None
    on_strategy_error: Callable[[str, str, BaseException], object] | None = None
    on_strategy_pruned: Callable[[str, str, float | None], object] | None = None
    on_complete: Callable[[Any], object] | None = None


class WalkerSchema(Schema, frozen=True):
    """Strategies to be compared over one frame."""

    subject: ClassVar[str] = "walker"
    kind: ClassVar[Kind] = "walker"

    walker_name: Name = Field(description="The name to run it by.")
    exchange_name: Name = Field(description="The exchange of all runs.")
    frame_name: Name = Field(description="The frame of all runs.")
    strategies: Names = Field(description="The strategies, in the order in which they run.")
    metric: Metric = Field(
        default="sharpe_ratio",
        description="The figure that is compared: one of the statistics, or of the analysis such as `equity.calmar_ratio`.",
    )
    direction: Direction = Field(default="maximise", description="Whether more or less is better.")
    metrics: Metrics | None = Field(
        default=None,
        description="Several figures, each with its direction, in the place of `metric` and `direction`. What no other "
        "strategy beats in all of them is on the front; the first figure decides the ranking.",
    )
    space: Space | None = Field(
        default=None,
        description="Values to try for each parameter of the one strategy, which reads them with `get_params()`: lists, "
        "`IntRange`, `FloatRange`.",
    )
    method: SpaceMethod = Field(default="grid", description="Which points of the space are tried.")
    samples: int = Field(default=50, ge=1, description="How many points are tried by methods other than `grid`.")
    seed: int = Field(default=0, ge=0, description="Makes the choice of points repeatable.")
    sampler: Sampler = Field(
        default="tpe", description="How `optuna` chooses: `tpe`, `nsga2`, `cma_es`, `random` or a sampler of its own."
    )
    batch: int = Field(
        default=1,
        ge=1,
        description="How many points `optuna` chooses at a time. They can be tested at once, and do not learn from each other.",
    )
    pruner: Pruner = Field(
        default=None,
        description="Gives up strategies that fall behind, with `optuna`: `median` (or True), `successive_halving`, "
        "`hyperband` or a pruner of its own. None tests all of them to the end.",
    )
    checkpoints: int = Field(
        default=10,
        ge=2,
        description="The pruner is asked after each of that many equal parts of the frame but the last.",
    )
    note: str = Field(default="", description="Free text.")
    callbacks: WalkerCallbacks | None = Field(default=None, description="Functions that are told the progress.")

    @property
    def objectives(self) -> Mapping[str, Direction]:
        """The figures that are compared, the one that ranks first, each with its direction."""
        return self.metrics or {self.metric: self.direction}

    def _relations(self) -> Iterator[str]:
        if not self.strategies:
            yield "strategies=() must name at least one strategy"
        if self.space is not None and len(self.strategies) > 1:
            yield f"space needs exactly one strategy; strategies={self.strategies!r} names {len(self.strategies)}"
        if self.space is not None and not self.space:
            yield "space={} must name at least one parameter"
        yield from self._of_grid() if self.method == "grid" else ()
        yield from self._of_optuna()

    def _of_grid(self) -> Iterator[str]:
        points = 1
        for name, axis in (self.space or {}).items():
            count = count_of(axis)
            if count is None:
                yield (
                    f"space has {axis!r} for {name!r}, which a grid cannot count; give a list or a range with step and "
                    f"without log, or choose another method"
                )
                return
            points *= count
        if points > POINTS_MAX:
            yield f"space has {points:,} points; a grid may have {POINTS_MAX:,}. Choose some with another method"

    def _of_optuna(self) -> Iterator[str]:
        if self.method == "optuna":
            if self.space is None:
                yield "method='optuna' needs a space"
            if self.pruner is not None and self.metrics is not None:
                yield f"pruner={self.pruner!r} compares one figure; metrics names {len(self.metrics)}"
            return
        for name, unused in (("sampler", "tpe"), ("batch", 1), ("pruner", None)):
            value = getattr(self, name)
            if value is not unused and value != unused:
                yield f"{name}={value!r} needs method='optuna'; method={self.method!r} does not use it"


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
