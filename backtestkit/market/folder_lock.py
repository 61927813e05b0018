"""A lock between processes on a folder, let go by the system when its holder dies."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from backtestkit.errors import DataError
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.scheduler import sleep

LOCK_FILE = ".lock"
_PAUSE_SECONDS = 0.01


@asynccontextmanager
async def locked_folder(folder: Path, timeout_seconds: float = 30.0) -> AsyncIterator[None]:
    """Hold the folder's lock while the block runs; tasks, threads and processes exclude each other.

    Raises `DataError` when somebody else holds it for longer than `timeout_seconds`.
    """
    deadline = monotonic_seconds() + timeout_seconds
    with (folder / LOCK_FILE).open("ab") as file:
        while not _try_lock(file):
            if monotonic_seconds() >= deadline:
                raise DataError(
                    f"{folder / LOCK_FILE} was held by another process for {timeout_seconds:g} s; is one hanging?"
                )
            await sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
