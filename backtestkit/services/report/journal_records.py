"""The data of a line in a JSONL journal. One schema for all reports, so that lines of different files can be joined.

Every record begins with the time and the names of the run; what concerns a signal has all its fields under the same
names everywhere. What does not exist yet is left out: a waiting entry has no profit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from backtestkit.math.statistics_events import percentile
from backtestkit.model.event import BreakevenEvent, CommitEvent, ExtremeEvent, RiskEvent, RunEvent
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.result import AnyResult, CancelledResult, ClosedResult
from backtestkit.model.signal import ProfitLoss, PublicSignal
from backtestkit.model.statistics_events import PartialRow
from backtestkit.model.sync import SyncEvent
from backtestkit.model.walker import WalkerEvent
from backtestkit.services.report.formats import iso_time

Record: TypeAlias = Mapping[str, Any]

_WALKER_FIGURES = (
    "total_signals", "win_count", "loss_count", "win_rate", "avg_pnl", "total_pnl", "std_dev", "sharpe_ratio",
    "annualized_sharpe_ratio", "certainty_ratio", "expected_yearly_returns", "sortino_ratio", "calmar_ratio",
    "recovery_factor",
)  # fmt: skip


def base(event: RunEvent) -> dict[str, Any]:
    """When, and in which run."""
    return {
        "timestamp": event.timestamp,
        "symbol": event.symbol,
        "strategy_name": event.strategy_name,
        "exchange_name": event.exchange_name,
        "frame_name": event.frame_name,
        "backtest": event.backtest,
    }


def signal_fields(signal: PublicSignal) -> dict[str, Any]:
    """All about a signal; its profit, best and worst point once it is open, its partial closes if there are any."""
    fields: dict[str, Any] = {
        "signal_id": signal.id,
        "position": signal.position,
        "note": signal.note,
        "price_open": signal.price_open,
        "price_take_profit": signal.price_take_profit,
        "price_stop_loss": signal.price_stop_loss,
        "original_price_open": signal.original_price_open,
        "original_price_take_profit": signal.original_price_take_profit,
        "original_price_stop_loss": signal.original_price_stop_loss,
        "multiplier": signal.multiplier,
        "isolated": signal.isolated,
        "cost": signal.cost,
        "total_entries": signal.total_entries,
        "total_partials": signal.total_partials,
        "partial_executed": signal.partial_executed,
        "minute_estimated_time": signal.minute_estimated_time,
        "scheduled_at": signal.scheduled_at,
        "pending_at": signal.pending_at,
    }
    if signal.pending_at:
        for prefix, profit in (
            ("pnl", signal.pnl),
            ("peak_profit", signal.peak_profit),
            ("max_drawdown", signal.max_drawdown),
        ):
            fields |= profit_fields(prefix, profit)
    if signal.partials:
        fields["_partial"] = [
            {
                "type": partial.type,
                "percent": partial.percent,
                "current_price": partial.current_price,
                "cost_basis_at_close": partial.cost_basis_at_close,
                "entry_count_at_close": partial.entry_count_at_close,
                "timestamp": partial.timestamp,
            }
            for partial in signal.partials
        ]
    return fields


def profit_fields(prefix: str, profit: ProfitLoss) -> dict[str, Any]:
    """A profit as five fields."""
    return {
        f"{prefix}_percentage": profit.pnl_percentage,
        f"{prefix}_cost": profit.pnl_cost,
        f"{prefix}_entries": profit.pnl_entries,
        f"{prefix}_price_open": profit.price_open,
        f"{prefix}_price_close": profit.price_close,
    }


def result_record(result: AnyResult) -> Record:
    """A tick result of any kind. `duration` is minutes: of the position, or of the wait that came to nothing."""
    data = base(result) | {"action": result.action, "current_price": result.current_price}
    if result.signal is None:
        return data
    data |= signal_fields(result.signal)
    if isinstance(result, ClosedResult):
        data |= {
            "close_reason": result.close_reason,
            "close_time": result.close_timestamp,
            "close_id": result.close_id,
            "duration": (result.close_timestamp - result.signal.pending_at) / MINUTE_MS,
        }
    elif isinstance(result, CancelledResult):
        data |= {
            "cancel_reason": result.reason,
            "cancel_id": result.cancel_id,
            "close_time": result.close_timestamp,
            "duration": (result.close_timestamp - result.signal.scheduled_at) / MINUTE_MS,
        }
    elif result.action == "waiting" or result.action == "active":
        data |= {"percent_tp": result.percent_tp, "percent_sl": result.percent_sl}
    return data


def schedule_record(result: AnyResult) -> Record:
    """The same, where the duration of an opened one is that of its wait."""
    data = dict(result_record(result))
    if result.signal is not None and result.action == "opened":
        data["duration"] = (result.signal.pending_at - result.signal.scheduled_at) / MINUTE_MS
    return data


def partial_record(row: PartialRow) -> Record:
    """A milestone."""
    own = {"action": row.action, "level": row.level, "current_price": row.current_price}
    return base(row) | own | signal_fields(row.data)


def breakeven_record(event: BreakevenEvent) -> Record:
    """Breakeven has become possible."""
    return base(event) | {"current_price": event.current_price} | signal_fields(event.data)


def extreme_record(event: ExtremeEvent) -> Record:
    """A new best or worst point."""
    return base(event) | {"current_price": event.current_price} | signal_fields(event.signal)


def commit_record(event: CommitEvent) -> Record:
    """A command that took effect; only the fields of its action are there."""
    named = {
        "current_price": event.current_price,
        "percent_to_close": event.percent_to_close,
        "percent_shift": event.percent_shift,
        "added_cost": event.cost,
        "effective_price_open": event.effective_price_open,
        _COMMAND_IDS.get(event.action, "command_id"): event.command_id,
    }
    own = {"action": event.action, "created_at": iso_time(event.timestamp)}
    given = {name: value for name, value in named.items() if value is not None}
    return base(event) | own | signal_fields(event.data) | given | {"note": event.note}


_COMMAND_IDS = {"cancel_scheduled": "cancel_id", "close_pending": "close_id", "activate_scheduled": "activate_id"}


def risk_record(event: RiskEvent) -> Record:
    """A rejection, with the signal that was refused."""
    own = {
        "risk_name": event.risk_name,
        "current_price": event.current_price,
        "active_position_count": event.active_position_count,
        "rejection_id": event.rejection_id,
        "rejection_note": event.rejection_note,
    }
    return base(event) | own | signal_fields(event.current_signal)


def sync_record(event: SyncEvent) -> Record:
    """A question to a gate."""
    own = {"action": event.action, "type": event.type, "current_price": event.current_price}
    reason = {} if event.close_reason is None else {"close_reason": event.close_reason}
    return base(event) | own | reason | signal_fields(event.data)


def performance_record(event: PerformanceEvent) -> Record:
    """Measurements of one kind, with the wall clock under names that say so; percentiles where there are several."""
    taken = sorted(event.durations or ())
    shape = (
        {name: percentile(taken, q) for name, q in (("p50", 50), ("p95", 95), ("p99", 99))} if len(taken) > 1 else {}
    )
    return base(event) | {
        "metric_type": event.metric_type,
        "duration": event.duration,
        "count": event.count,
        **shape,
        "wall_timestamp": event.wall_timestamp,
        "previous_wall_timestamp": event.previous_wall_timestamp,
    }


def walker_record(event: WalkerEvent) -> Record:
    """One strategy of a walk."""
    result = event.result
    return base(event) | {
        "walker_name": event.walker_name,
        "metric": event.metric,
        "metric_value": result.metric_value,
        "strategies_tested": event.strategies_tested,
        "total_strategies": event.total_strategies,
        "best_strategy": event.best_strategy,
        "best_metric": event.best_metric,
        **{name: getattr(result.stats, name) for name in _WALKER_FIGURES},
        "first_event_time": result.first_event_time,
        "last_event_time": result.last_event_time,
    }
