"""What a walk goes through: candidates, in order, and where their backtests are run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from backtestkit.clients.state import Counters
from backtestkit.math import sampling
from backtestkit.model.result import ClosedResult
from backtestkit.model.schema import WalkerSchema


@dataclass(frozen=True, slots=True)
class Candidate:
    """One strategy to test, with the parameters to test it with. `label` is the name it is compared under."""

    label: str
    strategy_name: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tested:
    """What testing a candidate came to: closed trades, fingerprint and counters of its backtest, or what went wrong."""

    candidate: Candidate
    closed: tuple[ClosedResult, ...]
    fingerprint: str
    counters: Counters
    error: Exception | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk: the schema, the symbol, the policy of all its backtests, and the candidates."""

    schema: WalkerSchema
    symbol: str
    policy: Any
    candidates: tuple[Candidate, ...]
    stepping: bool = False


class Tester(Protocol):
    """Runs the backtests of candidates, here or in other processes, and gives them back in their order."""

    def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncIterator[Tested]:
        """Test all `candidates`; an error of one is part of its `Tested`."""
        ...


def candidates_of(schema: WalkerSchema) -> tuple[Candidate, ...]:
    """The candidates of a walk: its strategies, or one strategy over a space of parameters."""
    space = schema.space
    if space is None:
        return tuple(Candidate(name, name, {}) for name in schema.strategies)
    name = schema.strategies[0]
    if schema.method == "grid":
        points = sampling.grid(space)
    elif schema.method == "random":
        points = sampling.at_random(space, schema.samples, schema.seed)
    else:
        points = sampling.latin_hypercube(space, schema.samples, schema.seed)
    return tuple(Candidate(f"{name}({describe(point)})", name, point) for point in points)


def describe(params: dict[str, Any]) -> str:
    """Parameters in one line."""
    return ", ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items()
    )
