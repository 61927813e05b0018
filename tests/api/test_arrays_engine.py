"""An idea that an array test found, traded by the engine: where the rules coincide, the trades do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.model.interval import MINUTE_MS, to_ms

START = 1_735_689_600_000
MINUTES = 3 * 1440
FIRST = 60
"""The candle that opens when the frame begins."""


def market() -> bk.Candles:
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, MINUTES)))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, 0.0003, MINUTES))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.0005, MINUTES)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.0005, MINUTES)))
    return bk.Candles.from_columns(START + MINUTE_MS * np.arange(MINUTES), opened, high, low, close, np.ones(MINUTES))


def signals(candles: bk.Candles) -> dict[str, Any]:
    fast, slow = bk.arrays.sma(candles.close, [5, 30])
    up, down = bk.arrays.crossed_above(fast, slow), bk.arrays.crossed_below(fast, slow)
    up[:FIRST], down[:FIRST] = False, False
    # Every other day shorts; the engine does not turn a position around, so no side is entered where one is left. The
    # candle on which an exit fills is over when the engine knows of it, so nothing is entered at its close either.
    short_day = np.arange(MINUTES) // 1440 % 2 == 1
    last = np.arange(MINUTES) % 1440 == 1439
    return {
        "long_entries": up & ~short_day & ~last & ~np.roll(down, 1),
        "long_exits": down | last,
        "short_entries": down & short_day & ~last & ~np.roll(up, 1),
        "short_exits": up | last,
    }


@pytest.mark.parametrize(
    "costs", [{"percent_fee": 0.0, "percent_slippage": 0.0}, {"percent_fee": 0.04, "percent_slippage": 0.02}]
)
def test_the_engine_makes_the_trades_of_an_array_test(costs: dict[str, float]) -> None:
    candles = market()
    decided = signals(candles)
    side = np.where(decided["long_entries"], 1, 0) - np.where(decided["short_entries"], 1, 0)

    def closed_candle(when: int) -> int:
        return (when - START) // MINUTE_MS - 1

    async def get_signal(symbol: str, when: datetime, price: float) -> bk.Signal | None:
        now = int(side[closed_candle(to_ms(when))])
        if now == 0:
            return None
        return bk.Signal(
            position="long" if now == 1 else "short",
            price_take_profit=price * (1 + 0.4 * now),
            price_stop_loss=price * (1 - 0.4 * now),
            minute_estimated_time=MINUTES,
        )

    async def on_ping(event: bk.PingEvent) -> None:
        ends = decided["long_exits" if event.row.position == "long" else "short_exits"]
        if ends[closed_candle(event.timestamp)]:
            await bk.commit_close_pending(event.symbol)

    with bk.Kit():
        far = {"max_stoploss_distance_percent": 90.0, "max_signal_lifetime_minutes": MINUTES}
        bk.set_config(costs | far, unsafe=True)
        bk.add_exchange(
            exchange_name="walk", read_candles=lambda symbol, interval, since, until: between(candles, since, until)
        )
        bk.add_frame(frame_name="days", start_date=START + FIRST * MINUTE_MS, end_date=START + MINUTES * MINUTE_MS)
        bk.add_strategy(strategy_name="crossing", interval="1m", get_signal=get_signal)
        bk.listen_active_ping(on_ping)
        result = bk.Backtest.run(
            "BTCUSDT", strategy_name="crossing", exchange_name="walk", frame_name="days", policy="next_open"
        ).wait()
        tested = bk.arrays.run_signals(candles, **decided)
    trades = tested.trades(0)
    engine = result.to_table()
    assert len(trades) > 40
    for name in ("position", "open_time", "price_close", "close_reason"):
        assert engine[name].tolist() == trades[name].tolist(), name
    assert engine["original_price_open"].tolist() == trades["price_open"].tolist()
    # A fill at an open that a command asked for is dated by the end of its candle there.
    assert (engine["close_time"] - MINUTE_MS)[:-1].tolist() == trades["close_time"][:-1].tolist()
    assert engine["pnl"].tolist() == pytest.approx(trades["pnl"].tolist(), rel=1e-12, abs=1e-12)


def between(candles: bk.Candles, since: int, until: int) -> bk.Candles:
    low, high = candles.timestamp.searchsorted([since, until])
    return candles[int(low) : int(high)]
