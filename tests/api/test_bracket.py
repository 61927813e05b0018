"""Levels made from percents."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtestkit as bk


def test_a_bracket_lies_around_the_price() -> None:
    assert bk.Position.bracket("short", 100.0, percent_take_profit=5, percent_stop_loss=2) == {
        "position": "short",
        "price_take_profit": 95.0,
        "price_stop_loss": 102.0,
    }
    assert bk.Position.bracket("long", 100.0, percent_take_profit=5, percent_stop_loss=2) == {
        "position": "long",
        "price_take_profit": 105.0,
        "price_stop_loss": 98.0,
    }


def test_a_moonbag_aims_50_percent_away() -> None:
    assert bk.Position.moonbag("long", 100.0, percent_stop_loss=10) == bk.Position.bracket(
        "long", 100.0, percent_take_profit=50, percent_stop_loss=10
    )


def test_a_moonbag_may_aim_elsewhere() -> None:
    assert bk.Position.moonbag("short", 100.0, percent_stop_loss=10, percent_take_profit=80) == {
        "position": "short",
        "price_take_profit": pytest.approx(20.0),
        "price_stop_loss": pytest.approx(110.0),
    }


def test_a_bracket_makes_a_signal() -> None:
    signal = bk.Signal(**bk.Position.bracket("long", 100.0, percent_take_profit=5, percent_stop_loss=2))
    assert (signal.position, signal.price_take_profit, signal.price_stop_loss) == ("long", 105.0, 98.0)


@given(st.floats(1e-6, 1e9), st.floats(0.01, 99), st.floats(0.01, 99))
def test_a_long_and_a_short_bracket_are_mirrored(price: float, take: float, stop: float) -> None:
    long = bk.Position.bracket("long", price, percent_take_profit=take, percent_stop_loss=stop)
    short = bk.Position.bracket("short", price, percent_take_profit=stop, percent_stop_loss=take)
    assert long["price_stop_loss"] < price < long["price_take_profit"]
    assert (long["price_take_profit"], long["price_stop_loss"]) == (
        short["price_stop_loss"],
        short["price_take_profit"],
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position": "up"}, "position='up' must be 'long' or 'short'"),
        ({"current_price": 0}, "current_price=0 must be a finite number above 0"),
        ({"current_price": math.nan}, "current_price=nan"),
        ({"percent_take_profit": -1}, "percent_take_profit=-1 must be"),
        ({"percent_stop_loss": math.inf}, "percent_stop_loss=inf must be"),
        ({"percent_stop_loss": 100}, "percent_stop_loss=100 must be below 100 for a long position"),
        ({"position": "short", "percent_take_profit": 100}, "percent_take_profit=100 must be below 100 for a short"),
    ],
)
def test_what_makes_no_levels_is_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"position": "long", "current_price": 100.0, "percent_take_profit": 2}
    arguments |= {"percent_stop_loss": 1} | changes
    position, price = arguments.pop("position"), arguments.pop("current_price")
    with pytest.raises(bk.UsageError, match=message):
        bk.Position.bracket(position, price, **arguments)


def test_the_usual_shares_of_the_way() -> None:
    constant = bk.Constant
    assert (constant.TP_LEVEL1, constant.TP_LEVEL2, constant.TP_LEVEL3) == (30, 60, 90)
    assert (constant.SL_LEVEL1, constant.SL_LEVEL2) == (40, 80)
