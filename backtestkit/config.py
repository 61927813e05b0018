"""Configuration: every constant of the framework, with its default, its unit and the rule it must keep.

A `Config` never changes; `merged` makes the next one or raises a `ConfigError` that lists everything wrong with it, so
a refused change leaves nothing half done. A run takes the config at its start and keeps it to its end.

Importing this module imports pydantic. Nothing that `import backtestkit` runs may import it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from backtestkit.errors import ConfigError

CONSTANT_PREFIX: Final = "CC_"
ENVIRONMENT_PREFIX: Final = "BACKTESTKIT_"

OnError: TypeAlias = Literal["report", "raise"]
PolicyName: TypeAlias = Literal["conservative", "reference", "next_open"]


class Rule(NamedTuple):
    """What a value must be, for people (`sentence` completes "must be ...") and for the program."""

    sentence: str
    holds: Callable[[Any], bool]


def _whole(value: Any) -> int:
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("not a whole number")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError("not a number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not a flag")
    return value


_Whole = Annotated[int, BeforeValidator(_whole)]
_Number = Annotated[float, BeforeValidator(_number)]

Count = Annotated[_Whole, Rule("a whole number of at least 1", lambda v: v >= 1)]
CountOrNone = Annotated[_Whole, Rule("a whole number of at least 0", lambda v: v >= 0)]
Positive = Annotated[_Number, Rule("a finite number above 0", lambda v: math.isfinite(v) and v > 0)]
NotNegative = Annotated[_Number, Rule("a finite number of at least 0", lambda v: math.isfinite(v) and v >= 0)]
Flag = Annotated[bool, BeforeValidator(_flag), Rule("True or False", lambda v: True)]
Lifetime = Annotated[
    _Number,
    Rule("a whole number of at least 1, or math.inf", lambda v: v >= 1 and (math.isinf(v) or v == int(v))),
]
PolicyField = Annotated[
    PolicyName,
    Rule("one of 'conservative', 'reference', 'next_open'", lambda v: True),
]
PathField = Annotated[
    str, BeforeValidator(_text), Rule("the path of a file, as text", lambda v: bool(v.strip()) and "\0" not in v)
]
OnErrorField = Annotated[OnError, Rule("one of 'report', 'raise'", lambda v: True)]


class Config(BaseModel, frozen=True, extra="forbid"):
    """All settings. Percents are percents (0.1 is 0.1 %), money is quote currency.

    Make one with `Config.defaults()`, change it with `merged`. Names may also be written as the constants of the manual
    (`CC_PERCENT_FEE` for `percent_fee`).
    """

    # Costs and prices
    percent_fee: NotNegative = Field(default=0.1, description="Fee, percent of the traded cost per side.")
    percent_slippage: NotNegative = Field(default=0.1, description="Slippage, percent of the price per side.")
    avg_price_candles_count: Count = Field(default=5, description="Candles of the base interval in the average price.")
    position_entry_cost: Positive = Field(
        default=100.0, description="Cost of an entry that names none, quote currency."
    )
    signal_leverage_multiplier: Positive = Field(
        default=1.0, description="Leverage of a signal that names none, times."
    )
    signal_isolated_margin: Flag = Field(
        default=True, description="Isolated margin of a signal that does not say: liquidate at -100 %."
    )
    fill_policy: PolicyField = Field(
        default="conservative", description="How fills are assumed where candles cannot tell."
    )

    # Rules for signals
    min_takeprofit_distance_percent: Positive = Field(
        default=0.5, description="Least distance of the take profit, percent."
    )
    min_stoploss_distance_percent: Positive = Field(
        default=0.5, description="Least distance of the stop loss, percent."
    )
    max_stoploss_distance_percent: Positive = Field(
        default=20.0, description="Greatest distance of the stop loss, percent."
    )
    max_signal_lifetime_minutes: Lifetime = Field(
        default=1440.0,
        description="Longest life of a position, and of a signal that names none, minutes; inf for no limit.",
    )
    max_signal_generation_seconds: Count = Field(default=180, description="Time limit of get_signal, seconds.")
    schedule_await_minutes: Count = Field(default=120, description="How long an entry waits for its price, minutes.")
    breakeven_threshold: NotNegative = Field(
        default=0.2, description="Profit beyond the costs of both sides from which breakeven is possible, percent."
    )
    enable_long_signal: Flag = Field(default=True, description="Whether long signals are allowed.")
    enable_short_signal: Flag = Field(default=True, description="Whether short signals are allowed.")
    enable_dca_everywhere: Flag = Field(
        default=False, description="Average buys also when the price is not at a new extreme."
    )
    enable_pppl_everywhere: Flag = Field(default=False, description="Partial closes also against their direction.")
    enable_trailing_everywhere: Flag = Field(default=False, description="Trailing also away from the market.")

    # Market data
    get_candles_retry_count: CountOrNone = Field(default=3, description="Attempts to read candles; 0 always fails.")
    get_candles_retry_delay_ms: CountOrNone = Field(default=5000, description="Wait between two attempts, ms.")
    max_candles_per_request: Count = Field(default=1000, description="Most candles asked of a source at once.")
    get_candles_price_anomaly_threshold_factor: Count = Field(
        default=1000, description="A price this many times away from the typical one is refused, times."
    )
    get_candles_min_candles_for_median: Count = Field(
        default=5, description="Candles from which the typical price is the median instead of the mean."
    )
    enable_candle_fetch_mutex: Flag = Field(
        default=True, description="Read candles of one source one request at a time."
    )
    enable_backtest_parallel_spin: Flag = Field(
        default=True, description="Let parallel backtests take turns after each read."
    )
    order_book_time_offset_minutes: Count = Field(
        default=10, description="Length of the window of an order book, minutes."
    )
    order_book_max_depth_levels: Count = Field(default=1000, description="Levels of an order book per side.")
    aggregated_trades_max_minutes: Annotated[_Whole, Rule("a whole number of at least 2", lambda v: v >= 2)] = Field(
        default=60, description="Longest window of aggregated trades, minutes."
    )

    # Live orders
    order_open_retry_attempts: CountOrNone = Field(default=5, description="Retries of a failed open; 0 for none.")
    order_check_retry_attempts: CountOrNone = Field(
        default=5, description="Failures of an order check that are tolerated; with 0 the first one is final."
    )
    order_close_retry_attempts: CountOrNone = Field(
        default=5, description="Failures of a close after which it is forced; 0 retries for ever."
    )

    # Errors, memory
    on_error: OnErrorField = Field(
        default="report", description="Whether an error in user code is reported or ends the run."
    )
    max_memory_entries: Count = Field(default=1000, description="Memory entries kept per signal and bucket, rows.")
    max_state_records: Count = Field(
        default=10_000, description="States, and memory entries, that all open signals may have in memory, rows."
    )
    max_sessions: Count = Field(default=1000, description="Runs whose session values are kept in memory, rows.")
    max_cached_values: Count = Field(
        default=10_000,
        description="Values kept in memory by each function that is cached or limited to an interval, rows.",
    )

    # What is kept and shown: from here on, nothing changes what a run decides (`deciding`)
    keep_runs: Flag = Field(default=True, description="Whether backtests are kept in the run store.")
    runs_path: PathField = Field(default="dump/runs.db", description="File of the run store.")
    notification_order_check_ttl: CountOrNone = Field(
        default=900_000, description="Least time between two order-check notifications of one signal, ms."
    )
    max_notifications: Count = Field(default=500, description="Notifications kept, rows.")
    max_signals: Count = Field(default=50, description="Signals kept in storage, rows.")
    max_log_lines: Count = Field(default=1000, description="Log lines kept, rows.")
    max_outbox_messages: Count = Field(
        default=1000, description="Messages that may wait for one receiver, and sent ones that are remembered, rows."
    )
    report_show_signal_note: Flag = Field(default=False, description="Whether reports have a note column.")
    walker_markdown_top_n: Count = Field(
        default=10, description="Strategies in the comparison table of a walker report, rows."
    )
    max_performance_markdown_rows: Count = Field(default=10_000, description="Timing events kept per report, rows.")
    max_backtest_markdown_rows: Count = Field(default=250, description="Trades shown in a backtest report, rows.")
    max_breakeven_markdown_rows: Count = Field(default=250, description="Events kept for a breakeven report, rows.")
    max_heatmap_markdown_rows: Count = Field(default=250, description="Trades shown per symbol of a heat map, rows.")
    max_highest_profit_markdown_rows: Count = Field(
        default=250, description="Events kept for a highest-profit report, rows."
    )
    max_max_drawdown_markdown_rows: Count = Field(
        default=250, description="Events kept for a max-drawdown report, rows."
    )
    max_live_markdown_rows: Count = Field(default=250, description="Events shown in a live report, rows.")
    max_partial_markdown_rows: Count = Field(default=250, description="Events kept for a partial-level report, rows.")
    max_risk_markdown_rows: Count = Field(default=250, description="Events kept for a risk report, rows.")
    max_schedule_markdown_rows: Count = Field(default=250, description="Events kept for a schedule report, rows.")
    max_strategy_markdown_rows: Count = Field(default=250, description="Events kept for a strategy report, rows.")
    max_sync_markdown_rows: Count = Field(default=250, description="Events kept for a sync report, rows.")

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """One gate for every way a `Config` is made: collect what is wrong, then raise all of it together."""
        if isinstance(data, cls):
            return data
        context = info.context or {}
        label: Callable[[str], str] = context.get("label", str)
        values, unknown = _named(data)
        complaints = {name: _unknown(name) for name in unknown}
        try:
            config = handler(values)
        except ValidationError as error:
            wrong = {str(e["loc"][0]): e["input"] for e in error.errors()}
            config = handler({name: value for name, value in values.items() if name not in wrong})
        else:
            wrong = {}
        for name, field in cls.model_fields.items():
            rule = next(m for m in field.metadata if isinstance(m, Rule))
            value = wrong[name] if name in wrong else getattr(config, name)
            if name in wrong or not (context.get("unsafe") or rule.holds(value)):
                complaints[name] = f"{label(name)}={value!r} must be {rule.sentence} (the default is {field.default!r})"
        if not context.get("unsafe"):
            for name, complaint in _relations(config, label):
                if name not in wrong:
                    complaints.setdefault(name, complaint)
        if complaints:
            raise ConfigError(
                "\n  ".join(["config refused, nothing was changed:", *complaints.values()]), list(complaints)
            )
        return config

    @classmethod
    def defaults(cls) -> Config:
        """The documented defaults, whatever the environment says."""
        return _DEFAULTS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Config:
        """The defaults with what variables such as `BACKTESTKIT_PERCENT_FEE=0.05` change.

        Text is read by the type of the field (`inf` is a number; flags are true/false, yes/no, on/off, 1/0). A variable
        that is nearly the name of a field is refused, because a mistyped setting would silently not count; other
        variables with the prefix belong to somebody else.
        """
        changes: dict[str, Any] = {}
        for variable, text in environ.items():
            if not variable.startswith(ENVIRONMENT_PREFIX):
                continue
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            if name in cls.model_fields:
                changes[name] = _parsed(text, cls.model_fields[name].annotation)
            elif near := get_close_matches(name, cls.model_fields, n=1, cutoff=0.85):
                raise ConfigError(
                    f"environment variable {variable} is unknown. Did you mean {_variable(near[0])}?", [name]
                )
        return _DEFAULTS._with(changes, label=lambda name: _variable(name) if name in changes else name)

    def merged(self, changes: Mapping[str, Any], *, unsafe: bool = False) -> Config:
        """This config with `changes`, checked as a whole.

        Raises `ConfigError` with every complaint. `unsafe=True` skips the rules, not the types: a fee of -1 passes, a
        fee of "much" and an unknown name do not.
        """
        return self._with(dict(changes), unsafe=unsafe)

    def as_dict(self) -> dict[str, Any]:
        """Field names and values, in order; the caller's own copy."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def deciding(self) -> dict[str, Any]:
        """The settings that can change what a run decides: all but those that say what is kept and shown of it."""
        names = list(type(self).model_fields)
        return {name: getattr(self, name) for name in names[: names.index("keep_runs")]}

    def _with(self, changes: dict[str, Any], *, unsafe: bool = False, label: Callable[[str], str] = str) -> Config:
        values, unknown = _named(changes)
        merged = self.as_dict() | values | {name: changes[name] for name in unknown}
        return type(self).model_validate(merged, context={"unsafe": unsafe, "label": label})


