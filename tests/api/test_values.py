"""Paths into data, decimal places, plain text, command lines, and the rules for signals as functions."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest
from kept_runs import new_run, prepare

import backtestkit as bk
from backtestkit.errors import SignalError, UsageError
from scenarios.market import still

DATA = {"a": {"b": [10, {"c": None}]}, "o": SimpleNamespace(x=1)}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b.0", 10),
        (["a", "b", 1, "c"], None),
        ("a.b.-1.c", None),
        ("o.x", 1),
        ("a.x", "default"),
        ("a.b.9", "default"),
        ("a.b.x", "default"),
        ("o.y", "default"),
        ("a.b.0.z", "default"),
    ],
)
def test_a_path_leads_through_mappings_lists_and_attributes(path: Any, found: Any) -> None:
    assert bk.get_path(DATA, path, "default") == found


def test_a_path_can_be_set_and_makes_what_is_missing() -> None:
    data: dict[str, Any] = {"list": [1, 2], "o": SimpleNamespace(x=1)}
    bk.set_path(data, "a.b.c", 1)
    bk.set_path(data, "list.1", 5)
    bk.set_path(data, ["o", "x"], 7)
    assert data["a"] == {"b": {"c": 1}} and data["list"] == [1, 5] and data["o"].x == 7


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("list.9", r"a list of 1 has no place '9'"),
        ("list.x", r"a list of 1 has no place 'x'"),
        ("n.x", "int takes nothing at 'x'"),
        ("n.x.y", "int has nothing at 'x'"),
        ("a..b", "has an empty step"),
        ([], "has an empty step"),
    ],
)
def test_a_path_that_cannot_go_is_refused(path: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        bk.set_path({"list": [1], "n": 5}, path, 1)


@pytest.mark.parametrize(
    ("price", "places"),
    [(0.0, 2), (65_000.5, 2), (100.0, 2), (99.9, 3), (1.0, 4), (-0.5, 5), (0.0012, 7), (0.00012, 8), (1e-12, 8)],
)
def test_a_price_shows_five_digits_within_two_and_eight_places(price: float, places: int) -> None:
    assert bk.get_price_scale(price) == places


def test_a_price_that_is_none_has_no_scale() -> None:
    with pytest.raises(UsageError, match="nan is not a finite number"):
        bk.get_price_scale(math.nan)


def test_markdown_becomes_plain_text() -> None:
    assert bk.to_plain_string("# Title\n\n*a* [b](http://c)") == "Title a b"


def test_a_command_line_says_what_to_run() -> None:
    found = bk.parse_args(["--live", "--symbol", "BTC", "--frame", "f", "--other", "x", "--verbose"], strategy="s")
    assert (found.mode, found.paper, found.symbol, found.strategy_name) == ("live", False, "BTC", "s")
    assert (found.exchange_name, found.frame_name, found.verbose, found.rest) == (None, "f", True, ("--other", "x"))
    assert bk.parse_args([]).mode == bk.parse_args(["--backtest"]).mode == "backtest"
    paper = bk.parse_args(["--paper"])
    assert (paper.mode, paper.paper) == ("live", True)


def test_a_command_line_that_makes_no_sense_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bk.parse_args(["--live", "--backtest"])
    assert "not allowed with" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"parse_args has no default 'symbl'\. Give symbol, strategy"):
        bk.parse_args([], symbl="x")


# -- the rules for signals ----------------------------------------------------------------------------------------------

LONG = {"position": "long", "price_take_profit": 110.0, "price_stop_loss": 90.0}
WAITING = {**LONG, "price_open": 95.0}


@pytest.mark.parametrize(
    ("signal", "price", "valid"),
    [
        (LONG, 100.0, True),
        (LONG, 89.0, False),
        (LONG, 110.0, False),
        ({**LONG, "price_stop_loss": 101.0}, 100.0, False),
        ({**LONG, "price_open": 105.0}, 100.0, True),
        (WAITING, 100.0, True),
        (WAITING, 120.0, True),
        (WAITING, math.inf, False),
        (LONG, math.nan, False),
    ],
)
def test_a_signal_is_valid_when_the_engine_would_take_it(signal: Any, price: float, valid: bool) -> None:
    with bk.Kit():
        assert bk.validate_signal(signal, price) is valid


def test_common_rules_are_told_all_at_once() -> None:
    with bk.Kit(), pytest.raises(SignalError) as caught:
        bk.validate_common_signal({"position": "up", "price_take_profit": 110.0, "minute_estimated_time": 0.5}, 100.0)
    assert caught.value.codes == (
        "position_invalid", "stop_loss_not_number", "stop_loss_not_finite", "minute_estimated_time_not_integer",
    )  # fmt: skip
    with bk.Kit():
        bk.validate_common_signal(LONG, 100.0)


def test_an_entry_at_once_is_checked_against_the_market_after_the_common_rules() -> None:
    with bk.Kit({"fill_policy": "reference"}):  # where an entry that the market has passed keeps its price
        bk.validate_pending_signal(LONG, 100.0)
        with pytest.raises(SignalError) as caught:
            bk.validate_pending_signal({**LONG, "price_open": 100.0}, 89.0)
        assert caught.value.codes == ("already_stopped_out",)
        with pytest.raises(SignalError) as caught:
            bk.validate_pending_signal({**LONG, "price_open": 100.0, "price_take_profit": 99.0}, 89.0)
        assert "already_stopped_out" not in caught.value.codes


def test_an_entry_that_waits_needs_a_price_and_no_market() -> None:
    with bk.Kit():
        bk.validate_scheduled_signal(WAITING, 100.0)
        bk.validate_scheduled_signal(WAITING, 300.0)
        with pytest.raises(SignalError, match="price_open is missing"):
            bk.validate_scheduled_signal(LONG, 100.0)
        with pytest.raises(SignalError) as caught:
            bk.validate_scheduled_signal({**WAITING, "price_stop_loss": 96.0}, 100.0)
        assert "stop_loss_wrong_side" in caught.value.codes
        with pytest.raises(UsageError, match="there is no signal to validate"):
            bk.validate_signal(None, 100.0)  # type: ignore[arg-type]


def test_the_rules_are_those_of_the_configuration_and_of_the_running_strategy() -> None:
    near = {**LONG, "price_take_profit": 100.6}
    seen: list[bool] = []

    with bk.Kit({"min_takeprofit_distance_percent": 1.0}):
        assert not bk.validate_signal(near, 100.0)
        prepare(still(1), lambda *_: seen.append(bk.validate_signal(near, 100.0)))
        run = new_run()
        bk.set_config(min_takeprofit_distance_percent=0.5)
        assert bk.validate_signal(near, 100.0)
        asyncio.run(run.result())
    assert seen == [False]
