"""What each kind of schema accepts, fills in and refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from backtestkit.errors import SchemaError, UsageError
from backtestkit.model.schema import (
    SCHEMAS,
    ActionSchema,
    ExchangeSchema,
    FrameSchema,
    GridAxes,
    McpSchema,
    RiskRule,
    RiskSchema,
    SizingSchema,
    StrategyCallbacks,
    StrategySchema,
    SweepSchema,
    WalkerSchema,
)

DAY = {"frame_name": "day", "start_date": "2025-06-01", "end_date": "2025-06-02"}


def refusal(schema: Callable[..., Any], **fields: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        schema(**fields)
    return str(caught.value)


def load(*_: Any) -> list[list[float]]:
    return []


def test_every_kind_knows_its_name_field_and_documents_all_fields() -> None:
    for kind, schema in SCHEMAS.items():
        assert schema.kind == schema.subject == kind
        assert next(iter(schema.model_fields)) == f"{kind}_name"
        assert all(field.description for field in schema.model_fields.values()), kind


def test_a_strategy_needs_only_a_name() -> None:
    schema = StrategySchema(strategy_name="s")
    assert (schema.name, schema.interval, schema.get_signal, schema.on_error) == ("s", "1m", None, None)
    assert (schema.risk_list, schema.actions, schema.risks, schema.warmup) == ((), (), (), None)


def test_a_schema_cannot_be_assigned_to() -> None:
    with pytest.raises(ValidationError):
        StrategySchema(strategy_name="s").note = "x"  # type: ignore[misc]


def test_all_complaints_come_in_one_error_with_field_value_and_fix() -> None:
    message = refusal(StrategySchema, strategy_name="s", interval="7m", get_signal=3, on_error="stop", get_signl=load)
    lines = message.splitlines()
    assert lines[0] == "strategy 's' refused:"
    assert lines[1] == "  interval='7m' must be '1m', '3m', '5m', '15m', '30m' or '1h'"
    assert lines[2] == "  get_signal=3 must be callable"
    assert lines[3] == "  on_error='stop' must be 'report' or 'raise'"
    assert "get_signl=" in lines[4] and lines[4].endswith("Did you mean get_signal?")
    assert len(lines) == 5


def test_a_missing_field_and_a_foreign_one_are_named() -> None:
    assert refusal(StrategySchema) == "strategy refused:\n  strategy_name is required"
    assert "zzz=1 is no field of FrameSchema. Fields: frame_name, interval" in refusal(FrameSchema, **DAY, zzz=1)


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", 3, None])
def test_names_are_visible_text(name: Any) -> None:
    assert "strategy_name=" in refusal(StrategySchema, strategy_name=name)


def test_lists_of_names_are_lists_without_doubles() -> None:
    assert StrategySchema(strategy_name="s", actions=["a", "b"]).actions == ("a", "b")  # type: ignore[arg-type]
    assert "risk_list='ab' must be a list of names" in refusal(StrategySchema, strategy_name="s", risk_list="ab")
    assert "names 'a' twice" in refusal(StrategySchema, strategy_name="s", actions=["a", "a"])


def test_risks_are_asked_once_each_with_the_single_one_first() -> None:
    assert StrategySchema(strategy_name="s", risk_name="b", risk_list=("a", "b", "c")).risks == ("b", "a", "c")


def test_callbacks_may_be_a_mapping_and_their_errors_are_schema_errors_too() -> None:
    schema = StrategySchema.model_validate({"strategy_name": "s", "callbacks": {"on_open": load}})
    assert schema.callbacks == StrategyCallbacks(on_open=load)
    assert "on_tik=" in refusal(StrategySchema, strategy_name="s", callbacks={"on_tik": load})
    assert "Did you mean on_tick" in refusal(StrategyCallbacks, on_tik=load)
    assert "strategy callbacks must be a mapping" in refusal(StrategySchema, strategy_name="s", callbacks=3)


@pytest.mark.parametrize("warmup", [None, timedelta(days=1), {"15m": 48, "1h": 3}])
def test_warmup_counts_candles_or_time(warmup: Any) -> None:
    assert StrategySchema(strategy_name="s", warmup=warmup).warmup == warmup


@pytest.mark.parametrize("warmup", [timedelta(0), {"7m": 3}, {"15m": 0}, {"15m": 1.5}, {"15m": True}, 48, "1d"])
def test_other_warmups_are_refused(warmup: Any) -> None:
    assert "warmup=" in refusal(StrategySchema, strategy_name="s", warmup=warmup)


def test_an_exchange_needs_a_source() -> None:
    assert "get_candles is required" in refusal(ExchangeSchema, exchange_name="e")
    schema = ExchangeSchema(exchange_name="e", get_candles=load)
    assert (schema.gaps, schema.base_interval, schema.coarser) == ("refuse", "1m", "exchange")


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        ("2025-06-01", datetime(2025, 6, 1, tzinfo=UTC)),
        ("2025-06-01T02:00+02:00", datetime(2025, 6, 1, tzinfo=UTC)),
        (date(2025, 6, 1), datetime(2025, 6, 1, tzinfo=UTC)),
        (datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)),
        (1748736000000, datetime(2025, 6, 1, tzinfo=UTC)),
    ],
)
def test_frame_dates_become_aware_datetimes(given: Any, instant: datetime) -> None:
    assert FrameSchema(frame_name="f", start_date=given, end_date="2026-01-01").start_date == instant  # type: ignore[arg-type]


def test_frame_dates_that_are_no_instant_are_refused_without_repeating_themselves() -> None:
    naive = datetime(2025, 6, 1)  # noqa: DTZ001  (the point)
    assert "has no time zone" in refusal(FrameSchema, **{**DAY, "start_date": naive})
    assert refusal(FrameSchema, **{**DAY, "start_date": "soon"}).count("start_date=") == 1


def test_a_frame_runs_forward() -> None:
    assert "must not be before start_date" in refusal(FrameSchema, **{**DAY, "end_date": "2025-05-31"})


def test_risk_validations_are_functions_with_or_without_a_note() -> None:
    schema = RiskSchema(risk_name="r", validations=[load, {"validate": load, "note": "n"}])  # type: ignore[arg-type]
    assert schema.validations == (RiskRule(validate=load), RiskRule(validate=load, note="n"))
    assert RiskSchema(risk_name="r").validations == ()
    assert "Did you mean validate?" in refusal(RiskSchema, risk_name="r", validations=[{"validat": load}])
    for wrong in ("text", {"validate": load}, 3):
        assert "must be a list of functions" in refusal(RiskSchema, risk_name="r", validations=wrong)


def test_a_sizing_takes_what_its_method_uses() -> None:
    assert SizingSchema(sizing_name="s", method="kelly_criterion").kelly_multiplier == 0.25
    assert SizingSchema(sizing_name="s", method="atr_based", risk_percentage=1).atr_multiplier == 2.0
    for method in ("fixed_percentage", "atr_based"):
        assert "risk_percentage is required" in refusal(SizingSchema, sizing_name="s", method=method)
    message = refusal(SizingSchema, sizing_name="s", method="fixed_percentage", risk_percentage=1, kelly_multiplier=1)
    assert "kelly_multiplier is not used by method='fixed_percentage', which takes risk_percentage" in message
    for wrong in (0, -1, True, float("nan"), float("inf"), "1"):
        message = refusal(SizingSchema, sizing_name="s", method="fixed_percentage", risk_percentage=wrong)
        assert "must be a finite number above 0" in message


def test_a_sizing_has_what_its_method_needs() -> None:
    assert "cost is required by method='fixed_cost'" in refusal(SizingSchema, sizing_name="s", method="fixed_cost")
    message = refusal(SizingSchema, sizing_name="s", method="volatility_target")
    assert "target_volatility is required" in message
    message = refusal(SizingSchema, sizing_name="s", method="fixed_cost", cost=1, interval="5m", period=3)
    assert "interval is not used" in message
    assert "period is not used" in message
    schema = SizingSchema(sizing_name="s", method="volatility_target", target_volatility=20)
    assert (schema.interval, schema.period, schema.balance) == ("1h", 14, 10_000.0)
    for wrong in (1, 2.5, True, "3"):
        message = refusal(SizingSchema, sizing_name="s", method="atr_based", risk_percentage=1, period=wrong)
        assert "must be a whole number of at least 2" in message


def test_a_balance_is_a_number_or_a_function() -> None:
    fields: dict[str, Any] = {"sizing_name": "s", "method": "fixed_cost", "cost": 5}

    async def balance(symbol: str, when: datetime, backtest: bool) -> float:
        return 1.0

    assert SizingSchema(**fields, balance=500).balance == 500.0
    assert SizingSchema(**fields, balance=balance).balance is balance
    assert "balance=0 must be a finite number above 0" in refusal(SizingSchema, **fields, balance=0)


def test_an_edge_is_needed_for_signals_and_may_be_left_to_callers() -> None:
    fields: dict[str, Any] = {"sizing_name": "s", "method": "kelly_criterion"}
    SizingSchema(**fields, win_rate=0.6, win_loss_ratio=1.5).check_for_signals()
    SizingSchema(sizing_name="s", method="fixed_cost", cost=5).check_for_signals()
    for edge in ({}, {"win_rate": 0.6}, {"win_loss_ratio": 1.5}):
        with pytest.raises(UsageError, match="without win_rate and win_loss_ratio"):
            SizingSchema(**(fields | edge)).check_for_signals()
    assert "win_rate=60 must be a fraction between 0 and 1" in refusal(SizingSchema, **fields, win_rate=60)


def test_a_walker_compares_at_least_one_strategy() -> None:
    fields = {"walker_name": "w", "exchange_name": "e", "frame_name": "f"}
    assert WalkerSchema(**fields, strategies=("a",)).metric == "sharpe_ratio"  # type: ignore[arg-type]
    assert "must name at least one strategy" in refusal(WalkerSchema, **fields, strategies=[])
    assert "names 'a' twice" in refusal(WalkerSchema, **fields, strategies=["a", "a"])


class Watcher:
    def __init__(self, *context: object) -> None:
        self.context = context

    def signal(self, event: object) -> None: ...

    def helper(self) -> None: ...


class Mistyped(Watcher):
    def ping_activ(self, event: object) -> None: ...


def test_an_action_handler_is_a_class_or_an_object_with_hooks() -> None:
    assert ActionSchema(action_name="a", handler=Watcher).handler is Watcher
    assert ActionSchema(action_name="a", handler=Watcher()).name == "a"
    assert "has none of the methods init, signal" in refusal(ActionSchema, action_name="a", handler=object())
    assert "'ping_activ', which nothing calls. Did you mean ping_active" in refusal(
        ActionSchema, action_name="a", handler=Mistyped
    )


def test_a_sweep_tries_21280_points_unless_told_otherwise() -> None:
    axes = SweepSchema(sweep_name="s", exchange_name="e").grid_axes
    points = 1
    for axis in (axes.hard_stop_percent, axes.trailing_take_percent, axes.hold_minutes, axes.profit_lock_percent):
        points *= len(axis)
    assert points == 21_280
    assert axes.hard_stop_percent[:2] == (1.0, 1.5) and axes.hard_stop_percent[-1] == 10.0
    assert GridAxes.model_validate({"hold_minutes": [60]}).hold_minutes == (60.0,)


@pytest.mark.parametrize("axis", [[], [0], "12", 3])
def test_an_axis_is_a_list_of_numbers_above_zero(axis: Any) -> None:
    assert "hold_minutes=" in refusal(GridAxes, hold_minutes=axis)


def test_an_mcp_client_may_do_everything_unless_told_otherwise() -> None:
    assert len(McpSchema(mcp_name="m").permissions) == 5
    assert "permissions.0='fly' must be 'get_status'" in refusal(McpSchema, mcp_name="m", permissions=["fly"])


def test_long_values_are_shortened_in_messages() -> None:
    assert len(refusal(StrategySchema, strategy_name="s", interval="x" * 10_000)) < 300


def test_as_dict_gives_fields_one_level_deep() -> None:
    schema = FrameSchema(**DAY)  # type: ignore[arg-type]
    assert FrameSchema(**schema.as_dict()) == schema
