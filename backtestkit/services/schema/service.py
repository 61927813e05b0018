"""One registry of schemas of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from backtestkit.errors import AlreadyRegisteredError, NotRegisteredError, SchemaError
from backtestkit.model.schema import Schema, SchemaInput
from backtestkit.model.schema.source import S


class SchemaService(Generic[S]):
    """Schemas by name. `version` grows with every change, so that whoever keeps conclusions knows when to drop them."""

    schema: type[S]

    def __init__(self) -> None:
        self._schemas: dict[str, S] = {}
        self.version = 0

    @property
    def kind(self) -> str:
        """The kind of the schemas: `"strategy"`, `"exchange"`, ..."""
        return self.schema.kind

    def add(self, given: SchemaInput[S] | None = None, /, *, replace: bool = False, **fields: Any) -> S:
        """Register a schema and return it as it was understood.

        `given` is a schema, a mapping, or an object with a `schema()` method; `fields` win over what it says. Raises
        `SchemaError` for wrong fields and `AlreadyRegisteredError` for a name in use unless `replace`.
        """
        schema = self._understand(given, fields)
        if schema.name in self._schemas and not replace:
            raise AlreadyRegisteredError(
                f"{self.kind} {schema.name!r} is already registered. Change some of it with "
                f"bk.override_{self.kind}({schema.name!r}, ...), or register the new one with replace=True."
            )
        return self._keep(schema)

    def override(self, given: str | SchemaInput[S] | None = None, /, **changes: Any) -> S:
        """Change some fields of a registered schema; the whole is checked again before it counts.

        `given` is the name, a mapping with some fields, or a schema, of which the fields that were set count.
        """
        key = f"{self.kind}_name"
        if isinstance(given, str):
            given = {key: given}
        if given is not None:
            fields = self._fields(given)
            if changes.get(key, fields.get(key)) != fields.get(key):
                raise SchemaError(
                    f"{self.kind} {fields.get(key)!r} cannot be renamed to {changes[key]!r}; register it anew instead"
                )
            changes = fields | changes
        if key not in changes:
            raise SchemaError(f"override needs {key}, the name of the {self.kind} to change")
        return self._keep(self.schema.model_validate(self.get(changes[key]).as_dict() | changes))

    def get(self, name: str, needed_by: str = "") -> S:
        """The schema of that name; `NotRegisteredError` with the near names when there is none."""
        try:
            return self._schemas[name]
        except KeyError:
            raise NotRegisteredError(self.kind, name, self._schemas, needed_by) from None

    def list(self) -> list[S]:
        """All schemas in the order of registration."""
        return list(self._schemas.values())

    def names(self) -> tuple[str, ...]:
        """All names in the order of registration."""
        return tuple(self._schemas)

    def clear(self) -> None:
        """Forget all of them."""
        self._schemas.clear()
        self.version += 1

    def _keep(self, schema: S) -> S:
        self._schemas[schema.name] = schema
        self.version += 1
        return schema

    def _understand(self, given: SchemaInput[S] | None, fields: dict[str, Any]) -> S:
        if given is not None:
            if isinstance(given, self.schema) and not fields:
                return given
            fields = self._fields(given) | fields
        return self.schema.model_validate(fields)

    def _fields(self, given: SchemaInput[S]) -> dict[str, Any]:
        """The fields that `given` says something about."""
        if not isinstance(given, Schema | Mapping) and callable(getattr(given, "schema", None)):
            given = given.schema()
        if isinstance(given, self.schema):
            return {name: getattr(given, name) for name in given.model_fields_set}
        if isinstance(given, Mapping):
            return dict(given)
        hint = f"; register it with bk.add_{given.kind}(...)" if isinstance(given, Schema) else ""
        expected = f"keywords, a mapping or a {self.schema.__name__}"
        raise SchemaError(f"{self.kind} expected {expected}, not {type(given).__name__}{hint}")
