"""Whose data it is, what signal it is about, and what time it is there."""

from __future__ import annotations

from dataclasses import dataclass

from backtestkit.persistence.store import Space
from backtestkit.runtime.context import RunContext, RunKey


@dataclass(frozen=True, slots=True)
class Owner:
    """A run of the past, or a context of the present.

    What a backtest keeps is its own: another run over the same dates starts with nothing, so it comes to the same
    results. What a live context keeps outlives the process.
    """

    backtest: bool
    names: Space

    @classmethod
    def of(cls, context: RunContext) -> Owner:
        """The owner of what happens in `context`."""
        return cls(True, ("backtest", context.id)) if context.key.backtest else cls.live(context.key)

    @classmethod
    def live(cls, key: RunKey) -> Owner:
        """The owner of what happens live under these names."""
        return cls(False, ("live", key.symbol, key.strategy_name, key.exchange_name))


@dataclass(frozen=True, slots=True)
class Moment:
    """An owner at a time (ms UTC). What was stored later than that cannot be seen."""

    owner: Owner
    now: int
    key: RunKey

    @property
    def backtest(self) -> bool:
        """Whether this is the past."""
        return self.owner.backtest


@dataclass(frozen=True, slots=True)
class SignalMoment(Moment):
    """The same, with the signal that it is about."""

    signal_id: str


def joined(*names: str) -> str:
    """`names` as one name: others for others, whatever they contain."""
    return "/".join(name.replace("%", "%25").replace("/", "%2F") for name in names)
