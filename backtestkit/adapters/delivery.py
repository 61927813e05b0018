"""From notifications to messages in outboxes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from backtestkit.adapters.notification import AnyNotification, ErrorNotification
from backtestkit.adapters.outbox import Outbox
from backtestkit.adapters.templates import DEFAULTS, Template
from backtestkit.runtime.context import current_run
from backtestkit.runtime.log import logger

REPEATED_ERROR_MS = 60 * 60_000
"""An error that comes again and again is told once in this time."""


class Delivery:
    """Words notifications and puts them into the outboxes of their receivers."""

    def __init__(self, outboxes: Sequence[Outbox], templates: Mapping[str, Template]) -> None:
        """`templates` has one for every type."""
        self.outboxes = outboxes
        self._templates = templates

    async def take(self, notification: AnyNotification) -> None:
        """Store the message for every receiver, except where it was stored before."""
        title, body = self._words(notification)
        id = _message_id(notification, title, body)
        for outbox in self.outboxes:
            await outbox.put(id, title, body)

    def _words(self, notification: AnyNotification) -> tuple[str, str]:
        try:
            return self._templates[notification.type].render(notification)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            # A template of the user that does not fit this value must not cost the message.
            logger().error("template_failed", type=notification.type, error=repr(error))
            return DEFAULTS[notification.type].render(notification)


def _message_id(notification: AnyNotification, title: str, body: str) -> str:
    """The same for the same event, also when a restarted process raises it again; another one for another backtest."""
    said: tuple[str, ...]
    if isinstance(notification, ErrorNotification):
        when = notification.timestamp // REPEATED_ERROR_MS
        said = (notification.error, notification.message, notification.source, notification.context)
    else:
        when, said = notification.timestamp, (title, body)
    run = current_run.get()
    run_id = run.id if run is not None and run.key.backtest else ""
    parts = (notification.type, run_id, str(when), *said)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
