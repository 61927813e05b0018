"""`listen_*`: every name of the inventory exists, hears its channel and nothing else."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from backtestkit.api import listen
from backtestkit.api.listen import FilteredListener, Listener
from backtestkit.kit import Kit
from backtestkit.model.event import DoneEvent, ErrorEvent, SignalEvent, TickAction
from backtestkit.model.result import AnyResult, ClosedResult, IdleResult, OpenedResult
from backtestkit.model.signal import ZERO_PROFIT, Extreme, PublicSignal
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.context import RunKey
from backtestkit.services.channels import Channels

KEY = RunKey("BTCUSDT", "s", "e", "f", True)
INVENTORY = Path(__file__).resolve().parents[2].parent / "shared" / "spec" / "api-inventory.md"
NOT_YET = re.compile(r"listen_(sync|check|order_(fill|reject|continue|stop)|done_live)(_once|_per_signal)?")
NAMED: dict[str, Any] = {
    name: value for name, value in vars(listen).items() if isinstance(value, Listener | FilteredListener)
}


def signal(id: str = "a") -> PublicSignal:
    values: dict[str, Any] = dict.fromkeys((field.name for field in fields(PublicSignal)), 0.0)
    extreme = Extreme(0.0, 0, ZERO_PROFIT)
    return PublicSignal(**{**values, "id": id, "position": "long", "peak": extreme, "fall": extreme})


def opened(id: str = "a") -> OpenedResult:
    return OpenedResult(KEY, 0, 1.0, signal(id))


def closed(id: str = "a") -> ClosedResult:
    return ClosedResult(KEY, 0, 1.0, signal(id), "take_profit", 0, ZERO_PROFIT, None, False)


@pytest.fixture
def kit() -> Iterator[Kit]:
    with Kit() as kit:
        yield kit


def emit(channel: Channel[Any], *events: Any) -> None:
    async def main() -> None:
        for event in events:
            await channel.emit(event)

    asyncio.run(main())


def test_each_listener_is_called_what_it_says() -> None:
    assert {name: value.__name__ for name, value in NAMED.items()} == {name: name for name in NAMED}
    assert len(NAMED) > 90


@pytest.mark.skipif(not INVENTORY.exists(), reason="the specification is not beside this checkout")
def test_every_listener_of_the_inventory_exists() -> None:
    wanted = set(re.findall(r"\| (listen_\w+) \|", INVENTORY.read_text()))
    missing = {name for name in wanted if not NOT_YET.fullmatch(name)} - NAMED.keys()
    assert not missing
    assert {name for name in NAMED if NOT_YET.fullmatch(name)} == set()
    assert NAMED.keys() - wanted == {
        "listen_order_schedule_once",  # where the inventory has irregularities
        "listen_walker_complete_once",
        "listen_funding",  # funding is ours
        "listen_funding_once",
        "listen_funding_per_signal",
    }


def test_types_of_listeners_are_those_of_their_channels() -> None:
    source = inspect.getsource(Channels)
    payload_of = dict(re.findall(r"self\.(\w+): Channel\[(\w+)\]", source))
    results = {kind.action: kind for kind in get_args(AnyResult)}
    assert results.keys() == set(get_args(TickAction))
    assert payload_of.keys() == {channel.name for channel in Channels()}
    for name, annotation in inspect.get_annotations(listen).items():
        if name not in NAMED:
            continue
        listener = NAMED[name]
        action = getattr(listener, "action", None)
        payload = payload_of[listener.channel] if action is None else results[action].__name__
        assert annotation == f"{type(listener).__name__}[{payload}]", name


def test_names_with_an_action_hear_only_that(kit: Kit) -> None:
    heard: list[Any] = []
    listen.listen_signal_backtest_closed(heard.append)
    emit(kit.channels.signal_backtest, opened(), closed(), IdleResult(KEY, 0, 1.0))
    emit(kit.channels.signal, closed())
    assert [event.action for event in heard] == ["closed"]


def test_once_hears_the_first_event_that_passes(kit: Kit) -> None:
    heard: list[Any] = []
    listen.listen_signal_once(lambda result: result.action == "closed", heard.append)
    emit(kit.channels.signal, opened(), closed("b"), closed("c"))
    assert [event.signal.id for event in heard] == ["b"]


def test_per_signal_hears_each_signal_once(kit: Kit) -> None:
    plain: list[Any] = []
    filtered: list[Any] = []
    listen.listen_signal_opened_per_signal(plain.append)
    listen.listen_signal_per_signal(lambda result: result.action != "idle", filtered.append)
    emit(kit.channels.signal, opened(), opened(), closed(), IdleResult(KEY, 0, 1.0), opened("b"))
    assert [event.signal.id for event in plain] == ["a", "b"]
    assert [event.signal.id for event in filtered] == ["a", "b"]


def test_listeners_belong_to_the_kit_they_were_registered_in(kit: Kit) -> None:
    heard: list[Any] = []
    listen.listen_done_backtest(heard.append)
    with Kit() as other:
        emit(other.channels.done_backtest, DoneEvent(KEY, 0))
    assert heard == []
    emit(kit.channels.done_backtest, DoneEvent(KEY, 0))
    assert len(heard) == 1


def test_the_returned_function_ends_the_subscription_and_may_be_repeated(kit: Kit) -> None:
    heard: list[Any] = []
    stop = listen.listen_done_backtest(heard.append)
    stop()
    stop()
    emit(kit.channels.done_backtest, DoneEvent(KEY, 0))
    assert heard == []


def test_errors_are_reported_unless_raise_is_asked_for(kit: Kit) -> None:
    errors: list[ErrorEvent] = []

    def fail(event: object) -> None:
        raise ValueError("listener")

    listen.listen_error(errors.append)
    stop = listen.listen_done_backtest(fail)
    emit(kit.channels.done_backtest, DoneEvent(KEY, 5))
    (told,) = errors
    assert (str(told.error), told.source, told.key, told.timestamp) == ("listener", "listener of done_backtest", KEY, 5)
    stop()
    listen.listen_done_backtest_once(lambda event: True, fail, on_error="raise")
    with pytest.raises(ValueError, match="listener"):
        emit(kit.channels.done_backtest, DoneEvent(KEY, 5))


def test_what_an_error_does_by_default_is_configured() -> None:
    def fail(event: object) -> None:
        raise ValueError("listener")

    with Kit({"on_error": "raise"}) as kit:
        listen.listen_done_backtest(fail)
        with pytest.raises(ValueError, match="listener"):
            emit(kit.channels.done_backtest, DoneEvent(KEY, 5))


def test_help_shows_a_function_with_its_arguments() -> None:
    assert str(inspect.signature(listen.listen_signal_closed)).startswith("(fn: ")
    assert list(inspect.signature(listen.listen_signal_once).parameters) == ["filter_fn", "fn", "on_error"]
    assert "a position was opened or closed" in (listen.listen_signal_event.__doc__ or "")
    assert "'closed', once for each signal" in (listen.listen_signal_closed_per_signal.__doc__ or "")
    assert repr(listen.listen_signal_closed) == "<function listen_signal_closed>"
    assert repr(listen.listen_signal_once) == "<function listen_signal_once>"


def test_async_listeners_are_awaited(kit: Kit) -> None:
    heard: list[SignalEvent] = []

    async def later(event: SignalEvent) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    listen.listen_signal_event(later)
    emit(kit.channels.signal_event, SignalEvent(KEY, 0, "opened", signal(), 1.0, None))
    assert len(heard) == 1
