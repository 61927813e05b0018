"""What became of one run, sweep or walk of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestResult, BacktestRun
    from backtestkit.api.sweep import SweepRun
    from backtestkit.model.sweep import SweepResult
    from backtestkit.model.walker import WalkerStatistics


Run = TypeVar("Run")
Result = TypeVar("Result")


@dataclass(slots=True)
class Outcome(Generic[Run, Result]):
    """A run or a sweep and what became of it: a result and the file of its report, or the error that came before."""

    run: Run
    result: Result | None = None
    report: Path | None = None
    error: BacktestKitError | OSError | None = None


BacktestOutcome: TypeAlias = "Outcome[BacktestRun, BacktestResult]"
SweepOutcome: TypeAlias = "Outcome[SweepRun, SweepResult]"


@dataclass(slots=True)
class WalkOutcome:
    """A walk and what became of it: a result and the file of its report, or the error that came before one of them."""

    walker_name: str
    symbol: str
    result: WalkerStatistics | None = None
    report: Path | None = None
    error: BacktestKitError | OSError | None = None

    @property
    def failed(self) -> bool:
        """Whether it came to nothing: it raised, or every candidate did."""
        walk = self.result
        return self.error is not None or walk is None or len(walk.failed) == walk.total_strategies
