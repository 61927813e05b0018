"""Strategies that leave the cost of their signals to a sizing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.math.sizing import annual_volatility, average_true_range
from backtestkit.model.fill_policy import CONSERVATIVE, NEXT_OPEN
from scenarios.market import Row, candles, flat, still
from scenarios.portfolio import backtest, long_signal, portfolio
from scenarios.run import minute

MARKET = {"BTC": flat(100.0, 70)}


def trades(
    sizing: dict[str, Any],
    *signals: bk.Signal,
    rows: dict[str, list[Row]] | None = None,
    minutes: int = 30,
    risks: list[Any] | None = None,
    prepare: Callable[[], object] | None = None,
    **run: Any,
) -> bk.BacktestResult:
    """A run over signals five minutes apart, whose costs come from `sizing`."""
    left = list(signals or [long_signal(3)])
    with portfolio(rows or MARKET, minutes):
        bk.add_sizing(sizing_name="z", **sizing)
        if risks is not None:
            bk.add_risk(risk_name="r", validations=risks)
        bk.add_strategy(
            strategy_name="s",
            interval="5m",
            sizing_name="z",
            risk_name=None if risks is None else "r",
            get_signal=lambda *_: left.pop(0) if left else None,
        )
        if prepare is not None:
            prepare()
        return backtest("BTC", **run).wait()


def costs(result: bk.BacktestResult) -> list[float]:
    return [trade.signal.cost for trade in result.closed]


ONE_PERCENT = {"method": "fixed_percentage", "risk_percentage": 1}


def test_a_signal_without_a_cost_gets_it_from_the_sizing() -> None:
    result = trades(ONE_PERCENT, long_signal(3))
    assert costs(result) == [1000.0]  # 1 % of 10,000 is lost over the 10 % to the stop
    assert result.closed[0].signal.entries[0].cost == 1000.0
    assert result.closed[0].pnl.pnl_entries == 1000.0


def test_a_signal_with_a_cost_keeps_it() -> None:
    assert costs(trades(ONE_PERCENT, long_signal(3, cost=77.0))) == [77.0]


def test_what_is_lost_at_the_stop_is_the_risk_whatever_the_leverage() -> None:
    rows = {"BTC": still(70, at={1: (100.0, 100.0, 90.0, 100.0, 1.0)})}
    for multiplier in (1.0, 4.0):
        result = trades(
            ONE_PERCENT, long_signal(10, multiplier=multiplier, isolated=False), rows=rows, policy=CONSERVATIVE
        )
        (trade,) = result.closed
        assert trade.close_reason == "stop_loss"
        gross = (90.0 - 100.0) / 100.0 * trade.signal.cost * multiplier
        assert gross == pytest.approx(-100.0)


def test_no_position_costs_more_than_the_balance() -> None:
    tight = long_signal(3, price_stop_loss=99.5)
    assert costs(trades(ONE_PERCENT | {"risk_percentage": 50}, tight)) == [10_000.0]
    assert costs(trades(ONE_PERCENT | {"risk_percentage": 50}, replace(tight, multiplier=3.0))) == [10_000.0]


def test_the_balance_compounds_what_the_run_has_earned() -> None:
    result = trades(ONE_PERCENT | {"balance": 2_000}, *[long_signal(3) for _ in range(3)])
    balance = 2_000.0
    for trade in result.closed:
        assert trade.signal.cost == pytest.approx(balance * 0.01 / 0.1, rel=1e-12)
        balance += trade.pnl.pnl_cost
    assert len(result.closed) == 3


def test_the_balance_may_be_asked_of_a_function() -> None:
    asked: list[tuple[str, int, bool]] = []

    async def balance(symbol: str, when: datetime, backtest: bool) -> float:
        asked.append((symbol, when.minute, backtest))
        return 500.0

    result = trades(ONE_PERCENT | {"balance": balance}, long_signal(3), long_signal(3))
    assert costs(result) == [50.0, 50.0]
    assert asked == [("BTC", 5, True), ("BTC", 10, True)]


@pytest.mark.parametrize("answer", [None, math.nan, True, "1"])
def test_a_balance_that_is_no_number_is_an_error(answer: Any) -> None:
    result = trades(ONE_PERCENT | {"balance": lambda *_: answer})
    assert (len(result.closed), result.error_count) == (0, 1)
    assert "balance of sizing 'z' returned" in str(result.errors[0].error)


def test_without_a_balance_nothing_is_traded() -> None:
    result = trades(ONE_PERCENT | {"balance": lambda *_: -5})
    assert "the balance is -5, nothing is left to trade with" in str(result.errors[0].error)


def test_kelly_takes_its_edge_from_the_schema() -> None:
    sizing = {"method": "kelly_criterion", "win_rate": 0.6, "win_loss_ratio": 1.5}
    assert costs(trades(sizing)) == [pytest.approx(833.3333333333333)]


def test_kelly_without_an_edge_bets_nothing_and_says_so() -> None:
    result = trades({"method": "kelly_criterion", "win_rate": 0.2, "win_loss_ratio": 1.0})
    error = result.errors[0].error
    assert isinstance(error, bk.SignalError)
    assert (error.codes, result.closed) == (("size_not_positive",), ())


def test_kelly_needs_its_edge_before_a_run_is_made() -> None:
    with pytest.raises(
        bk.UsageError, match="cannot size the signals of a strategy without win_rate and win_loss_ratio"
    ):
        trades({"method": "kelly_criterion"})


def zigzag(count: int) -> list[Row]:
    return [(100.0, 101.0 + i % 3, 99.0, 100.0 + i % 2, 1.0) for i in range(count + 5)]


def test_true_range_and_volatility_come_from_the_candles_before() -> None:
    rows = zigzag(65)
    past = candles(rows)[20:25]  # the signal comes at minute 20, after 25 candles
    late: list[Any] = [None, None, None, None, long_signal(3, price_take_profit=120.0, price_stop_loss=85.0)]

    def result(**sizing: Any) -> bk.ClosedResult:
        (trade,) = trades(sizing | {"interval": "1m", "period": 4}, *late, rows={"BTC": rows}).closed
        assert minute(trade.signal.pending_at) == 20
        return trade

    trade = result(method="atr_based", risk_percentage=2)
    atr = average_true_range(past.high, past.low, past.close)
    assert trade.signal.cost == pytest.approx(10_000 * 0.02 / (2 * atr) * trade.signal.price_open, rel=1e-12)
    trade = result(method="volatility_target", target_volatility=20)
    volatility = annual_volatility(past.close, 60_000)
    assert trade.signal.cost == pytest.approx(10_000 * 20 / volatility, rel=1e-12)


def test_a_market_that_stands_still_has_nothing_to_size_by() -> None:
    result = trades({"method": "atr_based", "risk_percentage": 1, "interval": "1m", "period": 2})
    assert "atr=0.0 must be a finite number above 0" in str(result.errors[0].error)


def test_a_fixed_cost_is_that_cost_until_a_limit_changes_it() -> None:
    fixed = {"method": "fixed_cost", "cost": 123.4}
    assert costs(trades(fixed)) == [123.4]
    assert costs(trades(fixed, long_signal(3, multiplier=7.0))) == [123.4]
    assert costs(trades(fixed | {"max_position_size": 1})) == [100.0]


def test_every_size_is_told_and_errors_there_change_nothing() -> None:
    told: list[tuple[float, bk.PositionSizing]] = []

    def on_calculate(quantity: float, sizing: bk.PositionSizing) -> None:
        told.append((quantity, sizing))
        raise ValueError("callback")

    sizing = ONE_PERCENT | {"max_position_percentage": 5, "callbacks": {"on_calculate": on_calculate}}
    result = trades(sizing)
    assert costs(result) == [500.0]
    ((quantity, size),) = told
    assert (quantity, size.quantity, size.limit) == (5.0, 5.0, "max_position_percentage")
    assert (size.symbol, size.account_balance, size.price_open) == ("BTC", 10_000.0, 100.0)
    assert [e.source for e in result.errors] == ["on_calculate of sizing 'z'"]


def test_a_signal_is_checked_before_it_is_sized() -> None:
    result = trades(ONE_PERCENT, long_signal(3, price_stop_loss=101.0))
    error = result.errors[0].error
    assert isinstance(error, bk.SignalError)
    assert "stop_loss_wrong_side" in error.codes


@pytest.mark.parametrize("policy", [CONSERVATIVE, replace(CONSERVATIVE, name="b", risk_order="before_validation")])
def test_risk_rules_see_the_cost_that_was_sized(policy: bk.FillPolicy) -> None:
    seen: list[float] = []
    result = trades(ONE_PERCENT, risks=[lambda p: seen.append(p.current_signal.cost)], policy=policy)
    assert (seen, costs(result)) == ([1000.0], [1000.0])


def test_waiting_entries_are_sized_by_their_own_price() -> None:
    rows = {"BTC": still(70, at={4: (100.0, 100.0, 97.9, 100.0, 1.0)})}
    result = trades(ONE_PERCENT, long_signal(3, price_open=98.0, price_stop_loss=88.2), rows=rows)
    assert costs(result) == [pytest.approx(1000.0)]


def test_under_next_open_a_size_is_found_at_the_price_that_is_known() -> None:
    rows = {"BTC": still(40, at={0: (104.0, 104.0, 100.0, 100.0, 1.0)})}
    told: list[float] = []
    sizing = ONE_PERCENT | {"callbacks": {"on_calculate": lambda quantity, size: told.append(size.price_open)}}
    result = trades(sizing, rows=rows, policy=NEXT_OPEN)
    assert told == [100.0]
    assert result.closed[0].signal.entries[0].price == 104.0
    assert costs(result) == [1000.0]


def test_queued_signals_are_sized_too() -> None:
    def prepare() -> None:
        queued = [long_signal(3)]

        async def queue(event: bk.IdlePingEvent) -> None:
            if queued:
                await bk.commit_create_signal(event.symbol, queued.pop())

        bk.listen_idle_ping(queue)

    left: list[Any] = [None]
    assert costs(trades(ONE_PERCENT, *left, prepare=prepare)) == [1000.0]


def test_both_gears_size_alike() -> None:
    rows = {"BTC": [(p, p + 0.3, p - 0.3, p, 1.0) for p in (100 + np.sin(np.arange(70) / 5)).tolist()]}
    signals = [long_signal(3) for _ in range(5)]
    fingerprints = {
        trades(ONE_PERCENT, *signals, rows=rows, stepping=stepping).fingerprint for stepping in (False, True)
    }
    assert len(fingerprints) == 1
