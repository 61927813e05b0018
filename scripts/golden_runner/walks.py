"""Walks in the form of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def as_recorded(steps: Sequence[Any], walked: Any) -> dict[str, Any]:
    """The steps of a walk and what it came to."""
    return {
        "steps": [
            {
                "strategy": step.result.strategy_name,
                "metric_value": step.result.metric_value,
                "best_metric": step.best_metric,
                "best_strategy": step.best_strategy,
                "strategies_tested": step.strategies_tested,
                "total_strategies": step.total_strategies,
            }
            for step in steps
        ],
        "best_strategy": walked.best_strategy,
        "best_metric": walked.best_metric,
        "metric": walked.metric,
        "strategy_results": [
            {
                "strategy": result.strategy_name,
                "metric_value": result.metric_value,
                "first_event_time": result.first_event_time,
                "last_event_time": result.last_event_time,
                "total_signals": result.stats.total_signals,
            }
            for result in walked.strategy_results
        ],
    }
