"""Checking that everything registered fits together."""

from __future__ import annotations

from collections.abc import Iterable

from backtestkit.kit import current_kit


def validate(
    *,
    strategies: Iterable[str] | None = None,
    exchanges: Iterable[str] | None = None,
    frames: Iterable[str] | None = None,
    risks: Iterable[str] | None = None,
    sizings: Iterable[str] | None = None,
    walkers: Iterable[str] | None = None,
    actions: Iterable[str] | None = None,
    sweeps: Iterable[str] | None = None,
    mcps: Iterable[str] | None = None,
) -> None:
    """Check that the given names, and all that they refer to, are registered; without arguments, everything registered.

    Raises `NotRegisteredError` for the first name that is missing; it says who needs it and which names come near.
    """
    asked = {
        "strategy": strategies,
        "exchange": exchanges,
        "frame": frames,
        "risk": risks,
        "sizing": sizings,
        "walker": walkers,
        "action": actions,
        "sweep": sweeps,
        "mcp": mcps,
    }
    everything = all(names is None for names in asked.values())
    for kind, service in current_kit().validations.items():
        if everything:
            service.validate_all()
        for name in asked[kind] or ():
            service.validate(name)
