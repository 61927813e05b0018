"""Storage and Recent: signals as they were last seen, bounded, without making a backtest step."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FIRST, LONG, NAMES, new_run, prepare

import backtestkit as bk
from backtestkit.errors import UsageError
from backtestkit.model.event import PingEvent
from backtestkit.runtime.context import RunKey
from backtestkit.testing import _signal as sample
from scenarios.market import MINUTE, dips, still

LIVE = RunKey("BTC", "s", "x", "", False)


def test_signals_are_kept_with_their_status() -> None:
    signals = iter([dict(LONG), {**LONG, "price_open": 95.0}])

    with bk.Kit() as kit:
        bk.Storage.enable()
        prepare(still(200), lambda *_: next(signals, None))
        result = asyncio.run(new_run().result())
        rows = asyncio.run(bk.Storage.list_signal_backtest())
        assert asyncio.run(bk.Storage.list_signal_live()) == []
        found = asyncio.run(bk.Storage.find_signal_by_id(rows[1].signal.id))
        assert kit.adapters.storage.enabled
    waiting, closed = rows
    assert found == closed
    assert (closed.status, closed.close_reason, closed.backtest) == ("closed", "time_expired", True)
    assert closed.signal == result.closed[0].signal and closed.pnl == result.closed[0].pnl
    assert (closed.created_at, closed.updated_at) == (FIRST, FIRST + 5 * MINUTE)
    assert (waiting.status, waiting.pnl, waiting.close_reason) == ("cancelled", None, None)
    assert waiting.close_timestamp is not None


def test_recording_does_not_make_a_backtest_step() -> None:
    with bk.Kit():
        bk.Storage.enable()
        bk.Recent.enable()
        bk.Notification.enable()
        prepare(still(10), lambda *_: dict(LONG))
        run = new_run()
        assert run.explain().startswith("It jumps")


def test_only_the_newest_signals_are_kept_on_disks_too(tmp_path: Path) -> None:
    with bk.Kit({"max_signals": 2}):
        bk.use_store(f"file:{tmp_path}")
        bk.StorageBacktest.use_persist()
        bk.Storage.enable()
        prepare(still(60), lambda *_: dict(LONG))
        result = asyncio.run(new_run().result())
        assert len(result.closed) > 3
        rows = asyncio.run(bk.Storage.list_signal_backtest())
    assert [row.signal.id for row in rows] == [r.signal.id for r in result.closed[:-3:-1]]
    assert len(list((tmp_path / "data" / "storage" / "backtest").rglob("*.json"))) == 2
    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        bk.StorageBacktest.use_persist()
        bk.Storage.enable()
        assert asyncio.run(bk.Storage.list_signal_backtest()) == rows


def test_a_stored_file_that_makes_no_sense_is_reported_and_left_out(tmp_path: Path) -> None:
    told: list[bk.ErrorEvent] = []
    folder = tmp_path / "data" / "storage" / "live"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text('{"signal": 1}')
    (folder / "b.json").write_text("{")
    with bk.Kit():
        bk.listen_error(told.append)
        bk.use_store(f"file:{tmp_path}")
        bk.Storage.enable()
        assert asyncio.run(bk.Storage.list_signal_live()) == []
    assert [event.source for event in told] == ["store", "store"]
    assert "a cannot be read and is left out" in str(told[0].error)
    assert (folder / "a.json").exists() and (folder / "b.json.damaged").exists()


def test_what_is_not_kept_is_an_error_and_so_is_asking_what_was_never_enabled() -> None:
    with bk.Kit():
        with pytest.raises(UsageError, match=r"list_signal_live: Storage is not enabled\. Call bk\.Storage\.enable"):
            asyncio.run(bk.Storage.list_signal_live())
        stop = bk.Storage.enable()
        bk.StorageLive.use_memory()
        with pytest.raises(UsageError, match=r"signal 'x' is not in the storage\. It keeps the last max_signals=50"):
            asyncio.run(bk.Storage.find_signal_by_id("x"))
        stop()
        assert asyncio.run(bk.Storage.list_signal_live()) == []


def ping(timestamp: int, price: float) -> PingEvent:
    from types import SimpleNamespace

    row: Any = SimpleNamespace(id="one")
    return PingEvent(LIVE, timestamp, row, price, lambda row, price: sample("one", FIRST))


def opened(timestamp: int) -> bk.OpenedResult:
    return bk.OpenedResult(LIVE, timestamp, 100.0, sample("one", FIRST))


async def emit(kit: bk.Kit, *events: Any) -> None:
    for name, event in events:
        await kit.channels[name].emit(event)


def test_live_pings_refresh_what_is_open_and_newer() -> None:
    with bk.Kit() as kit:
        bk.StorageLive.use_memory()
        bk.Storage.enable()
        asyncio.run(emit(kit, ("active_ping", ping(FIRST, 99.0)), ("signal", opened(FIRST + MINUTE))))
        prices = []
        for channel, minute, price in (
            ("schedule_ping", 2, 1.0),
            ("active_ping", 2, 102.0),
            ("active_ping", 1, 101.0),
        ):
            asyncio.run(emit(kit, (channel, ping(FIRST + minute * MINUTE, price))))
            (row,) = asyncio.run(bk.Storage.list_signal_live())
            prices.append(row.current_price)
    assert prices == [100.0, 102.0, 102.0]


def test_the_latest_signal_of_a_backtest_is_seen_from_its_time_on() -> None:
    seen: list[Any] = []

    async def get_signal(symbol: str, when: Any, price: float) -> Any:
        latest = await bk.Recent.get_latest_signal(symbol)
        seen.append(None if latest is None else latest.pending_at)
        if latest is not None:
            assert await bk.Recent.get_minutes_since_latest_signal_created(symbol) >= 0
        return dict(LONG) if len(seen) in (1, 3) else None

    with bk.Kit():
        bk.Recent.enable()
        prepare(dips(40, 80.0, 4), get_signal, on_error="raise")
        run = new_run()
        result = asyncio.run(run.result())
        latest = asyncio.run(bk.Recent.get_latest_signal("BTC", **NAMES))
        assert latest is not None and latest.id == result.closed[-1].signal.id
        assert asyncio.run(bk.Recent.has_no_latest_signal("BTC", **NAMES)) is False
        again = new_run()
        seen.clear()
        asyncio.run(again.result())
    assert seen[0] is None and seen[1] == FIRST


def test_recent_live_signals_come_from_pings_and_survive(tmp_path: Path) -> None:
    about: Any = {"strategy_name": "s", "exchange_name": "x"}
    with bk.Kit() as kit:
        bk.use_store(f"file:{tmp_path}")
        bk.Recent.enable()
        assert asyncio.run(bk.Recent.has_no_latest_signal("BTCUSDT", **about))
        with pytest.raises(UsageError, match="there was no signal of BTCUSDT yet"):
            asyncio.run(bk.Recent.get_minutes_since_latest_signal_created("BTCUSDT", **about))
        key = RunKey("BTCUSDT", "s", "x", "", False)
        event = PingEvent(key, FIRST, sample("one", FIRST), 1.0, lambda row, price: row)  # type: ignore[arg-type, return-value]
        asyncio.run(emit(kit, ("active_ping", event)))
    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        bk.Recent.enable()
        found = asyncio.run(bk.Recent.get_latest_signal("BTCUSDT", **about))
        assert found == sample("one", FIRST)


def test_a_recent_record_that_makes_no_sense_is_reported(tmp_path: Path) -> None:
    told: list[bk.ErrorEvent] = []
    folder = tmp_path / "data" / "recent" / "live" / "BTC~" / "s" / "x"
    folder.mkdir(parents=True)
    (folder / "BTC~.json").write_text('{"signal": 1}')
    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        bk.listen_error(told.append)
        bk.Recent.enable()
        assert asyncio.run(bk.Recent.get_latest_signal("BTC", strategy_name="s", exchange_name="x")) is None
    assert "cannot be read and is left out" in str(told[0].error)


def test_events_of_a_backtest_that_come_from_elsewhere_have_an_owner_of_their_own() -> None:
    key = RunKey("BTC", "s", "x", "f", True)
    with bk.Kit() as kit:
        bk.Storage.enable()
        asyncio.run(emit(kit, ("signal", bk.OpenedResult(key, FIRST, 100.0, sample("one", FIRST)))))
        (row,) = asyncio.run(bk.Storage.list_signal_backtest())
    assert row.status == "opened"
