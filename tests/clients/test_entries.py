"""How a signal becomes a position: at once, or when the market comes to its price."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from scenarios.market import still
from scenarios.run import Told, minute, once, run

policies = pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])


def long(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 110.0, "price_stop_loss": 90.0, "minute_estimated_time": 15} | changes
    return bk.Signal(position="long", **fields)


def short(**changes: Any) -> bk.Signal:
    fields = {"price_take_profit": 90.0, "price_stop_loss": 110.0, "minute_estimated_time": 15} | changes
    return bk.Signal(position="short", **fields)


def opened(told: Told) -> bk.OpenedResult:
    (result,) = [r for r in told.results if isinstance(r, bk.OpenedResult)]
    return result


GAP = still(30, lambda m: 100 if m < 0 else 101)
"""The average before the first tick is 100, the candle after it opens at 101."""


@pytest.mark.parametrize(("policy", "price"), [("conservative", 100.0), ("reference", 100.0), ("next_open", 101.0)])
def test_a_market_entry_fills_at_the_average_or_at_the_next_open(policy: PolicyName, price: float) -> None:
    told = run(GAP, once(long()), policy=policy)
    assert opened(told).current_price == price
    assert opened(told).signal.entries[0].price == price
    assert minute(opened(told).timestamp) == 0


def test_next_open_refuses_an_entry_whose_open_is_beyond_its_stop() -> None:
    told = run(still(30, lambda m: 100 if m < 0 else 96), once(long(price_stop_loss=97.0)), policy="next_open")
    assert told.story == []
    assert told.codes == [("stop_loss_wrong_side", "stop_loss_too_close")]


@pytest.mark.parametrize(
    ("policy", "price", "percent"),
    [
        ("conservative", 100.0, -0.39960039960038823),
        ("next_open", 100.0, -0.39960039960038823),
        ("reference", 105.0, -5.147238475809889),
    ],
)
def test_an_entry_price_that_the_market_has_reached_fills_where_the_market_is(
    policy: PolicyName, price: float, percent: float
) -> None:
    told = run(still(40), once(long(price_open=105.0)), policy=policy)
    assert told.story == [(0, "opened", price), (15, "time_expired", 100.0)]
    assert told.only.pnl.pnl_percentage == percent


@policies
@pytest.mark.parametrize("signal", [long(price_open=100.0), short(price_open=100.0)], ids=["long", "short"])
def test_an_entry_price_at_the_market_opens_at_once(signal: bk.Signal, policy: PolicyName) -> None:
    assert run(still(40), once(signal), policy=policy).story[0] == (0, "opened", 100.0)


@policies
@pytest.mark.parametrize("signal", [long(price_open=99.9), short(price_open=100.1)], ids=["long", "short"])
def test_a_better_entry_price_than_the_market_waits(signal: bk.Signal, policy: PolicyName) -> None:
    told = run(still(200), once(signal), policy=policy)
    assert told.story == [(0, "scheduled", 100.0), (120, "timeout", 100.0)]


@pytest.mark.parametrize(("policy", "at"), [("conservative", 11), ("next_open", 11), ("reference", 10)])
@pytest.mark.parametrize(
    ("signal", "row", "price"),
    [
        (long(price_open=99.0), (100.0, 100.0, 99.0, 100.0, 1.0), 99.0),
        (short(price_open=101.0), (100.0, 101.0, 100.0, 100.0, 1.0), 101.0),
    ],
    ids=["long", "short"],
)
def test_a_waiting_entry_opens_at_its_price_when_a_candle_touches_it(
    signal: bk.Signal, row: tuple[float, ...], price: float, policy: PolicyName, at: int
) -> None:
    told = run(still(60, at={10: row}), once(signal), policy=policy)  # type: ignore[dict-item]
    assert told.story[1] == (at, "opened", price)
    signal_ = opened(told).signal
    assert (minute(signal_.scheduled_at), minute(signal_.pending_at)) == (0, at)


@pytest.mark.parametrize(("policy", "price"), [("conservative", 98.0), ("next_open", 98.0), ("reference", 99.0)])
def test_a_waiting_entry_that_the_market_gaps_past_fills_at_the_open(policy: PolicyName, price: float) -> None:
    told = run(still(60, lambda m: 98 if m >= 10 else 100), once(long(price_open=99.0)), policy=policy)
    assert opened(told).current_price == price


def test_a_waiting_short_that_the_market_gaps_past_fills_at_the_open() -> None:
    told = run(still(60, lambda m: 102 if m >= 10 else 100), once(short(price_open=101.0)))
    assert opened(told).current_price == 102.0


def test_a_gap_past_entry_and_stop_opens_and_stops_at_that_open() -> None:
    told = run(still(60, lambda m: 95 if m >= 10 else 100), once(long(price_open=99.0, price_stop_loss=97.0)))
    assert told.story[1:] == [(11, "opened", 95.0), (11, "stop_loss", 95.0)]
    assert told.only.pnl.pnl_percentage == pytest.approx(-0.4, abs=1e-3)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("conservative", [(11, "opened", 99.0), (11, "stop_loss", 97.0)]),
        ("next_open", [(11, "opened", 99.0), (11, "stop_loss", 97.0)]),
        ("reference", [(10, "price_reject", 99.46666666666667)]),
    ],
)
def test_a_candle_that_touches_entry_and_stop(policy: PolicyName, expected: list[tuple[int, str, float]]) -> None:
    rows = still(60, at={10: (100.0, 100.0, 96.0, 96.0, 1.0)})
    told = run(rows, once(long(price_open=99.0, price_stop_loss=97.0)), policy=policy)
    assert [(m, w) for m, w, _ in told.story[1:]] == [(m, w) for m, w, _ in expected]
    assert [p for *_, p in told.story[1:]] == pytest.approx([p for *_, p in expected])


@policies
def test_the_candle_of_an_activation_is_not_tested_for_the_take_profit(policy: PolicyName) -> None:
    rows = still(60, at={10: (100.0, 400.0, 98.0, 100.0, 100.0)})
    told = run(rows, once(long(price_open=99.0, price_take_profit=101.0)), policy=policy)
    label = 10 if policy == "reference" else 11
    assert told.story[1:] == [(label, "opened", 99.0), (label + 1, "take_profit", 101.0)]


@policies
def test_a_signal_takes_what_it_leaves_out_from_the_configuration(policy: PolicyName) -> None:
    config = {
        "position_entry_cost": 250,
        "signal_leverage_multiplier": 3,
        "signal_isolated_margin": False,
        "max_signal_lifetime_minutes": 7,
    }
    signal = bk.Signal(position="long", price_take_profit=110.0, price_stop_loss=90.0)
    told = run(still(30), once(signal), policy=policy, config=config)
    public = told.only.signal
    assert (public.cost, public.multiplier, public.isolated, public.minute_estimated_time) == (250.0, 3.0, False, 7.0)
    assert told.story[-1][:2] == (7, "time_expired")


@policies
def test_a_waiting_signal_shows_no_profit_yet(policy: PolicyName) -> None:
    told = run(still(30), once(long(price_open=99.0)), policy=policy)
    scheduled = told.results[0].signal
    assert scheduled.pending_at == 0
    assert scheduled.pnl == scheduled.peak_profit == scheduled.max_drawdown
    assert scheduled.pnl.pnl_percentage == scheduled.pnl.price_open == 0.0
    assert (scheduled.price_open, scheduled.price_take_profit, scheduled.price_stop_loss) == (99.0, 110.0, 90.0)


@policies
def test_a_mapping_is_as_good_as_a_signal(policy: PolicyName) -> None:
    answer = {"position": "long", "price_take_profit": 110, "price_stop_loss": 90, "minute_estimated_time": 15}
    told, other = run(still(40), once(answer), policy=policy), run(still(40), once(long()), policy=policy)
    assert told.result.fingerprint == other.result.fingerprint


@policies
def test_whole_numbers_and_floats_make_the_same_trade(policy: PolicyName) -> None:
    whole = long(price_take_profit=102, price_stop_loss=98, price_open=99, cost=50, multiplier=2)
    exact = long(price_take_profit=102.0, price_stop_loss=98.0, price_open=99.0, cost=50.0, multiplier=2.0)
    rows = still(60, lambda m: 99 if m == 10 else 100)
    first, second = run(rows, once(whole), policy=policy), run(rows, once(exact), policy=policy)
    assert first.result.fingerprint == second.result.fingerprint
    assert repr(first.only.signal.price_take_profit) == "102.0"


@policies
def test_the_same_explicit_id_trades_once(policy: PolicyName) -> None:
    told = run(still(60), lambda *_: long(id="mine", minute_estimated_time=5), policy=policy)
    assert [what for _, what, _ in told.story] == ["opened", "time_expired"]
    assert told.only.signal.id == "mine"


def test_another_explicit_id_trades_again_and_then_the_first_one_may_too() -> None:
    names = iter("aabba")
    told = run(still(60), lambda *_: long(id=next(names, "a"), minute_estimated_time=5))
    assert [r.signal.id for r in told.closed] == ["a", "b", "a"]


def test_generated_ids_never_repeat() -> None:
    told = run(still(60), lambda *_: long(minute_estimated_time=5))
    assert len({r.signal.id for r in told.closed}) == len(told.closed) > 5


def test_an_answer_for_another_symbol_is_an_error() -> None:
    told = run(still(20), once(long(symbol="ETH")))
    assert told.codes == [("symbol_mismatch",)]
    assert told.results == []


def test_an_answer_for_this_symbol_is_taken() -> None:
    assert len(run(still(30), once(long(symbol="BTC"))).closed) == 1


@pytest.mark.parametrize("answer", [42, "long", {"position": "long", "price_takeprofit": 1}])
def test_an_answer_that_is_no_signal_is_reported_and_opens_nothing(answer: Any) -> None:
    told = run(still(20), once(answer))
    assert told.results == []
    assert [type(e.error) for e in told.result.errors] == [bk.UsageError]


def test_while_something_is_open_or_waits_get_signal_is_not_asked() -> None:
    calls: list[int] = []

    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal | None:
        calls.append(minute(round(when.timestamp() * 1000)))
        return {0: long(minute_estimated_time=5), 6: long(price_open=99.0)}.get(calls[-1])

    run(still(140), get_signal)
    assert calls == [0, 6, *range(127, 140)]


@pytest.mark.parametrize("cost", [0, -5.0, float("nan"), float("inf")])
def test_a_cost_must_be_a_finite_number_above_0(cost: float) -> None:
    told = run(still(20), once(long(cost=cost)))
    assert told.results == []
    assert told.codes[0][0] in ("cost_not_finite", "cost_not_positive")


def test_under_reference_a_position_without_any_cost_ends_the_run_with_an_error_that_says_so() -> None:
    with pytest.raises(
        bk.BacktestKitError, match=r"a position of 0 invested has no entry price; give every entry a cost"
    ):
        run(still(20), once(long(cost=0)), policy="reference")


def test_under_reference_a_waiting_entry_of_no_cost_shows_the_default() -> None:
    told = run(still(20), once(long(cost=0, price_open=99.0)), policy="reference")
    assert told.results[0].signal.cost == 100.0
    assert told.results[0].signal.entries[0].cost == 0.0
