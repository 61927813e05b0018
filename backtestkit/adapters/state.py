"""States of signals and sessions of contexts: one value each, guarded against the future."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from backtestkit.adapters.owner import LatestOwners, Moment, Owner, SignalMoment
from backtestkit.adapters.turns import Turns
from backtestkit.persistence.domains import SESSION, STATE
from backtestkit.persistence.json_values import encode
from backtestkit.persistence.store import Json, KeyValueStore, Space
from backtestkit.runtime.log import logger
from backtestkit.runtime.user_code import user_function

Change: TypeAlias = "Json | Callable[[Any], Any]"
"""A new value, or a plain or async function that makes it of the one before."""


class StateBook:
    """A value per signal and bucket."""

    def __init__(self, store: KeyValueStore) -> None:
        """Keep the states in `store`."""
        self._store, self._turns = store, Turns()

    async def read(self, at: SignalMoment, bucket: str, initial: Json) -> Json:
        """The value as of now; `initial` where there is none yet."""
        record = await self._store.read(_states(at), bucket)
        return initial if record is None or record["when"] > at.now else record["data"]

    async def write(self, at: SignalMoment, bucket: str, change: Change, initial: Json) -> Json:
        """Store the new value and return it. Changes of one state follow each other, slow functions included."""
        space = _states(at)
        async with self._turns.of((space, bucket)):
            value = change
            if callable(change):
                value = await user_function(change)(await self.read(at, bucket, initial))
            encode(value, f"state {bucket!r}")  # so that a complaint names it as the caller does
            await self._store.write(space, bucket, {"id": at.signal_id, "data": value, "when": at.now})
            return value

    async def forget(self, owner: Owner, signal_id: str) -> None:
        """The signal is over."""
        await self._store.forget(STATE.space(*owner.names, signal_id))


def _states(at: SignalMoment) -> Space:
    return STATE.space(*at.owner.names, at.signal_id)


class SessionBook:
    """A value per context: it belongs to no signal and lasts as long as the run."""

    def __init__(self, store: KeyValueStore, limit: Callable[[], int]) -> None:
        """Keep the sessions of the last `limit()` owners in `store`."""
        self._store, self._owners = store, LatestOwners(store, SESSION, limit)

    async def read(self, at: Moment) -> Json:
        """The value as of now; None where there is none yet."""
        record = await self._store.read(_sessions(at.owner), at.key.symbol)
        if record is None or record["when"] > at.now:
            return None
        if record["id"] != _identity(at):
            logger().warning("session_of_another_context", expected=_identity(at), found=record["id"])
            return None
        return record["data"]

    async def write(self, at: Moment, value: Json) -> None:
        """Store a value; None empties the session."""
        encode(value, "session")
        record = {"id": _identity(at), "data": value, "when": at.now}
        await self._store.write(_sessions(at.owner), at.key.symbol, record)
        await self._owners.wrote(at.owner)


def _sessions(owner: Owner) -> Space:
    return SESSION.space(*owner.names)


def _identity(at: Moment) -> str:
    key = at.key
    return ":".join((key.strategy_name, key.exchange_name, key.frame_name, key.symbol, key.mode))
