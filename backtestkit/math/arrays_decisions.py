"""What sets decide at the closes of candles, as a sparse list, from signals or from target positions.

From here on a set without levels is only its changes of position, so the cost of a test follows the decisions and not
sets times candles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtestkit.model.arrays import Small
from backtestkit.model.candle import Flags, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Decisions of several sets, by set and time: columns of equal length.

    - `at`: set * candles + t for a decision at the close of candle t. The last candle decides nothing: nothing fills it.
    - `entry`: the side that is entered, 1 or -1, or 0.
    - `ends_long`, `ends_short`: whether it ends a long, a short. To enter one side ends the other.
    """

    sets: int
    candles: int
    at: Integers
    entry: Small
    ends_long: Flags
    ends_short: Flags


def signal_decisions(long_entries: Flags, long_exits: Flags, short_entries: Flags, short_exits: Flags) -> Decisions:
    """Decisions of signals, each of shape (sets, candles). Signals that contradict each other are ignored.

    An entry and an exit of one side on one candle cancel each other, and so do entries of both sides.
    """
    heard = long_entries | long_exits
    heard |= short_entries
    heard |= short_exits
    heard[:, -1] = False
    at = np.flatnonzero(heard)
    enter_long, exit_long, enter_short, exit_short = (
        np.ravel(signals)[at] for signals in (long_entries, long_exits, short_entries, short_exits)
    )
    long_side, short_side = enter_long & ~exit_long, enter_short & ~exit_short
    entry = long_side.astype(np.int8) - short_side.astype(np.int8)
    ends_long, ends_short = (exit_long & ~enter_long) | (entry == -1), (exit_short & ~enter_short) | (entry == 1)
    return Decisions(len(heard), heard.shape[1], at, entry, ends_long, ends_short)


def position_decisions(positions: Small) -> Decisions:
    """Decisions of target positions (sets, candles) of 1, 0 and -1: a decision is a change of the target."""
    changed = np.empty(positions.shape, dtype=np.bool_)
    changed[:, 0] = positions[:, 0] != 0
    np.not_equal(positions[:, 1:], positions[:, :-1], out=changed[:, 1:])
    changed[:, -1] = False
    at = np.flatnonzero(changed)
    target = np.ravel(positions)[at]
    return Decisions(len(positions), positions.shape[1], at, target, target != 1, target != -1)


def joined_decisions(parts: Sequence[Decisions]) -> Decisions:
    """The decisions of all sets of `parts`, which are numbered on from one part to the next."""
    offsets = np.cumsum([0, *(part.sets * part.candles for part in parts)])
    return Decisions(
        sum(part.sets for part in parts),
        parts[0].candles,
        np.concatenate([part.at + offset for part, offset in zip(parts, offsets, strict=False)]),
        np.concatenate([part.entry for part in parts]),
        np.concatenate([part.ends_long for part in parts]),
        np.concatenate([part.ends_short for part in parts]),
    )


def states(decisions: Decisions) -> tuple[Small, Small]:
    """The position before and after each decision: 1, 0 or -1, when nothing but decisions ends a trade.

    The position is the side of the newest entry of the set, unless that side was ended since.
    """
    count = np.arange(len(decisions.at))
    sets = decisions.at // decisions.candles
    newest = np.maximum.accumulate(np.where(decisions.entry != 0, count, -1))
    ended_long = np.maximum.accumulate(np.where(decisions.ends_long, count, -1))
    ended_short = np.maximum.accumulate(np.where(decisions.ends_short, count, -1))
    side = decisions.entry[newest]
    known = (newest >= 0) & (sets[newest] == sets)
    ended = np.where(side == 1, ended_long, ended_short) > newest
    after = np.where(known & ~ended, side, np.int8(0)).astype(np.int8)
    before = np.concatenate((np.zeros(1, dtype=np.int8), after[:-1]))[: len(after)]
    before[1:][sets[1:] != sets[:-1]] = 0
    return before, after
