"""Cache: functions that compute once in each interval of the time of a run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload
from weakref import WeakSet

from backtestkit.api.cache_functions import CachedCoroutine, CachedFile, CachedFunction, Key, Memo
from backtestkit.model.interval import CandleInterval
from backtestkit.persistence.domains import MEASURE
from backtestkit.runtime.bridge import is_async

__all__ = ["Cache"]

P = ParamSpec("P")
R = TypeVar("R")


class MemoFacade:
    """Remembers, weakly, what it has made of functions."""

    def __init__(self) -> None:
        self._made: WeakSet[Memo[Any]] = WeakSet()

    def dispose(self, run: object) -> None:
        """Forget what is kept in memory of `run`: a function that was given to `fn`, or what `fn` made of it."""
        for made in self._made:
            if run in (made, made.wrapped):
                made.forget()

    def clear(self) -> None:
        """Forget everything that is kept in memory."""
        for made in self._made:
            made.forget()


class _Cache(MemoFacade):
    """Functions that compute once in each interval of the time of the run that asks.

    A value is found again by the same arguments in the same interval, and never by somebody at an earlier time than that
    at which it was computed.
    """

    @overload
    def fn(  # type: ignore[overload-overlap]  # a coroutine function is a function too; the first that fits counts
        self, run: Callable[P, Coroutine[Any, Any, R]], interval: CandleInterval, key: Key | None = None
    ) -> CachedCoroutine[P, R]: ...
    @overload
    def fn(self, run: Callable[P, R], interval: CandleInterval, key: Key | None = None) -> CachedFunction[P, R]: ...
    def fn(self, run: Callable[..., Any], interval: CandleInterval, key: Key | None = None) -> Memo[Any]:
        """`run` with its values kept in memory, for the run that computed them.

        All arguments count; `key`, a function of the same arguments, says otherwise, and is needed where they cannot be
        hashed. The answer has `clear`, `gc` and `has_value`. At most `max_cached_values` are kept.
        """
        made: Memo[Any] = (CachedCoroutine if is_async(run) else CachedFunction)(run, interval, key)
        self._made.add(made)
        return made

    def file(
        self, run: Callable[P, Coroutine[Any, Any, R]], interval: CandleInterval, name: str, key: Key | None = None
    ) -> CachedFile[P, R]:
        """`run` with its values kept in the store of the kit, for all strategies of an exchange and a mode.

        Arguments and values must be JSON; `key` makes JSON of other arguments. `name` and `interval` name the folder, which
        no other function may have.
        """
        return CachedFile(run, interval, name, key, MEASURE)


Cache = _Cache()
"""Functions that compute once in each interval: `fn` in memory, `file` in the store."""
