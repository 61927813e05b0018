"""What a walker finds out: one backtest a strategy, compared by one figure."""

from __future__ import annotations

from dataclasses import dataclass

from backtestkit.model.event import RunEvent
from backtestkit.model.record import record
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.model.table import Table, TableColumn, Tabular, columns_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerResult:
    """One strategy of a walk.

    - `metric_value`: the figure that is compared; None when it has none, and then it is never the best.
    - `first_event_time`, `last_event_time`: the first opening and the last close of its trades, ms UTC.
    """

    strategy_name: str
    stats: BacktestStatistics
    metric_value: float | None
    first_event_time: int | None
    last_event_time: int | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerStatistics(Tabular):
    """What a walk came to. `strategy_results` are in the reverse order of testing; all `best_*` are None without a best."""

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

    def to_table(self) -> Table:
        """One row a strategy, in the order in which they were tested: `metric_value` and the figures of its trades."""
        return Table.of_rows(
            (
                TableColumn("strategy_name", "text"),
                TableColumn("metric_value", "number", about="The figure that was compared."),
                TableColumn("first_event_time", "time", about="Opening of the first trade."),
                TableColumn("last_event_time", "time", about="Close of the last trade."),
                *columns_of(BacktestStatistics, "stats."),
            ),
            reversed(self.strategy_results),
        )


@record
class WalkerProgressEvent(RunEvent):
    """How far a walk has come: strategies in all, strategies done (failed ones too), and their share from 0 to 1."""

    walker_name: str
    total_strategies: int
    processed_strategies: int
    progress: float


@record
class WalkerCompleteEvent(RunEvent):
    """A walk has ended; `results` is what it came to."""

    results: WalkerStatistics
