"""Trade against moves of more than two standard deviations, in both directions.

A plain function: it reads candles through `backtestkit.sync`, whose functions are the same words without `await`.

    backtestkit backtest examples/mean_reversion.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/mean_reversion.py
"""

from datetime import datetime

import backtestkit as bk
from backtestkit import sync

ENTRY_DEVIATIONS = 2.0


def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    closes = sync.get_candles(symbol, "15m", 96).close
    mean, deviation = float(closes.mean()), float(closes.std(ddof=1))
    if deviation == 0:
        return None
    distance = (current_price - mean) / deviation
    if abs(distance) < ENTRY_DEVIATIONS:
        return None
    bracket = bk.Position.bracket(
        "short" if distance > 0 else "long", current_price, percent_take_profit=1, percent_stop_loss=1
    )
    return bk.Signal(**bracket, minute_estimated_time=360)


bk.add_strategy(strategy_name="mean-reversion", interval="5m", get_signal=get_signal, warmup={"15m": 96})


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-01", end_date="2025-06-15")
    run = bk.Backtest.run("BTCUSDT", strategy_name="mean-reversion", exchange_name="synthetic", frame_name="june")
    run.wait()
    print(
        bk.Backtest.get_report("BTCUSDT", strategy_name="mean-reversion", exchange_name="synthetic", frame_name="june")
    )
