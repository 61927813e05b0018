"""Messages on their way: stored before they are sent, sent until they have arrived, and never twice.

One outbox belongs to one receiver, so a receiver that is down keeps nobody else waiting. Sending happens in a task of
its own; whoever puts a message in waits for the store and never for the network. What is still waiting when the process
ends is sent by the next one that opens the same outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

from backtestkit.persistence.domains import OUTBOX
from backtestkit.persistence.store import KeyValueStore
from backtestkit.runtime.clock import Clock, SystemClock
from backtestkit.runtime.log import logger
from backtestkit.runtime.retry import repeat

MINUTE_MS: Final = 60_000
PAUSE_MS_MAX: Final = 6 * 60 * MINUTE_MS
GIVEN_UP_AFTER_MS: Final = 3 * 24 * 60 * MINUTE_MS


class Sender(Protocol):
    """Brings one message to one receiver."""

    async def send(self, title: str, body: str) -> None:
        """Deliver; raise whatever error there is when the receiver has not got it."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits: since when, how often a whole round of attempts has failed, and when the next one starts."""

    id: str
    title: str
    body: str
    created_at: int
    rounds: int = 0
    retry_at: int = 0


class Outbox:
    """The messages of one receiver.

    A round is `attempts` tries with growing waits (`wait_seconds` at first). After a failed one the message rests for
    minutes, then hours; after three days it is given up and the log says so.
    """

    def __init__(
        self,
        name: str,
        store: KeyValueStore,
        sender: Sender,
        *,
        limit: Callable[[], int],
        attempts: int = 5,
        wait_seconds: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        """At most `limit()` messages wait, and as many that were sent are remembered; `name` says which outbox it is."""
        self._space, self._store, self.sender = OUTBOX.space(name), store, sender
        self._limit, self._attempts, self._wait_seconds = limit, attempts, wait_seconds
        self._clock = clock or SystemClock()
        self._waiting: dict[str, Message] | None = None
        self._sent: dict[str, None] = {}
        self._log = logger(outbox=name)
        self._worker: asyncio.Task[None] | None = None
        self._changed, self._turn = asyncio.Event(), asyncio.Lock()

    async def put(self, id: str, title: str, body: str) -> bool:
        """Store a message and have it sent; False when one of this id was put before."""
        waiting = await self._load()
        if id in waiting or id in self._sent:
            return False
        message = waiting[id] = Message(id, title, body, self._clock.now_ms())
        await self._keep(message)
        while len(waiting) > self._limit():
            await self._drop(next(iter(waiting.values())), "outbox_is_full")
        self.start()
        return True

    def start(self) -> None:
        """Send what waits, in a task of the running event loop, unless one is at it."""
        worker, loop = self._worker, asyncio.get_running_loop()
        if worker is not None and not worker.done():
            theirs = worker.get_loop()
            if theirs is loop:
                self._changed.set()
                return
            if theirs.is_running():
                theirs.call_soon_threadsafe(self._changed.set)
                return
        self._changed, self._turn = asyncio.Event(), asyncio.Lock()
        self._worker = loop.create_task(self._work(self._changed, self._turn), name="backtestkit outbox")

    async def flush(self, timeout_seconds: float) -> int:
        """Try to send everything now, for at most `timeout_seconds`; how many messages still wait after that."""
        worker = self._worker
        if worker is not None and not worker.done():
            theirs = worker.get_loop()
            if theirs is not asyncio.get_running_loop() and theirs.is_running():
                there = asyncio.run_coroutine_threadsafe(self._flush(timeout_seconds), theirs)
                return await asyncio.wrap_future(there)
        return await self._flush(timeout_seconds)

    async def close(self) -> None:
        """Stop sending. What waits stays in the store."""
        worker, self._worker = self._worker, None
        if worker is not None and not worker.done() and worker.get_loop() is asyncio.get_running_loop():
            worker.cancel()
            await asyncio.wait((worker,))

    async def _flush(self, timeout_seconds: float) -> int:
        waiting = await self._load()
        if waiting:
            self.start()  # makes the lock of this loop
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    for message in list(waiting.values()):
                        await self._deliver(message.id, self._turn)
        return len(waiting)

    async def _work(self, changed: asyncio.Event, turn: asyncio.Lock) -> None:
        """Send until nothing waits. A worker that was replaced, because its loop had stopped, stops too."""
        waiting = await self._load()
        while waiting and self._worker is asyncio.current_task():
            changed.clear()
            now = self._clock.now_ms()
            due = next((message for message in waiting.values() if message.retry_at <= now), None)
            if due is not None:
                await self._deliver(due.id, turn)
                continue
            pause = min(message.retry_at for message in waiting.values()) - now
            with suppress(TimeoutError):
                async with asyncio.timeout(pause / 1000):
                    await changed.wait()

    async def _deliver(self, id: str, turn: asyncio.Lock) -> None:
        """One round for one message, if it still waits when it is its turn."""
        async with turn:
            message = (await self._load()).get(id)
            if message is None:
                return
            try:
                await repeat(
                    Exception,
                    self.sender.send,
                    message.title,
                    message.body,
                    attempts=self._attempts,
                    wait_seconds=self._wait_seconds,
                )
            except Exception as error:
                await self._failed(message, error)
            else:
                await self._arrived(message)

    async def _arrived(self, message: Message) -> None:
        waiting = await self._load()
        waiting.pop(message.id, None)
        self._sent[message.id] = None
        await self._store.write(self._space, message.id, {"id": message.id, "sent_at": self._clock.now_ms()})
        while len(self._sent) > self._limit():
            oldest = next(iter(self._sent))
            del self._sent[oldest]
            await self._store.remove(self._space, oldest)

    async def _failed(self, message: Message, error: Exception) -> None:
        # To the log and not to the error channel: that may feed this very outbox.
        now = self._clock.now_ms()
        if now - message.created_at >= GIVEN_UP_AFTER_MS:
            await self._drop(message, "message_given_up", error=repr(error))
            return
        pause = min(MINUTE_MS * 2**message.rounds, PAUSE_MS_MAX)
        message = replace(message, rounds=message.rounds + 1, retry_at=now + pause)
        self._log.warning("message_not_delivered", message=message.id, again_in_ms=pause, error=repr(error))
        waiting = await self._load()
        if message.id in waiting:
            waiting[message.id] = message
            await self._keep(message)

    async def _drop(self, message: Message, event: str, **why: Any) -> None:
        (await self._load()).pop(message.id, None)
        self._log.error(event, message=message.id, title=message.title, **why)
        await self._store.remove(self._space, message.id)

    async def _keep(self, message: Message) -> None:
        await self._store.write(self._space, message.id, asdict(message))

    async def _load(self) -> dict[str, Message]:
        """What waits, oldest first; read from the store the first time."""
        if self._waiting is None:
            found = [await self._store.read(self._space, id) for id in await self._store.keys(self._space)]
            records = [record for record in found if record is not None]
            if self._waiting is None:  # another task may have been faster, and have put something in since
                sent = sorted((r for r in records if "sent_at" in r), key=lambda r: r["sent_at"])
                waiting = sorted((r for r in records if "sent_at" not in r), key=lambda r: r["created_at"])
                self._sent = {record["id"]: None for record in sent}
                self._waiting = {record["id"]: Message(**record) for record in waiting}
        return self._waiting
