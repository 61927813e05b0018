"""Prices and quantities as text."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from backtestkit.errors import UsageError

PRICE_DECIMALS = 2
QUANTITY_DECIMALS = 8
# The widest double has 309 digits before the point and 1074 behind it.
_DIGITS = 1400


def format_decimals(value: float, decimals: int) -> str:
    """`value` with `decimals` digits behind the point, from the exact binary value, ties away from zero.

    0.125 gives "0.13", 1.005 (which is a little less) "1.00"; a tiny negative keeps its sign ("-0.00"), negative zero
    has none. A value that is not finite raises `UsageError`.
    """
    number = _finite(value, "value")
    with localcontext() as context:
        context.prec = _DIGITS
        return format(Decimal(number or 0.0).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), "f")


def round_ticks(price: float | str, tick_size: float | str) -> str:
    """The multiple of `tick_size` nearest to `price`, ties away from zero, with the tick's number of decimals.

    (1.26, 0.5) gives "1.5", (1.23456, 0.001) "1.235", ("1.5", 1e-7) "1.5000000". Text and the tick are taken as
    written, a float price by its exact binary value. A tick that is not a positive finite number raises `UsageError`.
    """
    tick = _decimal(tick_size if isinstance(tick_size, str) else repr(float(tick_size)), "tick_size")
    if tick <= 0:
        raise UsageError(f"tick_size={tick_size!r} must be a positive finite number, for example 0.01")
    exact = Fraction(_decimal(price, "price")) if isinstance(price, str) else Fraction(_finite(price, "price"))
    count = math.floor(abs(exact) / Fraction(tick) + Fraction(1, 2))
    exponent = tick.normalize().as_tuple().exponent
    assert isinstance(exponent, int), f"a finite tick has an exponent, {tick} has {exponent}"
    with localcontext() as context:
        context.prec = _DIGITS
        text = format((count * tick).quantize(Decimal(1).scaleb(min(0, exponent))), "f")
    return f"-{text}" if exact < 0 and count else text


def _decimal(text: str, field: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise UsageError(f"{field}={text!r} is not a number") from None
    if not number.is_finite():
        raise UsageError(f"{field}={text!r} must be a finite number")
    return number


def _finite(value: float, field: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise UsageError(f"{field}={value!r} must be a finite number")
    return number
