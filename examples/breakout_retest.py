"""Wait for the price to come back to the level it broke.

When an hour closes above the highest price of the day before it, the old high often becomes support. The strategy does
not chase: its entry waits at that level (`price_open`), and is given up when the market does not return in time or goes
straight to the stop.

    backtestkit backtest examples/breakout_retest.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/breakout_retest.py
"""

from datetime import datetime

import backtestkit as bk

HOURS = 24


async def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    candles = await bk.get_candles(symbol, "1h", HOURS + 1)
    level = float(candles.high[:-1].max())
    if candles.close[-1] <= level or current_price <= level:
        return None
    return bk.Signal(
        position="long",
        price_open=level,
        price_take_profit=level * 1.02,
        price_stop_loss=level * 0.99,
        minute_estimated_time=12 * 60,
        note=f"broke {level:.2f}",
    )


bk.add_strategy(strategy_name="breakout-retest", interval="1h", get_signal=get_signal, warmup={"1h": HOURS + 1})


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-01", end_date="2025-06-15")
    run = bk.Backtest.run("BTCUSDT", strategy_name="breakout-retest", exchange_name="synthetic", frame_name="june")
    run.wait()
    print(
        bk.Backtest.get_report("BTCUSDT", strategy_name="breakout-retest", exchange_name="synthetic", frame_name="june")
    )
