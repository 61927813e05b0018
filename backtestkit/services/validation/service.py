"""Whether a registered schema, and all that it refers to, is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from backtestkit.model.schema.source import S
from backtestkit.services.schema.service import SchemaService


class ValidationService(Generic[S]):
    """Checks names of one kind and follows their references.

    `references` maps a field that holds a name, or several, to the service of the kind it names. A name that passed is
    not looked at again until one of the registries involved has changed.
    """

    def __init__(
        self, schemas: SchemaService[S], references: Mapping[str, ValidationService[Any]] | None = None
    ) -> None:
        self._schemas = schemas
        self._references = dict(references or {})
        self._passed: dict[str, S] = {}
        self._passed_at = -1

    @property
    def version(self) -> int:
        """Grows whenever a registry changes that could change an answer."""
        return self._schemas.version + sum(service.version for service in self._references.values())

    def validate(self, name: str, needed_by: str = "") -> S:
        """The schema of that name; `NotRegisteredError` for it or for the first thing it refers to that is missing."""
        version = self.version
        if version != self._passed_at:
            self._passed.clear()
            self._passed_at = version
        passed = self._passed.get(name)
        if passed is not None:
            return passed
        schema = self._schemas.get(name, needed_by)
        for field, service in self._references.items():
            named = getattr(schema, field)
            for other in (named,) if isinstance(named, str) else named or ():
                service.validate(other, needed_by=f"{self._schemas.kind} {name!r}")
        self._passed[name] = schema
        return schema

    def validate_all(self) -> None:
        """Validate every registered name."""
        for name in self._schemas.names():
            self.validate(name)
