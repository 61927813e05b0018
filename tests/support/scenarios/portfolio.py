"""Several symbols, strategies and risks in one kit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import backtestkit as bk
from backtestkit.model.candle import Candles

from .market import MINUTE, START, Row, candles
from .run import HISTORY


@contextmanager
def portfolio(markets: Mapping[str, Sequence[Row]], minutes: int, **config: Any) -> Iterator[bk.Kit]:
    """A kit with the exchange `x` and the frame `f` of `minutes`, over the rows of each symbol."""
    columns = {symbol: candles(rows) for symbol, rows in markets.items()}

    def read(symbol: str, interval: str, since: int, until: int) -> Candles:
        source = columns[symbol]
        low, high = source.timestamp.searchsorted([since, until])
        return source[int(low) : int(high)]

    begin = START + HISTORY * MINUTE
    with bk.Kit() as kit:
        bk.set_config(config, unsafe=True)
        bk.add_exchange(exchange_name="x", read_candles=read)
        bk.add_frame(frame_name="f", start_date=begin, end_date=begin + minutes * MINUTE)
        yield kit


def backtest(symbol: str, strategy_name: str = "s", **more: Any) -> bk.BacktestRun:
    """A run on the exchange and the frame of the portfolio."""
    return bk.Backtest.run(symbol, strategy_name=strategy_name, exchange_name="x", frame_name="f", **more)


def long_signal(minutes: float = 5, **fields: Any) -> bk.Signal:
    """A long that nothing but its lifetime ends, in a market that stands at 100."""
    levels = {"price_take_profit": 110.0, "price_stop_loss": 90.0} | fields
    return bk.Signal(position="long", minute_estimated_time=minutes, **levels)
