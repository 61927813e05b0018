"""Recorded risk profiles as rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import backtestkit as bk

from .script import MINUTE, ScriptedError

Broken: TypeAlias = Callable[[bk.RiskPayload, dict[str, Any]], bool]


def register(profile: dict[str, Any]) -> None:
    """Add one recorded profile to the current kit."""
    rules = profile.get("rules") or [profile]
    bk.add_risk(risk_name=profile["name"], validations=[_rule(rule) for rule in rules])


def _rule(rule: dict[str, Any]) -> Callable[[bk.RiskPayload], object]:
    kind, name = rule["kind"], rule["name"]

    def check(payload: bk.RiskPayload) -> object:
        if kind == "throw":
            raise ScriptedError("scripted error")
        if kind == "return_string":
            return f"plain {name}"
        return {"id": name, "note": name} if BROKEN[kind](payload, rule) else None

    return check


def _of_symbol(payload: bk.RiskPayload) -> int:
    return sum(position.symbol == payload.symbol for position in payload.active_positions)


def _take_profit_percent(signal: bk.PublicSignal) -> float:
    return abs(signal.price_take_profit - signal.price_open) / signal.price_open * 100


def _reward_risk(signal: bk.PublicSignal) -> float:
    return abs(signal.price_take_profit - signal.price_open) / abs(signal.price_open - signal.price_stop_loss)


def _minute_of_day(payload: bk.RiskPayload) -> int:
    return payload.timestamp // MINUTE % (24 * 60)


BROKEN: dict[str, Broken] = {
    "max_positions": lambda p, rule: p.active_position_count >= rule["value"],
    "max_positions_symbol": lambda p, rule: _of_symbol(p) >= rule["value"],
    "min_take_profit_percent": lambda p, rule: _take_profit_percent(p.current_signal) < rule["value"],
    "min_reward_risk": lambda p, rule: _reward_risk(p.current_signal) < rule["value"],
    "forbid_position": lambda p, rule: p.current_signal.position == rule["position"],
    "time_window": lambda p, rule: not rule["from_minute"] <= _minute_of_day(p) < rule["to_minute"],
    "min_current_price": lambda p, rule: p.current_price < rule["value"],
    "max_cost": lambda p, rule: p.current_signal.cost > rule["value"],
    "min_pnl_percentage": lambda p, rule: p.current_signal.pnl.pnl_percentage < rule["value"],
}
"""When the rules of each kind refuse; two kinds that refuse in ways of their own are not among them."""
