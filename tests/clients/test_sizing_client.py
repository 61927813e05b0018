"""A sizing takes checked inputs of its own method and says how its size came about."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from backtestkit.clients.sizing import ClientSizing
from backtestkit.errors import UsageError
from backtestkit.model.schema import SizingSchema
from backtestkit.model.sizing import PositionSizing

FIELDS: dict[str, dict[str, Any]] = {
    "fixed_percentage": {"risk_percentage": 1},
    "kelly_criterion": {},
    "atr_based": {"risk_percentage": 2},
    "volatility_target": {"target_volatility": 20},
    "fixed_cost": {"cost": 250},
}
INPUTS: dict[str, tuple[Any, ...]] = {
    "fixed_percentage": (100.0, 98.0, "long"),
    "kelly_criterion": (100.0, 0.6, 1.5),
    "atr_based": (100.0, 3.0),
    "volatility_target": (100.0, 40.0),
    "fixed_cost": (100.0,),
}


def sizing(method: str, **fields: Any) -> ClientSizing:
    return ClientSizing(SizingSchema(sizing_name="z", method=method, **(FIELDS[method] | fields)))  # type: ignore[arg-type]


def size(client: ClientSizing, method: str, *inputs: Any, balance: float = 10_000, **more: Any) -> PositionSizing:
    call: Callable[..., PositionSizing] = getattr(client, method)
    return call("BTC", balance, *(inputs or INPUTS[method]), **more)


@pytest.mark.parametrize(
    ("method", "quantity"),
    [
        ("fixed_percentage", 50.0),
        ("kelly_criterion", 8.333333333333332),
        ("atr_based", 33.333333333333336),
        ("volatility_target", 50.0),
        ("fixed_cost", 2.5),
    ],
)
def test_every_method_gives_its_worked_size(method: str, quantity: float) -> None:
    made = size(sizing(method), method)
    assert (made.quantity, made.formula_quantity, made.limit) == (quantity, quantity, None)
    assert (made.method, made.sizing_name, made.symbol, made.account_balance) == (method, "z", "BTC", 10_000)
    assert float(made) == quantity
    assert made.notional == quantity * 100


def test_the_worked_limits() -> None:
    limits = {"min_position_size": 5, "max_position_percentage": 10, "max_position_size": 3}
    made = size(sizing("fixed_percentage", **limits), "fixed_percentage")
    assert (made.formula_quantity, made.quantity, made.limit) == (50.0, 3, "max_position_size")


def test_the_inputs_of_a_size_are_kept_with_it() -> None:
    made = size(sizing("atr_based", atr_multiplier=3), "atr_based")
    assert made.inputs == {"atr": 3.0, "risk_percentage": 2.0, "atr_multiplier": 3.0}


def test_a_short_has_its_stop_above() -> None:
    client = sizing("fixed_percentage")
    assert size(client, "fixed_percentage", 98.0, 100.0, "short").quantity == 50.0
    with pytest.raises(UsageError, match=r"price_stop_loss=98\.0 must be above price_open=100\.0 for a short"):
        size(client, "fixed_percentage", 100.0, 98.0, "short")


@pytest.mark.parametrize("stop", [100.0, 102.0])
def test_a_stop_that_is_not_on_the_loss_side_is_refused(stop: float) -> None:
    with pytest.raises(UsageError, match="must be below price_open"):
        size(sizing("fixed_percentage"), "fixed_percentage", 100.0, stop, "long")


def test_a_side_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="position='up'"):
        size(sizing("fixed_percentage"), "fixed_percentage", 100.0, 98.0, "up")


def test_no_position_moves_more_than_the_leverage_allows() -> None:
    made = size(sizing("fixed_percentage"), "fixed_percentage", 100.0, 99.9, "long", leverage=2)
    assert (made.quantity, made.limit) == (200.0, "balance")
    assert size(sizing("fixed_cost"), "fixed_cost", leverage=3).quantity == 7.5
    with pytest.raises(UsageError, match="leverage=0"):
        size(sizing("fixed_cost"), "fixed_cost", leverage=0)


@pytest.mark.parametrize("method", list(FIELDS))
def test_a_sizing_of_another_method_is_refused(method: str) -> None:
    other = "fixed_cost" if method != "fixed_cost" else "atr_based"
    with pytest.raises(UsageError, match=f"is of method '{other}', not '{method}'. Call PositionSize.{other}"):
        size(sizing(other), method)


@pytest.mark.parametrize("method", list(FIELDS))
@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, True, "1"])
def test_balances_and_prices_are_finite_numbers_above_zero(method: str, wrong: Any) -> None:
    with pytest.raises(UsageError, match="account_balance"):
        size(sizing(method), method, balance=wrong)
    with pytest.raises(UsageError, match="price_open"):
        size(sizing(method), method, wrong, *INPUTS[method][1:])


@pytest.mark.parametrize(
    ("method", "inputs", "message"),
    [
        ("fixed_percentage", (100.0, 0, "long"), "price_stop_loss=0"),
        ("kelly_criterion", (100.0, 0, 1.5), "win_rate=0 must be a fraction"),
        ("kelly_criterion", (100.0, 1, 1.5), "win_rate=1 must be a fraction"),
        ("kelly_criterion", (0, 60, 0), "win_rate=60"),
        ("kelly_criterion", (0, 0.6, 0), "win_loss_ratio=0"),
        ("kelly_criterion", (0, 0.6, 1), "price_open=0"),
        ("atr_based", (100.0, 0), "atr=0"),
        ("volatility_target", (100.0, math.nan), "volatility=nan"),
    ],
)
def test_inputs_of_a_method_are_refused_by_name(method: str, inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        size(sizing(method), method, *inputs)
