"""The schema of a sweep: axes, the hold-out, repeats."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backtestkit.errors import SchemaError
from backtestkit.model.schema import GridAxes, SweepSchema


def refusal(**fields: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        SweepSchema.model_validate({"sweep_name": "s", "exchange_name": "e"} | fields)
    return str(caught.value)


def test_axes_are_kept_in_the_order_given() -> None:
    axes = GridAxes.model_validate({"hold_minutes": [120, 60.0], "profit_lock_percent": [2, 0]})
    assert axes.hold_minutes == (120, 60) and all(type(hold) is int for hold in axes.hold_minutes)
    assert axes.profit_lock_percent == (2.0, 0.0)


@pytest.mark.parametrize(
    ("axis", "values", "complaint"),
    [
        ("hard_stop_percent", [0], "must be a finite number above 0"),
        ("hard_stop_percent", [1, 2, 1.0], "has 1 twice"),
        ("trailing_take_percent", [1, 100], "must be percents below 100"),
        ("trailing_take_percent", [0], "must be a finite number above 0"),
        ("profit_lock_percent", [-1], "must be a finite number above 0"),
        ("profit_lock_percent", 3, "must be a list of numbers of at least 0"),
        ("hold_minutes", [1.5], "must be whole numbers of minutes"),
        ("hold_minutes", "60", "must be a list of whole numbers of minutes"),
        ("hold_minutes", [], "must have at least one value"),
    ],
)
def test_axes_that_make_no_rules_are_refused(axis: str, values: Any, complaint: str) -> None:
    told = refusal(grid_axes={axis: values})
    assert f"{axis}=" in told and complaint in told


def test_thirty_percent_are_held_out_unless_told_otherwise() -> None:
    schema = SweepSchema(sweep_name="s", exchange_name="e")
    assert (schema.holdout_percent, schema.holdout_from, schema.repeat_minutes) == (30.0, None, 480)


def test_a_date_takes_the_place_of_the_share() -> None:
    schema = SweepSchema.model_validate({"sweep_name": "s", "exchange_name": "e", "holdout_from": "2025-06-20"})
    assert schema.holdout_from == datetime(2025, 6, 20, tzinfo=UTC)
    told = refusal(holdout_from="2025-06-20", holdout_percent=20)
    assert "holdout_percent=20 has no place beside holdout_from=2025-06-20" in told


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("holdout_percent", 100, "must be a percentage from 0 to below 100"),
        ("holdout_percent", True, "must be a percentage"),
        ("holdout_from", "later", "holdout_from='later' is not a time"),
        ("repeat_minutes", -1, "must be a whole number of minutes of at least 0"),
        ("repeat_minutes", 1.5, "must be a whole number of minutes"),
        ("report_order", "luck", "must be 'sharpe', 'sortino', 'pnl' or 'recovery'"),
    ],
)
def test_fields_that_make_no_sense_are_refused(field: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(**{field: value})
