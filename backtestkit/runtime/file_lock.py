"""A lock between processes: who holds it owns a folder, a journal or a store until it lets go or dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from backtestkit.errors import LockedError, UsageError
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.scheduler import sleep, sleep_blocking

RETRY_SECONDS: Final = 0.02


class FileLock:
    """An exclusive lock on `path`, for `with` and `async with`.

    The operating system keeps it, so it ends with its process. The file names the holder and stays when the lock is let
    go: removing it would let two processes lock two files of one name. Two locks in one process exclude each other too.
    """

    def __init__(self, path: Path | str, timeout_seconds: float = 10.0) -> None:
        """Entering waits up to `timeout_seconds` for the lock, then raises `LockedError`; 0 tries once."""
        self.path = Path(path)
        self.timeout_seconds = timeout_seconds
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._file is not None

    def __enter__(self) -> Self:
        for pause in self._attempts():
            sleep_blocking(pause)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def __aenter__(self) -> Self:
        for pause in self._attempts():
            await sleep(pause)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _attempts(self) -> Iterator[float]:
        """Try until it works, yielding how long to wait between two attempts."""
        if self.held:
            raise UsageError(f"the lock {self.path} is held by this object already. Use another FileLock object.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = monotonic_seconds() + self.timeout_seconds
        while not self._try():
            if monotonic_seconds() >= deadline:
                raise LockedError(
                    f"{self.path} is locked by {self._holder()}; waited {self.timeout_seconds:g} s. "
                    f"Stop that process or use another folder."
                )
            yield RETRY_SECONDS

    def _try(self) -> bool:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(file):
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()}\n".encode())
        self._file = file
        return True

    def _holder(self) -> str:
        with suppress(OSError):
            return self.path.read_text("ascii", "replace").strip() or "another process"
        return "another process"


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(file: int) -> bool:
        # Far behind the text, which other processes must be able to read: Windows locks ranges of bytes.
        os.lseek(file, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
