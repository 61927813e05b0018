"""Where the candidates of a walk come from: a list that is known beforehand, or a search that learns."""

from __future__ import annotations

from collections.abc import Sequence

from backtestkit.math import sampling
from backtestkit.model.schema import WalkerSchema
from backtestkit.services.logic.walk import Candidate, Source, Tested


class FixedSource:
    """Candidates that are known beforehand, all of them at once."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        """`candidates` in the order in which they are tested."""
        self._left = list(candidates)
        self.total = len(candidates)

    def propose(self) -> Sequence[Candidate]:
        """All of them, the first time."""
        proposed, self._left = self._left, []
        return proposed

    def tell(self, tested: Tested, values: Sequence[float | None]) -> None:
        """Nothing depends on outcomes."""


def source_of(schema: WalkerSchema) -> Source:
    """The candidates of a walk: its strategies, or one strategy over a space of parameters."""
    space = schema.space
    if space is None:
        return FixedSource([Candidate(name, name, {}) for name in schema.strategies])
    if schema.method == "optuna":
        from backtestkit.services.logic.walker_optuna import OptunaSource  # optuna is an extra

        return OptunaSource(schema)
    if schema.method == "grid":
        points = sampling.grid(space)
    elif schema.method == "random":
        points = sampling.at_random(space, schema.samples, schema.seed)
    else:
        points = sampling.latin_hypercube(space, schema.samples, schema.seed)
    return FixedSource([Candidate.of_point(schema.strategies[0], point) for point in points])
