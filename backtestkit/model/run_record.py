"""What is kept of a run: enough to look at it again, to compare it with others, and to run it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import orjson

from backtestkit.runtime.context import RunKey

RunOutcome: TypeAlias = Literal["ready", "stopped", "pruned", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as the run store keeps it.

    - `number`: what people call it by, 1 for the first one in the store; `id`: its identity. `kept_at`: when it was
      kept, ms UTC by the wall clock; `seconds`: how long it took by the same clock.
    - `outcome`: `ready` when it went through, `stopped` when it was told to end early, `pruned` when its
      walk gave it up, `failed` with the `error`.
      `error_count`: errors in user code that it went on after, `newest_error`: the last of them.
    - `frame`: interval, start and end (ms UTC) of its frame; `first_time`, `last_time`: the span that was tested.
    - `policy`, `params`, `config`: all choices, by name. Infinite numbers are the texts `inf` and `-inf`.
    - `data_hash`: sha256 of the candles and funding rates it ran over. `code_hash`: sha256 of its strategy's code.
      `versions`: of the framework, of Python and of NumPy.
    - `fingerprint`: sha256 of what it decided. `trades`: how many it closed.
    - `statistics`, `summary`: the figures and what was assumed, as in its result.
    - `origin`: the strategy files (`files`) and the options of the command line that set it up.
    - `walk`, `label`: the walk that it was part of, and its name in there; empty for a run of its own. `in_walk`: what
      the walk must know of it to go on after a crash.
    """

    id: str
    kept_at: int
    outcome: RunOutcome
    symbol: str
    strategy_name: str
    exchange_name: str
    frame_name: str
    frame: Mapping[str, Any]
    policy: Mapping[str, Any]
    params: Mapping[str, Any]
    config: Mapping[str, Any]
    data_hash: str
    code_hash: str
    versions: Mapping[str, str]
    fingerprint: str
    trades: int
    statistics: Mapping[str, Any]
    summary: Mapping[str, Any]
    seconds: float = 0.0
    error: str = ""
    error_count: int = 0
    newest_error: str = ""
    first_time: int | None = None
    last_time: int | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    walk: str = ""
    label: str = ""
    in_walk: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def key(self) -> RunKey:
        """Symbol and names of the run."""
        return RunKey(self.symbol, self.strategy_name, self.exchange_name, self.frame_name, True)

    @property
    def configuration(self) -> str:
        """sha256 of all that was chosen: strategy, code, parameters, fill policy, settings that decide, interval.

        Two runs of one configuration over the same data are one trial.
        """
        chosen = [
            self.strategy_name, self.code_hash, self.params, self.policy, self.config, self.frame.get("interval"),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How often strategies were tried on a market: what a good figure must be weighed against.

    - `runs`: runs that were kept, deleted ones too. `configurations`: different ones among them, each over each data;
      one that failed before it had its data is not counted.
    - `failed`: runs that did not go through.
    - `swept`: points of sweeps over the symbol, each grid over the same ideas once; 0 when one strategy is asked for.
    - `sharpe_ratios`: the Sharpe ratio per trade of each configuration that had one, oldest first; their number and
      their spread are what a deflated Sharpe ratio needs (Bailey and Lopez de Prado 2014).
    """

    runs: int
    configurations: int
    failed: int
    swept: int
    sharpe_ratios: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which runs differ: its name, such as `config.percent_fee`, and its value in each of them."""

    name: str
    values: tuple[Any, ...]


def differences(records: tuple[RunRecord, ...]) -> tuple[Difference, ...]:
    """In what the choices and the circumstances of runs differ, choices first."""
    found = []
    for name in _NAMED:
        values = tuple(getattr(record, name) for record in records)
        if isinstance(values[0], Mapping):
            keys = dict.fromkeys(key for value in values for key in value)
            found += [
                Difference(f"{name}.{key}", parts)
                for key in keys
                if not _equal(parts := tuple(value.get(key) for value in values))
            ]
        elif not _equal(values):
            found.append(Difference(name, values))
    return tuple(found)


_NAMED = (
    "symbol", "strategy_name", "exchange_name", "params", "policy", "config", "frame", "code_hash", "data_hash",
    "versions",
)  # fmt: skip


def _equal(values: tuple[Any, ...]) -> bool:
    return all(value == values[0] for value in values[1:])
