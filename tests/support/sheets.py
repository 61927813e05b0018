"""A month of one-minute candles with trades in it, for tests of tear sheets."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
from trades import COSTS, KEY, START, closed, trade_set

from backtestkit.config import Config
from backtestkit.math.statistics_analysis import analyse
from backtestkit.model.analysis import Marks
from backtestkit.model.candle import Candles
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.services.report.backtest_report import backtest_columns
from backtestkit.services.report.heat_report import heat_columns
from backtestkit.services.report.html.service import backtest_source
from backtestkit.services.report.html.sheet import tear_sheet
from backtestkit.services.report.html.source import SheetColumns, SheetSource

MONTH = 31 * 1440
CONFIG = Config.defaults()


class Run:
    """What a backtest came to, as far as a tear sheet looks."""

    def __init__(self, closed: tuple[ClosedResult, ...], market: Marks | None, key: Any = KEY) -> None:
        self.key, self.closed, self.market = key, closed, market
        last = START + MONTH * MINUTE_MS
        self.analysis = analyse([trade_set(closed, market, last=MONTH)])
        self.summary = RunSummary(
            policy="conservative",
            percent_fee=COSTS.percent_fee,
            percent_slippage=COSTS.percent_slippage,
            fee_paid=12.5,
            slippage_paid=12.5,
            ambiguous_exits=3,
            fingerprint="ab" * 32,
            first_time=START,
            last_time=last,
        )


def prices(minutes: int = MONTH) -> Candles:
    """A walk around 100."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(11).normal(0, 0.0004, minutes)))
    opened = np.concatenate(([100.0], close[:-1]))
    times = START + np.arange(minutes, dtype=np.int64) * MINUTE_MS
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(times, opened, top, bottom, close, np.ones(minutes))


def trades(count: int, candles: Candles, **fields: Any) -> tuple[ClosedResult, ...]:
    """So many longs and shorts one after the other, at the prices of the candles."""
    every = len(candles) // max(count, 1)
    made = []
    for i in range(count):
        begin, end = i * every, i * every + every // 2
        price_open, price = float(candles.close[begin]), float(candles.close[end])
        made.append(
            closed(
                end - begin,
                price,
                reason="take_profit" if i % 2 else "stop_loss",
                opened=begin,
                price_open=price_open,
                position="long" if i % 3 else "short",
                **fields,
            )
        )
    return tuple(made)


def sheet_source(count: int = 300, minutes: int = MONTH, **fields: Any) -> SheetSource:
    """A backtest of a month; `fields` are those of the signals."""
    candles = prices(minutes)
    market = Marks(candles.timestamp, candles.close)
    run = Run(trades(count, candles, **fields), market, fields.get("key", KEY))
    return backtest_source(run, candles, Config.defaults())


def page_of(source: SheetSource, config: Config = CONFIG) -> str:
    """The tear sheet with the default columns."""
    trades, symbols = (
        [column for column in made(lambda: config) if column.is_visible()] for made in (backtest_columns, heat_columns)
    )
    return tear_sheet(source, SheetColumns(trades=trades, symbols=symbols))


def unpacked(column: Any) -> Any:
    """A column of a page as its scripts see it."""
    if isinstance(column, list):
        return np.array(column, dtype=float)
    if "count" in column:
        return column["from"] + column["step"] * np.arange(column["count"], dtype=float)
    if "i32" in column:
        return np.frombuffer(b64decode(column["i32"]), dtype="<i4") / column["scale"]
    return np.frombuffer(b64decode(column["f64"]), dtype="<f8")
