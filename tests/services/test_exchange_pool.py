"""Which runs share the connection of an exchange, and where errors of its callbacks go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.event import ErrorEvent
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import RunContext, RunKey, current_run


def no_candles(*_: Any) -> list[list[float]]:
    return []


@pytest.fixture
def kit() -> bk.Kit:
    kit = bk.Kit()
    kit.registries["exchange"].add(exchange_name="e", get_candles=no_candles)
    return kit


def test_an_exchange_has_one_connection(kit: bk.Kit) -> None:
    pool = kit.container.exchange_pool()
    assert pool.connect("e") is pool.connect("e")
    assert pool.connect("e").schema is kit.registries["exchange"].get("e")


def test_two_kits_have_connections_of_their_own(kit: bk.Kit) -> None:
    other = bk.Kit()
    other.registries["exchange"].add(kit.registries["exchange"].get("e"))
    assert kit.container.exchange_pool().connect("e") is not other.container.exchange_pool().connect("e")


def test_a_changed_schema_or_config_makes_a_new_connection_and_leaves_the_old_one(kit: bk.Kit) -> None:
    pool = kit.container.exchange_pool()
    first = pool.connect("e")
    kit.registries["exchange"].override("e", gaps="skip")
    second = pool.connect("e")
    kit.set_config({"max_candles_per_request": 7})
    third = pool.connect("e")
    assert len({id(first), id(second), id(third)}) == 3
    assert (first.schema.gaps, second.schema.gaps) == ("refuse", "skip")
    assert (second.config.max_candles_per_request, third.config.max_candles_per_request) == (1000, 7)


def test_an_unknown_exchange_gets_the_near_names(kit: bk.Kit) -> None:
    with pytest.raises(bk.NotRegisteredError, match=r"exchange 'ee' is not registered\. Did you mean 'e'"):
        kit.container.exchange_pool().connect("ee")


@pytest.mark.parametrize("inside", [True, False])
def test_an_error_of_a_callback_is_told_with_the_run_it_happened_in(kit: bk.Kit, inside: bool) -> None:
    heard: list[ErrorEvent] = []
    kit.channels.error.listen(heard.append, on_error="raise")
    key = RunKey("BTCUSDT", "s", "e", "f", True)
    error = ValueError("mine")

    async def fail() -> None:
        clock = SimulatedClock()
        clock.advance_to_ms(60_000)
        token = current_run.set(RunContext(key, clock, kit) if inside else None)
        try:
            await kit.container.exchange_pool()._report(error)
        finally:
            current_run.reset(token)

    asyncio.run(fail())
    assert heard == [ErrorEvent(error, "on_candle_data", key if inside else None, 60_000 if inside else None)]
