"""The columns of tables that leave the framework: what they are called, what they hold and where it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

TableKind: TypeAlias = Literal["text", "number", "count", "flag", "time"]
Cells: TypeAlias = npt.NDArray[Any]

MISSING_TIME: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table: its name, what it holds, in which unit, and what that means.

    - `kind`: `text`, `number` (float64), `count` (int64), `flag` (bool) or `time` (ms UTC; 0 or None is missing).
    - `read`: where a row has it: a path such as `signal.price_open`, or a function; by default the name.
    """

    name: str
    kind: TableKind
    unit: str = ""
    about: str = ""
    read: str | Callable[[Any], Any] = field(default="", repr=False)

    @property
    def reader(self) -> Callable[[Any], Any]:
        """`read` as a function of a row."""
        return attrgetter(self.read or self.name) if isinstance(self.read, str) else self.read
