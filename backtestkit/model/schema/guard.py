"""The schemas of risks and sizings: whether a signal may be taken, and how large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, field_validator

from backtestkit.model.schema.base import Checked, Kind, Name, Positive, Schema

ValidateRisk: TypeAlias = Callable[[Any], Any]


class RiskCallbacks(Checked, frozen=True):
    """`on_rejected(symbol, check)` and `on_allowed(symbol, check)` hear the outcome of a check."""

    subject: ClassVar[str] = "risk callbacks"

    on_rejected: Callable[[str, Any], object] | None = None
    on_allowed: Callable[[str, Any], object] | None = None


class RiskRule(Checked, frozen=True):
    """A validation with a note, which is the reason of a rejection that gives none."""

    subject: ClassVar[str] = "risk validation"

    check: ValidateRisk = Field(alias="validate", validation_alias="validate")
    note: str = ""


class RiskSchema(Schema, frozen=True):
    """Rules that every signal of the strategies that name it must pass."""

    subject: ClassVar[str] = "risk"
    kind: ClassVar[Kind] = "risk"

    risk_name: Name = Field(description="The name strategies refer to.")
    validations: tuple[RiskRule, ...] = Field(
        default=(),
        description="Functions of one payload, or `{'validate': function, 'note': text}`: None passes, text or a "
        "mapping with `id` and `note` rejects. Asked in order until one rejects; none allow everything.",
    )
    callbacks: RiskCallbacks | None = Field(default=None, description="Functions that are told the outcome.")
    note: str = Field(default="", description="Free text.")

    @field_validator("validations", mode="before")
    @classmethod
    def _rules(cls, value: Any) -> Any:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise ValueError("must be a list of functions or of {'validate': function, 'note': text}")
        return tuple(
            {"validate": rule} if callable(rule) and not isinstance(rule, RiskRule) else rule for rule in value
        )


class SizingCallbacks(Checked, frozen=True):
    """`on_calculate(quantity, params)` hears every calculated size."""

    subject: ClassVar[str] = "sizing callbacks"

    on_calculate: Callable[[float, Any], object] | None = None


SizingMethod: TypeAlias = Literal["fixed_percentage", "kelly_criterion", "atr_based"]
_SIZING_FIELDS: dict[str, tuple[str, ...]] = {
    "fixed_percentage": ("risk_percentage",),
    "kelly_criterion": ("kelly_multiplier",),
    "atr_based": ("risk_percentage", "atr_multiplier"),
}


class SizingSchema(Schema, frozen=True):
    """A way to size positions. Limits apply in the order minimum, percentage, maximum; caps win over the minimum."""

    subject: ClassVar[str] = "sizing"
    kind: ClassVar[Kind] = "sizing"

    sizing_name: Name = Field(description="The name to ask it by.")
    method: SizingMethod = Field(description="The formula.")
    risk_percentage: Positive | None = Field(
        default=None, description="Percent of the balance lost at the stop; `fixed_percentage` and `atr_based` need it."
    )
    kelly_multiplier: Positive = Field(default=0.25, description="Share of the Kelly fraction that is bet.")
    atr_multiplier: Positive = Field(default=2.0, description="Distance of the stop in average true ranges.")
    min_position_size: Positive | None = Field(default=None, description="Least size, base currency.")
    max_position_size: Positive | None = Field(default=None, description="Greatest size, base currency.")
    max_position_percentage: Positive | None = Field(default=None, description="Greatest cost, percent of balance.")
    note: str = Field(default="", description="Free text.")
    callbacks: SizingCallbacks | None = Field(default=None, description="Functions that are told the size.")

    def _relations(self) -> Iterator[str]:
        takes = _SIZING_FIELDS[self.method]
        for name in ("risk_percentage", "kelly_multiplier", "atr_multiplier"):
            if name not in takes and getattr(self, name) != type(self).model_fields[name].default:
                yield f"{name} is not used by method={self.method!r}, which takes {' and '.join(takes)}"
        if "risk_percentage" in takes and self.risk_percentage is None:
            yield f"risk_percentage is required by method={self.method!r}"
