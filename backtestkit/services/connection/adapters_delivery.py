"""Who is told of what: receivers of notifications outside the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from backtestkit.adapters.adapter import Undo
from backtestkit.adapters.apprise_sender import AppriseSender
from backtestkit.adapters.delivery import Delivery
from backtestkit.adapters.notification_book import check_targets, feed
from backtestkit.adapters.outbox import Outbox, Sender
from backtestkit.adapters.templates import Template, checked
from backtestkit.config import Config
from backtestkit.errors import UsageError
from backtestkit.runtime.context import Mode
from backtestkit.runtime.loops import loop_runs_here
from backtestkit.services.channels import Channels
from backtestkit.services.connection.adapters import Adapters

Receiver: TypeAlias = str | Sender
"""A URL of apprise, or an object with `async def send(title, body)`."""
Templates: TypeAlias = Mapping[str, Template | Mapping[str, str] | tuple[str, str]]


class Deliveries:
    """The receivers of one kit and their outboxes."""

    def __init__(self, channels: Channels, settings: Callable[[], Config], adapters: Adapters) -> None:
        """Messages wait in the store of `adapters`."""
        self._channels, self._settings, self._adapters = channels, settings, adapters
        self._deliveries: list[Delivery] = []
        self._outboxes: dict[tuple[str, int], Outbox] = {}

    def deliver(
        self, receivers: Sequence[Receiver], targets: Collection[str], mode: Mode | None, templates: Templates | None
    ) -> Undo:
        """Send notifications of `targets` from now on, and what an earlier process has left."""
        if not receivers:
            raise UsageError(
                "deliver needs at least one receiver: a URL of apprise, or an object with send(title, body)"
            )
        chosen, words = check_targets(targets), checked(templates or {})
        delivery = Delivery([self._outbox(receiver) for receiver in receivers], words)
        undos = feed({channel.name: channel for channel in self._channels}, chosen, delivery.take, mode)
        self._deliveries.append(delivery)
        if loop_runs_here():  # what an earlier process has left need not wait for the next message
            for outbox in delivery.outboxes:
                outbox.start()

        def undo() -> None:
            while undos:
                undos.pop()()
            if delivery in self._deliveries:
                self._deliveries.remove(delivery)

        return undo

    async def flush(self, timeout_seconds: float) -> int:
        """Try to send what waits; how many messages still wait."""
        return sum([await outbox.flush(timeout_seconds) for outbox in self._outboxes.values()])

    async def close(self) -> None:
        """Stop sending; what waits stays in the store."""
        for outbox in self._outboxes.values():
            await outbox.close()

    def _outbox(self, receiver: Receiver) -> Outbox:
        """The outbox of a receiver: one for each, however often it is named."""
        sender = AppriseSender(receiver) if isinstance(receiver, str) else receiver
        if not callable(getattr(sender, "send", None)):
            raise UsageError(f"receiver {receiver!r} is neither a URL nor an object with a coroutine method send")
        name = getattr(sender, "name", None) or type(sender).__name__
        store = self._adapters.store
        found = self._outboxes.get((name, id(store)))
        if found is None:
            found = Outbox(name, store, sender, limit=lambda: self._settings().max_outbox_messages)
            self._outboxes[name, id(store)] = found
        elif not isinstance(receiver, str) and found.sender is not sender:
            if any(found in delivery.outboxes for delivery in self._deliveries):
                raise UsageError(
                    f"another receiver is named {name!r} already, and a name has one outbox. Give this one an attribute "
                    "`name` of its own."
                )
            found.sender = sender
        return found
