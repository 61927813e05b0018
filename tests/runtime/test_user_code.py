"""Functions of users: plain ones, async ones, and whatever else can be called."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

from backtestkit.runtime.user_code import user_function


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


class Doubling:
    async def __call__(self, value: int) -> int:
        return 2 * value

    def plain(self, value: int) -> int:
        return 2 * value

    async def method(self, value: int) -> int:
        return 2 * value


@pytest.mark.parametrize(
    "fn",
    [
        double,
        lambda value: 2 * value,
        lambda value: double(value),
        functools.partial(double),
        functools.partial(lambda factor, value: factor * value, 2),
        Doubling(),
        Doubling().plain,
        Doubling().method,
    ],
    ids=["async", "plain", "plain-around-async", "partial", "partial-plain", "callable", "method", "async-method"],
)
def test_any_function_can_be_awaited(fn: Callable[[int], Any]) -> None:
    async def main() -> Any:
        return await user_function(fn)(21)

    assert asyncio.run(main()) == 42


def test_an_async_function_is_itself() -> None:
    assert user_function(double) is double


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_it_raises_comes_through(asynchronous: bool) -> None:
    async def fails_later() -> None:
        raise KeyError("gone")

    def fails() -> None:
        raise KeyError("gone")

    async def main() -> None:
        await user_function(fails_later if asynchronous else fails)()

    with pytest.raises(KeyError, match="gone"):
        asyncio.run(main())
