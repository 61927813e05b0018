"""What all schemas share: one error for all that is wrong with one, and the types of common fields."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from reprlib import Repr
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails

from backtestkit.errors import SchemaError

Kind: TypeAlias = Literal["strategy", "exchange", "frame", "risk", "sizing", "walker", "action", "sweep", "mcp"]

_shown = Repr()
_shown.maxstring = _shown.maxother = 80


class CompleteComplaint(ValueError):
    """A complaint that already names its field and value."""


class Checked(BaseModel, frozen=True, extra="forbid", arbitrary_types_allowed=True):
    """Base of everything here: wrong input of any kind becomes one `SchemaError`."""

    subject: ClassVar[str]

    @model_validator(mode="wrap")
    @classmethod
    def _translate(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, cls | Mapping):
            raise SchemaError(f"{cls.subject} must be a mapping or a {cls.__name__}, not {_shown.repr(data)}")
        name = data.get(f"{cls.subject}_name") if isinstance(data, Mapping) else None
        subject = cls.subject if name is None else f"{cls.subject} {name!r}"
        try:
            checked = handler(data)
            complaints = list(checked._relations())
        except ValidationError as error:
            complaints = list(dict.fromkeys(cls._complaint(detail) for detail in error.errors()))
        if complaints:
            raise SchemaError("\n  ".join([f"{subject} refused:", *complaints]))
        return checked

    def _relations(self) -> Iterator[str]:
        """What is wrong between fields that are right by themselves."""
        return iter(())

    @classmethod
    def _complaint(cls, detail: ErrorDetails) -> str:
        path, given = ".".join(map(str, detail["loc"])), _shown.repr(detail["input"])
        if detail["type"] == "missing":
            return f"{path} is required"
        if detail["type"] == "extra_forbidden":
            known = [field.alias or name for name, field in cls.model_fields.items()]
            near = get_close_matches(path, known, n=3, cutoff=0.6)
            hint = "Did you mean " + " or ".join(near) + "?" if near else f"Fields: {', '.join(known)}."
            return f"{path}={given} is no field of {cls.__name__}. {hint}"
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, CompleteComplaint):
            return str(cause)
        return f"{path}={given} {cause or detail['msg'].replace('Input should be', 'must be')}"


class Schema(Checked, frozen=True):
    """Base of the nine kinds."""

    kind: ClassVar[Kind]

    @property
    def name(self) -> str:
        """The name it is registered under, whatever its field is called."""
        name: str = getattr(self, f"{self.kind}_name")
        return name

    def as_dict(self) -> dict[str, Any]:
        """Field names and values, one level deep."""
        return {name: getattr(self, name) for name in type(self).model_fields}


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or value != value.strip() or not value.isprintable():
        raise ValueError("must be printable text without blanks at its ends, at least one character")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError("must be a list of names")
    names = tuple(value)
    doubled = sorted({str(name) for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"names {', '.join(map(repr, doubled))} twice")
    return names


def above_zero(value: Any) -> float:
    """`value` as a finite float above 0, else `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ValueError("must be a finite number above 0")
    return float(value)


Name: TypeAlias = Annotated[str, BeforeValidator(_name)]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(_names)]
Positive: TypeAlias = Annotated[float, BeforeValidator(above_zero)]
