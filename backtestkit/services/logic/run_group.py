"""One simulated time for runs that share a risk profile.

Whether a limit of open positions lets a signal pass depends on what the other runs have open at that minute. So runs
that share a profile take turns: a run handles time t when no other one is still at an earlier time, and at equal times
the one that was made first goes first. What comes out depends neither on the order in which tasks were started nor on
what they wait for. A run that jumps announces where it lands, so jumping stays possible; runs without a common profile
do not wait for each other.

Runs that are started together, in the same few turns of the event loop, are together from their first tick. One that
starts later begins at the start of the frame like any other, and the others wait until it has caught up; what they
decided before is not decided again.

Nobody waits for a consumer. A run whose results are not asked for at the moment, because its consumer is busy with the
last one or has gone, is carried on when others wait for it, and its results are kept until somebody asks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from heapq import heapify, heappop, heappush
from typing import Final, Generic, Self, TypeAlias, TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime.scheduler import breathe

T = TypeVar("T")
Turn: TypeAlias = tuple[int, int]
"""A time (ms UTC) and the rank of a run: who has the least is next."""

ROUNDS_TO_START: Final = 3
"""Turns of the event loop that a run gives others to start together with it: some wrappers need one or two."""


class Member:
    """One run in a group: waiting for its turn, acting, or *held* between two steps.

    `carry` begins the next step of a held run on behalf of those who wait for it.
    """

    __slots__ = ("_future", "_reached", "carry", "group", "held", "loop", "rank", "shared", "time")
    carry: Callable[[], object]

    def __init__(self, group: RunGroup, rank: int, time: int, shared: frozenset[object]) -> None:
        """`rank` orders runs at equal times; it does nothing before `time`; `shared` are the things it shares."""
        self.group, self.rank, self.time, self.shared = group, rank, time, shared
        self.loop = asyncio.get_running_loop()
        self.held = False
        self._reached = time - 1
        self._future: asyncio.Future[bool] | None = None

    @property
    def turn(self) -> Turn:
        """What decides who is next."""
        return self.time, self.rank

    @property
    def stands(self) -> bool:
        """Whether its event loop has been left by plain code: nobody can wait for it, and nothing of it moves."""
        return not self.loop.is_running()

    async def reach(self, time: int) -> bool:
        """Go on at `time`, as soon as no other member of the group is at an earlier one.

        False when it was interrupted and has to say again where it goes.
        """
        if time <= self._reached:
            return True
        self.time = time
        if self.group.may_go_on(self):
            self.group.present = self.turn
        else:
            self._future = self.loop.create_future()
            self.group.wait(self)
            try:
                if not await self._future:
                    return False
            finally:
                self._future = None
        self._reached = time
        return True

    def interrupt(self) -> int:
        """Somebody else comes to this run: the time (ms UTC) from which on it still has everything before it.

        If it waits, it stops waiting and announces anew where it goes.
        """
        time, rank = self.group.present
        until = time + (self.rank < rank)
        if self._future is not None and self.group.release(self):
            self.time = min(self.time, max(self._reached, until))
            self.wake(arrived=False)
        return until

    def wake(self, *, arrived: bool = True) -> None:
        """It is its turn, or it is to go another way."""
        if self._future is not None and not self._future.done():
            self._future.set_result(arrived)

    def begin_step(self) -> None:
        """A step begins in the running loop."""
        self.loop = self.group.one_loop(self)
        self.held = False

    def end_step(self) -> None:
        """The step is over, and nothing happens until the next one begins."""
        self.held = True
        self.group.advance()

    def leave(self) -> None:
        """The run is over; the others need not wait for it any more. May be repeated."""
        self.group.remove(self)


class RunGroup:
    """Runs that share something, directly or through others.

    A member is either in the queue of those who wait for their turn, or at large: acting, or held between two steps.
    `present` is the turn that was given last.
    """

    def __init__(self) -> None:
        self._at_large: set[Member] = set()
        self._queue: list[tuple[int, int, Member]] = []
        self.present: Turn = (-1, 0)

    @property
    def members(self) -> list[Member]:
        """All of them, in no particular order."""
        return [*self._at_large, *(member for _, _, member in self._queue)]

    def add(self, member: Member) -> None:
        """Take in a new member."""
        self._at_large.add(member)

    def absorb(self, other: RunGroup) -> None:
        """Become one with `other`: somebody shares something with members of both."""
        for member in other.members:
            member.group = self
        self._at_large |= other._at_large
        self._queue += other._queue
        heapify(self._queue)
        self.present = max(self.present, other.present)

    def may_go_on(self, member: Member) -> bool:
        """Whether `member`, which is at large, need not wait for anybody."""
        turn = member.turn
        if self._queue and self._queue[0][:2] < turn:
            return False
        return all(other is member or other.turn > turn or other.stands for other in self._at_large)

    def wait(self, member: Member) -> None:
        """Put `member` into the queue; it is woken when it is its turn."""
        self._at_large.discard(member)
        heappush(self._queue, (*member.turn, member))
        self.advance()

    def advance(self) -> None:
        """Wake whoever is next, or carry on those it waits for."""
        while self._queue:
            member = self._queue[0][2]
            before = [o for o in self._at_large if o.turn < member.turn and not o.stands]
            if before:
                for other in before:
                    if other.held:
                        other.carry()
                return
            heappop(self._queue)
            self._at_large.add(member)
            self.present = member.turn
            member.wake()

    def release(self, member: Member) -> bool:
        """Take `member` out of the queue, if it is in it: it is at large again."""
        if all(waiting is not member for _, _, waiting in self._queue):
            return False
        self._queue = [entry for entry in self._queue if entry[2] is not member]
        heapify(self._queue)
        self._at_large.add(member)
        return True

    def remove(self, member: Member) -> None:
        """`member` is gone."""
        self.release(member)
        self._at_large.discard(member)
        self.advance()

    def one_loop(self, member: Member) -> asyncio.AbstractEventLoop:
        """The running loop, when no other member runs in another one; else `UsageError`."""
        loop = asyncio.get_running_loop()
        if any(other is not member and other.loop is not loop and not other.stands for other in self.members):
            raise UsageError(
                "a run that shares a risk profile with this one is going on in another event loop. Use one loop for "
                "both: beside a running loop, as in a notebook, take results with `async for` or `await run.result()`."
            )
        return loop


class RunGroups:
    """The groups of one kit."""

    def __init__(self) -> None:
        self._groups: list[RunGroup] = []
        self._ranks = 0

    def next_rank(self) -> int:
        """The rank of a run that is being made: runs made earlier come first at equal times."""
        self._ranks += 1
        return self._ranks

    def join(self, rank: int, time: int, shared: Iterable[object]) -> Member:
        """A new member for a run that shares `shared` (anything hashable) and does nothing before `time`."""
        wanted = frozenset(shared)
        self._groups = [group for group in self._groups if group.members]
        touched = [g for g in self._groups if any(not wanted.isdisjoint(m.shared) for m in g.members)]
        member = Member(RunGroup(), rank, time, wanted)
        for group in touched:
            group.one_loop(member)
        member.group.add(member)
        for group in touched:
            member.group.absorb(group)
        self._groups = [member.group, *(group for group in self._groups if group not in touched)]
        return member


class Carried(Generic[T]):
    """The items of a generator whose steps may be made before anybody asks for what they yield.

    Each step is a task of its own in the context of the first one, so that whoever waits for a step can be cancelled
    without harm to the run, except the consumer: its cancellation is that of the run.
    """

    def __init__(self, member: Member, steps: AsyncGenerator[T, None]) -> None:
        """`member` leaves its group when `steps` is over."""
        self._member, self._steps = member, steps
        member.carry = self._step
        self._context = copy_context()
        self._kept: deque[T] = deque()
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._failure: BaseException | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next item; an exception of the generator comes after the items before it."""
        while not self._kept:
            if self._over:
                failure, self._failure = self._failure, None
                raise StopAsyncIteration if failure is None else failure
            await self._wait_for(self._step())
        return self._kept.popleft()

    async def aclose(self) -> None:
        """End the generator, and the step in progress."""
        task, closable = self._task, True
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait({task})
        elif task is not None:
            closable = False
            with suppress(RuntimeError):  # a loop that is closed has nothing left to cancel
                task.get_loop().call_soon_threadsafe(task.cancel)
        if closable and not getattr(self._steps, "ag_running", False):  # else a loop that shuts down is closing it
            await self._steps.aclose()
        self._over = True
        self._member.leave()

    def _step(self) -> asyncio.Task[None]:
        """The step in progress, or a new one."""
        if self._task is None:
            self._member.begin_step()
            self._task = asyncio.get_running_loop().create_task(self._advance(), context=self._context)
        return self._task

    async def _advance(self) -> None:
        try:
            self._kept.append(await anext(self._steps))
        except StopAsyncIteration:
            self._over = True
        except (Exception, asyncio.CancelledError) as error:
            self._over, self._failure = True, error
        finally:
            self._task = None
            if self._over:
                self._member.leave()
            else:
                self._member.end_step()

    async def _wait_for(self, task: asyncio.Task[None]) -> None:
        if task.get_loop() is not asyncio.get_running_loop():
            raise UsageError(
                "this run cannot go on: it is in the middle of a step in an event loop that was left. Take all results "
                "of runs that share a risk profile in one loop."
            )
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise


async def started_together() -> None:
    """Let the runs that are being started at the same time come along."""
    for _ in range(ROUNDS_TO_START):
        await breathe()
