"""Cron: once per boundary in the time of the runs, whatever gear they use and however many they are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_runs import FIRST, LONG, new_run, prepare

import backtestkit as bk
from backtestkit.errors import UsageError
from backtestkit.model.event import BoundaryEvent
from backtestkit.runtime.context import RunKey
from backtestkit.services import cron as cron_service
from backtestkit.services.cron import Ranges
from scenarios.market import MINUTE, still


def minute(info: bk.RuntimeInfo) -> int:
    return (int(info.when.timestamp() * 1000) - FIRST) // MINUTE


@given(st.lists(st.integers(-20, 20)))
def test_ranges_hold_what_was_added_in_as_few_pieces_as_there_are(numbers: list[int]) -> None:
    ranges, known = Ranges(), set()
    for number in numbers:
        ranges.add(number)
        known.add(number)
        assert [n for n in range(-22, 23) if n in ranges] == sorted(known)
        assert len(ranges) == sum(n - 1 not in known for n in known)


@pytest.mark.parametrize("stepping", [False, True])
@pytest.mark.parametrize("signal", [None, {**LONG, "minute_estimated_time": 40}])
def test_every_boundary_fires_once_also_where_a_run_jumps(stepping: bool, signal: Any) -> None:
    fired: list[int] = []
    with bk.Kit():
        bk.Cron.register("often", lambda info: fired.append(minute(info)), "15m")
        prepare(still(60), lambda *_: signal, interval="1h")
        asyncio.run(new_run(stepping=stepping).result())
    assert fired == [10, 25, 40, 55]  # the frame begins five minutes after the hour


def test_the_handler_is_told_where_and_when_and_may_trade() -> None:
    told: list[Any] = []

    async def handler(info: bk.RuntimeInfo) -> None:
        told.append((info.symbol, info.context.strategy_name, info.backtest, info.current_price, bk.get_timestamp()))
        await bk.commit_close_pending("BTC")

    with bk.Kit():
        bk.Cron.register("close", handler, "15m")
        prepare(still(20), lambda *_: {**LONG, "minute_estimated_time": 60}, interval="1h")
        result = asyncio.run(new_run().result())
    assert told == [("BTC", "s", True, 100.0, FIRST + 10 * MINUTE)]
    assert [r.close_reason for r in result.closed][:1] == ["closed"]


def test_without_entries_nothing_is_heard() -> None:
    with bk.Kit() as kit:
        assert not kit.channels.before_start
        bk.Cron.register("a", print, "1h")()
        assert kit.channels.before_start
        bk.Cron.register("b", print)
        bk.Cron.dispose()
        assert not kit.channels.before_start and not kit.channels.after_end


def test_runs_at_one_time_share_each_boundary_and_wait_for_it() -> None:
    fired: list[tuple[str, int]] = []
    over: list[int] = []
    seen: list[tuple[int, int]] = []

    async def handler(info: bk.RuntimeInfo) -> None:
        fired.append((info.symbol, minute(info)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        over.append(minute(info))

    async def get_signal(symbol: str, when: Any, price: float) -> None:
        now = (int(when.timestamp() * 1000) - FIRST) // MINUTE
        if now in (10, 25, 40):
            seen.append((now, len(over)))
        await asyncio.sleep(0)

    async def scenario() -> None:
        await asyncio.gather(*(new_run(symbol).result() for symbol in ("A", "B", "C")))

    with bk.Kit():
        bk.Cron.register("all", handler, "15m")
        prepare(still(45), get_signal)
        asyncio.run(scenario())
    assert [m for _, m in fired] == [10, 25, 40]
    # Whoever asked its strategy at a boundary did so after the handler was over.
    assert all(done >= (10, 25, 40).index(now) + 1 for now, done in seen) and len(seen) == 9


def test_the_next_backtest_fires_again() -> None:
    fired: list[int] = []
    with bk.Kit():
        bk.Cron.register("a", lambda info: fired.append(minute(info)), "15m")
        prepare(still(30))
        for _ in range(2):
            asyncio.run(new_run().result())
    assert fired == [10, 25, 10, 25]


def test_with_symbols_each_fires_on_its_own_and_others_do_not() -> None:
    fired: list[tuple[str, int]] = []

    async def scenario() -> None:
        await asyncio.gather(*(new_run(symbol).result() for symbol in ("A", "B", "C")))

    with bk.Kit():
        bk.Cron.register("each", lambda info: fired.append((info.symbol, minute(info))), "15m", ["A", "C"])
        prepare(still(30))
        asyncio.run(scenario())
    assert sorted(fired) == [("A", 10), ("A", 25), ("C", 10), ("C", 25)]


def test_without_an_interval_it_fires_once_for_all_runs_until_cleared() -> None:
    fired: list[tuple[str, int]] = []
    with bk.Kit():
        bk.Cron.register("once", lambda info: fired.append((info.symbol, minute(info))))
        bk.Cron.register("each", lambda info: fired.append((f"each {info.symbol}", minute(info))), symbols=["A", "B"])
        prepare(still(5))
        for symbol in ("A", "B", "A"):
            asyncio.run(new_run(symbol).result())
        assert fired == [("A", 0), ("each A", 0), ("each B", 0)]
        fired.clear()
        bk.Cron.clear("A")
        asyncio.run(new_run("A").result())
        assert fired == [("each A", 0)]
        fired.clear()
        bk.Cron.clear()
        asyncio.run(new_run("B").result())
        assert fired == [("B", 0), ("each B", 0)]


def test_what_fails_is_reported_and_tried_again_with_the_next_candle() -> None:
    tried: list[int] = []

    def handler(info: bk.RuntimeInfo) -> None:
        tried.append(minute(info))
        if len(tried) < 3:
            raise ValueError(f"attempt {len(tried)}")

    with bk.Kit():
        bk.Cron.register("flaky", handler, "15m")
        prepare(still(30), lambda *_: None, interval="1h")
        result = asyncio.run(new_run().result())
    assert tried == [10, 11, 12, 25]
    assert [(e.source, str(e.error)) for e in result.errors] == [
        ("cron 'flaky'", "attempt 1"),
        ("cron 'flaky'", "attempt 2"),
    ]


def test_a_boundary_that_never_went_well_gives_way_to_the_next() -> None:
    tried: list[int] = []

    def handler(info: bk.RuntimeInfo) -> None:
        tried.append(minute(info))
        if minute(info) < 25:
            raise ValueError

    with bk.Kit():
        bk.Cron.register("flaky", handler, "15m")
        prepare(still(30), lambda *_: None, interval="1h")
        asyncio.run(new_run().result())
    assert tried == list(range(10, 26))


def test_a_run_that_waits_for_an_attempt_that_fails_tries_too() -> None:
    tried: list[str] = []

    async def handler(info: bk.RuntimeInfo) -> None:
        tried.append(info.symbol)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if len(tried) == 1:
            raise ValueError

    async def get_signal(*_: Any) -> None:
        await asyncio.sleep(0)

    async def scenario() -> None:
        await asyncio.gather(*(new_run(symbol).result() for symbol in ("A", "B")))

    with bk.Kit():
        bk.Cron.register("flaky", handler, "15m")
        prepare(still(14), get_signal)
        asyncio.run(scenario())
    assert len(tried) == 2


def test_an_entry_that_comes_during_a_run_fires_from_the_next_boundary_on() -> None:
    fired: list[int] = []
    stops: list[Any] = []

    def get_signal(symbol: str, when: Any, price: float) -> Any:
        if when.minute == 15:
            stops.append(bk.Cron.register("late", lambda info: fired.append(minute(info)), "15m"))
        return None

    with bk.Kit():
        prepare(still(100), get_signal, interval="15m")
        bk.Cron.register("first", lambda info: None, "1h")
        asyncio.run(new_run().result())
        assert fired == [25, 40, 55, 70, 85]
        stops[0]()
        stops[-1]()
        fired.clear()
        bk.add_strategy(strategy_name="s", get_signal=None, replace=True)
        asyncio.run(new_run().result())
    assert fired == []


def test_entries_can_be_removed_held_and_replaced_during_a_run() -> None:
    fired: list[tuple[str, int]] = []

    def take(name: str) -> Any:
        return lambda info: fired.append((name, minute(info)))

    def get_signal(symbol: str, when: Any, price: float) -> Any:
        match (when.hour, when.minute):
            case (0, 30):
                bk.Cron.disable()
                bk.Cron.disable()
            case (1, 0):
                undo = bk.Cron.enable()
                undo()
                bk.Cron.enable()
                bk.Cron.enable()
            case (1, 15):
                bk.Cron.unregister("a")
                bk.Cron.unregister("a")
            case (1, 30):
                bk.Cron.register("b", take("new b"), "15m")

    with bk.Kit():
        for name in "ab":
            bk.Cron.register(name, take(name), "15m")
        prepare(still(116), get_signal, interval="15m")
        asyncio.run(new_run().result())
    assert [m for name, m in fired if name == "a"] == [10, 25, 70]
    assert [m for name, m in fired if name == "b"] == [10, 25, 70, 85]
    assert [m for name, m in fired if name == "new b"] == [100, 115]


def test_an_entry_that_is_removed_by_its_own_handler_is_gone() -> None:
    fired: list[int] = []

    def handler(info: bk.RuntimeInfo) -> None:
        fired.append(minute(info))
        bk.Cron.unregister("a")

    with bk.Kit():
        bk.Cron.register("a", handler, "15m")
        prepare(still(30))
        asyncio.run(new_run().result())
    assert fired == [10]


def test_a_handler_that_takes_too_long_is_stopped_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cron_service, "WARN_SECONDS", 0.0)
    monkeypatch.setattr(cron_service, "FAIL_SECONDS", 0.01)
    tried: list[int] = []

    async def handler(info: bk.RuntimeInfo) -> None:
        tried.append(minute(info))
        if len(tried) == 1:
            await asyncio.Event().wait()
        if len(tried) == 2:
            raise TimeoutError("its own")

    with bk.Kit():
        bk.Cron.register("slow", handler, "15m")
        prepare(still(20))
        result = asyncio.run(new_run().result())
    assert tried == [10, 11, 12]
    assert "handler of cron 'slow' took longer than 0.01 s" in str(result.errors[0].error)
    assert str(result.errors[1].error) == "its own"
    assert "cron_handler_is_slow" in caplog.text


def test_a_run_that_is_given_up_while_it_waits_harms_nobody() -> None:
    fired: list[str] = []

    async def scenario() -> None:
        gate, there = asyncio.Event(), asyncio.Event()

        async def handler(info: bk.RuntimeInfo) -> None:
            fired.append(info.symbol)
            there.set()
            await gate.wait()

        bk.Cron.register("a", handler, "15m")
        prepare(still(20))
        first = asyncio.ensure_future(new_run("A").result())
        second = asyncio.ensure_future(new_run("B").result())
        await there.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait((second,))
        gate.set()
        await first

    with bk.Kit():
        asyncio.run(scenario())
    assert fired == ["A"]


def test_a_boundary_in_a_hole_of_the_data_fires_once_when_the_market_is_back() -> None:
    from scenarios.market import candles
    from scenarios.run import market

    fired: list[int] = []
    with bk.Kit():
        bk.Cron.register("a", lambda info: fired.append(minute(info)), "15m")
        prepare(still(100))
        rows = candles(still(100))
        keep = [n for n in range(len(rows)) if not 20 <= n < 60]
        market(rows.take(keep), gaps="skip", replace=True)  # type: ignore[arg-type]
        asyncio.run(new_run().result())
    assert fired == [10, 56, 70, 85]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a:b", print), "cron name or symbol 'a:b' must be text"),
        (("", print), "cron name or symbol '' must be text"),
        (("a", print, "1h", ["B:C"]), "cron name or symbol 'B:C' must be text"),
        (("a", print, "1x"), "unknown interval='1x'"),
        (("a", 5), "cron handler 5 cannot be called"),
        (("a", print, "1h", "BTC"), r"symbols='BTC' is one text\. Give a list"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, told: str) -> None:
    with bk.Kit(), pytest.raises(UsageError, match=told):
        bk.Cron.register(*arguments)


def test_an_undo_leaves_an_entry_alone_that_has_taken_its_place() -> None:
    fired: list[str] = []
    with bk.Kit():
        undo = bk.Cron.register("a", lambda info: fired.append("old"))
        bk.Cron.register("a", lambda info: fired.append("new"))
        undo()
        prepare(still(2))
        asyncio.run(new_run().result())
    assert fired == ["new"]


def test_an_entry_for_another_symbol_can_be_removed_during_a_run() -> None:
    def get_signal(*_: Any) -> None:
        bk.Cron.unregister("other")

    with bk.Kit():
        bk.Cron.register("other", print, "15m", ["ETH"])
        prepare(still(2), get_signal, on_error="raise")
        asyncio.run(new_run().result())


def test_a_start_that_is_told_from_elsewhere_is_left_alone() -> None:
    with bk.Kit() as kit:
        bk.Cron.register("a", print)
        asyncio.run(kit.channels.before_start.emit(BoundaryEvent(RunKey("A", "s", "x", "f", True), 0, None)))
