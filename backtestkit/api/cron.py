"""Cron: handlers at the boundaries of intervals, in the time of the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from backtestkit.api.context import RuntimeInfo, get_runtime_info
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.model.interval import CandleInterval
from backtestkit.runtime.user_code import user_function

if TYPE_CHECKING:
    from backtestkit.adapters.adapter import Undo
    from backtestkit.services.cron import CronService

__all__ = ["Cron"]


class _Cron:
    """Handlers of the current kit that are called when runs come to a boundary of an interval.

    The time is that of the runs: a backtest of a day calls an hourly handler 24 times. Of runs that go on at the same time
    only the first that comes to a boundary calls the handler, and the others wait for it. A run that jumps stops at the
    boundaries. A handler that fails is reported to the error channel and tried again with the next candle; where no tick
    or candle falls on a boundary, the next one counts, and of several missed boundaries only the last.
    """

    def register(
        self,
        name: str,
        handler: Callable[[RuntimeInfo], Any],
        interval: CandleInterval | None = None,
        symbols: Iterable[str] | None = None,
    ) -> Undo:
        """Call `handler`, a plain or an async function, at every boundary of `interval`; returns what ends that.

        Without `interval` it is called once, by the first run that starts. With `symbols` it is called for each of these
        on its own, by the runs of that symbol. An earlier entry of this name is replaced.
        """
        if not callable(handler):
            raise UsageError(f"cron handler {handler!r} cannot be called. Give a function of one RuntimeInfo.")
        if isinstance(symbols, str):
            raise UsageError(f"symbols={symbols!r} is one text. Give a list of symbols.")
        fn = user_function(handler)

        async def call() -> None:
            await fn(await get_runtime_info())

        return self._service.register(name, call, interval, None if symbols is None else frozenset(symbols))

    def unregister(self, name: str) -> None:
        """Remove an entry; nothing happens when there is none."""
        self._service.unregister(name)

    def clear(self, symbol: str | None = None) -> None:
        """Let entries without an interval fire once more: those of one symbol, or all."""
        self._service.clear(symbol)

    def enable(self) -> Undo:
        """Let entries fire, as they do from the start; returns what undoes that."""
        return self._service.enable()

    def disable(self) -> None:
        """Let no entry fire; they stay registered."""
        self._service.disable()

    def dispose(self) -> None:
        """Remove all entries."""
        self._service.dispose()

    @property
    def _service(self) -> CronService:
        return current_kit().container.cron()


Cron = _Cron()
"""Handlers at the boundaries of intervals: `register`, `unregister`, `clear`, `enable`, `disable`, `dispose`."""
