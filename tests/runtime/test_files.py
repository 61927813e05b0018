"""Durable files: a crash at any operation leaves the old or the new content."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime import files
from backtestkit.runtime.files import (
    Disk,
    append_durable,
    append_durable_now,
    complete_lines,
    read_bytes,
    remove_stale_temps,
    use_disk,
    write_atomic,
    write_atomic_now,
)


class Crash(BaseException):
    """The machine stops here."""


class CrashingDisk(Disk):
    """Stops before operation number `stop_at`, half-way if that is a write, and knows what a power cut could undo.

    `power_cut` then takes back, as chance has it, any part of what was not synced: the ends of files and new names.
    """

    def __init__(self, stop_at: int) -> None:
        super().__init__()
        self.stop_at = stop_at
        self.operations: list[str] = []
        self.paths: dict[int, Path] = {}
        self.synced: dict[Path, int] = {}
        self.names: list[tuple[Path, bytes | None]] = []  # names changed since the last sync, and what they stood for

    def _step(self, name: str) -> None:
        if len(self.operations) >= self.stop_at:
            raise Crash
        self.operations.append(name)

    def create(self, path: Path) -> int:
        self._step("create")
        self.names.append((path, None))
        file = super().create(path)
        self.paths[file], self.synced[path] = path, 0
        return file

    def open_journal(self, path: Path) -> int:
        self._step("open")
        if not path.exists():
            self.names.append((path, None))
        file = super().open_journal(path)
        self.paths[file], self.synced[path] = path, os.fstat(file).st_size
        return file

    def write(self, file: int, data: bytes | memoryview) -> int:
        try:
            self._step("write")
        except Crash:
            super().write(file, data[: len(data) // 2])
            raise
        return super().write(file, data)

    def cut(self, file: int, size: int) -> None:
        self._step("cut")
        super().cut(file, size)
        self.synced[self.paths[file]] = min(self.synced[self.paths[file]], size)

    def sync(self, file: int) -> None:
        self._step("sync")
        self.synced[self.paths[file]] = os.fstat(file).st_size
        super().sync(file)

    def close(self, file: int) -> None:
        super().close(file)
        self._step("close")

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename")
        self.names.append((target, target.read_bytes() if target.exists() else None))
        super().rename(source, target)
        self.synced[target] = self.synced.pop(source)

    def remove(self, path: Path) -> None:
        self._step("remove")
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        self._step("make_folder")
        self.names.append((path, None))
        super().make_folder(path)

    def sync_folder(self, path: Path) -> None:
        self._step("sync_folder")
        self.names = [change for change in self.names if change[0].parent != path]
        super().sync_folder(path)

    def power_cut(self, chance: random.Random) -> None:
        for path, size in self.synced.items():
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, chance.randint(size, path.stat().st_size))
        for path, old in reversed(self.names):
            if chance.random() < 0.5:
                if old is not None:
                    path.write_bytes(old)
                elif path.is_dir():
                    shutil.rmtree(path)
                elif path.exists():
                    path.unlink()


def every_crash(folder: Path, prepare: Callable[[], None], action: Callable[[], None]) -> Iterator[CrashingDisk]:
    """Run `action` with a crash before each of its operations, then once without; several power cuts for each."""
    stop_at = 0
    while True:
        for seed in range(6):  # 0: only the process stops, the disk keeps everything
            for path in sorted(folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            prepare()
            disk = CrashingDisk(stop_at)
            crashed = False
            with use_disk(disk):
                try:
                    action()
                except Crash:
                    crashed = True
            if seed:
                disk.power_cut(random.Random(seed))
            yield disk
            if not crashed:
                assert stop_at > 3
                if seed == 5:
                    return
        stop_at += 1


OLD, NEW = b"old " * 10, b"new content " * 30


@pytest.mark.parametrize("content", [NEW, [NEW[:100], NEW[100:101], NEW[101:]]], ids=["bytes", "chunks"])
def test_after_a_crash_at_any_operation_the_file_is_old_or_new(tmp_path: Path, content: files.Content) -> None:
    target = tmp_path / "state.json"
    seen: set[bytes] = set()

    def action() -> None:
        write_atomic_now(target, content)

    for disk in every_crash(tmp_path, lambda: void(target.write_bytes(OLD)), action):
        seen.add(target.read_bytes())
        if disk.operations.count("sync_folder") == 2:
            assert target.read_bytes() == NEW
    assert seen == {OLD, NEW}


def test_after_a_crash_a_first_write_is_there_or_not(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "state.json"
    seen: set[bytes | None] = set()
    for disk in every_crash(tmp_path, lambda: None, lambda: write_atomic_now(target, NEW)):
        seen.add(target.read_bytes() if target.exists() else None)
        if disk.operations.count("sync_folder") == 4:
            assert target.read_bytes() == NEW
    assert seen == {None, NEW}


LINES = b"one\ntwo\n"


@pytest.mark.parametrize("before", [b"", LINES, LINES + b"to"], ids=["new", "whole", "torn"])
def test_after_a_crash_a_journal_has_its_old_lines_and_whole_new_ones(tmp_path: Path, before: bytes) -> None:
    target = tmp_path / "journal.jsonl"
    kept = complete_lines(before)
    seen: set[int] = set()

    def prepare() -> None:
        if before:
            target.write_bytes(before)

    for disk in every_crash(tmp_path, prepare, lambda: append_durable_now(target, b"three\nfour\n")):
        lines = complete_lines(target.read_bytes()) if target.exists() else []
        assert lines[: len(kept)] == kept
        assert lines == [*kept, b"three", b"four"][: len(lines)]
        if disk.operations.count("sync_folder") == 2:
            assert len(lines) == len(kept) + 2
        seen.add(len(lines) - len(kept))
    assert {0, 2} <= seen


@pytest.mark.parametrize("write", [write_atomic_now, append_durable_now])
def test_what_a_stopped_process_left_unsettled_the_next_one_settles(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    target = tmp_path / "a" / "b" / "file"
    for disk in every_crash(tmp_path, lambda: None, lambda: write(target, LINES)):
        second = CrashingDisk(1000)
        second.names = disk.names  # the first process stopped, the power did not
        with use_disk(second):
            write(target, LINES)
        second.power_cut(random.Random(1))
        assert target.read_bytes().endswith(LINES)


def void(_: object) -> None:
    """So that a lambda may call something with a result."""


def test_an_error_leaves_the_old_file_and_no_temp(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    target.write_bytes(OLD)

    def chunks() -> Iterator[bytes]:
        yield NEW
        raise ValueError("cannot encode")

    with pytest.raises(ValueError, match="cannot encode"):
        write_atomic_now(target, chunks())
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


class FullDisk(Disk):
    """Takes five bytes, then has no space left."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 5

    def write(self, file: int, data: bytes | memoryview) -> int:
        if not self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(file, data[: self.left])
        self.left -= written
        return written


