"""Trying again what may fail for a while: with stamina, and with its lines in our log.

Only for what may be repeated: reads and messages. Never for orders.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from backtestkit.runtime.log import logger

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

R = TypeVar("R")

_WAIT_SECONDS_MAX = 30.0
_PRINTER = "stamina.instrumentation._structlog"


async def repeat(
    errors: type[Exception],
    fn: Callable[..., Awaitable[R]],
    *args: Any,
    attempts: int,
    wait_seconds: float,
    **params: Any,
) -> R:
    """The answer of `fn(*args, **params)`, which is tried again after one of `errors`, `attempts` times in all.

    The first wait is about `wait_seconds`, each one after that twice as long, at most half a minute; chance spreads
    them. The last error is raised.
    """
    import stamina

    _log_ourselves()
    retrying = stamina.AsyncRetryingCaller(
        attempts=attempts,
        timeout=None,
        wait_initial=wait_seconds,
        wait_max=max(_WAIT_SECONDS_MAX, wait_seconds),
        wait_jitter=wait_seconds,
    )
    return await retrying(errors, fn, *args, **params)


def _log_ourselves() -> None:
    """Put a line of our log in the place of the one that stamina prints to standard output by default."""
    from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

    hooks = get_on_retry_hooks()
    if any(hook.__module__ == _PRINTER for hook in hooks):
        set_on_retry_hooks(_log if hook.__module__ == _PRINTER else hook for hook in hooks)


def _log(details: RetryDetails) -> None:
    logger().warning(
        "failed_and_is_repeated",
        attempt=details.retry_num,
        wait_seconds=details.wait_for,
        error=repr(details.caused_by),
    )
