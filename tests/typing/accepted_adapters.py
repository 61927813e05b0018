"""What users of adapters, caches and cron may write, and which types they get."""

from __future__ import annotations

from typing import Any, assert_type

import backtestkit as bk
from backtestkit import sync

get_stage, set_stage = bk.create_signal_state("stage", "new")


async def remember() -> None:
    assert_type(await get_stage("BTC"), str)
    assert_type(await set_stage("BTC", lambda before: before + "!"), str)
    assert_type(await bk.set_signal_state("BTC", 5, bucket_name="b", initial_value=0), int)
    assert_type(await bk.get_signal_state("BTC", bucket_name="b", initial_value=[0.0]), list[float])
    await bk.write_memory("a", {"any": [1]}, "text", bucket_name="b", signal_id="x")
    assert_type(await bk.search_memory("text", bucket_name="b", k1=1.2), list[bk.MemoryMatch])
    assert_type(await bk.Memory.list_memory(bucket_name="b", symbol="BTC", strategy_name="s"), list[bk.MemoryEntry])
    await bk.dump_agent_answer([bk.AgentMessage("user", "?")], bucket_name="b", dump_id="d", description="x")
    assert_type(await bk.Storage.list_signal_live(), list[bk.StoredSignal])
    assert_type(await bk.Recent.get_latest_signal("BTC"), bk.PublicSignal | None)


def remember_plainly() -> None:
    assert_type(sync.set_session_data("BTC", 1), None)
    assert_type(sync.list_memory(bucket_name="b"), list[bk.MemoryEntry])


async def told() -> None:
    for notification in await bk.Notification.get_data(False):
        if notification.type == "signal_closed":
            print(notification.close_reason, notification.signal.pnl.pnl_cost)
        elif isinstance(notification, bk.RiskNotification):
            print(notification.rejection_note)


class Mail:
    name = "mail"

    async def send(self, title: str, body: str) -> None: ...


class Store:
    async def read(self, space: tuple[str, ...], id: str, default: Any = None) -> Any: ...
    async def write(self, space: tuple[str, ...], id: str, value: Any) -> None: ...
    async def remove(self, space: tuple[str, ...], id: str) -> None: ...
    async def keys(self, space: tuple[str, ...]) -> list[str]:
        return []

    async def forget(self, space: tuple[str, ...]) -> None: ...


stop = bk.Notification.deliver(Mail(), "json://localhost", targets=["signal"], templates={"signal_closed": ("a", "b")})
assert_type(stop(), None)
bk.StorageLive.use_storage_adapter(Store)
bk.use_store(Store())
bk.Log.warn("topic", 1, [2], reason="x")
bk.set_logger(bk.Log, "debug")


async def ask(symbol: str, depth: int = 3) -> dict[str, int]:
    return {symbol: depth}


def count(symbol: str) -> int:
    return len(symbol)


cached, counted = bk.Cache.fn(ask, "1h"), bk.Cache.fn(count, "1h")
daily, once = bk.Interval.fn(ask, "1d"), bk.Interval.fn(count, "1d")
filed, reported = bk.Cache.file(ask, "1h", "answers"), bk.Interval.file(ask, "1d", "reports")


async def computed() -> None:
    assert_type(await cached("BTC", depth=2), dict[str, int])
    assert_type(counted("BTC"), int)
    assert_type(await daily("BTC"), dict[str, int] | None)
    assert_type(once("BTC"), int | None)
    assert_type(await filed("BTC"), dict[str, int])
    assert_type(await reported("BTC", 1), dict[str, int] | None)
    assert_type(await bk.run_in_mock_context(lambda: 5), int)
    assert_type(await bk.begin_context(computed), None)
    assert_type(await bk.check_candles("BTC", "1m", 0, 1, exchange_name="x"), None)
    assert_type(bk.validate_signal({"position": "long"}, 1.0), bool)


def each_hour(info: bk.RuntimeInfo) -> None:
    print(info.symbol, info.when, info.current_price)


bk.Cron.register("hourly", each_hour, "1h", ["BTC"])
bk.listen_signal_notify(lambda event: print(event.note, event.data.id))
