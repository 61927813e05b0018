"""`RunKeeper`: puts what backtests came to into the run store."""

from __future__ import annotations

import hashlib
import math
import platform
from asyncio import to_thread
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import orjson

from backtestkit.clients.bars import Bars
from backtestkit.errors import BacktestKitError
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.event import ErrorEvent
from backtestkit.model.result import ClosedResult
from backtestkit.model.run_record import RunOutcome, RunRecord
from backtestkit.persistence.run_store import RunStore
from backtestkit.runtime.clock import Clock, monotonic_seconds
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.ids import new_id
from backtestkit.services.channels import Channels
from backtestkit.services.connection.exchange import ExchangeConnection
from backtestkit.services.core.run_resolver import BacktestPlan
from backtestkit.services.core.user_code import UserCode, user_code
from backtestkit.services.logic.run_state import RunState

if TYPE_CHECKING:
    from backtestkit.config import Config

_HASHES_MAX: Final = 64
"""Ranges of one exchange whose hashes are remembered; a walk asks for the same one a thousand times."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What must be noted of a run before it starts: its code may keep values of its own that change while it runs."""

    plan: BacktestPlan
    code: UserCode
    since: float


class RunKeeper:
    """Keeps the runs of one kit.

    - `origin`: what a command line used to set the kit up; goes into every record.
    """

    def __init__(self, *, settings: Callable[[], Config], wall_clock: Clock, channels: Channels) -> None:
        self._settings, self._clock, self._channels = settings, wall_clock, channels
        self._hashes: WeakKeyDictionary[ExchangeConnection, dict[Any, str]] = WeakKeyDictionary()
        self.origin: Mapping[str, Any] = {}

    @property
    def store(self) -> RunStore:
        """The store that is configured now."""
        return RunStore(self._settings().runs_path)

    def now_ms(self) -> int:
        """Wall time, ms UTC."""
        return self._clock.now_ms()

    def begin(self, plan: BacktestPlan) -> Begun:
        """Note how a run starts."""
        code = user_code(plan.strategy, plan.actions, plan.risks, plan.sizing)
        return Begun(plan, code, monotonic_seconds())

    def record(self, begun: Begun, state: RunState, id: str, error: BaseException | None = None) -> RunRecord:
        """The record of a run that is over, or that `error` has ended."""
        from backtestkit import __version__

        plan, key = begun.plan, begun.plan.key
        outcome: RunOutcome = "failed" if error is not None else "stopped" if state.machine.stopped else "ready"
        return RunRecord(
            id=id,
            kept_at=self.now_ms(),
            outcome=outcome,
            error="" if error is None else f"{type(error).__name__}: {error}",
            error_count=state.errors.count,
            newest_error=state.errors.newest,
            symbol=key.symbol,
            strategy_name=key.strategy_name,
            exchange_name=key.exchange_name,
            frame_name=key.frame_name,
            frame={
                "interval": plan.frame.interval,
                "start_date": plan.frame.start_date.isoformat(),
                "end_date": plan.frame.end_date.isoformat(),
            },
            first_time=state.first_time,
            last_time=state.last_time,
            policy=asdict(plan.policy),
            params=plain(plan.params),
            config=plain(plan.config.deciding()),
            data_hash=self.data_hash(state),
            code_hash=begun.code.hash,
            versions={"backtestkit": __version__, "python": platform.python_version(), "numpy": np.__version__},
            fingerprint=state.runner.fingerprint.hexdigest(),
            trades=len(state.closed),
            statistics=plain(backtest_statistics(state.closed).figures()),
            summary=plain(asdict(state.summary())),
            seconds=monotonic_seconds() - begun.since,
            origin=plain(self.origin) or {"files": list(begun.code.files[:1])},
        )

    async def keep(self, record: RunRecord, closed: Sequence[ClosedResult]) -> RunRecord:
        """Write a record with its trades; it comes back with its number.

        A store that cannot be written costs no run its result: the error goes to the error channel, and the number stays
        0.
        """
        try:
            number = await to_thread(self.store.add, record, trades_text(closed))
        except (BacktestKitError, TypeError) as error:
            await self.tell(error, "keeping a run", record.key, record.last_time)
            return record
        return replace(record, number=number)

    async def keep_sweep(self, key: RunKey, configuration: str, points: int) -> None:
        """Note that a grid of `points` was tried; errors of the store go to the error channel, as above."""
        try:
            arguments = (new_id(), key.symbol, key.strategy_name, configuration, points, self.now_ms())
            await to_thread(self.store.note_sweep, *arguments)
        except BacktestKitError as error:
            await self.tell(error, "keeping a sweep", key)

    async def tell(self, error: Exception, what: str, key: RunKey, now: int | None = None) -> None:
        """Report an error of the store that costs nobody a result; `now` is the time of the run, the wall's without it."""
        await self._channels.error.emit(ErrorEvent(error, what, key, now or self.now_ms()))

    def data_hash(self, state: RunState) -> str:
        """sha256 of the candles and funding rates that a run has read; empty before it has."""
        bars = state.bars
        if bars is None or not bars.limit:
            return ""
        known = self._hashes.setdefault(state.plan.exchange, {})
        times = bars.times
        place = (state.plan.key.symbol, bars.step, int(times[0]), int(times[bars.limit - 1]), bars.limit)
        if place not in known:
            if len(known) >= _HASHES_MAX:
                known.clear()
            known[place] = data_hash(bars)
        return known[place]


def data_hash(bars: Bars) -> str:
    """sha256 of the candles and funding rates that a run goes over, 64 hexadecimal digits."""
    candles = bars.candles[: bars.limit]
    digest = hashlib.sha256(f"{bars.step}|{len(candles)}|".encode())
    for column in (candles.timestamp, candles.open, candles.high, candles.low, candles.close, candles.volume):
        digest.update(np.ascontiguousarray(column).data)
    if candles.filled is not None:
        digest.update(np.packbits(candles.filled).data)
    for funding in bars.fundings:
        digest.update(f"{funding.timestamp}:{funding.rate!r};".encode())
    return digest.hexdigest()


def trades_text(closed: Sequence[ClosedResult]) -> bytes:
    """Closed trades as JSON, exactly; a lifetime without end becomes null."""
    return orjson.dumps(list(closed))


def trades_from(text: bytes) -> tuple[ClosedResult, ...]:
    """The trades that `trades_text` has made `text` of."""
    from pydantic import TypeAdapter

    adapter: TypeAdapter[tuple[ClosedResult, ...]] = TypeAdapter(tuple[ClosedResult, ...])
    if b'"minute_estimated_time":null' not in text:
        return adapter.validate_json(text)
    trades = orjson.loads(text)
    for trade in trades:
        if trade["signal"]["minute_estimated_time"] is None:
            trade["signal"]["minute_estimated_time"] = math.inf
    return adapter.validate_python(trades)


def unplain(value: Any) -> Any:
    """A value that `plain` has made, with infinite numbers again."""
    if isinstance(value, Mapping):
        return {name: unplain(part) for name, part in value.items()}
    return float(value) if value in ("inf", "-inf") else value


def plain(value: Any) -> Any:
    """`value` as JSON has it. Infinite numbers become the texts `inf` and `-inf`, what JSON does not know its `repr`."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return repr(value)
