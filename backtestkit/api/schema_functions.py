"""`add_*`, `override_*`, `get_*_schema` and `list_*_schema`, made from a kind.

The functions of all kinds are the same four; what differs is the fields they show. `help` and `inspect.signature` get
them from the schema; type checkers read them in the generated stub next to `registry.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from backtestkit.kit import current_kit
from backtestkit.model.schema import SCHEMAS, Kind, Schema, SchemaInput
from backtestkit.services.schema import SchemaService

_PLAIN, _ONLY_BY_PLACE, _ONLY_BY_NAME = (
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.KEYWORD_ONLY,
)


# What a field accepts, where that is more than what it holds.
_ACCEPTED = {
    "Name": "str",
    "Names": "Sequence[str]",
    "Positive": "float",
    "Fraction": "float",
    "Period": "int",
    "Balance": "float | GetBalance",
    "tuple[RiskRule, ...]": "Sequence[ValidateRisk | RiskRule | Mapping[str, Any]]",
    "tuple[McpPermission, ...]": "Sequence[McpPermission]",
    "Annotated[datetime, _time('start_date')]": "TimeLike",
    "Annotated[datetime, _time('end_date')]": "TimeLike",
    "Annotated[datetime | None, BeforeValidator(_holdout_from)]": "TimeLike | None",
    "Share": "float",
    "Minutes": "int",
    "GridAxes": "GridAxes | Mapping[str, Any]",
    "PolicyField": "PolicyName",
    "OnErrorField": "OnError",
    "Metric": "str",
    "Metrics": "Mapping[str, Direction]",
    "Space": "Axes",
    "Sampler": "SamplerName | Any",
    "Pruner": "PrunerName | Any",
}


class _Shown(Any):  # type: ignore[misc]
    """What `help` shows as it is, in the place of a default or a type; as an `Any` it fits wherever a checker looks."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _shown(text: str) -> _Shown:
    shown = _Shown()
    shown.text = text
    return shown


REQUIRED, UNCHANGED, NOTHING = _shown("<required>"), _shown("<unchanged>"), _shown("None")


class SchemaFunctions(NamedTuple):
    """The four functions of one kind."""

    add: Callable[..., Any]
    override: Callable[..., Any]
    get: Callable[..., Any]
    list: Callable[..., Any]


def schema_functions(kind: Kind) -> SchemaFunctions:
    """The functions of `kind`, with names, signatures and documentation."""
    schema = SCHEMAS[kind]
    given = inspect.Parameter("given", _ONLY_BY_PLACE, default=NOTHING)
    fields = field_parameters(schema, REQUIRED)
    changes = field_parameters(schema, UNCHANGED, keep_defaults=False)
    name = inspect.Parameter("name", _PLAIN, annotation=_shown("str"))

    def registry() -> SchemaService[Schema]:
        return current_kit().registries[kind]

    def add(given: SchemaInput[Schema] | None = None, /, *, replace: bool = False, **fields: Any) -> Schema:
        return registry().add(given, replace=replace, **fields)

    def override(given: str | SchemaInput[Schema] | None = None, /, **changes: Any) -> Schema:
        return registry().override(given, **changes)

    def get(name: str) -> Schema:
        return registry().get(name)

    def list_all() -> list[Schema]:
        return registry().list()

    replace = inspect.Parameter("replace", _ONLY_BY_NAME, default=False, annotation=_shown("bool"))
    result = schema.__name__
    document(add, f"add_{kind}", [given, *fields, replace], result, _add_text(schema))
    document(override, f"override_{kind}", [given, *changes], result, _override_text(schema))
    document(
        get,
        f"get_{kind}_schema",
        [name],
        result,
        f"The registered {kind} of that name; `NotRegisteredError` with the near names when there is none.",
    )
    document(list_all, f"list_{kind}_schema", [], f"list[{result}]", f"All registered {kind} schemas, oldest first.")
    return SchemaFunctions(add, override, get, list_all)


def field_parameters(model: type[BaseModel], absent: object, *, keep_defaults: bool = True) -> list[inspect.Parameter]:
    """The fields of `model` as keywords; `absent` stands for a default that there is not."""
    return [
        inspect.Parameter(
            name,
            _ONLY_BY_NAME,
            default=field.default if keep_defaults and not field.is_required() else absent,
            annotation=_shown(accepted_type(model, name)),
        )
        for name, field in model.model_fields.items()
    ]


def accepted_type(model: type[BaseModel], name: str) -> str:
    """The type of what a field accepts, as source text."""
    plain = model.model_fields[name].annotation
    if plain is not None and plain in (bool, int, float, str):
        return plain.__name__
    text = str(inspect.get_annotations(model)[name]).replace('"', "'")
    if text.endswith("Callbacks | None"):
        return text.replace(" | None", " | Mapping[str, Any] | None")
    if text in _ACCEPTED:
        return _ACCEPTED[text]
    base, union, none = text.partition(" | None")
    return _ACCEPTED.get(base, base) + union + none


def field_list(model: type[BaseModel]) -> str:
    """The fields of `model` as a list for a docstring."""
    return "\n".join(f"- `{name}`: {field.description}" for name, field in model.model_fields.items())


def document(
    function: Callable[..., Any], name: str, parameters: list[inspect.Parameter], result: str, text: str
) -> None:
    """Give a function made from a table the name, signature and docstring of one written by hand."""
    attributes: Mapping[str, Any] = {
        "__name__": name,
        "__qualname__": name,
        "__doc__": text,
        "__signature__": inspect.Signature(parameters, return_annotation=_shown(result)),
    }
    for attribute, value in attributes.items():
        setattr(function, attribute, value)


def _add_text(schema: type[Schema]) -> str:
    return f"""Register a {schema.kind} in the current kit and return its schema.

{inspect.getdoc(schema)}

Give keywords, or a `{schema.__name__}`, a mapping, or an object with a `schema()` method; keywords win. Wrong fields
raise `SchemaError`. A name in use raises `AlreadyRegisteredError` unless `replace=True`.

{field_list(schema)}
"""


def _override_text(schema: type[Schema]) -> str:
    return f"""Change some fields of a registered {schema.kind} and return the new schema.

Give its name and the fields to change, or a mapping with both. The whole is checked again; a `SchemaError` leaves it as
it was.

{field_list(schema)}
"""
