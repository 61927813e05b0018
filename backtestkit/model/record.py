"""`record`: a dataclass that type checkers hold to be frozen and that costs no more than a plain one to make.

A frozen dataclass assigns its fields through `object.__setattr__`, four to eight times the price of a plain slot. What
is made per minute or per event uses this instead; what is made per run is frozen for real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make `cls` a slotted dataclass whose fields only type checkers protect."""
    return dataclass(slots=True)(cls)
