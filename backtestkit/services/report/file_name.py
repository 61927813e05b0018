"""Names of report files: readable, safe on every file system, and never the same twice."""

from __future__ import annotations

import re

from backtestkit.runtime.clock import Clock
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.ids import new_id

PART_BYTES_MAX = 40
_UNSAFE = re.compile(r"[^\w.+-]+")


def report_file_name(key: RunKey, clock: Clock, ending: str = ".md") -> str:
    """`<symbol>_<strategy>_<exchange>_<frame>_<mode>-<time>-<id>` and `ending`; the frame is left out where there is none.

    The time is for people; the id keeps two reports of one second apart, also when two processes write them.
    """
    names = [key.symbol, key.strategy_name, key.exchange_name, key.frame_name]
    parts = [safe_part(name) for name in names if name] + [key.mode]
    return f"{'_'.join(parts)}-{clock.now():%Y%m%dT%H%M%SZ}-{new_id()}{ending}"


def safe_part(name: str) -> str:
    """`name` with everything but letters, digits and `_ . + -` replaced by a dash, and short enough."""
    text = _UNSAFE.sub("-", name).strip(".-") or "-"
    return text.encode()[:PART_BYTES_MAX].decode(errors="ignore")
