"""What rules are shown: histories that stay as they are, and payloads that know their time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backtestkit.clients.position import Pricing
from backtestkit.clients.risk import candidate, place_of
from backtestkit.math.profit import Costs
from backtestkit.model.risk import ClosedTrade, RiskPayload, TradeHistory
from scenarios.rows import signal_row


def trade(time: int, cost: float = 1.0) -> ClosedTrade:
    return ClosedTrade(time, cost, cost, place_of(signal_row(symbol=f"S{time}"), time))


TRADES = [trade(10), trade(20, -3.0), trade(20), trade(30)]
CURVE = [(1.0, 1.0), (-2.0, 1.0), (-1.0, 1.0), (0.0, 1.0)]


def test_an_empty_history_has_nothing() -> None:
    history = TradeHistory()
    assert (len(history), list(history), history.drawdown_cost) == (0, [], 0.0)


def test_a_history_is_a_sequence_up_to_its_time() -> None:
    history = TradeHistory(TRADES, CURVE, 20)
    assert list(history) == TRADES[:3]
    assert list(reversed(history)) == TRADES[2::-1]
    assert history[-1] is TRADES[2]
    assert history[1:] == (TRADES[1], TRADES[2])
    assert history[:-1] == (TRADES[0], TRADES[1])
    assert history.drawdown_cost == 2.0
    assert repr(history) == "<TradeHistory of 3>"
    with pytest.raises(IndexError):
        history[3]


def test_a_history_does_not_grow() -> None:
    trades, curve = TRADES[:2], CURVE[:2]
    history = TradeHistory(trades, curve)
    trades.append(trade(40))
    curve.append((0.0, 1.0))
    assert (len(history), history.drawdown_cost) == (2, 3.0)


def test_a_trade_tells_what_was_traded() -> None:
    lost = trade(20, -3.0)
    assert (lost.symbol, lost.strategy_name, lost.position, lost.lost) == ("S20", "s", "long", True)
    assert not trade(20, 0.0).lost


def test_a_payload_knows_its_time() -> None:
    signal = candidate(signal_row(), 100.0, 0, Pricing(Costs(0.1, 0.1), 0.2), fresh=True)
    payload = RiskPayload("BTC", signal, "s", "x", "r", "f", 100.0, 60_000, 0, (), TradeHistory())
    assert payload.when == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
