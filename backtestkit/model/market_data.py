"""What an exchange tells besides candles: order books, trades and funding rates, as the signal half sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from backtestkit.errors import SourceError


class BookLevel(NamedTuple):
    """One price level. Both are text, as the venue wrote them: quote currency and base currency."""

    price: str
    quantity: str


class OrderBook(NamedTuple):
    """The sides of a book, best level first."""

    symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]

    @classmethod
    def coerce(cls, data: Any, symbol: str) -> OrderBook:
        """An order book from what a source answers: itself, or a mapping with `bids` and `asks`.

        Levels are `(price, quantity)` pairs or mappings with those keys; numbers become their shortest text. Anything
        else raises `SourceError`.
        """
        if isinstance(data, OrderBook):
            return data
        if not isinstance(data, Mapping) or "bids" not in data or "asks" not in data:
            raise SourceError(
                f"order book of {symbol}: expected a mapping with bids and asks, got {type(data).__name__}"
            )
        sides = (tuple(_level(level, symbol) for level in data[side]) for side in ("bids", "asks"))
        return cls(str(data.get("symbol") or symbol), *sides)


class AggregatedTrade(NamedTuple):
    """Trades of one taker order at one price. `timestamp` is ms UTC; a buyer who is the maker was hit by a seller."""

    id: str
    price: float
    qty: float
    timestamp: int
    is_buyer_maker: bool

    @classmethod
    def coerce(cls, data: Any) -> AggregatedTrade:
        """A trade from itself, or from a mapping or an object with the same fields; numbers and flags may be text."""
        if isinstance(data, AggregatedTrade):
            return data
        try:
            fields = [data[name] if isinstance(data, Mapping) else getattr(data, name) for name in cls._fields]
            identity, price, qty, timestamp, maker = fields
            return cls(str(identity), float(price), float(qty), int(timestamp), _flag(maker))
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise SourceError(
                f"a trade needs {', '.join(cls._fields)}, got {data!r} ({type(error).__name__}: {error})"
            ) from None


class FundingRate(NamedTuple):
    """The rate paid by longs to shorts at `timestamp` (ms UTC), as a fraction of the notional (0.0001 is 0.01 %)."""

    timestamp: int
    rate: float

    @classmethod
    def coerce(cls, data: Any) -> FundingRate:
        """A funding rate from itself, a pair, or a mapping with `timestamp` and `rate`."""
        try:
            timestamp, rate = (data["timestamp"], data["rate"]) if isinstance(data, Mapping) else data
            return cls(int(timestamp), float(rate))
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"a funding rate needs timestamp and rate, got {data!r} ({error})") from None


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _flag(value: Any) -> bool:
    # Text such as "false" is truthy, which would turn the side of every trade around.
    flag = _FLAGS.get(str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower())
    if flag is None:
        raise ValueError(f"is_buyer_maker={value!r} is neither true nor false")
    return flag


def _level(data: Any, symbol: str) -> BookLevel:
    try:
        if isinstance(data, Mapping):
            price, quantity = data["price"], data["quantity"]
        else:
            price, quantity = _pair(data)
    except (KeyError, TypeError, ValueError):
        raise SourceError(f"order book of {symbol}: a level needs price and quantity, got {data!r}") from None
    return BookLevel(str(price), str(quantity))


def _pair(data: Iterable[Any]) -> tuple[Any, Any]:
    price, quantity, *_ = data
    return price, quantity
