"""Running a strategy over rows through the public interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import backtestkit as bk
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import POLICIES, PolicyName
from backtestkit.model.interval import FrameInterval, SignalInterval

from .market import MINUTE, START, Row, candles

HISTORY = 5
"""Candles before the first tick: a full window of the average price."""


@dataclass
class Told:
    """What a run came to: its results as it yielded them, and the events of the channels that were heard."""

    result: bk.BacktestResult
    events: list[str] = field(default_factory=list)
    results: list[bk.YieldedResult] = field(default_factory=list)
    heard: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def closed(self) -> Sequence[bk.ClosedResult]:
        return self.result.closed

    @property
    def only(self) -> bk.ClosedResult:
        """The one trade there was."""
        (closed,) = self.closed
        return closed

    @property
    def story(self) -> list[tuple[int, str, float]]:
        """`(minute, what, price)` of the results; closed and cancelled ones appear as their reason."""
        return [(minute(r.timestamp), _what(r), r.current_price) for r in self.results]

    @property
    def codes(self) -> list[tuple[str, ...]]:
        """The codes of the errors that were reported."""
        return [e.error.codes for e in self.result.errors if isinstance(e.error, bk.SignalError)]

    def of(self, *channels: str) -> list[Any]:
        """The events of `channels`, in their order."""
        return [event for name, event in self.heard if name in channels]

    def minutes(self, channel: str) -> list[int]:
        """The minutes of the events of `channel`."""
        return [minute(event.timestamp) for event in self.of(channel)]


def _what(result: bk.YieldedResult) -> str:
    if isinstance(result, bk.ClosedResult):
        return result.close_reason
    return result.reason if isinstance(result, bk.CancelledResult) else result.action


def minute(time: int) -> int:
    """Minutes from the first tick."""
    return (time - START - HISTORY * MINUTE) // MINUTE


def once(signal: bk.Signal | dict[str, Any]) -> Callable[..., Any]:
    """A `get_signal` that answers its first call and no other."""
    return each(signal)


def each(*answers: bk.Signal | dict[str, Any] | None) -> Callable[..., Any]:
    """A `get_signal` that gives one answer after the other, and then none."""
    left = list(answers)
    return lambda *_: left.pop(0) if left else None


def market(source: Candles, *, replace: bool = False, **fields: Any) -> None:
    """Register `source` as the exchange `x`."""

    def read(symbol: str, interval: str, since: int, until: int) -> Candles:
        low, high = source.timestamp.searchsorted([since, until])
        return source[int(low) : int(high)]

    bk.add_exchange(exchange_name="x", read_candles=read, replace=replace, **fields)


def run(
    rows: Sequence[Row] | Candles,
    get_signal: Callable[..., Any] | None,
    *,
    policy: bk.FillPolicy | PolicyName = "conservative",
    interval: SignalInterval = "1m",
    frame_interval: FrameInterval = "1m",
    first: int = 0,
    last: int | None = None,
    stepping: bool = False,
    config: dict[str, Any] | None = None,
    callbacks: dict[str, Any] | None = None,
    prepare: Callable[[], object] | None = None,
    symbol: str = "BTC",
    hear: Iterable[str] = (),
    exchange: dict[str, Any] | None = None,
    warmup: Any = None,
    on_error: Literal["report", "raise"] | None = None,
) -> Told:
    """Backtest over `rows` in a kit of its own; the first `HISTORY` rows are history, `first` and `last` are minutes.

    `prepare` runs before the start, to add listeners; `hear` names channels whose events are kept.
    """
    source = rows if isinstance(rows, Candles) else candles(rows)
    begin = int(source.timestamp[0]) + HISTORY * MINUTE
    if last is None:  # where candles act at their open time, the frame needs one candle after its last tick
        chosen = POLICIES[policy] if isinstance(policy, str) else policy
        last = len(source) - HISTORY - (0 if chosen.label == "close" else 2)
    end = begin + last * MINUTE
    heard: list[tuple[str, Any]] = []
    with bk.Kit():
        bk.set_config(config or {}, unsafe=True)
        market(source, **(exchange or {}))
        bk.add_frame(frame_name="f", interval=frame_interval, start_date=begin + first * MINUTE, end_date=end)
        bk.add_strategy(
            strategy_name="s",
            interval=interval,
            get_signal=get_signal,
            callbacks=callbacks,
            warmup=warmup,
            on_error=on_error,
        )
        for name in hear:
            getattr(bk, f"listen_{name}")(_keep(heard, name))
        if prepare is not None:
            prepare()
        backtest = bk.Backtest.run(
            symbol, strategy_name="s", exchange_name="x", frame_name="f", policy=policy, stepping=stepping
        )
        results = list(backtest)
        return Told(backtest.snapshot(), results=results, heard=heard)


def _keep(heard: list[tuple[str, Any]], name: str) -> Callable[[Any], None]:
    return lambda event: heard.append((name, event))
