"""Channels: who is called, in which order, how often, and what an exception does."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.context import RunKey

BACKTEST = RunKey("BTCUSDT", "s", "e", "f", True)
LIVE = RunKey("BTCUSDT", "s", "e", "", False)


@dataclass(frozen=True)
class Tick:
    number: int = 0
    action: str = "closed"
    key: RunKey | None = BACKTEST
    signal: str | None = "a"


@dataclass
class Errors:
    """An error sink that keeps what it is told."""

    told: list[tuple[str, str, Any]] = field(default_factory=list)

    async def __call__(self, error: Exception, channel: str, event: Any) -> None:
        self.told.append((str(error), channel, event))


def channel(errors: Errors | None = None) -> Channel[Tick]:
    return Channel("ticks", errors or Errors(), key=lambda tick: tick.action, signal=lambda tick: tick.signal)


def emit(ticks: Channel[Tick], *events: Tick) -> None:
    async def main() -> None:
        for event in events:
            await ticks.emit(event)

    asyncio.run(main())


def numbers(seen: list[Tick]) -> list[int]:
    return [tick.number for tick in seen]


def test_listeners_are_called_in_the_order_of_subscription() -> None:
    ticks, calls = channel(), list[str]()

    async def second(tick: Tick) -> None:
        await asyncio.sleep(0)
        calls.append("second")

    ticks.listen(lambda tick: calls.append("first"))
    ticks.listen(second)
    ticks.listen(lambda tick: calls.append("third"))
    emit(ticks, Tick())
    assert calls == ["first", "second", "third"]


def test_the_emitter_waits_for_async_listeners() -> None:
    ticks, seen = channel(), list[Tick]()

    async def slow(tick: Tick) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append(tick)

    ticks.listen(slow)
    emit(ticks, Tick(1))
    assert numbers(seen) == [1]


class AsyncCallable:
    def __init__(self, seen: list[Tick]) -> None:
        self.seen = seen

    async def __call__(self, tick: Tick) -> None:
        self.seen.append(tick)

    async def method(self, tick: Tick) -> None:
        self.seen.append(tick)


async def append_to(seen: list[Tick], tick: Tick) -> None:
    seen.append(tick)


@pytest.mark.parametrize(
    "make",
    [
        lambda seen: seen.append,
        lambda seen: functools.partial(append_to, seen),
        lambda seen: functools.partial(functools.partial(append_to), seen),
        lambda seen: AsyncCallable(seen),
        lambda seen: AsyncCallable(seen).method,
        lambda seen: lambda tick: append_to(seen, tick),
        lambda seen: functools.partial(lambda s, tick: s.append(tick), seen),
    ],
    ids=[
        "plain",
        "async partial",
        "partial of partial",
        "async object",
        "async method",
        "lambda of async",
        "plain partial",
    ],
)
def test_every_kind_of_callable_is_called_or_awaited(make: Callable[[list[Tick]], Callable[[Tick], object]]) -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(make(seen))
    emit(ticks, Tick(1), Tick(2))
    assert numbers(seen) == [1, 2]


def test_unsubscribing_ends_the_calls_and_may_be_repeated() -> None:
    ticks, seen = channel(), list[Tick]()
    unsubscribe = ticks.listen(seen.append)
    other = ticks.listen(lambda tick: None)
    emit(ticks, Tick(1))
    unsubscribe()
    unsubscribe()
    emit(ticks, Tick(2))
    assert numbers(seen) == [1]
    assert len(ticks) == 1
    other()
    assert not ticks


def test_the_same_function_may_listen_twice_and_each_subscription_ends_alone() -> None:
    ticks, seen = channel(), list[Tick]()
    first = ticks.listen(seen.append)
    ticks.listen(seen.append)
    emit(ticks, Tick(1))
    first()
    emit(ticks, Tick(2))
    assert numbers(seen) == [1, 1, 2]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_listener_removed_during_an_emission_is_not_called(is_async: bool) -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(lambda tick: unsubscribe())

    async def later(tick: Tick) -> None:
        seen.append(tick)

    unsubscribe = ticks.listen(later if is_async else seen.append)
    emit(ticks, Tick())
    assert seen == []


def test_a_listener_added_during_an_emission_hears_the_next_event() -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(lambda tick: ticks.listen(seen.append), once=True)
    emit(ticks, Tick(1), Tick(2))
    assert numbers(seen) == [2]


def test_filters_by_action_and_mode() -> None:
    ticks = channel()
    seen: dict[str, list[Tick]] = {"one": [], "several": [], "live": [], "backtest": [], "both": []}
    ticks.listen(seen["one"].append, action="opened")
    ticks.listen(seen["several"].append, action=("opened", "closed"))
    ticks.listen(seen["live"].append, mode="live")
    ticks.listen(seen["backtest"].append, mode="backtest")
    ticks.listen(seen["both"].append, mode="live", action="opened")
    emit(
        ticks,
        Tick(1, "opened"),
        Tick(2, "closed"),
        Tick(3, "idle"),
        Tick(4, "opened", LIVE),
        Tick(5, "closed", LIVE),
        Tick(6, "closed", None),
    )
    assert {name: numbers(events) for name, events in seen.items()} == {
        "one": [1, 4],
        "several": [1, 2, 4, 5, 6],
        "live": [4, 5],
        "backtest": [1, 2, 3],
        "both": [4],
    }


def test_heard_tells_whether_anybody_would_receive_an_action() -> None:
    ticks = channel()
    assert not ticks.heard()
    assert not ticks.heard("opened")
    unsubscribe = ticks.listen(print, action="opened", mode="live")
    assert ticks.heard()
    assert ticks.heard("opened")
    assert not ticks.heard("closed")
    assert ticks.heard("opened", backtest=False)
    assert not ticks.heard("opened", backtest=True)
    assert not ticks.heard(backtest=True)
    ticks.listen(print)
    assert ticks.heard("closed", backtest=True)
    unsubscribe()
    assert ticks.heard("opened", backtest=True)


def test_version_changes_with_every_change_of_listeners() -> None:
    ticks = channel()
    versions = [ticks.version]
    unsubscribe = ticks.listen(print)
    versions.append(ticks.version)
    ticks.listen(lambda tick: None, once=True)
    versions.append(ticks.version)
    unsubscribe()
    versions.append(ticks.version)
    emit(ticks, Tick())
    versions.append(ticks.version)
    assert versions == sorted(set(versions))
    unsubscribe()
    assert ticks.version == versions[-1]


def test_where_selects_events_and_may_be_combined() -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(seen.append, where=lambda tick: tick.number > 1, action="closed")
    emit(ticks, Tick(1), Tick(2), Tick(3, "opened"))
    assert numbers(seen) == [2]


def test_once_calls_with_the_first_match_and_unsubscribes() -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(seen.append, once=True, where=lambda tick: tick.number > 1)
    emit(ticks, Tick(1), Tick(2), Tick(3))
    assert numbers(seen) == [2]
    assert not ticks


def test_once_fires_exactly_once_under_concurrency() -> None:
    ticks, seen = channel(), list[Tick]()

    async def slow(tick: Tick) -> None:
        await asyncio.sleep(0)
        seen.append(tick)

    ticks.listen(slow, once=True)

    async def main() -> None:
        await asyncio.gather(*(ticks.emit(Tick(i)) for i in range(3)))

    asyncio.run(main())
    assert numbers(seen) == [0]


def test_an_exception_in_the_filter_does_not_use_up_once() -> None:
    errors = Errors()
    ticks, seen = channel(errors), list[Tick]()

    def where(tick: Tick) -> bool:
        if tick.number == 1:
            raise ValueError("filter")
        return True

    ticks.listen(seen.append, once=True, where=where)
    emit(ticks, Tick(1), Tick(2), Tick(3))
    assert numbers(seen) == [2]
    assert errors.told == [("filter", "ticks", Tick(1))]


def test_an_exception_in_the_listener_uses_up_once() -> None:
    errors = Errors()
    ticks = channel(errors)
    ticks.listen(lambda tick: 1 / 0, once=True)
    emit(ticks, Tick(1), Tick(2))
    assert len(errors.told) == 1


def test_per_signal_calls_once_for_each_signal_of_a_run() -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(seen.append, per_signal=True, where=lambda tick: tick.number != 2)
    emit(
        ticks,
        Tick(1, signal="a"),
        Tick(2, signal="b"),  # filtered out, does not count
        Tick(3, signal="a"),
        Tick(4, signal="a", key=LIVE),
        Tick(5, signal=None),
        Tick(6, signal="b"),
        Tick(7, signal="b"),
    )
    assert numbers(seen) == [1, 4, 6]


def test_per_signal_remembers_the_last_200_runs() -> None:
    ticks, seen = channel(), list[Tick]()
    ticks.listen(seen.append, per_signal=True)
    keys = [RunKey(f"S{i}", "s", "e", "f", True) for i in range(201)]
    emit(ticks, *(Tick(i, key=key) for i, key in enumerate(keys)))
    emit(ticks, Tick(1000, key=keys[200]), Tick(1001, key=keys[1]), Tick(1002, key=keys[0]))
    assert numbers(seen)[201:] == [1002]


def test_all_listeners_run_and_errors_are_reported() -> None:
    errors = Errors()
    ticks, seen = channel(errors), list[Tick]()

    async def fail(tick: Tick) -> None:
        raise ValueError("async")

    ticks.listen(lambda tick: 1 / 0)
    ticks.listen(fail)
    ticks.listen(seen.append)
    emit(ticks, Tick(1))
    assert numbers(seen) == [1]
    assert errors.told == [("division by zero", "ticks", Tick(1)), ("async", "ticks", Tick(1))]


def test_the_first_error_of_a_raising_listener_reaches_the_emitter_after_all_ran() -> None:
    errors = Errors()
    ticks, seen = channel(errors), list[Tick]()

    def fail(message: str) -> Callable[[Tick], None]:
        def listener(tick: Tick) -> None:
            raise ValueError(message)

        return listener

    ticks.listen(fail("reported"))
    ticks.listen(fail("first"), on_error="raise")
    ticks.listen(fail("second"), on_error="raise")
    ticks.listen(seen.append)
    with pytest.raises(ValueError, match="first"):
        emit(ticks, Tick(1))
    assert numbers(seen) == [1]
    assert [message for message, _, _ in errors.told] == ["reported", "second"]


def test_an_error_in_the_error_sink_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def sink(error: Exception, name: str, event: Any) -> None:
        raise RuntimeError("sink")

    ticks = Channel[Tick]("ticks", sink)
    seen: list[Tick] = []
    ticks.listen(lambda tick: 1 / 0)
    ticks.listen(seen.append)
    emit(ticks, Tick(1))
    assert numbers(seen) == [1]
    assert "listener_error_lost" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_cancellation_of_a_listener_reaches_the_emitter() -> None:
    ticks, seen = channel(), list[Tick]()

    async def stuck(tick: Tick) -> None:
        await asyncio.Event().wait()

    unsubscribe = ticks.listen(stuck)
    ticks.listen(seen.append)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await ticks.emit(Tick(1))
        unsubscribe()
        await ticks.emit(Tick(2))

    asyncio.run(main())
    assert numbers(seen) == [2]


def test_bad_arguments_are_refused_and_change_nothing() -> None:
    ticks = channel()
    bare = Channel[Tick]("bare", Errors())

    async def async_filter(tick: Tick) -> bool:
        return True

    attempts: list[tuple[str, Callable[[], object]]] = [
        ("listener of ticks is 5", lambda: ticks.listen(5)),  # type: ignore[arg-type]
        ("filter of a listener of ticks", lambda: ticks.listen(print, where=async_filter)),  # type: ignore[arg-type]
        ("filter of a listener of ticks", lambda: ticks.listen(print, where=1)),  # type: ignore[arg-type]
        ("mode='paper'", lambda: ticks.listen(print, mode="paper")),  # type: ignore[arg-type]
        ("on_error='ignore'", lambda: ticks.listen(print, on_error="ignore")),  # type: ignore[arg-type]
        ("bare have no action", lambda: bare.listen(print, action="opened")),
        ("bare carry no signal", lambda: bare.listen(print, per_signal=True)),
    ]
    for message, attempt in attempts:
        with pytest.raises(UsageError, match=message):
            attempt()
    assert (ticks.version, bare.version, len(ticks)) == (0, 0, 0)


def test_repr_names_the_channel() -> None:
    ticks = channel()
    ticks.listen(print)
    assert repr(ticks) == "<Channel ticks, 1 listeners>"
