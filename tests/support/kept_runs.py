"""Runs inside the current kit, for tests of what runs leave behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import backtestkit as bk
from scenarios.market import MINUTE, START, Row, candles
from scenarios.run import HISTORY, market

FIRST = START + HISTORY * MINUTE
"""The time of the first tick."""

LONG = {"position": "long", "price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 5}


def prepare(
    rows: Sequence[Row],
    get_signal: Callable[..., Any] | None = None,
    *,
    strategy: str = "s",
    interval: Any = "1m",
    **fields: Any,
) -> None:
    """Register exchange `x` over `rows`, frame `f` over all of them, and a strategy."""
    market(candles(rows), replace=True)
    end = FIRST + (len(rows) - HISTORY) * MINUTE
    bk.add_frame(frame_name="f", interval="1m", start_date=FIRST, end_date=end, replace=True)
    bk.add_strategy(strategy_name=strategy, interval=interval, get_signal=get_signal, replace=True, **fields)


def new_run(symbol: str = "BTC", *, strategy: str = "s", **how: Any) -> bk.BacktestRun:
    """A run of what was prepared."""
    return bk.Backtest.run(symbol, strategy_name=strategy, exchange_name="x", frame_name="f", **how)


NAMES: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}
