"""What a sweep works with and finds out: forecasts, exit rules, and how each rule did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, assert_never, overload

import numpy as np
import numpy.typing as npt

from backtestkit.model.interval import from_ms

IdeaDirection: TypeAlias = Literal["long", "short", "neutral"]
SweepExitReason: TypeAlias = Literal["hard_stop", "trailing_take", "profit_lock", "time_expired", "data_truncated"]
SweepOrder: TypeAlias = Literal["sharpe", "sortino", "pnl", "recovery"]
Counts: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Idea:
    """A forecast: `author` said at `timestamp` (ms UTC) that `symbol` would rise (`long`), fall, or neither."""

    id: str
    timestamp: int
    symbol: str
    direction: IdeaDirection
    author: str = ""

    @property
    def when(self) -> datetime:
        """`timestamp` as an aware datetime."""
        return from_ms(self.timestamp)


@dataclass(frozen=True, slots=True)
class SweepRule:
    """One point of the grid: percents of the entry price, minutes, and 0 for no profit lock."""

    hard_stop_percent: float
    trailing_take_percent: float
    hold_minutes: int
    profit_lock_percent: float

    def __str__(self) -> str:
        lock = f", lock {self.profit_lock_percent:g}%" if self.profit_lock_percent else ""
        return f"stop {self.hard_stop_percent:g}%, trail {self.trailing_take_percent:g}%, hold {self.hold_minutes} min{lock}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaProfile:
    """What the market did after an idea, up to the longest hold. Percents of the entry price, good for the idea above 0.

    - `entry_timestamp`, `entry_price`: the first candle that opens after the idea, and its open.
    - `candles`: how many there are; `truncated`: they end before the longest hold does.
    - `favourable_percent`, `adverse_percent`: how far wicks went for and against the idea, both at least 0;
      `favourable_minute`, `adverse_minute`: in which minute that was, 1 for the first.
    - `adverse_before_percent`: how far they went against it in the candles before the best one.
    - `median_percent`: the median of the closes. `hit`: the last close lies beyond the entry.
    - `outcome_known_at`: when the last candle closed, ms UTC.
    """

    idea: Idea
    entry_timestamp: int
    entry_price: float
    candles: int
    truncated: bool
    favourable_percent: float
    favourable_minute: int
    adverse_percent: float
    adverse_minute: int
    adverse_before_percent: float
    median_percent: float
    hit: bool
    outcome_known_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepTrade:
    """An idea traded by one rule.

    - `entry_price`, `exit_price`: as quoted, before slippage. `pnl_percent`: net of fees and slippage.
    - `exit_timestamp`: the exit candle, dated like everything under that fill policy: by its close, or by its open.
    - `hold_minutes`: from the entry to the end of the exit candle.
    - `absorbed_ideas`: ids of the ideas of the same author that came while this trade was open.
    """

    idea: Idea
    entry_timestamp: int
    entry_price: float
    exit_timestamp: int
    exit_price: float
    exit_reason: SweepExitReason
    pnl_percent: float
    hold_minutes: int
    absorbed_ideas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """How one rule did. Percents; a figure that the trades cannot carry is None.

    - `point`: its place in the grid, from 0. `trade_count`; `skipped_busy`: ideas that found their author's slot taken.
    - `total_pnl_percent`, `avg_pnl_percent`, `win_rate` (percent of the trades above 0), `profit_factor`.
    - `max_series_drawdown_percent`: the deepest fall of the running sum of profits, in the order of the ideas.
    - `sharpe`, `sortino`: of the profits per day over the whole period, times the root of its days.
    - `calmar_ratio`: the total, scaled to 365 days, by that drawdown; `recovery_factor`: the total by it.
    - `avg_hold_minutes`, `p95_hold_minutes`, `p99_hold_minutes`; `exit_reasons`: how many trades ended by each.
    """

    point: int
    rule: SweepRule
    trade_count: int
    skipped_busy: int
    total_pnl_percent: float
    avg_pnl_percent: float | None
    win_rate: float | None
    profit_factor: float | None
    max_series_drawdown_percent: float
    sharpe: float | None
    sortino: float | None
    calmar_ratio: float | None
    recovery_factor: float | None
    avg_hold_minutes: float | None
    p95_hold_minutes: int | None
    p99_hold_minutes: int | None
    exit_reasons: Mapping[SweepExitReason, int]
    trades_of: Callable[[int], tuple[SweepTrade, ...]] = field(repr=False, compare=False)

    @property
    def trades(self) -> tuple[SweepTrade, ...]:
        """The trades, in the order of the ideas; made when they are read."""
        return self.trades_of(self.point)

    def figure(self, order: SweepOrder) -> float | None:
        """The figure that `order` compares; None when there is none, and for a rule without trades."""
        if not self.trade_count:
            return None
        match order:
            case "sharpe":
                return self.sharpe
            case "sortino":
                return self.sortino
            case "pnl":
                return self.total_pnl_percent
            case "recovery":
                return self.recovery_factor
            case _:
                assert_never(order)


@dataclass(frozen=True, slots=True)
class AuthorTrack:
    """How often an author was right by one rule: `hit_rate` is `hits` of `ideas` in percent.

    `ungraded` ideas have candles that end before the rule's hold does; they count for nothing.
    """

    rule: SweepRule
    author: str
    ideas: int
    hits: int
    hit_rate: float | None
    ungraded: int


class AuthorTracks(Sequence[AuthorTrack]):
    """The tracks of all authors by all rules: rules in the order of the grid, inside a rule most ideas first.

    A row is made when it is read: a grid of thousands of points has millions of them.
    """

    __slots__ = ("_authors", "_hits", "_ideas", "_known", "_rules")

    def __init__(
        self,
        rules: Sequence[SweepRule],
        authors: Sequence[str],
        known: Sequence[int],
        ideas: Counts,
        hits: Counts,
    ) -> None:
        """`known` are the ideas of each author; `ideas` (graded ones) and `hits` have shape (points, authors)."""
        self._rules, self._authors, self._known = rules, tuple(authors), tuple(known)
        self._ideas, self._hits = ideas, hits

    def __len__(self) -> int:
        return self._ideas.size

    @overload
    def __getitem__(self, index: int) -> AuthorTrack: ...
    @overload
    def __getitem__(self, index: slice) -> list[AuthorTrack]: ...
    def __getitem__(self, index: int | slice) -> AuthorTrack | list[AuthorTrack]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"track {index} of {len(self)}")
        point, place = divmod(index % len(self), len(self._authors))
        return self.of(point)[place]

    def __iter__(self) -> Iterator[AuthorTrack]:
        return (track for point in range(len(self._ideas)) for track in self.of(point))

    def of(self, point: int) -> list[AuthorTrack]:
        """The tracks of the rule at that place of the grid."""
        ideas, hits = self._ideas[point].tolist(), self._hits[point].tolist()
        order = sorted(range(len(ideas)), key=lambda author: -ideas[author])
        return [
            AuthorTrack(
                rule=self._rules[point],
                author=self._authors[author],
                ideas=ideas[author],
                hits=hits[author],
                hit_rate=hits[author] / ideas[author] * 100 if ideas[author] else None,
                ungraded=self._known[author] - ideas[author],
            )
            for author in order
        ]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweepSample:
    """The grid over one part of the ideas.

    - `ideas`: how many; `truncated`: of these, how many have candles that end before the longest hold does.
    - `first_entry`: the first entry, `until`: when the last outcome is known (ms UTC), `days` between them.
    - `reports`: one a point, in the order of the in-sample ranking, in both samples.
    - `tracks`: how often authors were right.
    - `trade_count` and the hold figures are those of all trades of all points.
    """

    ideas: int
    truncated: int
    first_entry: int | None
    until: int | None
    days: int
    reports: tuple[SweepReport, ...]
    tracks: AuthorTracks
    trade_count: int
    avg_hold_minutes: float | None
    p95_hold_minutes: int | None
    p99_hold_minutes: int | None

    def __repr__(self) -> str:
        # An event loop writes down what its task gives back; tens of thousands of reports would take a second.
        return f"<SweepSample {self.ideas} ideas, {len(self.reports)} points, {self.trade_count} trades>"


@dataclass(frozen=True, slots=True)
class SweepPair:
    """One rule in both samples; `out_of_sample` is None when nothing was held out."""

    in_sample: SweepReport
    out_of_sample: SweepReport | None

    @property
    def rule(self) -> SweepRule:
        """The rule."""
        return self.in_sample.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCounts:
    """What became of the ideas; every one is counted once.

    - `total`: ideas of the symbol, the sum of all that follow but `truncated`. `neutral`: not traded.
    - `repeated`: too soon after one of the same author and direction.
    - `without_candles`: no candle where they would enter.
    - `in_sample`, `out_of_sample`; `purged`: before the split, with an outcome that lies after it, and in neither.
    - `truncated`: of those in a sample, how many have candles that end before the longest hold does.
    """

    total: int
    neutral: int
    repeated: int
    without_candles: int
    in_sample: int
    purged: int
    out_of_sample: int
    truncated: int

    def __post_init__(self) -> None:
        parts = self.neutral + self.repeated + self.without_candles + self.in_sample + self.purged + self.out_of_sample
        assert parts == self.total, f"{parts} ideas counted of {self.total}: {self}"

    @property
    def directional(self) -> int:
        """Ideas that are neither neutral nor repeated."""
        return self.total - self.neutral - self.repeated


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweepResult:
    """What a sweep came to.

    - `policy`: the fill policy; `order`: what the rules are ranked by; `points`: how many there are.
    - `split_at`: where the hold-out begins, ms UTC; None without one.
    - `profiles`: what the market did after each idea that has candles, in their order.
    - `in_sample`, and `out_of_sample`, which is None when nothing was held out.
    - `best`: by each criterion the in-sample winner (of equals the first of the grid) with its figures in both samples;
      None where no rule has the figure.
    """

    sweep_name: str
    symbol: str
    exchange_name: str
    policy: str
    percent_fee: float
    percent_slippage: float
    order: SweepOrder
    points: int
    counts: SweepCounts
    split_at: int | None
    profiles: tuple[IdeaProfile, ...]
    in_sample: SweepSample
    out_of_sample: SweepSample | None
    best: Mapping[SweepOrder, SweepPair | None]

    def __repr__(self) -> str:
        return f"<SweepResult {self.sweep_name} {self.symbol}: {self.counts.total} ideas, {self.points} points>"

    @property
    def pairs(self) -> list[SweepPair]:
        """Every rule in both samples, best in-sample figure first."""
        if self.out_of_sample is None:
            return [SweepPair(report, None) for report in self.in_sample.reports]
        return [
            SweepPair(inside, outside)
            for inside, outside in zip(self.in_sample.reports, self.out_of_sample.reports, strict=True)
        ]
