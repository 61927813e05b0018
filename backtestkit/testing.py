"""The suite that every store of records must pass, ours and yours.

    import pytest
    from backtestkit.testing import STORE_CHECKS, Check

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
    def test_my_store(check: Check, tmp_path) -> None:
        check(lambda: MyStore(tmp_path))

A check gets a function that makes the store; it may be called more than once, for the same data. It raises an
`AssertionError` that names the rule. `DURABLE_STORE_CHECKS` are for stores whose records outlive the object, and
`ADAPTER_CHECKS` run what the adapters do with a store over it. Nothing here needs pytest.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from backtestkit.errors import UsageError
from backtestkit.persistence.store import KeyValueStore
from backtestkit.runtime.scheduler import breathe

__all__ = ["DURABLE_STORE_CHECKS", "STORE_CHECKS", "Check", "MakeStore"]

MakeStore: TypeAlias = Callable[[], KeyValueStore]

_SPACE: Final = ("data", "conformance")
_MISSING: Final = "nothing was there"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `name` says it, calling it with a function that makes the store checks it, in an event loop of its own."""

    name: str
    run: Callable[[MakeStore], Awaitable[None]]

    def __call__(self, make: MakeStore) -> None:
        """Raise `AssertionError` unless the store keeps the rule."""

        async def checked() -> None:
            await self.run(make)

        asyncio.run(checked())

    def __str__(self) -> str:
        return self.name


def _check(run: Callable[[MakeStore], Awaitable[None]]) -> Check:
    return Check(run.__name__.strip("_"), run)


def _equal(found: Any, expected: Any, rule: str) -> None:
    if found != expected:
        raise AssertionError(f"{rule}: expected {expected!r}, found {found!r}")


async def _what_is_written_is_read(make: MakeStore) -> None:
    store = make()
    for value in (None, True, 0, -(2**63), 1.5, 1e-300, "", "ü 漢 \n", [], {}, [1, [None]], {"a": {"b": [1.0, "c"]}}):
        await store.write(_SPACE, "value", value)
        _equal(await store.read(_SPACE, "value", _MISSING), value, "a value comes back as it was written")


async def _what_is_not_there_is_the_default(make: MakeStore) -> None:
    store = make()
    _equal(await store.read(_SPACE, "absent"), None, "the default of the default is None")
    _equal(await store.read(_SPACE, "absent", _MISSING), _MISSING, "an absent record is the default")
    await store.remove(_SPACE, "absent")
    _equal(await store.keys(("data", "nowhere")), [], "a space without records has no keys")


async def _a_write_replaces(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", {"a": 1, "b": 2})
    await store.write(_SPACE, "value", {"a": 3})
    _equal(await store.read(_SPACE, "value"), {"a": 3}, "the last write counts, whole")
    _equal(await store.keys(_SPACE), ["value"], "one id is one record")


async def _what_is_removed_is_gone(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", 1)
    await store.write(_SPACE, "other", 2)
    await store.remove(_SPACE, "value")
    _equal(await store.read(_SPACE, "value", _MISSING), _MISSING, "a removed record is absent")
    _equal(await store.keys(_SPACE), ["other"], "a removed record has no key, the others have")


async def _values_are_copies(make: MakeStore) -> None:
    store = make()
    given = {"levels": [1]}
    await store.write(_SPACE, "value", given)
    given["levels"].append(2)
    _equal(await store.read(_SPACE, "value"), {"levels": [1]}, "changing what was written changes nothing")
    (await store.read(_SPACE, "value"))["levels"].append(3)
    _equal(await store.read(_SPACE, "value"), {"levels": [1]}, "changing what was read changes nothing")


async def _what_json_cannot_carry_is_refused(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", "before")
    for value in (math.nan, [math.inf], {"a": {1, 2}}, {1: "a"}, object(), {"a": b"bytes"}):
        try:
            await store.write(_SPACE, "value", value)
        except UsageError:
            continue
        raise AssertionError(f"a value that JSON cannot carry is a UsageError: {value!r} was taken")
    _equal(await store.read(_SPACE, "value"), "before", "a refused write changes nothing")


async def _names_may_be_any_text(make: MakeStore) -> None:
    store = make()
    names = ["BTC/USDT:USDT", "btc/usdt:usdt", "..", ".", "a b", "a_b", "a:b", "CON", "%2e", "~", "ü", "ключ"]
    for number, name in enumerate(names):
        await store.write((*_SPACE, name), name, number)
    for number, name in enumerate(names):
        _equal(await store.read((*_SPACE, name), name), number, f"the record {name!r} is its own")
        _equal(await store.keys((*_SPACE, name)), [name], f"the key {name!r} comes back")


async def _spaces_are_apart(make: MakeStore) -> None:
    store = make()
    await store.write(("data", "a"), "x", 1)
    await store.write(("data", "a", "b"), "x", 2)
    await store.write(("data", "ab"), "x", 3)
    _equal(await store.keys(("data", "a")), ["x"], "keys are those of exactly this space")
    _equal(await store.read(("data", "a"), "x"), 1, "a space is not the one below it")
    _equal(await store.read(("data", "a", "b"), "x"), 2, "a space is not the one above it")


async def _keys_are_in_natural_order(make: MakeStore) -> None:
    store = make()
    for name in ("a10", "b1", "A2", "a1", "10", "9"):
        await store.write(_SPACE, name, 0)
    _equal(await store.keys(_SPACE), ["9", "10", "a1", "A2", "a10", "b1"], "numbers by value, without regard to case")


async def _writes_take_effect_in_order(make: MakeStore) -> None:
    store = make()
    await asyncio.gather(*(store.write(_SPACE, "value", number) for number in range(50)))
    _equal(await store.read(_SPACE, "value"), 49, "of writes to one id, the one called last counts")
    await asyncio.gather(store.write(_SPACE, "value", 1), store.remove(_SPACE, "value"))
    _equal(await store.read(_SPACE, "value", _MISSING), _MISSING, "a removal does not overtake the write before it")


async def _a_cancelled_write_is_whole(make: MakeStore) -> None:
    store = make()
    before, after = {"n": 1, "text": "a" * 10_000}, {"n": 2, "text": "b" * 10_000}
    await store.write(_SPACE, "value", before)
    task = asyncio.ensure_future(store.write(_SPACE, "value", after))
    await breathe()
    task.cancel()
    await asyncio.wait((task,))
    found = await store.read(_SPACE, "value")
    if found not in (before, after):
        raise AssertionError("a cancelled write leaves the old value or the new one")


async def _records_outlive_the_object(make: MakeStore) -> None:
    await make().write(_SPACE, "value", {"a": 1})
    store = make()
    _equal(await store.read(_SPACE, "value"), {"a": 1}, "another object over the same data finds the record")
    _equal(await store.keys(_SPACE), ["value"], "and its key")
    await store.forget(_SPACE)
    _equal(await make().read(_SPACE, "value"), {"a": 1}, "forgetting a space keeps what is durable")


STORE_CHECKS: Final = tuple(
    _check(run)
    for run in (
        _what_is_written_is_read,
        _what_is_not_there_is_the_default,
        _a_write_replaces,
        _what_is_removed_is_gone,
        _values_are_copies,
        _what_json_cannot_carry_is_refused,
        _names_may_be_any_text,
        _spaces_are_apart,
        _keys_are_in_natural_order,
        _writes_take_effect_in_order,
        _a_cancelled_write_is_whole,
    )
)
"""The rules of `KeyValueStore`."""

DURABLE_STORE_CHECKS: Final = (*STORE_CHECKS, _check(_records_outlive_the_object))
"""The same, and that records outlive the object."""
