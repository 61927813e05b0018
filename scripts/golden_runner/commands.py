"""Scripted commands: carried out in the listener that their hook names, and written down with what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import backtestkit as bk
from backtestkit.errors import BacktestKitError

from .recorder import Recorder, codes
from .script import MINUTE, ScriptedError, to_signal

ANSWER_NOTHING = frozenset(
    {
        "cancel_scheduled",
        "activate_scheduled",
        "close_pending",
        "create_take_profit",
        "create_stop_loss",
        "create_signal",
        "stop_strategy",
        "set_paused",
    }
)
"""Commands that answer nothing in the records; ours say whether they took effect."""

WORKS_WITH_EVENT_PRICE = ("trailing_stop", "trailing_take")
QUERIES = (
    "get_total_percent_closed",
    "get_total_cost_closed",
    "get_total_percent_held",
    "get_remaining_cost_basis",
    "get_position_effective_price",
    "get_position_invested_count",
    "get_position_invested_cost",
    "get_position_pnl_percent",
    "get_position_pnl_cost",
    "get_position_levels",
    "get_position_partials",
    "get_position_entries",
    "get_position_estimate_minutes",
    "get_position_countdown_minutes",
    "get_position_highest_profit_price",
    "get_position_highest_profit_timestamp",
    "get_position_drawdown_minutes",
    "get_position_highest_pnl_cost",
    "get_position_highest_pnl_percentage",
    "get_position_highest_profit_breakeven",
    "get_position_highest_profit_minutes",
    "get_position_max_drawdown_minutes",
    "get_position_max_drawdown_pnl_cost",
    "get_position_max_drawdown_pnl_percentage",
    "get_position_max_drawdown_price",
    "get_position_max_drawdown_timestamp",
    "get_position_highest_max_drawdown_pnl_cost",
    "get_position_highest_max_drawdown_pnl_percentage",
    "get_position_highest_profit_distance_pnl_cost",
    "get_position_highest_profit_distance_pnl_percentage",
    "get_position_active_minutes",
    "get_position_waiting_minutes",
    "get_max_drawdown_distance_pnl_cost",
    "get_max_drawdown_distance_pnl_percentage",
    "has_no_pending_signal",
    "has_no_scheduled_signal",
)


class Commands:
    """The command script of one run."""

    def __init__(self, strategy: dict[str, Any], symbol: str, frame_start: int, recorder: Recorder) -> None:
        self._entries = list(enumerate(strategy.get("commands") or ()))
        self._strategy, self._symbol, self._start = strategy["name"], symbol, frame_start
        self._recorder = recorder
        self._opened = self._scheduled = 0

    def listen(self) -> list[Callable[[], None]]:
        """Subscribe to what the script's hooks need, and no more; returns what ends the subscriptions."""
        hooks = {entry["hook"] for _, entry in self._entries}
        ends = [
            bk.listen_signal_event(self._on_signal_event),
            bk.listen_order_schedule(self._on_schedule_event),
        ]
        if "idle_ping" in hooks:
            ends.append(bk.listen_idle_ping(lambda e: self._hook("idle_ping", e, self._start)))
        if "schedule_ping" in hooks:
            ends.append(bk.listen_schedule_ping(lambda e: self._hook("schedule_ping", e, e.data.scheduled_at)))
        if "active_ping" in hooks:
            ends.append(bk.listen_active_ping(lambda e: self._hook("active_ping", e, e.data.pending_at)))
        if "breakeven_available" in hooks:
            ends.append(
                bk.listen_breakeven_available(lambda e: self._hook("breakeven_available", e, e.data.pending_at))
            )
        levels = ("partial_profit_available", "partial_loss_available")
        ends.extend(getattr(bk, f"listen_{name}")(self._on_level(name)) for name in levels if name in hooks)
        return ends

    async def on_get_signal(self, time_ms: int, price: float) -> None:
        """The hook inside `get_signal`."""
        await self._run("get_signal", time_ms, price, self._minutes(time_ms, self._start))

    def _on_level(self, name: str) -> Callable[[Any], Awaitable[None] | None]:
        return lambda e: self._hook(name, e, e.data.pending_at, level=e.level)

    def _mine(self, event: Any) -> bool:
        return bool(event.symbol == self._symbol and event.strategy_name == self._strategy)

    async def _on_signal_event(self, event: Any) -> None:
        if not self._mine(event):
            return
        if event.action == "opened":
            self._opened += 1
            await self._run("signal_opened", event.timestamp, event.current_price, 0)
        else:
            await self._hook("signal_closed", event, event.data.pending_at)

    async def _on_schedule_event(self, event: Any) -> None:
        if self._mine(event) and event.action == "scheduled":
            self._scheduled += 1
            await self._run("signal_scheduled", event.timestamp, event.current_price, 0)

    async def _hook(self, hook: str, event: Any, since: int, level: int | None = None) -> None:
        if self._mine(event):
            minute = self._minutes(event.timestamp, since)
            await self._run(hook, event.timestamp, event.current_price, minute, level)

    @staticmethod
    def _minutes(time_ms: int, since: int) -> int:
        return round((time_ms - since) / MINUTE)

    async def _run(self, hook: str, time_ms: int, price: float, minute: int, level: int | None = None) -> None:
        ordinal = self._scheduled if hook in ("schedule_ping", "signal_scheduled") else self._opened
        due = [
            (index, entry)
            for index, entry in self._entries
            if entry["hook"] == hook
            and entry.get("minute", minute) == minute
            and entry.get("signal", ordinal) == ordinal
            and entry.get("level", level) == level
            and entry.get("symbol", self._symbol) == self._symbol
        ]
        for index, entry in due:
            if not entry.get("repeat"):
                self._entries.remove((index, entry))
            await self._one(index, entry, hook, minute, time_ms, price)

    async def _one(
        self, index: int, entry: dict[str, Any], hook: str, minute: int, time_ms: int, hook_price: float
    ) -> None:
        command, arguments = entry["command"], dict(entry.get("args") or {})
        row: dict[str, Any] = {
            "type": "command", "index": index, "command": command, "hook": hook, "minute": minute,
            "timestamp": time_ms, "hook_price": hook_price,
        }  # fmt: skip
        if self._recorder.several:
            row |= {"symbol": self._symbol, "strategy": self._strategy}
        self._recorder.events.append(row)
        place = len(self._recorder.events) - 1
        try:
            row["result"] = await self._call(command, arguments, hook_price)
        except (BacktestKitError, ScriptedError) as error:
            row["error"] = codes(error)
        row["state"] = await self._state(hook_price)
        # A command that announces something at once (a pause) is listed after its announcement.
        self._recorder.events.append(self._recorder.events.pop(place))

    async def _state(self, hook_price: float) -> dict[str, Any] | None:
        api = bk.position_of(self._symbol, "state")
        signal = await api.get_pending_signal(price=hook_price)
        return None if signal is None else self._recorder.brief(signal)

    async def _call(self, command: str, arguments: dict[str, Any], hook_price: float) -> Any:
        price = arguments.pop("price", None)
        if price == "ping" or (price is None and command in WORKS_WITH_EVENT_PRICE):
            price = hook_price
        symbol = self._symbol
        if command == "throw":
            raise ScriptedError("scripted error")
        if command == "query":
            return {name: plain(await getattr(bk, name)(symbol)) for name in QUERIES}
        if command == "overlap":
            value = arguments["price_value"]
            ladder = bk.Ladder(**arguments["ladder"]) if arguments.get("ladder") else None
            return {
                name: await getattr(bk, name)(symbol, value, ladder)
                for name in ("get_position_entry_overlap", "get_position_partial_overlap")
            }
        if command == "liquidation_price":
            signal = await bk.get_pending_signal(symbol)
            return None if signal is None else bk.get_liquidation_price(signal)
        if command == "get_candles":
            candles = await bk.get_candles(symbol, arguments["interval"], arguments["limit"])
            return [list(row) for row in candles]
        if command == "get_average_price":
            return await bk.get_average_price(symbol)
        outcome = await self._commit(command, arguments, price)
        return None if command in ANSWER_NOTHING else bool(outcome)

    async def _commit(self, command: str, arguments: dict[str, Any], price: float | None) -> Any:
        symbol = self._symbol
        if command == "create_signal":
            self._recorder.own_ids([arguments["dto"]])
            return await bk.commit_create_signal(symbol, to_signal(arguments["dto"]))
        if command == "stop_strategy":
            return await bk.stop_strategy(symbol)
        if command == "set_paused":
            return await bk.set_strategy_paused(symbol, arguments["paused"])
        function = getattr(bk, f"commit_{command}")
        if command in ANSWER_NOTHING:
            return await function(symbol, id=arguments.get("id"))
        names = {"shift": "percent_shift", "stop_loss": "price_stop_loss", "take_profit": "price_take_profit"}
        keywords = {names.get(name, name): value for name, value in arguments.items()}
        return await function(symbol, price=price, **keywords)


def plain(value: Any) -> Any:
    """A query's answer in the form of the records."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    return value
