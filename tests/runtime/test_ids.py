"""Identities are unique, ordered, cheap, and can be put under a test's control."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from backtestkit.runtime.ids import new_id, process_ids, sequential_ids, use_ids


def test_ids_are_unique_and_in_order() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert all(i.isalnum() and i == i.lower() and len(i) <= 24 for i in ids)


def test_two_processes_have_different_names() -> None:
    assert process_ids()()[:16] != process_ids()()[:16]


def test_a_factory_is_used_until_the_block_ends_and_by_tasks_started_in_it() -> None:
    async def started() -> str:
        return new_id()

    async def main() -> list[str]:
        with use_ids(sequential_ids("x")):
            first = new_id()
            task = asyncio.create_task(started())
        return [first, await task]

    assert asyncio.run(main()) == ["x-1", "x-2"]
    assert not new_id().startswith("x-")


def test_the_factory_is_put_back_after_an_error() -> None:
    with pytest.raises(RuntimeError), use_ids(sequential_ids("x")):
        raise RuntimeError
    assert not new_id().startswith("x-")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
def test_a_forked_child_does_not_repeat_its_parents_ids() -> None:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read_end, 100).decode()[:16] != new_id()[:16]
    os.close(read_end)
    os.close(write_end)
