"""Commands given at events, and what they answered."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import backtestkit as bk

from .run import minute


class Commands:
    """A list of commands, each given once, when the named channel tells of the named minute."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self._due: list[tuple[str, int | None, str, str | Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def at(
        self,
        channel: str,
        minute: int | None,
        command: str | Callable[..., Any],
        *args: Any,
        action: str = "",
        **keywords: Any,
    ) -> Commands:
        """Give `command` (a function of the package by name, or a function of the event) at an event of `channel`.

        `minute=None` takes the first event; `action` filters events that have one.
        """
        self._due.append((channel, minute, action, command, args, keywords))
        return self

    def listen(self) -> None:
        """Subscribe to what the commands wait for."""
        for channel in sorted({entry[0] for entry in self._due}):
            getattr(bk, f"listen_{channel}")(self._on(channel))

    @property
    def done(self) -> list[bool]:
        """Which commands took effect."""
        return [bool(answer) for answer in self.answers]

    @property
    def codes(self) -> list[str | None]:
        """The codes with which commands were refused."""
        return [answer.code for answer in self.answers]

    def _on(self, channel: str) -> Callable[[Any], Any]:
        async def hear(event: Any) -> None:
            for entry in list(self._due):
                wanted, when, action, command, args, keywords = entry
                if (
                    wanted == channel
                    and (when is None or minute(event.timestamp) == when)
                    and (not action or event.action == action)
                ):
                    self._due.remove(entry)
                    self.answers.append(await _give(event, command, args, keywords))

        return hear


async def _give(event: Any, command: str | Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    try:
        answer = command(event) if callable(command) else getattr(bk, command)(event.symbol, *args, **keywords)
        return await answer if inspect.isawaitable(answer) else answer
    except bk.BacktestKitError as error:
        return error
