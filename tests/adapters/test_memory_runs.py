"""Memory inside runs: about the signal that lives, as known at the time, gone with the signal, one run's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kept_runs import LONG, NAMES, new_run, prepare

import backtestkit as bk
from backtestkit.errors import UsageError
from scenarios.market import still

NOTES = {
    "a": "RSI oversold on bitcoin hourly",
    "b": "bitcoin etf inflow",
    "c": "ethereum merge",
    "d": "macro rates decision",
}


def with_open_signal(body: Any, *, count: int = 6, **fields: Any) -> bk.BacktestResult:
    """Run a strategy that opens at its first tick, and `body(minute)` in every minute of the position."""
    minute = iter(range(100))

    async def ping(symbol: str, signal: Any, price: float, when: Any, backtest: bool) -> None:
        await body(next(minute))

    callbacks = {"on_active_ping": ping}
    prepare(still(count), lambda *_: dict(LONG), interval="1h", callbacks=callbacks, on_error="raise", **fields)
    return asyncio.run(new_run().result())


def test_notes_are_written_read_listed_found_and_removed() -> None:
    seen: list[Any] = []

    async def body(minute: int) -> None:
        if minute == 0:
            for id, text in NOTES.items():
                await bk.write_memory(id, {"text": text}, text, bucket_name="news")
            return
        if minute == 1:
            found = await bk.search_memory("Bitcoin", bucket_name="news")
            seen.append([(match.memory_id, round(match.score, 10), match.content["text"]) for match in found])
            seen.append(await bk.read_memory("c", bucket_name="news"))
            await bk.remove_memory("b", bucket_name="news")
            await bk.remove_memory("nothing", bucket_name="news")
            await bk.write_memory("a", 1, "bitcoin again", bucket_name="news")
        if minute == 2:
            seen.append([(e.memory_id, e.content, e.description) for e in await bk.list_memory(bucket_name="news")])
            seen.append(await bk.list_memory(bucket_name="elsewhere"))

    with bk.Kit():
        with_open_signal(body)
    assert seen == [
        [("b", 0.7180010635, NOTES["b"]), ("a", 0.5579512909, NOTES["a"])],
        {"text": "ethereum merge"},
        [("c", {"text": NOTES["c"]}, NOTES["c"]), ("d", {"text": NOTES["d"]}, NOTES["d"]), ("a", 1, "bitcoin again")],
        [],
    ]


def test_what_is_not_there_names_what_comes_near() -> None:
    async def body(minute: int) -> None:
        await bk.write_memory("trend", 1, "t", bucket_name="b")
        with pytest.raises(
            UsageError, match=r"memory 'trends' is not in bucket 'b' of signal .* Did you mean 'trend'\?"
        ):
            await bk.read_memory("trends", bucket_name="b")
        with pytest.raises(UsageError, match=r"the description of memory 'x' is None"):
            await bk.write_memory("x", 1, None, bucket_name="b")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"memory 'x'\['when'\] is a set, which JSON cannot carry"):
            await bk.write_memory("x", {"when": {1}}, "x", bucket_name="b")

    with bk.Kit():
        with_open_signal(body)


def test_notes_from_later_than_now_are_neither_seen_nor_counted() -> None:
    from backtestkit.adapters.memory import MemoryBook
    from backtestkit.adapters.owner import Owner, SignalMoment
    from backtestkit.persistence.memory_store import MemoryStore
    from backtestkit.runtime.context import RunKey

    key = RunKey("BTC", "s", "x", "f", True)

    def at(now: int) -> SignalMoment:
        return SignalMoment(Owner(True, ("backtest", "r")), now, key, "signal")

    async def scores(later: bool) -> Any:
        book = MemoryBook(MemoryStore(), lambda: 10)
        for id, text in NOTES.items():
            await book.write(at(10), "b", id, None, text)
        if later:
            await book.write(at(20), "b", "e", None, "bitcoin bitcoin bitcoin and many more words")
            with pytest.raises(UsageError, match="memory 'e' is not"):
                await book.read(at(19), "b", "e")
            assert [entry.memory_id for entry in await book.entries(at(20), "b")] == [*NOTES, "e"]
            await book.remove(at(19), "b", "e")
            assert await book.read(at(20), "b", "e") is None
        return await book.search(at(19), "b", "bitcoin", k1=1.5, b=0.75, min_score=0.5)

    assert asyncio.run(scores(later=True)) == asyncio.run(scores(later=False))


def test_a_full_bucket_loses_what_was_removed_and_then_its_oldest_note() -> None:
    seen: list[list[str]] = []

    async def body(minute: int) -> None:
        if minute:
            return
        for id in "abc":
            await bk.write_memory(id, 1, id, bucket_name="b")
        await bk.remove_memory("b", bucket_name="b")
        for id in "de":
            await bk.write_memory(id, 1, id, bucket_name="b")
            seen.append([entry.memory_id for entry in await bk.list_memory(bucket_name="b")])

    with bk.Kit({"max_memory_entries": 3}):
        with_open_signal(body)
    assert seen == [["a", "c", "d"], ["c", "d", "e"]]


def test_without_a_signal_there_is_nothing_to_note_about() -> None:
    caught: list[str] = []

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        try:
            await bk.write_memory("a", 1, "a", bucket_name="b")
        except UsageError as error:
            caught.append(str(error))

    with bk.Kit():
        prepare(still(3), get_signal)
        asyncio.run(new_run().result())
    assert caught and all("write_memory: nothing is open or waiting in backtest BTC / s / x / f" in c for c in caught)


def test_a_waiting_signal_has_a_memory_too() -> None:
    seen: list[Any] = []

    async def ping(*_: Any) -> None:
        await bk.write_memory("a", len(seen), "a", bucket_name="b")
        seen.append(await bk.read_memory("a", bucket_name="b"))

    with bk.Kit():
        signal = {**LONG, "price_open": 95.0}
        prepare(
            still(4), lambda *_: dict(signal), interval="1h", callbacks={"on_schedule_ping": ping}, on_error="raise"
        )
        asyncio.run(new_run().result())
    assert seen[:3] == [0, 1, 2]


@pytest.mark.parametrize("backend", ["memory", "persist"])
def test_two_runs_with_signals_of_one_name_share_nothing(backend: str, tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def body(minute: int) -> None:
        if minute == 0:
            seen.append([entry.memory_id for entry in await bk.list_memory(bucket_name="b")])
            await bk.write_memory("a", 1, "a", bucket_name="b")

    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        getattr(bk.MemoryBacktest, f"use_{backend}")()
        for _ in range(2):
            minute = iter(range(100))

            async def ping(*_: Any, minute: Any = minute) -> None:
                await body(next(minute))

            signal = {**LONG, "id": "mine"}
            prepare(still(4), lambda *_, s=signal: dict(s), interval="1h", callbacks={"on_active_ping": ping})
            asyncio.run(new_run().result())
    assert seen == [[], []]


def test_memory_ends_with_its_signal_and_files_stay(tmp_path: Path) -> None:
    ids: list[str] = []

    async def body(minute: int) -> None:
        if minute == 0:
            signal = await bk.get_pending_signal("BTC")
            assert signal is not None
            ids.append(signal.id)
            await bk.write_memory("a", 1, "a", bucket_name="b")

    async def left() -> list[str]:
        about: Any = {"symbol": "BTC", "signal_id": ids[-1], **NAMES}
        return [entry.memory_id for entry in await bk.Memory.list_memory(bucket_name="b", **about)]

    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        with_open_signal(body, count=10)
        assert asyncio.run(left()) == []
        bk.MemoryBacktest.use_persist()
        with_open_signal(body, count=10)
        assert asyncio.run(left()) == ["a"]
    assert [path.name for path in (tmp_path / "memory" / "backtest").rglob("*.json")] == ["a.json"]


def test_from_outside_the_names_say_whose_memory_is_meant() -> None:
    async def scenario() -> None:
        async def ping(*_: Any) -> None:
            await bk.write_memory("a", 1, "a", bucket_name="b")

        prepare(still(8), lambda *_: dict(LONG), interval="1h", callbacks={"on_active_ping": ping})
        run = new_run()
        async for result in run:
            if result.action == "opened":
                assert await bk.Memory.list_memory(bucket_name="b", symbol="BTC", **NAMES) == []
        with pytest.raises(UsageError, match=r"list_memory: nothing is open or waiting in backtest BTC"):
            await bk.Memory.list_memory(bucket_name="b", symbol="BTC", **NAMES)
        with pytest.raises(UsageError, match="needs symbol, strategy_name and exchange_name together"):
            await bk.Memory.list_memory(bucket_name="b", symbol="BTC", strategy_name="s")
        with pytest.raises(bk.ContextError, match="list_memory needs a running strategy"):
            await bk.list_memory(bucket_name="b")
        with pytest.raises(UsageError, match="there is no run of backtest ETH"):
            await bk.Memory.list_memory(bucket_name="b", symbol="ETH", signal_id="x", **NAMES)

    with bk.Kit():
        asyncio.run(scenario())


def test_live_memory_is_found_by_names_alone_and_outlives_the_kit(tmp_path: Path) -> None:
    about: Any = {"symbol": "BTC", "strategy_name": "s", "exchange_name": "x", "signal_id": "one", "bucket_name": "b"}

    async def write() -> None:
        await bk.Memory.write_memory("a", {"n": 1}, "text", **about)

    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        asyncio.run(write())
    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        assert asyncio.run(bk.Memory.read_memory("a", **about)) == {"n": 1}
        bk.MemoryLive.use_dummy()
        assert asyncio.run(bk.Memory.list_memory(**about)) == []


def test_a_disabled_memory_can_be_read_and_not_written() -> None:
    async def body(minute: int) -> None:
        if minute == 0:
            await bk.write_memory("a", 1, "a", bucket_name="b")
            bk.Memory.disable()
            assert await bk.read_memory("a", bucket_name="b") == 1
            with pytest.raises(UsageError, match="write_memory: Memory is disabled"):
                await bk.write_memory("b", 1, "a", bucket_name="b")
            bk.Memory.enable()
            await bk.write_memory("b", 1, "a", bucket_name="b")

    with bk.Kit():
        with_open_signal(body)


@pytest.mark.parametrize("backend", ["memory", "persist"])
def test_plain_functions_have_twins(backend: str, tmp_path: Path) -> None:
    from backtestkit import sync

    seen: list[Any] = []

    def ping(*_: Any) -> None:
        sync.write_memory("a", 7, "gold", bucket_name="b")
        seen.append(sync.read_memory("a", bucket_name="b"))

    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        getattr(bk.MemoryBacktest, f"use_{backend}")()
        callbacks = {"on_active_ping": ping}
        prepare(still(3), lambda *_: dict(LONG), interval="1h", callbacks=callbacks, on_error="raise")
        list(new_run())
    assert seen and set(seen) == {7}
