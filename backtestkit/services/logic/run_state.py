"""What is known of a run while it goes on and after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backtestkit.clients.bars import Bars
from backtestkit.clients.commands import Outcome
from backtestkit.clients.frame import ClientFrame
from backtestkit.clients.state import Effects
from backtestkit.clients.strategy import ClientStrategy, Command
from backtestkit.errors import UsageError
from backtestkit.math.profit import Costs, costs_paid
from backtestkit.model.analysis import Marks, TradingYear
from backtestkit.model.candle import Candles
from backtestkit.model.result import ClosedResult
from backtestkit.model.statistics import RunSummary
from backtestkit.services.connection.risk import RiskPool
from backtestkit.services.core.run_resolver import BacktestPlan
from backtestkit.services.logic.effects import EffectRunner
from backtestkit.services.logic.user_errors import UserErrors


@dataclass(slots=True)
class RunState:
    """What is known of a backtest while it runs and after it. Its facade reads it; only the loop writes it."""

    plan: BacktestPlan
    machine: ClientStrategy
    errors: UserErrors
    runner: EffectRunner
    stepping: bool
    closed: list[ClosedResult] = field(default_factory=list)
    ticks: int = 0
    ticks_done: int = 0
    finished: bool = False
    complete: bool = False
    first_time: int | None = None
    last_time: int | None = None
    candles_filled: int = 0
    candles_missing: int = 0
    frame: ClientFrame | None = None
    bars: Bars | None = None
    risks: RiskPool = field(default_factory=RiskPool)
    rank: int = 0

    @property
    def year(self) -> TradingYear:
        """How daily figures of the run's market are taken to a year."""
        return self.plan.exchange.schema.trading_year

    @property
    def progress(self) -> float:
        """Share of the frame that is done, 0 to 1."""
        return 1.0 if self.finished else self.ticks_done / self.ticks if self.ticks else 0.0

    def now_ms(self) -> int:
        """The time of the run, ms UTC: that of the candle or tick it is at."""
        return self.present().now

    def present(self) -> ClientStrategy:
        """The machine, for somebody who asks or commands it.

        A run that jumps has announced where it lands, and waits there for the runs that it keeps step with. Whoever
        comes to it meanwhile finds it where these are, no further and not behind.
        """
        meanwhile, member = self.machine.meanwhile, self.runner.member
        if meanwhile is not None and member is not None and not self.finished:
            meanwhile(member.interrupt())
        return self.machine

    def market_price(self) -> float:
        """The average price of the last closed candles as of now, quote currency; `UsageError` before the first tick."""
        bars = self.bars
        if bars is None or not self.machine.now:
            raise UsageError("the run has not reached its first tick yet, so there is no price")
        index = int(bars.times.searchsorted(self.machine.now - self.machine.now % bars.step)) - 1
        return bars.average.item(index)

    def ensure_going(self) -> None:
        """`UsageError` when the run is over."""
        if self.finished:
            raise UsageError("the run is over; nothing can be changed in it any more")

    async def play(self, effects: Effects) -> None:
        """Carry out effects that come from outside the loop; `UsageError` when the run is over."""
        self.ensure_going()
        for effect in effects:
            await self.runner.apply(effect)

    async def command(self, command: Command) -> Outcome:
        """Give the machine a command and carry out what it asks for; `UsageError` when the run is over."""
        self.ensure_going()
        try:
            while True:
                await self.runner.apply(next(command))
        except StopIteration as done:
            outcome: Outcome = done.value
            return outcome

    def marks(self) -> Marks | None:
        """The prices that positions were valued at during the test; None before the candles are there."""
        bars = self.bars
        if bars is None or self.first_time is None:
            return None
        start = max(0, int(bars.times.searchsorted(self.first_time - bars.offset, side="right")) - 1)
        return Marks(bars.times[start : bars.limit], bars.average[start : bars.limit], bars.offset)

    def candles(self) -> Candles | None:
        """The candles of the tested span; None before they are there."""
        bars = self.bars
        if bars is None or self.first_time is None:
            return None
        start = max(0, int(bars.times.searchsorted(self.first_time - bars.offset, side="right")) - 1)
        return bars.candles[start : bars.limit]

    def timeframe(self) -> list[datetime]:
        """All ticks of the run's frame."""
        return [] if self.frame is None else self.frame.times()

    def explain(self) -> str:
        """Which gear this run uses and what makes it use that one."""
        reasons = self.runner.observers()
        if self.stepping:
            reasons.insert(0, "it was asked to (stepping=True)")
        if not reasons:
            return (
                "It jumps: nothing observes single minutes, so only the minutes at which something happens are handled."
            )
        return "It steps through single minutes where they are observed: " + "; ".join(reasons) + "."

    def summary(self) -> RunSummary:
        """What the run assumed and what that cost."""
        config = self.plan.config
        costs = Costs(config.percent_slippage, config.percent_fee)
        fee = slippage = funding = 0.0
        for result in self.closed:
            paid = costs_paid(result.signal, result.current_price, costs)
            fee += paid.fee
            slippage += paid.slippage
            funding += paid.funding
        return RunSummary(
            policy=self.plan.policy.name,
            percent_fee=config.percent_fee,
            percent_slippage=config.percent_slippage,
            fee_paid=fee,
            slippage_paid=slippage,
            funding_paid=funding if self.plan.exchange.schema.get_funding_rates is not None else None,
            ambiguous_exits=self.machine.counters.ambiguous_exits,
            gaps=self.plan.exchange.schema.gaps,
            candles_filled=self.candles_filled,
            candles_missing=self.candles_missing,
            fingerprint=self.runner.fingerprint.hexdigest(),
            first_time=self.first_time,
            last_time=self.last_time,
            days_per_year=self.year.days,
            calendar=self.year.calendar,
        )
