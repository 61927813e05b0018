"""Interval: functions that act once in each interval of the time of a run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload

from backtestkit.api.cache import MemoFacade
from backtestkit.api.cache_functions import IntervalCoroutine, IntervalFile, IntervalFunction, Key, Memo
from backtestkit.model.interval import CandleInterval
from backtestkit.persistence.domains import INTERVAL
from backtestkit.runtime.bridge import is_async

__all__ = ["Interval"]

P = ParamSpec("P")
R = TypeVar("R")


class _Interval(MemoFacade):
    """Functions that act once in each interval of the time of the run that asks, and answer None in between.

    A call that fails or answers None does not count, and the next one tries again.
    """

    @overload
    def fn(  # type: ignore[overload-overlap]  # a coroutine function is a function too; the first that fits counts
        self, run: Callable[P, Coroutine[Any, Any, R]], interval: CandleInterval, key: Key | None = None
    ) -> IntervalCoroutine[P, R]: ...
    @overload
    def fn(self, run: Callable[P, R], interval: CandleInterval, key: Key | None = None) -> IntervalFunction[P, R]: ...
    def fn(self, run: Callable[..., Any], interval: CandleInterval, key: Key | None = None) -> Memo[Any]:
        """`run` limited in memory, for each run on its own.

        The first argument, the symbol, counts; `key`, a function of the same arguments, says otherwise. The answer has
        `clear`, `gc` and `has_value`.
        """
        made: Memo[Any] = (IntervalCoroutine if is_async(run) else IntervalFunction)(run, interval, key)
        self._made.add(made)
        return made

    def file(
        self, run: Callable[P, Coroutine[Any, Any, R]], interval: CandleInterval, name: str, key: Key | None = None
    ) -> IntervalFile[P, R]:
        """`run` limited by records in the store of the kit: in live also across restarts, in a backtest for each run.

        The first argument counts and must be JSON, as must the answer. `name` and `interval` name the folder, which no
        other function may have.
        """
        return IntervalFile(run, interval, name, key, INTERVAL)


Interval = _Interval()
"""Functions that act once in each interval: `fn` in memory, `file` in the store."""
