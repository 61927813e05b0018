"""Durable files: a write either happened or did not, whenever the process or the machine stops.

`write_atomic` replaces a whole file: after a crash it holds the old or the new content. `append_durable` adds lines to
a journal: after a crash it holds the complete lines that were there and at most a torn last one, which readers leave
out (`complete_lines`) and the next append cuts off. When either returns, the data is on the disk, and so is its name.

All operations go through a `Disk`, so that a test can stop the world at each of them.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Final, ParamSpec, TypeAlias, TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime.clock import SystemClock

P = ParamSpec("P")
R = TypeVar("R")
Content: TypeAlias = "bytes | Iterable[bytes]"

TEMP_PREFIX: Final = ".backtestkit-"
TEMP_SUFFIX: Final = ".tmp"
STALE_SECONDS: Final = 3600.0

_BLOCK = 65_536


class Disk:
    """The operations that durable files are made of, on the real disk. A file is its descriptor.

    `settled` holds the folders and journals whose names this process has brought to the disk: one that it finds may be
    the work of a process that stopped just before it did that.
    """

    def __init__(self) -> None:
        self.settled: set[Path] = set()

    def create(self, path: Path) -> int:
        """Create a file that must not exist yet and open it for writing."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)

    def open_journal(self, path: Path) -> int:
        """Open a file for reading and appending; create it when it does not exist."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)

    def write(self, file: int, data: bytes | memoryview) -> int:
        """Write some of `data`; returns how many bytes."""
        return os.write(file, data)

    def cut(self, file: int, size: int) -> None:
        """Shorten the file to `size` bytes."""
        os.ftruncate(file, size)

    def sync(self, file: int) -> None:
        """Wait until the content is on the disk."""
        os.fsync(file)

    def close(self, file: int) -> None:
        """Close the descriptor."""
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`, in place of a file that had it."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove the file."""
        os.unlink(path)

    def make_folder(self, path: Path) -> None:
        """Create one folder whose parent exists."""
        path.mkdir(exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Wait until the names in the folder are on the disk."""
        if sys.platform == "win32":
            return  # Windows writes names through and cannot open folders
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def use_disk(disk: Disk) -> Iterator[None]:
    """Do all file operations of this context, and of the tasks it starts, through `disk` until the block ends."""
    token = _disk.set(disk)
    try:
        yield
    finally:
        _disk.reset(token)


async def write_atomic(path: Path | str, content: Content) -> None:
    """Replace the file at `path` by `content` (bytes, or chunks of them); missing folders are made.

    Runs in a thread. A cancellation takes effect when the write is over, so that writes to one path keep their order.
    """
    await _in_thread(write_atomic_now, path, content)


async def append_durable(path: Path | str, lines: bytes) -> None:
    """`append_durable_now` in a thread, with cancellations as in `write_atomic`."""
    await _in_thread(append_durable_now, path, lines)


async def read_bytes(path: Path | str) -> bytes:
    """The content of a file, read in a thread; `FileNotFoundError` when there is none."""
    return await _in_thread(Path(path).read_bytes)


def write_atomic_now(path: Path | str, content: Content) -> None:
    """`write_atomic` for plain code: blocks until the file is on the disk.

    An error, also one raised by the chunks, leaves the old file as it was.
    """
    target, disk = Path(path), _disk.get()
    _make_folders(target.parent, disk)
    temp = target.parent / f"{TEMP_PREFIX}{secrets.token_hex(8)}{TEMP_SUFFIX}"
    file = disk.create(temp)
    try:
        try:
            for chunk in (content,) if isinstance(content, bytes) else content:
                _write_all(disk, file, chunk)
            disk.sync(file)
        finally:
            disk.close(file)
        disk.rename(temp, target)
    except BaseException:
        with suppress(OSError):
            disk.remove(temp)
        raise
    disk.sync_folder(target.parent)


def append_durable_now(path: Path | str, lines: bytes) -> None:
    """Append `lines`, each ended by a newline, to the journal at `path` and block until they are on the disk.

    What a crash left of an incomplete last line is cut off first; an error cuts off what was written of `lines`.
    Several processes that append to one file need a `FileLock`.
    """
    if not lines.endswith(b"\n"):
        raise UsageError(f"{bytes(lines[-40:])!r} does not end with a newline. A journal takes complete lines.")
    target, disk = Path(path), _disk.get()
    _make_folders(target.parent, disk)
    file = disk.open_journal(target)
    try:
        size = os.fstat(file).st_size
        start = _end_of_last_line(file, size)
        if start < size:
            disk.cut(file, start)
        try:
            _write_all(disk, file, lines)
            disk.sync(file)
        except OSError:
            with suppress(OSError):
                disk.cut(file, start)
            raise
    finally:
        disk.close(file)
    if start == 0 or target not in disk.settled:
        disk.sync_folder(target.parent)
        disk.settled.add(target)


def remove_now(path: Path | str) -> bool:
    """Remove the file and block until its name is gone from the disk; False when there is none."""
    target, disk = Path(path), _disk.get()
    try:
        disk.remove(target)
    except FileNotFoundError:
        return False
    disk.sync_folder(target.parent)
    return True


def set_aside_now(path: Path | str, ending: str) -> Path:
    """Give a damaged file a free name, its own with `ending` (and a number), and return that; nothing is lost."""
    target, disk = Path(path), _disk.get()
    place, number = target.with_name(target.name + ending), 1
    while place.exists():
        number += 1
        place = target.with_name(f"{target.name}{ending}-{number}")
    disk.rename(target, place)
    disk.sync_folder(target.parent)
    return place


def complete_lines(journal: bytes) -> list[bytes]:
    """The lines of a journal without their newlines; a torn last line is left out."""
    return journal.split(b"\n")[:-1]


def remove_stale_temps(folder: Path | str, older_than_seconds: float = STALE_SECONDS) -> int:
    """Remove what interrupted writes left in `folder`; returns how many files.

    Younger files are left alone, since another process may be writing them.
    """
    disk, removed = _disk.get(), 0
    limit = SystemClock().now_ms() / 1000 - older_than_seconds
    for path in Path(folder).glob(f"{TEMP_PREFIX}*{TEMP_SUFFIX}"):
        with suppress(FileNotFoundError):  # another process tidies up too
            if path.stat().st_mtime <= limit:
                disk.remove(path)
                removed += 1
    return removed


def _make_folders(folder: Path, disk: Disk) -> None:
    missing: list[Path] = []
    existing = folder
    while not existing.is_dir():
        missing.append(existing)
        existing = existing.parent
    if not missing and folder in disk.settled:
        return
    if existing not in disk.settled:
        with suppress(PermissionError):  # a folder that this user may enter but not list was not made by us
            disk.sync_folder(existing.parent)
    for path in reversed(missing):
        disk.make_folder(path)
        disk.sync_folder(path.parent)
    disk.settled.update((existing, folder))


def _write_all(disk: Disk, file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[disk.write(file, rest) :]


def _end_of_last_line(file: int, size: int) -> int:
    """Where the last complete line ends, counted in bytes from the start."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        os.lseek(file, start, os.SEEK_SET)
        newline = os.read(file, end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


async def _in_thread(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    task = asyncio.ensure_future(asyncio.to_thread(fn, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # A thread cannot be stopped, and a write left alone could overtake the next one to the same path.
        await asyncio.wait((task,))
        raise


_BINARY = getattr(os, "O_BINARY", 0)
_disk: ContextVar[Disk] = ContextVar("backtestkit_disk", default=Disk())  # noqa: B039 (it has no state)
