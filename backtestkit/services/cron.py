"""Cron: handlers at the boundaries of intervals, in the time of the runs.

Every run that starts gets a job in its scheduler for each entry, so a run that jumps stops at the boundaries, and one
without entries knows nothing of this. Runs that go on at the same time share what has fired: whoever comes to a boundary
first calls the handler, the others wait for it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from backtestkit.errors import UsageError
from backtestkit.model.event import BoundaryEvent
from backtestkit.model.interval import interval_step_ms
from backtestkit.runtime.context import current_run
from backtestkit.runtime.log import logger
from backtestkit.runtime.scheduler import Job
from backtestkit.services.channels import Channels
from backtestkit.services.logic.run_state import RunState

Handler: TypeAlias = Callable[[], Awaitable[object]]
Undo: TypeAlias = Callable[[], None]
Mark: TypeAlias = tuple[bool, str, int]
"""What fires once: in a backtest or not, for one symbol (empty for all), which boundary counted from the epoch."""

WARN_SECONDS: Final = 120.0
FAIL_SECONDS: Final = 900.0


class Ranges:
    """Whole numbers, kept as ranges: boundaries are fired mostly one after the other."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._starts, number + 1) - 1
        return place >= 0 and number < self._ends[place]

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._starts)

    def add(self, number: int) -> None:
        """Add a number, which joins ranges that it touches."""
        if number in self:
            return
        place = bisect_left(self._starts, number)
        after = place < len(self._starts) and self._starts[place] == number + 1
        before = place > 0 and self._ends[place - 1] == number
        if before and after:
            self._ends[place - 1] = self._ends.pop(place)
            del self._starts[place]
        elif before:
            self._ends[place - 1] = number + 1
        elif after:
            self._starts[place] = number
        else:
            self._starts.insert(place, number)
            self._ends.insert(place, number + 1)


@dataclass(eq=False, slots=True)
class Entry:
    """One registration. `interval_ms` is None for an entry that fires once; `symbols` is None for all together."""

    name: str
    handler: Handler
    interval_ms: int | None
    symbols: frozenset[str] | None
    fired: dict[tuple[bool, str], Ranges] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    running: dict[Mark, Future[bool]] = field(default_factory=dict)

    def concerns(self, symbol: str) -> bool:
        """Whether runs of `symbol` count."""
        return self.symbols is None or symbol in self.symbols

    def mark(self, state: RunState, now: int) -> Mark:
        """What fires in `state` at `now`."""
        symbol = "" if self.symbols is None else state.plan.key.symbol
        if self.interval_ms is None:
            return False, symbol, 0
        return state.plan.key.backtest, symbol, now // self.interval_ms

    def has_fired(self, mark: Mark) -> bool:
        """Whether the handler was called for it and did not fail."""
        if self.interval_ms is None:
            return mark[1] in self.once
        return mark[2] in self.fired.get(mark[:2], _NONE)

    def has_now_fired(self, mark: Mark) -> None:
        """The handler was called for it and did not fail."""
        if self.interval_ms is None:
            self.once.add(mark[1])
        else:
            self.fired.setdefault(mark[:2], Ranges()).add(mark[2])


_NONE: Final = Ranges()


