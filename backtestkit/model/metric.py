"""The figures that strategies can be compared by, by name.

A plain name such as `total_pnl` is a figure of the statistics of closed trades. A name with a point such as
`equity.sharpe_ratio` is one of the analysis, which values open positions by the minute; it is made only when somebody
asks for such a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from typing import Any, Final, Literal, TypeAlias

from backtestkit.model.analysis import (
    BenchmarkFigures,
    CostFigures,
    EquityFigures,
    ReturnFigures,
    TradeAnalysis,
    TradeQuality,
)
from backtestkit.model.statistics import BacktestStatistics

Direction: TypeAlias = Literal["maximise", "minimise"]

PARTS: Final[Mapping[str, type]] = {
    "equity": EquityFigures,
    "daily": ReturnFigures,
    "per_trade": ReturnFigures,
    "quality": TradeQuality,
    "costs": CostFigures,
    "benchmark": BenchmarkFigures,
}
"""The parts of an analysis that hold figures."""

_NUMBERS: Final = {"int", "float", "float | None"}


@lru_cache(maxsize=1)
def metric_names() -> tuple[str, ...]:
    """All of them, those of the statistics first."""
    nested = (f"{part}.{name}" for part, figures in PARTS.items() for name in _numeric(figures))
    return (*_numeric(BacktestStatistics), *nested)


def check_metric(name: object) -> str:
    """`name` when there is such a figure; `ValueError` with the near names when not."""
    names = metric_names()
    if isinstance(name, str) and name in names:
        return name
    near = get_close_matches(str(name), names, n=3, cutoff=0.5)
    hint = "did you mean " + " or ".join(map(repr, near)) + "?" if near else "such as 'total_pnl', 'sharpe_ratio'"
    raise ValueError(f"must be a figure of the statistics or of the analysis; {hint}")


def is_of_analysis(name: str) -> bool:
    """Whether the figure needs an analysis."""
    return "." in name


def read_analysis(names: Iterable[str], analysis: TradeAnalysis) -> dict[str, float | None]:
    """The figures of `analysis` by their full names; None for those of a part that it lacks."""
    found: dict[str, float | None] = {}
    for full in names:
        part, _, name = full.partition(".")
        found[full] = finite(getattr(getattr(analysis, part), name, None))
    return found


def finite(value: Any) -> float | None:
    """`value` when it is a finite number, else None."""
    return value if isinstance(value, int | float) and isfinite(value) else None


def _numeric(figures: type) -> list[str]:
    return [field.name for field in fields(figures) if field.type in _NUMBERS]
