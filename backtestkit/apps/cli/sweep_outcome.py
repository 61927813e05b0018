"""What became of one sweep of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backtestkit.errors import BacktestKitError

if TYPE_CHECKING:
    from backtestkit.api.sweep import SweepRun
    from backtestkit.model.sweep import SweepResult


@dataclass(slots=True)
class SweepOutcome:
    """A sweep and what became of it: a result and the file of its report, or the error that came before one of them."""

    run: SweepRun
    result: SweepResult | None = None
    report: Path | None = None
    error: BacktestKitError | OSError | None = None
