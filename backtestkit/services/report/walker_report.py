"""The report of a walker: the strategies it tested, compared by one figure, and all their trades."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final

from backtestkit.model.record import record
from backtestkit.model.result import ClosedResult
from backtestkit.model.walker import WalkerResult, WalkerStatistics
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import walker_record
from backtestkit.services.report.spec import (
    NOT_AVAILABLE,
    Column,
    Feed,
    Lines,
    Page,
    ReportSpec,
    Settings,
    SummaryLine,
    Table,
)
from backtestkit.services.report.trade_summary import HIGHER


@record
class WalkerTrade:
    """A trade and the strategy that made it."""

    strategy_name: str
    trade: ClosedResult

    @property
    def symbol(self) -> str:
        """What was traded."""
        return self.trade.symbol


def comparison_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of strategies."""
    return [
        Column("rank", "Rank", lambda _, index: str(index + 1)),
        c.text("strategy", "Strategy", "strategy_name"),
        c.fixed("metric", "Metric", "metric_value", 2),
        c.number("total_signals", "Total Signals", "stats.total_signals"),
        c.percent("win_rate", "Win Rate", "stats.win_rate"),
        c.signed_percent("avg_pnl", "Avg PNL", "stats.avg_pnl"),
        c.signed_percent("total_pnl", "Total PNL", "stats.total_pnl"),
        c.fixed("sharpe_ratio", "Sharpe Ratio", "stats.sharpe_ratio", 3),
        c.percent("std_dev", "Std Dev", "stats.std_dev", 3),
        c.fixed("sortino_ratio", "Sortino", "stats.sortino_ratio", 3),
        c.fixed("calmar_ratio", "Calmar", "stats.calmar_ratio", 3),
        c.fixed("recovery_factor", "Recovery", "stats.recovery_factor", 3),
        c.time("first_event_time", "First Event", "first_event_time"),
        c.time("last_event_time", "Last Event", "last_event_time"),
    ]


def trade_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of trades."""
    return [
        c.text("strategy", "Strategy", "strategy_name"),
        c.text("signal_id", "Signal ID", "trade.signal.id"),
        c.text("symbol", "Symbol", "symbol"),
        c.upper("position", "Position", "trade.signal.position"),
        c.signed_percent("pnl", "PNL (net)", "trade.pnl.pnl_percentage"),
        c.text("close_reason", "Close Reason", "trade.close_reason"),
        c.time("open_time", "Open Time", "trade.signal.pending_at"),
        c.time("close_time", "Close Time", "trade.close_timestamp"),
    ]


def failed_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of strategies that raised."""
    return [
        c.text("strategy", "Strategy", "strategy_name"),
        Column("error", "Error", lambda failure, _: in_words(failure.error)),
    ]


def error_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of strategies whose code raised."""
    return [
        c.text("strategy", "Strategy", "strategy_name"),
        c.number("error_count", "Errors", "error_count"),
        c.text("newest_error", "Newest", "newest_error"),
    ]


def pruned_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of strategies that were given up."""
    return [
        c.text("strategy", "Strategy", "strategy_name"),
        c.text("checkpoint", "Checkpoint", "checkpoint"),
        c.fixed("metric", "Metric There", "metric_value", 2),
    ]


def front_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of the front."""
    return [
        c.text("strategy", "Strategy", "strategy_name"),
        Column("figures", "Figures", lambda result, _: figures_line(result.metric_values)),
        c.number("total_signals", "Total Signals", "stats.total_signals"),
    ]


def in_words(error: BaseException) -> str:
    """An error and its first cause, the one that says what really went wrong."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return str(error) if cause is error else f"{error} ({type(cause).__name__}: {cause})"


def figures_line(values: Mapping[str, float | None]) -> str:
    """Figures by name in one line."""
    return ", ".join(f"{name} {formats.fixed(value, 2) or NOT_AVAILABLE}" for name, value in values.items())


def ranked(statistics: WalkerStatistics) -> list[WalkerResult]:
    """The strategies by their metric, best first; those without one at the end, equal ones in the order of the store.

    Of several figures the next ones decide among equals.
    """

    def key(result: WalkerResult) -> list[float]:
        values = result.metric_values or {statistics.metric: result.metric_value}
        signs = {name: 1 if statistics.objectives.get(name) == "minimise" else -1 for name in values}
        return [inf if value is None else signs[name] * value for name, value in values.items()]

    return sorted(statistics.strategy_results, key=key)


def erring(statistics: WalkerStatistics) -> list[WalkerResult]:
    """The strategies whose code raised and that went on, best first."""
    return [result for result in ranked(statistics) if result.error_count]


