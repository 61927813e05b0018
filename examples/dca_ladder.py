"""Average into dips, and close all of it once the blended position is in profit.

The first rung is bought at the market. Whenever the price has fallen another STEP percent below the lowest rung, the same
amount is bought again, at most RUNGS times in all; each rung pulls the entry price of the whole down. A callback looks
once a minute. It closes when the position has earned TARGET percent after fees, however many rungs that took.

Such a ladder wins often and loses seldom, but then much: look at the worst trade in the report, not at the win rate.

    backtestkit backtest examples/dca_ladder.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/dca_ladder.py
"""

from datetime import datetime

import backtestkit as bk

RUNGS = 10
STEP = 0.5
TARGET = 0.4
COST = 100.0


def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal:
    bag = bk.Position.moonbag("long", current_price, percent_stop_loss=10)
    return bk.Signal(**bag, minute_estimated_time=24 * 60, cost=COST)


async def on_active_ping(symbol: str, signal: bk.PublicSignal, price: float, when: datetime, backtest: bool) -> None:
    if signal.pnl.pnl_percentage >= TARGET:
        await bk.commit_close_pending(symbol, note=f"{signal.total_entries} rungs")
        return
    lowest = min(entry.price for entry in signal.entries)
    if signal.total_entries < RUNGS and price <= lowest * (1 - STEP / 100):
        await bk.commit_average_buy(symbol, COST)


bk.add_strategy(
    strategy_name="dca-ladder", interval="1h", get_signal=get_signal, callbacks={"on_active_ping": on_active_ping}
)


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-01", end_date="2025-06-15")
    run = bk.Backtest.run("BTCUSDT", strategy_name="dca-ladder", exchange_name="synthetic", frame_name="june")
    run.wait()
    print(bk.Backtest.get_report("BTCUSDT", strategy_name="dca-ladder", exchange_name="synthetic", frame_name="june"))
