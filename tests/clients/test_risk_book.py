"""A risk profile's places and history, and what rules are shown and may answer."""

from __future__ import annotations

import math
from typing import Any

import pytest

from backtestkit.clients.position import Pricing
from backtestkit.clients.risk import ClientRisk, can_be_shown, candidate, place_of, rejection_of
from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs, profit_loss
from backtestkit.model.risk import ActivePosition, RiskRejection
from backtestkit.model.signal import ZERO_PROFIT, Entry, ProfitLoss
from backtestkit.runtime.context import RunKey
from scenarios.rows import partial, signal_row

PRICING = Pricing(Costs(0.1, 0.1), 0.2)


def key(symbol: str, strategy: str = "s") -> RunKey:
    return RunKey(symbol, strategy, "x", "f", True)


def place(symbol: str = "BTC", since: int = 0, cost: float = 100.0) -> ActivePosition:
    return place_of(signal_row(entries=((100.0, cost),), symbol=symbol), since)


def profit(cost: float) -> ProfitLoss:
    return ProfitLoss(cost, cost, 100.0, 100.0, 100.0)


def symbols(places: tuple[ActivePosition, ...]) -> list[str]:
    return [each.symbol for each in places]


def test_places_are_shown_in_the_order_in_which_they_were_taken_and_keep_it() -> None:
    book = ClientRisk()
    for name in ("BTC", "ETH", "SOL"):
        book.take(key(name), place(name), 1)
    book.take(key("BTC"), place("BTC", cost=7.0), 2)
    assert [(p.symbol, p.cost) for p in book.active(2)] == [("BTC", 7.0), ("ETH", 100.0), ("SOL", 100.0)]
    book.free(key("BTC"), 3)
    book.take(key("BTC"), place("BTC"), 4)
    assert symbols(book.active(4)) == ["ETH", "SOL", "BTC"]


def test_the_asker_is_left_out_and_nobody_else() -> None:
    book = ClientRisk()
    book.take(key("BTC", "a_b"), place(), 1)
    book.take(key("b_BTC", "a"), place("b_BTC"), 1)
    assert symbols(book.active(1, key("BTC", "a_b"))) == ["b_BTC"]
    assert len(book.active(1)) == 2


def test_a_place_that_is_not_there_may_be_freed() -> None:
    book = ClientRisk()
    before = book.version
    book.free(key("BTC"), 1, profit(1.0))
    assert (book.version, len(book.history(1))) == (before, 0)


def test_the_version_grows_with_every_change() -> None:
    book = ClientRisk()
    book.take(key("BTC"), place(), 1)
    book.take(key("BTC"), place(), 1)
    assert book.version == 2
    book.free(key("BTC"), 2, profit(1.0))
    assert book.version == 3


def test_a_run_that_is_behind_sees_what_was_open_at_its_time() -> None:
    book = ClientRisk()
    book.take(key("A"), place("A", since=10), 10)
    book.free(key("A"), 30, profit(-1.0))
    book.take(key("B"), place("B", since=20), 20)
    book.take(key("C"), place("C", since=40), 40)
    book.take(key("mine"), place("mine", since=5), 5)
    seen = {now: symbols(book.active(now, key("mine"))) for now in (9, 10, 29, 30, 39, 40, 50)}
    assert seen == {9: [], 10: ["A"], 29: ["A", "B"], 30: ["B"], 39: ["B"], 40: ["B", "C"], 50: ["B", "C"]}
    assert symbols(book.active(29)) == ["mine", "A", "B"]


def test_live_runs_see_everything_whatever_tick_they_are_in() -> None:
    book = ClientRisk(by_time=False)
    book.take(key("A"), place("A", since=10), 10)
    book.free(key("A"), 30, profit(-1.0))
    book.take(key("B"), place("B", since=40), 40)
    assert symbols(book.active(20)) == ["B"]
    assert len(book.history(20)) == 1


def test_history_ends_at_the_time_of_the_asker_and_does_not_grow_afterwards() -> None:
    book = ClientRisk()
    for time, cost in ((10, 5.0), (20, -8.0), (30, 4.0)):
        book.take(key("A"), place("A", since=time - 5), time - 5)
        book.free(key("A"), time, profit(cost))
    whole, early = book.history(30), book.history(25)
    assert [t.pnl_cost for t in whole] == [5.0, -8.0, 4.0]
    assert [t.pnl_cost for t in early] == [5.0, -8.0]
    assert (book.history(9).drawdown_cost, early.drawdown_cost, whole.drawdown_cost) == (0.0, 8.0, 4.0)
    book.take(key("A"), place("A", since=35), 35)
    book.free(key("A"), 40, profit(-100.0))
    assert (len(whole), whole.drawdown_cost, book.history(40).drawdown_cost) == (3, 4.0, 104.0)


