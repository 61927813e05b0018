"""The running context: which run this is, set around each step and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from backtestkit.errors import ContextError
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import InContext, RunContext, RunKey, current_run, run_context

KEY = RunKey("BTC", "s", "x", "f", True)
CONTEXT = RunContext(KEY, SimulatedClock(), None)


def test_a_key_knows_its_mode() -> None:
    assert KEY.mode == "backtest"
    assert RunKey("BTC", "s", "x", "", False).mode == "live"


def test_keys_are_values() -> None:
    assert len({KEY, RunKey("BTC", "s", "x", "f", True), RunKey("ETH", "s", "x", "f", True)}) == 2


def test_outside_a_run_the_error_names_the_function() -> None:
    with pytest.raises(ContextError, match="get_candles needs a running strategy: call it inside get_signal"):
        run_context("get_candles")


async def steps(seen: list[RunContext | None], ended: list[RunContext | None]) -> AsyncGenerator[int, None]:
    try:
        for i in range(3):
            seen.append(current_run.get())
            yield i
    finally:
        ended.append(current_run.get())


def test_the_context_is_set_inside_each_step_and_not_in_the_body_of_the_loop() -> None:
    seen: list[RunContext | None] = []
    ended: list[RunContext | None] = []

    async def main() -> list[RunContext | None]:
        return [current_run.get() async for _ in InContext(CONTEXT, steps(seen, ended))]

    assert asyncio.run(main()) == [None] * 3
    assert seen == [CONTEXT] * 3
    assert ended == [CONTEXT]


def test_leaving_early_cleans_up_inside_the_context() -> None:
    seen: list[RunContext | None] = []
    ended: list[RunContext | None] = []

    async def main() -> None:
        items = InContext(CONTEXT, steps(seen, ended))
        async for _ in items:
            break
        await items.aclose()
        assert current_run.get() is None

    asyncio.run(main())
    assert ended == [CONTEXT]


def test_a_run_inside_a_run_comes_back_to_the_outer_one() -> None:
    inner = RunContext(RunKey("ETH", "s", "x", "f", True), SimulatedClock(), None)

    async def main() -> None:
        token = current_run.set(CONTEXT)
        try:
            async for _ in InContext(inner, steps([], [])):
                assert current_run.get() is CONTEXT
        finally:
            current_run.reset(token)

    asyncio.run(main())
