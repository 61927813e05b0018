"""`PositionSize`: registered sizings by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import backtestkit as bk


@pytest.fixture(autouse=True)
def kit() -> Iterator[bk.Kit]:
    with bk.Kit() as kit:
        bk.add_sizing(
            sizing_name="fixed",
            method="fixed_percentage",
            risk_percentage=1,
            min_position_size=5,
            max_position_percentage=10,
            max_position_size=3,
        )
        bk.add_sizing(sizing_name="kelly", method="kelly_criterion")
        bk.add_sizing(sizing_name="atr", method="atr_based", risk_percentage=2)
        bk.add_sizing(sizing_name="volatility", method="volatility_target", target_volatility=20)
        bk.add_sizing(sizing_name="cost", method="fixed_cost", cost=250)
        yield kit


def test_the_worked_sizes() -> None:
    async def main() -> list[bk.PositionSizing]:
        size = bk.PositionSize
        return [
            await size.fixed_percentage("BTC", 10_000, 100, 98, sizing_name="fixed", position="long"),
            await size.kelly_criterion("BTC", 10_000, 100, 0.6, 1.5, sizing_name="kelly"),
            await size.kelly_criterion("BTC", 10_000, 100, 0.2, 1, sizing_name="kelly"),
            await size.atr_based("BTC", 10_000, 100, 3, sizing_name="atr"),
            await size.volatility_target("BTC", 10_000, 100, 40, sizing_name="volatility"),
            await size.fixed_cost("BTC", 10_000, 100, sizing_name="cost"),
        ]

    sizes = asyncio.run(main())
    assert [size.quantity for size in sizes] == [3, 8.333333333333332, 0, 33.333333333333336, 50.0, 2.5]
    assert [size.limit for size in sizes] == ["max_position_size", None, None, None, None, None]


def test_leverage_caps_what_a_position_moves() -> None:
    size = asyncio.run(bk.PositionSize.atr_based("BTC", 10_000, 100, 0.01, sizing_name="atr", leverage=1.5))
    assert (size.quantity, size.limit) == (150.0, "balance")


def test_an_unknown_sizing_gets_the_near_names() -> None:
    with pytest.raises(bk.NotRegisteredError, match=r"sizing 'kely' is not registered\. Did you mean 'kelly'"):
        asyncio.run(bk.PositionSize.kelly_criterion("BTC", 10_000, 100, 0.6, 1.5, sizing_name="kely"))


def test_a_sizing_of_another_method_is_refused() -> None:
    with pytest.raises(bk.UsageError, match="is of method 'atr_based', not 'fixed_cost'"):
        asyncio.run(bk.PositionSize.fixed_cost("BTC", 10_000, 100, sizing_name="atr"))


@pytest.mark.parametrize("is_async", [False, True])
def test_callbacks_hear_the_size(is_async: bool) -> None:
    told: list[Any] = []

    async def later(quantity: float, sizing: bk.PositionSizing) -> None:
        told.append((quantity, sizing))

    def plain(quantity: float, sizing: bk.PositionSizing) -> None:
        told.append((quantity, sizing))

    bk.override_sizing("cost", callbacks={"on_calculate": later if is_async else plain})
    size = asyncio.run(bk.PositionSize.fixed_cost("BTC", 10_000, 100, sizing_name="cost"))
    assert told == [(2.5, size)]


def test_errors_of_callbacks_are_reported_and_change_nothing() -> None:
    errors: list[bk.ErrorEvent] = []

    def fail(quantity: float, sizing: bk.PositionSizing) -> None:
        raise ValueError("callback")

    bk.listen_error(errors.append)
    bk.override_sizing("cost", callbacks={"on_calculate": fail})
    assert asyncio.run(bk.PositionSize.fixed_cost("BTC", 10_000, 100, sizing_name="cost")).quantity == 2.5
    assert [(str(e.error), e.source, e.key) for e in errors] == [("callback", "on_calculate of sizing 'cost'", None)]


def test_inside_a_run_errors_of_callbacks_name_the_run() -> None:
    errors: list[bk.ErrorEvent] = []

    def fail(quantity: float, sizing: bk.PositionSizing) -> None:
        raise ValueError("callback")

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        await bk.PositionSize.fixed_cost(symbol, 10_000, price, sizing_name="cost")

    bk.listen_error(errors.append)
    bk.override_sizing("cost", callbacks={"on_calculate": fail})
    bk.add_exchange(bk.SyntheticExchange("m"))
    bk.add_frame(frame_name="f", start_date="2025-06-01", end_date="2025-06-01T00:01:00Z")
    bk.add_strategy(strategy_name="s", get_signal=get_signal)
    bk.Backtest.run("BTC", strategy_name="s", exchange_name="m", frame_name="f").wait()
    (event,) = errors
    assert event.key is not None and event.key.symbol == "BTC"
    assert event.timestamp == 1_748_736_000_000
