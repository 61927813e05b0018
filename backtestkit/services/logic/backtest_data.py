"""What a backtest reads before its first tick: candles, funding rates, ticks."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from backtestkit.clients.bars import Bars
from backtestkit.clients.frame import ClientFrame
from backtestkit.clients.requests import RequestChecks
from backtestkit.clients.ticks import Ticks
from backtestkit.errors import InsufficientDataError
from backtestkit.model.candle import Candles
from backtestkit.model.interval import DAY_MS, MINUTE_MS, interval_start, interval_step_ms, iso, to_ms
from backtestkit.services.logic.run_state import RunState

SKIP_LOOKBACK_MS = 7 * DAY_MS
"""How far before the frame candles are read when holes are skipped: the last existing ones may lie before a break."""


class BacktestData:
    """The candles of one run as columns, its ticks, and which requests for candles would be refused."""

    bars: Bars
    ticks: Ticks
    requests: RequestChecks

    def __init__(self, state: RunState) -> None:
        """Nothing is read before `load`, which also notes in `state` what it found."""
        self.state, self.plan = state, state.plan

    async def load(self, now: int) -> None:
        """Read the candles of the frame and lay out its ticks."""
        plan, config = self.plan, self.plan.config
        schema = plan.exchange.schema
        step = interval_step_ms(schema.base_interval)
        newest = now // step * step  # where the candles end that have closed; a tick needs one after it
        by_tick = plan.policy.frame_end == "last_tick"
        frame = ClientFrame.between(
            to_ms(plan.frame.start_date),
            to_ms(plan.frame.end_date),
            plan.frame.interval,
            newest - step if by_tick else newest,
            plan.policy,
            plan.frame.frame_name,
        )
        self.state.frame = frame
        count = config.avg_price_candles_count
        first = frame.start // step * step - count * step
        if schema.gaps == "skip":
            first -= SKIP_LOOKBACK_MS
        first, earliest = await self._history(first, step, frame)
        until = min(frame.last + 2 * step, newest) if by_tick else -(-frame.end // step) * step
        until = await self._available(until, step, frame)
        candles = await plan.exchange.columns(
            plan.key.symbol, first, until, strict=plan.policy.candles != "per_request"
        )
        self.bars = self.state.bars = bars = Bars(candles, step=step, average_count=count, policy=plan.policy)
        self._cut(bars, frame)
        await self._fundings(bars, frame)
        self._ticks(bars, frame, count, earliest)
        self.requests = RequestChecks.over(
            candles,
            anomaly_factor=config.get_candles_price_anomaly_threshold_factor,
            min_candles_for_median=config.get_candles_min_candles_for_median,
            average_count=count,
            page=config.max_candles_per_request,
            await_candles=config.schedule_await_minutes * MINUTE_MS // step,
        )
        self._describe(candles, step)

    async def _history(self, first: int, step: int, frame: ClientFrame) -> tuple[int, int]:
        """The first candle to read, and the earliest tick for which the history exists that the strategy needs."""
        span = await self.plan.exchange.span(self.plan.key.symbol)
        if span is None:
            return first, frame.start
        begin = span[0]
        needed = begin + self.plan.config.avg_price_candles_count * step
        warmup = self.plan.strategy.warmup
        if warmup is None:
            if needed > frame.start and self.plan.exchange.schema.gaps != "skip":
                raise InsufficientDataError(
                    f"the average price needs {self.plan.config.avg_price_candles_count} candles before the first tick at "
                    f"{iso(frame.start)}, but {self.plan.key.symbol} begins at {iso(begin)}. Start the frame at "
                    f"{iso(needed)} or later, or give the strategy a warmup."
                )
            return max(first, begin), frame.start
        if isinstance(warmup, timedelta):
            needed = max(needed, begin + warmup // timedelta(milliseconds=1))
        else:
            for interval, candles in warmup.items():
                size = interval_step_ms(interval)
                aligned = interval_start(begin + size - 1, interval)
                needed = max(needed, aligned + candles * size)
        return max(first, begin), max(needed, frame.start)

    async def _available(self, until: int, step: int, frame: ClientFrame) -> int:
        """The end of the range to read: one candle beyond the frame may be missing, no more."""
        span = await self.plan.exchange.span(self.plan.key.symbol)
        if span is None or self.plan.exchange.schema.gaps == "skip":
            return until
        end = span[1] + step
        return end if end < until and end >= frame.last + step else until

    async def _fundings(self, bars: Bars, frame: ClientFrame) -> None:
        """The funding rates of the frame, when the exchange has them."""
        exchange = self.plan.exchange
        if exchange.schema.get_funding_rates is not None:
            rates = await exchange.get_funding_rates(
                self.plan.key.symbol, frame.start, frame.end + 1, when_ms=frame.end, backtest=True
            )
            bars.set_fundings(rates)

    def _cut(self, bars: Bars, frame: ClientFrame) -> None:
        """Where the frame ends: at the last candle inside it, or with the first one after its last tick."""
        if self.plan.policy.frame_end == "last_tick":
            bars.cut = int(np.searchsorted(bars.times, frame.last, side="right"))
            bars.limit = min(bars.limit, bars.cut + 1)
        else:
            bars.limit = int(np.searchsorted(bars.times, frame.end - bars.step, side="right"))
            bars.cut = bars.limit - 1

    def _ticks(self, bars: Bars, frame: ClientFrame, count: int, earliest: int) -> None:
        """The ticks of the run; a frame without one is refused."""
        self.ticks = ticks = Ticks.of(bars, frame, count, earliest)
        self.state.ticks = ticks.count
        if not ticks.count:
            raise InsufficientDataError(
                f"{self.plan.key.symbol} has no candle for any tick of frame {self.plan.frame.frame_name!r} "
                f"({iso(frame.start)} to {iso(frame.end)}, every {self.plan.frame.interval})"
                + (f" after the warmup, which ends at {iso(earliest)}." if earliest > frame.start else ".")
            )

    def _describe(self, candles: Candles, step: int) -> None:
        state, bars = self.state, self.bars
        state.first_time = self.ticks.time(0)
        state.last_time = bars.label(bars.limit - 1)
        inside = (candles.timestamp >= state.first_time) & (candles.timestamp <= int(bars.times[bars.limit - 1]))
        state.candles_filled = 0 if candles.filled is None else int(candles.filled[inside].sum())
        expected = (int(bars.times[bars.limit - 1]) - interval_first(state.first_time, step)) // step + 1
        state.candles_missing = expected - int(inside.sum()) + state.candles_filled


def interval_first(time: int, step: int) -> int:
    """The first candle open time at or after `time`."""
    return -(-time // step) * step
