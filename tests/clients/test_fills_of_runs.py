"""No run fills outside the candle, except at the level that its policy states: every fill of random runs is retraced.

The retracing knows candles, the signal as it was scheduled or closed, and the policy; it shares no code with the engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.model.result import CancelledResult, ClosedResult, OpenedResult, ScheduledResult
from scenarios.market import MINUTE, START, Row
from scenarios.run import HISTORY
from scenarios.script import Plan, plans, rows_of, tell


@dataclass(frozen=True)
class Retraced:
    """The candles of a plan, seen from the times of its events."""

    plan: Plan
    rows: list[Row]

    @property
    def honest(self) -> bool:
        return self.plan.policy != "reference"

    def index(self, timestamp: int) -> int:
        """The candle that an event at `timestamp` comes from: the one that closes then, or that opens then."""
        return (timestamp - START) // MINUTE - (1 if self.honest else 0)

    def average(self, last: int) -> float:
        window = self.rows[last - self.plan.window + 1 : last + 1]
        volume = math.fsum(v for *_, v in window)
        if volume == 0:
            return math.fsum(c for *_, c, _ in window) / len(window)
        return math.fsum((h + low + c) / 3 * v for _, h, low, c, v in window) / volume

    def market(self, last: int) -> float:
        """Where a market order fills after candle `last`."""
        inside = last + 1 < HISTORY + self.plan.minutes - 2  # the candle after the frame is not known
        if self.plan.policy == "next_open" and inside:
            return self.rows[last + 1][0]
        return self.average(last)


def near(price: float) -> Any:
    return pytest.approx(price, rel=1e-9)


def check_opening(seen: Retraced, result: OpenedResult, waited: bk.PublicSignal | None) -> None:
    long, price = result.signal.position == "long", result.current_price
    if waited is None:
        tick = (result.timestamp - START) // MINUTE
        market = seen.market(tick - 1)
        if seen.honest:
            assert price == near(market)
        else:  # a stated price that the market has passed is taken as it is
            assert price >= market - 1e-9 if long else price <= market + 1e-9
        return
    open, high, low, *_ = seen.rows[seen.index(result.timestamp)]
    asked = waited.price_open
    assert low <= asked if long else high >= asked
    if seen.honest:
        assert low <= price <= high
        assert price == near(min(asked, open) if long else max(asked, open))
    else:
        assert price == asked


def check_closing(seen: Retraced, result: ClosedResult) -> None:
    signal, price, reason = result.signal, result.current_price, result.close_reason
    long, at = signal.position == "long", seen.index(result.timestamp)
    open, high, low, *_ = seen.rows[at]
    if reason == "stop_loss":
        stop = signal.price_stop_loss
        assert low <= stop if long else high >= stop
        beyond = open < stop if long else open > stop
        if seen.honest:
            assert price == near(open if beyond else stop)
            assert low <= price <= high
        else:
            assert price == stop
    elif reason == "liquidation":
        level = bk.get_liquidation_price(signal)
        assert level is not None
        assert price == near(level)
        assert low <= level + 1e-9 if long else high >= level - 1e-9
        assert result.pnl.pnl_percentage == pytest.approx(-100)
    elif reason == "take_profit":
        assert price == signal.price_take_profit
        average = seen.average(at)
        assert average >= price - 1e-9 if long else average <= price + 1e-9
    else:
        assert price == near(seen.market(at))


@settings(max_examples=150, deadline=None)
@given(plans(with_commands=False), st.booleans())
def test_every_fill_is_where_its_policy_says(plan: Plan, stepping: bool) -> None:
    told = tell(plan, stepping=stepping, listen=False)
    seen = Retraced(plan, rows_of(plan))
    waiting: dict[str, bk.PublicSignal] = {}
    for result in told.results:
        match result:
            case ScheduledResult():
                waiting[result.signal.id] = result.signal
            case OpenedResult():
                check_opening(seen, result, waiting.pop(result.signal.id, None))
            case ClosedResult():
                check_closing(seen, result)
            case CancelledResult():
                waiting.pop(result.signal.id)


@settings(max_examples=100, deadline=None)
@given(plans(with_commands=True))
def test_nothing_overlaps_and_nothing_is_left_open(plan: Plan) -> None:
    """One life after the other: every signal that was taken ends once, before the next one begins."""
    told = tell(plan)
    open_id, last = None, 0
    for result in told.results:
        assert result.timestamp >= last
        last = result.timestamp
        if result.action in ("closed", "cancelled"):
            assert result.signal.id == open_id
            open_id = None
        elif result.action == "scheduled" or open_id is None:
            assert open_id is None
            open_id = result.signal.id
        else:
            assert (result.action, result.signal.id) == ("opened", open_id)
    assert open_id is None


@settings(max_examples=100, deadline=None)
@given(plans(with_commands=True))
def test_a_closed_position_keeps_its_books(plan: Plan) -> None:
    """Extremes enclose the close, percent and cost agree, an isolated margin is never overdrawn by a level."""
    for result in tell(plan).closed:
        signal = result.signal
        assert result.pnl.pnl_cost == pytest.approx(result.pnl.pnl_percentage / 100 * result.pnl.pnl_entries)
        assert signal.max_drawdown.pnl_percentage <= result.pnl.pnl_percentage + 1e-9
        if plan.policy != "reference":
            assert signal.peak_profit.pnl_percentage >= result.pnl.pnl_percentage - 1e-9
            assert signal.peak_profit.pnl_percentage >= signal.max_drawdown.pnl_percentage
        assert signal.pending_at <= result.close_timestamp
        assert 0 <= signal.partial_executed <= 100 + 1e-9
        if (
            result.close_reason in ("stop_loss", "liquidation")
            and result.close_id is None
            and plan.policy != "reference"
        ):
            assert result.pnl.pnl_percentage >= -100 - 1e-6 or signal.partials or signal.fundings
