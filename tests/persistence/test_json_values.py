"""Values as JSON: what it can carry comes back the same, anything else is refused by name."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.persistence.json_values import decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert decode(encode(value, "it")) == value


def test_a_tuple_comes_back_as_a_list() -> None:
    assert decode(encode({"levels": (1, 2)}, "it")) == {"levels": [1, 2]}


class Word(str):
    pass


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (math.nan, "state is nan"),
        ({"a": [1, math.inf]}, "state['a'][1] is inf"),
        ({"a": None, "b": -math.inf}, "state['b'] is -inf"),
        ({"at": datetime(2025, 1, 1, tzinfo=UTC)}, "state['at'] is a datetime"),
        ({1: 2}, "state (a key) is 1"),
        ([2**64], f"state[0] is {2**64}"),
        ({"a": {"b": {1, 2}}}, "state['a']['b'] is a set"),
        ((1, object), "state[1] is a type"),
        (Word("x"), "state is 'x'"),
    ],
)
def test_what_json_cannot_carry_is_refused_where_it_stands(value: Any, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        encode(value, "state")
    assert str(caught.value).startswith(f"{told}, which JSON cannot carry")


def test_text_that_utf8_cannot_carry_is_refused() -> None:
    with pytest.raises(UsageError, match="state cannot be kept as JSON"):
        encode("\ud800", "state")
