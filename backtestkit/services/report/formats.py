"""How numbers, prices and times are written in reports.

Every function answers None for a value that is missing (None, or not finite), which a table shows as N/A.
"""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Final

from backtestkit.model.interval import from_ms
from backtestkit.runtime.decimals import format_fixed, plain_number
from backtestkit.services.report.plain_text import plain_text

QUOTE_CURRENCIES: Final = ("USDT", "USDC", "FDUSD", "BUSD", "USD", "EUR", "GBP", "JPY", "TRY", "BTC", "ETH", "BNB")


def fixed(value: float | None, decimals: int) -> str | None:
    """`value` with that many decimals, ties away from zero."""
    return None if value is None or not isfinite(value) else format_fixed(value, decimals)


def percent(value: float | None, decimals: int) -> str | None:
    """`value`, which is in percent, with that many decimals and the sign %."""
    text = fixed(value, decimals)
    return None if text is None else text + "%"


def signed(value: float | None, text: str | None) -> str | None:
    """`text` of `value` with a plus in front of a gain, also of one too small to show."""
    return f"+{text}" if text is not None and value is not None and value > 0 else text


def signed_percent(value: float | None, decimals: int) -> str | None:
    """`percent` with its sign."""
    return signed(value, percent(value, decimals))


def money(value: float | None, currency: str = "USD") -> str | None:
    """A price or an amount: two decimals, and for values below 1 up to eight so that they keep their leading digits."""
    if value is None or not isfinite(value):
        return None
    decimals = 2 if value == 0 else min(8, max(2, 2 - 2 * floor(log10(abs(value)))))
    return f"{format_fixed(value, decimals)} {currency}"


def signed_money(value: float | None, currency: str = "USD") -> str | None:
    """`money` with its sign."""
    return signed(value, money(value, currency))


def number(value: float | None) -> str | None:
    """The shortest decimal form; a whole number has no point."""
    return None if value is None or not isfinite(value) else plain_number(value)


def minutes(value: float | None, decimals: int) -> str | None:
    """A duration in minutes with its unit."""
    text = fixed(value, decimals)
    return None if text is None else text + " min"


def iso_time(timestamp: int | None) -> str | None:
    """A time (ms UTC) as `2024-01-01T00:00:00.000Z`; 0 means that there was none."""
    if timestamp is None or timestamp <= 0:
        return None
    return from_ms(timestamp).strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp % 1000:03d}Z"


def upper(text: str | None) -> str | None:
    """Upper case."""
    return None if text is None else text.upper()


def note(text: str | None) -> str | None:
    """A note that users wrote, without its markdown and on one line."""
    return plain_text(text) or None if text else None


def quote_currency(symbol: str) -> str:
    """The currency that prices of `symbol` are in: what follows the slash or is a known ending, else USD."""
    pair = symbol.split(":", 1)[0].upper()
    if "/" in pair:
        return pair.rsplit("/", 1)[1] or "USD"
    name = pair.removesuffix("-PERP")
    return next((quote for quote in QUOTE_CURRENCIES if name.endswith(quote) and len(name) >= len(quote) + 2), "USD")
