"""Messages to chats, phones and mail boxes through apprise, which knows over a hundred services by URL."""

from __future__ import annotations

import hashlib
import logging
import warnings
from typing import Any

from backtestkit.errors import DeliveryError, UsageError
from backtestkit.runtime.log import masked
from backtestkit.runtime.optional import optional_package


class AppriseSender:
    """Sends to one URL of apprise, such as `tgram://token/chat` or `mailto://user:password@host`."""

    def __init__(self, url: str) -> None:
        """`UsageError` when apprise is not installed or does not understand the URL, which is never shown: it has secrets."""
        apprise = optional_package("apprise")
        self.service = url.partition(":")[0]
        # A name that gives nothing of the URL away, and the same in every process: the outbox has it.
        self.name = f"{self.service}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._apprise: Any = apprise.Apprise()
        with warnings.catch_warnings():
            # It loads its services here, and what those import is not the user's affair.
            warnings.simplefilter("ignore", DeprecationWarning)
            understood = self._apprise.add(url)
        if not understood:
            raise UsageError(
                f"apprise does not understand this {self.service!r} URL. Its form is in the manual of apprise, in the "
                f"page about that service."
            )
        self._capture: Any = apprise.LogCapture

    async def send(self, title: str, body: str) -> None:
        """Deliver; `DeliveryError` with what apprise says when the service has not taken the message."""
        with self._capture(level=logging.WARNING, fmt="%(message)s") as said:
            delivered = await self._apprise.async_notify(title=title, body=body)
            why = str(masked(" ".join(said.getvalue().split())))
        if not delivered:
            raise DeliveryError(f"{self.service} has not taken the message{f': {why}' if why else ''}")
