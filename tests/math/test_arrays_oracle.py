"""Array tests against a plain loop: the same trades bit for bit, the same equity and figures."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest
from array_oracle import Rules, Trade, changed, columns, decided, equity_of, profit, trades_of
from hypothesis import given, settings
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.math.profit import Costs
from backtestkit.model.candle import Candles

START = 1_735_689_600_000
HOUR = 3_600_000
PERCENTS = st.one_of(st.just(nan), st.sampled_from([0.5, 1.0, 3.0, 10.0, 40.0]))


@st.composite
def markets(draw: st.DrawFn) -> Candles:
    """Candles that gap and jump, some of them so far that a short loses everything."""
    count = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.002, 0.02, 0.15, 0.5]))
    moves = rng.normal(0, spread, (count, 4))
    close = 100 * np.exp(np.clip(np.cumsum(moves[:, 0]), -8, 8))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(moves[:, 1] / 2)
    if draw(st.booleans()):
        close, opened = np.round(close, 1) + 0.1, np.round(opened, 1) + 0.1  # so that levels are met exactly
    high = np.maximum(opened, close) * np.exp(np.abs(moves[:, 2]))
    low = np.minimum(opened, close) * np.exp(-np.abs(moves[:, 3]))
    return Candles.from_columns(START + HOUR * np.arange(count), opened, high, low, close, np.ones(count))


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    costs = draw(st.sampled_from([Costs(0.0, 0.0), Costs(0.1, 0.1), Costs(1.5, 0.7), Costs(0.0, 30.0)]))
    fill = draw(st.sampled_from(["next_open", "close"]))
    return Rules(fill, draw(PERCENTS), draw(PERCENTS), draw(PERCENTS), costs)


def options(rules: list[Rules]) -> dict[str, Any]:
    """The rules of several sets, which share fill and costs, as arguments."""
    return {
        "fill": rules[0].fill,
        "percent_stop_loss": [one.stop_loss for one in rules],
        "percent_take_profit": [one.take_profit for one in rules],
        "percent_trailing_stop": [one.trailing_stop for one in rules],
        "percent_fee": rules[0].costs.percent_fee,
        "percent_slippage": rules[0].costs.percent_slippage,
        "periods_per_year": 8760,
    }


def check(result: bk.ArrayResult, number: int, candles: Candles, trades: list[Trade], rules: Rules) -> None:
    """One set of a test is what the loop found."""
    table = result.trades(number)
    for name, cells in columns(trades, rules.costs).items():
        assert table[name].tolist() == cells, name
    account = equity_of(candles, trades, rules)
    curve = result.equity(number)
    assert curve.equity.tolist() == pytest.approx(account, rel=1e-10, abs=1e-12)
    assert (curve.invested > 0).tolist() == held(table, trades, len(candles))
    expected = figures_of(account, trades, rules, len(candles))
    row = result.row(number)
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name


def held(table: bk.Table, trades: list[Trade], candles: int) -> list[bool]:
    """In which candles a set that still had something held a position."""
    open_in = [False] * candles
    for trade, before in zip(trades, table["equity_before"].tolist(), strict=True):
        for t in range(trade.start, trade.stop):
            open_in[t] = before > 0
    return open_in


def figures_of(account: list[float], trades: list[Trade], rules: Rules, candles: int) -> dict[str, float]:
    costs = rules.costs
    pnl = [profit(trade, trade.price_close, costs) for trade in trades]
    wins, losses = [p for p in pnl if p > 0], [p for p in pnl if p < 0]
    before, turnover, fee, slippage = 1.0, 0.0, 0.0, 0.0
    for trade, percent in zip(trades, pnl, strict=True):
        move = trade.price_close / trade.price_open
        side = trade.side * costs.percent_slippage / 100
        slipped = trade.price_close * (1 - side) / (trade.price_open * (1 + side))
        turnover += before * (1 + move)
        fee += before * costs.percent_fee * (1 + slipped)
        slippage += before * trade.side * (move - slipped) * 100
        before *= max(0.0, 1 + percent / 100)
    peak, drawdown, returns = 0.0, 0.0, []
    for t, value in enumerate(account):
        peak = max(peak, value)
        drawdown = max(drawdown, (1 - value / peak) * 100)
        if t:
            returns.append(value / account[t - 1] - 1 if account[t - 1] > 0 else 0.0)
    mean = sum(returns) / len(returns)
    spread = sqrt(sum((r - mean) ** 2 for r in returns) / max(len(returns) - 1, 1))
    figures = {
        "trades": len(trades),
        "win_rate": len(wins) / len(wins + losses) * 100 if wins + losses else nan,
        "total_return": (before - 1) * 100,
        "total_pnl": sum(pnl),
        "avg_pnl": sum(pnl) / len(pnl) if pnl else nan,
        "profit_factor": sum(wins) / -sum(losses) if wins and losses else nan,
        "max_drawdown": drawdown,
        "exposure": sum(trade.stop - trade.start for trade in trades) / candles * 100,
        "turnover": turnover,
        "fee_paid": fee,
        "slippage_paid": slippage,
        "ambiguous_exits": sum(trade.ambiguous for trade in trades),
    }
    if spread > 1e-7:  # nearer to the bound rounding may decide whether there is a spread
        figures["sharpe_ratio"] = mean / spread * sqrt(8760)
    return figures


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_signals_trade_like_the_loop(data: st.DataObject) -> None:
    candles = data.draw(markets())
    first = data.draw(rules())
    second = Rules(first.fill, data.draw(PERCENTS), data.draw(PERCENTS), data.draw(PERCENTS), first.costs)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    share = data.draw(st.sampled_from([0.05, 0.3, 0.7]))
    signals = rng.random((4, 2, len(candles))) < share
    names = ("long_entries", "long_exits", "short_entries", "short_exits")
    with bk.Kit():
        result = bk.arrays.run_signals(candles, **dict(zip(names, signals, strict=True)), **options([first, second]))
    for number, own in enumerate((first, second)):
        decisions = [decided(*map(bool, signals[:, number, t])) for t in range(len(candles))]
        check(result, number, candles, trades_of(candles, decisions, own), own)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_positions_trade_like_the_loop(data: st.DataObject) -> None:
    candles = data.draw(markets())
    own = data.draw(rules())
    if data.draw(st.booleans()):
        own = Rules(fill=own.fill, costs=own.costs)  # without levels another way is taken
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    targets = np.repeat(rng.integers(-1, 2, (3, len(candles))), data.draw(st.integers(1, 4)), axis=1)[:, : len(candles)]
    with bk.Kit():
        result = bk.arrays.run_positions(candles, targets, **options([own] * 3))
    for number, row in enumerate(targets.tolist()):
        decisions = [changed(before, now) for before, now in zip([0, *row], row, strict=False)]
        check(result, number, candles, trades_of(candles, decisions, own), own)


@settings(max_examples=60, deadline=None)
@given(markets(), st.integers(0, 2**32 - 1))
def test_levels_that_are_never_met_change_nothing(candles: Candles, seed: int) -> None:
    signals = np.random.default_rng(seed).random((4, 3, len(candles))) < 0.2
    names = ("long_entries", "long_exits", "short_entries", "short_exits")
    given_signals = dict(zip(names, signals, strict=True))
    with bk.Kit():
        without = bk.arrays.run_signals(candles, **given_signals)
        far = bk.arrays.run_signals(candles, **given_signals, percent_take_profit=1e12)
    assert far.to_table()["total_return"].tolist() == without.to_table()["total_return"].tolist()
    for number in range(3):
        assert far.trades(number)["price_close"].tolist() == without.trades(number)["price_close"].tolist()
        assert inf not in far.trades(number)["pnl"].tolist()
