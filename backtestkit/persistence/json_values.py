"""Values as JSON text, exactly: what JSON cannot carry is refused instead of changed."""

from __future__ import annotations

import math
from typing import Any, Final

import orjson

from backtestkit.errors import UsageError

_STRICT: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_LARGEST_INT: Final = 2**64 - 1


def encode(value: Any, name: str) -> bytes:
    """`value` as compact UTF-8 JSON; `UsageError` that names `name` and the part that JSON cannot carry.

    Tuples become lists. Infinities and NaN are refused, because JSON has no word for them.
    """
    try:
        text = orjson.dumps(value, option=_STRICT)
    except TypeError as error:
        raise UsageError(_complaint(value, name) or f"{name} cannot be kept as JSON: {error}") from None
    if b"null" in text and (complaint := _complaint(value, name)):
        raise UsageError(complaint)
    return text


def decode(text: bytes) -> Any:
    """The value of JSON text; `ValueError` when it is none."""
    return orjson.loads(text)


def _complaint(value: Any, name: str) -> str | None:
    """What is wrong with the first part of `value` that JSON cannot carry; None when nothing is."""
    found = _first_stranger(value, "")
    if found is None:
        return None
    place, part = found
    where = f"{name}{place}" if place else name
    what = f"{part!r}" if isinstance(part, int | float | str) else f"a {type(part).__name__}"
    return (
        f"{where} is {what}, which JSON cannot carry. Use None, True, False, finite numbers, text, and lists and "
        "dictionaries with text as keys."
    )


def _first_stranger(value: Any, place: str) -> tuple[str, Any] | None:
    kind = type(value)
    if value is None or kind in (bool, str):
        return None
    if kind is int:
        return None if -(2**63) <= value <= _LARGEST_INT else (place, value)
    if kind is float:
        return None if math.isfinite(value) else (place, value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                return f"{place} (a key)", key
            if found := _first_stranger(item, f"{place}[{key!r}]"):
                return found
        return None
    if kind in (list, tuple):
        for number, item in enumerate(value):
            if found := _first_stranger(item, f"{place}[{number}]"):
                return found
        return None
    return place, value
