"""A position against an exact ledger: whatever is done to it, in any order, the books agree to a billionth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backtestkit.clients import entering, minutes
from backtestkit.clients.bars import Bars
from backtestkit.clients.commands import Outcome
from backtestkit.clients.effects import Publish
from backtestkit.clients.position import Levels
from backtestkit.config import Config
from backtestkit.math.profit import holding
from backtestkit.model.fill_policy import CONSERVATIVE
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import AnyResult, ClosedResult
from backtestkit.model.schema import StrategySchema
from backtestkit.model.signal import Signal, SignalRow
from backtestkit.runtime.context import RunKey
from backtestkit.services.connection.strategy import new_strategy
from scenarios.ledger import Ledger, Side, exact
from scenarios.market import START, candles

CONFIG = Config.defaults().merged(
    {
        "max_signal_lifetime_minutes": math.inf,
        "max_stoploss_distance_percent": 99,
        "min_takeprofit_distance_percent": 0.4,
    }
)
KEY = RunKey("BTC", "s", "x", "f", True)
Leg = Literal["stop", "take"]
Kind = Literal["profit", "loss"]

grid = st.integers(-120, 120).map(lambda n: 100 + n * 0.25)
places = st.one_of(st.integers(-9, 9), st.integers(-14, 14), grid)
"""Where a price is: tenths of the way from the entry to the take profit, below 0 to the stop; or a price as it is."""
percents = st.sampled_from([1.0, 5.0, 10.0, 33.3, 50.0, 90.0, 99.0, 100.0])
costs = st.sampled_from([0.01, 1.0, 2.5, 25.0, 100.0, 333.3, 1e5])
shifts = st.sampled_from([-20.0, -7.5, -3.0, -1.0, -0.3, 0.5, 2.0, 15.0])


def close(a: float, b: Fraction, scale: float = 1.0) -> bool:
    return math.isclose(a, float(b), rel_tol=1e-9, abs_tol=1e-9 * scale)


def undecided(*pairs: tuple[Fraction, Fraction | int]) -> bool:
    """Whether any of two numbers are so near that rounding may decide which is larger."""
    return any(abs(a - b) <= Fraction(1, 10**9) * max(abs(a), Fraction(1)) for a, b in pairs)


class PositionAgainstLedger(RuleBasedStateMachine):
    """One machine after another position; the ledger decides what each step should have done."""

    def __init__(self) -> None:
        super().__init__()
        schema = StrategySchema(strategy_name="s", interval="1m", get_signal=None)
        self.machine = new_strategy(KEY, schema, CONFIG, CONSERVATIVE)
        self.now = START
        self.ledger: Ledger | None = None
        self.best = self.worst = Fraction(0)

    # -- reaching into the machine ------------------------------------------------------------------------------------

    def carry_out(self, effects: Iterable[Any]) -> list[AnyResult]:
        return [effect.result for effect in effects if isinstance(effect, Publish)]

    def command(self, command: Any) -> Outcome:
        while True:
            try:
                next(command)
            except StopIteration as done:
                outcome: Outcome = done.value
                return outcome

    @property
    def row(self) -> SignalRow:
        assert self.machine.pending is not None
        return self.machine.pending

    @property
    def levels(self) -> Levels:
        assert self.machine.levels is not None
        return self.machine.levels

    @property
    def books(self) -> Ledger:
        assert self.ledger is not None
        return self.ledger

    def at(self, place: float) -> float:
        """The price of a place."""
        if isinstance(place, float):
            return place
        books = self.books
        goal = books.take if place > 0 else books.stop
        return float(books.entry + abs(place) * (goal - books.entry) / 10)

    # -- steps --------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.ledger is None)
    @rule(
        side=st.sampled_from(["long", "short"]),
        price=grid,
        cost=costs,
        multiplier=st.sampled_from([0.5, 1.0, 3.0, 10.0]),
        isolated=st.booleans(),
        stop=st.sampled_from([2.0, 10.0, 40.0]),
        take=st.sampled_from([2.0, 10.0, 40.0]),
    )
    def open(
        self, side: Side, price: float, cost: float, multiplier: float, isolated: bool, stop: float, take: float
    ) -> None:
        sign = 1 if side == "long" else -1
        signal = Signal(
            position=side,
            price_take_profit=price * (1 + sign * take / 100),
            price_stop_loss=price * (1 - sign * stop / 100),
            minute_estimated_time=math.inf,
            cost=cost,
            multiplier=multiplier,
            isolated=isolated,
        )
        row = self.machine.draft(signal, f"#{self.now}", self.now, price)
        assert row is not None
        self.machine.approve(row, price)
        (opened,) = self.carry_out(entering.enter(self.machine, row, self.now, price))
        assert opened.action == "opened"
        self.ledger = Ledger(
            side=side,
            slippage=exact(CONFIG.percent_slippage),
            fee=exact(CONFIG.percent_fee),
            multiplier=exact(multiplier),
            isolated=isolated,
            stop_original=exact(row.price_stop_loss),
            take_original=exact(row.price_take_profit),
            stop=exact(row.price_stop_loss),
            take=exact(row.price_take_profit),
            breakeven_percent=exact(0.6),
        )
        self.ledger.buy(exact(price), exact(cost))
        self.best = self.worst = self.ledger.profit_percent(exact(price))

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(wrong=st.integers(0, 9), percent=percents, place=places)
    def close_part(self, wrong: int, percent: float, place: float) -> None:
        price = self.at(place)
        kind = self._kind(price, wrong)
        self._close_part(kind, exact(percent), price, self.machine.partial_close(kind, percent, price))

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(wrong=st.integers(0, 9), dollars=costs, place=places)
    def close_part_by_cost(self, wrong: int, dollars: float, place: float) -> None:
        price = self.at(place)
        kind = self._kind(price, wrong)
        percent = exact(dollars) / self.books.basis * 100
        assume(not undecided((percent, 100)))
        command = self.machine.partial_close_cost(kind, dollars, price)
        self._close_part(kind, percent, price, command)

    def _kind(self, price: float, wrong: int) -> Kind:
        """What a partial close at `price` is, or now and then the opposite."""
        gains = self.books.better(exact(price), self.books.entry) is (wrong != 0)
        return "profit" if gains else "loss"

    def _close_part(self, kind: Kind, percent: Fraction, price: float, command: Any) -> None:
        books, at = self.books, exact(price)
        assume(not undecided((at, books.entry), (at, books.take), (at, books.stop)))
        right_side = books.better(at, books.entry) if kind == "profit" else books.better(books.entry, at)
        in_time = books.better(books.take, at) if kind == "profit" else books.better(at, books.stop)
        expected = 0 < percent <= 100 and right_side and in_time
        assert bool(self.command(command)) is expected
        if expected:
            books.sell(percent, at)
            if percent == 100:
                assert self.machine.pending is None
                self._close_at_next_candle()

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(cost=costs, place=places)
    def buy_more(self, cost: float, place: float) -> None:
        price = self.at(place)
        books, at = self.books, exact(price)
        expected = all(books.better(known, at) for known, _ in books.entries)
        assert bool(self.command(self.machine.average_buy(cost, price))) is expected
        if expected:
            books.buy(at, exact(cost))

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(leg=st.sampled_from(["stop", "take"]), shift=shifts, place=places, loosen=st.booleans())
    def trail(self, leg: Leg, shift: float, place: float, loosen: bool) -> None:
        price = self.at(place)
        level = self.books.shifted(leg, exact(shift))
        command = self.machine.trail(leg, shift, price, allow_loosen=loosen)
        self._trail(leg, level, price, loosen, command)

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(leg=st.sampled_from(["stop", "take"]), level=grid, place=places, loosen=st.booleans())
    def trail_to(self, leg: Leg, level: float, place: float, loosen: bool) -> None:
        books, price = self.books, self.at(place)
        original = books.stop_original if leg == "stop" else books.take_original
        away = -books.sign if leg == "stop" else books.sign
        shift = (away * (exact(level) - books.entry) - abs(books.entry - original)) / books.entry * 100
        assume(abs(shift) <= 99 and not undecided((shift, 0)))
        command = self.machine.trail_to(leg, level, price, allow_loosen=loosen)
        self._trail(leg, exact(level), price, loosen, command)

    def _trail(self, leg: Leg, level: Fraction, price: float, loosen: bool, command: Any) -> None:
        books, at = self.books, exact(price)
        current, other = (books.stop, books.take) if leg == "stop" else (books.take, books.stop)
        assume(not undecided((at, level), (level, other), (level, current)))
        if leg == "stop":
            expected = books.better(at, level) and books.better(other, level)
            tighter = books.better(level, current)
        else:
            expected = books.better(level, at) and books.better(level, other)
            tighter = books.better(current, level)
        expected = expected and (tighter or loosen)
        assert bool(self.command(command)) is expected
        if expected:
            if leg == "stop":
                books.stop = level
            else:
                books.take = level

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(place=places)
    def breakeven(self, place: float) -> None:
        price = self.at(place)
        books, at = self.books, exact(price)
        assume(not undecided((books.entry, books.take), (at, books.breakeven_price), (books.entry, books.stop)))
        expected = (
            books.better(books.take, books.entry)
            and not books.better(books.breakeven_price, at)
            and books.better(books.entry, books.stop)
        )
        assert bool(self.command(self.machine.breakeven(price))) is expected
        if expected:
            books.stop = books.entry

    # -- candles ------------------------------------------------------------------------------------------------------

    def _candle(self, open: float, high: float, low: float, close: float) -> list[AnyResult]:
        bars = Bars(
            candles([(open, high, low, close, 1.0)], self.now), step=MINUTE_MS, average_count=1, policy=CONSERVATIVE
        )
        bars.cut = 99  # the frame goes on
        self.machine.now = self.now = bars.label(0)
        return self.carry_out(minutes.open_minute(self.machine, bars, 0))

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(first=places, last=places, up=st.integers(0, 8), down=st.integers(0, 8), wide=st.sampled_from([0.001, 0.25]))
    def candle(self, first: float, last: float, up: int, down: int, wide: float) -> None:
        open, closing = max(self.at(first), 1.0), max(self.at(last), 1.0)
        high, low = max(open, closing) + wide * up, max(min(open, closing) - wide * down, 0.5)
        average = (high + low + closing) / 3
        books = self.books
        worst = exact(low if books.side == "long" else high)
        limit = books.liquidation
        assume(not undecided((worst, books.stop), (exact(average), books.take), (exact(open), books.stop)))
        assume(limit is None or not undecided((worst, limit), (exact(open), limit), (limit, books.stop)))
        expected = books.exit(exact(open), exact(high), exact(low), exact(average))
        results = self._candle(open, high, low, closing)
        if expected is None:
            assert results == []
            self._remember(exact(average))
            return
        (result,) = results
        assert isinstance(result, ClosedResult)
        reason, price = expected
        assert result.close_reason == reason
        assert close(result.current_price, price)
        self._settle(result, price)

    def _remember(self, average: Fraction) -> None:
        books = self.books
        assume(not undecided((average, books.entry)))
        here = books.profit_percent(average)
        if books.better(average, books.entry):
            self.best = max(self.best, here)
        else:
            self.worst = min(self.worst, here)

    @precondition(lambda self: self.ledger is not None and self.machine.pending is not None)
    @rule(kind=st.sampled_from(["close", "take_profit", "stop_loss"]), really=st.integers(0, 9))
    def close_by_command(self, kind: Any, really: int) -> None:
        if really:
            return
        assert self.command(self.machine.close_pending("id", None, kind=kind))
        assert self.machine.pending is None
        books = self.books
        level = {"close": None, "take_profit": books.take, "stop_loss": books.stop}[kind]
        self._close_at_next_candle("closed" if kind == "close" else kind, level, "id")

    def _close_at_next_candle(
        self, reason: str = "closed", level: Fraction | None = None, id: str | None = None
    ) -> None:
        (result,) = self._candle(100.0, 101.0, 99.0, 100.0)
        assert isinstance(result, ClosedResult)
        assert (result.close_reason, result.close_id) == (reason, id)
        price = exact((101.0 + 99.0 + 100.0) / 3) if level is None else level
        assert close(result.current_price, price)
        self._settle(result, price)

    def _settle(self, result: ClosedResult, price: Fraction) -> None:
        """The books of a closed position, and what is left: nothing."""
        books = self.books
        money = float(books.invested)
        assert close(result.pnl.pnl_cost, books.profit(price), money)
        assert close(result.pnl.pnl_percentage, books.profit_percent(price), 100)
        assert close(result.pnl.pnl_entries, books.invested)
        assert close(result.signal.partial_executed, books.closed_percent)
        best, worst = max(self.best, books.profit_percent(price)), min(self.worst, books.profit_percent(price))
        assert close(result.signal.peak_profit.pnl_percentage, best, 100)
        assert close(result.signal.max_drawdown.pnl_percentage, worst, 100)
        if result.close_reason == "liquidation":
            assert result.pnl.pnl_percentage == pytest.approx(-100, abs=1e-6)
        assert not self.machine.has_open
        assert self.machine.commits == []
        self.ledger = None

    # -- what must always hold ----------------------------------------------------------------------------------------

    @invariant()
    def the_books_agree(self) -> None:
        if self.ledger is None or self.machine.pending is None:
            return
        books, row, levels = self.ledger, self.row, self.levels
        held = holding(row)
        assert close(held.remaining, books.basis)
        assert close(held.closed_percent, books.closed_percent)
        assert close(levels.effective, books.entry)
        assert close(levels.invested, books.invested)
        assert close(levels.stop_loss, books.stop)
        assert close(levels.take_profit, books.take)
        assert len(row.entries) == len(books.entries)
        assert len(row.partials) == len(books.sales)

    @invariant()
    def nothing_is_lost_and_nothing_appears(self) -> None:
        if self.ledger is None or self.machine.pending is None:
            return
        held = holding(self.row)
        total = self.levels.invested
        assert math.isclose(held.closed_percent / 100 * total + held.remaining, total, rel_tol=1e-9)

    @invariant()
    def profits_agree_at_every_price(self) -> None:
        if self.ledger is None or self.machine.pending is None:
            return
        pricing = self.machine.rules.pricing
        for price in (50.0, 99.99, 100.0, 137.5):
            profit = pricing.profit(self.row, self.levels, price)
            assert close(profit.pnl_percentage, self.ledger.profit_percent(exact(price)), 100)
            assert close(profit.pnl_cost, self.ledger.profit(exact(price)), float(self.ledger.invested))
            # The straight line by which a jump estimates profits is one.
            assert close(self.levels.line.at(price), self.ledger.profit_percent(exact(price)), 100)

    @invariant()
    def liquidation_agrees(self) -> None:
        if self.ledger is None or self.machine.pending is None:
            return
        expected, got = self.ledger.liquidation, self.levels.liquidation
        if expected is not None and expected > Fraction(1, 1000):
            assert got is not None
            assert math.isclose(got, float(expected), rel_tol=1e-7)
        if got is None:
            assert expected is None or expected < Fraction(1, 1000)


TestPositionAgainstLedger = PositionAgainstLedger.TestCase
TestPositionAgainstLedger.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
