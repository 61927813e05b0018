"""Registered sizings, and who is told what they came to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from backtestkit.clients.sizing import ClientSizing
from backtestkit.model.event import ErrorEvent
from backtestkit.model.schema import SizingSchema
from backtestkit.model.sizing import PositionSizing
from backtestkit.runtime.context import current_run
from backtestkit.runtime.user_code import user_function
from backtestkit.services.channels import Channels
from backtestkit.services.schema.service import SchemaService

Tell: TypeAlias = Callable[[Exception, str], Awaitable[None]]


class SizingConnection:
    """One sizing with its callback."""

    def __init__(self, schema: SizingSchema, tell: Tell) -> None:
        """`tell` hears with its source what the callback raises."""
        self.client = ClientSizing(schema)
        self._tell = tell
        on_calculate = None if schema.callbacks is None else schema.callbacks.on_calculate
        self._on_calculate = None if on_calculate is None else user_function(on_calculate)

    async def announce(self, sizing: PositionSizing) -> PositionSizing:
        """Tell the callback, and give `sizing` back. An error there is reported and changes nothing."""
        if self._on_calculate is not None:
            try:
                await self._on_calculate(sizing.quantity, sizing)
            except Exception as error:
                await self._tell(error, f"on_calculate of sizing {sizing.sizing_name!r}")
        return sizing


class SizingPool:
    """The sizings of one kit by name."""

    def __init__(self, sizings: SchemaService[SizingSchema], channels: Channels) -> None:
        self._sizings, self._channels = sizings, channels

    def connect(self, name: str) -> SizingConnection:
        """A registered sizing; `NotRegisteredError` with the near names when there is none."""
        return SizingConnection(self._sizings.get(name), self._report)

    async def _report(self, error: Exception, source: str) -> None:
        run = current_run.get()
        key, timestamp = (None, None) if run is None else (run.key, run.clock.now_ms())
        await self._channels.error.emit(ErrorEvent(error, source, key, timestamp))
