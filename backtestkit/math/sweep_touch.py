"""First touches: the candle at which each of many levels is reached, without a walk per level.

Prices are signed: those of a long as they are, those of a short negated. So "for the position" is up, "against" is down
in every formula here, and because a negation is exact, comparisons come out as they do on the prices themselves.

Every comparison is the elementwise form of the one a walk over the candles makes. Where a search goes by a quotient that
the walk does not compute, it looks a few units in the last place further than needed, and the walk's own comparison
decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from backtestkit.math.scan import first_true
from backtestkit.model.candle import Candles, Floats, Integers

SLACK: Final = 8 * float(np.finfo(np.float64).eps)
"""How far, relative, the search looks beyond its factor. The walk rounds once and the quotient once, half an epsilon each."""


@dataclass(frozen=True, slots=True)
class SignedPath:
    """The candles of one position with signed prices, shape `(n,)` each, n at least 1.

    `best` and `worst` are the furthest that wicks have gone for and against it up to and with each candle.
    """

    sign: int
    open: Floats
    favourable: Floats
    adverse: Floats
    close: Floats
    best: Floats
    worst: Floats

    def __len__(self) -> int:
        return len(self.open)

    def peaks(self, base: float) -> Floats:
        """The best price before each candle, at least the signed entry `base`."""
        peaks = np.empty(len(self))
        peaks[0] = base
        np.maximum(self.best[:-1], base, out=peaks[1:])
        return peaks


def signed_path(candles: Candles, *, long: bool) -> SignedPath:
    """The path of a position over `candles`."""
    if long:
        sign, open_, favourable, adverse, close = 1, candles.open, candles.high, candles.low, candles.close
    else:
        sign, open_, favourable, adverse, close = -1, -candles.open, -candles.low, -candles.high, -candles.close
    best, worst = np.maximum.accumulate(favourable), np.minimum.accumulate(adverse)
    return SignedPath(sign, open_, favourable, adverse, close, best, worst)


def first_risen(rising: Floats, levels: Floats) -> Integers:
    """For each level the first index at which `rising`, which never falls, is at or above it; its length for never."""
    found: Integers = rising.searchsorted(levels, side="left")
    return found


def first_fallen(falling: Floats, levels: Floats) -> Integers:
    """For each level the first index at which `falling`, which never rises, is at or below it; its length for never."""
    found: Integers = (-falling).searchsorted(-levels, side="left")
    return found


def first_retraced(path: SignedPath, peaks: Floats, base: float, factors: Floats) -> Integers:
    """For each trailing exit the first candle that takes it; the length of the path for never.

    A trailing exit of factor f (below 1 for a long, above 1 for a short) is armed by a peak of `base / f`, where it would
    stand at the entry, and is taken when the price comes back to peak * f. Both hold exactly when peak * f is at or above
    both the entry and the candle's adverse extreme, so the quotient of the higher of these and the peak is the one key
    that decides, and its running minimum answers every factor by a search.
    """
    keys = path.sign * (np.maximum(path.adverse, base) / peaks)
    found = first_fallen(np.minimum.accumulate(keys), path.sign * factors + SLACK * factors)
    at = np.minimum(found, len(path) - 1)
    taken = (peaks[at] >= base / factors) & (path.adverse[at] <= peaks[at] * factors)
    for i in np.flatnonzero(~taken & (found < len(path))).tolist():
        start, factor = int(found[i]), factors[i]
        later = (peaks[start:] >= base / factor) & (path.adverse[start:] <= peaks[start:] * factor)
        found[i] = start + first_true(later)
    return found


def first_given_back(path: SignedPath, peaks: Floats, levels: Floats) -> Integers:
    """For each level the first candle that falls to it after a peak beyond it; the length of the path for never."""
    armed = first_risen(peaks, levels)
    found = np.full(len(levels), len(path), dtype=np.int64)
    for i, start in enumerate(armed.tolist()):
        if start < len(path):
            found[i] = start + first_true(path.adverse[start:] <= levels[i])
    return found
