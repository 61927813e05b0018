"""A sweep as one would write it down: a walk over the candles for every idea and point, in plain Python.

It shares no code with the machine but the engine's profit formula and the data types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from backtestkit.math.profit import Costs, whole_profit
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.sweep import Idea, SweepRule

MINUTE = 60_000
DAY = 86_400_000


@dataclass(frozen=True)
class Watched:
    """An idea, its candles from the entry on, and up to when the market is known."""

    idea: Idea
    candles: Candles
    known_until: int


@dataclass(frozen=True)
class Walked:
    """Where a walk ended."""

    reason: str
    price: float
    pnl: float
    index: int


def rules_of(grid: SweepGrid) -> list[SweepRule]:
    """All rules in the order of the grid."""
    return [
        SweepRule(stop, trail, hold, lock)
        for stop, trail, hold, lock in product(
            grid.hard_stop_percent, grid.trailing_take_percent, grid.hold_minutes, grid.profit_lock_percent
        )
    ]


def candles_held(watched: Watched, rule: SweepRule) -> int:
    """How many candles close inside the hold."""
    candles = watched.candles
    end = int(candles.timestamp[0]) + rule.hold_minutes * MINUTE
    return sum(1 for time in candles.timestamp.tolist() if time + MINUTE <= end)


def walk(watched: Watched, rule: SweepRule, horizon: int, policy: FillPolicy, costs: Costs) -> Walked:
    """One idea by one rule, candle after candle."""
    direction = 1 if watched.idea.direction == "long" else -1
    rows = list(watched.candles)
    entry = rows[0].open
    slippage, trail = costs.percent_slippage / 100, rule.trailing_take_percent / 100
    slipped = policy.forecast_entry == "slipped"
    base = entry * (1 + direction * slippage) if slipped else entry
    stop = base * (1 - direction * rule.hard_stop_percent / 100)
    arm = base / (1 - direction * trail)
    lock = base * (1 + direction * rule.profit_lock_percent / 100)

    def better(a: float, b: float) -> float:
        return max(a, b) if direction > 0 else min(a, b)

    def reached(price: float, level: float) -> bool:
        return price >= level if direction > 0 else price <= level

    def fallen(price: float, level: float) -> bool:
        return price <= level if direction > 0 else price >= level

    def filled(level: float, opened: float) -> float:
        if policy.gapped_stop == "level":
            return level
        return min(level, opened) if direction > 0 else max(level, opened)

    def profit(price: float) -> float:
        if slipped:
            return direction * (price * (1 - direction * slippage) - base) / base * 100 - 2 * costs.percent_fee
        return whole_profit(direction > 0, entry, 100.0, 1.0, price, costs).pnl_percentage

    held = candles_held(watched, rule)
    peak = base
    for i, row in enumerate(rows[:held]):
        adverse, favourable = (row.low, row.high) if direction > 0 else (row.high, row.low)
        if fallen(adverse, stop):
            price = filled(stop, row.open)
            return Walked("hard_stop", price, profit(price), i)
        trailing = peak * (1 - direction * trail)
        by_trail = reached(peak, arm) and fallen(adverse, trailing)
        by_lock = rule.profit_lock_percent > 0 and reached(peak, lock) and fallen(adverse, lock)
        if by_trail or by_lock:
            if by_trail and by_lock:
                by_trail = better(trailing, lock) == trailing
            level, reason = (trailing, "trailing_take") if by_trail else (lock, "profit_lock")
            price = filled(level, row.open)
            return Walked(reason, price, profit(price), i)
        peak = better(peak, favourable)
    if policy.forecast_truncated == "missed":
        truncated = watched.known_until < rows[0].timestamp + horizon * MINUTE
        cut = truncated and held == len(rows)
    else:
        cut = watched.known_until < rows[0].timestamp + rule.hold_minutes * MINUTE
    price = rows[held - 1].close
    return Walked("data_truncated" if cut else "time_expired", price, profit(price), held - 1)


def graded(watched: Watched, rule: SweepRule, policy: FillPolicy) -> bool | None:
    """Whether the idea was right by the rule; None when nobody can say."""
    rows = list(watched.candles)
    direction = 1 if watched.idea.direction == "long" else -1
    entry = rows[0].open
    over = rows[0].timestamp + rule.hold_minutes * MINUTE
    if policy.forecast_truncated == "ungraded" and watched.known_until < over:
        return None
    stop = entry * (1 - direction * rule.hard_stop_percent / 100)
    arm = entry / (1 - direction * (rule.trailing_take_percent / 100))
    lock = entry * (1 + direction * rule.profit_lock_percent / 100)
    for row in rows[: candles_held(watched, rule)]:
        adverse, favourable = (row.low, row.high) if direction > 0 else (row.high, row.low)
        if adverse * direction <= stop * direction:
            return False
        if favourable * direction >= arm * direction:
            return True
        if rule.profit_lock_percent > 0 and favourable * direction >= lock * direction:
            return True
    return False


def traded(
    ideas: Sequence[Watched], rule: SweepRule, horizon: int, policy: FillPolicy, costs: Costs
) -> list[tuple[Watched, Walked, list[str]]]:
    """The trades of one rule, with what each absorbed: one slot for each author."""
    trades: list[tuple[Watched, Walked, list[str]]] = []
    slots: dict[str, tuple[int, list[str]]] = {}
    for watched in ideas:
        author, entry = watched.idea.author, int(watched.candles.timestamp[0])
        if author in slots and entry < slots[author][0]:
            slots[author][1].append(watched.idea.id)
            continue
        walked = walk(watched, rule, horizon, policy, costs)
        absorbed: list[str] = []
        slots[author] = (int(watched.candles.timestamp[walked.index]) + MINUTE, absorbed)
        trades.append((watched, walked, absorbed))
    return trades


def figures(ideas: Sequence[Watched], trades: Sequence[tuple[Watched, Walked, list[str]]]) -> dict[str, Any]:
    """The figures of one rule."""
    start = min(int(w.candles.timestamp[0]) for w in ideas)
    until = max(int(w.candles.timestamp[-1]) + MINUTE for w in ideas)
    days = max(1, math.ceil((until - start) / DAY))
    daily = [0.0] * days
    total = won = lost = peak = drawdown = 0.0
    held: list[int] = []
    reasons: dict[str, int] = {}
    for watched, walked, _ in trades:
        time = int(watched.candles.timestamp[walked.index])
        daily[(time - start) // DAY] += walked.pnl
        total += walked.pnl
        won, lost = (won + walked.pnl, lost) if walked.pnl > 0 else (won, lost - walked.pnl)
        peak = max(peak, total)
        drawdown = max(drawdown, peak - total)
        held.append((time + MINUTE - int(watched.candles.timestamp[0])) // MINUTE)
        reasons[walked.reason] = reasons.get(walked.reason, 0) + 1
    mean = plain_sum(daily) / days
    spread = math.sqrt(plain_sum([(v - mean) * (v - mean) for v in daily]) / days)
    downside = math.sqrt(plain_sum([min(v, 0.0) * min(v, 0.0) for v in daily]) / days)
    held.sort()
    n = len(trades)
    return {
        "trade_count": n,
        "skipped_busy": len(ideas) - n,
        "total_pnl_percent": total,
        "avg_pnl_percent": total / n,
        "win_rate": sum(1 for _, walked, _ in trades if walked.pnl > 0) / n * 100,
        "profit_factor": won / lost if lost > 1e-9 else None,
        "max_series_drawdown_percent": drawdown,
        "sharpe": mean / spread * math.sqrt(days) if spread > 1e-9 else None,
        "sortino": mean / downside * math.sqrt(days) if downside > 1e-9 else None,
        "calmar_ratio": total * 365 / days / drawdown if drawdown > 1e-9 else None,
        "recovery_factor": total / drawdown if drawdown > 1e-9 else None,
        "avg_hold_minutes": sum(held) / n,
        "p95_hold_minutes": held[min(n - 1, math.floor(95 / 100 * n))],
        "p99_hold_minutes": held[min(n - 1, math.floor(99 / 100 * n))],
        "exit_reasons": reasons,
    }


def plain_sum(values: Sequence[float]) -> float:
    """Added one after another, without the compensation of newer Pythons."""
    total = 0.0
    for value in values:
        total += value
    return total
