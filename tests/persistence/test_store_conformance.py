"""The stores of the package keep the rules that users' stores are held to, and the suite notices broken rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backtestkit.errors import UsageError
from backtestkit.persistence.file_store import FileStore
from backtestkit.persistence.json_values import encode
from backtestkit.persistence.memory_store import MemoryStore, NullStore
from backtestkit.testing import DURABLE_STORE_CHECKS, STORE_CHECKS, Check


@pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
def test_the_store_in_memory(check: Check) -> None:
    check(MemoryStore)


@pytest.mark.parametrize("check", DURABLE_STORE_CHECKS, ids=str)
def test_the_store_of_files(check: Check, tmp_path: Path) -> None:
    check(lambda: FileStore(tmp_path))


class ByReference:
    """What one writes first: a dictionary of the objects themselves."""

    def __init__(self) -> None:
        self.records: dict[Any, Any] = {}

    async def read(self, space: Any, id: str, default: Any = None) -> Any:
        return self.records.get("/".join((*space, id)), default)

    async def write(self, space: Any, id: str, value: Any) -> None:
        self.records["/".join((*space, id))] = value

    async def remove(self, space: Any, id: str) -> None:
        self.records.pop("/".join((*space, id)))

    async def keys(self, space: Any) -> list[str]:
        start = "/".join(space)
        return [name.removeprefix(f"{start}/") for name in self.records if name.startswith(start)]

    async def forget(self, space: Any) -> None:
        self.records.clear()


def test_the_suite_finds_what_a_careless_store_breaks() -> None:
    broken = set()
    for check in DURABLE_STORE_CHECKS:
        try:
            check(ByReference)
        except (AssertionError, KeyError, UsageError):
            broken.add(str(check))
    assert broken == {
        "what_is_not_there_is_the_default",
        "values_are_copies",
        "what_json_cannot_carry_is_refused",
        "names_may_be_any_text",
        "spaces_are_apart",
        "keys_are_in_natural_order",
        "records_outlive_the_object",
    }


class Overtaking(MemoryStore):
    """A store whose writes finish in any order and are cut off by a cancellation."""

    async def write(self, space: Any, id: str, value: Any) -> None:
        encode(value, id)
        import asyncio

        await super().write(space, id, "half")
        for _ in range(50 - value if isinstance(value, int) and 0 <= value <= 50 else 2):
            await asyncio.sleep(0)
        await super().write(space, id, value)


@pytest.mark.parametrize("name", ["writes_take_effect_in_order", "a_cancelled_write_is_whole"])
def test_the_suite_finds_writes_that_overtake_or_tear(name: str) -> None:
    check = next(check for check in STORE_CHECKS if str(check) == name)
    with pytest.raises(AssertionError):
        check(Overtaking)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
def test_the_suite_finds_a_store_that_keeps_nothing(check: Check) -> None:
    if str(check) == "what_is_not_there_is_the_default":
        check(NullStore)
        return
    with pytest.raises(AssertionError):
        check(NullStore)