def test_a_full_disk_leaves_file_and_journal_as_they_were(tmp_path: Path) -> None:
    target, journal = tmp_path / "state.json", tmp_path / "journal.jsonl"
    target.write_bytes(OLD)
    journal.write_bytes(LINES)
    with use_disk(FullDisk()), pytest.raises(OSError, match="No space"):
        write_atomic_now(target, NEW)
    with use_disk(FullDisk()), pytest.raises(OSError, match="No space"):
        append_durable_now(journal, b"three\nfour\n")
    assert (target.read_bytes(), journal.read_bytes()) == (OLD, LINES)
    assert len(list(tmp_path.iterdir())) == 2


def test_short_writes_are_continued(tmp_path: Path) -> None:
    class Slow(Disk):
        def write(self, file: int, data: bytes | memoryview) -> int:
            return super().write(file, data[:7])

    with use_disk(Slow()):
        write_atomic_now(tmp_path / "state.json", NEW)
        append_durable_now(tmp_path / "journal.jsonl", LINES)
    assert (tmp_path / "state.json").read_bytes() == NEW
    assert (tmp_path / "journal.jsonl").read_bytes() == LINES


def test_an_append_cuts_off_a_torn_line_however_long(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(LINES + b"x" * 200_000)
    append_durable_now(journal, b"three\n")
    assert journal.read_bytes() == LINES + b"three\n"
    journal.write_bytes(b"x" * 200_000)
    append_durable_now(journal, b"three\n")
    assert journal.read_bytes() == b"three\n"


def test_a_journal_takes_complete_lines_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not end with a newline"):
        append_durable_now(tmp_path / "journal.jsonl", b"three")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("journal", "lines"), [(b"", []), (b"a", []), (b"a\n", [b"a"]), (b"a\n\nb\nc", [b"a", b"", b"b"])]
)
def test_complete_lines_leave_out_a_torn_one(journal: bytes, lines: list[bytes]) -> None:
    assert complete_lines(journal) == lines


def test_stale_temps_are_removed_and_fresh_ones_kept(tmp_path: Path) -> None:
    def crash_before_rename() -> None:
        disk = CrashingDisk(5)
        with use_disk(disk), pytest.raises(Crash):
            write_atomic_now(tmp_path / "state.json", NEW)
        assert disk.operations == ["sync_folder", "create", "write", "sync", "close"]

    crash_before_rename()
    (stale,) = tmp_path.iterdir()
    os.utime(stale, (0, 0))
    crash_before_rename()
    (tmp_path / "mine.tmp").touch()
    assert remove_stale_temps(tmp_path) == 1
    assert not stale.exists()
    assert len(list(tmp_path.iterdir())) == 2
    assert remove_stale_temps(tmp_path / "nowhere") == 0


def test_two_writers_leave_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    contents = [bytes([65 + i]) * 50_000 for i in range(8)]
    threads = [threading.Thread(target=write_atomic_now, args=(target, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [target]


def test_async_forms_do_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        await write_atomic(str(tmp_path / "deep" / "state.json"), [b"a", b"b"])
        await append_durable(tmp_path / "journal.jsonl", LINES)
        await append_durable(tmp_path / "journal.jsonl", LINES)
        assert await read_bytes(tmp_path / "deep" / "state.json") == b"ab"
        assert await read_bytes(str(tmp_path / "journal.jsonl")) == LINES * 2
        with pytest.raises(FileNotFoundError):
            await read_bytes(tmp_path / "nothing")

    asyncio.run(main())


def test_a_cancelled_write_is_over_before_the_cancellation_takes_effect(tmp_path: Path) -> None:
    started, go = threading.Event(), threading.Event()

    class Waiting(Disk):
        def sync(self, file: int) -> None:
            started.set()
            assert go.wait(10)
            super().sync(file)

    async def main() -> None:
        with use_disk(Waiting()):
            write = asyncio.create_task(write_atomic(tmp_path / "state.json", NEW))
        await asyncio.to_thread(started.wait, 10)
        write.cancel()
        await asyncio.sleep(0)
        assert not write.done()
        go.set()
        await asyncio.wait([write])
        assert write.cancelled()
        assert (tmp_path / "state.json").read_bytes() == NEW

    asyncio.run(main())
