"""The rules for signals as functions: what the engine would say of a signal at a price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtestkit.clients.entering import make_row
from backtestkit.clients.strategy import ClientStrategy
from backtestkit.clients.validation import check_common, check_market
from backtestkit.errors import SignalError, UsageError, Violation
from backtestkit.kit import current_kit
from backtestkit.model.schema import StrategySchema
from backtestkit.model.signal import Signal, SignalRow, to_signal
from backtestkit.runtime.context import RunKey, current_run
from backtestkit.services.connection.strategy import new_strategy
from backtestkit.services.core.run_resolver import resolve_policy

__all__ = ["validate_common_signal", "validate_pending_signal", "validate_scheduled_signal", "validate_signal"]


def validate_signal(signal: Signal | Mapping[str, Any], current_price: float) -> bool:
    """Whether the engine would take `signal` at `current_price`, with defaults filled in as it fills them.

    Rules and defaults are those of the running strategy, else of the current configuration.
    """
    machine = _machine()
    row = _row(machine, signal, current_price)
    violations = check_common(row, machine.rules.limits, machine.rules.policy)
    if violations:
        return False
    # The price matters for an entry at once; for one that waits it must be a price at all.
    wrong = check_market(row, current_price)
    return not [v for v in wrong if not row.is_scheduled or v.code == "current_price_invalid"]


def validate_common_signal(signal: Signal | Mapping[str, Any], current_price: float) -> None:
    """Raise `SignalError` with all broken rules that do not depend on the market: sides, levels, distances, lifetime.

    `current_price` is the entry of a signal without `price_open`.
    """
    machine = _machine()
    _refuse(check_common(_row(machine, signal, current_price), machine.rules.limits, machine.rules.policy))


def validate_pending_signal(signal: Signal | Mapping[str, Any], current_price: float) -> None:
    """Raise `SignalError` unless `signal` may be opened at once at `current_price`.

    The common rules come first; only when they hold, the market must lie strictly between the levels.
    """
    machine = _machine()
    row = _row(machine, signal, current_price)
    common = check_common(row, machine.rules.limits, machine.rules.policy)
    _refuse(common or check_market(row, current_price))


def validate_scheduled_signal(signal: Signal | Mapping[str, Any], current_price: float) -> None:
    """Raise `SignalError` unless `signal` may wait for its `price_open`; one without has nothing to wait for.

    The common rules, which put `price_open` between the levels; where the market stands does not matter.
    """
    machine = _machine()
    given = _given(signal)
    if given.price_open is None:
        raise SignalError([Violation("price_open_required", "price_open is missing; a signal that waits needs one")])
    row = make_row(machine, given, given.id or "validated", machine.now, current_price)
    _refuse(check_common(row, machine.rules.limits, machine.rules.policy))


def _machine() -> ClientStrategy:
    """That of the running strategy, else one with the current configuration."""
    run = current_run.get()
    if run is not None:
        machine: ClientStrategy = run.session.machine
        return machine
    config = current_kit().config
    key = RunKey("", "validation", "", "", False)
    return new_strategy(key, StrategySchema(strategy_name="validation"), config, resolve_policy(None, config))


def _given(signal: Signal | Mapping[str, Any]) -> Signal:
    given = to_signal(signal)
    if given is None:
        raise UsageError("there is no signal to validate; give a Signal or a mapping with its fields")
    return given


def _row(machine: ClientStrategy, signal: Signal | Mapping[str, Any], price: float) -> SignalRow:
    given = _given(signal)
    return make_row(machine, given, given.id or "validated", machine.now, price)


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise SignalError(violations)
