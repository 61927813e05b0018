"""Names as file names: they come back, differ on every file system, and cannot leave their folder."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.errors import UsageError
from backtestkit.persistence.file_names import NAME_BYTES_MAX, from_file_name, to_file_name

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=15)


@given(NAMES)
def test_a_name_comes_back(name: str) -> None:
    assert from_file_name(to_file_name(name)) == name


@given(NAMES)
def test_a_file_name_is_plain_and_stays_in_its_folder(name: str) -> None:
    text = to_file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_.%~-]+", text)
    assert not text.startswith(".") and not text.endswith(".")


@given(st.text("aAbB%.~/", min_size=1, max_size=6), st.text("aAbB%.~/", min_size=1, max_size=6))
def test_different_names_differ_also_where_case_does_not_count(one: str, other: str) -> None:
    assert (to_file_name(one).lower() == to_file_name(other).lower()) is (one == other)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("entry-1", "entry-1"),
        ("BTCUSDT", "BTCUSDT~"),
        ("Btc", "Btc~1"),
        ("BTC/USDT", "BTC%2fUSDT~"),
        ("..", "%2e%2e"),
        ("con", "%63on"),
        ("NUL.txt", "%4eUL.txt~3"),
        ("a b", "a%20b"),
    ],
)
def test_names_stay_readable(name: str, text: str) -> None:
    assert to_file_name(name) == text


@pytest.mark.parametrize(("name", "told"), [("", "it is empty"), ("x" * (NAME_BYTES_MAX + 1), "Use a shorter one")])
def test_a_name_that_no_file_can_have_is_refused(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        to_file_name(name)
