"""Names as names of files: readable, reversible, and different for different names on any file system."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from backtestkit.errors import UsageError

NAME_BYTES_MAX: Final = 200
"""Longest encoded name; file systems allow 255 bytes, of which endings and temporary names take some."""

_CASE_MARK: Final = "~"
# Names that Windows does not allow, with or without an ending.
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)
_EDGE_DOTS: Final = re.compile(r"^\.+|\.+$")


def to_file_name(name: str) -> str:
    """`name` as part of a path.

    Letters, digits, `_`, `-` and inner dots stay, everything else is percent-encoded. Because some file systems take
    `btc` and `BTC` for the same name, capitals are marked: a name without small letters ends with `~`, one with both
    with `~` and a hexadecimal number whose bits say which characters are capitals.
    """
    if not name:
        raise UsageError("a record or a folder of records needs a name; it is empty")
    text = quote(name, safe="").replace(_CASE_MARK, "%7E")
    text = _EDGE_DOTS.sub(lambda dots: "%2E" * len(dots[0]), text)
    if _RESERVED.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    text = _lower_codes(text)
    text += _case_mark(text)
    if len(text) > NAME_BYTES_MAX:
        raise UsageError(
            f"the name {name[:40]!r}... takes {len(text)} bytes as the name of a file; at most {NAME_BYTES_MAX} fit. "
            "Use a shorter one."
        )
    return text


def from_file_name(text: str) -> str:
    """The name that `to_file_name` has made `text` of."""
    return unquote(text.partition(_CASE_MARK)[0])


def _lower_codes(text: str) -> str:
    """Percent codes in small letters, so that they say nothing about the case of the name."""
    return re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), text)


def _case_mark(text: str) -> str:
    plain = re.sub(r"%[0-9a-f]{2}", "", text)
    if plain == plain.lower():
        return ""
    if plain == plain.upper():
        return _CASE_MARK
    capitals = sum(1 << place for place, letter in enumerate(plain) if letter.isupper())
    return f"{_CASE_MARK}{capitals:x}"
