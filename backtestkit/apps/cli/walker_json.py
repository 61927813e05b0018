"""Results of walks as JSON, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
import typer

from backtestkit.services.report.walker_report import in_words, ranked

if TYPE_CHECKING:
    from backtestkit.apps.cli.outcome import WalkOutcome


def show_walks_json(outcomes: Sequence[WalkOutcome], top: int | None) -> None:
    """Print a list with one object per walk; parameters that JSON does not have become text."""
    shown = [walk_object(outcome, top) for outcome in outcomes]
    typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2, default=str).decode())


def walk_object(outcome: WalkOutcome, top: int | None) -> dict[str, Any]:
    """One walk: its names, `error` (null when it went through), and its candidates down to place `top`, or all."""
    walk = outcome.result
    shown: dict[str, Any] = {
        "walker_name": outcome.walker_name,
        "symbol": outcome.symbol,
        "error": None if outcome.error is None else str(outcome.error),
    }
    if walk is None:
        return shown
    return shown | {
        "exchange_name": walk.exchange_name,
        "frame_name": walk.frame_name,
        "objectives": dict(walk.objectives),
        "total_strategies": walk.total_strategies,
        "tested": len(walk.strategy_results),
        "best_strategy": walk.best_strategy,
        "best_metric": walk.best_metric,
        "front": list(walk.front),
        "ranking": [
            {
                "rank": place,
                "strategy_name": result.strategy_name,
                "params": dict(result.params),
                "metrics": dict(result.metric_values),
                "error_count": result.error_count,
                "newest_error": result.newest_error,
                "statistics": result.stats.figures(),
            }
            for place, result in enumerate(ranked(walk)[:top], 1)
        ],
        "failed": [
            {"strategy_name": failure.strategy_name, "params": dict(failure.params), "error": in_words(failure.error)}
            for failure in walk.failed
        ],
        "pruned": [
            {
                "strategy_name": pruned.strategy_name,
                "params": dict(pruned.params),
                "checkpoint": pruned.checkpoint,
                "metric": pruned.metric_value,
            }
            for pruned in walk.pruned
        ],
        "report": None if outcome.report is None else str(outcome.report),
    }
