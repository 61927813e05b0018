"""Lookup, System, shutdown and readiness: the kit as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from kept_runs import FIRST, new_run, prepare
from receiver import ListSender

import backtestkit as bk
from backtestkit.errors import UsageError
from backtestkit.model.event import PauseEvent
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.scheduler import use_sleeper
from scenarios.market import still

KEY = RunKey("BTC", "s", "x", "", False)


def test_runs_in_progress_and_added_activities_are_listed() -> None:
    seen: list[Any] = []

    def get_signal(*_: Any) -> None:
        seen.append((bk.Lookup.list_activity(), bk.Lookup.is_parallel))
        if len(seen) == 1:
            bk.Lookup.add_activity(KEY)

    with bk.Kit():
        prepare(still(2), get_signal, on_error="raise")
        run = new_run()
        assert bk.Lookup.list_activity() == []
        asyncio.run(run.result())
        assert bk.Lookup.list_activity() == [KEY]
        undo = bk.Lookup.add_activity(KEY)
        assert bk.Lookup.is_parallel
        undo()
        bk.Lookup.remove_activity(KEY)
        bk.Lookup.remove_activity(KEY)
        assert bk.Lookup.list_activity() == []
        bk.Lookup.add_activity(KEY)
        bk.reset()
        assert bk.Lookup.list_activity() == []
    assert seen == [([run.key], False), ([run.key, KEY], True)]


def test_a_snapshot_takes_all_listeners_away_and_puts_them_back() -> None:
    heard: list[str] = []

    async def pause(kit: bk.Kit) -> None:
        heard.clear()
        await kit.channels.pause.emit(PauseEvent(KEY, FIRST, True))
        await kit.channels.exit.emit(bk.ErrorEvent(ValueError(), "x", None, None))

    with bk.Kit() as kit:
        bk.listen_pause(lambda event: heard.append("before"))
        gone = bk.listen_pause(lambda event: heard.append("gone"))
        bk.listen_exit(lambda event: heard.append("exit"))
        restore = bk.System.create_snapshot()
        asyncio.run(pause(kit))
        assert heard == []
        bk.listen_pause(lambda event: heard.append("since"))
        asyncio.run(pause(kit))
        assert heard == ["since"]
        gone()
        restore()
        asyncio.run(pause(kit))
        assert heard == ["before", "since", "exit"]
        restore()
        asyncio.run(pause(kit))
        assert heard == ["before", "since", "exit"]


def test_readiness_is_waited_for_and_not_for_ever() -> None:
    slept: list[float] = []

    async def register(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            prepare(still(1))

    async def scenario() -> list[bool]:
        with use_sleeper(register):
            return [await bk.wait_for_ready(), await bk.wait_for_ready(False)]

    with bk.Kit():
        assert asyncio.run(bk.wait_for_ready(timeout_seconds=0)) is False
        assert asyncio.run(scenario()) == [True, True]
        assert len(slept) == 1


def test_a_shutdown_waits_for_runs_tells_and_sends_what_waits() -> None:
    sender = ListSender()
    told: list[None] = []

    async def scenario(kit: bk.Kit) -> None:
        run = new_run()
        results = aiter(run)
        run.begin()
        slept: list[float] = []

        def sleeper(seconds: float) -> Awaitable[None]:
            slept.append(seconds)
            return finish()

        async def finish() -> None:
            async for _ in results:
                pass

        with use_sleeper(sleeper):
            with pytest.raises(UsageError, match="1 runs are still going on, the first is <BacktestRun"):
                await bk.shutdown(timeout_seconds=0)
            await kit.channels.pause.emit(PauseEvent(KEY, FIRST, True))
            await bk.shutdown()
        assert len(slept) == 1

    with bk.Kit() as kit:
        bk.use_store("memory:")
        bk.Notification.deliver(sender)
        kit.channels.shutdown.listen(told.append)
        prepare(still(1))
        asyncio.run(scenario(kit))
        assert len(sender.sent) == 1 and told == [None]
        bk.Log.log("the kit can be used again")
        assert len(bk.Log.get_list()) == 1


def test_a_kit_that_was_never_used_is_closed_without_making_anything() -> None:
    kit = bk.Kit()
    asyncio.run(kit.close())
    assert "container" not in vars(kit)
