"""Clocks: the only place where the package learns what time it is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What every reader of time depends on."""

    @property
    def available(self) -> bool:
        """Whether `now` can be called yet."""
        ...

    @property
    def is_simulated(self) -> bool:
        """True when time is moved by events and not by the wall."""
        ...

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...

    def now_ms(self) -> int:
        """The current instant in milliseconds since the epoch."""
        ...
