"""What became of one run of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestResult, BacktestRun


@dataclass(slots=True)
class Outcome:
    """A run and what became of it: a result and the file of its report, or the error that came before one of them."""

    run: BacktestRun
    result: BacktestResult | None = None
    report: Path | None = None
    error: BacktestKitError | OSError | None = None
