"""Which candles a jumping machine must stop at, and what the ones between them amount to.

A plan only names candles; the machine's minute code then does the work there. So a candle that is named in vain is
harmless, and the only possible fault is one that is not named. A plan holds for one state of the row and its levels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backtestkit.clients.bars import Bars
from backtestkit.clients.effects import Heard
from backtestkit.clients.position import Levels, Pricing
from backtestkit.clients.state import Reported
from backtestkit.math.levels import progress
from backtestkit.math.scan import first_exit, first_milestones, first_true, new_extremes
from backtestkit.model.candle import Floats
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.record import record
from backtestkit.model.signal import Extreme, SignalRow

WINDOW = 4096
"""Candles that one plan looks at: enough for most lives, and bounded for those without a limit."""

NEAR_ZERO_PERCENT = 1e-9
"""Profits this close to zero are decided one by one: rounding could make them fall while the price rises."""


ROUNDING = 1e-12
"""Prices this close (relative) may have their profits in another order than their own, by rounding."""


@record
class Span:
    """What a stretch of unnoticed minutes amounts to: the new extremes, and how far it came towards the levels."""

    peak: Extreme | None
    fall: Extreme | None
    profit_progress: float
    loss_progress: float
    breakeven: bool


def waiting(bars: Bars, start: int, row: SignalRow, await_ms: int, wake_at: float) -> Iterator[int]:
    """The candle at which a waiting entry is touched, runs out of time, or meets the end of the frame."""
    end = min(bars.cut, bars.first_labelled(row.scheduled_at + await_ms))
    stop = min(end + 1, bars.limit)
    if row.position == "long":
        touched = first_true(bars.low[start:stop] <= row.price_open)
    else:
        touched = first_true(bars.high[start:stop] >= row.price_open)
    return _with_wake(bars, start, [], min(start + touched, max(end, start)), wake_at)


def open_position(
    bars: Bars,
    start: int,
    row: SignalRow,
    levels: Levels,
    heard: Heard,
    known: Reported,
    wake_at: float,
    *,
    by_price: bool,
) -> Iterator[int]:
    """The candle at which an open position ends, and before it those at which something heard happens."""
    end = min(bars.cut, bars.first_labelled(row.pending_at + row.minute_estimated_time * MINUTE_MS))
    end = max(end, start)
    stop = min(end + 1, bars.limit, start + WINDOW)
    extreme = bars.low if levels.long else bars.high
    average = bars.average[start:stop]
    last = start + first_exit(extreme[start:stop], average, levels.stop, levels.take_profit, long=levels.long)
    names = _heard_minutes(average[: last - start], row, levels, heard, known, by_price=by_price)
    return _with_wake(bars, start, names, min(last, end), wake_at)


def summarise(
    bars: Bars, start: int, stop: int, row: SignalRow, levels: Levels, pricing: Pricing, *, by_price: bool
) -> Span:
    """What the candles from `start` up to `stop`, none of which ends the position, amount to.

    `by_price` compares extremes as prices, else as net profits.
    """
    average = bars.average[start:stop]
    high, low = int(average.argmax()), int(average.argmin())
    best, worst = (high, low) if levels.long else (low, high)
    best_price, worst_price = average.item(best), average.item(worst)
    gain = best_price - levels.effective if levels.long else levels.effective - best_price
    drop = levels.effective - worst_price if levels.long else worst_price - levels.effective
    paid = bool(row.fundings) and not by_price
    peak = fall = None
    profit_progress = loss_progress = 0.0
    breakeven = False
    if gain > 0:
        span = levels.take_profit - levels.effective if levels.long else levels.effective - levels.take_profit
        profit_progress = progress(gain, span)
        breakeven = best_price >= levels.breakeven if levels.long else best_price <= levels.breakeven
    if gain > 0 or paid:
        peak = _peak(bars, start, average, best, row, levels, pricing, by_price=by_price)
    if drop > 0:
        span = levels.effective - levels.stop_loss if levels.long else levels.stop_loss - levels.effective
        loss_progress = progress(drop, span)
    if drop > 0 or paid:
        fall = _fall(bars, start, average, worst, row, levels, pricing, by_price=by_price)
    return Span(peak, fall, profit_progress, loss_progress, breakeven)


def _peak(
    bars: Bars,
    start: int,
    average: Floats,
    best: int,
    row: SignalRow,
    levels: Levels,
    pricing: Pricing,
    *,
    by_price: bool,
) -> Extreme | None:
    """The last new best point, if there is one."""
    price, known = average.item(best), row.peak.pnl.pnl_percentage
    if by_price:
        known = 0.0
        if not (price > row.peak.price if levels.long else price < row.peak.price):
            return None
    if levels.line.at(price) < known - NEAR_ZERO_PERCENT:
        return None
    if by_price:
        for i in (best, *reversed(new_extremes(average, row.peak.price, rising=levels.long).tolist())):
            profit = pricing.profit(row, levels, average.item(i))
            if profit.pnl_percentage > 0:
                return Extreme(average.item(i), bars.label(start + i), profit)
            if profit.pnl_percentage < -NEAR_ZERO_PERCENT:
                return None
        return None
    found = None
    for i in _alike(average, price, rising=levels.long):
        profit = pricing.profit(row, levels, average.item(i))
        if profit.pnl_percentage > known:
            known = profit.pnl_percentage
            found = Extreme(average.item(i), bars.label(start + i), profit)
    return found


def _fall(
    bars: Bars,
    start: int,
    average: Floats,
    worst: int,
    row: SignalRow,
    levels: Levels,
    pricing: Pricing,
    *,
    by_price: bool,
) -> Extreme | None:
    """The last new worst point, if there is one."""
    price, known = average.item(worst), row.fall.pnl.pnl_percentage
    if by_price:
        if price < row.fall.price if levels.long else price > row.fall.price:
            return Extreme(price, bars.label(start + worst), pricing.profit(row, levels, price))
        return None
    if levels.line.at(price) > known + NEAR_ZERO_PERCENT:
        return None
    found = None
    for i in _alike(average, price, rising=not levels.long):
        profit = pricing.profit(row, levels, average.item(i))
        if profit.pnl_percentage < known:
            known = profit.pnl_percentage
            found = Extreme(average.item(i), bars.label(start + i), profit)
    return found


def _alike(average: Floats, price: float, *, rising: bool) -> list[int]:
    """The minutes whose price is the extreme `price` up to rounding, which may decide which profit is the extreme one."""
    alike = average >= price * (1 - ROUNDING) if rising else average <= price * (1 + ROUNDING)
    return np.flatnonzero(alike).tolist()


def _heard_minutes(
    average: Floats, row: SignalRow, levels: Levels, heard: Heard, known: Reported, *, by_price: bool
) -> list[int]:
    """Minutes, relative to the first, at which an event is raised that somebody hears."""
    found: list[int] = []
    long = levels.long
    slack = 0.0 if by_price else ROUNDING
    if heard.highest_profit or heard.on_write:
        start = row.peak.price if by_price else levels.line.price_of(row.peak.pnl.pnl_percentage - NEAR_ZERO_PERCENT)
        found.extend(new_extremes(average, start, rising=long, slack=slack).tolist())
    if heard.max_drawdown or heard.on_write:
        start = row.fall.price if by_price else levels.line.price_of(row.fall.pnl.pnl_percentage + NEAR_ZERO_PERCENT)
        found.extend(new_extremes(average, start, rising=not long, slack=slack).tolist())
    if (heard.breakeven_available or heard.on_breakeven) and not known.breakeven:
        reached = first_true(average >= levels.breakeven if long else average <= levels.breakeven)
        if reached < len(average):
            found.append(reached)
    if heard.partial_profit_available or heard.partial_loss_available:
        distance = average - levels.effective if long else levels.effective - average
        if heard.partial_profit_available:
            span = levels.take_profit - levels.effective if long else levels.effective - levels.take_profit
            found.extend(first_milestones(distance, span, known.profit))
        if heard.partial_loss_available:
            span = levels.effective - levels.stop_loss if long else levels.stop_loss - levels.effective
            found.extend(first_milestones(-distance, span, known.loss))
    return sorted(set(found)) if found else found


def _with_wake(bars: Bars, start: int, names: list[int], last: int, wake_at: float) -> Iterator[int]:
    """The named minutes as candle indices, then `last`; the candle at which a job is due comes in between."""
    indices = [start + i for i in names]
    if wake_at < np.inf:
        wake = max(bars.first_labelled(wake_at), start)
        if wake < last:
            indices = sorted({*indices, wake})
    indices.append(last)
    return iter(indices)
