"""Markdown to one line of plain text, for notes inside table cells."""

from __future__ import annotations

import re
from typing import Final

_FENCED_CODE: Final = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^[ ]{0,3}\1[`~]*[ ]*$|\Z)", re.M | re.S)
_INLINE_CODE: Final = re.compile(r"(`+)(.+?)\1", re.S)
_STASHED: Final = re.compile(r"\x00(\d+)\x00")
_MARKS: Final = tuple(
    (re.compile(pattern, flags), kept)
    for pattern, kept, flags in (
        (r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", 0),  # links and images
        (r"<!--.*?-->", " ", re.S),
        (r"</?[A-Za-z][^<>]*>", "", 0),  # html tags
        (r"^[ ]{0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", r"\1", re.M),  # headings
        (r"^[ \t]*(?:[-*_][ \t]*){3,}$", " ", re.M),  # rules
        (r"^[ \t]*(?:>[ \t]?)+", "", re.M),  # quotes
        (r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+", "• ", re.M),  # list items
        (r"(\*{1,3})(?=[^\s*])(.+?)(?<=[^\s*])\1(?!\*)", r"\2", re.S),  # emphasis
        (r"(?<!\w)(_{1,3})(?=[^\s_])(.+?)(?<=[^\s_])\1(?!\w)", r"\2", re.S),
        (r"(~~)(?=\S)(.+?)(?<=\S)\1", r"\2", re.S),  # strike-through
    )
)


def plain_text(markdown: str) -> str:
    """`markdown` on one line with single spaces.

    Fenced code is dropped with its content; inline code, emphasis, strike-through, headings, quotes and html tags lose
    only their marks; links and images keep their text; bullets and numbers of list items become "• ".
    """
    text = _FENCED_CODE.sub(" ", markdown.replace("\r\n", "\n").replace("\x00", ""))
    codes: list[str] = []  # what stands in inline code is not markdown: it is put aside until the marks are gone

    def stash(code: re.Match[str]) -> str:
        codes.append(code[2])
        return f"\x00{len(codes) - 1}\x00"

    text = _INLINE_CODE.sub(stash, text)
    for pattern, kept in _MARKS:
        text = pattern.sub(kept, text)
    return " ".join(_STASHED.sub(lambda place: codes[int(place[1])], text).split())
