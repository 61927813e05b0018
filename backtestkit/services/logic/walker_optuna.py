"""Candidates that optuna chooses, learning from what became of the earlier ones.

optuna is only asked and told: it neither runs nor stores anything. What is told comes in the order of the proposals,
whoever tested them, so a seed and a batch size make a walk that any number of processes repeats.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

from backtestkit.math import sampling
from backtestkit.model.schema import WalkerSchema
from backtestkit.model.space import Axis, FloatRange, IntRange, count_of, value_of
from backtestkit.runtime.optional import optional_package
from backtestkit.services.logic.walk import Candidate, Tested

REPEATS_MAX: Final = 100
"""Known points that are proposed in a row before the search is taken to have converged."""

DIRECTIONS: Final = {"maximise": "maximize", "minimise": "minimize"}


class OptunaSource:
    """Proposes points of a space in batches. A point that is proposed again is answered from memory."""

    def __init__(self, schema: WalkerSchema) -> None:
        """`UsageError` when optuna, or what a sampler needs, is not installed."""
        assert schema.space is not None, schema
        self._optuna = optional_package("optuna")
        self._space, self._strategy, self._batch = schema.space, schema.strategies[0], schema.batch
        self._judged = schema.pruner is not None
        points = sampling.size(schema.space)
        self.total = schema.samples if points is None else min(schema.samples, points)
        self._storage = self._optuna.storages.InMemoryStorage()
        with quiet(self._optuna):
            self._study = self._optuna.create_study(
                storage=self._storage,
                study_name=schema.walker_name,
                directions=[DIRECTIONS[direction] for direction in schema.objectives.values()],
                sampler=sampler_of(self._optuna, schema),
                pruner=pruner_of(self._optuna, schema),
            )
        self._axes = {name: distribution(self._optuna, axis) for name, axis in schema.space.items()}
        self._proposed = 0
        self._trials: dict[str, list[Any]] = {}  # by label, until their outcome is known
        self._known: dict[str, tuple[Tested, Sequence[float | None]]] = {}

    def propose(self) -> Sequence[Candidate]:
        """The next batch, fewer at the end; none when all samples are proposed or nothing new is found."""
        batch: list[tuple[Candidate, int]] = []
        while len(batch) < self._batch and self._proposed < self.total:
            found = self._new()
            if found is None:
                self.total = self._proposed
                break
            batch.append(found)
            self._proposed += 1
        if not self._judged or not batch:
            return [candidate for candidate, _ in batch]
        with quiet(self._optuna):
            study = pickle.dumps((self._storage, self._study.pruner))
        name = self._study.study_name
        return [replace(candidate, judge=OptunaJudge(study, name, number)) for candidate, number in batch]

    def tell(self, tested: Tested, values: Sequence[float | None]) -> None:
        """Let optuna know an outcome, for each time that the point was proposed."""
        label = tested.candidate.label
        self._known[label] = tested, values
        for trial in self._trials.pop(label):
            self._tell(trial, tested, values)

    def _new(self) -> tuple[Candidate, int] | None:
        """A point that was not proposed before, and the number of its trial."""
        for _ in range(REPEATS_MAX):
            with quiet(self._optuna):
                trial = self._study.ask(self._axes)
            point = {name: value_at(axis, trial.params[name]) for name, axis in self._space.items()}
            candidate = Candidate.of_point(self._strategy, point)
            if candidate.label in self._known:
                self._tell(trial, *self._known[candidate.label])
            elif candidate.label in self._trials:
                self._trials[candidate.label].append(trial)
            else:
                self._trials[candidate.label] = [trial]
                return candidate, trial.number
        return None

    def _tell(self, trial: Any, tested: Tested, values: Sequence[float | None]) -> None:
        """Tell the outcome of one trial.

        One that raised says nothing about its point; one without a figure is as bad as one that was given up.
        """
        states = self._optuna.trial.TrialState
        with quiet(self._optuna):
            for checkpoint, value in enumerate(tested.checkpoints, 1):
                if value is not None:
                    trial.report(value, checkpoint)
                    trial.should_prune()  # some pruners note down who has passed
            if tested.error is not None:
                self._study.tell(trial, state=states.FAIL)
            elif tested.pruned or None in values:
                self._study.tell(trial, state=states.PRUNED)
            else:
                self._study.tell(trial, list(values))


@dataclass(frozen=True, slots=True)
class OptunaJudge:
    """A pruner with what was known when its candidate was proposed, in a form that travels."""

    study: bytes
    name: str
    number: int

    def begin(self) -> Callable[[int, float], bool]:
        """Ask the pruner about one test."""
        optuna = optional_package("optuna")
        storage, pruner = pickle.loads(self.study)
        study = optuna.load_study(
            study_name=self.name, storage=storage, sampler=optuna.samplers.RandomSampler(0), pruner=pruner
        )
        number = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(self.name), self.number)
        trial = optuna.trial.Trial(study, number)

        def gives_up(checkpoint: int, value: float) -> bool:
            with quiet(optuna):
                trial.report(value, checkpoint)
                return bool(trial.should_prune())

        return gives_up


@contextmanager
def quiet(optuna: ModuleType) -> Iterator[None]:
    """Without the lines that optuna logs about studies which only we know of."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def sampler_of(optuna: ModuleType, schema: WalkerSchema) -> Any:
    """The sampler of a schema. One of the user's own is copied, so that the next walk begins where this one did."""
    chosen, seed = schema.sampler, schema.seed
    if not isinstance(chosen, str):
        return deepcopy(chosen)
    samplers = optuna.samplers
    if chosen == "tpe":
        return samplers.TPESampler(seed=seed)
    if chosen == "nsga2":
        return samplers.NSGAIISampler(seed=seed)
    if chosen == "random":
        return samplers.RandomSampler(seed=seed)
    optional_package("cmaes")  # which optuna imports when it samples, too late to say so
    return samplers.CmaEsSampler(seed=seed)


def pruner_of(optuna: ModuleType, schema: WalkerSchema) -> Any:
    """The pruner of a schema, copied if it is one of the user's own."""
    pruners = optuna.pruners
    named: Mapping[Any, Callable[[], Any]] = {
        None: pruners.NopPruner,
        "median": pruners.MedianPruner,
        "successive_halving": pruners.SuccessiveHalvingPruner,
        "hyperband": lambda: pruners.HyperbandPruner(min_resource=1, max_resource=schema.checkpoints),
    }
    if schema.pruner is None or isinstance(schema.pruner, str):
        return named[schema.pruner]()
    return deepcopy(schema.pruner)


def distribution(optuna: ModuleType, axis: Axis) -> Any:
    """An axis as optuna has it. Of lists, and of ranges in steps of a fraction, it chooses the place of a value."""
    if isinstance(axis, IntRange):
        count = axis.count()
        last = axis.high if count is None else axis.value(count - 1)
        return optuna.distributions.IntDistribution(axis.low, last, log=axis.log, step=axis.step)
    count = count_of(axis)
    if count is None:
        assert isinstance(axis, FloatRange), axis
        return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
    if isinstance(axis, FloatRange):
        return optuna.distributions.IntDistribution(0, count - 1)
    return optuna.distributions.CategoricalDistribution(range(count))


def value_at(axis: Axis, chosen: Any) -> Any:
    """The value of an axis that optuna means by what it chose."""
    if isinstance(axis, IntRange) or count_of(axis) is None:
        return chosen
    return value_of(axis, chosen)
