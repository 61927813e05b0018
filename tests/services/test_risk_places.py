"""No sequence of checks, fills, failures and cancellations loses a place, leaks one, or exceeds a limit."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import backtestkit as bk
from backtestkit.model.signal import ProfitLoss
from backtestkit.runtime.context import RunKey
from backtestkit.services.connection.risk import RiskPool
from scenarios.gates import Gate, Gates

MOST, EXPOSURE = 2, 300.0
SYMBOLS = ("A", "B", "C", "D", "E")
PROFILES: dict[str, tuple[str, ...]] = {
    "A": ("count",), "B": ("exposure",), "C": ("count", "exposure"), "D": ("exposure", "count"), "E": ("count",),
}  # fmt: skip
symbols = st.sampled_from(SYMBOLS)
costs = st.sampled_from([50.0, 150.0, 250.0])


class Places(RuleBasedStateMachine):
    """Five live runs share two profiles; a check stops inside a rule until it is let go, cancelled or made to fail.

    Live, because there the others go on while one is asked; in a backtest they keep step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.gates, self.pool = Gates(), RiskPool()
        self.time = 1
        self.runs: dict[str, Gate] = {}
        self.checks: dict[str, tuple[asyncio.Task[bool], asyncio.Event, float]] = {}
        self.fails: set[str] = set()
        self.held: dict[str, float] = {}

    def teardown(self) -> None:
        for task, _, _ in self.checks.values():
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def tick(self) -> None:
        """Let everything that can go on do so."""
        self.loop.run_until_complete(asyncio.sleep(0))
        for symbol, (task, _, cost) in list(self.checks.items()):
            if task.done():
                del self.checks[symbol]
                if not task.cancelled() and task.result():
                    self.held[symbol] = cost

    def gate(self, symbol: str) -> Gate:
        if symbol not in self.runs:
            key = RunKey(symbol, "s", "x", "f", False)
            names = PROFILES[symbol]
            for name, book in zip(names, self.pool.enter(key, names), strict=True):
                self.gates.books[name] = book
            limits: dict[str, Any] = {
                "count": bk.rules.max_positions(MOST), "exposure": bk.rules.max_exposure(EXPOSURE)
            }  # fmt: skip
            rules = {name: [self.pause, limits[name]] for name in names}
            self.runs[symbol] = self.gates.gate(symbol, rules, backtest=False)
        self.time += 1
        self.runs[symbol].machine.now = self.time
        return self.runs[symbol]

    async def pause(self, payload: bk.RiskPayload) -> None:
        await self.checks[payload.symbol][1].wait()
        if payload.symbol in self.fails:
            self.fails.discard(payload.symbol)
            raise ValueError("scripted")

    @rule(symbol=symbols, cost=costs, at_once=st.booleans())
    def check(self, symbol: str, cost: float, at_once: bool) -> None:
        gate = self.gate(symbol)
        if symbol in self.checks or symbol in self.held:
            return
        go = asyncio.Event()
        if at_once:
            go.set()
        self.checks[symbol] = self.loop.create_task(gate.ask(entries=((100.0, cost),), cost=cost)), go, cost
        self.tick()

    @precondition(lambda self: self.checks)
    @rule(symbol=symbols, fail=st.booleans())
    def let_go(self, symbol: str, fail: bool) -> None:
        if symbol in self.checks:
            if fail:
                self.fails.add(symbol)
            self.checks[symbol][1].set()
            for _ in range(4):
                self.tick()

    @precondition(lambda self: self.checks)
    @rule(symbol=symbols)
    def cancel(self, symbol: str) -> None:
        if symbol in self.checks:
            self.checks[symbol][0].cancel()
            self.tick()
            self.tick()

    @precondition(lambda self: self.held)
    @rule(symbol=symbols, share=st.sampled_from([1.0, 0.5]))
    def open(self, symbol: str, share: float) -> None:
        if symbol in self.held:
            gate = self.gate(symbol)
            self.held[symbol] *= share
            gate.gate.settle(
                "opened" if share == 1.0 else "changed", gate.row(entries=((100.0, self.held[symbol]),)), None
            )

    @precondition(lambda self: self.held)
    @rule(symbol=symbols, traded=st.booleans())
    def close(self, symbol: str, traded: bool) -> None:
        if symbol in self.held:
            gate = self.gate(symbol)
            gate.gate.settle("gone", gate.row(), ProfitLoss(-1.0, -1.0, 100.0, 100.0, 99.0) if traded else None)
            del self.held[symbol]

    @rule(symbol=symbols)
    def end_run(self, symbol: str) -> None:
        if symbol in self.runs:
            gate = self.gate(symbol)
            if symbol in self.checks:
                self.checks[symbol][0].cancel()
                self.tick()
                self.tick()
            self.pool.leave(gate.machine.key, self.time)
            del self.runs[symbol]
            self.held.pop(symbol, None)

    @invariant()
    def places_are_held_by_those_who_may(self) -> None:
        for name, book in self.gates.books.items():
            if any(name in PROFILES[symbol] for symbol in self.runs):
                places = {place.symbol: place.cost for place in book.active(self.time)}
                assert places == {s: cost for s, cost in self.held.items() if name in PROFILES[s]}

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        assert sum("count" in PROFILES[symbol] for symbol in self.held) <= MOST
        assert sum(cost for symbol, cost in self.held.items() if "exposure" in PROFILES[symbol]) <= EXPOSURE * (
            1 + 1e-9
        )

    @invariant()
    def profiles_are_forgotten_with_their_last_run(self) -> None:
        used = {name for symbol in self.runs for name in PROFILES[symbol]}
        assert {key.risk_name for key in self.pool._profiles} == used


Places.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_places = Places.TestCase
