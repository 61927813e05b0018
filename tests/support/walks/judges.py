"""Pruners and samplers of one's own, which processes can import."""

from __future__ import annotations

from typing import Any

import optuna


class GiveUpAt(optuna.pruners.BasePruner):
    """Gives up whatever reaches a checkpoint."""

    def __init__(self, checkpoint: int) -> None:
        self.checkpoint = checkpoint

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return trial.last_step is not None and trial.last_step >= self.checkpoint


class Same(optuna.samplers.BaseSampler):
    """Proposes the same point again and again."""

    def infer_relative_search_space(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        choices = getattr(param_distribution, "choices", None)
        return choices[0] if choices else param_distribution.low
