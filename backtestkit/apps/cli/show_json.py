"""Results of runs as JSON, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
import typer

if TYPE_CHECKING:
    from backtestkit.apps.cli.outcome import BacktestOutcome


def show_json(outcomes: Sequence[BacktestOutcome]) -> None:
    """Print a list with one object per run: its names, `error` (null when it went through), figures and summary."""
    typer.echo(orjson.dumps([run_object(outcome) for outcome in outcomes], option=orjson.OPT_INDENT_2).decode())


def run_object(outcome: BacktestOutcome) -> dict[str, Any]:
    """One run. Figures that a sample cannot carry are null."""
    key, result = outcome.run.key, outcome.result
    shown: dict[str, Any] = {
        "symbol": key.symbol,
        "strategy_name": key.strategy_name,
        "exchange_name": key.exchange_name,
        "frame_name": key.frame_name,
        "run": None if outcome.run.record is None else outcome.run.record.number,
        "error": None if outcome.error is None else str(outcome.error),
    }
    if result is not None:
        shown["statistics"] = result.statistics.figures()
        shown["summary"] = asdict(result.summary)
        shown["error_count"] = result.error_count
        shown["report"] = None if outcome.report is None else str(outcome.report)
    return shown
