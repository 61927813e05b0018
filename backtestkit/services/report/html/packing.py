"""Columns of numbers inside a page: a third of the room that their digits would take, and nothing of them lost."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

import numpy as np

from backtestkit.model.candle import Floats, Integers

DECIMALS_MAX: Final = 8
INT32_MAX: Final = 2**31 - 1
WHOLE_MAX: Final = 2**53
"""Larger doubles are not exact to one."""
SMALL: Final = 16
"""Shorter columns stay lists of numbers, which people can read."""


def packed(values: Floats | Integers) -> Any:
    """`values` for the page, which unpacks them to the same numbers.

    Evenly spaced whole numbers become a first, a step and a count; numbers of few decimals whole numbers of 32 bits and a
    `scale`; all others doubles. Bytes are little-endian, as base64.
    """
    if len(values) < SMALL:
        return [None if np.isnan(value) else value for value in values.tolist()]
    if values.dtype.kind == "i":
        steps = np.diff(values)
        if (steps == steps[0]).all():
            return {"from": int(values[0]), "step": int(steps[0]), "count": len(values)}
        return {"f64": _bytes(values.astype("<f8"))}
    decimals = decimals_of(values.astype(np.float64, copy=False))
    if decimals is not None and float(np.abs(values).max()) * 10**decimals <= INT32_MAX:
        scale = 10**decimals
        return {"i32": _bytes(np.rint(values * scale).astype("<i4")), "scale": scale}
    return {"f64": _bytes(values.astype("<f8"))}


def decimals_of(values: Floats) -> int | None:
    """The fewest decimals with which all `values` are exactly written; None when eight are not enough."""
    if not np.isfinite(values).all() or float(np.abs(values).max()) > WHOLE_MAX:
        return None
    return next((n for n in range(DECIMALS_MAX + 1) if (np.round(values, n) == values).all()), None)


def _bytes(values: Any) -> str:
    return b64encode(values.tobytes()).decode("ascii")