def on_front(statistics: WalkerStatistics) -> list[WalkerResult]:
    """The strategies on the front, in its order."""
    results = {result.strategy_name: result for result in statistics.strategy_results}
    return [results[name] for name in statistics.front]


def all_trades(statistics: WalkerStatistics) -> list[WalkerTrade]:
    """Every trade of every strategy, the last strategy and the newest trade first."""
    return [
        WalkerTrade(result.strategy_name, trade)
        for result in statistics.strategy_results
        for trade in result.stats.signal_list
    ]


def _head(statistics: WalkerStatistics) -> list[str]:
    goals = [f"{name} ({direction})" for name, direction in statistics.objectives.items()]
    raised = len(erring(statistics))
    plain = list(statistics.objectives.values()) in ([], ["maximise"])
    return [
        f"**Symbol:** {statistics.symbol}",
        f"**Exchange:** {statistics.exchange_name}",
        f"**Frame:** {statistics.frame_name}",
        f"**Optimization Metric:** {statistics.metric if plain else ', '.join(goals)}",
        f"**Strategies Tested:** {len(statistics.strategy_results)}",
        *([f"**Strategies With Errors In Their Code:** {raised}"] if raised else []),
        *([f"**Strategies Failed:** {len(statistics.failed)}"] if statistics.failed else []),
        *([f"**Strategies Pruned:** {len(statistics.pruned)}"] if statistics.pruned else []),
    ]


def _best_metric(statistics: WalkerStatistics) -> list[str]:
    return [f"**Best {statistics.metric}:** {formats.fixed(statistics.best_metric, 2) or 'N/A'}"]


def _ratio(path: str) -> Callable[[WalkerStatistics], str | None]:
    return lambda statistics: formats.fixed(c.read(statistics, f"best_stats.{path}"), 3)


def _best_heading(page: Page) -> str:
    return f"Best Strategy: {page.figures.best_strategy or 'N/A'}"


WALKER_REPORT: Final[ReportSpec[Any, WalkerStatistics]] = ReportSpec(
    name="walker",
    title="Walker Comparison Report: {strategy_name}",
    empty_text="No strategies tested yet.",
    is_empty=lambda statistics: not (statistics.strategy_results or statistics.failed or statistics.pruned),
    sections=(
        Lines(parts=(_head,)),
        Lines(
            heading=_best_heading,
            parts=(
                _best_metric,
                SummaryLine("Total Signals", lambda s: str(c.read(s, "best_stats.total_signals") or 0)),
                SummaryLine("Sortino Ratio", _ratio("sortino_ratio"), HIGHER),
                SummaryLine("Calmar Ratio", _ratio("calmar_ratio"), HIGHER),
                SummaryLine("Recovery Factor", _ratio("recovery_factor"), HIGHER),
            ),
        ),
        Table(
            key="walker",
            heading="Top Strategies Comparison",
            rows=lambda page: ranked(page.figures),
            columns=comparison_columns,
            row_limit="walker_markdown_top_n",
        ),
        Table(
            key="walker_front",
            heading="Pareto Front",
            rows=lambda page: on_front(page.figures),
            columns=front_columns,
            row_limit="max_backtest_markdown_rows",
            optional=True,
        ),
        Table(
            key="walker_failed",
            heading="Failed Strategies",
            rows=lambda page: page.figures.failed,
            columns=failed_columns,
            row_limit="max_backtest_markdown_rows",
            optional=True,
        ),
        Table(
            key="walker_errors",
            heading="Errors In The Code Of Strategies",
            rows=lambda page: erring(page.figures),
            columns=error_columns,
            row_limit="max_backtest_markdown_rows",
            optional=True,
        ),
        Table(
            key="walker_pruned",
            heading="Pruned Strategies",
            rows=lambda page: page.figures.pruned,
            columns=pruned_columns,
            row_limit="max_backtest_markdown_rows",
            optional=True,
        ),
        Table(
            key="walker_trades",
            heading="All Signals (PNL Table)",
            rows=lambda page: all_trades(page.figures),
            columns=trade_columns,
            row_limit="max_backtest_markdown_rows",
            empty_text="No closed signals available.",
        ),
    ),
    legend=(
        "The best of many strategies on one stretch of history is partly luck: the more were tried, the better the best "
        "one looks. Test it again on a frame that the walk has not seen.",
        "A strategy without a value of the metric (N/A) is never the best.",
    ),
    feeds=(Feed("walker"),),
    record=walker_record,
    row_limit="walker_markdown_top_n",
)
