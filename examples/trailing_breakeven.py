"""Follow a breakout with the stop: first to the entry, then behind the best price.

The strategy goes with a price that leaves the range of the last six hours, in either direction. Two events move its stop:
once a stop at the entry would pay for the costs, that is where it goes, and with every new best price it follows at
TRAIL percent. Both commands only ever tighten, so neither has to ask where the stop is. Nothing is watched between the
events, and the run still jumps over quiet minutes.

    backtestkit backtest examples/trailing_breakeven.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/trailing_breakeven.py
"""

from datetime import datetime

import backtestkit as bk

NAME = "trailing-breakeven"
TRAIL = 1.0


async def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    candles = await bk.get_candles(symbol, "15m", 24)
    if candles.low.min() <= current_price <= candles.high.max():
        return None
    side: bk.PositionSide = "long" if current_price > candles.high.max() else "short"
    bracket = bk.Position.bracket(side, current_price, percent_take_profit=6, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=24 * 60)


async def to_breakeven(event: bk.BreakevenEvent) -> None:
    if event.strategy_name == NAME:
        await bk.commit_breakeven(event.symbol)


async def trail(event: bk.ExtremeEvent) -> None:
    if event.strategy_name == NAME:
        behind = -TRAIL if event.signal.position == "long" else TRAIL
        await bk.commit_trailing_stop_cost(event.symbol, event.current_price * (1 + behind / 100))


bk.add_strategy(strategy_name=NAME, interval="5m", get_signal=get_signal, warmup={"15m": 24})
bk.listen_breakeven_available(to_breakeven)
bk.listen_highest_profit(trail)


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-01", end_date="2025-06-15")
    run = bk.Backtest.run("BTCUSDT", strategy_name=NAME, exchange_name="synthetic", frame_name="june")
    run.wait()
    print(bk.Backtest.get_report("BTCUSDT", strategy_name=NAME, exchange_name="synthetic", frame_name="june"))
