"""The schemas of risks and sizings: whether a signal may be taken, and how large."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator

from backtestkit.errors import UsageError
from backtestkit.model.event import RiskEvent
from backtestkit.model.interval import CandleInterval
from backtestkit.model.risk import RiskPayload
from backtestkit.model.schema.base import Checked, Kind, Name, Positive, Schema, above_zero
from backtestkit.model.sizing import PositionSizing

ValidateRisk: TypeAlias = Callable[[RiskPayload], Any]


class RiskCallbacks(Checked, frozen=True):
    """Who hears the outcome of a check: `on_rejected(symbol, event)` and `on_allowed(symbol, payload)`.

    A rejection is told after its event has been raised, what is allowed after it has its place.
    """

    subject: ClassVar[str] = "risk callbacks"

    on_rejected: Callable[[str, RiskEvent], object] | None = None
    on_allowed: Callable[[str, RiskPayload], object] | None = None


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
    """`on_calculate(quantity, sizing)` hears every calculated size, and how it came about."""

    subject: ClassVar[str] = "sizing callbacks"

    on_calculate: Callable[[float, PositionSizing], object] | None = None


SizingMethod: TypeAlias = Literal["fixed_percentage", "kelly_criterion", "atr_based", "volatility_target", "fixed_cost"]
_SIZING_FIELDS: dict[str, tuple[str, ...]] = {
    "fixed_percentage": ("risk_percentage",),
    "kelly_criterion": ("kelly_multiplier", "win_rate", "win_loss_ratio"),
    "atr_based": ("risk_percentage", "atr_multiplier", "interval", "period"),
    "volatility_target": ("target_volatility", "interval", "period"),
    "fixed_cost": ("cost",),
}
_SIZING_NEEDS: dict[str, str] = {
    "fixed_percentage": "risk_percentage",
    "atr_based": "risk_percentage",
    "volatility_target": "target_volatility",
    "fixed_cost": "cost",
}
GetBalance: TypeAlias = Callable[[str, datetime, bool], float | Awaitable[float]]


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError("must be a fraction between 0 and 1, 0.6 for 60 %")
    return float(value)


def _period(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 2:
        raise ValueError("must be a whole number of at least 2")
    return value


def _balance(value: Any) -> Any:
    return value if callable(value) else above_zero(value)


Fraction: TypeAlias = Annotated[float, BeforeValidator(_fraction)]
Period: TypeAlias = Annotated[int, BeforeValidator(_period)]
Balance: TypeAlias = Annotated[float | GetBalance, BeforeValidator(_balance)]


class SizingSchema(Schema, frozen=True):
    """A way to size positions, by `PositionSize` or by every strategy that names it and leaves out the cost of a signal.

    Limits apply in the order minimum, percentage, maximum; caps win over the minimum.
    """

    subject: ClassVar[str] = "sizing"
    kind: ClassVar[Kind] = "sizing"

    sizing_name: Name = Field(description="The name to ask it by.")
    method: SizingMethod = Field(description="The formula.")
    risk_percentage: Positive | None = Field(
        default=None, description="Percent of the balance lost at the stop; `fixed_percentage` and `atr_based` need it."
    )
    kelly_multiplier: Positive = Field(default=0.25, description="Share of the Kelly fraction that is bet.")
    win_rate: Fraction | None = Field(default=None, description="Share of trades that win, for `kelly_criterion`.")
    win_loss_ratio: Positive | None = Field(default=None, description="Mean win over mean loss, for `kelly_criterion`.")
    atr_multiplier: Positive = Field(default=2.0, description="Distance of the stop in average true ranges.")
    target_volatility: Positive | None = Field(
        default=None, description="Percent a year that the balance may move; `volatility_target` needs it."
    )
    cost: Positive | None = Field(default=None, description="Cost of a position, quote currency, for `fixed_cost`.")
    interval: CandleInterval = Field(
        default="1h", description="Candles from which a strategy's true range or volatility is taken."
    )
    period: Period = Field(default=14, description="How many of them.")
    balance: Balance = Field(
        default=10_000.0,
        description="What a strategy's sizes are a share of, quote currency: a start to which the run adds what it has "
        "earned, or a function of `(symbol, when, backtest)`.",
    )
    min_position_size: Positive | None = Field(default=None, description="Least size, base currency.")
    max_position_size: Positive | None = Field(default=None, description="Greatest size, base currency.")
    max_position_percentage: Positive | None = Field(
        default=None, description="Greatest value of a position, percent of the balance."
    )
    note: str = Field(default="", description="Free text.")
    callbacks: SizingCallbacks | None = Field(default=None, description="Functions that are told the size.")

    def _relations(self) -> Iterator[str]:
        takes = _SIZING_FIELDS[self.method]
        for name in dict.fromkeys(name for names in _SIZING_FIELDS.values() for name in names):
            if name not in takes and getattr(self, name) != type(self).model_fields[name].default:
                yield f"{name} is not used by method={self.method!r}, which takes {' and '.join(takes)}"
        needed = _SIZING_NEEDS.get(self.method)
        if needed is not None and getattr(self, needed) is None:
            yield f"{needed} is required by method={self.method!r}"

    @property
    def edge(self) -> tuple[float, float]:
        """Win rate and win-loss ratio of `kelly_criterion`; `UsageError` when the schema leaves them to the caller."""
        if self.win_rate is None or self.win_loss_ratio is None:
            raise UsageError(
                f"sizing {self.sizing_name!r} cannot size the signals of a strategy without win_rate and win_loss_ratio. "
                f"Give both with bk.add_sizing(...) or bk.override_sizing(...)."
            )
        return self.win_rate, self.win_loss_ratio

    def check_for_signals(self) -> None:
        """Raise `UsageError` unless the schema has all that the signals of a strategy need."""
        if self.method == "kelly_criterion":
            _ = self.edge
