"""Three symbols, one account: a share of it at risk per trade, and rules that all of them answer to.

The strategy buys dips below the mean of a day and leaves the cost to a sizing. The risk profile holds two positions at
most, keeps symbols that move together apart, and stops for the day when too much is lost. Run together, the symbols keep
step on one simulated time: a place that one of them takes is taken for the others, and what one of them earns is there
for the next position of another.

    backtestkit backtest examples/portfolio_risk.py --symbol BTCUSDT --candles btc_1m.parquet
    python examples/portfolio_risk.py
"""

import asyncio
from collections import Counter
from datetime import datetime

import backtestkit as bk

BALANCE = 10_000


class Account:
    """What all symbols trade with: a start and everything that was earned since."""

    def __init__(self) -> None:
        self.value = float(BALANCE)
        bk.listen_signal_closed(self.book)

    def book(self, result: bk.ClosedResult) -> None:
        self.value += result.pnl.pnl_cost

    def balance(self, symbol: str, when: datetime, backtest: bool) -> float:
        return self.value


account = Account()


async def get_signal(symbol: str, when: datetime, current_price: float) -> bk.Signal | None:
    closes = (await bk.get_candles(symbol, "1h", 24)).close
    if current_price > closes.mean() - 0.5 * closes.std(ddof=1):
        return None
    bracket = bk.Position.bracket("long", current_price, percent_take_profit=1.5, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=360)


bk.add_sizing(
    sizing_name="one-percent",
    method="fixed_percentage",
    risk_percentage=1,
    balance=account.balance,
    max_position_percentage=50,
)
bk.add_risk(
    risk_name="account",
    validations=[
        bk.rules.max_positions(2),
        bk.rules.correlated({"majors": ["BTCUSDT", "ETHUSDT"]}),
        bk.rules.cooldown_after_loss(60, per="symbol"),
        bk.rules.daily_loss(cost=0.03 * BALANCE),
        bk.rules.max_drawdown(20, capital=BALANCE),
    ],
)
bk.add_strategy(
    strategy_name="portfolio-risk",
    interval="15m",
    get_signal=get_signal,
    risk_name="account",
    sizing_name="one-percent",
    warmup={"1h": 24},
)


async def main() -> None:
    refused: Counter[str] = Counter()
    bk.listen_risk(lambda event: refused.update([event.rejection_id or "other"]))
    runs = [
        bk.Backtest.run(symbol, strategy_name="portfolio-risk", exchange_name="synthetic", frame_name="june")
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    ]
    results = await asyncio.gather(*(run.result() for run in runs))
    print(
        bk.Backtest.get_report("BTCUSDT", strategy_name="portfolio-risk", exchange_name="synthetic", frame_name="june")
    )
    for result in results:
        earned = sum(trade.pnl.pnl_cost for trade in result.closed)
        print(f"{result.key.symbol}: {len(result.closed)} trades, {earned:+.2f}")
    print(f"account: {account.value:.2f}")
    print("refused:", ", ".join(f"{name} {count}" for name, count in refused.most_common()))


if __name__ == "__main__":
    bk.add_exchange(bk.SyntheticExchange("synthetic", seed=7))
    bk.add_frame(frame_name="june", interval="1m", start_date="2025-06-02", end_date="2025-06-16")
    asyncio.run(main())
