"""Names of exchanges and symbols as names of files: readable, and different for different names on any file system."""

from __future__ import annotations

import hashlib
import re

_MARK = "~"
_KEPT_CHARACTERS = 40
# Names that Windows does not allow, with or without an ending.
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{i}" for port in ("COM", "LPT") for i in range(10))}


def safe_exchange(name: str) -> str:
    """`bybit` stays as it is; a name with anything but lower-case letters, digits and dashes gets a hash."""
    return _safe(name, re.compile(r"[a-z0-9][a-z0-9-]*"))


def safe_symbol(name: str) -> str:
    """`BTCUSDT` stays as it is, `BTC/USDT:USDT` becomes `BTC_USDT_USDT~` and eight hexadecimal digits.

    Only upper case is kept without a hash, because some file systems take `btc` and `BTC` for the same name.
    """
    return _safe(name, re.compile(r"[A-Z0-9][A-Z0-9-]*"))


def _safe(name: str, plain: re.Pattern[str]) -> str:
    if plain.fullmatch(name) and name.upper() not in _RESERVED and len(name) <= _KEPT_CHARACTERS:
        return name
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_")[:_KEPT_CHARACTERS]
    return f"{readable}{_MARK}{hashlib.sha256(name.encode()).hexdigest()[:8]}"
