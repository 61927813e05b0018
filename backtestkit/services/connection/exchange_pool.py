"""One connection per exchange, for as long as its schema and the configuration stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backtestkit.config import Config
from backtestkit.model.event import ErrorEvent
from backtestkit.model.schema import ExchangeSchema
from backtestkit.runtime.context import current_run
from backtestkit.services.channels import Channels
from backtestkit.services.connection.exchange import ExchangeConnection
from backtestkit.services.validation.service import ValidationService

if TYPE_CHECKING:
    from backtestkit.market.candle_store import CandleStore


class ExchangePool:
    """The connections of one kit.

    Runs share a connection, and with it the candles in memory. A schema that was replaced or a changed configuration
    makes a new one; runs that have the old one keep it.
    """

    def __init__(
        self, exchanges: ValidationService[ExchangeSchema], settings: Callable[[], Config], channels: Channels
    ) -> None:
        """`settings` gives the configuration in force."""
        self._exchanges, self._settings, self._channels = exchanges, settings, channels
        self._connections: dict[str, ExchangeConnection] = {}
        self._store: CandleStore | None = None

    def use_store(self, store: CandleStore | None) -> None:
        """Keep the candles that backtests read in `store`, of exchanges that have none of their own; None for nowhere."""
        self._store = store
        self._connections.clear()

    def connect(self, name: str) -> ExchangeConnection:
        """The connection of a registered exchange; `NotRegisteredError` with the near names when there is none."""
        schema, config = self._exchanges.validate(name), self._settings()
        connection = self._connections.get(name)
        if connection is None or connection.schema is not schema or connection.config is not config:
            connection = ExchangeConnection(schema, config, on_error=self._report, store=self._store)
            self._connections[name] = connection
        return connection

    async def _report(self, error: Exception) -> None:
        """An error of a callback goes to the error channel with the run it happened in."""
        run = current_run.get()
        key, timestamp = (None, None) if run is None else (run.key, run.clock.now_ms())
        await self._channels.error.emit(ErrorEvent(error, "on_candle_data", key, timestamp))
