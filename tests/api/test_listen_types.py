"""What type checkers make of `listen_*`; the lines that must be refused say so, and mypy notices when they are not."""

from __future__ import annotations

from typing import assert_type

from backtestkit.api.listen import (
    listen_idle_ping,
    listen_signal,
    listen_signal_closed,
    listen_signal_closed_per_signal,
    listen_signal_once,
)
from backtestkit.kit import Kit
from backtestkit.model.event import IdlePingEvent, RunEvent
from backtestkit.model.result import AnyResult, ClosedResult, OpenedResult, TickResult
from backtestkit.runtime.channel import Unsubscribe


def of_base(event: TickResult) -> None: ...


def of_any_run(event: RunEvent) -> None: ...


async def of_closed(event: ClosedResult) -> None: ...


def of_opened(event: OpenedResult) -> None: ...


class Handler:
    def of_closed(self, event: ClosedResult) -> int:
        return 1


def test_the_payload_is_inferred_and_a_wider_handler_is_accepted() -> None:
    with Kit() as kit:
        assert_type(listen_signal_closed(of_closed), Unsubscribe)
        listen_signal_closed(of_base)
        listen_signal_closed(of_any_run)
        listen_signal_closed(Handler().of_closed)
        listen_signal_closed_per_signal(lambda event: assert_type(event, ClosedResult).close_reason)
        listen_signal(lambda event: assert_type(event, AnyResult).action)
        listen_signal_once(lambda event: event.action == "closed", of_base)
        listen_idle_ping(lambda event: assert_type(event, IdlePingEvent).current_price)
        assert len(kit.channels.signal) == 7


def test_a_narrower_handler_is_refused_by_type_checkers() -> None:
    with Kit():
        listen_signal(of_closed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        listen_signal_closed(of_opened)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
