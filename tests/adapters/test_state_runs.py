"""States of signals and sessions of runs: changed in order, guarded against the future, one run's own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from kept_runs import LONG, NAMES, new_run, prepare

import backtestkit as bk
from backtestkit.errors import UsageError
from scenarios.market import still


def pinging(body: Any, *, count: int = 6, **fields: Any) -> bk.BacktestRun:
    """A run that opens at its first tick and calls `body` in every minute of the position."""

    async def ping(*_: Any) -> None:
        await body()

    signal = fields.pop("signal", LONG)
    callbacks = {"on_active_ping": ping}
    prepare(still(count), lambda *_: dict(signal), interval="1h", callbacks=callbacks, on_error="raise", **fields)
    return new_run()


def in_memory(adapter: Any) -> list[Any]:
    """The spaces that the backend of backtests holds."""
    return list(adapter.backtest.current._store._spaces)


def test_a_state_is_its_initial_value_until_it_is_set() -> None:
    seen: list[Any] = []

    async def body() -> None:
        seen.append(await bk.get_signal_state("BTC", bucket_name="b", initial_value=0))
        assert await bk.set_signal_state("BTC", lambda n: n + 1, bucket_name="b", initial_value=0) == len(seen)
        await bk.set_signal_state("BTC", [len(seen)], bucket_name="other", initial_value=[0])

    with bk.Kit():
        asyncio.run(pinging(body).result())
    assert seen == list(range(len(seen))) and len(seen) >= 4


def test_a_pair_is_bound_to_its_bucket() -> None:
    get_stage, set_stage = bk.create_signal_state("stage", "new")
    seen: list[str] = []

    async def body() -> None:
        seen.append(await get_stage("BTC"))
        assert await set_stage("BTC", "seen") == "seen"
        assert await bk.get_signal_state("BTC", bucket_name="other", initial_value="x") == "x"

    with bk.Kit():
        asyncio.run(pinging(body).result())
    assert seen[:2] == ["new", "seen"]


def test_slow_changes_of_one_state_follow_each_other() -> None:
    seen: list[Any] = []

    async def slow(before: list[int]) -> list[int]:
        for _ in range(3):
            await asyncio.sleep(0)
        return [*before, len(before)]

    async def body() -> None:
        change = [bk.set_signal_state("BTC", slow, bucket_name="b", initial_value=[]) for _ in range(3)]
        await asyncio.gather(*change)
        seen.append(await bk.get_signal_state("BTC", bucket_name="b", initial_value=[]))

    with bk.Kit():
        asyncio.run(pinging(body, count=3).result())
    assert seen[0] == [0, 1, 2]


def test_a_failing_change_changes_nothing() -> None:
    async def body() -> None:
        await bk.set_signal_state("BTC", 1, bucket_name="b", initial_value=0)
        with pytest.raises(ZeroDivisionError):
            await bk.set_signal_state("BTC", lambda n: n // 0, bucket_name="b", initial_value=0)
        with pytest.raises(UsageError, match=r"state 'b' is inf, which JSON cannot carry"):
            await bk.set_signal_state("BTC", float("inf"), bucket_name="b", initial_value=0.0)
        assert await bk.get_signal_state("BTC", bucket_name="b", initial_value=0) == 1

    with bk.Kit():
        asyncio.run(pinging(body).result())


def test_a_state_ends_with_its_signal() -> None:
    seen: list[int] = []

    async def body() -> None:
        seen.append(await bk.get_signal_state("BTC", bucket_name="b", initial_value=0))
        await bk.set_signal_state("BTC", 1, bucket_name="b", initial_value=0)

    with bk.Kit() as kit:
        signals = iter([{**LONG, "id": "one"}, {**LONG, "id": "two"}, {**LONG, "id": "one"}])

        async def ping(*_: Any) -> None:
            await body()

        prepare(still(30), lambda *_: next(signals, None), callbacks={"on_active_ping": ping}, on_error="raise")
        result = asyncio.run(new_run().result())
        assert len(result.closed) == 3
        assert seen.count(0) == 3
        assert in_memory(kit.adapters.state) == []


def test_states_belong_to_runs_even_if_signals_have_one_name() -> None:
    seen: list[int] = []

    async def body() -> None:
        seen.append(await bk.get_signal_state("BTC", bucket_name="b", initial_value=0))
        await bk.set_signal_state("BTC", len(seen), bucket_name="b", initial_value=0)

    with bk.Kit():
        signal = {**LONG, "id": "mine", "minute_estimated_time": 100}
        for _ in range(2):
            run = pinging(body, signal=signal, count=20)
            asyncio.run(anext_opened(run))
    assert [n for n in seen if n == 0] == [0, 0]


async def anext_opened(run: bk.BacktestRun) -> None:
    """Take results until the end."""
    async for _ in run:
        pass


def test_a_live_state_is_a_file_that_names_signal_and_time(tmp_path: Path) -> None:
    about: Any = {"strategy_name": "s", "exchange_name": "x", "signal_id": "one", "bucket_name": "b"}

    async def scenario() -> None:
        assert await bk.State.set_signal_state("BTC", {"n": 1}, initial_value={}, **about) == {"n": 1}
        assert await bk.State.get_signal_state("BTC", initial_value={}, **about) == {"n": 1}

    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        asyncio.run(scenario())
    (file,) = tmp_path.rglob("*.json")
    assert file.relative_to(tmp_path).as_posix() == "state/live/BTC~/s/x/one/b.json"
    record = json.loads(file.read_text())
    assert (record["id"], record["data"]) == ("one", {"n": 1})
    assert record["when"] > 1_700_000_000_000


def test_a_session_lasts_as_long_as_its_run() -> None:
    seen: list[Any] = []

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        seen.append(await bk.get_session_data(symbol))
        await bk.set_session_data(symbol, {"ticks": len(seen)})

    with bk.Kit():
        prepare(still(3), get_signal, on_error="raise")
        for _ in range(2):
            run = new_run()
            asyncio.run(run.result())
            ticks = len(seen)
            after = asyncio.run(bk.Session.get_session_data("BTC", **NAMES))
            assert after == {"ticks": ticks}
    half = len(seen) // 2
    assert seen[0] is seen[half] is None
    assert seen[1] == {"ticks": 1}


def test_sessions_of_old_runs_are_let_go() -> None:
    async def get_signal(symbol: str, when: Any, price: float) -> None:
        await bk.set_session_data(symbol, 1)

    with bk.Kit({"max_sessions": 2}) as kit:
        prepare(still(1), get_signal, on_error="raise")
        for _ in range(4):
            asyncio.run(new_run().result())
        assert len(in_memory(kit.adapters.session)) == 2


def test_a_session_can_be_emptied_and_needs_a_run_that_exists() -> None:
    async def scenario() -> None:
        await bk.Session.set_session_data("BTC", 5, strategy_name="s", exchange_name="x")
        assert await bk.Session.get_session_data("BTC", strategy_name="s", exchange_name="x") == 5
        assert await bk.Session.get_session_data("ETH", strategy_name="s", exchange_name="x") is None
        await bk.Session.set_session_data("BTC", None, strategy_name="s", exchange_name="x")
        assert await bk.Session.get_session_data("BTC", strategy_name="s", exchange_name="x") is None
        with pytest.raises(UsageError, match="there is no run of backtest BTC / s / x / f"):
            await bk.Session.get_session_data("BTC", **NAMES)
        with pytest.raises(bk.ContextError):
            await bk.get_session_data("BTC")

    with bk.Kit():
        bk.SessionLive.use_memory()
        asyncio.run(scenario())


def test_a_session_record_of_somebody_else_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    from backtestkit.persistence.memory_store import MemoryStore

    store = MemoryStore()
    about: Any = {"strategy_name": "s", "exchange_name": "x"}

    async def scenario() -> Any:
        record = {"id": "another", "data": 5, "when": 0}
        await store.write(("session", "live", "BTC", "s", "x"), "BTC", record)
        return await bk.Session.get_session_data("BTC", **about)

    with bk.Kit():
        bk.use_store(store)
        assert asyncio.run(scenario()) is None
    assert "session_of_another_context" in caplog.text


def test_inside_a_run_others_are_seen_as_of_its_time() -> None:
    seen: list[Any] = []

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        seen.append(await bk.Session.get_session_data("BTC", strategy_name="live", exchange_name="x"))

    with bk.Kit():
        bk.SessionLive.use_memory()
        asyncio.run(bk.Session.set_session_data("BTC", "from today", strategy_name="live", exchange_name="x"))
        prepare(still(2), get_signal, on_error="raise")
        asyncio.run(new_run().result())
    assert seen and set(seen) == {None}


def test_a_sibling_run_on_another_symbol_can_be_asked() -> None:
    seen: list[Any] = []

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        await bk.set_session_data(symbol, symbol)
        if symbol == "ETH":
            seen.append(await bk.get_session_data("BTC"))

    with bk.Kit():
        prepare(still(2), get_signal, on_error="raise")
        for symbol in ("BTC", "ETH"):
            asyncio.run(new_run(symbol).result())
    assert seen[-1] == "BTC"
