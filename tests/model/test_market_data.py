"""Order books, trades and funding rates out of what sources answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from backtestkit.errors import SourceError
from backtestkit.model.market_data import AggregatedTrade, BookLevel, FundingRate, OrderBook

BOOK = OrderBook("BTCUSDT", (BookLevel("99.5", "1"),), (BookLevel("100", "2.5"),))
TRADE = AggregatedTrade("7", 100.5, 0.25, 1000, True)


class TestOrderBook:
    @pytest.mark.parametrize(
        "data",
        [
            BOOK,
            {"symbol": "BTCUSDT", "bids": [("99.5", "1")], "asks": [("100", "2.5")]},
            {"bids": [{"price": "99.5", "quantity": "1"}], "asks": [["100", "2.5", "more"]]},
        ],
    )
    def test_levels_keep_their_text(self, data: Any) -> None:
        assert OrderBook.coerce(data, "BTCUSDT") == BOOK

    @pytest.mark.parametrize("data", [[], {"bids": []}, None])
    def test_without_two_sides_it_is_refused(self, data: Any) -> None:
        with pytest.raises(SourceError, match="mapping with bids and asks"):
            OrderBook.coerce(data, "BTCUSDT")

    @pytest.mark.parametrize("level", [["99"], {"price": 1}, 5])
    def test_a_level_needs_price_and_quantity(self, level: Any) -> None:
        with pytest.raises(SourceError, match="a level needs price and quantity"):
            OrderBook.coerce({"bids": [level], "asks": []}, "BTCUSDT")


FIELDS: dict[str, Any] = {"id": 7, "price": "100.5", "qty": "0.25", "timestamp": "1000", "is_buyer_maker": True}


class TestTrade:
    @pytest.mark.parametrize("data", [TRADE, FIELDS, SimpleNamespace(**FIELDS)])
    def test_numbers_may_be_text(self, data: Any) -> None:
        assert AggregatedTrade.coerce(data) == TRADE

    @pytest.mark.parametrize(
        ("flag", "expected"),
        [
            (True, True),
            (False, False),
            ("true", True),
            ("False", False),
            (1, True),
            (0, False),
            ("0", False),
            (1.0, True),
        ],
    )
    def test_a_flag_is_never_turned_around(self, flag: Any, expected: bool) -> None:
        assert AggregatedTrade.coerce({**FIELDS, "is_buyer_maker": flag}).is_buyer_maker is expected

    @pytest.mark.parametrize("change", [{"is_buyer_maker": "maybe"}, {"price": "x"}, {"timestamp": None}])
    def test_what_is_no_trade_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(SourceError, match="a trade needs id, price, qty, timestamp, is_buyer_maker"):
            AggregatedTrade.coerce({**FIELDS, **change})

    def test_a_missing_field_is_refused(self) -> None:
        with pytest.raises(SourceError, match="KeyError"):
            AggregatedTrade.coerce({"id": 1})


class TestFundingRate:
    @pytest.mark.parametrize("data", [FundingRate(5, 0.1), ("5", "0.1"), {"timestamp": 5, "rate": 0.1}])
    def test_from_every_shape(self, data: Any) -> None:
        assert FundingRate.coerce(data) == FundingRate(5, 0.1)

    @pytest.mark.parametrize("data", [(1,), {"timestamp": 1}, 3, ("a", "b")])
    def test_what_is_none_is_refused(self, data: Any) -> None:
        with pytest.raises(SourceError, match="a funding rate needs timestamp and rate"):
            FundingRate.coerce(data)