class CronService:
    """The entries of one kit and the runs they are attached to."""

    def __init__(self, channels: Channels) -> None:
        """Nothing is heard and nothing scheduled before the first entry."""
        self._channels = channels
        self._entries: dict[str, Entry] = {}
        self._jobs: dict[int, tuple[RunState, dict[Entry, Job]]] = {}
        self._subscriptions: list[Undo] = []
        self.enabled = True

    def register(self, name: str, handler: Handler, interval: str | None, symbols: frozenset[str] | None) -> Undo:
        """Add an entry, in place of an earlier one of its name; returns a function that removes it."""
        for text in (name, *(symbols or ())):
            if not isinstance(text, str) or not text or ":" in text:
                raise UsageError(f"cron name or symbol {text!r} must be text that is not empty and has no ':'")
        step = None if interval is None else interval_step_ms(interval)
        self.unregister(name)
        entry = self._entries[name] = Entry(name, handler, step, symbols)
        if not self._subscriptions:
            channels = self._channels
            self._subscriptions = [channels.before_start.listen(self._begin), channels.after_end.listen(self._end)]
        for state, jobs in self._going():
            self._plan(state, jobs, entry, fresh=False)

        def undo() -> None:
            if self._entries.get(name) is entry:
                self.unregister(name)

        return undo

    def unregister(self, name: str) -> None:
        """Remove an entry; nothing happens when there is none."""
        entry = self._entries.pop(name, None)
        if entry is not None:
            for _, jobs in self._going():
                if entry in jobs:
                    jobs.pop(entry).cancel()

    def clear(self, symbol: str | None = None) -> None:
        """Forget which entries without an interval have fired: of one symbol, or all."""
        for entry in self._entries.values():
            if symbol is None:
                entry.once.clear()
            else:
                entry.once.discard(symbol)

    def enable(self) -> Undo:
        """Let entries fire (they do from the start); returns what undoes that."""
        if not self.enabled:
            self.enabled = True
            for state, jobs in self._going():
                for entry in self._entries.values():
                    self._plan(state, jobs, entry, fresh=False)
        return self.disable

    def disable(self) -> None:
        """Let no entry fire; they stay registered."""
        self.enabled = False
        for _, jobs in self._going():
            for job in jobs.values():
                job.cancel()
            jobs.clear()

    def dispose(self) -> None:
        """Remove all entries and hear nothing any more."""
        for name in list(self._entries):
            self.unregister(name)
        for end in self._subscriptions:
            end()
        self._subscriptions = []
        self._jobs.clear()

    def _begin(self, event: BoundaryEvent) -> None:
        run = current_run.get()
        if run is None or run.key != event.key:
            return  # told from elsewhere: there is no run here to attach to
        state: RunState = run.session
        if not any(other.plan.key.backtest == event.key.backtest for other, _ in self._going()):
            # A group of runs at one time shares what has fired; the next group starts anew, to come to the same results.
            for entry in self._entries.values():
                entry.fired = {mark: fired for mark, fired in entry.fired.items() if mark[0] != event.key.backtest}
        jobs: dict[Entry, Job] = {}
        self._jobs[id(state)] = state, jobs
        for entry in self._entries.values():
            self._plan(state, jobs, entry, fresh=True)

    def _end(self, event: BoundaryEvent) -> None:
        self._going()

    def _going(self) -> list[tuple[RunState, dict[Entry, Job]]]:
        """The runs in progress; those that are over are let go."""
        self._jobs = {key: held for key, held in self._jobs.items() if not held[0].finished}
        return list(self._jobs.values())

    def _plan(self, state: RunState, jobs: dict[Entry, Job], entry: Entry, *, fresh: bool) -> None:
        """Schedule what `entry` does next in a run; a `fresh` one has not yet passed its present instant."""
        if not self.enabled or not entry.concerns(state.plan.key.symbol):
            return
        now, step = state.now_ms(), entry.interval_ms
        if step is not None:
            when = -(-now // step) * step if fresh else (now // step + 1) * step
        elif not entry.has_fired(entry.mark(state, now)):
            when = now
        else:
            return
        self._schedule(state, jobs, entry, when)

    def _schedule(self, state: RunState, jobs: dict[Entry, Job], entry: Entry, when: int) -> None:
        async def job() -> None:
            await self._come(state, jobs, entry)

        jobs[entry] = state.runner.schedule(when, job)

    async def _come(self, state: RunState, jobs: dict[Entry, Job], entry: Entry) -> None:
        """A run has come to where an entry is due, or to the candle after a failed attempt."""
        mark = entry.mark(state, state.now_ms())
        done = entry.has_fired(mark) or await self._fire(state, entry, mark)
        if self._entries.get(entry.name) is not entry or not self.enabled:
            return
        if not done:
            again = state.now_ms() + interval_step_ms(state.plan.exchange.schema.base_interval)
            self._schedule(state, jobs, entry, again)
        else:
            self._plan(state, jobs, entry, fresh=False)

    async def _fire(self, state: RunState, entry: Entry, mark: Mark) -> bool:
        """Call the handler, or wait for the run that is calling it; whether it went well."""
        mine: Future[bool] = Future()
        mine.set_running_or_notify_cancel()  # a run that waits for it and is cancelled must not cancel it
        theirs = entry.running.setdefault(mark, mine)
        if theirs is not mine:
            return await asyncio.wrap_future(theirs)
        went_well = False
        try:
            await self._call(entry)
            entry.has_now_fired(mark)
            went_well = True
        except Exception as error:
            await state.errors.tell(error, f"cron {entry.name!r}")
        finally:
            del entry.running[mark]
            mine.set_result(went_well)
        return went_well

    async def _call(self, entry: Entry) -> None:
        log = logger(cron=entry.name)
        warning = asyncio.get_running_loop().call_later(
            WARN_SECONDS, lambda: log.warning("cron_handler_is_slow", seconds=WARN_SECONDS)
        )
        limit = asyncio.timeout(FAIL_SECONDS)
        try:
            async with limit:
                await entry.handler()
        except TimeoutError:
            if not limit.expired():
                raise
            raise UsageError(
                f"the handler of cron {entry.name!r} took longer than {FAIL_SECONDS:g} s and was stopped; it is tried again"
            ) from None
        finally:
            warning.cancel()
