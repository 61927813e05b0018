"""User code that type checkers must refuse: an ignore that is not needed is an error, for mypy and for pyright."""

from __future__ import annotations

from datetime import datetime

import backtestkit as bk
from backtestkit import sync


def no_signal(symbol: str, when: datetime, price: float) -> str:
    return ""


async def too_few(symbol: str) -> bk.Signal | None:
    return None


def on_open(symbol: str, signal: str, price: float, when: datetime, backtest: bool) -> None: ...
def no_rows(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> int:
    return 1


bk.add_strateg(strategy_name="x")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
bk.add_strategy(interval="5m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
bk.add_strategy(strategy_name="x", interval="7m")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
bk.add_strategy(strategy_name="x", intervall="5m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
bk.add_strategy(strategy_name="x", get_signal=no_signal)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.add_strategy(strategy_name="x", get_signal=too_few)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.add_strategy(strategy_name="x", warmup=48)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
bk.StrategyCallbacks(on_open=on_open)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.StrategyCallbacks(on_tik=on_open)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
bk.add_exchange(exchange_name="x", get_candles=no_rows)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.add_exchange(exchange_name="x", gaps="ignore")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
bk.add_frame(frame_name="x", start_date=1.5, end_date="2025")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
bk.add_frame(bk.StrategySchema(strategy_name="x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.set_config(percent_fees=0.05)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
bk.set_config(percent_fee="0.05")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.get_config().percent_fee = 1.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
bk.get_strategy_schema("x").note = "y"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
bk.add_risk(risk_name="x", validations=[no_signal])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
bk.add_sizing(sizing_name="x", method="fixed")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
bk.rules.max_positions(3, per="day")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.Signal(position="up")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
sync.get_candles("BTCUSDT", "7m", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def close(result: bk.ClosedResult) -> None:
    result.current_price = 1.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def on_opened(result: bk.OpenedResult) -> None: ...


bk.listen_signal_closed(on_opened)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bk.listen_signal_closed(lambda result: result.no_such_field)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
bk.listen_signal_close(print)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
bk.Markdown.enable(partials=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
bk.Heat.get_data(exchange_name="e", frame="f")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
bk.Markdown.use_markdown_adapter(dict)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def wrong_arguments() -> None:
    await bk.write_memory("a", 1, "text")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await bk.list_memory(bucket_name="b", signal="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    bk.Notification.enable("signals")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bk.Cron.register("a", print, "7m")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bk.StateLive.use_state_adapter(dict)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
