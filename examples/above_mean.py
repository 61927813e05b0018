"""Buy while the price stands above its mean of twelve hours.

The shortest strategy that reads candles: one question every 15 minutes, one bracket, four hours at most. `warmup` says
how much history it needs, so its first question comes when there is enough.

    backtestkit backtest examples/above_mean.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/above_mean.py
"""

from datetime import datetime

import backtestkit as bk


async def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    candles = await bk.get_candles(symbol, "15m", 48)  # columns, oldest first; never past `when`
    if candles.close[-1] < candles.close.mean():
        return None
    bracket = bk.Position.bracket("long", current_price, percent_take_profit=2, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=240)


bk.add_strategy(strategy_name="above-mean", interval="15m", get_signal=get_signal, warmup={"15m": 48})


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-01", end_date="2025-06-15")
    run = bk.Backtest.run("BTCUSDT", strategy_name="above-mean", exchange_name="synthetic", frame_name="june")
    run.wait()
    print(bk.Backtest.get_report("BTCUSDT", strategy_name="above-mean", exchange_name="synthetic", frame_name="june"))
