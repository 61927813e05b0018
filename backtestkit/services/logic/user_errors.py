"""Errors in the user's code: reported and kept, or raised."""

from __future__ import annotations

from backtestkit.clients.strategy import ClientStrategy
from backtestkit.errors import RunError
from backtestkit.model.event import ErrorEvent
from backtestkit.runtime.log import logger
from backtestkit.services.channels import Channels
from backtestkit.services.core.run_book import describe


class UserErrors:
    """What happens to an error in the user's code: reported on the error channel and kept, or raised."""

    def __init__(self, channels: Channels, machine: ClientStrategy, *, raises: bool, limit: int = 100) -> None:
        """Keep the newest `limit` errors in `kept`; count them all in `count`."""
        self._channels, self._machine = channels, machine
        self._raises, self._limit = raises, limit
        self.kept: list[ErrorEvent] = []
        self._logged: set[tuple[str, type[Exception]]] = set()
        self.count = 0

    @property
    def newest(self) -> str:
        """The newest error in words; empty when there was none."""
        return f"{type(self.kept[-1].error).__name__}: {self.kept[-1].error}" if self.kept else ""

    async def caught(self, error: Exception, source: str) -> None:
        """Report `error`; under `on_error="raise"` end the run with it."""
        await self.tell(error, source)
        if self._raises:
            raise RunError(f"{source} of strategy {self._machine.key.strategy_name!r} failed: {error}") from error

    async def tell(self, error: Exception, source: str) -> None:
        """Put `error` on the error channel with the run it belongs to, and keep it.

        When nobody listens to errors, the first of each kind is logged, so that none goes unseen.
        """
        event = ErrorEvent(error, source, self._machine.key, self._machine.now)
        self.count += 1
        self.kept.append(event)
        del self.kept[: -self._limit]
        kind = (source, type(error))
        if not self._channels.error and kind not in self._logged:
            self._logged.add(kind)
            logger(run=describe(self._machine.key)).error("error_reported", source=source, error=repr(error))
        await self._channels.error.emit(event)
