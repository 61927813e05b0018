"""How values are written in reports."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.services.report import formats as f
from backtestkit.services.report.plain_text import plain_text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.125, 2, "0.13"),
        (-0.125, 2, "-0.13"),
        (1.005, 2, "1.00"),
        (-0.001, 2, "-0.00"),
        (-0.0, 2, "0.00"),
        (2, 0, "2"),
    ],
)
def test_fixed_rounds_the_exact_value_with_ties_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert f.fixed(value, decimals) == text


@pytest.mark.parametrize("write", [f.fixed, f.percent, f.signed_percent, f.minutes])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_missing_value_is_none(write: Callable[[float | None, int], str | None], value: float | None) -> None:
    assert write(value, 2) is None


def test_money_of_nothing_is_none() -> None:
    assert f.money(None) is f.money(math.nan) is f.signed_money(None) is None
    assert f.number(None) is f.upper(None) is f.note(None) is f.note("") is None


def test_a_plus_stands_before_every_gain_even_one_too_small_to_show() -> None:
    assert f.signed_percent(1.5, 2) == "+1.50%"
    assert f.signed_percent(0.0001, 2) == "+0.00%"
    assert f.signed_percent(0.0, 2) == "0.00%"
    assert f.signed_percent(-1.5, 2) == "-1.50%"
    assert f.signed_money(0.5, "EUR") == "+0.5000 EUR"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 USD"),
        (5, "5.00 USD"),
        (50123.456, "50123.46 USD"),
        (0.5, "0.5000 USD"),
        (0.05, "0.050000 USD"),
        (0.0099, "0.00990000 USD"),
        (-0.5, "-0.5000 USD"),
        (1e-12, "0.00000000 USD"),
    ],
)
def test_small_prices_get_more_decimals(value: float, text: str) -> None:
    assert f.money(value) == text


@given(st.floats(1e-6, 1e9))
def test_money_keeps_at_least_two_leading_digits(value: float) -> None:
    text = f.money(value)
    assert text is not None
    assert float(text.split()[0]) == pytest.approx(value, rel=0.06)


def test_times_are_iso_with_milliseconds_and_zero_is_no_time() -> None:
    assert f.iso_time(1_704_067_200_000) == "2024-01-01T00:00:00.000Z"
    assert f.iso_time(1_704_067_200_007) == "2024-01-01T00:00:00.007Z"
    assert f.iso_time(0) is f.iso_time(None) is None


def test_numbers_are_short_and_text_is_upper() -> None:
    assert f.number(2.0) == "2"
    assert f.number(2.5) == "2.5"
    assert f.upper("long") == "LONG"
    assert f.minutes(12.34, 1) == "12.3 min"


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("BTCUSDT", "USDT"),
        ("BTCUSDT-PERP", "USDT"),
        ("BTC/EUR", "EUR"),
        ("BTC/USDT:USDT", "USDT"),
        ("ETH-BTC", "BTC"),
        ("BTC/", "USD"),
        ("SPY", "USD"),
        ("WBTC", "USD"),
        ("EURUSD", "USD"),
    ],
)
def test_the_quote_currency_is_read_from_the_symbol(symbol: str, currency: str) -> None:
    assert f.quote_currency(symbol) == currency


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("plain", "plain"),
        ("**bold** and *italic* and _it_ and __b__ and ***both***", "bold and italic and it and b and both"),
        ("~~gone~~ `code` ``a`b``", "gone code a`b"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("`**kept**`", "**kept**"),
        ("# Head\n\ntext\n## Other ##", "Head text Other"),
        ("> quoted\n> > deep", "quoted deep"),
        ("- one\n* two\n3. three\n", "• one • two • three"),
        ("[link](http://x.y) ![image](a.png) [ref][1]", "link image ref"),
        ("<b>html</b> a < b <!-- gone -->", "html a < b"),
        ("before\n```python\nx = 1\n```\nafter", "before after"),
        ("before\n~~~\nnever closed", "before"),
        ("a\r\nb\t c\n\n---\nd", "a b c d"),
        ("", ""),
    ],
)
def test_a_note_loses_its_marks_and_keeps_its_words(markdown: str, text: str) -> None:
    assert plain_text(markdown) == text


@given(st.text(max_size=200))
def test_any_text_becomes_one_line(text: str) -> None:
    result = plain_text(text)
    assert result == " ".join(result.split())
