"""Numbers as text, exactly."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite
from typing import Final

from backtestkit.errors import UsageError

DECIMALS_MAX: Final = 100

# A double has at most 309 digits before the point, so no double and no number of decimals we allow is rounded twice.
_EXACT: Final = Context(prec=309 + DECIMALS_MAX + 1, rounding=ROUND_HALF_UP)


def format_fixed(value: float, decimals: int) -> str:
    """`value` with `decimals` digits after the point, rounded from its exact binary value, ties away from zero.

    0.125 gives "0.13" where Python's own formatting rounds the tie to even, and 1.005, which is a little less, "1.00".
    A negative number that rounds to zero keeps its sign ("-0.00"), negative zero has none. A value that is not finite
    or `decimals` outside 0 to 100 raises `UsageError`.
    """
    if not 0 <= decimals <= DECIMALS_MAX:
        raise UsageError(f"decimals={decimals} is outside 0 to {DECIMALS_MAX}")
    _require_finite(value)
    exact = Decimal(value) if value else Decimal(0)
    return format(exact.quantize(Decimal((0, (1,), -decimals)), context=_EXACT), "f")


def plain_number(value: float) -> str:
    """The shortest decimal text that reads back as `value`: no exponent, no ".0", no negative zero.

    100.0 gives "100", 1e-7 "0.0000001". A value that is not finite raises `UsageError`.
    """
    _require_finite(value)
    if not value:
        return "0"
    text = format(Decimal(repr(float(value))), "f") if isinstance(value, float) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _require_finite(value: float) -> None:
    if not isfinite(value):
        raise UsageError(f"{value!r} is not a finite number and has no decimal form")
