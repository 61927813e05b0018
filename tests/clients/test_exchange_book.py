"""A candle book knows what it holds, hands out views, and never more than was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backtestkit.clients.candle_book import CandleBook, GapPolicy, Window, fill_flat
from backtestkit.errors import CandleError, GapError
from backtestkit.model.candle import Candles

MINUTE = 60_000


def candles(minutes: Iterable[int], offset: float = 0.0) -> Candles:
    """Candles at the given minutes; the close tells the minute."""
    listed = sorted(minutes)
    stamps = np.array(listed, dtype=np.int64) * MINUTE
    close = 100.0 + np.array(listed, dtype=np.float64) + offset
    return Candles.from_columns(stamps, close - 0.25, close + 1, close - 1, close, np.ones(len(listed)))


def book(gaps: GapPolicy = "refuse") -> CandleBook:
    return CandleBook("bybit", "BTCUSDT", "1m", gaps, anomaly_factor=1000, median_from=5)


def filled(gaps: GapPolicy, since: int, until: int, without: Iterable[int] = ()) -> CandleBook:
    made = book(gaps)
    made.add(since * MINUTE, until * MINUTE, candles(set(range(since, until)) - set(without)))
    return made


def minutes_of(found: Candles | None) -> list[int] | None:
    return None if found is None else (found.timestamp // MINUTE).tolist()


class TestCoverage:
    def test_a_new_book_knows_nothing(self) -> None:
        empty = book()
        assert empty.coverage == ()
        assert empty.missing(0, 10) == [(0, 10)]
        assert empty.known_around(5) == (5, 5)
        assert empty.last(MINUTE, 1) is None
        assert len(empty.existing(0, MINUTE)) == 0
        empty.trim()
        assert empty.coverage == ()

    def test_only_what_is_missing_is_missing(self) -> None:
        made = filled("refuse", 10, 20)
        made.add(30 * MINUTE, 40 * MINUTE, candles(range(30, 40)))
        assert made.missing(0, 50 * MINUTE) == [
            (0, 10 * MINUTE),
            (20 * MINUTE, 30 * MINUTE),
            (40 * MINUTE, 50 * MINUTE),
        ]
        assert made.missing(12 * MINUTE, 18 * MINUTE) == []
        assert made.known_around(20 * MINUTE) == (10 * MINUTE, 20 * MINUTE)

    def test_ranges_that_touch_become_one(self) -> None:
        made = filled("refuse", 10, 20)
        made.add(20 * MINUTE, 25 * MINUTE, candles(range(20, 25)))
        made.add(5 * MINUTE, 10 * MINUTE, candles(range(5, 10)))
        assert made.coverage == ((5 * MINUTE, 25 * MINUTE),)
        assert minutes_of(made.last(25 * MINUTE, 20)) == list(range(5, 25))

    def test_new_candles_replace_old_ones_of_the_same_range(self) -> None:
        made = filled("skip", 0, 10)
        made.add(3 * MINUTE, 6 * MINUTE, candles([4], offset=0.5))
        found = made.existing(0, 10 * MINUTE)
        assert minutes_of(found) == [0, 1, 2, 4, 6, 7, 8, 9]
        assert found.close[3] == 104.5

    def test_a_window_counts_its_steps(self) -> None:
        assert book().window(0, 5 * MINUTE) == Window(0, 5 * MINUTE, 5)


class TestLast:
    def test_it_gives_the_candles_that_end_there(self) -> None:
        made = filled("refuse", 0, 10)
        assert minutes_of(made.last(7 * MINUTE, 3)) == [4, 5, 6]
        assert minutes_of(made.last(10 * MINUTE, 10)) == list(range(10))

    @pytest.mark.parametrize(("until", "limit"), [(11, 1), (5, 6), (0, 1)])
    @pytest.mark.parametrize("gaps", ["refuse", "skip", "flat"])
    def test_what_is_not_in_memory_has_to_be_loaded(self, gaps: GapPolicy, until: int, limit: int) -> None:
        assert filled(gaps, 0, 10).last(until * MINUTE, limit) is None

    def test_the_hole_between_two_ranges_is_not_in_memory(self) -> None:
        made = filled("refuse", 0, 10)
        made.add(20 * MINUTE, 30 * MINUTE, candles(range(20, 30)))
        assert made.last(15 * MINUTE, 1) is None
        assert made.last(22 * MINUTE, 3) is None
        assert minutes_of(made.last(22 * MINUTE, 2)) == [20, 21]

    def test_it_does_not_copy(self) -> None:
        made = filled("refuse", 0, 10)
        whole = made.existing(0, 10 * MINUTE)
        last = made.last(10 * MINUTE, 5)
        assert last is not None and np.shares_memory(last.close, whole.close)

    def test_refuse_names_a_hole_inside(self) -> None:
        made = filled("refuse", 0, 10, without=[4, 5])
        assert minutes_of(made.last(10 * MINUTE, 4)) == [6, 7, 8, 9]
        with pytest.raises(GapError, match=r"bybit BTCUSDT 1m has holes in .* 1 is missing: .*gaps='skip'") as caught:
            made.last(10 * MINUTE, 5)
        assert caught.value.holes == ((5 * MINUTE, 1),)

    def test_refuse_needs_the_candles_before_a_hole_too(self) -> None:
        assert filled("refuse", 0, 10, without=[4]).last(10 * MINUTE, 11) is None

    def test_skip_gives_the_last_that_exist(self) -> None:
        made = filled("skip", 0, 10, without=[4, 5, 9])
        assert minutes_of(made.last(10 * MINUTE, 4)) == [3, 6, 7, 8]
        assert made.last(10 * MINUTE, 8) is None

    def test_flat_fills_with_the_last_close_and_marks_it(self) -> None:
        made = filled("flat", 0, 10, without=[4, 5, 9])
        found = made.last(10 * MINUTE, 7)
        assert found is not None and found.filled is not None
        assert minutes_of(found) == [3, 4, 5, 6, 7, 8, 9]
        assert found.filled.tolist() == [False, True, True, False, False, False, True]
        assert found[1][1:] == (103.0, 103.0, 103.0, 103.0, 0.0)

    def test_flat_cannot_fill_a_hole_at_the_very_start(self) -> None:
        made = filled("flat", 0, 10, without=[0, 1])
        assert minutes_of(made.last(10 * MINUTE, 8)) == list(range(2, 10))
        with pytest.raises(GapError, match="no earlier close to fill it with"):
            made.last(10 * MINUTE, 9)
        made.add(-MINUTE, 0, candles([-1]))
        assert minutes_of(made.last(10 * MINUTE, 10)) == list(range(10))


class TestValues:
    def bad(self) -> Candles:
        good = candles(range(10))
        low = good.low.copy()
        low[4] = 0.0
        return Candles.from_columns(good.timestamp, good.open, good.high, low, good.close, good.volume)

    @pytest.mark.parametrize("gaps", ["refuse", "skip"])
    def test_bad_candles_are_refused_when_they_are_read(self, gaps: GapPolicy) -> None:
        made = book(gaps)
        made.add(0, 10 * MINUTE, self.bad())
        assert minutes_of(made.last(10 * MINUTE, 5)) == [5, 6, 7, 8, 9]
        assert minutes_of(made.between(0, 4 * MINUTE)) == [0, 1, 2, 3]
        reads: list[Callable[[], object]] = [lambda: made.last(10 * MINUTE, 6), lambda: made.between(0, 5 * MINUTE)]
        for read in reads:
            with pytest.raises(CandleError) as caught:
                read()
            assert caught.value.code == "candle_not_positive"


class TestBetween:
    def test_it_gives_the_range(self) -> None:
        assert minutes_of(filled("refuse", 0, 10).between(2 * MINUTE, 5 * MINUTE)) == [2, 3, 4]

    def test_skip_gives_what_exists(self) -> None:
        assert minutes_of(filled("skip", 0, 10, without=[3]).between(2 * MINUTE, 5 * MINUTE)) == [2, 4]

    def test_refuse_names_the_holes(self) -> None:
        with pytest.raises(GapError) as caught:
            filled("refuse", 0, 10, without=[3]).between(2 * MINUTE, 5 * MINUTE)
        assert caught.value.holes == ((3 * MINUTE, 1),)


class TestDoubt:
    def test_what_is_in_doubt_is_held_until_it_is_forgotten(self) -> None:
        made = filled("flat", 0, 10, without=[8, 9])
        made.add(20 * MINUTE, 30 * MINUTE, candles(range(20, 30)))
        made.doubt_from(8 * MINUTE)
        assert (made.unsure_from, minutes_of(made.last(10 * MINUTE, 2))) == (8 * MINUTE, [8, 9])
        made.forget_doubtful()
        made.forget_doubtful()
        assert made.coverage == ((0, 8 * MINUTE),)
        assert made.last(10 * MINUTE, 2) is None
        made.add(8 * MINUTE, 10 * MINUTE, candles([8, 9]))
        assert minutes_of(made.last(10 * MINUTE, 2)) == [8, 9]


class TestTrim:
    def test_it_keeps_the_newest_range_and_what_reads_need(self) -> None:
        made = book()
        made.add(0, 100 * MINUTE, candles(range(100)))
        made.add(200 * MINUTE, 5000 * MINUTE, candles(range(200, 5000)))
        made.reserve = 600
        made.trim()
        assert made.coverage == ((3800 * MINUTE, 5000 * MINUTE),)
        assert minutes_of(made.last(5000 * MINUTE, 600)) == list(range(4400, 5000))

    def test_small_ranges_stay_whole(self) -> None:
        made = filled("refuse", 0, 1900)
        made.trim()
        assert made.coverage == ((0, 1900 * MINUTE),)


class TestFillFlat:
    def test_nothing_and_gapless_candles_stay(self) -> None:
        assert len(fill_flat(Candles.empty(), MINUTE, 10 * MINUTE)) == 0
        whole = candles(range(5))
        assert fill_flat(whole, MINUTE, 5 * MINUTE) is whole

    @given(there=st.sets(st.integers(0, 40), min_size=1), end=st.integers(41, 50))
    def test_filling_in_pieces_is_filling_at_once(self, there: set[int], end: int) -> None:
        some = candles(there)
        whole = fill_flat(some, MINUTE, end * MINUTE)
        middle = max(there) // 2 + 1
        first = fill_flat(candles({m for m in there if m < middle}), MINUTE, middle * MINUTE)
        rest = candles({m for m in there if m >= middle})
        again = fill_flat(Candles.concat([p for p in (first, rest) if len(p)]), MINUTE, end * MINUTE)
        assert again == whole
        marks = [False] * len(whole) if whole.filled is None else whole.filled.tolist()
        assert [m for m, mark in zip(minutes_of(whole) or [], marks, strict=True) if not mark] == sorted(there)
        assert ([False] * len(again) if again.filled is None else again.filled.tolist()) == marks


class BookMachine(RuleBasedStateMachine):
    """Any sequence of additions, against a dictionary of minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.book = book("skip")
        self.known: dict[int, float | None] = {}
        self.version = 0.0

    @rule(since=st.integers(0, 50), size=st.integers(1, 15), holes=st.sets(st.integers(0, 14)))
    def add(self, since: int, size: int, holes: set[int]) -> None:
        self.version += 1 / 1024
        there = [since + i for i in range(size) if i not in holes]
        self.book.add(since * MINUTE, (since + size) * MINUTE, candles(there, self.version))
        for minute in range(since, since + size):
            self.known[minute] = 100.0 + minute + self.version if minute in there else None

    @invariant()
    def coverage_is_what_was_added(self) -> None:
        covered = [m for a, b in self.book.coverage for m in range(a // MINUTE, b // MINUTE)]
        assert covered == sorted(self.known)
        assert all(a[1] < b[0] for a, b in zip(self.book.coverage, self.book.coverage[1:], strict=False))

    @invariant()
    def candles_are_the_newest_that_were_added(self) -> None:
        found = self.book.existing(0, 100 * MINUTE)
        expected = {m: close for m, close in sorted(self.known.items()) if close is not None}
        assert dict(zip(minutes_of(found) or [], found.close.tolist(), strict=True)) == expected

    @precondition(lambda self: self.known)
    @rule(data=st.data(), limit=st.integers(1, 10))
    def last_never_reaches_the_future_and_never_skips_what_is_there(self, data: st.DataObject, limit: int) -> None:
        until = data.draw(st.integers(0, 66))
        found = self.book.last(until * MINUTE, limit)
        if found is not None:
            first = minutes_of(found)[0]  # type: ignore[index]
            assert minutes_of(found) == [m for m in range(first, until) if self.known[m] is not None][-limit:]
            assert len(found) == limit


TestBookMachine = BookMachine.TestCase
TestBookMachine.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
