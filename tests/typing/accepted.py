"""User code that type checkers must accept. Not run; checked by mypy and pyright in `scripts/test`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

import backtestkit as bk
from backtestkit import sync


async def enter(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    candles = await bk.get_candles(symbol, "15m", 48)
    assert_type(candles, bk.Candles)
    if candles.close[-1] < candles.close.mean():
        return None
    return bk.Signal(position="long", price_take_profit=current_price * 1.02, price_stop_loss=current_price * 0.99)


def enter_plainly(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    candles = sync.get_candles(symbol, "15m", limit=48)
    assert_type(candles, bk.Candles)
    return None


def enter_by_mapping(symbol: str, when: datetime, current_price: float) -> dict[str, object]:
    return {"position": "long", "price_take_profit": 2.0, "price_stop_loss": 1.0}


async def enter_by_bracket(symbol: str, when: datetime, current_price: float) -> bk.Bracket:
    return bk.Position.bracket("long", current_price, percent_take_profit=2, percent_stop_loss=1)


class Strategy:
    async def get_signal(self, symbol: str, when: datetime, price: float) -> bk.Signal:
        return bk.Signal(position="short", price_take_profit=price * 0.9, price_stop_loss=price * 1.1)


bk.add_strategy(strategy_name="async", interval="15m", get_signal=enter)
bk.add_strategy(strategy_name="plain", get_signal=enter_plainly, warmup={"15m": 48}, risk_list=["a", "b"])
bk.add_strategy(strategy_name="method", get_signal=Strategy().get_signal, warmup=timedelta(days=1), on_error="raise")
bk.add_strategy(strategy_name="mapping", get_signal=enter_by_mapping)
bk.add_strategy(strategy_name="bracket", get_signal=enter_by_bracket)
bk.add_strategy(strategy_name="lambda", get_signal=lambda symbol, when, price: None)
bk.add_strategy(strategy_name="commands only", info={"mine": 1}, params={"fast": 3}, replace=True)
bk.add_strategy(bk.StrategySchema(strategy_name="schema", get_signal=enter), note="more")
bk.add_strategy({"strategy_name": "mapping"})
assert_type(bk.override_strategy("async", note="x"), bk.StrategySchema)
bk.override_strategy(strategy_name="async", get_signal=enter_plainly)
bk.override_strategy({"strategy_name": "async", "note": "y"})
assert_type(bk.get_strategy_schema("async"), bk.StrategySchema)
assert_type(bk.list_frame_schema(), list[bk.FrameSchema])


def on_open(symbol: str, signal: bk.PublicSignal, price: float, when: datetime, backtest: bool) -> None: ...
async def on_tick(symbol: str, result: bk.AnyResult, price: float, when: datetime, backtest: bool) -> None: ...
def on_closed_only(symbol: str, result: bk.TickResult, price: float, when: datetime, backtest: bool) -> int:
    return 1


bk.add_strategy(strategy_name="told", callbacks=bk.StrategyCallbacks(on_open=on_open, on_tick=on_tick))
bk.add_strategy(strategy_name="told wider", callbacks=bk.StrategyCallbacks(on_tick=on_closed_only))
bk.add_strategy(strategy_name="told by mapping", callbacks={"on_open": on_open})


async def load_rows(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> list[list[float]]:
    return []


def load_candles(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> bk.Candles:
    return bk.Candles.empty()


def load_named(
    symbol: str, interval: bk.CandleInterval, since: datetime, limit: int, backtest: bool
) -> list[bk.Candle]:
    return []


def load_array(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> npt.NDArray[np.float64]:
    return np.empty((0, 6))


def load_mappings(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> list[dict[str, float]]:
    return []


def load_pandas(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> pd.DataFrame:
    return pd.DataFrame()


async def load_polars(symbol: str, interval: str, since: datetime, limit: int, backtest: bool) -> pl.DataFrame:
    return pl.DataFrame()


bk.add_exchange(exchange_name="1", get_candles=load_rows)
bk.add_exchange(exchange_name="2", get_candles=load_candles, gaps="skip", base_interval="1h")
bk.add_exchange(exchange_name="3", get_candles=load_named)
bk.add_exchange(exchange_name="4", get_candles=load_array)
bk.add_exchange(exchange_name="5", get_candles=load_mappings)
bk.add_exchange(exchange_name="6", get_candles=load_pandas)
bk.add_exchange(exchange_name="7", get_candles=load_polars)


class Ready:
    def schema(self) -> bk.ExchangeSchema:
        return bk.ExchangeSchema(exchange_name="ready", get_candles=load_candles)


bk.add_exchange(Ready())
bk.add_exchange(Ready(), exchange_name="another")

bk.add_frame(frame_name="text", start_date="2025-06-01", end_date="2025-06-02", interval="5m")
bk.add_frame(frame_name="objects", start_date=date(2025, 6, 1), end_date=datetime(2025, 6, 2, tzinfo=UTC))
bk.add_frame(frame_name="ms", start_date=1_748_736_000_000, end_date=1_748_822_400_000)
assert_type(bk.get_frame_schema("text").start_date, datetime)


def no_more_than_three(payload: Any) -> str | None:
    return "enough" if payload.active_position_count >= 3 else None


bk.add_risk(risk_name="r", validations=[no_more_than_three, {"validate": no_more_than_three, "note": "n"}])
bk.add_sizing(sizing_name="z", method="fixed_percentage", risk_percentage=1)
bk.add_walker(walker_name="w", exchange_name="e", frame_name="f", strategies=["a", "b"], metric="total_pnl")
bk.add_walker(
    walker_name="o",
    exchange_name="e",
    frame_name="f",
    strategies=["a"],
    space={"fast": bk.IntRange(2, 9), "stop": bk.FloatRange(0.5, 2, log=True), "side": ["long", "short"]},
    metrics={"total_pnl": "maximise", "equity.max_drawdown": "minimise"},
    method="optuna",
    sampler="nsga2",
)
bk.add_sweep(sweep_name="s", exchange_name="e", grid_axes={"hold_minutes": [60, 120]})
bk.add_mcp(mcp_name="m", permissions=["get_status"])

assert_type(bk.set_config(percent_fee=0.05, on_error="raise"), bk.Config)
bk.set_config({"CC_PERCENT_FEE": 0.05}, unsafe=True)
assert_type(bk.get_config().percent_fee, float)
assert_type(bk.get_config().max_signals, int)


async def places() -> None:
    assert_type(bk.get_date(), datetime)
    assert_type((await bk.get_runtime_info()).current_price, float)
    assert_type(await bk.get_average_price("BTCUSDT"), float)
    assert_type(sync.get_average_price("BTCUSDT"), float)


def describe(result: bk.AnyResult) -> str:
    match result.action:
        case "closed":
            return f"{result.signal.id} {result.pnl.pnl_percentage}"  # narrowed by the literal
        case _:
            return result.symbol


@bk.listen_signal_closed
def on_closed(result: bk.ClosedResult) -> None: ...


@bk.listen_signal
async def on_any(result: bk.TickResult) -> None: ...  # a wider type than the event is fine


def reports(closed: list[bk.ClosedResult]) -> None:
    stop = bk.listen_signal_closed(closed.append, on_error="raise")
    assert_type(stop(), None)
    bk.listen_signal_opened(lambda result: print(result.signal.price_open))
    bk.listen_active_ping_once(lambda ping: ping.current_price > 1, lambda ping: print(ping.data.pnl))
    bk.listen_backtest_progress(lambda event: print(event.progress))


def take(results: Sequence[bk.ClosedResult]) -> float:
    return sum(result.pnl.pnl_percentage for result in results)


with bk.Kit({"percent_fee": 0.1}) as kit:
    assert_type(kit, bk.Kit)
    assert_type(kit.config, bk.Config)


def at_most_two(payload: bk.RiskPayload) -> bk.RiskRejection | None:
    return bk.RiskRejection("full", "two are open") if payload.active_position_count >= 2 else None


async def not_twice(payload: bk.RiskPayload) -> dict[str, str] | None:
    return {"id": "twice"} if any(p.symbol == payload.symbol for p in payload.active_positions) else None


bk.add_risk(
    risk_name="mixed",
    validations=[
        at_most_two,
        not_twice,
        {"validate": at_most_two, "note": "mine"},
        bk.rules.max_positions(3, per="side"),
    ],
    callbacks=bk.RiskCallbacks(on_rejected=lambda symbol, event: print(event.rejection_note)),
)
bk.add_sizing(
    sizing_name="asked", method="fixed_percentage", risk_percentage=1, balance=lambda symbol, when, backtest: 1.0
)
bk.listen_risk(lambda event: print(event.rejection_id, event.current_signal.pnl))


async def size() -> None:
    made = await bk.PositionSize.fixed_percentage("BTC", 10_000, 100, 98, sizing_name="asked", position="long")
    assert_type(made, bk.PositionSizing)
    assert_type(made.quantity, float)


class Wiki:
    def __init__(self, report: str) -> None:
        self.report = report

    async def wait_for_init(self, initial: bool) -> None: ...

    async def dump(self, content: str, options: bk.DumpOptions) -> None:
        print(self.report, len(content), options.key.symbol, options.folder / options.file)


async def reported(result: bk.BacktestResult) -> None:
    stop = bk.Markdown.enable(partial=True, risk=True)
    assert_type(stop(), None)
    bk.Markdown.use_markdown_adapter(Wiki)
    partial = bk.Partial.get_data("BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f")
    assert_type(partial, bk.PartialStatistics)
    print([row.level for row in partial.event_list if row.action == "profit"])
    commands = bk.Strategy.get_data("BTCUSDT", strategy_name="s", exchange_name="e")
    print(commands.average_buy_count, [event.percent_to_close for event in commands.event_list])
    worst = bk.MaxDrawdown.get_data("BTCUSDT", strategy_name="s", exchange_name="e", frame_name="f")
    print([event.signal.max_drawdown.pnl_percentage for event in worst.event_list])
    assert_type(result.analysis, bk.TradeAnalysis)
    assert_type(bk.Heat.get_data(exchange_name="e", frame_name="f", capital=1_000).equity, bk.EquityFigures | None)
    assert_type(bk.analyse([result.trade_set()]).costs.net, float)
    bk.listen_performance(lambda event: print(event.metric_type, event.duration))
    await bk.Report.flush()
    assert_type(await bk.Schedule.dump("BTCUSDT", strategy_name="s", exchange_name="e"), Path | None)
