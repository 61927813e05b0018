"""The grid over one part of the ideas: a report for each point, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from backtestkit.math.sweep_exits import IdeaExits
from backtestkit.math.sweep_grid import Places, SweepGrid
from backtestkit.math.sweep_points import (
    EXIT_REASONS,
    PERCENTILES,
    Exits,
    PointFigures,
    percentile_of_counts,
    point_figures,
    slot_holders,
    taken_trades,
)
from backtestkit.model.candle import Flags, Integers
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import DAY_MS
from backtestkit.model.sweep import AuthorTracks, IdeaProfile, SweepReport, SweepRule, SweepSample, SweepTrade

BLOCK_CELLS: Final = 1 << 18
BLOCK_POINTS_MIN: Final = 256


@dataclass(frozen=True, slots=True)
class Entered:
    """An idea that has candles, and all that the grid can make of it, one value for each column of the grid.

    - `exits`: where and how it ends; `opened_at`, `minutes`, `reason`: the exit candle's open (ms UTC), the time held and
      the reason's code.
    - `counts`: the candles of each hold; `graded`: whether they are all there.
    """

    profile: IdeaProfile
    exits: IdeaExits
    opened_at: Integers
    minutes: Integers
    reason: Integers
    counts: Integers
    graded: Flags


class SampleGrid:
    """Trades `entered`, in the order of their entries, by every point of `grid`, and grades them."""

    def __init__(
        self,
        grid: SweepGrid,
        rules: Sequence[SweepRule],
        entered: Sequence[Entered],
        *,
        policy: FillPolicy,
        step: int,
    ) -> None:
        """`rules` are those of `grid`, `step` is the length of a candle, ms."""
        self._grid, self._rules, self._entered, self._step = grid, rules, tuple(entered), step
        self._label = step if policy.label == "close" else 0
        profiles = [one.profile for one in entered]
        self._first = min((p.entry_timestamp for p in profiles), default=None)
        self._until = max((p.outcome_known_at for p in profiles), default=None)
        span = 0 if self._first is None or self._until is None else self._until - self._first
        self._days = max(1, -(-span // DAY_MS))
        self._names = list(dict.fromkeys(p.idea.author for p in profiles))
        self._hits = np.zeros((len(grid), len(self._names)), dtype=np.int32)
        self._graded = np.zeros((len(grid), len(self._names)), dtype=np.int32)
        self._made: dict[tuple[int, int], SweepTrade] = {}
        self._minutes_count = np.zeros(0, dtype=np.int64)
        if entered:
            self._stack()

    def _stack(self) -> None:
        """The values of all ideas as matrices, one row each."""
        entered = self._entered
        self._index = np.stack([one.exits.index for one in entered])
        self._pnl = np.stack([one.exits.pnl for one in entered])
        self._profit_column = np.stack([one.exits.profit_column for one in entered])
        self._profit_index = np.stack([one.exits.profit_index for one in entered])
        self._stop_touch = np.stack([one.exits.stop_touch for one in entered])
        self._profit_touch = np.stack([one.exits.profit_touch for one in entered])
        self._opened_at = np.stack([one.opened_at for one in entered])
        self._minutes = np.stack([one.minutes for one in entered])
        self._reason = np.stack([one.reason for one in entered])
        self._counts = np.stack([one.counts for one in entered])
        self._covered = np.stack([one.graded for one in entered])
        self._entries = np.array([one.profile.entry_timestamp for one in entered], dtype=np.int64)
        numbers = {name: number for number, name in enumerate(self._names)}
        self._authors = np.array([numbers[one.profile.idea.author] for one in entered], dtype=np.int64)

    def blocks(self) -> Iterator[list[SweepReport]]:
        """The reports of all points in the order of the grid, a block at a time. Go through it once."""
        size = max(BLOCK_POINTS_MIN, BLOCK_CELLS // max(1, len(self._entered), self._days))
        for first in range(0, len(self._grid), size):
            yield self._block(first, min(first + size, len(self._grid)))

    def _block(self, first: int, last: int) -> list[SweepReport]:
        if not self._entered:
            return [self._untraded(point) for point in range(first, last)]
        assert self._first is not None, "ideas that have entered have a first entry"
        places = self._grid.places(first, last)
        exits = self._exits(self._columns(places))
        taken = taken_trades(self._entries, self._authors, exits.opened_at, self._step)
        figures = point_figures(exits, taken, self._first, self._days)
        self._grade(places, first, last)
        self._count_minutes(figures.minutes_count)
        return self._reports(first, figures)

    def _columns(self, places: Places) -> Integers:
        """Which exit each idea takes at each point: on one candle the stop comes first."""
        profit = self._profit_index[:, places.profit]
        stop = self._index[:, self._grid.stops][:, places.stop]
        stopped = stop <= profit
        column = np.where(stopped, places.stop, self._profit_column[:, places.profit])
        expired = np.minimum(stop, profit) >= self._counts[:, places.hold]
        return np.where(expired, self._grid.holds.start + places.hold, column)

    def _exits(self, columns: Integers) -> Exits:
        return Exits(
            pnl=np.take_along_axis(self._pnl, columns, 1),
            opened_at=np.take_along_axis(self._opened_at, columns, 1),
            minutes=np.take_along_axis(self._minutes, columns, 1),
            reason=np.take_along_axis(self._reason, columns, 1),
        )

    def _grade(self, places: Places, first: int, last: int) -> None:
        """Count the hits of each author: a favourable touch before the stop is touched and the hold is over."""
        touch = self._profit_touch[:, places.profit]
        graded = self._covered[:, places.hold]
        before_stop = touch < self._stop_touch[:, places.stop]
        hit = before_stop & (touch < self._counts[:, places.hold]) & graded
        for author in range(len(self._names)):
            own = self._authors == author
            self._hits[first:last, author] = hit[own].sum(axis=0)
            self._graded[first:last, author] = graded[own].sum(axis=0)

    def _count_minutes(self, counts: Integers) -> None:
        known = self._minutes_count
        longer, shorter = (counts, known) if len(counts) > len(known) else (known, counts)
        self._minutes_count = longer.copy()
        self._minutes_count[: len(shorter)] += shorter

    def _reports(self, first: int, figures: PointFigures) -> list[SweepReport]:
        f, ideas, rules, trades_of = figures, len(self._entered), self._rules, self.trades
        rows = zip(
            f.trade_count, f.total, f.mean, f.win_rate, f.profit_factor, f.drawdown, f.sharpe, f.sortino, f.calmar,
            f.recovery, f.mean_minutes, f.p95_minutes, f.p99_minutes, f.reasons, strict=True,
        )  # fmt: skip
        return [
            SweepReport(
                point=point,
                rule=rules[point],
                trade_count=count,
                skipped_busy=ideas - count,
                total_pnl_percent=total,
                avg_pnl_percent=_known(mean),
                win_rate=_known(rate),
                profit_factor=_known(factor),
                max_series_drawdown_percent=drawdown,
                sharpe=_known(sharpe),
                sortino=_known(sortino),
                calmar_ratio=_known(calmar),
                recovery_factor=_known(recovery),
                avg_hold_minutes=_known(minutes),
                p95_hold_minutes=p95 if count else None,
                p99_hold_minutes=p99 if count else None,
                exit_reasons=dict(zip(EXIT_REASONS, reasons, strict=True)),
                trades_of=trades_of,
            )
            for point, (
                count, total, mean, rate, factor, drawdown, sharpe, sortino, calmar, recovery, minutes, p95, p99, reasons,
            ) in enumerate(rows, first)
        ]  # fmt: skip

    def _untraded(self, point: int) -> SweepReport:
        """The report of a point without any idea."""
        return SweepReport(
            point=point, rule=self._rules[point], trade_count=0, skipped_busy=0, total_pnl_percent=0.0,
            avg_pnl_percent=None, win_rate=None, profit_factor=None, max_series_drawdown_percent=0.0, sharpe=None,
            sortino=None, calmar_ratio=None, recovery_factor=None, avg_hold_minutes=None, p95_hold_minutes=None,
            p99_hold_minutes=None, exit_reasons=dict.fromkeys(EXIT_REASONS, 0), trades_of=self.trades,
        )  # fmt: skip

    def trades(self, point: int) -> tuple[SweepTrade, ...]:
        """The trades of one point, in the order of the ideas."""
        if not self._entered:
            return ()
        columns = self._columns(self._grid.places(point, point + 1))
        opened_at = np.take_along_axis(self._opened_at, columns, 1)[:, 0]
        holders = slot_holders(self._entries.tolist(), self._authors.tolist(), opened_at.tolist(), self._step)
        absorbed: dict[int, list[str]] = {}
        for row, holder in enumerate(holders):
            if holder == row:
                absorbed[row] = []
            else:
                absorbed[holder].append(self._entered[row].profile.idea.id)
        exits = columns[:, 0].tolist()
        return tuple(self._trade(row, exits[row], ids) for row, ids in absorbed.items())

    def _trade(self, row: int, column: int, absorbed: list[str]) -> SweepTrade:
        """A trade by its idea and exit: points share both, and so they share the trade unless it absorbed something."""
        trade = self._made.get((row, column))
        if trade is None:
            one = self._entered[row]
            trade = self._made[row, column] = SweepTrade(
                idea=one.profile.idea,
                entry_timestamp=one.profile.entry_timestamp,
                entry_price=one.profile.entry_price,
                exit_timestamp=int(one.opened_at[column]) + self._label,
                exit_price=float(one.exits.price[column]),
                exit_reason=EXIT_REASONS[int(one.reason[column])],
                pnl_percent=float(one.exits.pnl[column]),
                hold_minutes=int(one.minutes[column]),
                absorbed_ideas=(),
            )
        return replace(trade, absorbed_ideas=tuple(absorbed)) if absorbed else trade

    def tracks(self) -> AuthorTracks:
        """How often authors were right, by all rules that `blocks` has been through."""
        known = [0] * len(self._names)
        for one in self._entered:
            known[self._names.index(one.profile.idea.author)] += 1
        return AuthorTracks(self._rules, self._names, known, self._graded, self._hits)

    def sample(self, reports: Sequence[SweepReport]) -> SweepSample:
        """What `blocks` came to, with its `reports` in the order in which they are shown."""
        counts = self._minutes_count
        trades = int(counts.sum())
        p95, p99 = (percentile_of_counts(counts, percent) for percent in PERCENTILES)
        return SweepSample(
            ideas=len(self._entered),
            truncated=sum(one.profile.truncated for one in self._entered),
            first_entry=self._first,
            until=self._until,
            days=self._days,
            reports=tuple(reports),
            tracks=self.tracks(),
            trade_count=trades,
            avg_hold_minutes=float(counts @ np.arange(len(counts))) / trades if trades else None,
            p95_hold_minutes=p95,
            p99_hold_minutes=p99,
        )


def _known(value: float) -> float | None:
    """`value`, None for NaN."""
    return value if value == value else None
