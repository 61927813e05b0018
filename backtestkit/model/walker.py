"""What a walker finds out: one backtest a strategy, compared by one figure or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backtestkit.model.event import RunEvent
from backtestkit.model.metric import Direction
from backtestkit.model.record import record
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.model.table import Table, Tabular, columns_of
from backtestkit.model.table_column import TableColumn


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WalkerResult:
    """One strategy of a walk.

    - `metric_value`: the figure that is compared; None when it has none, and then it is never the best.
    - `metric_values`: all figures that are compared, by name; `metric_value` is the first.
    - `params`: the point of the space; empty in a walk over strategies.
    - `error_count`: how often code of the strategy raised and the backtest went on; `newest_error`: the last such error.
    - `first_event_time`, `last_event_time`: the first opening and the last close of its trades, ms UTC.
    """

    strategy_name: str
    stats: BacktestStatistics
    metric_value: float | None
    first_event_time: int | None
    last_event_time: int | None
    params: Mapping[str, Any] = field(default_factory=dict)
    metric_values: Mapping[str, float | None] = field(default_factory=dict)
    error_count: int = 0
    newest_error: str = ""

    def __repr__(self) -> str:
        trades = self.stats.total_signals
        return f"<WalkerResult {self.strategy_name}: {self.metric_value}, {trades} trades>"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerFailure:
    """A strategy of a walk that raised. Its cause is that of `error`."""

    strategy_name: str
    params: Mapping[str, Any]
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerPruned:
    """A strategy of a walk that was given up after `checkpoint` (counted from 1), where the figure was `metric_value`."""

    strategy_name: str
    params: Mapping[str, Any]
    checkpoint: int
    metric_value: float | None


@record
class WalkerEvent(RunEvent):
    """A walker has finished one strategy; `best_*` is the best one so far. `key` is that of the strategy's backtest."""

    walker_name: str
    metric: str
    result: WalkerResult
    best_strategy: str | None
    best_metric: float | None
    strategies_tested: int
    total_strategies: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WalkerStatistics(Tabular):
    """What a walk came to. `strategy_results` are in the reverse order of testing; all `best_*` are None without a best.

    - `objectives`: the figures that were compared and the direction of each; `metric` is the first, which decides what is
      the best, the next ones among equals.
    - `front`: of several figures, the strategies that no other one beats in one of them without losing in another (the
      Pareto front), the best in the first figure first. Empty for one figure.
    - `failed`, `pruned`: the strategies that raised and those that were given up, in the order of testing. They have no
      rank.
    """

    walker_name: str
    symbol: str
    exchange_name: str
    frame_name: str
    metric: str
    total_strategies: int
    best_strategy: str | None
    best_metric: float | None
    best_stats: BacktestStatistics | None
    strategy_results: tuple[WalkerResult, ...]
    objectives: Mapping[str, Direction] = field(default_factory=dict)
    front: tuple[str, ...] = ()
    failed: tuple[WalkerFailure, ...] = ()
    pruned: tuple[WalkerPruned, ...] = ()

    def __repr__(self) -> str:
        # Short on purpose: with all trades of all strategies it would be megabytes, and asyncio.Runner makes the text
        # of the task it has run, result included, whenever it puts the handler of Ctrl-C back.
        tested, total = len(self.strategy_results), self.total_strategies
        best = f"best {self.best_strategy} with {self.metric} {self.best_metric}"
        return f"<WalkerStatistics {self.walker_name} {self.symbol}: {tested} of {total} tested, {best}>"

    def to_table(self) -> Table:
        """One row a strategy, in the order in which they were tested: its parameters, `metric_value`, its figures."""
        return Table.of_rows(
            (
                TableColumn("strategy_name", "text"),
                *self._params(),
                TableColumn("metric_value", "number", about="The figure that was compared."),
                TableColumn("first_event_time", "time", about="Opening of the first trade."),
                TableColumn("last_event_time", "time", about="Close of the last trade."),
                *columns_of(BacktestStatistics, "stats."),
            ),
            reversed(self.strategy_results),
        )

    def _params(self) -> list[TableColumn]:
        """A column `params.<name>` for each parameter: numbers where all of its values are numbers, else text."""
        found: dict[str, list[Any]] = {}
        for result in self.strategy_results:
            for name, value in result.params.items():
                found.setdefault(name, []).append(value)
        return [_param(name, values) for name, values in found.items()]


def _param(name: str, values: list[Any]) -> TableColumn:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return TableColumn(f"params.{name}", "number", read=lambda result: result.params.get(name))
    return TableColumn(f"params.{name}", "text", read=lambda result: str(result.params.get(name, "")))


@record
class WalkerProgressEvent(RunEvent):
    """How far a walk has come: strategies in all, strategies done (failed and pruned ones too), their share from 0 to 1."""

    walker_name: str
    total_strategies: int
    processed_strategies: int
    progress: float


@record
class WalkerCompleteEvent(RunEvent):
    """A walk has ended; `results` is what it came to."""

    results: WalkerStatistics
