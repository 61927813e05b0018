"""Records as files: where they are, that damage is set aside and told, and that errors name the file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from backtestkit.errors import StoreError
from backtestkit.persistence.file_store import FileStore
from backtestkit.persistence.memory_store import MemoryStore
from backtestkit.runtime.files import TEMP_PREFIX, TEMP_SUFFIX, Disk, use_disk

SPACE = ("data", "signal")


def test_a_record_is_one_compact_json_file(tmp_path: Path) -> None:
    asyncio.run(FileStore(tmp_path).write(("data", "state", "BTC/USDT"), "Entry", {"a": [1, "ü"]}))
    file = tmp_path / "data" / "state" / "BTC%2fUSDT~" / "Entry~1.json"
    assert file.read_bytes() == '{"a":[1,"ü"]}'.encode()


@pytest.mark.parametrize("damage", [b"", b'{"a": 1', b"\xff\xfe", b"[1]]"])
def test_a_damaged_file_is_set_aside_and_told_and_counts_as_absent(damage: bytes, tmp_path: Path) -> None:
    told: list[Exception] = []

    async def report(error: Exception) -> None:
        told.append(error)

    async def scenario() -> None:
        store = FileStore(tmp_path, report)
        await store.write(SPACE, "one", 1)
        await store.write(SPACE, "two", 2)
        file = tmp_path / "data" / "signal" / "one.json"
        for name in ("one.json.damaged", "one.json.damaged-2"):
            file.write_bytes(damage)
            assert await store.read(SPACE, "one", "absent") == "absent"
            assert (file.parent / name).read_bytes() == damage
        assert await store.keys(SPACE) == ["two"]
        await store.write(SPACE, "one", 3)
        assert await store.read(SPACE, "one") == 3

    asyncio.run(scenario())
    assert [type(error) for error in told] == [StoreError, StoreError]
    assert "one.json is no JSON" in str(told[0]) and "set aside as one.json.damaged" in str(told[0])


def test_without_anybody_to_tell_damage_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "one.json").write_text("{")
    assert asyncio.run(FileStore(tmp_path).read((), "one")) is None
    assert "record_damaged" in caplog.text


def test_interrupted_writes_are_tidied_up_when_they_are_old(tmp_path: Path) -> None:
    import os

    folder = tmp_path / "data" / "signal"
    folder.mkdir(parents=True)
    old, young = folder / f"{TEMP_PREFIX}a{TEMP_SUFFIX}", folder / f"{TEMP_PREFIX}b{TEMP_SUFFIX}"
    old.write_text("{}")
    young.write_text("{}")
    os.utime(old, (0, 0))
    assert asyncio.run(FileStore(tmp_path).keys(SPACE)) == []
    assert not old.exists() and young.exists()


class FullDisk(Disk):
    def write(self, file: int, data: bytes | memoryview) -> int:
        raise OSError(28, "No space left on device")


def test_a_write_that_the_disk_refuses_names_the_file_and_keeps_the_old_value(tmp_path: Path) -> None:
    async def scenario() -> Any:
        store = FileStore(tmp_path)
        await store.write(SPACE, "one", "old")
        with use_disk(FullDisk()), pytest.raises(StoreError, match=r"one\.json could not be written: No space left"):
            await store.write(SPACE, "one", "new")
        return await store.read(SPACE, "one")

    assert asyncio.run(scenario()) == "old"


def test_what_cannot_be_read_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "one.json").mkdir()
    with pytest.raises(StoreError, match=r"one\.json could not be read"):
        asyncio.run(FileStore(tmp_path).read((), "one"))


class Crash(BaseException):
    """The machine stops here."""


class CrashingDisk(Disk):
    """Stops the world at the operation with that number."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def _step(self) -> None:
        if self.left == 0:
            raise Crash
        self.left -= 1

    def create(self, path: Path) -> int:
        self._step()
        return super().create(path)

    def write(self, file: int, data: bytes | memoryview) -> int:
        self._step()
        return super().write(file, data[: max(1, len(data) // 2)])

    def sync(self, file: int) -> None:
        self._step()
        super().sync(file)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        self._step()
        super().make_folder(path)

    def sync_folder(self, path: Path) -> None:
        self._step()
        super().sync_folder(path)


@pytest.mark.parametrize("removing", [False, True])
def test_wherever_the_machine_stops_a_record_is_whole(removing: bool, tmp_path: Path) -> None:
    old, new = {"n": 1, "text": "a" * 100}, {"n": 2, "text": "b" * 300}
    seen: set[str] = set()

    async def scenario(folder: Path, step: int) -> bool:
        await FileStore(folder).write(SPACE, "one", old)
        store = FileStore(folder)
        crashed = False
        with use_disk(CrashingDisk(step)):
            try:
                await (store.remove(SPACE, "one") if removing else store.write(SPACE, "one", new))
            except Crash:
                crashed = True
        after = FileStore(folder)
        found = await after.read(SPACE, "one", "absent")
        assert found in (old, "absent" if removing else new)
        assert await after.keys(SPACE) == ([] if found == "absent" else ["one"])
        seen.add("old" if found == old else "new")
        return crashed

    step = 0
    while asyncio.run(scenario(tmp_path / str(step), step)):
        step += 1
    assert step >= 2 and seen == {"old", "new"}


class SlowDisk(Disk):
    """A disk whose renames wait until they are let through."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.there = threading.Event(), threading.Event()

    def rename(self, source: Path, target: Path) -> None:
        self.there.set()
        assert self.go.wait(10)
        super().rename(source, target)


def test_a_cancelled_write_ends_before_the_next_one_begins(tmp_path: Path) -> None:
    disk = SlowDisk()

    async def scenario() -> Any:
        store = FileStore(tmp_path)
        with use_disk(disk):
            task = asyncio.ensure_future(store.write(SPACE, "one", "first"))
            await asyncio.to_thread(disk.there.wait, 10)
            task.cancel()
            second = asyncio.ensure_future(store.write(SPACE, "one", "second"))
            await asyncio.sleep(0)
            assert not task.done()
            disk.go.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            await second
        return await store.read(SPACE, "one")

    assert asyncio.run(scenario()) == "second"


def test_one_store_serves_several_event_loops(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for number in range(3):
        asyncio.run(store.write(SPACE, "one", number))
    assert asyncio.run(store.read(SPACE, "one")) == 2
    assert repr(store) == f"<FileStore {tmp_path}>"


def test_a_full_memory_refuses_new_records_and_still_replaces_known_ones() -> None:
    async def scenario() -> None:
        store = MemoryStore(lambda: 2, "max_states")
        await store.write(SPACE, "one", 1)
        await store.write(SPACE, "two", 2)
        with pytest.raises(Exception, match=r"2 records are in memory and max_states=2"):
            await store.write(SPACE, "three", 3)
        await store.write(SPACE, "one", 10)
        await store.remove(SPACE, "two")
        await store.write(SPACE, "three", 3)
        assert await store.keys(SPACE) == ["one", "three"]
        await store.forget(("data",))
        assert await store.keys(SPACE) == []
        await store.write(SPACE, "four", 4)

    asyncio.run(scenario())
