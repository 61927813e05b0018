"""What an analysis of trades finds beside their statistics: equity, daily returns, quality, costs, breakdowns.

Percent is plain percent (1.5 is 1.5 %). A figure is None when its sample cannot carry it; nothing is rounded. The
formulas are in `math/statistics_*.py`, and `docs/statistics.md` has them with their sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias, get_args

from backtestkit.errors import UsageError
from backtestkit.model.candle import Floats, Integers
from backtestkit.model.table import Table, Tabular, columns_of
from backtestkit.model.table_column import TableColumn

Calendar: TypeAlias = Literal["every_day", "market_days"]
DAYS_MAX: Final = 366
BreakdownBy: TypeAlias = Literal["side", "exit_reason", "hour", "weekday", "symbol"]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The price of one symbol over time: at `times + offset` (ms UTC, rising) a position is valued at `prices`."""

    times: Integers
    prices: Floats
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TradingYear:
    """How figures of days are taken to a year: `days` of them make one, and `calendar` says which days have a return.

    `every_day`: every UTC day, idle ones too, for markets that never close. `market_days`: UTC days on which there were
    prices, for markets that close; shares have about 252 of them a year, currencies 260. `UsageError` for days that are
    not above 0 and at most 366, and for another calendar.
    """

    days: float = 365.0
    calendar: Calendar = "every_day"

    def __post_init__(self) -> None:
        if not 0 < self.days <= DAYS_MAX or self.calendar not in get_args(Calendar):
            raise UsageError(
                f"{self!r}: days must be above 0 and at most {DAYS_MAX}, calendar one of {', '.join(get_args(Calendar))}"
            )


EVERY_DAY: Final = TradingYear()


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve(Tabular):
    """An account over time: `equity` and the cost basis at work, `invested`, at `times` (ms UTC); quote currency.

    `marked` curves value open positions at every minute, net of what closing them would cost; others move only when a
    trade closes.
    """

    times: Integers
    equity: Floats
    invested: Floats
    capital: float
    marked: bool
    year: TradingYear = EVERY_DAY

    def to_table(self) -> Table:
        """One row a time: `time`, `equity`, `invested`."""
        return Table.of_cells(CURVE_COLUMNS, [self.times, self.equity, self.invested])


