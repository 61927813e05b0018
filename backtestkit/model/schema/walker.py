"""The schema of walkers: what is tried, and by which figures it is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field

from backtestkit.model.metric import Direction, check_metric
from backtestkit.model.schema.base import Checked, Kind, Name, Names, Schema
from backtestkit.model.space import Axes, FloatRange, IntRange, count_of, describe_value

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
