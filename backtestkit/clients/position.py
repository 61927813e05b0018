"""What follows from a row: effective levels, profit, liquidation, and the public view."""

from __future__ import annotations

from dataclasses import dataclass

from backtestkit.math.levels import breakeven_price, breakeven_threshold
from backtestkit.math.profit import (
    Costs,
    ProfitLine,
    effective_price_open,
    funding_paid,
    holding,
    invested_cost,
    liquidation_price,
    profit_line,
    profit_loss,
    whole_profit,
)
from backtestkit.model.record import record
from backtestkit.model.signal import ZERO_PROFIT, Extreme, ProfitLoss, PublicSignal, SignalRow


@record
class Levels:
    """The numbers of an open position that stay the same until its row changes.

    `stop` is the price at which the position is stopped: the stop loss in force, or the liquidation price where that
    is nearer (`liquidates`). `liquidation` is that price, None without isolated margin. `line` estimates the net profit.
    """

    long: bool
    effective: float
    invested: float
    funding: float
    take_profit: float
    stop_loss: float
    stop: float
    liquidates: bool
    liquidation: float | None
    breakeven: float
    line: ProfitLine


@dataclass(frozen=True, slots=True)
class Pricing:
    """Formulas of one run with its costs filled in."""

    costs: Costs
    breakeven_threshold: float

    def levels(self, row: SignalRow) -> Levels:
        """The levels in force for an open `row`."""
        long = row.position == "long"
        effective = effective_price_open(row)
        stop_loss = row.stop_loss
        stop, liquidates = stop_loss, False
        line = profit_line(row, self.costs)
        liquidation = liquidation_price(line) if row.isolated else None
        if liquidation is not None and (liquidation > stop_loss if long else liquidation < stop_loss):
            stop, liquidates = liquidation, True
        threshold = breakeven_threshold(self.costs.percent_slippage, self.costs.percent_fee, self.breakeven_threshold)
        price = breakeven_price(row.position, effective, threshold)
        return Levels(
            long,
            effective,
            invested_cost(row),
            funding_paid(row),
            row.take_profit,
            stop_loss,
            stop,
            liquidates,
            liquidation,
            price,
            line,
        )

    def profit(self, row: SignalRow, levels: Levels, price: float) -> ProfitLoss:
        """Net profit of the open `row`, whose levels are given, at `price`."""
        if row.partials:
            return profit_loss(row, price, self.costs)
        return whole_profit(
            levels.long, levels.effective, levels.invested, row.multiplier, price, self.costs, levels.funding
        )

    def public(self, row: SignalRow, price: float) -> PublicSignal:
        """`row` as the outside sees it at `price`; a waiting row has no profit yet."""
        if row.is_scheduled:
            return _public(
                row,
                row.price_open,
                row.price_take_profit,
                row.price_stop_loss,
                0.0,
                ZERO_PROFIT,
                ZERO_PROFIT,
                ZERO_PROFIT,
            )
        return _public(
            row,
            effective_price_open(row),
            row.take_profit,
            row.stop_loss,
            holding(row).closed_percent if row.partials else 0.0,
            profit_loss(row, price, self.costs),
            row.peak.pnl,
            row.fall.pnl,
        )

    def opening_extremes(self, row: SignalRow, time: int, *, from_zero: bool) -> tuple[Extreme, Extreme]:
        """Best and worst point of a position that opens now; the best one has no profit yet when `from_zero`."""
        profit = profit_loss(row, row.price_open, self.costs)
        best = ZERO_PROFIT if from_zero else profit
        return Extreme(row.price_open, time, best), Extreme(row.price_open, time, profit)


def _public(
    row: SignalRow,
    price_open: float,
    take_profit: float,
    stop_loss: float,
    executed: float,
    pnl: ProfitLoss,
    peak: ProfitLoss,
    fall: ProfitLoss,
) -> PublicSignal:
    return PublicSignal(
        row.id, row.symbol, row.strategy_name, row.exchange_name, row.frame_name, row.position, row.note,
        price_open, take_profit, stop_loss, row.price_open, row.price_take_profit, row.price_stop_loss,
        row.minute_estimated_time, row.cost, row.multiplier, row.isolated, row.scheduled_at, row.pending_at, row.timestamp,
        len(row.entries), len(row.partials), executed, pnl, peak, fall, row.peak, row.fall,
        row.entries, row.partials, row.fundings,
    )  # fmt: skip
