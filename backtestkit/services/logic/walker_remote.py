"""Testing candidates elsewhere: one tester over whatever runs jobs in other processes.

The processes start from nothing, so a set-up, strategy files or something callable that can be pickled, registers in
each of them what is registered here. The candles of the frame are read once and lent to all. Every backtest is the same
as in one process, bit for bit; only the waiting is shared.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias

from backtestkit.errors import RunError, UsageError
from backtestkit.model.candle import Candles
from backtestkit.runtime.ids import new_id
from backtestkit.services.core.strategy_file import run_strategy
from backtestkit.services.logic.walk import Candidate, Conditions, Tested, Walk
from backtestkit.services.logic.walker_answer import unpack_answer

HELD_PER_SLOT: Final = 16
"""Candidates that may be sent or answered before it is the turn of the first of them, for each job that runs at once."""

Setup: TypeAlias = str | Path | Sequence[str | Path] | Callable[[], object]


@dataclass(frozen=True, slots=True)
class Market:
    """What lent candles are: base candles of a symbol on an exchange that open in [since, until) (ms UTC)."""

    exchange_name: str
    symbol: str
    since: int
    until: int


class Lent(Protocol):
    """Candles as a process of a walk gets them."""

    @property
    def market(self) -> Market:
        """What they are."""
        ...

    def attach(self) -> Candles:
        """The candles themselves."""
        ...


@dataclass(frozen=True, slots=True)
class SetupFile:
    """A strategy file with its text, so that it can be run where the file is not."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """What processes are set up with: equal for all jobs of a tester, and told apart by `id`."""

    id: str
    setup: tuple[SetupFile, ...] | Callable[[], object]
    config: dict[str, Any]


Worker: TypeAlias = Callable[[Session, list[Lent], Conditions, Candidate], bytes]


class Transport(Protocol):
    """What takes jobs to other processes and answers back."""

    async def slots(self) -> int:
        """How many jobs are run at once, now."""
        ...

    async def lend(self, candles: Candles, market: Market) -> Any:
        """Bring candles to where every process has them; what the jobs of the processes get as `Lent`."""
        ...

    def submit(self, worker: Worker, *job: Any) -> asyncio.Future[bytes]:
        """Run `worker(*job)` somewhere. A process that is lost is no answer: the job is run again."""
        ...

    def close(self) -> None:
        """Let go of the processes and of what was lent."""
        ...


class RemoteTester:
    """Tests candidates through a transport, which is kept between walks. A context manager."""

    def __init__(self, transport: Transport, setup: Setup, config: dict[str, Any], worker: Worker) -> None:
        """`worker` is the function that runs one backtest there; it is passed in because it lives on a higher floor."""
        self._transport, self._worker = transport, worker
        self._session = Session(new_id(), portable(setup), config)
        self._lent: list[Any] = []

    async def lend(self, candles: Candles, market: Market) -> None:
        """Share candles that all candidates of the coming walks read."""
        self._lent.append(await self._transport.lend(candles, market))

    async def test(self, walk: Walk, candidates: Sequence[Candidate]) -> AsyncGenerator[Tested, None]:
        """Test `candidates`, some at a time, and give them back in their order."""
        conditions, slots = walk.conditions, await self._transport.slots()
        waiting: deque[tuple[Candidate, asyncio.Future[bytes]]] = deque()
        left = deque(candidates)
        try:
            while left or waiting:
                going = [future for _, future in waiting if not future.done()]
                while left and len(going) < 2 * slots and len(waiting) < HELD_PER_SLOT * slots:
                    candidate = left.popleft()
                    job = (self._session, list(self._lent), conditions, candidate)
                    going.append(self._transport.submit(self._worker, *job))
                    waiting.append((candidate, going[-1]))
                candidate, future = waiting[0]
                if not future.done():  # while the first one takes its time, the others go on
                    await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                    continue
                answer = await _answer(candidate, future)
                waiting.popleft()
                yield answer
        finally:
            for _, future in waiting:
                future.cancel()
            await asyncio.gather(*(future for _, future in waiting), return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the processes and of the candles that they share."""
        self._transport.close()
        self._lent.clear()


async def _answer(candidate: Candidate, future: asyncio.Future[bytes]) -> Tested:
    """What became of a job, for the candidate that it was made for."""
    try:
        tested = unpack_answer(await future)
    except Exception as error:
        failure = RunError(f"the backtest of {candidate.label} got no answer: {error}")
        failure.__cause__ = error
        return Tested(candidate, error=failure)
    return replace(tested, candidate=candidate)


def portable(setup: Setup) -> tuple[SetupFile, ...] | Callable[[], object]:
    """A set-up in a form that travels: the texts of files, or what can be pickled; else `UsageError`."""
    if callable(setup):
        try:
            pickle.dumps(setup)
        except Exception as error:
            raise UsageError(
                f"setup={setup!r} must be a function at the top of a module, so that other processes can import it"
            ) from error
        return setup
    paths = [Path(path) for path in ([setup] if isinstance(setup, str | Path) else setup)]
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise UsageError(
            f"setup names {missing[0] if missing else 'no'} file that does not exist; give strategy files or a function"
        )
    return tuple(SetupFile(str(path.resolve()), path.read_text(encoding="utf-8")) for path in paths)


def run_setup(setup: tuple[SetupFile, ...] | Callable[[], object]) -> None:
    """Register in this process what is registered in the one that the walk belongs to.

    A file is a module of its own and may import what lies in its folder, where the folder exists.
    """
    if callable(setup):
        setup()
        return
    for file in setup:
        run_strategy(Path(file.path), file.text)
