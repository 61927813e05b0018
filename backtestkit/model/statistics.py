"""What is known about a set of closed trades: the columns that go in, the figures that come out.

A figure is None when its sample cannot carry it; nothing is rounded. Percent is plain percent (1.5 is 1.5 %) of what a
trade had invested, after fees and slippage; durations are minutes. The formulas are in `math/statistics_formulas.py`
and its neighbours, and `docs/statistics.md` has them in one table.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from backtestkit.model.analysis import EVERY_DAY, Calendar, EquityFigures
from backtestkit.model.result import AnyResult, ClosedResult
from backtestkit.model.table import Table, Tabular, columns_of

TrendName: TypeAlias = Literal["bullish", "bearish", "neutral", "sideways"]


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Closed trades as columns of equal length, newest first.

    - `pnl`: net profit in percent; `pnl_cost`: the same in quote currency.
    - `opened`, `closed`: when the position was opened and closed, ms UTC. A trade where one of them is not above 0 is
      not valid; the figures skip it.
    - `peak`, `fall`: best and worst profit while the position was open, percent; None where it was not recorded.
    - `price`: the closing price, quote currency.
    """

    pnl: tuple[float, ...] = ()
    pnl_cost: tuple[float, ...] = ()
    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    peak: tuple[float | None, ...] = ()
    fall: tuple[float | None, ...] = ()
    price: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.pnl)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceProfile:
    """How the closing prices of trades moved, in the order in which the trades closed. Needs 10 usable prices.

    A move is the relative change from one closing price to the next, so these figures describe the market only as far
    as the trades sampled it.
    """

    median_step_size: float | None = None
    """Median of the absolute moves, percent."""
    buyer_pressure: float | None = None
    """Up moves divided by up and down moves, 0 to 1. None without a move."""
    seller_pressure: float | None = None
    """Down moves divided by up and down moves, 0 to 1. None without a move."""
    buyer_strength: float | None = None
    """Sum of the up moves divided by the sum of all absolute moves, 0 to 1. None when that sum is 0."""
    seller_strength: float | None = None
    """Sum of the down moves, made positive, divided by the sum of all absolute moves. None when that sum is 0."""
    pressure_imbalance: float | None = None
    """`buyer_strength - seller_strength`, -1 to 1."""
    trend: TrendName | None = None
    """`sideways` when `trend_confidence` is below 0.30, `neutral` when the trend in percent a day is below a quarter of
    `median_step_size`, else `bullish` or `bearish` by its sign. None when all prices share one time."""
    trend_strength: float | None = None
    """Least-squares slope of the logarithm of price over days, times 100: percent a day. None when all prices share
    one time."""
    trend_confidence: float | None = None
    """R squared of that line, 0 to 1; 0 for prices that never change. None when all prices share one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures(PriceProfile):
    """The figures of one sequence of closed trades. Below, r is the profit of a trade in percent and n their number.

    A win has r > 0, a loss r < 0; r = 0 is break-even, counts as a trade and as neither. Ratios need n >= 10 trades.
    """

    win_count: int = 0
    """Trades with r > 0."""
    loss_count: int = 0
    """Trades with r < 0."""
    win_rate: float | None = None
    """wins / (wins + losses) * 100, percent. None without a decisive trade."""
    avg_pnl: float | None = None
    """Mean of r, percent."""
    total_pnl: float | None = None
    """Sum of r, percent: what trades of equal size add up to, without compounding."""
    total_pnl_cost: float | None = None
    """Sum of the profits in quote currency."""
    median_pnl: float | None = None
    """Median of r, percent."""
    std_dev: float | None = None
    """Sample standard deviation sqrt(sum((r - mean)^2) / (n - 1)), percent a trade. n >= 10."""
    sharpe_ratio: float | None = None
    """mean(r) / std_dev, per trade, with a risk-free rate of 0 (Sharpe 1994). n >= 10 and std_dev > 1e-9."""
    annualized_sharpe_ratio: float | None = None
    """sharpe_ratio * sqrt(trades_per_year), which holds for independent trades (Lo 2002)."""
    sortino_ratio: float | None = None
    """mean(r) / sqrt(sum of squared losses / n), target 0 (Sortino and Price 1994). n >= 10 and at least one loss."""
    certainty_ratio: float | None = None
    """Mean win / absolute mean loss, elsewhere called payoff ratio. n >= 10, at least one win and one loss."""
    profit_factor: float | None = None
    """Sum of wins / absolute sum of losses. At least one win and one loss."""
    expectancy: float | None = None
    """Share of wins * mean win + share of losses * mean loss, percent a trade (Tharp). n >= 10. With break-even trades
    in the shares it equals `avg_pnl`; the gate is what differs."""
    trades_per_year: float | None = None
    """n / span * 365, span in days from the first opening to the last close. n >= 10, span >= 14 days, at most 365."""
    expected_yearly_returns: float | None = None
    """(E^(trades_per_year / n) - 1) * 100, percent, E being the end of the equity curve. None when it exceeds 100 in
    either direction, when `trades_per_year` is None, or when the curve fell to 0."""
    max_drawdown: float | None = None
    """Largest fall of the compounded equity curve from its highest point, in percent of that point, 0 to 100. The worst
    profit inside a trade counts, from the equity before that trade. 100 when the curve fell to 0."""
    calmar_ratio: float | None = None
    """expected_yearly_returns / max_drawdown (Young 1991), limited to -1000..1000. None without a drawdown."""
    recovery_factor: float | None = None
    """(E - 1) * 100 / max_drawdown, limited to -1000..1000. n >= 10 and a drawdown; None when the curve fell to 0."""
    avg_peak_pnl: float | None = None
    """Mean of the best profit inside a trade, percent, over the trades that have one (favourable excursion, Sweeney)."""
    avg_fall_pnl: float | None = None
    """Mean of the worst profit inside a trade, percent, over the trades that have one (adverse excursion)."""
    avg_duration: float | None = None
    """Mean time from opening to close, minutes."""
    avg_win_duration: float | None = None
    """The same over wins."""
    avg_loss_duration: float | None = None
    """The same over losses."""
    max_win_streak: int = 0
    """Most wins in a row, in the order in which the trades arrived. A break-even trade ends a streak."""
    max_loss_streak: int = 0
    """Most losses in a row."""
    avg_consecutive_win_pnl: float | None = None
    """Mean over the winning streaks of the sum of r in each, percent."""
    avg_consecutive_loss_pnl: float | None = None
    """Mean over the losing streaks of the sum of r in each, percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestStatistics(TradeFigures):
    """Figures of the closed trades of a backtest."""

    signal_list: tuple[ClosedResult, ...] = ()
    """The closed trades, newest first; also those that the figures skip because they lack a time."""
    total_signals: int = 0
    """Number of valid trades, n in the formulas."""

    def figures(self) -> dict[str, Any]:
        """The figures by name, without the trades."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "signal_list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatistics(TradeFigures):
    """Figures of the closed trades of a live run, beside the newest of its events."""

    event_list: tuple[AnyResult, ...] = ()
    """The newest events, newest first; an idle, waiting or active row stands for all of its kind in a row."""
    total_events: int = 0
    """Events so far, also those that are no longer listed."""
    total_closed: int = 0
    """Number of valid closed trades, n in the formulas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow(TradeFigures):
    """Figures of the closed trades of one symbol."""

    symbol: str
    total_trades: int = 0
    """Number of valid trades, n in the formulas."""
    avg_win: float | None = None
    """Mean of r over wins, percent."""
    avg_loss: float | None = None
    """Mean of r over losses, percent."""
    peak_profit_pnl: float | None = None
    """The best profit inside any trade, percent."""
    max_drawdown_pnl: float | None = None
    """The worst profit inside any trade, percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatStatistics(Tabular):
    """One row a symbol, and the portfolio.

    The `portfolio_*` figures treat all trades of all symbols as one sequence in the order in which they closed, each
    with the whole capital; with trades that overlap in time they describe no account that could exist. `equity` does.
    """

    symbols: tuple[HeatRow, ...] = ()
    """By Sharpe ratio, best first; those without one at the end, in the order in which they were first seen."""
    total_symbols: int = 0
    portfolio_total_trades: int = 0
    portfolio_total_pnl: float | None = None
    """Sum of the rows' totals, percent."""
    portfolio_std_dev: float | None = None
    portfolio_sharpe_ratio: float | None = None
    portfolio_annualized_sharpe_ratio: float | None = None
    portfolio_sortino_ratio: float | None = None
    portfolio_certainty_ratio: float | None = None
    portfolio_expectancy: float | None = None
    portfolio_expected_yearly_returns: float | None = None
    portfolio_trades_per_year: float | None = None
    portfolio_calmar_ratio: float | None = None
    portfolio_recovery_factor: float | None = None
    portfolio_median_pnl: float | None = None
    portfolio_avg_duration: float | None = None
    portfolio_avg_win_duration: float | None = None
    portfolio_avg_loss_duration: float | None = None
    portfolio_avg_peak_pnl: float | None = None
    """Mean of the rows' values, each weighted by its trades; so are the next three."""
    portfolio_avg_fall_pnl: float | None = None
    portfolio_avg_consecutive_win_pnl: float | None = None
    portfolio_avg_consecutive_loss_pnl: float | None = None
    portfolio_peak_profit_pnl: float | None = None
    """The largest of the rows' values, percent."""
    portfolio_max_drawdown_pnl: float | None = None
    """The smallest of the rows' values, percent."""
    equity: EquityFigures | None = None
    """An account that makes these trades with their own sizes, where they overlap in time; None without trades."""

    def to_table(self) -> Table:
        """One row a symbol, with the figures of `HeatRow`."""
        return Table.of_rows(sorted(columns_of(HeatRow), key=lambda column: column.name != "symbol"), self.symbols)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run assumed and what that cost, so that its report can say so. None means: not known, not shown.

    - `policy`: name of the fill policy.
    - `percent_fee`, `percent_slippage`: what each entry and each exit was charged, percent of its value.
    - `fee_paid`, `slippage_paid`: the sums of both over all closed trades, quote currency. `funding_paid`: the same for
      funding, negative when more was received; None for a market without funding rates.
    - `ambiguous_exits`: exits on a candle that reached stop and take profit both; the order inside it is not known.
    - `gaps`: what was done about missing candles, with `candles_missing` of them, `candles_filled` of these filled.
    - `fingerprint`: sha256 of the events of the run; equal fingerprints mean equal runs.
    - `first_time`, `last_time`: the span that was tested, ms UTC.
    - `days_per_year`, `calendar`: how daily figures are taken to a year (`TradingYear`).
    """

    policy: str
    percent_fee: float | None = None
    percent_slippage: float | None = None
    fee_paid: float | None = None
    slippage_paid: float | None = None
    funding_paid: float | None = None
    ambiguous_exits: int | None = None
    gaps: str | None = None
    candles_filled: int | None = None
    candles_missing: int | None = None
    fingerprint: str | None = None
    first_time: int | None = None
    last_time: int | None = None
    days_per_year: float = EVERY_DAY.days
    calendar: Calendar = EVERY_DAY.calendar
