"""The points of a sweep: numbers for rules, and columns for what each axis contributes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from backtestkit.model.candle import Integers
from backtestkit.model.sweep import SweepRule


class Places(NamedTuple):
    """For some points of the grid their places on the axes, shape `(points,)`; `profit` numbers pairs of trail and lock."""

    stop: Integers
    profit: Integers
    hold: Integers


@dataclass(frozen=True, slots=True)
class SweepGrid:
    """All combinations of four axes: stop, trailing take, hold, lock, the last one varying fastest.

    The exits of an idea have one column for each value: first the stops, then trailing exits, locks and holds.
    """

    hard_stop_percent: tuple[float, ...]
    trailing_take_percent: tuple[float, ...]
    hold_minutes: tuple[int, ...]
    profit_lock_percent: tuple[float, ...]

    def __len__(self) -> int:
        return prod(self._shape)

    @property
    def horizon(self) -> int:
        """The longest hold, minutes."""
        return max(self.hold_minutes)

    @property
    def stops(self) -> slice:
        """The columns of the stops."""
        return slice(0, len(self.hard_stop_percent))

    @property
    def trails(self) -> slice:
        """The columns of the trailing exits."""
        return slice(self.stops.stop, self.stops.stop + len(self.trailing_take_percent))

    @property
    def locks(self) -> slice:
        """The columns of the locks."""
        return slice(self.trails.stop, self.trails.stop + len(self.profit_lock_percent))

    @property
    def holds(self) -> slice:
        """The columns of the holds."""
        return slice(self.locks.stop, self.locks.stop + len(self.hold_minutes))

    @property
    def unlocked(self) -> Integers:
        """The columns of locks of 0, which are none."""
        columns: Integers = self.locks.start + np.flatnonzero(np.array(self.profit_lock_percent) == 0)
        return columns

    def rules(self) -> list[SweepRule]:
        """The rules of all points, in their order."""
        return [
            SweepRule(stop, trail, hold, lock)
            for stop, trail, hold, lock in product(
                self.hard_stop_percent, self.trailing_take_percent, self.hold_minutes, self.profit_lock_percent
            )
        ]

    def places(self, first: int, last: int) -> Places:
        """The places of the points from `first` to before `last`."""
        stop, trail, hold, lock = np.unravel_index(np.arange(first, last), self._shape)
        return Places(stop, trail * len(self.profit_lock_percent) + lock, hold)

    @property
    def _shape(self) -> tuple[int, int, int, int]:
        return (
            len(self.hard_stop_percent),
            len(self.trailing_take_percent),
            len(self.hold_minutes),
            len(self.profit_lock_percent),
        )