def test_a_trade_of_a_run_that_is_behind_comes_where_it_belongs() -> None:
    book = ClientRisk()
    for time, cost in ((10, 5.0), (30, -2.0)):
        book.take(key("A"), place("A", since=time - 5), time - 5)
        book.free(key("A"), time, profit(cost))
    before = book.history(30)
    book.take(key("late"), place("late", since=15), 15)
    book.free(key("late"), 20, profit(-6.0))
    after = book.history(30)
    assert [(t.timestamp, t.symbol) for t in after] == [(10, "A"), (20, "late"), (30, "A")]
    assert (after.drawdown_cost, book.history(20).drawdown_cost) == (8.0, 6.0)
    assert [t.timestamp for t in before] == [10, 30]
    assert before.drawdown_cost == 2.0


def test_a_place_shows_what_is_held() -> None:
    row = signal_row(entries=((100.0, 100.0), (80.0, 100.0)), multiplier=3.0, trailing_price_stop_loss=85.0)
    shown = place_of(row.with_changes(partials=(partial(50, 90.0, 200.0, 2),)), 7)
    assert shown.price_open == pytest.approx(88.8888888888)
    assert (shown.cost, shown.multiplier, shown.notional) == (100.0, 3.0, 300.0)
    assert (shown.entry_prices, shown.price_stop_loss, shown.open_timestamp) == ((100.0, 80.0), 85.0, 7)
    assert not shown.waiting
    assert place_of(signal_row(is_scheduled=True), 7).waiting


def test_a_fresh_signal_shows_the_profit_of_a_position_at_its_entry() -> None:
    waiting = signal_row(entries=((99.0, 100.0),), is_scheduled=True, pending_at=0)
    shown = candidate(waiting, 100.0, 60_000, PRICING, fresh=True)
    assert shown.pnl.pnl_percentage == pytest.approx(0.6075, abs=5e-5)
    assert shown.pnl == shown.peak_profit == shown.max_drawdown
    assert shown.peak.timestamp == 60_000
    market = candidate(signal_row(), 100.0, 0, PRICING, fresh=True)
    assert market.pnl.pnl_percentage == -0.39960039960038823
    assert market.pnl == profit_loss(signal_row(), 100.0, PRICING.costs)


def test_an_entry_that_has_waited_shows_no_profit() -> None:
    shown = candidate(signal_row(is_scheduled=True), 100.0, 0, PRICING, fresh=False)
    assert (shown.pnl, shown.peak_profit, shown.max_drawdown) == (ZERO_PROFIT, ZERO_PROFIT, ZERO_PROFIT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": "up"},
        {"price_open": math.nan},
        {"price_take_profit": None},
        {"price_stop_loss": -1.0},
        {"multiplier": math.inf},
        {"entries": (Entry(100.0, 0.0, 0),)},
    ],
)
def test_a_row_whose_numbers_make_no_profit_cannot_be_shown(wrong: dict[str, Any]) -> None:
    assert can_be_shown(signal_row())
    assert not can_be_shown(signal_row().with_changes(**wrong))


@pytest.mark.parametrize("answer", [None, False, 0, "", []])
def test_what_is_false_passes(answer: object) -> None:
    assert rejection_of(answer, "rule") is None


@pytest.mark.parametrize(
    ("answer", "rejection"),
    [
        ("too many", RiskRejection(None, "too many")),
        ({"id": "a", "note": "b"}, RiskRejection("a", "b")),
        ({"id": 7, "note": 8}, RiskRejection("7", "8")),
        ({}, RiskRejection()),
        (RiskRejection("c"), RiskRejection("c")),
    ],
)
def test_text_mappings_and_rejections_reject(answer: object, rejection: RiskRejection) -> None:
    assert rejection_of(answer, "rule") == rejection


@pytest.mark.parametrize("answer", [True, 1, ["a"], object(), len])
def test_anything_else_is_an_error_that_names_the_rule(answer: object) -> None:
    with pytest.raises(UsageError, match=r"^my rule returned .* Return None to pass"):
        rejection_of(answer, "my rule")
