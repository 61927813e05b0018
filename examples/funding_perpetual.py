"""Collect the funding of a perpetual: stand on the side that is paid, over the moment it is paid.

Perpetual futures exchange a payment between longs and shorts every eight hours. Half an hour before it, this strategy
looks at the last rate: while longs pay, it goes short, and the other way round, with a bracket around it and an hour to
live. Payments are part of every profit, and the report says what they came to.

The exchange must know funding rates; files of candles do not, and then nothing is traded.

    python examples/funding_perpetual.py
"""

from datetime import datetime, timedelta
from typing import Literal

import backtestkit as bk

EIGHT_HOURS = timedelta(hours=8)
MINIMUM_RATE = 0.0002  # a fraction of the notional: 0.02 %


async def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    if when.hour % 8 != 7 or when.minute != 30:
        return None
    try:
        rates = await bk.get_funding_rates(symbol, when - EIGHT_HOURS)
    except bk.UsageError:  # this exchange has none
        return None
    if not rates or abs(rates[-1].rate) < MINIMUM_RATE:
        return None
    paid: Literal["long", "short"] = "short" if rates[-1].rate > 0 else "long"
    bracket = bk.Position.bracket(paid, current_price, percent_take_profit=1, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=60, multiplier=3)


bk.add_strategy(strategy_name="funding-perpetual", interval="30m", get_signal=get_signal)


def made_up_rates(symbol: str, since: datetime, until: datetime, backtest: bool) -> list[tuple[int, float]]:
    """SYNTHETIC rates that swing between -0.06 % and +0.06 % over two days."""
    step = EIGHT_HOURS // timedelta(milliseconds=1)
    first = -(-int(since.timestamp() * 1000) // step)
    last = int(until.timestamp() * 1000) // step
    return [(i * step, 0.0006 * (1 - abs(i % 6 - 3) / 1.5)) for i in range(first, last + 1)]


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7), get_funding_rates=made_up_rates)
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-02", end_date="2025-06-30")
    run = bk.Backtest.run("BTCUSDT", strategy_name="funding-perpetual", exchange_name="synthetic", frame_name="june")
    run.wait()
    print(
        bk.Backtest.get_report(
            "BTCUSDT", strategy_name="funding-perpetual", exchange_name="synthetic", frame_name="june"
        )
    )
