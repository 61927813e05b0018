"""The workloads. Each prepares outside the clock and returns what to time."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import backtestkit as bk

from .market import MINUTE, MONTH, START, YEAR, hours_of, month_of, walk, year

HISTORY = 315
TAIL = 260
DAY = 86_400_000
SWEEP_IDEAS = 100
SWEEP_DAYS = 60
CONFIG = {
    "percent_fee": 0,
    "percent_slippage": 0,
    "min_takeprofit_distance_percent": 0.1,
    "min_stoploss_distance_percent": 0.1,
    "keep_runs": False,
}
Timed = Callable[[], int]
"""What is timed; it gives the number of trades, or 0 where there are none."""


async def above_mean(symbol: str, when: datetime, price: float) -> bk.Signal | None:
    """Long when the last close is above the mean of the last 20 closes 15 minutes apart."""
    if when.minute % 15:
        return None
    closes = (await bk.get_candles(symbol, "1m", 300)).close
    if closes[-1] <= closes[14::15].mean():
        return None
    return bk.Signal(
        position="long", price_take_profit=price * 1.01, price_stop_loss=price * 0.995, minute_estimated_time=240
    )


def market_kit(markets: dict[str, bk.Candles], count: int, get_signal: bk.GetSignal = above_mean) -> bk.Kit:
    """A kit with markets of `count` minutes and a strategy over them."""
    kit = bk.Kit()
    with kit:
        register_market(markets, count, get_signal)
    return kit


def register_market(markets: dict[str, bk.Candles], count: int, get_signal: bk.GetSignal) -> None:
    """The same in the current kit."""

    def read(symbol: str, interval: str, since: int, until: int) -> bk.Candles:
        source = markets[symbol]
        low, high = source.timestamp.searchsorted([since, until])
        return source[int(low) : int(high)]

    bk.set_config(CONFIG, unsafe=True)
    bk.add_exchange(exchange_name="walk", read_candles=read)
    bk.add_frame(frame_name="frame", start_date=START + HISTORY * MINUTE, end_date=START + (count - TAIL) * MINUTE)
    bk.add_strategy(strategy_name="above-mean", interval="15m", get_signal=get_signal)


def _run(symbol: str) -> bk.BacktestRun:
    return bk.Backtest.run(
        symbol, strategy_name="above-mean", exchange_name="walk", frame_name="frame", policy="reference"
    )


def w1() -> Timed:
    """One symbol, a year of minutes, nobody listening."""
    kit = market_kit({"BTCUSDT": year()}, YEAR)

    def timed() -> int:
        with kit:
            return len(_run("BTCUSDT").wait().closed)

    return timed


def w1_kept() -> Timed:
    """The same, kept in a run store with its trades."""
    kit = market_kit({"BTCUSDT": year()}, YEAR)
    folder = tempfile.TemporaryDirectory()
    with kit:
        bk.set_config(keep_runs=True, runs_path=f"{folder.name}/runs.db")

    def timed() -> int:
        with kit:
            return len(_run("BTCUSDT").wait().closed)

    return timed


def w1_minute() -> Timed:
    """The same with a listener that hears every open minute."""
    kit = market_kit({"BTCUSDT": year()}, YEAR)
    heard = [0]

    def on_ping(event: bk.PingEvent) -> None:
        heard[0] += 1

    with kit:
        bk.listen_active_ping(on_ping)

    def timed() -> int:
        with kit:
            trades = len(_run("BTCUSDT").wait().closed)
        assert heard[0] > 250_000
        return trades

    return timed


def w1_dca() -> Timed:
    """A ladder that averages into dips, up to ten rungs, and closes on the blended target; a ping every open minute."""
    kit = market_kit({"BTCUSDT": year()}, YEAR, _ladder_entry)

    async def on_ping(event: bk.PingEvent) -> None:
        row, price = event.row, event.current_price
        if len(row.entries) < 10 and price < row.entries[-1].price * 0.996:
            await bk.commit_average_buy(event.symbol, 100.0)
        elif len(row.entries) > 1 and (await bk.get_position_pnl_percent(event.symbol, price) or 0.0) > 0.5:
            await bk.commit_close_pending(event.symbol)

    with kit:
        bk.listen_active_ping(on_ping)

    def timed() -> int:
        with kit:
            return len(_run("BTCUSDT").wait().closed)

    return timed


def _ladder_entry(symbol: str, when: datetime, price: float) -> bk.Signal:
    return bk.Signal(
        position="long", price_take_profit=price * 1.01, price_stop_loss=price * 0.9, minute_estimated_time=1440
    )


def w4() -> Timed:
    """Ten symbols, thirty days each, at once in one process."""
    symbols = [f"S{i:02d}" for i in range(10)]
    kit = market_kit({symbol: month_of(i) for i, symbol in enumerate(symbols)}, MONTH)

    async def everything() -> int:
        results = await asyncio.gather(*(_run(symbol).result() for symbol in symbols))
        return sum(len(result.closed) for result in results)

    def timed() -> int:
        with kit:
            return asyncio.run(everything())

    return timed


def walker() -> Timed:
    """Fifty sets of parameters of one strategy over thirty days, one after another."""
    kit = market_kit({"BTCUSDT": month_of(0)}, MONTH, walk_entry)
    with kit:
        bk.add_walker(
            walker_name="sets",
            exchange_name="walk",
            frame_name="frame",
            strategies=["above-mean"],
            space={"fast": list(range(2, 12)), "slow": [20, 40, 60, 80, 100]},
            metric="total_pnl",
        )

    def timed() -> int:
        with kit:
            came_to = bk.Walker.run("BTCUSDT", walker_name="sets", policy="reference").wait()
        assert len(came_to.strategy_results) == 50
        return sum(result.stats.total_signals for result in came_to.strategy_results)

    return timed


async def walk_entry(symbol: str, when: datetime, price: float) -> bk.Signal | None:
    """Long when the mean of the last closes is above that of more of them."""
    params = bk.get_params()
    closes = (await bk.get_candles(symbol, "1m", params["slow"])).close
    if closes[-params["fast"] :].mean() <= closes.mean():
        return None
    return bk.Signal(
        position="long", price_take_profit=price * 1.01, price_stop_loss=price * 0.995, minute_estimated_time=240
    )


def w3s() -> Timed:
    """A hundred ideas of five authors over a thousand exit rules, up to a day of minutes each; all trades are read."""
    kit = market_kit({"BTCUSDT": walk(SWEEP_DAYS * 1_440, 7)}, MONTH)
    gaps = SWEEP_DAYS * 1_440 // (SWEEP_IDEAS + 4)
    ideas = [
        {
            "id": str(i),
            "timestamp": START + i * gaps * MINUTE,
            "symbol": "BTCUSDT",
            "direction": "long" if i % 2 else "short",
            "author": "abcde"[i * 7 % 5],
        }
        for i in range(SWEEP_IDEAS)
    ]
    axes = {
        "hard_stop_percent": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "trailing_take_percent": [0.5, 1, 1.5, 2, 2.5],
        "hold_minutes": [180, 360, 720, 1_440],
        "profit_lock_percent": [1, 1.5, 2, 3, 4],
    }
    with kit:
        bk.add_sweep(sweep_name="grid", exchange_name="walk", grid_axes=axes, holdout_percent=0)

    def timed() -> int:
        with kit:
            came_to = bk.Sweep.run("BTCUSDT", sweep_name="grid", ideas=ideas, policy="reference").wait()
        assert came_to.points == 1_000 and came_to.in_sample.ideas == SWEEP_IDEAS
        assert len(list(came_to.in_sample.tracks)) == 5_000
        return sum(len(report.trades) for report in came_to.in_sample.reports)

    return timed


def w3(**levels: float) -> Timed:
    """A thousand pairs of moving averages over a year of hours, as arrays: averages, crossings, trades and figures."""
    candles = hours_of(year())
    fast, slow = list(range(2, 42)), list(range(45, 166, 5))
    pairs = {"fast": [f for f in fast for _ in slow], "slow": slow * len(fast)}

    def timed() -> int:
        first, second = (bk.arrays.sma(candles.close, windows) for windows in (fast, slow))
        result = bk.arrays.run_signals(
            candles,
            long_entries=bk.arrays.crossed_above(first[:, None], second).reshape(-1, len(candles)),
            long_exits=bk.arrays.crossed_below(first[:, None], second).reshape(-1, len(candles)),
            percent_stop_loss=levels.get("stop_loss"),
            percent_take_profit=levels.get("take_profit"),
            percent_trailing_stop=levels.get("trailing_stop"),
            percent_fee=0,
            percent_slippage=0,
            params=pairs,
        )
        assert len(result) == 1000
        return int(result["trades"].sum())

    return timed


def w3_levels() -> Timed:
    """The same with a stop loss, a take profit and a trailing stop."""
    return w3(stop_loss=2.0, take_profit=6.0, trailing_stop=4.0)


def exports() -> Timed:
    """The trades of W1 as a pandas and a polars frame, and as CSV, JSON and Parquet files."""
    with market_kit({"BTCUSDT": year()}, YEAR):
        result = _run("BTCUSDT").wait()
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)

    def timed() -> int:
        frames = (result.to_pandas(), result.to_polars())
        files = (result.to_csv(path / "a.csv"), result.to_json(path / "a.json"), result.to_parquet(path / "a.parquet"))
        assert {len(frame) for frame in frames} == {len(result.closed)} and all(file.exists() for file in files)
        return len(result.closed)

    timed()  # imports of the libraries are not part of it
    return timed


def w7() -> Timed:
    """Write a year of candles into the store and read it back."""
    from backtestkit.market.candle_store import CandleStore

    candles = year()
    folder = tempfile.TemporaryDirectory()

    def timed() -> int:
        with tempfile.TemporaryDirectory(dir=folder.name) as fresh:
            store = CandleStore(Path(fresh))
            end = START + YEAR * MINUTE
            asyncio.run(store.write("walk", "BTCUSDT", "1m", START, end, candles, fetched_at=end + DAY))
            back, missing = store.read("walk", "BTCUSDT", "1m", START, end)
        assert len(back) == len(candles) and not missing
        return 0

    timed()  # imports of the reader are not part of it
    return timed


def command_line_day(folder: Path) -> list[str]:
    """The command of a one-day backtest; its files are written into `folder`."""
    from pyarrow import parquet

    parquet.write_table(walk(1_440 + 600, 7).to_arrow(), folder / "BTCUSDT.parquet")
    strategy = folder / "strategy.py"
    strategy.write_text(_STRATEGY, encoding="utf-8")
    return [
        sys.executable, "-m", "backtestkit", "backtest", str(strategy), "--symbol", "BTCUSDT",
        "--candles", str(folder / "BTCUSDT.parquet"), "--output", str(folder), "--no-progress",
    ]  # fmt: skip


_STRATEGY = """import backtestkit as bk


async def get_signal(symbol, when, price):
    closes = (await bk.get_candles(symbol, "1m", 300)).close
    if closes[-1] > closes[14::15].mean():
        return bk.Signal(position="long", price_take_profit=price * 1.01, price_stop_loss=price * 0.99)


bk.add_strategy(strategy_name="above-mean", interval="15m", get_signal=get_signal, warmup={"1m": 300})
"""

WORKLOADS: dict[str, Callable[[], Timed]] = {
    "W1": w1,
    "W1-kept": w1_kept,
    "W1-minute": w1_minute,
    "W1-dca": w1_dca,
    "W3": w3,
    "W3-levels": w3_levels,
    "W4": w4,
    "walker": walker,
    "W3S": w3s,
    "exports": exports,
    "W7": w7,
}
"""Workloads that run in the process that prepared them. W6 times whole processes and lives in `startup`."""
