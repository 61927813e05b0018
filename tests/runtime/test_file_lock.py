"""A file lock has one holder, between processes and inside one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from backtestkit.errors import LockedError, UsageError
from backtestkit.runtime.file_lock import FileLock
from backtestkit.runtime.scheduler import use_sleeper


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"
    lock, other = FileLock(path), FileLock(path, timeout_seconds=0)
    with lock:
        assert lock.held
        with pytest.raises(LockedError, match=r"is locked by process \d+; waited 0 s"), other:
            pass
        assert not other.held
    assert not lock.held
    with other:
        assert other.held
    lock.__exit__(None, None, None)
    assert path.exists()


def test_a_lock_is_not_entered_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with lock:
        with pytest.raises(UsageError, match="held by this object already"):
            lock.__enter__()
        assert lock.held


def test_waiting_ends_when_the_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = FileLock(path)
    holder.__enter__()
    pauses: list[float] = []

    async def let_go(seconds: float) -> None:
        pauses.append(seconds)
        holder.__exit__(None, None, None)

    async def main() -> None:
        with use_sleeper(let_go):
            async with FileLock(path) as lock:
                assert lock.held

    asyncio.run(main())
    assert pauses == [0.02]


def test_waiting_blocks_plain_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    holder = FileLock(path)
    holder.__enter__()
    monkeypatch.setattr("time.sleep", lambda seconds: holder.__exit__(None, None, None))
    with FileLock(path) as lock:
        assert lock.held


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, os\n"
        "from backtestkit.runtime.file_lock import FileLock\n"
        f"FileLock({str(path)!r}).__enter__()\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
        "os._exit(0)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "locked\n"
    with pytest.raises(LockedError, match=f"locked by process {child.pid}"), FileLock(path, timeout_seconds=0):
        pass
    child.communicate("")
    with FileLock(path, timeout_seconds=0) as lock:
        assert lock.held


def test_an_unreadable_holder_is_another_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path):
        path.write_text("")
        with pytest.raises(LockedError, match="locked by another process"), FileLock(path, timeout_seconds=0):
            pass
        path.unlink()
        assert FileLock(path)._holder() == "another process"
