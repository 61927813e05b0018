"""The channels of a kit: names, one version for all, and errors that become events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backtestkit.model.event import BoundaryEvent, ErrorEvent, IdlePingEvent
from backtestkit.runtime.context import RunKey
from backtestkit.services.channels import Channels

KEY = RunKey("BTCUSDT", "s", "e", "f", True)


def test_each_channel_is_an_attribute_of_its_name() -> None:
    channels = Channels()
    names = [channel.name for channel in channels]
    assert len(set(names)) == len(names) >= 22
    for channel in channels:
        assert getattr(channels, channel.name) is channel is channels[channel.name]


def test_the_version_counts_changes_of_all_channels() -> None:
    channels = Channels()
    before = channels.version
    stop = channels.idle_ping.listen(print)
    channels.error.listen(print)
    assert channels.version == before + 2
    stop()
    assert channels.version == before + 3


def test_an_error_of_a_listener_becomes_an_event_of_the_run() -> None:
    channels, errors = Channels(), list[ErrorEvent]()
    failure = ValueError("listener")

    def fail(event: Any) -> None:
        raise failure

    channels.error.listen(errors.append)
    channels.idle_ping.listen(fail)
    channels.shutdown.listen(fail)

    async def main() -> None:
        await channels.idle_ping.emit(IdlePingEvent(KEY, 60_000, 1.0))
        await channels.shutdown.emit(None)

    asyncio.run(main())
    assert errors == [
        ErrorEvent(failure, "listener of idle_ping", KEY, 60_000),
        ErrorEvent(failure, "listener of shutdown", None, None),
    ]


def test_an_error_in_a_listener_of_errors_is_logged_and_does_not_come_back(caplog: pytest.LogCaptureFixture) -> None:
    channels, calls = Channels(), list[ErrorEvent]()

    def fail(event: ErrorEvent) -> None:
        calls.append(event)
        raise KeyError("second")

    channels.error.listen(fail)
    asyncio.run(channels.error.emit(ErrorEvent(ValueError("first"), "here", KEY, 0)))
    assert len(calls) == 1
    assert "error_listener_failed" in caplog.text
    assert "ValueError('first')" in caplog.text
    assert "KeyError: 'second'" in caplog.text


def test_events_without_a_signal_cannot_be_limited_to_one_per_signal() -> None:
    channels = Channels()
    with pytest.raises(Exception, match="before_start carry no signal"):
        channels.before_start.listen(print, per_signal=True)
    heard: list[BoundaryEvent] = []
    channels.before_start.listen(heard.append, mode="live")
    asyncio.run(channels.before_start.emit(BoundaryEvent(KEY, 0, None)))
    assert heard == []
