"""How recorded and actual events are compared: nothing that matters may slip through."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_runner.compare import by_run, collapse, difference, events_difference, same

EVENTS: list[dict[str, Any]] = [
    {
        "type": "signal",
        "action": "opened",
        "timestamp": 60_000,
        "current_price": 100.0,
        "signal": {"id": "#1", "cost": 5},
    },
    {"type": "highest_profit", "timestamp": 120_000, "current_price": 101.0, "signal_id": "#1"},
    {"type": "signal", "action": "closed", "timestamp": 180_000, "current_price": 99.0, "close_reason": "stop_loss"},
]
NOTHING: frozenset[str] = frozenset()


def changed(index: int, **fields: Any) -> list[dict[str, Any]]:
    return [event | fields if i == index else event for i, event in enumerate(EVENTS)]


def test_equal_events_have_no_difference() -> None:
    assert events_difference(EVENTS, EVENTS, NOTHING) is None


def test_events_may_have_more_fields_than_were_recorded() -> None:
    assert events_difference(changed(1, extra=7), EVENTS, NOTHING) is None


@pytest.mark.parametrize(
    ("got", "found"),
    [
        (changed(0, current_price=100.0001), "event 0 (signal opened) current_price: got 100.0001, expected 100.0"),
        (changed(0, signal={"id": "#1"}), "event 0 (signal opened) signal.cost: got None, expected 5"),
        (changed(0, signal=None), "event 0 (signal opened) signal: got None"),
        (changed(2, close_reason="take_profit"), "close_reason: got 'take_profit', expected 'stop_loss'"),
        (changed(1, type="max_drawdown"), "event 1 (highest_profit ): got type=max_drawdown"),
        (EVENTS[:2], "2 events, expected 3; fewer: type=signal action=closed"),
        ([*EVENTS, EVENTS[0]], "4 events, expected 3; more: type=signal action=opened"),
        ([EVENTS[1], EVENTS[0], EVENTS[2]], "event 0 (signal opened): got type=highest_profit"),
    ],
)
def test_a_difference_is_named(got: list[dict[str, Any]], found: str) -> None:
    difference = events_difference(got, EVENTS, NOTHING)
    assert difference is not None
    assert found in difference


@pytest.mark.parametrize("name", ["highest_profit", "current_price"])
def test_what_is_suspect_is_left_out(name: str) -> None:
    got = changed(1, current_price=7.0)
    assert events_difference(got, EVENTS, NOTHING) is not None
    assert events_difference(got, EVENTS, frozenset({name})) is None


def test_a_suspect_field_inside_a_field_is_left_out_and_its_neighbours_are_not() -> None:
    got = changed(0, signal={"id": "#1", "cost": 6})
    assert events_difference(got, EVENTS, frozenset({"signal.cost"})) is None
    assert events_difference(got, EVENTS, frozenset({"signal.id"})) is not None


def test_errors_are_compared_as_sets_of_codes() -> None:
    got, expected = [{"type": "error", "codes": ["a", "b"]}], [{"type": "error", "codes": ["b", "a"]}]
    assert events_difference(got, expected, NOTHING) is None
    other = [{"type": "error", "codes": ["a"]}]
    assert events_difference(other, expected, NOTHING) == "event 0 (error ): got codes ['a'], expected ['b', 'a']"


def test_consecutive_equal_errors_count_once() -> None:
    error: dict[str, Any] = {"type": "error", "codes": ["a"]}
    assert collapse([error, error, EVENTS[0], error]) == [error, EVENTS[0], error]
    assert collapse([error, {"type": "error", "codes": ["b"]}]) == [error, {"type": "error", "codes": ["b"]}]


@pytest.mark.parametrize(
    ("got", "expected", "equal"),
    [
        (1.0, 1, True),
        (1.0, 1 + 1e-10, True),
        (1.0, 1 + 1e-8, False),
        (1e-10, 0.0, True),
        (1e-8, 0.0, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (True, True, True),
        (True, False, False),
        (None, 0.0, False),
        ("1", 1.0, False),
        (None, None, True),
        ("a", "b", False),
    ],
)
def test_numbers_are_equal_within_a_billionth_and_nothing_else_is(got: Any, expected: Any, equal: bool) -> None:
    assert same(got, expected) is equal


@given(st.floats(1, 1e12), st.floats(1e-8, 1))
def test_a_relative_error_of_more_than_a_billionth_is_found(number: float, error: float) -> None:
    assert not same(number * (1 + error), number)


def test_a_list_differs_in_length_or_in_an_element() -> None:
    assert difference([1, 2], [1, 2]) is None
    assert difference([1], [1, 2], "levels") == "levels: got [1], expected [1, 2]"
    assert difference([1, 3], [1, 2], "levels") == "levels[1]: got 3, expected 2"
    assert difference({"a": 1}, [1], "levels") == "levels: got {'a': 1}, expected [1]"


def test_a_query_that_raised_without_a_position_may_answer_none() -> None:
    raised = {"error": ["no_pending_signal"]}
    assert difference(None, raised, "result.get_position_levels") is None
    assert difference([], raised, "result.get_position_levels") is not None


def test_the_query_that_was_asked_without_its_argument_is_not_compared() -> None:
    assert difference(True, False, "result.get_breakeven") is None
    assert difference(True, False, "result.get_breakeven_x") is not None


def test_events_of_several_runs_are_told_apart_with_ids_of_their_own() -> None:
    events: list[dict[str, Any]] = [
        {"symbol": "A", "strategy": "s", "signal_id": "#1"},
        {"symbol": "B", "strategy": "s", "signal_id": "#2"},
        {"symbol": "B", "strategy": "s", "signal": {"id": "#3"}},
        {"symbol": "A", "strategy": "s", "signal_id": "#4"},
    ]
    runs = by_run(events)
    assert [e["signal_id"] for e in runs["A", "s"]] == ["#1", "#2"]
    assert runs["B", "s"][0]["signal_id"] == "#1"
    assert runs["B", "s"][1]["signal"]["id"] == "#2"
