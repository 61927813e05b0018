"""Log lines of strategies and of the engine, kept for programs to read: in memory, or in a journal that is cut to size."""

from __future__ import annotations

import atexit
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import orjson

from backtestkit.runtime.files import append_durable_now, complete_lines, write_atomic_now
from backtestkit.runtime.log import logger

LogType: TypeAlias = Literal["log", "agent", "debug", "info", "warning", "error", "critical"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line.

    `timestamp` is the time of the run it came from, else the wall's (ms UTC); `created_at` the wall's. `args` are what was
    said besides the topic, `fields` what was said by name; both are plain JSON values with secrets masked. The names are
    those of the run, empty outside one.
    """

    id: str
    type: LogType
    topic: str
    args: tuple[Any, ...]
    fields: Mapping[str, Any]
    timestamp: int
    created_at: int
    symbol: str = ""
    strategy_name: str = ""
    exchange_name: str = ""
    frame_name: str = ""
    backtest: bool | None = None


class LogBackend(Protocol):
    """Keeps log lines."""

    def append(self, entry: LogEntry) -> None:
        """Take one line. It must not raise and must not wait: the engine may be saying it."""
        ...

    def entries(self) -> list[LogEntry]:
        """The lines that are kept, oldest first."""
        ...


class MemoryLog:
    """The newest lines, in memory."""

    def __init__(self, limit: Callable[[], int]) -> None:
        """Keep the last `limit()` lines."""
        self._limit = limit
        self._lines: deque[LogEntry] = deque()

    def append(self, entry: LogEntry) -> None:
        """See `LogBackend`."""
        self._lines.append(entry)
        while len(self._lines) > self._limit():
            self._lines.popleft()

    def entries(self) -> list[LogEntry]:
        """See `LogBackend`."""
        return list(self._lines)


class NullLog:
    """Keeps nothing."""

    def append(self, entry: LogEntry) -> None:
        """Nothing."""

    def entries(self) -> list[LogEntry]:
        """None."""
        return []


QUEUE_MAX: Final = 10_000
_GAP = "lines_missing_before"
_CLOSE_SECONDS = 5.0


class JournalLog:
    """The newest lines in memory, and all of them at the end of a file, one JSON object a line.

    A thread of its own writes, in batches. When the disk cannot follow, lines are left out of the file and counted there.
    A file of more than twice the limit is cut to the newest lines.
    """

    def __init__(self, path: Path, limit: Callable[[], int]) -> None:
        """Continue the journal at `path`; lines that cannot be read are left out."""
        self.path: Final = path
        self._limit, self._memory = limit, MemoryLog(limit)
        self._queue: queue.Queue[bytes | threading.Event | None] = queue.Queue(QUEUE_MAX)
        self._missing, self._counting = 0, threading.Lock()
        self._lines_in_file = self._load()
        self._thread: threading.Thread | None = None

    def append(self, entry: LogEntry) -> None:
        """See `LogBackend`."""
        self._memory.append(entry)
        if self._thread is None:
            run = copy_context().run  # a thread starts with an empty context, without the disk of this one
            self._thread = threading.Thread(target=run, args=(self._write,), name="backtestkit-log", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        try:
            self._queue.put_nowait(orjson.dumps(asdict(entry)) + b"\n")
        except queue.Full:
            self._miss(1)

    def entries(self) -> list[LogEntry]:
        """See `LogBackend`."""
        return self._memory.entries()

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until what was said so far is on the disk; False when that takes too long."""
        if self._thread is None:
            return True
        written = threading.Event()
        self._queue.put(written)
        return written.wait(timeout_seconds)

    def close(self) -> None:
        """Write what was said so far and end the thread; the next line starts another one."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(_CLOSE_SECONDS)
            atexit.unregister(self.close)

    def _miss(self, lines: int) -> None:
        with self._counting:
            self._missing += lines

    def _load(self) -> int:
        try:
            lines = complete_lines(self.path.read_bytes())
        except FileNotFoundError:
            return 0
        for line in lines[-self._limit() :]:
            try:
                record = orjson.loads(line)
                if _GAP not in record:
                    self._memory.append(LogEntry(**{**record, "args": tuple(record["args"])}))
            except (ValueError, TypeError, KeyError):
                logger().warning("log_line_unreadable", path=str(self.path), line=line[:80].decode(errors="replace"))
        return len(lines)

    def _write(self) -> None:
        closing = False
        while not closing:
            batch = [self._queue.get()]
            while len(batch) < QUEUE_MAX and not self._queue.empty():
                batch.append(self._queue.get())
            lines = [item for item in batch if isinstance(item, bytes)]
            try:
                self._write_lines(lines)
            except OSError:
                self._miss(len(lines))
            for item in batch:
                if isinstance(item, threading.Event):
                    item.set()
            closing = None in batch

    def _write_lines(self, lines: list[bytes]) -> None:
        if not lines:
            return
        missing = self._missing
        if missing:
            lines = [orjson.dumps({_GAP: missing}) + b"\n", *lines]
        append_durable_now(self.path, b"".join(lines))
        self._miss(-missing)
        self._lines_in_file += len(lines)
        if self._lines_in_file > 2 * self._limit():
            newest = complete_lines(self.path.read_bytes())[-self._limit() :]
            write_atomic_now(self.path, b"".join(line + b"\n" for line in newest))
            self._lines_in_file = len(newest)