def _named(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`data` under field names, and the names that are not fields."""
    values: dict[str, Any] = {}
    unknown: list[str] = []
    for given, value in data.items():
        name = given.removeprefix(CONSTANT_PREFIX).lower() if given.startswith(CONSTANT_PREFIX) else given
        if name in Config.model_fields:
            values[name] = value
        else:
            unknown.append(given)
    return values, unknown


def _unknown(given: str) -> str:
    name = given.removeprefix(CONSTANT_PREFIX).lower()
    near = get_close_matches(name, Config.model_fields, n=3, cutoff=0.6)
    hint = "Did you mean " + " or ".join(near) + "?" if near else "bk.get_default_config() shows all names."
    return f"{given} is no setting. {hint}"


def _relations(config: Config, label: Callable[[str], str]) -> list[tuple[str, str]]:
    """The rules between fields. A field that is not a finite number has its own complaint and is left out here."""
    broken: list[tuple[str, str]] = []
    take, low = "min_takeprofit_distance_percent", "min_stoploss_distance_percent"
    distance, costs = config.min_takeprofit_distance_percent, 2 * config.percent_slippage + 2 * config.percent_fee
    # Decimal fractions are inexact (2 * 0.2 + 2 * 0.1 is 0.6000000000000001): equality is decided in the user's favour.
    if math.isfinite(distance) and math.isfinite(costs) and distance < costs * (1 - 1e-9):
        reason = f"2 * percent_slippage {config.percent_slippage!r} + 2 * percent_fee {config.percent_fee!r}"
        complaint = f"must be at least {costs:.10g}, the costs of a trade ({reason}); raise it or lower the costs"
        broken.append((take, f"{label(take)}={distance!r} {complaint}"))
    least, most = config.min_stoploss_distance_percent, config.max_stoploss_distance_percent
    if math.isfinite(least) and math.isfinite(most) and not least < most:
        complaint = f"must be below max_stoploss_distance_percent={most!r}; lower it or raise the maximum"
        broken.append((low, f"{label(low)}={least!r} {complaint}"))
    return broken


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


_FLAGS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def _parsed(text: str, annotation: Any) -> Any:
    """`text` as the type of a field; what cannot be read stays text, for the check to complain about."""
    if annotation is bool:
        return _FLAGS.get(text.strip().lower(), text)
    if annotation in (int, float):
        try:
            return float(text)
        except ValueError:
            return text
    return text


_DEFAULTS: Final = Config()
