"""The columns and ticks that a run works with: bars, frames, ticks, candle requests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.clients.bars import Bars
from backtestkit.clients.frame import ClientFrame
from backtestkit.clients.requests import RequestChecks
from backtestkit.clients.ticks import Ticks
from backtestkit.errors import CandleError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE, FillPolicy
from backtestkit.model.interval import DAY_MS, FRAME_INTERVALS, INTERVAL_MS, from_ms
from backtestkit.model.market_data import FundingRate
from scenarios.market import MINUTE, START, candles, flat, still
from scenarios.rows import signal_row


def bars(count: int, policy: FillPolicy = CONSERVATIVE, keep: Any = None) -> Bars:
    source = candles(flat(100, count))
    return Bars(source if keep is None else source.take(keep), step=MINUTE, average_count=5, policy=policy)


# -- bars -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "offset"), [(CONSERVATIVE, MINUTE), (REFERENCE, 0)])
def test_a_candle_takes_effect_at_its_close_or_at_its_open(policy: FillPolicy, offset: int) -> None:
    assert bars(10, policy).label(3) == START + 3 * MINUTE + offset


@pytest.mark.parametrize("policy", [CONSERVATIVE, REFERENCE])
@settings(max_examples=60, deadline=None)
@given(when=st.integers(-5, 25), half=st.booleans())
def test_the_first_candle_with_a_label_from_a_time_on(policy: FillPolicy, when: int, half: bool) -> None:
    columns = bars(20, policy, np.r_[0:6, 9:20])
    time = START + when * MINUTE + half * MINUTE // 2
    walked = next((i for i in range(len(columns.times)) if columns.label(i) >= time), len(columns.times))
    assert columns.first_labelled(time) == walked


def test_no_candle_has_a_label_from_infinity_on() -> None:
    assert bars(20).first_labelled(math.inf) == 20


def test_a_limit_cuts_the_search_short() -> None:
    columns = bars(20)
    columns.limit = 8
    assert columns.first_labelled(START + 15 * MINUTE) == 8


def test_a_funding_rate_is_paid_at_the_first_candle_that_ends_with_or_after_it() -> None:
    columns = bars(20, keep=np.r_[0:6, 9:20])
    rates = [FundingRate(START + round(m * MINUTE), 0.0001) for m in (3, 3.5, 7.5, 99)]
    columns.set_fundings(rates)
    assert columns.funding_candles == [2, 3, 6, 17]


# -- frames -----------------------------------------------------------------------------------------------------------


def frame(
    start: int, end: int, interval: str = "1m", now: int = START + DAY_MS, policy: FillPolicy = CONSERVATIVE
) -> ClientFrame:
    return ClientFrame.between(start, end, interval, now, policy, "f")


@pytest.mark.parametrize("interval", FRAME_INTERVALS)
def test_a_frame_ticks_every_interval_from_its_start(interval: str) -> None:
    step = INTERVAL_MS[interval]
    ticks = frame(START, START + 3 * step, interval, START + 30 * DAY_MS, REFERENCE)
    assert ticks.times() == [from_ms(START + i * step) for i in range(4)]
    assert ticks.last == START + 3 * step


def test_a_tick_needs_a_candle_after_it_inside_the_frame_unless_the_last_tick_is_the_end() -> None:
    assert frame(START, START + 10 * MINUTE).count == 10
    assert frame(START, START + 10 * MINUTE, policy=REFERENCE).count == 11


def test_the_start_is_floored_to_the_minute_and_not_to_the_interval() -> None:
    hourly = frame(START + 17 * MINUTE + 30_000, START + 200 * MINUTE, "1h")
    assert hourly.times()[0] == from_ms(START + 17 * MINUTE)
    assert hourly.times()[1] == from_ms(START + 77 * MINUTE)


def test_a_frame_does_not_reach_beyond_now() -> None:
    ticks = frame(START, START + DAY_MS, now=START + 5 * MINUTE)
    assert (ticks.end, ticks.count) == (START + 5 * MINUTE, 5)


def test_a_frame_without_a_tick_is_refused_with_its_ends() -> None:
    with pytest.raises(
        UsageError, match=r"frame 'f' has no tick: it starts at 2025-01-01 00:00 and ends at 2025-01-01 00:00"
    ):
        frame(START, START)
    with pytest.raises(UsageError, match=r"ends at 2025-01-01 00:00 \(now\)\. Give an end_date after the start_date"):
        frame(START + 9 * MINUTE, START + DAY_MS, now=START)


# -- ticks ------------------------------------------------------------------------------------------------------------


def ticks(count: int = 60, interval: str = "1m", keep: Any = None, start: int = START, earliest: int = 0) -> Ticks:
    columns = bars(count, keep=keep)
    ends = frame(start, START + count * MINUTE, interval)
    return Ticks.of(columns, ends, 5, earliest)


def test_a_tick_has_a_full_window_before_and_a_candle_after_it() -> None:
    found = ticks(20)
    assert [found.time(i) for i in range(found.count)] == [START + m * MINUTE for m in range(5, 20)]
    assert [found.candle(i) for i in range(found.count)] == list(range(5, 20))


def test_no_tick_comes_before_the_earliest_one() -> None:
    assert ticks(20, earliest=START + 12 * MINUTE).time(0) == START + 12 * MINUTE


@settings(max_examples=80, deadline=None)
@given(
    interval=st.sampled_from(["1m", "3m", "5m", "15m"]),
    hole=st.one_of(st.none(), st.tuples(st.integers(1, 50), st.integers(1, 15))),
    when=st.integers(-10, 80),
    half=st.booleans(),
)
def test_searches_agree_with_a_walk(interval: str, hole: tuple[int, int] | None, when: int, half: bool) -> None:
    keep = None if hole is None else np.r_[: hole[0], min(60, hole[0] + hole[1]) : 60]
    found = ticks(60, interval, keep)
    times = found.times.tolist()
    assert [found.time(i) for i in range(found.count)] == times
    assert [found.candle(i) for i in range(found.count)] == found.candles.tolist()
    if not times:
        return
    time = START + when * MINUTE + half * MINUTE // 2
    assert found.at_or_after(time) == next((i for i, t in enumerate(times) if t >= time), found.count)
    assert found.after(time) == next((i for i, t in enumerate(times) if t > time), found.count)
    assert found.at_or_after(math.inf) == found.count


def test_even_ticks_over_uneven_candles_keep_their_step() -> None:
    """A tick every quarter of an hour, and a hole between two of them."""
    found = ticks(60, "15m", np.r_[0:18, 25:60])
    assert found.step == 15 * MINUTE
    assert found.candle_step == 0
    assert [found.time(i) for i in range(found.count)] == found.times.tolist()
    assert [found.candle(i) for i in range(found.count)] == found.candles.tolist()


def test_a_frame_may_have_no_tick_over_the_candles_there_are() -> None:
    assert ticks(20, start=START + 19 * MINUTE, earliest=START + DAY_MS).count == 0


# -- candle requests, as the reference makes them ---------------------------------------------------------------------

BAD = (100.0, 100.0, -1.0, 100.0, 1.0)
LOW = (0.01, 0.01, 0.01, 0.01, 1.0)


def requests(rows: Any, page: int = 10) -> RequestChecks:
    return RequestChecks.over(
        candles(rows), anomaly_factor=1000, min_candles_for_median=5, average_count=5, page=page, await_candles=20
    )


def test_clean_candles_are_known_to_be_clean() -> None:
    assert requests(still(40)).clean
    assert not requests(still(40, at={10: BAD})).clean


def test_a_bad_candle_matters_when_the_average_asks_for_it() -> None:
    checks = requests(still(40, at={10: BAD}))
    checks.check_average(15)
    checks.check_average(21)
    for index in range(16, 21):
        with pytest.raises(CandleError):
            checks.check_average(index)


def life(minutes: float, *, waits: bool = False) -> Any:
    return signal_row(minute_estimated_time=minutes, is_scheduled=waits)


def test_a_finite_life_is_asked_for_at_once_and_fails_at_its_start() -> None:
    checks = requests(still(60, at={20: BAD}))
    assert checks.failure(life(5), 10) is None
    found = checks.failure(life(20), 10)
    assert found is not None
    assert found[0] == 10
    assert found[1].timestamp == START + 25 * MINUTE


def test_a_waiting_entry_asks_for_its_waiting_time_too() -> None:
    checks = requests(still(60, at={30: BAD}))
    assert checks.failure(life(5), 10) is None
    assert checks.failure(life(5, waits=True), 10) is not None


def test_an_endless_life_is_asked_for_in_chunks_and_fails_at_the_chunk() -> None:
    checks = requests(still(60, at={30: BAD}))
    found = checks.failure(life(math.inf), 10)
    assert found is not None
    assert 10 < found[0] <= 35
    assert requests(still(60)).failure(life(math.inf), 10) is None


def test_an_endless_waiting_entry_asks_for_more_at_first() -> None:
    checks = requests(still(60, at={30: BAD}))
    found = checks.failure(life(math.inf, waits=True), 10)
    assert found is not None
    assert found[0] == 10


def test_an_anomaly_depends_on_the_candles_of_the_same_request() -> None:
    """A price a thousand times too low is one among normal ones, and normal among its like."""
    rows = still(40, at=dict.fromkeys(range(10, 25), LOW))
    checks = requests(rows, page=1000)
    checks.check_average(25)
    with pytest.raises(CandleError):
        checks.check_average(17)


def test_candles_before_the_first_are_not_asked_for() -> None:
    assert requests(still(40)).failure(life(3), 2) is None


def test_empty_columns_ask_for_nothing() -> None:
    checks = RequestChecks.over(
        Candles.empty(), anomaly_factor=1000, min_candles_for_median=5, average_count=5, page=10, await_candles=20
    )
    assert checks.failure(life(math.inf), 0) is None
