"""Risk profiles and who uses them: one for all runs of a kit that name it on the same exchange, frame and mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtestkit.clients.risk import ClientRisk
from backtestkit.runtime.context import RunKey


@dataclass(frozen=True, slots=True)
class RiskKey:
    """What identifies a profile."""

    risk_name: str
    exchange_name: str
    frame_name: str
    backtest: bool

    @classmethod
    def of(cls, risk_name: str, run: RunKey) -> RiskKey:
        """The profile that `run` means by `risk_name`."""
        return cls(risk_name, run.exchange_name, run.frame_name, run.backtest)


class RiskPool:
    """The profiles of one kit that are in use.

    A profile begins empty with the first run that uses it and is forgotten with the last one: never before, so that a
    run that starts later sees what is open, and not after, so that the next backtest starts clean.
    """

    def __init__(self) -> None:
        self._profiles: dict[RiskKey, ClientRisk] = {}
        self._users: dict[RiskKey, set[RunKey]] = {}

    def enter(self, run: RunKey, risk_names: Iterable[str]) -> list[ClientRisk]:
        """The profiles of `run`, which uses them until it leaves."""
        profiles = []
        for key in (RiskKey.of(name, run) for name in risk_names):
            profiles.append(self._profiles.setdefault(key, ClientRisk(by_time=run.backtest)))
            self._users.setdefault(key, set()).add(run)
        return profiles

    def leave(self, run: RunKey, now: int) -> None:
        """`run` is over: its places are free, and what nobody uses any more is forgotten."""
        for key in [key for key, users in self._users.items() if run in users]:
            self._profiles[key].free(run, now)
            self._users[key].discard(run)
            if not self._users[key]:
                del self._users[key], self._profiles[key]
