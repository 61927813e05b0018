"""Calling functions that users wrote: plain or async, found out once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from backtestkit.runtime.bridge import call_plain, is_async

UserFunction: TypeAlias = Callable[..., Awaitable[Any]]


def user_function(fn: Callable[..., Any]) -> UserFunction:
    """`fn` as something to await: itself when it is async, else a bridge in which sync twins work.

    A plain function that answers with an awaitable (a lambda around an async one, say) is awaited too.
    """
    if is_async(fn):
        return fn

    async def plain(*args: Any) -> Any:
        answer = await call_plain(fn, *args)
        return await answer if isinstance(answer, Awaitable) else answer

    return plain
