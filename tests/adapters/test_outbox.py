"""The outbox: stored before sent, sent until arrived, never twice, and nobody waits for a network."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from receiver import ListSender

from backtestkit.adapters.outbox import GIVEN_UP_AFTER_MS, MINUTE_MS, Outbox
from backtestkit.persistence.file_store import FileStore
from backtestkit.persistence.memory_store import MemoryStore
from backtestkit.persistence.store import KeyValueStore

SPACE = ("data", "outbox", "list")


class Clock:
    """A wall clock that the test moves."""

    available, is_simulated = True, False

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms

    def now(self) -> object:
        raise AssertionError("not asked")


def outbox(
    sender: ListSender,
    store: KeyValueStore | None = None,
    *,
    limit: int = 10,
    attempts: int = 1,
    clock: Clock | None = None,
) -> Outbox:
    return Outbox(
        "list",
        store or MemoryStore(),
        sender,
        limit=lambda: limit,
        attempts=attempts,
        wait_seconds=0.0,
        clock=clock or Clock(),  # type: ignore[arg-type]
    )


def test_a_message_arrives_once_however_often_it_is_put() -> None:
    async def scenario() -> ListSender:
        sender = ListSender()
        box = outbox(sender)
        assert await box.put("1", "title", "body")
        assert not await box.put("1", "title", "body")
        assert await box.flush(5) == 0
        assert not await box.put("1", "title", "body")
        assert await box.put("2", "other", "body")
        assert await box.flush(5) == 0
        return sender

    assert asyncio.run(scenario()).sent == [("title", "body"), ("other", "body")]


def test_what_fails_for_a_while_is_sent_again_in_one_round() -> None:
    async def scenario() -> ListSender:
        sender = ListSender(failures=2)
        box = outbox(sender, attempts=3)
        await box.put("1", "title", "body")
        assert await box.flush(5) == 0
        return sender

    sender = asyncio.run(scenario())
    assert (sender.tries, len(sender.sent)) == (3, 1)


def test_whoever_puts_a_message_in_does_not_wait_for_the_receiver() -> None:
    async def scenario() -> None:
        sender = ListSender()
        sender.gate = asyncio.Event()
        store = MemoryStore()
        box = outbox(sender, store)
        await box.put("1", "title", "body")
        assert await store.keys(SPACE) == ["1"]
        assert sender.sent == []
        assert await box.flush(0.01) == 1
        sender.gate.set()
        assert await box.flush(5) == 0
        assert sender.sent == [("title", "body")]
        await box.close()

    asyncio.run(scenario())


def test_what_waits_when_the_process_ends_is_sent_by_the_next_one(tmp_path: Path) -> None:
    async def first() -> None:
        sender = ListSender(failures=99)
        box = outbox(sender, FileStore(tmp_path))
        for id in ("a", "b"):
            await box.put(id, id, "body")
        assert await box.flush(5) == 2

    async def second() -> ListSender:
        sender = ListSender()
        box = outbox(sender, FileStore(tmp_path))
        assert not await box.put("a", "a", "body")
        box.start()
        assert await box.flush(5) == 0
        return sender

    asyncio.run(first())
    assert sorted(asyncio.run(second()).sent) == [("a", "body"), ("b", "body")]
    assert asyncio.run(second()).sent == []


def test_after_a_failed_round_a_message_rests_longer_each_time_and_the_others_go_on() -> None:
    async def scenario() -> list[int]:
        clock, sender = Clock(), ListSender(failures=1)
        store = MemoryStore()
        box = outbox(sender, store, clock=clock)
        await box.put("1", "one", "body")
        await box.put("2", "two", "body")
        for _ in range(20):
            await asyncio.sleep(0)
        assert sender.sent == [("two", "body")]
        rests = []
        for _ in range(11):
            sender.failures = 1
            assert await box.flush(5) == 1
            rests.append((await store.read(SPACE, "1"))["retry_at"] - clock.ms)
        sender.failures = 0
        await box.close()
        return rests

    rests = asyncio.run(scenario())
    assert rests[:3] == [2 * MINUTE_MS, 4 * MINUTE_MS, 8 * MINUTE_MS]
    assert rests[-1] == rests[-2] == 360 * MINUTE_MS


def test_a_resting_message_is_sent_when_its_time_has_come() -> None:
    async def scenario() -> ListSender:
        clock, sender = Clock(), ListSender(failures=1)
        box = outbox(sender, clock=clock)
        await box.put("1", "one", "body")
        for _ in range(20):
            await asyncio.sleep(0)
        assert (sender.tries, sender.sent) == (1, [])
        clock.ms += MINUTE_MS
        box.start()  # as the next message would: it looks again
        for _ in range(20):
            await asyncio.sleep(0)
        return sender

    assert asyncio.run(scenario()).sent == [("one", "body")]


def test_what_cannot_be_delivered_for_days_is_given_up_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        clock, sender = Clock(), ListSender(failures=99)
        store = MemoryStore()
        box = outbox(sender, store, clock=clock)
        await box.put("1", "one", "body")
        assert await box.flush(5) == 1
        clock.ms += GIVEN_UP_AFTER_MS
        assert await box.flush(5) == 0
        assert await store.keys(SPACE) == []

    asyncio.run(scenario())
    assert "message_given_up" in caplog.text and "nobody answers" in caplog.text


def test_a_full_outbox_drops_the_message_that_waits_longest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> ListSender:
        sender = ListSender()
        sender.gate = asyncio.Event()
        box = outbox(sender, limit=2)
        for id in "123":
            await box.put(id, id, "body")
        sender.gate.set()
        assert await box.flush(5) == 0
        return sender

    assert asyncio.run(scenario()).sent == [("2", "body"), ("3", "body")]
    assert "outbox_is_full" in caplog.text


def test_as_many_sent_messages_are_remembered_as_may_wait() -> None:
    async def scenario() -> list[str]:
        store = MemoryStore()
        box = outbox(ListSender(), store, limit=2)
        for id in "1234":
            await box.put(id, id, "body")
            await box.flush(5)
        return await store.keys(SPACE)

    assert asyncio.run(scenario()) == ["3", "4"]


def test_an_outbox_moves_to_the_loop_that_uses_it() -> None:
    sender = ListSender(failures=99)
    box = outbox(sender)

    async def put(id: str) -> None:
        await box.put(id, id, "body")

    asyncio.run(put("1"))
    sender.failures = 0

    async def flush() -> int:
        return await box.flush(5)

    assert asyncio.run(flush()) == 0
    assert sender.sent == [("1", "body")]


def test_another_running_loop_is_asked_instead_of_disturbed() -> None:
    async def scenario() -> None:
        sender, there = ListSender(), threading.Event()
        sender.gate = asyncio.Event()
        box = outbox(sender)
        await box.put("1", "1", "body")
        await asyncio.sleep(0)  # the worker of this loop is at it now

        def elsewhere() -> int:
            async def flush() -> int:
                await box.put("2", "2", "body")
                there.set()
                return await box.flush(5)

            return asyncio.run(flush())

        task = asyncio.ensure_future(asyncio.to_thread(elsewhere))
        await asyncio.to_thread(there.wait, 5)
        sender.gate.set()
        assert await task == 0
        assert sorted(sender.sent) == [("1", "body"), ("2", "body")]

    asyncio.run(scenario())


def test_closing_twice_is_fine_and_keeps_what_waits() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        box = outbox(ListSender(failures=99), store)
        await box.put("1", "1", "body")
        await box.close()
        await box.close()
        assert await store.keys(SPACE) == ["1"]

    asyncio.run(scenario())
