"""How trades went from inside: payoff, R multiples, excursions, streaks, and trades that have something in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from math import sqrt
from typing import Final

from backtestkit.math import statistics_formulas as f
from backtestkit.model.analysis import BreakdownBy, BreakdownRow, TradeQuality
from backtestkit.model.interval import from_ms
from backtestkit.model.result import ClosedResult

MIN_QUALITY_TRADES: Final = 30
MAX_QUALITY_TRADES: Final = 100
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_KEYS: Final[dict[BreakdownBy, Callable[[ClosedResult], str]]] = {
    "side": lambda trade: trade.signal.position,
    "exit_reason": lambda trade: trade.close_reason,
    "hour": lambda trade: f"{from_ms(trade.signal.pending_at).hour:02d}",
    "weekday": lambda trade: WEEKDAYS[from_ms(trade.signal.pending_at).weekday()],
    "symbol": lambda trade: trade.symbol,
}


def trade_quality(trades: Sequence[ClosedResult]) -> TradeQuality:
    """The quality of closed trades, oldest first."""
    pnl = [trade.pnl.pnl_percentage for trade in trades]
    adverse = [trade.signal.max_drawdown.pnl_percentage for trade in trades]
    favorable = [trade.signal.peak_profit.pnl_percentage for trade in trades]
    multiples = [multiple for trade in trades if (multiple := r_multiple(trade)) is not None]
    streaks = f.pnl_streaks(pnl[::-1])
    average_adverse, average_favorable = f.mean(adverse), f.mean(favorable)
    return TradeQuality(
        payoff_ratio=payoff_ratio(pnl),
        avg_r=f.mean(multiples),
        system_quality_number=system_quality_number(multiples),
        avg_adverse_excursion=average_adverse,
        median_adverse_excursion=f.median(adverse),
        max_adverse_excursion=min(adverse, default=None),
        avg_favorable_excursion=average_favorable,
        median_favorable_excursion=f.median(favorable),
        max_favorable_excursion=max(favorable, default=None),
        edge_ratio=edge_ratio(average_favorable, average_adverse),
        current_streak=current_streak(pnl),
        avg_win_streak=f.mean(streaks.win_lengths),
        avg_loss_streak=f.mean(streaks.loss_lengths),
    )


def payoff_ratio(pnl: Sequence[float]) -> float | None:
    """Mean win over absolute mean loss; needs one of each."""
    won, lost = f.mean(f.wins(pnl)), f.mean(f.losses(pnl))
    return None if won is None or lost is None or abs(lost) <= f.EPS else won / abs(lost)


def r_multiple(trade: ClosedResult) -> float | None:
    """Net profit in units of what was risked: the distance from the first entry to the original stop, with leverage."""
    signal = trade.signal
    risk = abs(signal.original_price_open - signal.original_price_stop_loss) / signal.original_price_open
    percent = risk * 100 * signal.multiplier
    return trade.pnl.pnl_percentage / percent if percent > f.EPS else None


def system_quality_number(multiples: Sequence[float]) -> float | None:
    """sqrt(n) mean(R) / standard deviation(R), n counted as 100 at most (Tharp, *Definitive Guide to Position Sizing*)."""
    n = len(multiples)
    spread = f.standard_deviation(multiples)
    if n < MIN_QUALITY_TRADES or spread is None or spread <= f.EPS:
        return None
    return sqrt(min(n, MAX_QUALITY_TRADES)) * f.total(multiples) / n / spread


def edge_ratio(favorable: float | None, adverse: float | None) -> float | None:
    """Mean favourable over absolute mean adverse excursion; None without an adverse one."""
    return None if favorable is None or adverse is None or abs(adverse) <= f.EPS else favorable / abs(adverse)


def current_streak(pnl: Sequence[float]) -> int:
    """Wins in a row at the end of profits given oldest first, losses as a negative number."""
    for sign, run in groupby(reversed(pnl), key=lambda r: (r > 0) - (r < 0)):
        return sign * sum(1 for _ in run)
    return 0


def breakdown(trades: Sequence[ClosedResult]) -> tuple[BreakdownRow, ...]:
    """Rows by side, exit reason, hour, weekday and symbol; times in their order, the others as they first appear."""
    rows: list[BreakdownRow] = []
    for by, key_of in _KEYS.items():
        groups: dict[str, list[ClosedResult]] = {}
        for trade in trades:
            groups.setdefault(key_of(trade), []).append(trade)
        keys = sorted(groups) if by == "hour" else [day for day in WEEKDAYS if day in groups]
        rows += [_row(by, key, groups[key]) for key in (keys if by in ("hour", "weekday") else groups)]
    return tuple(rows)


def _row(by: BreakdownBy, key: str, trades: Sequence[ClosedResult]) -> BreakdownRow:
    pnl = [trade.pnl.pnl_percentage for trade in trades]
    return BreakdownRow(
        by=by,
        key=key,
        trades=len(trades),
        win_rate=f.win_rate(pnl),
        total_pnl=f.total(pnl),
        avg_pnl=f.total(pnl) / len(pnl),
        total_pnl_cost=f.total(trade.pnl.pnl_cost for trade in trades),
        profit_factor=f.profit_factor(pnl),
    )
