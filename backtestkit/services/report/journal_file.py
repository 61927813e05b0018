"""JSONL files of events, written in blocks.

A line waits in memory until a block is full, its run ends or the process does, so that a journal does not slow a
backtest down. Events of a live run are rare and are written at once. A crash loses at most the block of the moment;
what is in a file is whole lines.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from backtestkit.errors import BacktestKitError
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.files import append_durable, append_durable_now
from backtestkit.services.report.writers import tags

JOURNAL_FOLDER: Final = Path("dump/report")
BLOCK_BYTES: Final = 1 << 20
"""A block is written when it has this many bytes."""
BUFFER_BYTES_MAX: Final = 1 << 26
"""What waits while a disk is full or gone; beyond it the oldest lines are dropped, and the error says so."""
WRITE_SECONDS_MAX: Final = 15.0


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What belongs to a line: the report, the run, the signal and the walker it is about, and when it happened."""

    report: str
    key: RunKey
    signal_id: str
    walker_name: str
    timestamp: int


class PendingLines:
    """Lines of one file that wait."""

    def __init__(self, path: Path) -> None:
        """None yet."""
        self.path = path
        self.size = 0
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Put a line at the end."""
        self._lines.append(line)
        self.size += len(line)

    def take(self) -> bytes:
        """All lines, which then no longer wait."""
        lines, self._lines, self.size = self._lines, [], 0
        return b"".join(lines)

    def put_back(self, block: bytes) -> bool:
        """Put lines that could not be written in front again; False when there is no room for them."""
        if self.size + len(block) > BUFFER_BYTES_MAX:
            return False
        self._lines.insert(0, block)
        self.size += len(block)
        return True


class ReportBase:
    """The default writer of event reports: `dump/report/<report>.jsonl` under the working directory.

    One instance a report. A class of yours may derive from it and change what it is given.
    """

    def __init__(self, report: str) -> None:
        """Nothing is opened before the first line."""
        self._pending = PendingLines((JOURNAL_FOLDER / f"{report}.jsonl").absolute())
        self._drain: asyncio.Task[None] | None = None
        weakref.finalize(self, _write_all, self._pending)  # runs at the latest when the process ends

    def wait_for_init(self, initial: bool) -> None:
        """Folders are made when they are needed."""

    def write(self, data: Mapping[str, Any], options: WriteOptions) -> Awaitable[None] | None:
        """Take a line; something to await when it is time to write. What is not a finite number becomes null."""
        line: dict[str, Any] = {"report_name": options.report, "data": data, **tags(options.key)}
        if options.signal_id:
            line["signal_id"] = options.signal_id
        if options.walker_name:
            line["walker_name"] = options.walker_name
        line["timestamp"] = options.timestamp
        self._pending.add(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        return self.flush() if self._pending.size >= BLOCK_BYTES or not options.key.backtest else None

    async def flush(self) -> None:
        """Wait until everything taken so far is on the disk.

        Raises `OSError` when that fails; the lines wait for the next time. A write that takes more than 15 seconds raises
        `BacktestKitError` and goes on.
        """
        drain = self._drain
        if drain is None or drain.done():
            if not self._pending.size:
                return
            drain = self._drain = asyncio.ensure_future(self._write_pending())
        elif drain.get_loop() is not asyncio.get_running_loop():
            return  # a run in another thread is writing; it goes on until nothing waits
        done, _ = await asyncio.wait((drain,), timeout=WRITE_SECONDS_MAX)
        if not done:
            raise BacktestKitError(
                f"writing to {self._pending.path} takes more than {WRITE_SECONDS_MAX:g} seconds; "
                f"{self._pending.size} bytes wait. Look after the disk, or call bk.Report.use_dummy()."
            )
        drain.result()

    def write_now(self) -> None:
        """`flush` for plain code."""
        if self._drain is None or self._drain.done():
            _write_all(self._pending)

    async def _write_pending(self) -> None:
        pending = self._pending
        while pending.size:
            block = pending.take()
            try:
                await append_durable(pending.path, block)
            except OSError as error:
                if not pending.put_back(block):
                    error.add_note(f"{len(block)} bytes of {pending.path} are lost: too much waits to be written")
                raise


def _write_all(pending: PendingLines) -> None:
    if pending.size:
        append_durable_now(pending.path, pending.take())
