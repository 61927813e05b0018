"""A small market, a strategy that always trades, and runs of it by their context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import backtestkit as bk
from backtestkit.kit import Kit

from .market import MINUTE, START, candles, still
from .run import HISTORY, market

CONTEXT: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}


def five_minutes(**changes: Any) -> bk.Signal:
    """A long at 100 with levels 10 % away, for five minutes."""
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 5} | changes
    return bk.Signal(position="long", **fields)


@contextmanager
def trading_kit() -> Iterator[Kit]:
    """A market at 100, fifty minutes of it, and a strategy that always wants five minutes of it."""
    with Kit() as kit:
        market(candles(still(60)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: five_minutes())
        yield kit


def run_of(symbol: str = "BTC", **options: Any) -> bk.BacktestRun:
    """A new run of that strategy."""
    return bk.Backtest.run(symbol, **CONTEXT, **options)
