"""Market data as of now: inside a run from the running context, outside as of the last minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import PolicyName
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.context import RunContext, RunKey, current_run
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, minute, run

RISING = still(60, lambda m: 100 + m)


def inside(
    ask: Callable[[], Awaitable[Any]], at: int = 10, policy: PolicyName = "conservative", **exchange: Any
) -> Any:
    """What `ask` answers when it is called inside `get_signal` at a minute."""
    answers: list[Any] = []

    async def get_signal(symbol: str, when: datetime, price: float) -> None:
        if minute(round(when.timestamp() * 1000)) == at:
            try:
                answers.append(await ask())
            except bk.BacktestKitError as error:
                answers.append(error)

    run(RISING, get_signal, policy=policy, exchange=exchange)
    (answer,) = answers
    return answer


def opens(found: Candles) -> list[int]:
    return [minute(int(t)) for t in found.timestamp]


def when(at: int) -> datetime:
    return datetime.fromtimestamp((START + (HISTORY + at) * MINUTE) / 1000, UTC)


# -- inside a run -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["conservative", "reference"])
def test_candles_end_before_now(policy: PolicyName) -> None:
    assert opens(inside(lambda: bk.get_candles("BTC", "1m", 4), policy=policy)) == [6, 7, 8, 9]


def test_a_coarse_candle_that_still_forms_never_appears() -> None:
    found = inside(lambda: bk.get_candles("BTC", "5m", 1), at=12, coarser="resampled")
    assert opens(found) == [5]


def test_too_little_history_names_the_start_that_works() -> None:
    error = inside(lambda: bk.get_candles("BTC", "1m", 50), span=lambda s, i: (START, START + 64 * MINUTE))
    assert isinstance(error, bk.InsufficientDataError)
    assert "The earliest start that works is 2025-01-01 00:50" in str(error)


def test_the_next_candles_begin_with_the_one_of_now() -> None:
    assert opens(inside(lambda: bk.get_next_candles("BTC", "1m", 3))) == [10, 11, 12]


def test_raw_candles_by_count_by_range_and_by_both() -> None:
    assert opens(inside(lambda: bk.get_raw_candles("BTC", "1m", 3))) == [7, 8, 9]
    assert opens(inside(lambda: bk.get_raw_candles("BTC", "1m", since=when(2), until=when(5)))) == [2, 3, 4]
    assert opens(inside(lambda: bk.get_raw_candles("BTC", "1m", 2, since=when(2)))) == [2, 3]
    assert opens(inside(lambda: bk.get_raw_candles("BTC", "1m", 2, until=when(5)))) == [3, 4]


@pytest.mark.parametrize("ask", [{"limit": 20, "since": when(5)}, {"since": when(5), "until": when(11)}])
def test_raw_candles_never_reach_beyond_now(ask: dict[str, Any]) -> None:
    assert isinstance(inside(lambda: bk.get_raw_candles("BTC", "1m", **ask)), bk.UsageError)


def test_the_average_is_the_price_that_get_signal_is_given() -> None:
    assert inside(lambda: bk.get_average_price("BTC")) == 107.0


def test_the_close_is_that_of_the_last_closed_candle() -> None:
    assert inside(lambda: bk.get_close_price("BTC", "1m")) == 109.0


def test_the_order_book_is_asked_for_as_of_now() -> None:
    asked: list[Any] = []

    def get_order_book(symbol: str, depth: int, since: datetime, until: datetime, backtest: bool) -> Any:
        asked.append((symbol, depth, until, backtest))
        return {"symbol": symbol, "bids": [["1", "2"]], "asks": [["3", "4"]]}

    book = inside(lambda: bk.get_order_book("BTC", 5), at=20, get_order_book=get_order_book)
    assert asked == [("BTC", 5, when(15), True)]  # the last whole ten minutes of the clock end at 00:20
    assert book.bids[0].price == "1"


def test_trades_are_those_before_now() -> None:
    def trades(symbol: str, since: datetime, until: datetime, backtest: bool) -> Any:
        times = (when(8), when(9) + timedelta(seconds=30), when(10))
        return [
            {"id": str(i), "price": "1", "qty": "1", "timestamp": round(t.timestamp() * 1000), "is_buyer_maker": False}
            for i, t in enumerate(times)
        ]

    found = inside(lambda: bk.get_aggregated_trades("BTC"), get_aggregated_trades=trades)
    assert [t.id for t in found] == ["0", "1"]


def test_funding_rates_end_with_now() -> None:
    rates = [(round(when(m).timestamp() * 1000), 0.001) for m in (1, 5, 10, 20)]
    exchange: dict[str, Any] = {"get_funding_rates": lambda *_: rates}
    asked = inside(lambda: bk.get_funding_rates("BTC", when(2)), **exchange)
    assert [minute(r.timestamp) for r in asked] == [5]
    limited = inside(lambda: bk.get_funding_rates("BTC", when(0), when(2)), **exchange)
    assert [minute(r.timestamp) for r in limited] == [1]
    beyond = inside(lambda: bk.get_funding_rates("BTC", when(0), when(40)), **exchange)
    assert [minute(r.timestamp) for r in beyond] == [1, 5]


def test_numbers_are_written_like_the_exchange_does() -> None:
    assert inside(lambda: bk.format_price("BTC", 1.005)) == "1.00"
    assert inside(lambda: bk.format_quantity("BTC", 0.125)) == "0.12500000"
    own: dict[str, Any] = {"format_price": lambda s, p, b: f"{p:.1f}", "format_quantity": lambda s, q, b: f"{q:.0f}"}
    assert inside(lambda: bk.format_price("BTC", 1.25), **own) == "1.2"
    assert inside(lambda: bk.format_quantity("BTC", 3.0), **own) == "3"


async def timeframe(symbol: str = "BTC") -> list[datetime]:
    return bk.get_backtest_timeframe(symbol)


def test_the_ticks_of_the_frame_are_known() -> None:
    ticks = inside(timeframe)
    assert (ticks[0], ticks[-1], len(ticks)) == (when(0), when(59), 60)


def test_the_ticks_of_another_symbol_are_not() -> None:
    assert "was asked in a run of 'BTC'" in str(inside(lambda: timeframe("ETH")))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_candles", ("BTC", "1m", 5)),
        ("get_next_candles", ("BTC", "1m", 5)),
        ("get_raw_candles", ("BTC", "1m", 5)),
        ("get_average_price", ("BTC",)),
        ("get_close_price", ("BTC", "1m")),
        ("get_order_book", ("BTC",)),
        ("get_aggregated_trades", ("BTC",)),
        ("get_funding_rates", ("BTC", 0)),
        ("format_price", ("BTC", 1.0)),
        ("format_quantity", ("BTC", 1.0)),
    ],
)
def test_outside_a_run_they_say_where_they_belong(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(bk.ContextError, match=f"{name} needs a running strategy"):
        asyncio.run(getattr(bk, name)(*arguments))


def test_outside_a_run_there_is_no_timeframe() -> None:
    with pytest.raises(bk.ContextError):
        bk.get_backtest_timeframe("BTC")


def test_a_live_run_has_no_timeframe() -> None:
    token = current_run.set(RunContext(RunKey("BTC", "s", "x", "", False), SystemClock(), None))
    try:
        with pytest.raises(bk.UsageError, match="a live run has no frame"):
            bk.get_backtest_timeframe("BTC")
    finally:
        current_run.reset(token)


# -- by the name of the exchange --------------------------------------------------------------------------------------


class Endless:
    """A source that has every minute, and remembers until when it was asked."""

    def __init__(self) -> None:
        self.until = 0

    def read(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        self.until = max(self.until, until)
        times = np.arange(-(-since // MINUTE) * MINUTE, until, MINUTE)
        price = np.full(len(times), 100.0)
        return Candles.from_columns(times, price, price, price, price, np.ones(len(times)))


def test_outside_a_run_data_is_as_of_the_last_whole_minute() -> None:
    source = Endless()
    with bk.Kit():
        bk.add_exchange(exchange_name="x", read_candles=source.read)
        before = SystemClock().now_ms() // MINUTE
        found = asyncio.run(bk.Exchange.get_candles("BTC", "1m", 3, exchange_name="x"))
        assert asyncio.run(bk.Exchange.get_average_price("BTC", exchange_name="x")) == 100.0
        assert asyncio.run(bk.Exchange.get_close_price("BTC", "1m", exchange_name="x")) == 100.0
        raw = asyncio.run(bk.Exchange.get_raw_candles("BTC", "1m", 2, exchange_name="x"))
        after = SystemClock().now_ms() // MINUTE
    assert before <= int(found.timestamp[-1]) // MINUTE + 1 <= after
    assert len(raw) == 2


def test_inside_a_run_data_by_name_is_as_of_the_run() -> None:
    assert opens(inside(lambda: bk.Exchange.get_candles("BTC", "1m", 2, exchange_name="x"))) == [8, 9]
    assert opens(inside(lambda: bk.Exchange.get_raw_candles("BTC", "1m", 2, exchange_name="x"))) == [8, 9]
    assert inside(lambda: bk.Exchange.get_average_price("BTC", exchange_name="x")) == 107.0


def test_an_unknown_exchange_is_named() -> None:
    with bk.Kit(), pytest.raises(bk.UsageError, match="exchange 'y' is not registered"):
        asyncio.run(bk.Exchange.get_candles("BTC", "1m", 1, exchange_name="y"))


def test_books_trades_and_numbers_by_name() -> None:
    with bk.Kit():
        bk.add_exchange(
            exchange_name="x",
            read_candles=Endless().read,
            get_order_book=lambda s, *_: {"symbol": s, "bids": [], "asks": []},
            get_aggregated_trades=lambda *_: [],
        )
        book = asyncio.run(bk.Exchange.get_order_book("BTC", exchange_name="x"))
        assert (book.bids, book.asks) == ((), ())
        assert list(asyncio.run(bk.Exchange.get_aggregated_trades("BTC", exchange_name="x"))) == []
        assert asyncio.run(bk.Exchange.format_price("BTC", 1.0, exchange_name="x")) == "1.00"
        assert asyncio.run(bk.Exchange.format_quantity("BTC", 1.0, exchange_name="x")) == "1.00000000"


# -- checks -----------------------------------------------------------------------------------------------------------


def test_candles_can_be_checked_by_hand() -> None:
    bk.validate_candles(candles(still(10)))
    with pytest.raises(bk.CandleError, match="cannot be true"):
        bk.validate_candles([(START, 100.0, 99.0, 101.0, 100.0, 1.0)])
