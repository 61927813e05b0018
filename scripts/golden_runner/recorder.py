"""Listening to everything a scenario lists and writing it down in the form of the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import backtestkit as bk
from backtestkit.errors import CandleError, SignalError

from .script import ScriptedError


class Recorder:
    """Events of all runs of a scenario in the order in which the listeners got them."""

    def __init__(self, *, several_runs: bool, signals_only: bool, pings: bool) -> None:
        self.events: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}
        self._own: set[str] = set()
        self.several = several_runs
        self._only = signals_only
        self._pings = pings

    def own_ids(self, dtos: list[dict[str, Any]]) -> None:
        """Ids that a script gives appear unchanged."""
        self._own.update(dto["id"] for dto in dtos if "id" in dto)

    def listen(self) -> None:
        """Subscribe to everything on the current kit."""
        bk.listen_error(self._error)
        for action in ("scheduled", "opened", "closed", "cancelled"):
            listener: Callable[..., Any] = getattr(bk, f"listen_signal_backtest_{action}")
            listener(self._signal)
        bk.listen_risk(self._risk_rejection)
        if self._only:
            return
        bk.listen_signal_event(self._signal_event)
        bk.listen_order_schedule(self._schedule_event)
        bk.listen_partial_profit_available(lambda e: self._level("partial_profit", e))
        bk.listen_partial_loss_available(lambda e: self._level("partial_loss", e))
        bk.listen_breakeven_available(
            lambda e: self._add("breakeven", e, current_price=e.current_price, **self.brief(e.data))
        )
        bk.listen_highest_profit(lambda e: self._extreme("highest_profit", e, e.signal.peak_profit))
        bk.listen_max_drawdown(lambda e: self._extreme("max_drawdown", e, e.signal.max_drawdown))
        bk.listen_strategy_commit(self._commit)
        bk.listen_pause(lambda e: self._add("pause", e, paused=e.paused))
        if self._pings:
            bk.listen_active_ping(lambda e: self._ping("active_ping", e))
            bk.listen_schedule_ping(lambda e: self._ping("schedule_ping", e))

    def run_error(self, error: BaseException) -> None:
        """The run itself failed."""
        self.events.append({"type": "run_error", "codes": codes(error)})

    def id(self, signal_id: str) -> str:
        """Generated ids by their order of appearance."""
        if signal_id in self._own:
            return signal_id
        return self._ids.setdefault(signal_id, f"#{len(self._ids) + 1}")

    def _add(self, type: str, event: Any, **fields: Any) -> None:
        row = {"type": type, "timestamp": event.timestamp, **fields}
        if self.several:
            row |= {"symbol": event.symbol, "strategy": event.strategy_name}
        self.events.append(row)

    def _signal(self, result: Any) -> None:
        signal = result.signal
        fields: dict[str, Any] = {"action": result.action, "current_price": result.current_price}
        if result.action == "closed":
            fields |= {
                "close_reason": result.close_reason,
                "close_timestamp": result.close_timestamp,
                "pnl": profit(result.pnl),
                "close_id": result.close_id,
            }
        elif result.action == "cancelled":
            fields |= {
                "cancel_reason": result.reason,
                "close_timestamp": result.close_timestamp,
                "cancel_id": result.cancel_id,
            }
        self._add("signal", result, **fields, signal=self._full(signal))

    def _signal_event(self, event: Any) -> None:
        reason = {} if event.close_reason is None else {"close_reason": event.close_reason}
        self._add(
            "signal_event",
            event,
            action=event.action,
            current_price=event.current_price,
            **reason,
            **self.brief(event.data),
        )

    def _schedule_event(self, event: Any) -> None:
        reason = {} if event.reason is None else {"cancel_reason": event.reason}
        self._add(
            "schedule_event",
            event,
            action=event.action,
            current_price=event.current_price,
            **reason,
            signal_id=self.id(event.data.id),
            price_open=event.data.price_open,
        )

    def _level(self, type: str, event: Any) -> None:
        self._add(type, event, level=event.level, current_price=event.current_price, **self.brief(event.data))

    def _extreme(self, type: str, event: Any, pnl: Any) -> None:
        self._add(
            type,
            event,
            current_price=event.current_price,
            signal_id=self.id(event.signal.id),
            pnl_percentage=pnl.pnl_percentage,
            pnl_cost=pnl.pnl_cost,
        )

    def _commit(self, event: Any) -> None:
        signal = event.data
        fields: dict[str, Any] = {
            "action": event.action,
            "signal_id": self.id(signal.id),
            "current_price": event.current_price,
            "total_entries": signal.total_entries,
            "total_partials": signal.total_partials,
            "pnl_percentage": signal.pnl.pnl_percentage,
            "pnl_cost": signal.pnl.pnl_cost,
            "percent_to_close": event.percent_to_close,
            "percent_shift": event.percent_shift,
            "cost": event.cost,
            "effective_price_open": event.effective_price_open,
            "price_stop_loss": signal.price_stop_loss,
            "price_take_profit": signal.price_take_profit,
            **{f"{name}_id": event.command_id for name in ("cancel", "close", "activate")},
        }
        self._add("commit", event, **fields)

    def _risk_rejection(self, event: bk.RiskEvent) -> None:
        # Where a rule raised, the records have the message of the error and we have all of it.
        raised = event.rejection_note == repr(ScriptedError("scripted error"))
        self._add(
            "risk_rejection",
            event,
            current_price=event.current_price,
            active_position_count=event.active_position_count,
            rejection_id=event.rejection_id,
            rejection_note="scripted error" if raised else event.rejection_note,
            position=event.current_signal.position,
        )

    def _ping(self, type: str, event: Any) -> None:
        self._add(type, event, current_price=event.current_price, **self.brief(event.data))

    def _error(self, event: Any) -> None:
        self.events.append({"type": "error", "codes": codes(event.error)})

    def brief(self, signal: Any) -> dict[str, Any]:
        """The short form of a signal."""
        return {
            "signal_id": self.id(signal.id),
            "price_open": signal.price_open,
            "price_take_profit": signal.price_take_profit,
            "price_stop_loss": signal.price_stop_loss,
            "total_entries": signal.total_entries,
            "total_partials": signal.total_partials,
            "partial_executed": signal.partial_executed,
            "pnl_percentage": signal.pnl.pnl_percentage,
            "pnl_cost": signal.pnl.pnl_cost,
        }

    def _full(self, signal: Any) -> dict[str, Any]:
        names = (
            "position", "price_open", "price_take_profit", "price_stop_loss", "original_price_open",
            "original_price_take_profit", "original_price_stop_loss", "cost", "multiplier", "isolated", "scheduled_at",
            "pending_at", "total_entries", "total_partials", "partial_executed",
        )  # fmt: skip
        life = signal.minute_estimated_time
        return {name: getattr(signal, name) for name in names} | {
            "id": self.id(signal.id),
            "minute_estimated_time": None if life == float("inf") else life,
            "pnl": profit(signal.pnl),
            "peak_profit": profit(signal.peak_profit),
            "max_drawdown": profit(signal.max_drawdown),
            "peak": {"price": signal.peak.price, "timestamp": signal.peak.timestamp},
            "fall": {"price": signal.fall.price, "timestamp": signal.fall.timestamp},
            "entries": [{"price": e.price, "cost": e.cost, "timestamp": e.timestamp} for e in signal.entries],
            "partials": [
                {
                    "type": p.type,
                    "percent": p.percent,
                    "current_price": p.current_price,
                    "cost_basis_at_close": p.cost_basis_at_close,
                    "entry_count_at_close": p.entry_count_at_close,
                    "timestamp": p.timestamp,
                }
                for p in signal.partials
            ],
        }


def profit(pnl: Any) -> dict[str, float]:
    """A profit in the form of the records."""
    names = ("pnl_percentage", "pnl_cost", "pnl_entries", "price_open", "price_close")
    return {name: getattr(pnl, name) for name in names}


def codes(error: BaseException) -> list[str]:
    """The codes of an error: of the first error in its chain that has some."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, SignalError):
            return list(seen.codes)
        if isinstance(seen, CandleError):
            return [seen.code]
        if isinstance(seen, ScriptedError):
            return ["scripted_error"]
        seen = seen.__cause__
    return [f"{type(error).__name__}: {error}"]
