"""Two authors say the opposite of each other. By which exit rule would following them have paid, and does that last?

One calls breakouts of the last day's range, the other calls every one of them false. The market is a random walk, so
neither knows anything: watch what becomes of the best of 560 rules on the ideas that were held out.

    python examples/forecast_sweep.py
"""

from collections.abc import Iterator

import backtestkit as bk

HOUR = 3_600_000
START, DAYS = 1_748_736_000_000, 90  # 2025-06-01


def breakouts(market: bk.SyntheticExchange, symbol: str) -> Iterator[bk.Idea]:
    """An idea of each author whenever an hour closes outside the range of the 24 before it."""
    hours = market.read_candles(symbol, "1h", START, START + DAYS * 24 * HOUR)
    for i in range(24, len(hours)):
        before, close = hours[i - 24 : i], hours.close[i]
        if before.low.min() <= close <= before.high.max():
            continue
        up, now = close > before.high.max(), int(hours.timestamp[i]) + HOUR
        yield bk.Idea(f"break-{i}", now, symbol, "long" if up else "short", "breakout")
        yield bk.Idea(f"fade-{i}", now, symbol, "short" if up else "long", "fade")


market = bk.SyntheticExchange("synthetic", seed=7)
bk.add_exchange(market)
bk.add_sweep(
    sweep_name="forecast-sweep",
    exchange_name="synthetic",
    grid_axes={
        "hard_stop_percent": [1, 2, 3, 4, 5, 6, 8],
        "trailing_take_percent": [0.5, 1, 2, 3, 5],
        "hold_minutes": [240, 720, 1440, 2880],
        "profit_lock_percent": [0, 1, 2, 3],
    },
)


if __name__ == "__main__":
    ideas = list(breakouts(market, "BTCUSDT"))
    bk.Sweep.run("BTCUSDT", sweep_name="forecast-sweep", ideas=ideas).wait()
    print(bk.Sweep.get_report("BTCUSDT", sweep_name="forecast-sweep"))
