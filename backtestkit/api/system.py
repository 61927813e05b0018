"""System: the kit as a whole, for tests and for the end of a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.scheduler import sleep

__all__ = ["System", "shutdown", "wait_for_ready"]

POLL_SECONDS: Final = 0.05
READY_SECONDS: Final = 45.0


class _System:
    """The current kit as a whole."""

    def create_snapshot(self) -> Callable[[], None]:
        """Take the listeners of all channels away; returns a function that puts them back beside those that came since.

        `with bk.Kit():` isolates more: registrations, configuration, runs and adapters too.
        """
        undos = [channel.set_aside() for channel in current_kit().channels]

        def restore() -> None:
            for undo in undos:
                undo()

        return restore


System = _System()
"""The kit as a whole: `create_snapshot`."""


async def wait_for_ready(is_backtest: bool = True, *, timeout_seconds: float = READY_SECONDS) -> bool:
    """Wait until a strategy and an exchange, and for a backtest a frame, are registered, at most `timeout_seconds`.

    For programs that register from several tasks. Returns whether everything is there.
    """
    registries = current_kit().registries
    kinds = ("strategy", "exchange", "frame") if is_backtest else ("strategy", "exchange")
    deadline = monotonic_seconds() + timeout_seconds
    while not all(registries[kind].names() for kind in kinds):
        if monotonic_seconds() >= deadline:
            return False
        await sleep(POLL_SECONDS)
    return True


async def shutdown(*, timeout_seconds: float | None = None) -> None:
    """Wait until no run is in progress, then tell the shutdown channel, send what waits, and let go of files.

    Raises `UsageError` when runs are still going on after `timeout_seconds`; without it, waits as long as it takes. The
    kit can be used again afterwards.
    """
    kit = current_kit()
    deadline = None if timeout_seconds is None else monotonic_seconds() + timeout_seconds
    while going := kit.runs.running():
        if deadline is not None and monotonic_seconds() >= deadline:
            raise UsageError(
                f"{len(going)} runs are still going on, the first is {going[0]!r}. Stop them, or wait longer."
            )
        await sleep(POLL_SECONDS)
    await kit.channels.shutdown.emit(None)
    await kit.close()
