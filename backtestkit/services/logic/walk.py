"""What a walk goes through: a source proposes candidates, a tester runs their backtests and gives them back in order.

A source is a deterministic function of its seed and of what it has been told, and a candidate is what its strategy and
parameters are. So a walk is the same wherever its candidates are tested, and asking a new source while telling it known
outcomes leads to where an earlier one stood.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backtestkit.clients.state import Counters
from backtestkit.model.metric import Direction
from backtestkit.model.result import ClosedResult
from backtestkit.model.run_record import RunRecord
from backtestkit.model.schema import WalkerSchema
from backtestkit.model.space import describe_params


class Judge(Protocol):
    """Says whether a candidate is worth going on with. It travels to where the candidate is tested."""

    def begin(self) -> Callable[[int, float], bool]:
        """A function of one test: given a checkpoint, counted from 1, and the figure there, True to give up."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One strategy to test, with the parameters to test it with: this is its identity.

    `label` is the name it is compared under, made of both. `judge` may give it up on the way.
    """

    label: str
    strategy_name: str
    params: dict[str, Any]
    judge: Judge | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of_point(cls, strategy_name: str, params: dict[str, Any]) -> Candidate:
        """The candidate of a point of a space."""
        return cls(f"{strategy_name}({describe_params(params)})", strategy_name, params)


@dataclass(frozen=True, slots=True)
class Tested:
    """What testing a candidate came to: all that a result is made of, or what went wrong.

    - `closed`, `fingerprint`, `counters`: those of its backtest, as far as it went. `error_count`: how often user code
      raised and the backtest went on; `newest_error`: the last such error in words.
    - `figures`: the figures of the analysis that were asked for, by name.
    - `checkpoints`: the compared figure at each checkpoint that was passed. `pruned`: it was given up at the last one.
    - `record`: what the run store keeps of it; None when runs are not kept, and for one that was kept before.
    """

    candidate: Candidate
    closed: tuple[ClosedResult, ...] = ()
    fingerprint: str = ""
    counters: Counters = field(default_factory=Counters)
    error_count: int = 0
    newest_error: str = ""
    error: Exception | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    checkpoints: tuple[float | None, ...] = ()
    pruned: bool = False
    record: RunRecord | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which all candidates of a walk are tested. They can travel, which a schema with its functions cannot.

    `objectives` are the compared figures; `checkpoints` are the parts of the frame after which a judge is asked.
    """

    symbol: str
    exchange_name: str
    frame_name: str
    policy: Any
    stepping: bool
    objectives: Mapping[str, Direction]
    checkpoints: int


class Source(Protocol):
    """Where candidates come from."""

    @property
    def total(self) -> int:
        """How many candidates there will be."""
        ...

    def propose(self) -> Sequence[Candidate]:
        """The next candidates, which may be tested at once; none when that was all."""
        ...

    def tell(self, tested: Tested, values: Sequence[float | None]) -> None:
        """Take note of an outcome, in the order of the proposals; `values` are the compared figures."""
        ...


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk: the schema, the symbol, the policy of all its backtests, and the source of its candidates."""

    schema: WalkerSchema
    symbol: str
    policy: Any
    source: Source
    stepping: bool = False

    @property
    def conditions(self) -> Conditions:
        """What a tester has to know."""
        schema = self.schema
        return Conditions(
            self.symbol,
            schema.exchange_name,
            schema.frame_name,
            self.policy,
            self.stepping,
            schema.objectives,
            schema.checkpoints,
        )


class Tester(Protocol):
    """Runs the backtests of candidates, here or in other processes, and gives them back in their order."""

    def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncGenerator[Tested, None]:
        """Test all `candidates`; an error of one is part of its `Tested`."""
        ...
