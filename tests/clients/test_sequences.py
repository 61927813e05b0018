"""Whole lives of one signal, minute by minute: the worked sequences of the engine's specification.

Candles stand still at 100 unless a row says otherwise; the signal is given at minute 0. Under `reference` a candle acts
at its open time, under `conservative` at its close, one minute later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.market import Row, flat, still
from scenarios.run import Told, each, once, run

Story = list[tuple[int, str, float]]


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 102.0, "price_stop_loss": 98.0, "minute_estimated_time": 15} | changes
    return bk.Signal(position="long", **fields)


def waiting(**changes: Any) -> bk.Signal:
    return long(**({"price_open": 99.0, "price_stop_loss": 97.0} | changes))


def told(rows: list[Row], signal: bk.Signal, policy: PolicyName, **options: Any) -> Told:
    return run(rows, once(signal), policy=policy, **options)


SPIKE = (100.0, 200.0, 97.9, 200.0, 1000.0)
WICK = (100.0, 110.0, 99.0, 100.0, 1.0)


@pytest.mark.parametrize(
    ("rows", "signal", "expected", "percent"),
    [
        (still(40, at={10: SPIKE}), long(), (10, "stop_loss", 98.0), -2.3936083916083852),
        (still(40, at={10: WICK}), long(price_take_profit=102.5), (15, "time_expired", 100.0), -0.39960039960038823),
        (still(40, lambda m: 50 if m >= 10 else 100), long(), (10, "stop_loss", 98.0), -2.3936083916083852),
        (
            still(40, lambda m: 50 if m >= 15 else 100),
            long(),
            (15, "time_expired", 90.0),
            -10.369640359640359,
        ),
        (still(40, at={0: (100.0, 100.0, 97.0, 100.0, 1.0)}), long(), (0, "stop_loss", 98.0), -2.3936083916083852),
    ],
    ids=["stop-wins", "a-wick-is-no-take-profit", "level-is-kept", "expiry-wins", "first-candle"],
)
def test_reference_sequences_of_an_immediate_entry(
    rows: list[Row], signal: bk.Signal, expected: tuple[int, str, float], percent: float
) -> None:
    result = told(rows, signal, "reference")
    assert result.story == [(0, "opened", 100.0), expected]
    assert result.only.pnl.pnl_percentage == percent


def test_reference_a_wick_still_makes_a_new_peak_of_the_average() -> None:
    result = told(still(40, at={10: WICK}), long(price_take_profit=102.5), "reference")
    assert result.only.signal.peak.price == 100.6


def test_reference_take_profit_needs_the_average_of_five_candles() -> None:
    rows = still(40, lambda m: 100 + 0.5 * max(0, m - 10))
    signals = each(*[None] * 5, long())
    assert run(rows, signals, policy="reference").story[:2] == [(5, "opened", 100.0), (16, "take_profit", 102.0)]


@pytest.mark.parametrize(
    ("rows", "signal", "last", "expected"),
    [
        (still(40), long(minute_estimated_time=600), 20, [(21, "time_expired", 100.0)]),
        (
            still(60, at={10: (100.0, 100.0, 98.9, 100.0, 1.0)}),
            waiting(),
            None,
            [(10, "opened", 99.0), (25, "time_expired", 100.0)],
        ),
        (
            still(60, at={10: (100.0, 100.0, 96.9, 100.0, 1.0)}),
            waiting(),
            None,
            [(10, "price_reject", 99.79333333333332)],
        ),
        (still(200), waiting(), None, [(120, "timeout", 100.0)]),
        (still(200), waiting(), 10, [(11, "timeout", 100.0)]),
    ],
    ids=["frame-end", "activated", "entry-and-stop", "never-reached", "frame-end-while-waiting"],
)
def test_reference_sequences_of_ends(rows: list[Row], signal: bk.Signal, last: int | None, expected: Story) -> None:
    result = told(rows, signal, "reference", last=last)
    first = (0, "scheduled", 100.0) if signal.price_open else (0, "opened", 100.0)
    assert result.story == [first, *expected]


@pytest.mark.parametrize(
    ("rows", "signal", "expected"),
    [
        (still(40, at={10: SPIKE}), long(), (11, "stop_loss", 98.0)),
        (still(40, at={10: WICK}), long(price_take_profit=102.5), (15, "time_expired", 100.6)),
        (still(40, lambda m: 50 if m >= 10 else 100), long(), (11, "stop_loss", 50.0)),
        (still(40, lambda m: 50 if m >= 14 else 100), long(), (15, "stop_loss", 50.0)),
        (still(40, lambda m: 50 if m >= 15 else 100), long(), (15, "time_expired", 100.0)),
        (still(40, at={0: (100.0, 100.0, 97.0, 100.0, 1.0)}), long(), (1, "stop_loss", 98.0)),
    ],
    ids=["stop-wins", "a-wick-is-no-take-profit", "gapped", "last-candle-may-stop", "the-next-may-not", "first-candle"],
)
def test_conservative_sequences_of_an_immediate_entry(
    rows: list[Row], signal: bk.Signal, expected: tuple[int, str, float]
) -> None:
    result = told(rows, signal, "conservative")
    assert result.story == [(0, "opened", 100.0), expected]


@pytest.mark.parametrize(
    ("rows", "signal", "last", "expected"),
    [
        (still(40), long(minute_estimated_time=600), 20, [(20, "frame_end", 100.0)]),
        (
            still(60, at={10: (100.0, 100.0, 98.9, 100.0, 1.0)}),
            waiting(),
            None,
            [(11, "opened", 99.0), (26, "time_expired", 100.0)],
        ),
        (
            still(60, at={10: (100.0, 100.0, 96.9, 100.0, 1.0)}),
            waiting(),
            None,
            [(11, "opened", 99.0), (11, "stop_loss", 97.0)],
        ),
        (still(200), waiting(), None, [(120, "timeout", 100.0)]),
        (still(200), waiting(), 10, [(10, "frame_end", 100.0)]),
    ],
    ids=["frame-end", "activated", "entry-and-stop", "never-reached", "frame-end-while-waiting"],
)
@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_honest_sequences_of_ends(
    policy: PolicyName, rows: list[Row], signal: bk.Signal, last: int | None, expected: Story
) -> None:
    result = told(rows, signal, policy, last=last)
    first = (0, "scheduled", 100.0) if signal.price_open else (0, "opened", 100.0)
    assert result.story == [first, *expected]


def mirrored(rows: list[Row]) -> list[Row]:
    return [(200 - o, 200 - low, 200 - high, 200 - c, v) for o, high, low, c, v in rows]


@pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: still(40, at={10: WICK}),
        lambda: still(40, lambda m: 97 if m >= 10 else 100),
        lambda: still(40, lambda m: 104 if m >= 10 else 100),
        lambda: still(40, lambda m: 100 + 0.5 * max(0, m - 3)),
        lambda: flat(100, 40),
    ],
    ids=["wick", "gap-down", "gap-up", "rise", "flat"],
)
@pytest.mark.parametrize("entry", [None, 99.0])
def test_a_short_in_a_mirrored_market_lives_like_a_long(
    make: Callable[[], list[Row]], entry: float | None, policy: PolicyName
) -> None:
    rows = make()
    up = told(rows, long(price_open=entry, price_stop_loss=97.5), policy)
    down = bk.Signal(
        position="short",
        price_open=None if entry is None else 200 - entry,
        price_take_profit=98.0,
        price_stop_loss=102.5,
        minute_estimated_time=15,
    )
    short = told(mirrored(rows), down, policy)
    assert [(m, w) for m, w, _ in up.story] == [(m, w) for m, w, _ in short.story]
    assert [p for *_, p in up.story] == pytest.approx([200 - p for *_, p in short.story])


def test_a_candle_that_reaches_both_levels_is_counted_as_ambiguous() -> None:
    result = told(still(40, at={10: (100.0, 103.0, 97.0, 100.0, 1.0)}), long(), "conservative")
    assert result.only.close_reason == "stop_loss"
    assert result.only.ambiguous
    assert result.result.ambiguous_exits == 1


def test_an_exit_that_reaches_one_level_is_not_ambiguous() -> None:
    result = told(still(40, lambda m: 97 if m >= 10 else 100), long(), "conservative")
    assert not result.only.ambiguous
    assert result.result.ambiguous_exits == 0
