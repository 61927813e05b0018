"""Rolling means and crossings of whole columns: what a screening of ideas needs before it has an indicator library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backtestkit.errors import UsageError
from backtestkit.model.candle import Flags, Floats


def sma(values: npt.ArrayLike, windows: int | Sequence[int]) -> Floats:
    """Simple moving averages of `values` (n,): shape (n,) for one window, (windows, n) for several.

    Element t is the mean of the last `window` values up to and including t, NaN where there are fewer. A sum is that of
    shifted columns, from the newest value to the oldest, so it never carries what left the window, as a difference of
    cumulative sums would: a value that is not finite spoils its own windows only. The relative error is at most
    `window` * 1.2e-16 for values of one sign, and a window's result does not depend on the others asked for. It
    costs one addition per candle for each candle of the longest window.

    Raises `UsageError` for windows that are not whole numbers above 0, and for values that are no single column.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise UsageError(f"values have shape {column.shape}; give one column, for example candles.close")
    wanted = [windows] if isinstance(windows, int) else list(windows)
    wrong = [window for window in wanted if int(window) != window or window < 1]
    if wrong:
        raise UsageError(f"window={wrong[0]!r} must be a whole number of candles, 1 or more")
    means = np.full((len(wanted), len(column)), np.nan)
    places: dict[int, list[int]] = {}
    for i, window in enumerate(wanted):
        places.setdefault(int(window), []).append(i)
    sums = column.copy()
    for length in range(1, min(max(wanted, default=0), len(column)) + 1):
        if length > 1:
            sums[length - 1 :] += column[: len(column) - length + 1]
        for i in places.get(length, ()):
            np.divide(sums[length - 1 :], length, out=means[i, length - 1 :])
    return means[0] if isinstance(windows, int) else means


def crossed_above(first: npt.ArrayLike, second: npt.ArrayLike) -> Flags:
    """Where `first` is above `second` and was not one candle before; never where one of them is NaN.

    Both have the candles in their last dimension and broadcast against each other.
    """
    above, below = np.greater(first, second), np.less_equal(first, second)
    if above.ndim == 0:
        raise UsageError("nothing can cross in single numbers; give columns with the candles in the last dimension")
    crossed = np.zeros(above.shape, dtype=np.bool_)
    np.logical_and(above[..., 1:], below[..., :-1], out=crossed[..., 1:])
    return crossed


def crossed_below(first: npt.ArrayLike, second: npt.ArrayLike) -> Flags:
    """Where `first` is below `second` and was not one candle before; `crossed_above` with the two exchanged."""
    return crossed_above(second, first)
