"""Ready risk rules: when they refuse, what they say, and what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit import rules
from backtestkit.clients.position import Pricing
from backtestkit.clients.risk import ClientRisk, candidate, place_of
from backtestkit.math.profit import Costs
from backtestkit.model.interval import DAY_MS, MINUTE_MS, to_ms
from backtestkit.model.risk import ActivePosition, RiskPayload
from backtestkit.model.signal import ProfitLoss
from backtestkit.runtime.context import RunKey
from scenarios.rows import signal_row

NOW = to_ms(datetime(2025, 6, 4, 12, 0, tzinfo=UTC))  # a Wednesday
PRICING = Pricing(Costs(0.1, 0.1), 0.2)


def place(symbol: str, strategy: str = "s", side: Any = "long", cost: float = 100.0, **fields: Any) -> ActivePosition:
    row = signal_row(side, entries=((100.0, cost),), symbol=symbol, strategy_name=strategy, **fields)
    return place_of(row, NOW - MINUTE_MS)


def payload(
    *places: ActivePosition,
    trades: list[tuple[float, str, float]] | None = None,
    when: datetime | None = None,
    symbol: str = "BTC",
    side: Any = "long",
    **fields: Any,
) -> RiskPayload:
    """The signal of `BTC` by `s`; `trades` are `(minutes ago, symbol, profit)` on a cost of 200, oldest first."""
    now = NOW if when is None else to_ms(when)
    book = ClientRisk()
    for i, (ago, traded, profit) in enumerate(trades or ()):
        key = RunKey(f"{traded}{i}", "s", "x", "f", True)
        closed = round(now - ago * MINUTE_MS)
        book.take(key, place_of(signal_row(symbol=traded), closed), closed)
        book.free(key, closed, ProfitLoss(profit / 2, profit, 200.0, 100.0, 100.0))
    row = signal_row(side, symbol=symbol, **fields)
    return RiskPayload(
        symbol=symbol,
        current_signal=candidate(row, row.price_open, now, PRICING, fresh=True),
        strategy_name="s",
        exchange_name="x",
        risk_name="r",
        frame_name="f",
        current_price=row.price_open,
        timestamp=now,
        active_position_count=len(places),
        active_positions=places,
        history=book.history(now),
    )


def note(rule: Callable[[RiskPayload], bk.RiskRejection | None], given: RiskPayload) -> str | None:
    """Why the rule refuses, None when it does not; the id is always its name."""
    rejection = rule(given)
    if rejection is None:
        return None
    assert rejection.id == type(rule).__name__
    return rejection.note


OTHERS = (place("ETH"), place("BTC", "other"), place("SOL", side="short"))


@pytest.mark.parametrize(
    ("per", "count", "of"),
    [
        ("total", 3, ""),
        ("symbol", 1, " of symbol BTC"),
        ("side", 2, " of side long"),
        ("strategy", 2, " of strategy s"),
    ],
)
def test_positions_are_counted_in_all_or_per_symbol_side_or_strategy(per: Any, count: int, of: str) -> None:
    given = payload(*OTHERS)
    assert note(rules.max_positions(count + 1, per), given) is None
    assert note(rules.max_positions(count, per), given) == f"{count} of {count} positions{of} are taken"


def test_no_position_at_all_may_be_allowed() -> None:
    assert note(rules.max_positions(0), payload()) == "0 of 0 positions are taken"


def test_exposure_is_cost_times_leverage_of_all_and_the_signal() -> None:
    given = payload(place("ETH", cost=50.0, multiplier=3.0), place("BTC", "other"), multiplier=2.0)
    assert note(rules.max_exposure(450), given) is None
    assert note(rules.max_exposure(449), given) == "the exposure would be 450 of 449"
    assert note(rules.max_exposure(300, per="symbol"), given) is None
    assert note(rules.max_exposure(299, per="symbol"), given) == "the exposure of symbol BTC would be 300 of 299"


def test_a_signal_that_counts_its_own_place_is_not_added_to_itself() -> None:
    own = place("BTC")
    assert note(rules.max_exposure(100), payload(own)) is None
    assert note(rules.min_distance(1), payload(own)) is None
    assert note(rules.max_positions(1), payload(own)) is not None


def test_rounding_does_not_break_a_limit_that_is_met() -> None:
    given = payload(*[place(f"S{i}", cost=0.1) for i in range(2)], entries=((100.0, 0.1),), cost=0.1)
    assert note(rules.max_exposure(0.3), given) is None


def test_reward_is_measured_by_risk() -> None:
    given = payload(price_take_profit=106.0, price_stop_loss=96.0)
    assert note(rules.min_reward_risk(1.5), given) is None
    assert note(rules.min_reward_risk(2), given) == "reward is 1.5 times the risk, 2 are needed"
    short = payload(side="short", price_take_profit=96.0, price_stop_loss=102.0)
    assert note(rules.min_reward_risk(2), short) is None


def test_entries_keep_their_distance_to_all_entries_of_their_symbol() -> None:
    averaged = replace(place("BTC", "other"), entry_prices=(90.0, 99.0))
    assert note(rules.min_distance(1), payload(averaged)) is None
    assert note(rules.min_distance(1.02), payload(averaged)) == "100 is 1.01 % from an entry at 99, 1.02 % are needed"
    assert note(rules.min_distance(50), payload(place("ETH"))) is None


def clock(hour: int, minute: int = 0, day: int = 4) -> RiskPayload:
    return payload(when=datetime(2025, 6, day, hour, minute, tzinfo=UTC))


def test_a_window_includes_its_start_and_not_its_end() -> None:
    rule = rules.time_window("08:30", time(16))
    inside = [note(rule, given) is None for given in (clock(8, 29), clock(8, 30), clock(15, 59), clock(16))]
    assert inside == [False, True, True, False]
    assert note(rule, clock(16, 5)) == "Wed 16:05 is outside 08:30 to 16:00"


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    rule = rules.time_window("22:00", "06:00", weekdays=["wed"])
    inside = {
        (day, hour): note(rule, clock(hour, day=day)) is None
        for day, hour in ((4, 21), (4, 22), (5, 5), (5, 6), (4, 5))
    }
    assert inside == {(4, 21): False, (4, 22): True, (5, 5): True, (5, 6): False, (4, 5): False}
    assert note(rule, clock(5)) == "Wed 05:00 is outside 22:00 to 06:00 on wed"


def test_a_window_whose_ends_are_equal_is_the_whole_day() -> None:
    rule = rules.time_window("00:00", "00:00", weekdays=("sat", "sun"))
    assert [note(rule, clock(12, day=day)) is None for day in range(2, 9)] == [False] * 5 + [True] * 2


def test_a_window_is_on_the_clock_of_its_zone() -> None:
    assert note(rules.time_window("14:00", "15:00", tz="Europe/Berlin"), clock(12)) is None
    fixed = timezone(timedelta(hours=-5))
    assert note(rules.time_window("07:00", "07:01", tz=fixed), clock(12)) is None
    winter = payload(when=datetime(2025, 1, 8, 12, tzinfo=UTC))
    assert note(rules.time_window("14:00", "15:00", tz="Europe/Berlin"), winter) is not None


def test_after_a_loss_nothing_is_entered_for_a_while() -> None:
    rule = rules.cooldown_after_loss(30)
    assert note(rule, payload()) is None
    assert note(rule, payload(trades=[(30, "ETH", -5), (10, "ETH", 5)])) is None
    assert note(rule, payload(trades=[(29, "ETH", -5), (10, "ETH", 5)])) == (
        "29 of 30 minutes have passed since ETH lost 5"
    )
    of_symbol = rules.cooldown_after_loss(30, per="symbol")
    assert note(of_symbol, payload(trades=[(29, "ETH", -5)])) is None
    assert note(of_symbol, payload(trades=[(29, "BTC", -5), (1, "ETH", -5)])) is not None


def test_a_streak_of_losses_makes_a_pause() -> None:
    rule = rules.loss_streak(2, 60)
    assert note(rule, payload()) is None
    assert note(rule, payload(trades=[(1, "ETH", -1)])) is None
    assert note(rule, payload(trades=[(9, "ETH", -1), (8, "ETH", 1), (1, "ETH", -1)])) is None
    assert note(rule, payload(trades=[(90, "ETH", -1), (80, "BTC", -1), (59, "ETH", -1)])) == (
        "2 losses in a row, 59 of 60 minutes have passed since the last"
    )
    assert note(rule, payload(trades=[(90, "ETH", -1), (60, "ETH", -1)])) is None
    of_symbol = rules.loss_streak(2, 60, per="symbol")
    assert note(of_symbol, payload(trades=[(9, "BTC", -1), (8, "ETH", -1)])) is None
    assert note(of_symbol, payload(trades=[(9, "BTC", -1), (8, "ETH", 1), (7, "BTC", -1)])) is not None


def test_a_day_may_lose_so_much() -> None:
    today = [(700, "ETH", -30.0), (10, "ETH", 5.0)]
    given = payload(trades=[(721, "ETH", -100.0), *today])
    assert note(rules.daily_loss(cost=25.01), given) is None
    assert note(rules.daily_loss(cost=25), given) == "25 lost today of 25 allowed"
    assert note(rules.daily_loss(percent=12.5), given) == "12.5 % lost today of 12.5 % allowed"
    assert note(rules.daily_loss(percent=12.6), given) is None
    assert note(rules.daily_loss(1), payload()) is None


def test_the_day_of_a_daily_loss_is_that_of_its_zone() -> None:
    given = payload(trades=[(721, "ETH", -100.0)])  # one minute before midnight UTC
    assert note(rules.daily_loss(cost=50), given) is None
    assert note(rules.daily_loss(cost=50, tz="America/New_York"), given) is None
    assert note(rules.daily_loss(cost=50, tz=timezone(timedelta(hours=2))), given) is not None


def test_a_drawdown_is_measured_from_the_best_total() -> None:
    given = payload(trades=[(9, "ETH", 50.0), (8, "ETH", -30.0), (7, "ETH", -70.0)])
    assert note(rules.max_drawdown(10, 1_000), given) == "the drawdown is 10 % of 10 % allowed"
    assert note(rules.max_drawdown(10.1, 1_000), given) is None
    assert note(rules.max_drawdown(1, 1_000), payload()) is None


def test_symbols_that_move_together_share_a_limit() -> None:
    given = payload(place("ETH"), place("SOL"), place("XAU"))
    assert note(rules.correlated([("BTC", "ETH", "SOL"), ("XAU", "XAG")], 3), given) is None
    assert note(rules.correlated([("BTC", "ETH", "SOL"), ("XAU", "XAG")], 2), given) == (
        "2 of 2 positions in the group BTC/ETH/SOL are taken"
    )
    assert note(rules.correlated({"metals": ["XAU", "XAG"]}), replace(given, symbol="XAG")) == (
        "1 of 1 positions in the group metals are taken"
    )
    assert note(rules.correlated([("XAU",)]), given) is None


def test_rules_are_frozen_values() -> None:
    assert rules.max_positions(2) == rules.max_positions(2, per="total")
    assert repr(rules.daily_loss(cost=5)) == "daily_loss(percent=None, cost=5, tz=datetime.timezone.utc)"
    assert len({rules.time_window("08:00", "09:00", weekdays=["mon"]) for _ in range(3)}) == 1
    with pytest.raises(FrozenInstanceError):
        rules.max_positions(2).n = 3  # type: ignore[misc]


def test_all_rules_are_accepted_by_a_profile() -> None:
    with bk.Kit():
        schema = bk.add_risk(
            risk_name="all",
            validations=[
                rules.max_positions(3), rules.max_exposure(500), rules.min_reward_risk(1), rules.min_distance(1),
                rules.time_window("00:00", "00:00"), rules.cooldown_after_loss(5), rules.loss_streak(3, 60),
                rules.daily_loss(percent=5), rules.max_drawdown(10, 1_000), rules.correlated([["BTC", "ETH"]]),
            ],
        )  # fmt: skip
    assert all(rule.check(payload()) is None for rule in schema.validations)
    assert {type(rule.check).__name__ for rule in schema.validations} == set(rules.__all__)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rules.max_positions(-1), "max_positions: n=-1 must be a whole number of at least 0"),
        (lambda: rules.max_positions(True), "n=True"),
        (lambda: rules.max_positions(1.5), "n=1.5"),  # type: ignore[arg-type]
        (lambda: rules.max_positions(1, per="day"), "per='day' must be one of 'total', 'symbol'"),  # type: ignore[arg-type]
        (lambda: rules.max_exposure(0), "max_exposure: cost=0 must be a finite number above 0"),
        (lambda: rules.min_reward_risk(float("nan")), "ratio=nan"),
        (lambda: rules.min_distance("1"), "percent='1'"),  # type: ignore[arg-type]
        (lambda: rules.time_window("8 o'clock", "09:00"), 'start="8 o\'clock" must be a time of day'),
        (lambda: rules.time_window("08:00", 9), "end=9 must be text such as"),  # type: ignore[arg-type]
        (lambda: rules.time_window(time(8, tzinfo=UTC), "09:00"), "a time without a zone"),
        (lambda: rules.time_window("08:00", "09:00", tz="Europe/Atlantis"), "tz='Europe/Atlantis' is no time zone"),
        (lambda: rules.time_window("08:00", "09:00", tz="../x"), "is no time zone"),
        (lambda: rules.time_window("08:00", "09:00", tz=2), "tz=2 must be the name"),  # type: ignore[arg-type]
        (lambda: rules.time_window("08:00", "09:00", weekdays="mon"), "weekdays has 'm'"),  # type: ignore[arg-type]
        (lambda: rules.cooldown_after_loss(0), "minutes=0"),
        (lambda: rules.loss_streak(0, 5), "n=0 must be a whole number of at least 1"),
        (lambda: rules.loss_streak(2, 0), "pause_minutes=0"),
        (lambda: rules.daily_loss(), "daily_loss takes percent or cost"),
        (lambda: rules.daily_loss(1, 1), "daily_loss takes percent or cost"),
        (lambda: rules.daily_loss(percent=-1), "percent=-1"),
        (lambda: rules.daily_loss(cost=0), "cost=0"),
        (lambda: rules.daily_loss(cost=1, tz="x y"), "daily_loss: tz='x y'"),
        (lambda: rules.max_drawdown(0, 1), "percent=0"),
        (lambda: rules.max_drawdown(1, 0), "capital=0"),
        (lambda: rules.correlated(["BTC", "ETH"]), "group 'BTC' must be a collection of symbols"),
        (lambda: rules.correlated([[1]]), "must be a collection of symbols"),  # type: ignore[list-item]
        (lambda: rules.correlated([], 0), "limit=0"),
    ],
)
def test_wrong_arguments_are_refused_when_the_rule_is_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises(bk.UsageError) as refused:
        make()
    assert message in str(refused.value)


minutes_ago = st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([-3.0, -1.0, 2.0])), max_size=8)


@given(minutes_ago, st.integers(1, 4), st.integers(1, 2000))
def test_history_rules_agree_with_their_definition(trades: list[tuple[int, float]], n: int, minutes: int) -> None:
    ordered = sorted(trades, key=lambda trade: -trade[0])
    given_payload = payload(trades=[(ago, "ETH", profit) for ago, profit in ordered])
    cooling = any(profit < 0 and ago < minutes for ago, profit in ordered)
    assert (rules.cooldown_after_loss(minutes)(given_payload) is not None) == cooling
    recent = ordered[-n:]
    streak = len(recent) == n and all(profit < 0 for _, profit in recent) and ordered[-1][0] < minutes
    assert (rules.loss_streak(n, minutes)(given_payload) is not None) == streak
    midnight = NOW // DAY_MS * DAY_MS
    lost = -sum(profit for ago, profit in ordered if NOW - ago * MINUTE_MS >= midnight)
    assert (rules.daily_loss(cost=4)(given_payload) is not None) == (lost >= 4)
    best = total = 0.0
    for _, profit in ordered:
        total += profit
        best = max(best, total)
    assert (rules.max_drawdown(5, 100)(given_payload) is not None) == (best - total >= 5)
