"""What became of one run or walk of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestResult, BacktestRun
    from backtestkit.model.walker import WalkerStatistics


@dataclass(slots=True)
class Outcome:
    """A run and what became of it: a result and the file of its report, or the error that came before one of them."""

    run: BacktestRun
    result: BacktestResult | None = None
    report: Path | None = None
    error: BacktestKitError | OSError | None = None


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
