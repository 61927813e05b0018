"""What `add_*` takes besides keywords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from backtestkit.model.schema.base import Schema

S = TypeVar("S", bound=Schema)
S_co = TypeVar("S_co", bound=Schema, covariant=True)


class SchemaSource(Protocol[S_co]):
    """Something ready-made that knows its own schema, such as an exchange that reads files."""

    def schema(self) -> S_co:
        """The schema to register."""
        ...


SchemaInput: TypeAlias = S | SchemaSource[S] | Mapping[str, Any]
