"""The schemas of walkers and sweeps: comparing strategies, and grading forecasts over a grid of exit rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field

from backtestkit.model.schema.base import Checked, Kind, Name, Names, Schema, above_zero

WalkerMetric: TypeAlias = Literal[
    "sharpe_ratio", "annualized_sharpe_ratio", "win_rate", "total_pnl", "certainty_ratio", "avg_pnl",
    "expected_yearly_returns", "sortino_ratio", "calmar_ratio", "recovery_factor", "profit_factor", "expectancy",
    "median_pnl", "total_pnl_cost", "std_dev", "max_drawdown", "avg_duration", "total_signals",
]  # fmt: skip
SpaceMethod: TypeAlias = Literal["grid", "random", "latin_hypercube"]


def _space(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    space: dict[str, tuple[Any, ...]] = {}
    for name, values in value.items():
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise ValueError(f"must have a list of values for {name!r}, not {values!r}")
        space[name] = tuple(values)
        if not space[name]:
            raise ValueError(f"must have at least one value for {name!r}")
    return space


Space: TypeAlias = Annotated[Mapping[str, Sequence[Any]], BeforeValidator(_space)]


class WalkerCallbacks(Checked, frozen=True):
    """Progress of a walk.

    `on_strategy_start(strategy, symbol)`, `on_strategy_complete(strategy, symbol, stats, metric)`,
    `on_strategy_error(strategy, symbol, error)` and, at the end, `on_complete(results)`.
    """

    subject: ClassVar[str] = "walker callbacks"

    on_strategy_start: Callable[[str, str], object] | None = None
    on_strategy_complete: Callable[[str, str, Any, float | None], object] | None = None
    on_strategy_error: Callable[[str, str, BaseException], object] | None = None
    on_complete: Callable[[Any], object] | None = None


class WalkerSchema(Schema, frozen=True):
    """Strategies to be compared over one frame."""

    subject: ClassVar[str] = "walker"
    kind: ClassVar[Kind] = "walker"

    walker_name: Name = Field(description="The name to run it by.")
    exchange_name: Name = Field(description="The exchange of all runs.")
    frame_name: Name = Field(description="The frame of all runs.")
    strategies: Names = Field(description="The strategies, in the order in which they run.")
    metric: WalkerMetric = Field(default="sharpe_ratio", description="The figure of the statistics that is compared.")
    direction: Literal["maximise", "minimise"] = Field(
        default="maximise", description="Whether more or less is better."
    )
    space: Space | None = Field(
        default=None,
        description="Values to try for each parameter of the one strategy, which reads them with `get_params()`.",
    )
    method: SpaceMethod = Field(default="grid", description="Which points of the space are tried.")
    samples: int = Field(default=50, ge=1, description="How many points `random` and `latin_hypercube` try.")
    seed: int = Field(default=0, ge=0, description="Makes the choice of points repeatable.")
    note: str = Field(default="", description="Free text.")
    callbacks: WalkerCallbacks | None = Field(default=None, description="Functions that are told the progress.")

    def _relations(self) -> Iterator[str]:
        if not self.strategies:
            yield "strategies=() must name at least one strategy"
        if self.space is not None and len(self.strategies) > 1:
            yield f"space needs exactly one strategy; strategies={self.strategies!r} names {len(self.strategies)}"
        if self.space is not None and not self.space:
            yield "space={} must name at least one parameter"


class SweepCallbacks(Checked, frozen=True):
    """Progress of a sweep."""

    subject: ClassVar[str] = "sweep callbacks"

    on_ideas: Callable[[str, int, int], object] | None = None
    on_profiles: Callable[[str, Any], object] | None = None
    on_progress: Callable[[str, Literal["profiles", "grid"], int, int], object] | None = None
    on_authors_trained: Callable[[str, Any], object] | None = None
    on_grid_point: Callable[[str, Any, Any], object] | None = None
    on_ranking: Callable[[str, str, Any, Any], object] | None = None
    on_done: Callable[[str, Any], object] | None = None


def _axis(value: Any) -> tuple[float, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError("must be a list of numbers above 0")
    points = tuple(above_zero(point) for point in value)
    if not points:
        raise ValueError("must have at least one value")
    return points


Axis: TypeAlias = Annotated[tuple[float, ...], BeforeValidator(_axis)]


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(float(x) for x in np.arange(first, last + step / 2, step))


class GridAxes(Checked, frozen=True):
    """The exit rules that a sweep tries: percents, and minutes to hold. 21,280 points when nothing is said."""

    subject: ClassVar[str] = "sweep grid"

    hard_stop_percent: Axis = _steps(1, 10, 0.5)
    trailing_take_percent: Axis = _steps(0.5, 5, 0.5)
    hold_minutes: Axis = tuple(1440.0 * days for days in range(1, 15))
    profit_lock_percent: Axis = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)


class SweepSchema(Schema, frozen=True):
    """A grid of exit rules over which forecasts are graded."""

    subject: ClassVar[str] = "sweep"
    kind: ClassVar[Kind] = "sweep"

    sweep_name: Name = Field(description="The name to run it by.")
    exchange_name: Name = Field(description="Where the candles come from.")
    grid_axes: GridAxes = Field(default=GridAxes(), description="The values to try.")
    report_order: Literal["sharpe", "sortino", "pnl", "recovery"] = Field(
        default="sharpe", description="What the reports are sorted by, best first."
    )
    note: str = Field(default="", description="Free text.")
    callbacks: SweepCallbacks | None = Field(default=None, description="Functions that are told the progress.")
