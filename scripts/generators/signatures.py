"""Stubs of functions whose keywords are the fields of a model."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module

from pydantic import BaseModel

from backtestkit.api.schema_functions import accepted_type
from backtestkit.config import Config
from backtestkit.model.schema import SCHEMAS, Schema
from generators.source import HEAD, tidy

EVERYWHERE = {
    "Callable": "collections.abc",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "Any": "typing",
    "Literal": "typing",
    "overload": "typing",
    "TimeLike": "backtestkit.model.interval",
}
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_MODULES = ("action", "base", "guard", "market", "source", "strategy", "sweep", "walker")


def registry_stub() -> str:
    """`api/registry.pyi`."""
    functions = [_schema_functions(schema) for schema in SCHEMAS.values()]
    body = "\n".join(functions)
    return tidy(
        HEAD.format(text="The functions that register, change and show schemas.") + _imports(body, _sources()) + body
    )


def config_stub() -> str:
    """`api/config.pyi`."""
    fields = _keywords(Config, required=False, defaults=False)
    body = f"""def set_config(
    given: Mapping[str, Any] | None = None,
    /,
    *,
{fields}    unsafe: bool = False,
) -> Config: ...
def get_config() -> Config: ...
def get_default_config() -> Config: ...
"""
    known = dict.fromkeys(("Config", "OnError", "PolicyName"), "backtestkit.config")
    return tidy(HEAD.format(text="The configuration of the current kit.") + _imports(body, known) + body)


def _schema_functions(schema: type[Schema]) -> str:
    kind, name = schema.kind, schema.__name__
    return f"""@overload
def add_{kind}(
    given: SchemaInput[{name}],
    /,
    *,
{_keywords(schema, required=False, defaults=False)}    replace: bool = False,
) -> {name}: ...
@overload
def add_{kind}(
    *,
{_keywords(schema, required=True, defaults=True)}    replace: bool = False,
) -> {name}: ...
@overload
def override_{kind}(
    given: str | Mapping[str, Any] | {name},
    /,
    *,
{_keywords(schema, required=False, defaults=False)}) -> {name}: ...
@overload
def override_{kind}(
    *,
{_keywords(schema, required=True, defaults=False, only_name_required=True)}) -> {name}: ...
def get_{kind}_schema(name: str) -> {name}: ...
def list_{kind}_schema() -> list[{name}]: ...
"""


def _keywords(model: type[BaseModel], *, required: bool, defaults: bool, only_name_required: bool = False) -> str:
    lines = []
    for position, (name, field) in enumerate(model.model_fields.items()):
        needed = required and field.is_required() and (position == 0 or not only_name_required)
        default = ""
        if not needed:
            plain = defaults and isinstance(field.default, str | int | float | bool | None)
            default = f" = {_literal(field.default)}" if plain else " = ..."
        lines.append(f"    {name}: {_quoted(accepted_type(model, name))}{default},\n")
    return "".join(lines)


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _quoted(annotation: str) -> str:
    return annotation.replace("'", '"')


def _imports(body: str, known: dict[str, str]) -> str:
    """The imports that `body` needs."""
    words = set(_WORD.findall(re.sub(r'"[^"]*"', "", body)))
    sources = {word: EVERYWHERE.get(word) or known.get(word) for word in sorted(words)}
    return "".join(f"from {module} import {word}\n" for word, module in sources.items() if module) + "\n"


def _sources() -> dict[str, str]:
    """Where the names that schemas are written with come from."""
    known: dict[str, str] = {}
    for module in _MODULES:
        path = f"backtestkit.model.schema.{module}"
        for node in ast.parse(inspect.getsource(import_module(path))).body:
            if isinstance(node, ast.ClassDef):
                known[node.name] = path
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                known[node.target.id] = path
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("backtestkit.model."):
                known.update({alias.name: str(node.module) for alias in node.names if alias.name not in known})
    return known
