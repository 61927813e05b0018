"""Reading scenario files."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def files(paths: list[Path]) -> list[Path]:
    """The record files among `paths`: files as given, folders searched one level deep."""
    found: list[Path] = []
    for path in paths:
        found.extend(sorted(p for p in path.iterdir() if is_record_file(p)) if path.is_dir() else [path])
    return found


def is_record_file(path: Path) -> bool:
    """Whether the name is that of a record file."""
    return path.name.endswith((".jsonl", ".jsonl.gz"))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of one file, with the words nan, inf and -inf turned into numbers."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield _numbers(json.loads(line))


def _numbers(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _numbers(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v, key) for v in value]
    if isinstance(value, str) and key not in ("id", "title", "name", "note"):
        return _WORDS.get(value, value)
    return value
