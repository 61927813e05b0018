"""Our figures against those of well-kept libraries, on random series and on real markets.

Oracles: empyrical-reloaded for figures of return series, scipy for moments, regressions and roots, pandas for calendars.
The tolerances are relative; where a definition differs on purpose the test says how.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trades import COSTS, START, at, closed, marks, with_profit

from backtestkit.math import statistics_equity as q
from backtestkit.math import statistics_formulas as f
from backtestkit.math import statistics_returns as r
from backtestkit.math.profit import Costs
from backtestkit.math.statistics import backtest_statistics
from backtestkit.math.statistics_analysis import analyse
from backtestkit.math.statistics_positions import TradeSet, position_path
from backtestkit.math.statistics_price import trend_line
from backtestkit.math.statistics_weighted import cash_flows, money_weighted_return, time_in_market
from backtestkit.model.analysis import EquityCurve, Marks, TradingYear
from backtestkit.model.candle import Floats
from backtestkit.model.interval import DAY_MS
from backtestkit.model.signal import ProfitLoss
from backtestkit.model.statistics import TradeColumns

empyrical = pytest.importorskip("empyrical", reason="the oracle empyrical-reloaded is not installed")
stats = pytest.importorskip("scipy.stats", reason="the oracle scipy is not installed")
optimize = pytest.importorskip("scipy.optimize", reason="the oracle scipy is not installed")
pd = pytest.importorskip("pandas", reason="the oracle pandas is not installed")

EXACT = 1e-9
CANDLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "candles"
REAL = {
    "bitcoin": "BITFINEX_BTCUSD_1m_20171001_20180331.parquet",
    "ether": "BITFINEX_ETHUSD_1m_20171001_20180331.parquet",
    "shares": "ARCA_SPY_1d_19980102_20210331.parquet",
}


def real(name: str) -> tuple[Any, Floats]:
    """Times (ms) and closes of a recorded market."""
    file = CANDLES / REAL[name]
    if not file.exists():
        pytest.skip("the recorded markets are not beside this checkout")
    frame = pd.read_parquet(file, columns=["timestamp", "close"])
    return frame["timestamp"].to_numpy(), frame["close"].to_numpy(dtype=float)


def random_returns(seed: int) -> Floats:
    """Daily returns in percent with fat tails and a drift of either sign."""
    rng = np.random.default_rng(seed)
    days = int(rng.integers(20, 900))
    drawn: Floats = np.clip(rng.standard_t(4, days) * rng.uniform(0.1, 2.0) + rng.normal(0, 0.2), -60, 60)
    return drawn


def daily_of(name: str) -> Floats:
    times, closes = real(name)
    days = pd.Series(closes, index=pd.to_datetime(times, unit="ms")).resample("D").last().dropna()
    returns: Floats = days.pct_change().dropna().to_numpy() * 100
    return returns


BLOCKS = 10
SEEDS = [range(block * 100, block * 100 + 100) for block in range(BLOCKS)]
SERIES = [
    *(pytest.param([partial(random_returns, seed) for seed in seeds], id=f"random-{seeds.start}") for seeds in SEEDS),
    *(pytest.param([partial(daily_of, name)], id=name) for name in REAL),
]


def of_each(check: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """The check for every member of a block; a thousand tests of one name would be noise."""

    @wraps(check)
    def checked(self: Any, block: Any) -> None:
        for member in block:
            try:
                check(self, member)
            except AssertionError as error:
                error.add_note(f"for {member}")
                raise

    checked.__dict__.pop("__wrapped__")  # pytest would read the parameters of the check
    return checked


def account(returns: Floats) -> EquityCurve:
    """The account that had these daily returns."""
    growth: Floats = np.concatenate((np.ones(1), 1 + returns / 100))
    equity: Floats = np.asarray(1000.0 * np.cumprod(growth), dtype=np.float64)
    times = START + DAY_MS * np.arange(len(equity), dtype=np.int64)
    return EquityCurve(times, equity, np.zeros(len(equity)), 1000.0, True)


@pytest.mark.parametrize("block", SERIES)
class TestReturnSeries:
    @of_each
    def test_daily_sharpe_and_sortino(self, make: Any) -> None:
        returns = make()
        shares = returns / 100
        assert q.daily_sharpe(returns) == pytest.approx(empyrical.sharpe_ratio(shares, annualization=365), rel=EXACT)
        assert q.daily_sortino(returns) == pytest.approx(empyrical.sortino_ratio(shares, annualization=365), rel=EXACT)

    @of_each
    def test_returns_come_back_from_the_account(self, make: Any) -> None:
        returns = make()
        assert q.daily_returns(account(returns)) == pytest.approx(returns, rel=1e-8, abs=1e-10)

    @of_each
    def test_drawdown_growth_and_calmar(self, make: Any) -> None:
        returns = make()
        shares, curve = returns / 100, account(returns)
        falls = q.drawdowns(curve)
        assert falls.percent == pytest.approx(-empyrical.max_drawdown(shares) * 100, rel=EXACT)
        growth = float(curve.equity[-1]) / curve.capital
        yearly = q.yearly_return(growth, len(returns))
        assert yearly == pytest.approx(empyrical.cagr(shares, annualization=365) * 100, rel=1e-8, abs=1e-9)
        calmar = empyrical.calmar_ratio(shares, annualization=365)
        assert (yearly or 0.0) / falls.percent == pytest.approx(calmar, rel=1e-8, abs=1e-9)

    @of_each
    def test_ulcer_index_is_the_root_of_the_mean_squared_fall(self, make: Any) -> None:
        curve = account(make())
        wealth = pd.Series(curve.equity)
        falls = ((wealth.cummax() - wealth) / wealth.cummax() * 100).to_numpy()
        assert q.drawdowns(curve).ulcer == pytest.approx(math.sqrt(float((falls[:-1] ** 2).mean())), rel=EXACT)

    @of_each
    def test_tails(self, make: Any) -> None:
        returns = make()
        shares, figures = returns / 100, r.return_figures(returns)
        assert figures.tail_ratio == pytest.approx(empyrical.tail_ratio(shares), rel=EXACT)
        assert figures.value_at_risk_95 == pytest.approx(empyrical.value_at_risk(shares) * 100, rel=EXACT)
        shortfall = empyrical.conditional_value_at_risk(shares) * 100
        assert figures.conditional_value_at_risk_95 == pytest.approx(shortfall, rel=EXACT)

    @of_each
    def test_moments(self, make: Any) -> None:
        returns = make()
        figures = r.return_figures(returns)
        assert figures.skewness == pytest.approx(float(stats.skew(returns)), rel=EXACT)
        assert figures.kurtosis == pytest.approx(float(stats.kurtosis(returns)), rel=EXACT)

    @of_each
    def test_probability_of_a_positive_sharpe_ratio(self, make: Any) -> None:
        returns = make()
        sharpe = returns.mean() / returns.std(ddof=1)
        skew, kurt = stats.skew(returns), stats.kurtosis(returns, fisher=False)
        variance = (1 - skew * sharpe + (kurt - 1) / 4 * sharpe**2) / (len(returns) - 1)
        expected = stats.norm.cdf(sharpe / math.sqrt(variance))
        assert r.return_figures(returns).probabilistic_sharpe_ratio == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("block", SEEDS, ids=lambda seeds: f"random-{seeds.start}")
class TestTradeSeries:
    @of_each
    def test_ratios_of_trades(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        pnl = rng.normal(0.1, 2.0, int(rng.integers(10, 300)))
        figures = backtest_statistics([with_profit(float(r), day=i + 1) for i, r in enumerate(pnl)])
        per_trade = 1.0  # one period a year: nothing is annualised
        assert figures.sharpe_ratio == pytest.approx(
            empyrical.sharpe_ratio(pnl / 100, annualization=per_trade), rel=EXACT
        )
        assert figures.sortino_ratio == pytest.approx(
            empyrical.sortino_ratio(pnl / 100, annualization=per_trade), rel=EXACT
        )
        assert figures.std_dev == pytest.approx(float(stats.tstd(pnl)), rel=EXACT)
        assert figures.profit_factor == pytest.approx(pnl[pnl > 0].sum() / -pnl[pnl < 0].sum(), rel=EXACT)

    @of_each
    def test_a_curve_of_trades_that_never_fell_inside_has_the_drawdown_of_its_returns(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        pnl = rng.normal(0.1, 2.0, 50)
        trades = backtest_statistics([with_profit(float(r), day=i + 1) for i, r in enumerate(pnl)]).signal_list
        columns = TradeColumns(
            pnl=tuple(t.pnl.pnl_percentage for t in trades), pnl_cost=(0.0,) * 50,
            opened=tuple(t.signal.pending_at for t in trades), closed=tuple(t.close_timestamp for t in trades),
            peak=(None,) * 50, fall=(None,) * 50, price=(100.0,) * 50,
        )  # fmt: skip
        curve = f.sequential_curve(columns)
        assert curve.max_drawdown == pytest.approx(-empyrical.max_drawdown(pnl / 100) * 100, rel=EXACT)
        assert curve.end == pytest.approx(1 + empyrical.cum_returns_final(pnl / 100), rel=EXACT)

    @of_each
    def test_the_trend_of_prices_is_a_regression(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        times = np.sort(rng.integers(1, 10**10, 40)) + START
        prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 40)))
        slope, confidence = trend_line([(int(t), float(p)) for t, p in zip(times, prices, strict=True)])
        line = stats.linregress((times - times[0]) / DAY_MS, np.log(prices))
        assert slope == pytest.approx(line.slope * 100, rel=1e-7)
        assert confidence == pytest.approx(line.rvalue**2, rel=1e-7)

    @of_each
    def test_the_rate_that_makes_flows_even(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        trades = [
            closed(int(rng.integers(5, 300)), float(rng.uniform(90, 112)), opened=int(rng.integers(0, 2000)),
                   cost=float(rng.uniform(10, 500)))
            for _ in range(int(rng.integers(1, 30)))
        ]  # fmt: skip
        paths = [position_path(trade, COSTS) for trade in trades]
        clock = time_in_market(paths)
        flows = [flow for path in paths for flow in cash_flows(path)]
        amounts = np.array([amount for _, amount in flows])
        rest = 1 - clock.at(np.array([time for time, _ in flows])) / clock.total
        root = optimize.brentq(lambda x: float((amounts * np.exp(x * rest)).sum()), -40, 40, xtol=1e-14)
        assert money_weighted_return(paths) == pytest.approx((math.exp(root) - 1) * 100, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", ["bitcoin", "ether"])
class TestRealMarket:
    def test_a_day_of_an_account_is_a_day_of_the_calendar(self, name: str) -> None:
        times, closes = real(name)
        opened, last = int(times[0]) + 60_000, int(times[-1]) + 60_000
        trade = closed(
            (last - opened) / 60_000, float(closes[-1]), price_open=float(closes[0]), opened=(opened - START) / 60_000
        )
        prices = Marks(times, closes, 60_000)
        curve = q.equity_curve([position_path(trade, COSTS)], {"BTCUSDT": prices}, opened, last, 1000.0)
        calendar = (
            pd.Series(curve.equity, index=pd.to_datetime(curve.times - 1, unit="ms")).resample("D").last().ffill()
        )
        expected = pd.concat([pd.Series([1000.0]), calendar]).pct_change().dropna().to_numpy() * 100
        assert q.daily_returns(curve) == pytest.approx(expected, rel=1e-8, abs=1e-10)

    def test_alpha_and_beta_are_those_of_the_regression(self, name: str) -> None:
        times, closes = real(name)
        rng = np.random.default_rng(7)
        first = (int(times[0]) + 60_000 - START) / 60_000
        minutes = len(times) - 2
        entries = np.sort(rng.integers(0, minutes - 3000, 60))
        prices = Marks(times, closes, 60_000)
        trades = [
            closed(int(rng.integers(60, 2500)), float(closes[i + 60]), price_open=float(closes[i]), opened=first + int(i),
                   position="long" if i % 2 else "short")
            for i in entries.tolist()
        ]  # fmt: skip
        own = TradeSet("BTCUSDT", trades, COSTS, prices, at(first), int(times[-1]) + 60_000)
        whole = analyse([own], 100_000.0)
        assert whole.curve is not None
        assert whole.benchmark is not None
        mine = q.daily_returns(whole.curve) / 100
        held = q.prices_at(prices, whole.curve.times)
        ends = q.day_ends(int(whole.curve.times[0]), int(whole.curve.times[-1]))
        levels = held[np.searchsorted(whole.curve.times, ends, side="right") - 1]
        theirs = levels / np.concatenate(([held[0]], levels[:-1])) - 1
        assert whole.benchmark.beta == pytest.approx(empyrical.beta(mine, theirs), rel=1e-7)
        # empyrical compounds the daily intercept to a year, we multiply it; the intercept of a day is the same
        daily = (1 + empyrical.alpha(mine, theirs, annualization=365)) ** (1 / 365) - 1
        assert whole.benchmark.alpha == pytest.approx(daily * 365 * 100, rel=1e-6)
        assert whole.benchmark.correlation == pytest.approx(float(stats.pearsonr(mine, theirs)[0]), rel=1e-7)


def test_a_year_of_market_days_has_the_sharpe_ratio_that_libraries_for_shares_have() -> None:
    # A fund held from its first day: the days without prices (weekends, holidays) have no return.
    times, closes = real("shares")
    opened, last = int(times[0]) + DAY_MS, int(times[-1]) + DAY_MS
    held = closed(
        (last - opened) / 60_000, float(closes[-1]), price_open=float(closes[0]), opened=(opened - START) / 60_000
    )
    gain = (float(closes[-1]) / float(closes[0]) - 1) * 100
    trade = replace(held, pnl=ProfitLoss(gain, gain, 100.0, float(closes[0]), float(closes[-1])))
    prices = Marks(times, closes, DAY_MS)
    own = TradeSet("BTCUSDT", [trade], Costs(0.0, 0.0), prices, opened, last)
    whole = analyse([own], year=TradingYear(252, "market_days"))
    assert whole.equity is not None
    returns = pd.Series(closes).pct_change().dropna().to_numpy()
    assert whole.daily.count == len(returns)
    assert whole.equity.sharpe_ratio == pytest.approx(empyrical.sharpe_ratio(returns, annualization=252), rel=1e-9)
    assert whole.equity.sortino_ratio == pytest.approx(empyrical.sortino_ratio(returns, annualization=252), rel=1e-9)
    every = analyse([own]).equity
    assert every is not None and every.year == TradingYear(365, "every_day")
    assert every.yearly_return == whole.equity.yearly_return, "the clock knows no holidays"


def test_marks_of_a_plain_column_are_found_as_pandas_finds_them() -> None:
    own = marks(100, 101, 102, step=7)
    wanted = np.array([at(m) for m in (0, 3, 7, 13, 14, 50)])
    column = pd.Series(own.prices, index=own.times)
    assert q.prices_at(own, wanted).tolist() == [float(column.asof(t)) for t in wanted]
