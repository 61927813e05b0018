"""A machine pauses where a scheduled job is due; what it goes on with depends on what the job has changed."""

from __future__ import annotations

import math

import pytest

from backtestkit.clients.bars import Bars
from backtestkit.clients.effects import Publish, Wake
from backtestkit.config import Config
from backtestkit.model.fill_policy import CONSERVATIVE
from backtestkit.model.result import ClosedResult
from backtestkit.model.schema import StrategySchema
from backtestkit.runtime.context import RunKey
from backtestkit.services.connection.strategy import new_strategy
from scenarios.market import MINUTE, START, candles, flat
from scenarios.rows import signal_row


@pytest.mark.parametrize("stepping", [False, True])
@pytest.mark.parametrize("planned_anew", [False, True])
def test_a_minute_is_handled_once_whether_a_job_changed_something_or_not(stepping: bool, planned_anew: bool) -> None:
    key = RunKey("BTC", "s", "x", "f", True)
    machine = new_strategy(key, StrategySchema(strategy_name="s"), Config.defaults(), CONSERVATIVE)
    machine.stepping = stepping
    bars = Bars(candles(flat(100, 12)), step=MINUTE, average_count=1, policy=CONSERVATIVE)
    machine.wake_at = bars.label(3)
    row = signal_row(minute_estimated_time=6.0)
    woken, closed = [], []
    for effect in machine.live(row, START, 100.0, bars, 0):
        if isinstance(effect, Wake):
            woken.append(machine.now)
            machine.wake_at = math.inf
            machine.version += planned_anew
        elif isinstance(effect, Publish) and isinstance(effect.result, ClosedResult):
            closed.append(effect.result)
    assert woken == [bars.label(3)]
    (trade,) = closed
    assert trade.close_reason == "time_expired"
    assert trade.close_timestamp == START + 6 * MINUTE