CURVE_COLUMNS = (
    TableColumn("time", "time"),
    TableColumn("equity", "number", "quote", "Value of the account."),
    TableColumn("invested", "number", "quote", "Cost basis at work."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFigures:
    """The shape of a series of returns r, in percent of the equity at the start of each. n >= 20 unless said."""

    count: int = 0
    mean: float | None = None
    """Arithmetic mean, percent. n >= 1."""
    std_dev: float | None = None
    """Sample standard deviation (divisor n - 1), percent. n >= 2."""
    skewness: float | None = None
    """m3 / m2^1.5 with central moments m; 0 for a symmetric distribution."""
    kurtosis: float | None = None
    """Excess kurtosis m4 / m2^2 - 3; 0 for a normal distribution, large for fat tails."""
    value_at_risk_95: float | None = None
    """The return that the worst 5 % do not exceed: 5th percentile, interpolated linearly, percent; a loss is negative."""
    conditional_value_at_risk_95: float | None = None
    """Mean of the returns at or below `value_at_risk_95` (expected shortfall), percent."""
    tail_ratio: float | None = None
    """95th percentile divided by the absolute 5th; above 1 the good tail is longer than the bad one."""
    probabilistic_sharpe_ratio: float | None = None
    """Probability, 0 to 1, that the true Sharpe ratio is above 0, given length, skewness and kurtosis of the sample
    (Bailey and Lopez de Prado 2012)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityFigures:
    """An account that makes the trades with their own sizes, over the whole tested span, idle time included.

    Yearly figures need 14 days and are not capped. Those of daily returns (Sharpe, Sortino, alpha) use `year`; those of the
    whole span (yearly return, Calmar, turnover a year) go by the clock, on which a year has 365 days.
    """

    capital: float
    """What the account starts with, quote currency: given, else the largest cost basis that was at work at once."""
    capital_given: bool
    marked: bool
    """Whether open positions were valued by the minute; otherwise drawdowns see only closed trades."""
    days: float
    """Length of the tested span."""
    final_equity: float
    net_profit: float
    """final_equity - capital, quote currency."""
    total_return: float
    """net_profit / capital, percent."""
    yearly_return: float | None = None
    """((final_equity / capital)^(365 / days) - 1) * 100, percent. None for an account that fell to 0."""
    time_weighted_return: float | None = None
    """Product of (1 + gain / money at work) over the stretches between entries and exits, less 1, percent: what money
    earned that was in every position from its start to its end, however much that was. Needs marks."""
    money_weighted_return: float | None = None
    """Internal rate of return of the money put into positions and taken out of them, over the time in the market,
    percent. Above `time_weighted_return` when the larger positions were the better ones."""
    exposure: float = 0.0
    """Share of the tested span with a position open, percent."""
    max_open_positions: int = 0
    peak_invested: float = 0.0
    """The largest cost basis at work at once, quote currency."""
    avg_invested: float = 0.0
    """Mean cost basis at work over the span, quote currency."""
    turnover: float = 0.0
    """Value bought and sold, leverage included, divided by capital: how often it was turned over."""
    turnover_per_year: float | None = None
    max_drawdown: float = 0.0
    """Largest fall of the equity from its highest point so far, in percent of that point."""
    max_drawdown_cost: float = 0.0
    """The largest such fall in quote currency."""
    max_drawdown_days: float = 0.0
    """Longest time from a highest point until it was reached again, or until the end."""
    ulcer_index: float = 0.0
    """Root of the mean squared drawdown in percent, over time (Martin and McCann 1989)."""
    sharpe_ratio: float | None = None
    """Mean / standard deviation of the daily returns * sqrt(year.days), risk-free rate 0 (Sharpe 1994)."""
    sortino_ratio: float | None = None
    """Mean / sqrt(mean of squared negative returns) of the daily returns * sqrt(year.days), target 0."""
    calmar_ratio: float | None = None
    """yearly_return / max_drawdown (Young 1991)."""
    year: TradingYear = EVERY_DAY
    """How daily figures were taken to a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeQuality:
    """How trades went from inside. r is the net profit of a trade in percent, n their number."""

    payoff_ratio: float | None = None
    """Mean win / absolute mean loss. A win and a loss."""
    avg_r: float | None = None
    """Mean of R = r / risk, risk being the distance from entry to the original stop in percent, leverage included. n >= 1."""
    system_quality_number: float | None = None
    """sqrt(n) * mean(R) / standard deviation(R), n counted as 100 at most (Tharp 2008). n >= 30."""
    avg_adverse_excursion: float | None = None
    """Mean of the worst profit inside a trade (MAE), percent."""
    median_adverse_excursion: float | None = None
    max_adverse_excursion: float | None = None
    avg_favorable_excursion: float | None = None
    """Mean of the best profit inside a trade (MFE), percent."""
    median_favorable_excursion: float | None = None
    max_favorable_excursion: float | None = None
    edge_ratio: float | None = None
    """avg_favorable_excursion / absolute avg_adverse_excursion."""
    current_streak: int = 0
    """Wins in a row at the end, or losses as a negative number; 0 after a break-even trade."""
    avg_win_streak: float | None = None
    """Mean length of the winning streaks, trades."""
    avg_loss_streak: float | None = None
    """Mean length of the losing streaks, trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFigures:
    """From gross to net, quote currency: `gross - fee - slippage - funding = net`.

    The fills stay what they were; dearer trading would also have moved break-even and liquidation prices.
    """

    gross: float = 0.0
    fee: float = 0.0
    slippage: float = 0.0
    funding: float = 0.0
    """Paid; negative when more was received."""
    net: float = 0.0
    net_without_costs: float = 0.0
    """Net profit with fee and slippage at 0; funding stays."""
    net_at_double_costs: float = 0.0
    """Net profit with fee and slippage twice as high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkFigures:
    """The account beside one that buys on the first day and holds, over the same span.

    Several symbols are held in equal parts. alpha and beta are the least-squares line of the account's daily returns over
    those of the benchmark; they need 20 days.
    """

    total_return: float
    """Return of holding, percent, without costs."""
    max_drawdown: float
    excess_return: float
    """Return of the account less that of holding, percentage points."""
    beta: float | None = None
    """Slope: what the account moves when the benchmark moves 1."""
    alpha: float | None = None
    """Intercept * days of a year, percent: what the account earns when the benchmark stands still (Jensen 1968)."""
    correlation: float | None = None
    """Pearson's coefficient of the daily returns, -1 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownRow:
    """Trades that have something in common."""

    by: BreakdownBy
    key: str
    """The side, exit reason, UTC hour of opening (`"00"` to `"23"`), weekday of opening (`"Mon"` to `"Sun"`) or symbol."""
    trades: int
    win_rate: float | None
    """Percent of the decisive trades that won."""
    total_pnl: float
    """Sum of r, percent."""
    avg_pnl: float
    total_pnl_cost: float
    """Sum of the profits, quote currency."""
    profit_factor: float | None
    """Sum of wins / absolute sum of losses. A win and a loss."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TradeAnalysis(Tabular):
    """Everything an analysis of trades finds. Without trades only `costs` and empty tuples are there."""

    equity: EquityFigures | None
    daily: ReturnFigures
    """Returns of the account by UTC day, by the calendar of `equity.year`: idle days included unless the market was closed."""
    per_trade: ReturnFigures
    """The profits of the trades, percent."""
    quality: TradeQuality
    costs: CostFigures
    benchmark: BenchmarkFigures | None
    breakdown: tuple[BreakdownRow, ...]
    """Rows by side, exit reason, hour, weekday and symbol, in this order."""
    curve: EquityCurve | None

    def breakdown_by(self, by: BreakdownBy) -> tuple[BreakdownRow, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.breakdown if row.by == by)

    def to_table(self) -> Table:
        """One row a figure: the `group` it belongs to (`equity`, `daily`, ...), its `name`, and its `value`.

        A figure that the sample cannot carry is missing; True counts as 1.
        """
        return Table.of_rows(FIGURE_COLUMNS, self._figures())

    def breakdown_table(self) -> Table:
        """The rows of `breakdown`."""
        return Table.of_rows(columns_of(BreakdownRow), self.breakdown)

    def _figures(self) -> Iterator[tuple[str, str, Any]]:
        for group in ("equity", "daily", "per_trade", "quality", "costs", "benchmark"):
            own = getattr(self, group)
            if own is not None:
                values = ((figure.name, getattr(own, figure.name)) for figure in fields(own))
                yield from ((group, name, value) for name, value in values if not isinstance(value, TradingYear))


FIGURE_COLUMNS = (
    TableColumn("group", "text", read=lambda row: row[0]),
    TableColumn("name", "text", read=lambda row: row[1]),
    TableColumn("value", "number", read=lambda row: row[2]),
)
