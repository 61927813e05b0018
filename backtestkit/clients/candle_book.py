"""The candles of one market and interval that are in memory: what is known, what is missing, and slices of it.

Pure: candles go in with the range that was asked for, views go out. The state is one immutable value that is replaced
as a whole, so a reader sees either all of a change or nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from backtestkit.errors import GapError
from backtestkit.market.coverage import Coverage, Range, missing_ranges
from backtestkit.math.candle_checks import describe_holes, find_holes, is_clean, validate_candles
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms, iso

GapPolicy: TypeAlias = Literal["refuse", "skip", "flat"]

_KEPT_AT_LEAST = 500


class Window(NamedTuple):
    """A range of candles: the first open time, the end (ms, exclusive), and how many that is."""

    since: int
    until: int
    steps: int


@dataclass(frozen=True, slots=True)
class Block:
    """What is known about [since, until): the candles that exist there (and, under `flat`, those that stand for holes).

    `whole` says that there is one candle per step, so that positions follow from times by a division; `clean` that no
    slice needs its values checked.
    """

    since: int
    until: int
    candles: Candles
    whole: bool
    clean: bool


class CandleBook:
    """Candles of one market and interval with a gap policy; grows by `add`, is read by `last` and `between`."""

    __slots__ = (
        "_anomaly_factor",
        "_blocks",
        "_median_from",
        "_unsure_from",
        "gaps",
        "interval",
        "reserve",
        "step",
        "subject",
        "symbol",
    )

    def __init__(
        self,
        exchange_name: str,
        symbol: str,
        interval: str,
        gaps: GapPolicy,
        *,
        anomaly_factor: float,
        median_from: int,
    ) -> None:
        """An empty book. The anomaly rules are those of `validate_candles`."""
        self.symbol, self.interval, self.gaps = symbol, interval, gaps
        self.subject = f"{exchange_name} {symbol} {interval}"
        self.step = interval_step_ms(interval)
        self.reserve = 0
        self._anomaly_factor, self._median_from = anomaly_factor, median_from
        self._blocks: tuple[Block, ...] = ()
        self._unsure_from: int | None = None

    @property
    def coverage(self) -> Coverage:
        """The ranges that are known."""
        return tuple((block.since, block.until) for block in self._blocks)

    def window(self, since: int, until: int) -> Window:
        """[since, until) as a window of this interval."""
        return Window(since, until, (until - since) // self.step)

    def missing(self, since: int, until: int) -> list[Range]:
        """The parts of [since, until) that the source was not asked for yet."""
        return missing_ranges(self.coverage, since, until)

    def known_around(self, time: int) -> Range:
        """The known range that contains or touches `time`; the empty one at `time` when there is none."""
        return next(((b.since, b.until) for b in self._blocks if b.since <= time <= b.until), (time, time))

    def add(self, since: int, until: int, candles: Candles) -> None:
        """Take what exists in [since, until): in order, on the grid and inside. What was known there is replaced."""
        touching = [block for block in self._blocks if block.since <= until and since <= block.until]
        start = min([since, *(block.since for block in touching)])
        end = max([until, *(block.until for block in touching)])
        parts = [*(_span(block.candles, start, since) for block in touching), candles]
        parts += [_span(block.candles, until, end) for block in touching]
        joined = self._block(start, end, Candles.concat([part for part in parts if len(part)]))
        others = [block for block in self._blocks if block not in touching]
        self._blocks = tuple(sorted((*others, joined), key=lambda block: block.since))

    @property
    def unsure_from(self) -> int | None:
        """From when on what is held may still change: missing candles there may only be late."""
        return self._unsure_from

    def doubt_from(self, time: int) -> None:
        """Give what is known from `time` on only until `forget_doubtful`."""
        self._unsure_from = time

    def forget_doubtful(self) -> None:
        """Count what was in doubt as unknown, so that it is asked for again."""
        if self._unsure_from is None:
            return
        cut, self._unsure_from = self._unsure_from, None
        kept = [(b.since, min(b.until, cut), b.candles) for b in self._blocks if b.since < cut]
        self._blocks = tuple(self._block(since, until, _span(held, since, until)) for since, until, held in kept)

    def trim(self) -> None:
        """Keep only the newest range, and of that little more than the longest read so far (`reserve`) needs."""
        self._blocks = self._blocks[-1:]
        for block in self._blocks:
            if len(block.candles) > 4 * max(self.reserve, _KEPT_AT_LEAST):
                kept = block.candles[-2 * max(self.reserve, _KEPT_AT_LEAST) :]
                copy = kept.copy()
                self._blocks = (self._block(int(copy.timestamp[0]), block.until, copy),)

    def last(self, until: int, limit: int) -> Candles | None:
        """The `limit` candles before `until` (a multiple of the step), or None when that is not in memory.

        Under `skip` these are the last that exist, otherwise the ones of [until - limit * step, until); `GapError` if
        one of those is known to be missing.
        """
        for block in self._blocks:
            if until <= block.until:
                break
        else:
            return None
        if block.whole:
            stop = (until - block.since) // self.step
            start = stop - limit
        elif self.gaps == "skip":
            stop = int(block.candles.timestamp.searchsorted(until))
            start = stop - limit
        else:
            since = until - limit * self.step
            return self.between(since, until) if since >= block.since else None
        if start < 0 or until <= block.since:
            return None
        found = block.candles[start:stop]
        if not block.clean:
            self._check(found)
        return found

    def between(self, since: int, until: int) -> Candles:
        """The candles that open in [since, until), which must be known.

        Unless the policy is `skip` there must be one per step, else `GapError` names the holes. Under `flat` only a
        hole at the very start of what is known can remain, because there is no close to fill it with.
        """
        found = self.existing(since, until)
        if self.gaps != "skip" and len(found) * self.step != until - since:
            raise self.gap_error(found, since, until)
        if not all(block.clean for block in self._blocks if block.since < until and since < block.until):
            self._check(found)
        return found

    def existing(self, since: int, until: int) -> Candles:
        """What is in memory in [since, until), holes or not, unchecked."""
        parts = [_span(block.candles, since, until) for block in self._blocks]
        return Candles.concat([part for part in parts if len(part)])

    def gap_error(self, found: Candles, since: int, until: int) -> GapError:
        """The error that says what `found` lacks in [since, until), and what can be done."""
        holes = find_holes(found.timestamp, since, self.step, until)
        advice = (
            "There is no earlier close to fill it with; start later."
            if self.gaps == "flat"
            else "If the market is like that, register the exchange with gaps='skip' or gaps='flat'."
        )
        asked = f"{self.subject} has holes in [{iso(since)}, {iso(until)})"
        return GapError(f"{asked}: {describe_holes(holes, self.step)} {advice}", holes)

    def _check(self, candles: Candles) -> None:
        validate_candles(
            candles, anomaly_factor=self._anomaly_factor, min_candles_for_median=self._median_from, strict=False
        )

    def _block(self, since: int, until: int, candles: Candles) -> Block:
        if self.gaps == "flat":
            candles = fill_flat(candles, self.step, until)
        whole = len(candles) * self.step == until - since
        return Block(since, until, candles, whole, is_clean(candles, anomaly_factor=self._anomaly_factor))


def fill_flat(candles: Candles, step: int, until: int) -> Candles:
    """`candles` with each hole between the first one and `until` filled: price of the last close, volume 0, marked."""
    if not len(candles) or len(candles) * step == until - int(candles.timestamp[0]):
        return candles
    stamps = np.arange(int(candles.timestamp[0]), until, step, dtype=np.int64)
    source = candles.timestamp.searchsorted(stamps, side="right") - 1
    hole = candles.timestamp[source] != stamps
    close = candles.close[source]
    open_, high, low = (np.where(hole, close, column[source]) for column in (candles.open, candles.high, candles.low))
    marks = hole if candles.filled is None else hole | candles.filled[source]
    volume = np.where(hole, 0.0, candles.volume[source])
    return Candles.from_columns(stamps, open_, high, low, close, volume, filled=marks)


def _span(candles: Candles, since: int, until: int) -> Candles:
    if since >= until:
        return candles[:0]
    start, stop = candles.timestamp.searchsorted((since, until))
    return candles[int(start) : int(stop)]
