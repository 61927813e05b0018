"""The reports on what was decided: commands, rejections by risk rules, questions to the exchange's gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backtestkit.math.statistics_events import RiskTally, StrategyTally, SyncTally
from backtestkit.model.event import CommitEvent, RiskEvent
from backtestkit.model.statistics_events import RiskStatistics, StrategyStatistics, SyncStatistics
from backtestkit.model.sync import SyncEvent
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.journal_records import commit_record, risk_record, sync_record
from backtestkit.services.report.spec import Column, Feed, Lines, ReportSpec, Settings, SummaryLine, Table

COMMAND_NAMES: Final = {
    "cancel_scheduled": "Cancel scheduled",
    "close_pending": "Close pending",
    "partial_profit": "Partial profit",
    "partial_loss": "Partial loss",
    "trailing_stop": "Trailing stop",
    "trailing_take": "Trailing take",
    "breakeven": "Breakeven",
    "activate_scheduled": "Activate scheduled",
    "average_buy": "Average buy",
}


def strategy_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of commands."""

    def id_of(key: str, label: str, action: str) -> Column[Any]:
        return Column(key, label, lambda row, _: row.command_id if row.action == action else None)

    return [
        c.text("symbol", "Symbol", "symbol"),
        c.text("strategy_name", "Strategy", "strategy_name"),
        c.text("signal_id", "Signal ID", "data.id"),
        c.text("action", "Action", "action"),
        c.money("current_price", "Price", "current_price"),
        c.percent("percent_to_close", "% To Close", "percent_to_close"),
        c.percent("percent_shift", "% Shift", "percent_shift"),
        id_of("cancel_id", "Cancel ID", "cancel_scheduled"),
        id_of("close_id", "Close ID", "close_pending"),
        c.time("created_at", "Created At", "timestamp"),
        c.number("total_partials", "Partial Closes", "data.total_partials"),
        c.signed_percent("pnl_percentage", "PNL (net)", "data.pnl.pnl_percentage"),
        c.money("cost", "Cost", "cost"),
        *c.end(),
    ]


def risk_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of rejections."""
    return [
        c.text("symbol", "Symbol", "symbol"),
        c.text("strategy_name", "Strategy", "strategy_name"),
        c.text("signal_id", "Signal ID", "current_signal.id"),
        c.note("current_signal.note", settings),
        c.upper("position", "Position", "current_signal.position"),
        c.text("exchange_name", "Exchange", "exchange_name"),
        c.text("risk_name", "Risk Profile", "risk_name"),
        c.money("open_price", "Open Price", "current_signal.price_open"),
        *c.levels("current_signal", "take_profit", "stop_loss"),
        c.percent("partial_executed", "Partial Executed %", "current_signal.partial_executed", 1),
        c.money("current_price", "Current Price", "current_price"),
        c.number("active_position_count", "Active Positions", "active_position_count"),
        c.text("rejection_id", "ID", "rejection_id"),
        c.text("rejection_note", "Rejection Reason", "rejection_note"),
        c.time("pending_at", "Pending At", "current_signal.pending_at"),
        c.time("scheduled_at", "Scheduled At", "current_signal.scheduled_at"),
        c.time("timestamp", "Timestamp", "timestamp"),
    ]


def sync_columns(settings: Settings) -> list[Column[Any]]:
    """The columns of the table of questions to gates."""
    return [
        c.text("symbol", "Symbol", "symbol"),
        c.text("strategy_name", "Strategy", "strategy_name"),
        c.text("signal_id", "Signal ID", "data.id"),
        c.text("action", "Action", "action"),
        c.text("position", "Position", "data.position"),
        c.money("current_price", "Current Price", "current_price"),
        c.money("price_open", "Entry Price", "data.price_open"),
        c.money("price_take_profit", "Take Profit", "data.price_take_profit"),
        c.money("price_stop_loss", "Stop Loss", "data.price_stop_loss"),
        c.number("total_entries", "DCA Entries", "data.total_entries"),
        c.number("total_partials", "Partial Closes", "data.total_partials"),
        c.signed_percent("pnl_percentage", "PNL (net)", "data.pnl.pnl_percentage"),
        c.text("close_reason", "Close Reason", "close_reason"),
        c.time("created_at", "Created At", "timestamp"),
        c.mode(),
    ]


def command_counts(statistics: StrategyStatistics) -> list[str]:
    """One line for each kind of command."""
    return [f"- {name}: {getattr(statistics, f'{action}_count')}" for action, name in COMMAND_NAMES.items()]


def _counts(counts: Mapping[str, int]) -> list[str]:
    return [f"- {name}: {count}" for name, count in counts.items()]


STRATEGY_REPORT: Final[ReportSpec[CommitEvent, StrategyStatistics]] = ReportSpec(
    name="strategy",
    title="Strategy Report: {symbol}:{strategy_name}",
    empty_text="No strategy events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        Table(
            key="strategy",
            rows=lambda page: page.figures.event_list,
            columns=strategy_columns,
            row_limit="max_strategy_markdown_rows",
            total=lambda page: page.figures.total_events,
        ),
        Lines(parts=(SummaryLine("Total events", lambda s: str(s.total_events)), command_counts)),
    ),
    feeds=(Feed("strategy_commit"),),
    record=commit_record,
    row_limit="max_strategy_markdown_rows",
    tally=StrategyTally,
)

RISK_REPORT: Final[ReportSpec[RiskEvent, RiskStatistics]] = ReportSpec(
    name="risk",
    title="Risk Rejection Report: {symbol}:{strategy_name}",
    empty_text="No risk rejections recorded yet.",
    is_empty=lambda statistics: statistics.total_rejections == 0,
    sections=(
        Table(
            key="risk",
            rows=lambda page: page.figures.event_list,
            columns=risk_columns,
            row_limit="max_risk_markdown_rows",
            total=lambda page: page.figures.total_rejections,
        ),
        Lines(parts=(SummaryLine("Total rejections", lambda s: formats.number(s.total_rejections)),)),
        Lines(parts=(lambda s: ["## Rejections by Symbol", *_counts(s.by_symbol)],)),
        Lines(parts=(lambda s: ["## Rejections by Strategy", *_counts(s.by_strategy)],)),
    ),
    feeds=(Feed("risk"),),
    record=risk_record,
    row_limit="max_risk_markdown_rows",
    tally=RiskTally,
)

SYNC_REPORT: Final[ReportSpec[SyncEvent, SyncStatistics]] = ReportSpec(
    name="sync",
    title="Signal Sync Report: {symbol}:{strategy_name}",
    empty_text="No sync events recorded yet.",
    is_empty=lambda statistics: statistics.total_events == 0,
    sections=(
        Table(
            key="sync",
            rows=lambda page: page.figures.event_list,
            columns=sync_columns,
            row_limit="max_sync_markdown_rows",
            total=lambda page: page.figures.total_events,
        ),
        Lines(
            parts=(
                SummaryLine("Total events", lambda s: str(s.total_events)),
                SummaryLine("Opens", lambda s: str(s.open_count)),
                SummaryLine("Closes", lambda s: str(s.close_count)),
            )
        ),
    ),
    feeds=(Feed("sync"),),
    record=sync_record,
    row_limit="max_sync_markdown_rows",
    tally=SyncTally,
    listed=lambda event: event.type == "active",
)
