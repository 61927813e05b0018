"""The suite that every store of records must pass, ours and yours.

    import pytest
    from backtestkit.testing import STORE_CHECKS, Check

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=str)
    def test_my_store(check: Check, tmp_path) -> None:
        check(lambda: MyStore(tmp_path))

A check gets a function that makes the store; it may be called more than once, for the same data. It raises an
`AssertionError` that names the rule. `DURABLE_STORE_CHECKS` are for stores whose records outlive the object, and
`ADAPTER_CHECKS` run what the adapters do with a store over it. Nothing here needs pytest.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from backtestkit.adapters.memory import MemoryBook
from backtestkit.adapters.notification import PauseNotification
from backtestkit.adapters.notification_book import NotificationBook
from backtestkit.adapters.owner import Moment, Owner, SignalMoment
from backtestkit.adapters.recent import RecentBook
from backtestkit.adapters.state import SessionBook, StateBook
from backtestkit.adapters.storage import SignalBook
from backtestkit.errors import UsageError
from backtestkit.model.result import OpenedResult
from backtestkit.model.signal import Entry, Extreme, ProfitLoss, PublicSignal
from backtestkit.persistence.store import KeyValueStore
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.scheduler import breathe

__all__ = ["ADAPTER_CHECKS", "DURABLE_STORE_CHECKS", "STORE_CHECKS", "Check", "MakeStore"]

MakeStore: TypeAlias = Callable[[], KeyValueStore]

_SPACE: Final = ("data", "conformance")
_MISSING: Final = "nothing was there"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `name` says it, calling it with a function that makes the store checks it, in an event loop of its own."""

    name: str
    run: Callable[[MakeStore], Awaitable[None]]

    def __call__(self, make: MakeStore) -> None:
        """Raise `AssertionError` unless the store keeps the rule."""

        async def checked() -> None:
            await self.run(make)

        asyncio.run(checked())

    def __str__(self) -> str:
        return self.name


def _check(run: Callable[[MakeStore], Awaitable[None]]) -> Check:
    return Check(run.__name__.strip("_"), run)


def _equal(found: Any, expected: Any, rule: str) -> None:
    if found != expected:
        raise AssertionError(f"{rule}: expected {expected!r}, found {found!r}")


async def _what_is_written_is_read(make: MakeStore) -> None:
    store = make()
    for value in (None, True, 0, -(2**63), 1.5, 1e-300, "", "ü 漢 \n", [], {}, [1, [None]], {"a": {"b": [1.0, "c"]}}):
        await store.write(_SPACE, "value", value)
        _equal(await store.read(_SPACE, "value", _MISSING), value, "a value comes back as it was written")


async def _what_is_not_there_is_the_default(make: MakeStore) -> None:
    store = make()
    _equal(await store.read(_SPACE, "absent"), None, "the default of the default is None")
    _equal(await store.read(_SPACE, "absent", _MISSING), _MISSING, "an absent record is the default")
    await store.remove(_SPACE, "absent")
    _equal(await store.keys(("data", "nowhere")), [], "a space without records has no keys")


