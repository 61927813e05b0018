"""Running a strategy over rows through the public interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import backtestkit as bk
from backtestkit.model.candle import Candles

from .market import MINUTE, START, Row, candles

HISTORY = 5
"""Candles before the first tick: a full window of the average price."""


@dataclass
class Told:
    """What a run came to, and what its listeners were told, as comparable text."""

    result: bk.BacktestResult
    events: list[str] = field(default_factory=list)

    @property
    def closed(self) -> Sequence[bk.ClosedResult]:
        return self.result.closed


def minute(time: int) -> int:
    """Minutes from the first tick."""
    return (time - START - HISTORY * MINUTE) // MINUTE


def once(signal: bk.Signal | dict[str, Any]) -> Callable[..., Any]:
    """A `get_signal` that answers its first call and no other."""
    answers = [signal]
    return lambda *_: answers.pop() if answers else None


def market(source: Candles, **fields: Any) -> None:
    """Register `source` as the exchange `x`."""

    def read(symbol: str, interval: str, since: int, until: int) -> Candles:
        low, high = source.timestamp.searchsorted([since, until])
        return source[int(low) : int(high)]

    bk.add_exchange(exchange_name="x", read_candles=read, **fields)


def run(
    rows: Sequence[Row] | Candles,
    get_signal: Callable[..., Any] | None,
    *,
    policy: bk.FillPolicy | str = "conservative",
    interval: str = "1m",
    frame_interval: str = "1m",
    first: int = 0,
    last: int | None = None,
    stepping: bool = False,
    config: dict[str, Any] | None = None,
    callbacks: dict[str, Any] | None = None,
    prepare: Callable[[], object] | None = None,
    symbol: str = "BTC",
    **strategy: Any,
) -> Told:
    """Backtest over `rows` in a kit of its own; the first `HISTORY` rows are history, `first` and `last` are minutes.

    `prepare` runs before the start, to add listeners.
    """
    source = rows if isinstance(rows, Candles) else candles(rows)
    begin = int(source.timestamp[0]) + HISTORY * MINUTE
    end = int(source.timestamp[-1]) + MINUTE if last is None else begin + last * MINUTE
    with bk.Kit():
        bk.set_config(config or {}, unsafe=True)
        market(source)
        bk.add_frame(frame_name="f", interval=frame_interval, start_date=begin + first * MINUTE, end_date=end)
        bk.add_strategy(strategy_name="s", interval=interval, get_signal=get_signal, callbacks=callbacks, **strategy)
        if prepare is not None:
            prepare()
        backtest = bk.Backtest.run(
            symbol, strategy_name="s", exchange_name="x", frame_name="f", policy=policy, stepping=stepping
        )
        return Told(backtest.wait())
