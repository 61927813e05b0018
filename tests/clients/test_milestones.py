"""Milestones on the way to the levels, breakeven, and the order of events within one minute."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.commands import Commands
from scenarios.market import Row, candles, still
from scenarios.run import Told, market, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
gears = pytest.mark.parametrize("stepping", [False, True], ids=["jump", "step"])
LEVELS = ("partial_profit_available", "partial_loss_available", "breakeven_available")


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 102.0, "price_stop_loss": 98.0, "minute_estimated_time": 40} | changes
    return bk.Signal(position="long", **fields)


CLOSES = [100, 100, 99.9, 99, 98.6, 101, 101, 101.2, 101.5, 102.6]


def walk() -> list[Row]:
    return still(30, lambda m: 100 if m < 0 else CLOSES[min(m, len(CLOSES) - 1)])


def told(rows: list[Row], signal: bk.Signal, policy: PolicyName = "reference", **options: Any) -> Told:
    return run(rows, once(signal), policy=policy, hear=LEVELS, **options)


@gears
def test_the_worked_sequence(stepping: bool) -> None:
    result = told(walk(), long(), stepping=stepping)
    seen = [
        (minute(e.timestamp), name.split("_")[1] if name != "breakeven_available" else name, getattr(e, "level", 0))
        for name, e in result.heard
    ]
    assert seen == [
        (3, "loss", 10),
        (4, "loss", 20),
        (8, "breakeven_available", 0),
        *((8, "profit", level) for level in (10, 20, 30)),
        *((9, "profit", level) for level in (40, 50, 60, 70)),
        (10, "profit", 80),
    ]
    assert [e.current_price for e in result.of("partial_loss_available")] == [99.78, 99.5]
    assert result.of("breakeven_available")[0].current_price == pytest.approx(100.66)
    assert result.story[1][:2] == (11, "take_profit")


@gears
@pytest.mark.parametrize("policy", ["conservative", "next_open"])
def test_the_same_sequence_one_minute_later_under_an_honest_policy(policy: PolicyName, stepping: bool) -> None:
    result = told(walk(), long(), policy, stepping=stepping)
    assert [(minute(e.timestamp), e.level) for e in result.of("partial_loss_available")] == [(4, 10), (5, 20)]
    assert result.minutes("breakeven_available") == [9]


@policies
def test_each_milestone_is_told_once(policy: PolicyName) -> None:
    wave = still(40, lambda m: 101 if m > 0 and 2 <= m % 12 < 8 else 100)
    result = told(wave, long(), policy)
    levels = [e.level for e in result.of("partial_profit_available")]
    assert levels == sorted(set(levels)) == [10, 20, 30, 40, 50]


@policies
def test_moving_a_level_does_not_tell_milestones_again(policy: PolicyName) -> None:
    commands = Commands().at("partial_profit_available", None, "commit_trailing_take", 1.0, allow_loosen=True)
    wave = still(40, lambda m: 100 + (1.0 if m >= 2 else 0.0))
    result = told(wave, long(), policy, prepare=commands.listen)
    levels = [e.level for e in result.of("partial_profit_available")]
    assert commands.done == [True]
    assert levels == sorted(set(levels))


@policies
def test_the_next_position_starts_without_milestones(policy: PolicyName) -> None:
    def every_20_minutes(symbol: str, when: Any, price: float) -> bk.Signal | None:
        return long(minute_estimated_time=15) if minute(round(when.timestamp() * 1000)) % 20 == 0 else None

    wave = still(60, lambda m: 101 if m > 0 and 2 <= m % 20 < 9 else 100)
    result = run(wave, every_20_minutes, policy=policy, hear=LEVELS)
    by_signal: dict[str, list[int]] = {}
    for event in result.of("partial_profit_available"):
        by_signal.setdefault(event.data.id, []).append(event.level)
    assert list(by_signal.values()) == [[10, 20, 30, 40, 50]] * 3


def test_two_strategies_with_the_same_signal_id_have_milestones_of_their_own() -> None:
    heard: list[tuple[str, int]] = []
    source = candles(still(40, lambda m: 101 if m >= 2 else 100))
    begin = int(source.timestamp[5])
    with bk.Kit():
        market(source)
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 30 * 60_000)
        bk.listen_partial_profit_available(lambda e: heard.append((e.strategy_name, e.level)))
        for name in ("a", "b"):
            bk.add_strategy(strategy_name=name, interval="1m", get_signal=once(long(id="same")))
            bk.Backtest.run("BTC", strategy_name=name, exchange_name="x", frame_name="f").wait()
    assert heard == [(name, level) for name in ("a", "b") for level in (10, 20, 30, 40, 50)]


@policies
def test_all_events_of_a_minute_show_the_signal_at_its_price(policy: PolicyName) -> None:
    result = told(walk(), long(), policy)
    for event in result.of("partial_profit_available", "partial_loss_available"):
        assert event.data.pnl.price_close == event.current_price


@policies
def test_breakeven_is_told_once_and_moves_nothing(policy: PolicyName) -> None:
    wave = still(40, lambda m: 101 if m > 0 and 2 <= m % 12 < 8 else 100)
    result = told(wave, long(), policy)
    assert len(result.of("breakeven_available")) == 1
    assert result.only.signal.price_stop_loss == 98.0


@policies
def test_a_short_has_its_milestones_below_its_entry(policy: PolicyName) -> None:
    signal = bk.Signal(position="short", price_take_profit=98.0, price_stop_loss=102.0, minute_estimated_time=40)
    falling = still(30, lambda m: 99.0 if m >= 3 else 100.0)
    result = run(falling, once(signal), policy=policy, hear=LEVELS)
    assert [e.level for e in result.of("partial_profit_available")] == [10, 20, 30, 40, 50]
    assert result.of("partial_loss_available") == []
    assert len(result.of("breakeven_available")) == 1


# -- the order within a minute ----------------------------------------------------------------------------------------


def test_events_and_callbacks_of_a_minute_come_in_their_order() -> None:
    order: list[str] = []

    def prepare() -> None:
        for name in ("highest_profit", "active_ping", *LEVELS):
            getattr(bk, f"listen_{name}")(lambda e, n=name: order.append(n) if minute(e.timestamp) == 8 else None)

    def at_8(name: str) -> Any:
        return lambda s, *rest: order.append(name) if minute(round(rest[-2].timestamp() * 1000)) == 8 else None

    callbacks = {name: at_8(name) for name in ("on_write", "on_active_ping", "on_breakeven", "on_partial_profit")}
    run(walk(), once(long()), policy="reference", callbacks=callbacks, prepare=prepare)
    assert order == [
        "on_write",
        "highest_profit",
        "active_ping",
        "on_active_ping",
        "breakeven_available",
        "on_breakeven",
        *["partial_profit_available"] * 3,
        "on_partial_profit",
    ]


def test_the_callbacks_of_progress_run_every_minute_with_the_share_of_the_way() -> None:
    seen: list[tuple[int, str, float]] = []

    def note(name: str) -> Any:
        def callback(symbol: str, signal: Any, price: float, done: float, when: Any, backtest: bool) -> None:
            assert signal.pnl.price_close == price
            seen.append((minute(round(when.timestamp() * 1000)), name, round(done, 6)))

        return callback

    rows = still(12, lambda m: 100 if m < 2 else 101 if m < 7 else 99)
    callbacks = {"on_partial_profit": note("profit"), "on_partial_loss": note("loss")}
    run(rows, once(long(minute_estimated_time=12)), callbacks=callbacks)
    assert [(m, n) for m, n, _ in seen] == [*((m, "profit") for m in range(3, 10)), *((m, "loss") for m in (10, 11))]
    assert {m: done for m, _, done in seen}[7] == 50.0


def test_a_callback_of_progress_is_not_called_once_a_listener_closed_the_position() -> None:
    called: list[int] = []
    commands = Commands().at("active_ping", 4, "commit_close_pending")
    run(
        still(20, lambda m: 101 if m >= 1 else 100),
        once(long()),
        callbacks={
            "on_partial_profit": lambda s, signal, p, d, when, b: called.append(minute(round(when.timestamp() * 1000)))
        },
        prepare=commands.listen,
    )
    assert called == [2, 3]


@policies
@pytest.mark.parametrize(
    ("channel", "last"),
    [
        ("highest_profit", ()),
        ("active_ping", ("highest_profit",)),
        ("breakeven_available", ("highest_profit", "active_ping")),
        ("partial_profit_available", ("highest_profit", "active_ping", "breakeven_available")),
    ],
)
def test_closing_in_one_event_of_a_minute_silences_the_later_ones(
    channel: str, last: tuple[str, ...], policy: PolicyName
) -> None:
    commands = Commands().at(channel, 1 if policy == "reference" else 2, "commit_close_pending")
    rows = still(20, lambda m: 101.5 if m >= 1 else 100)
    names = ("highest_profit", "active_ping", "breakeven_available", "partial_profit_available")
    result = run(
        rows, once(long()), policy=policy, prepare=commands.listen, hear=names, config={"avg_price_candles_count": 1}
    )
    closing = result.story[1][0] - 1
    heard = [name for name, e in result.heard if minute(e.timestamp) == closing]
    assert heard == [*last, channel]


def test_a_level_event_that_closes_silences_the_higher_levels() -> None:
    commands = Commands().at("partial_loss_available", None, "commit_close_pending")
    rows = still(20, lambda m: 98.5 if m >= 1 else 100)
    result = run(rows, once(long()), prepare=commands.listen, hear=LEVELS, config={"avg_price_candles_count": 1})
    assert [e.level for e in result.of("partial_loss_available")] == [10]


def test_an_average_buy_in_the_ping_moves_what_breakeven_is_measured_from() -> None:
    """Distance and progress keep their values from before the ping, breakeven is judged with the new entry price."""
    commands = Commands().at("active_ping", 2, "commit_average_buy", 100.0)
    rows = still(20, lambda m: 100.62 if m >= 1 else 100)
    plain = run(rows, once(long()), hear=LEVELS, config={"avg_price_candles_count": 1})
    assert plain.minutes("breakeven_available") == [2]
    config = {"avg_price_candles_count": 1, "enable_dca_everywhere": True}
    bought = run(rows, once(long()), prepare=commands.listen, hear=LEVELS, config=config)
    assert commands.done == [True]
    assert bought.of("breakeven_available") == []
    assert bought.of("partial_profit_available")[0].data.total_entries == 2


@policies
@gears
def test_a_level_behind_the_entry_counts_as_reached_in_full(policy: PolicyName, stepping: bool) -> None:
    """After a breakeven the stop lies at the entry: the first minute at a loss is 100 % of the way."""
    commands = Commands().at("breakeven_available", None, "commit_breakeven", price=101.0)
    rows = still(30, lambda m: 101 if 1 <= m < 5 else 100, at={8: (100.0, 100.0, 100.0, 100.0, 1.0)})
    signal = long(minute_estimated_time=25, price_take_profit=110.0)
    result = run(rows, once(signal), policy=policy, prepare=commands.listen, hear=LEVELS, stepping=stepping)
    assert commands.done == [True]
    assert result.only.close_reason == "stop_loss"
    assert result.only.pnl.pnl_percentage == pytest.approx(-0.4, abs=0.001)