async def _a_write_replaces(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", {"a": 1, "b": 2})
    await store.write(_SPACE, "value", {"a": 3})
    _equal(await store.read(_SPACE, "value"), {"a": 3}, "the last write counts, whole")
    _equal(await store.keys(_SPACE), ["value"], "one id is one record")


async def _what_is_removed_is_gone(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", 1)
    await store.write(_SPACE, "other", 2)
    await store.remove(_SPACE, "value")
    _equal(await store.read(_SPACE, "value", _MISSING), _MISSING, "a removed record is absent")
    _equal(await store.keys(_SPACE), ["other"], "a removed record has no key, the others have")


async def _values_are_copies(make: MakeStore) -> None:
    store = make()
    given = {"levels": [1]}
    await store.write(_SPACE, "value", given)
    given["levels"].append(2)
    _equal(await store.read(_SPACE, "value"), {"levels": [1]}, "changing what was written changes nothing")
    (await store.read(_SPACE, "value"))["levels"].append(3)
    _equal(await store.read(_SPACE, "value"), {"levels": [1]}, "changing what was read changes nothing")


async def _what_json_cannot_carry_is_refused(make: MakeStore) -> None:
    store = make()
    await store.write(_SPACE, "value", "before")
    for value in (math.nan, [math.inf], {"a": {1, 2}}, {1: "a"}, object(), {"a": b"bytes"}):
        try:
            await store.write(_SPACE, "value", value)
        except UsageError:
            continue
        raise AssertionError(f"a value that JSON cannot carry is a UsageError: {value!r} was taken")
    _equal(await store.read(_SPACE, "value"), "before", "a refused write changes nothing")


async def _names_may_be_any_text(make: MakeStore) -> None:
    store = make()
    names = ["BTC/USDT:USDT", "btc/usdt:usdt", "..", ".", "a b", "a_b", "a:b", "CON", "%2e", "~", "ü", "ключ"]
    for number, name in enumerate(names):
        await store.write((*_SPACE, name), name, number)
    for number, name in enumerate(names):
        _equal(await store.read((*_SPACE, name), name), number, f"the record {name!r} is its own")
        _equal(await store.keys((*_SPACE, name)), [name], f"the key {name!r} comes back")


async def _spaces_are_apart(make: MakeStore) -> None:
    store = make()
    await store.write(("data", "a"), "x", 1)
    await store.write(("data", "a", "b"), "x", 2)
    await store.write(("data", "ab"), "x", 3)
    _equal(await store.keys(("data", "a")), ["x"], "keys are those of exactly this space")
    _equal(await store.read(("data", "a"), "x"), 1, "a space is not the one below it")
    _equal(await store.read(("data", "a", "b"), "x"), 2, "a space is not the one above it")


async def _keys_are_in_natural_order(make: MakeStore) -> None:
    store = make()
    for name in ("a10", "b1", "A2", "a1", "10", "9"):
        await store.write(_SPACE, name, 0)
    _equal(await store.keys(_SPACE), ["9", "10", "a1", "A2", "a10", "b1"], "numbers by value, without regard to case")


async def _writes_take_effect_in_order(make: MakeStore) -> None:
    store = make()
    await asyncio.gather(*(store.write(_SPACE, "value", number) for number in range(50)))
    _equal(await store.read(_SPACE, "value"), 49, "of writes to one id, the one called last counts")
    await asyncio.gather(store.write(_SPACE, "value", 1), store.remove(_SPACE, "value"))
    _equal(await store.read(_SPACE, "value", _MISSING), _MISSING, "a removal does not overtake the write before it")


async def _a_cancelled_write_is_whole(make: MakeStore) -> None:
    store = make()
    before, after = {"n": 1, "text": "a" * 10_000}, {"n": 2, "text": "b" * 10_000}
    await store.write(_SPACE, "value", before)
    task = asyncio.ensure_future(store.write(_SPACE, "value", after))
    await breathe()
    task.cancel()
    await asyncio.wait((task,))
    found = await store.read(_SPACE, "value")
    if found not in (before, after):
        raise AssertionError("a cancelled write leaves the old value or the new one")


async def _records_outlive_the_object(make: MakeStore) -> None:
    await make().write(_SPACE, "value", {"a": 1})
    store = make()
    _equal(await store.read(_SPACE, "value"), {"a": 1}, "another object over the same data finds the record")
    _equal(await store.keys(_SPACE), ["value"], "and its key")
    await store.forget(_SPACE)
    _equal(await make().read(_SPACE, "value"), {"a": 1}, "forgetting a space keeps what is durable")


STORE_CHECKS: Final = tuple(
    _check(run)
    for run in (
        _what_is_written_is_read,
        _what_is_not_there_is_the_default,
        _a_write_replaces,
        _what_is_removed_is_gone,
        _values_are_copies,
        _what_json_cannot_carry_is_refused,
        _names_may_be_any_text,
        _spaces_are_apart,
        _keys_are_in_natural_order,
        _writes_take_effect_in_order,
        _a_cancelled_write_is_whole,
    )
)
"""The rules of `KeyValueStore`."""

DURABLE_STORE_CHECKS: Final = (*STORE_CHECKS, _check(_records_outlive_the_object))
"""The same, and that records outlive the object."""


# -- what the adapters do with a store ------------------------------------------------------------------------------------

_KEY: Final = RunKey("BTCUSDT", "strategy", "exchange", "", False)
_OWNER: Final = Owner.live(_KEY)


def _at(now: int, signal_id: str = "one") -> SignalMoment:
    return SignalMoment(_OWNER, now, _KEY, signal_id)


async def _no_report(error: Exception) -> None:
    raise AssertionError(f"a record that was just written cannot be read: {error}") from error


def _signal(id: str, timestamp: int) -> PublicSignal:
    nothing = ProfitLoss(0.0, 0.0, 0.0, 0.0, 0.0)
    extreme = Extreme(100.0, timestamp, nothing)
    return PublicSignal(
        id=id, symbol=_KEY.symbol, strategy_name=_KEY.strategy_name, exchange_name=_KEY.exchange_name, frame_name="",
        position="long", note="", price_open=100.0, price_take_profit=110.0, price_stop_loss=90.0,
        original_price_open=100.0, original_price_take_profit=110.0, original_price_stop_loss=90.0,
        minute_estimated_time=math.inf, cost=100.0, multiplier=1.0, isolated=True, scheduled_at=timestamp,
        pending_at=timestamp, timestamp=timestamp, total_entries=1, total_partials=0, partial_executed=0.0,
        pnl=nothing, peak_profit=nothing, max_drawdown=nothing, peak=extreme, fall=extreme,
        entries=(Entry(100.0, 100.0, timestamp),), partials=(),
    )  # fmt: skip


async def _states_change_one_after_the_other(make: MakeStore) -> None:
    book = StateBook(make())

    async def add(before: int) -> int:
        await breathe()
        return before + 1

    await asyncio.gather(*(book.write(_at(10), "count", add, 0) for _ in range(20)))
    _equal(await book.read(_at(10), "count", 0), 20, "each change sees the one before it")
    _equal(await book.read(_at(9), "count", 0), 0, "a state from later than now is not there")
    _equal(await book.read(_at(10, "two"), "count", 0), 0, "a state belongs to one signal")
    _equal(await book.read(_at(10), "other", 0), 0, "and to one bucket")


async def _sessions_belong_to_contexts(make: MakeStore) -> None:
    book = SessionBook(make(), lambda: 10)
    here = Moment(_OWNER, 10, _KEY)
    await book.write(here, {"a": [1]})
    _equal(await book.read(here), {"a": [1]}, "a session comes back")
    _equal(await book.read(Moment(_OWNER, 9, _KEY)), None, "a session from later than now is not there")
    other = replace(_KEY, strategy_name="other")
    _equal(await book.read(Moment(Owner.live(other), 10, other)), None, "a session belongs to one context")
    await book.write(here, None)
    _equal(await book.read(here), None, "None empties a session")


async def _memories_are_found_by_what_was_known(make: MakeStore) -> None:
    book = MemoryBook(make(), lambda: 10)
    texts = ["RSI oversold on bitcoin hourly", "bitcoin etf inflow", "ethereum merge", "macro rates decision"]
    for number, text in enumerate(texts):
        await book.write(_at(10), "news", f"note {number}", number, text)
    await book.write(_at(20), "news", "later", 9, "bitcoin")
    found = await book.search(_at(10), "news", "bitcoin", k1=1.5, b=0.75, min_score=0.5)
    scores = [(match.memory_id, round(match.score, 10), match.content) for match in found]
    _equal(scores, [("note 1", 0.7180010635, 1), ("note 0", 0.5579512909, 0)], "BM25 over what is visible now")
    await book.remove(_at(10), "news", "note 2")
    entries = [entry.memory_id for entry in await book.entries(_at(20), "news")]
    _equal(entries, ["note 0", "note 1", "note 3", "later"], "notes are listed as written, without removed ones")
    _equal(await book.read(_at(20), "news", "later"), 9, "a note can be read from its time on")


async def _the_latest_signal_is_the_last_one_written(make: MakeStore) -> None:
    book = RecentBook(make(), lambda: 10, _no_report)
    at = Moment(_OWNER, 60_000 * 5 + 1, _KEY)
    _equal(await book.read(at), None, "there was no signal")
    await book.write(_OWNER, _signal("one", 60_000), 60_000)
    await book.write(_OWNER, _signal("two", 120_000), 120_000)
    _equal(await book.read(at), _signal("two", 120_000), "the last signal, as it was written")
    _equal(await book.minutes_since(at), 3, "whole minutes since it was accepted")
    _equal(await book.read(Moment(_OWNER, 119_999, _KEY)), None, "a signal from later than now is not there")


async def _signals_are_kept_as_last_seen(make: MakeStore) -> None:
    book = SignalBook(make(), False, lambda: 2, _no_report)
    for number, id in enumerate(("one", "two", "one", "three"), 1):
        await book.take_result(_OWNER, OpenedResult(_KEY, number, 100.0, _signal(id, number)))
    rows = await book.all()
    _equal([row.signal.id for row in rows], ["three", "one"], "beyond the limit, what was written longest ago goes")
    _equal((rows[1].created_at, rows[1].updated_at), (1, 3), "first and last event of a signal")
    await book.take_result(_OWNER, OpenedResult(_KEY, 2, 50.0, _signal("one", 2)))
    _equal(await book.find("one"), rows[1], "an event older than what is known changes nothing")
    _equal(rows[1].signal, _signal("one", 3), "a signal comes back as it was")


async def _notifications_are_kept_in_order(make: MakeStore) -> None:
    book = NotificationBook(make(), False, lambda: 3, _no_report)
    given = [
        PauseNotification(
            id=f"n{number}", timestamp=number, created_at=number, backtest=False, symbol="BTCUSDT",
            strategy_name="strategy", exchange_name="exchange", frame_name="", paused=bool(number % 2),
        )
        for number in range(5)
    ]  # fmt: skip
    for notification in given:
        await book.add(notification)
    _equal(await book.all(), given[:1:-1], "the newest come first, those beyond the limit are gone")
    await book.clear()
    _equal(await book.all(), [], "nothing is left")


ADAPTER_CHECKS: Final = tuple(
    _check(run)
    for run in (
        _states_change_one_after_the_other,
        _sessions_belong_to_contexts,
        _memories_are_found_by_what_was_known,
        _the_latest_signal_is_the_last_one_written,
        _signals_are_kept_as_last_seen,
        _notifications_are_kept_in_order,
    )
)
"""What states, sessions, memories, signals and notifications need of a store, end to end."""
