"""State and Session: a value per signal, and a value per run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias, TypeVar, Unpack, overload

from backtestkit.api.adapters import SwitchFacade
from backtestkit.api.adapters_at import ContextNames, SignalOfSymbol, moment, signal_moment
from backtestkit.kit import current_kit

__all__ = [
    "GetState", "Session", "SetState", "State", "create_signal_state", "get_session_data", "get_signal_state",
    "set_session_data", "set_signal_state",
]  # fmt: skip

T = TypeVar("T")
TCo = TypeVar("TCo", covariant=True)

Change: TypeAlias = Callable[[T], T | Awaitable[T]]
"""A plain or async function that makes a new value of the one before."""


class GetState(Protocol[TCo]):
    """Reads the state that it was made for."""

    async def __call__(self, symbol: str, **names: Unpack[SignalOfSymbol]) -> TCo:
        """The value as of now."""
        ...


class SetState(Protocol[T]):
    """Writes the state that it was made for."""

    async def __call__(self, symbol: str, value: T | Change[T], **names: Unpack[SignalOfSymbol]) -> T:
        """Store a value, or what a function makes of the one before; returns the new one."""
        ...


class _State(SwitchFacade):
    """A JSON value per signal and bucket, kept while the signal lives; see `Memory` for which signal is meant."""

    _name = "state"

    async def get_signal_state(
        self, symbol: str, *, bucket_name: str, initial_value: T, **names: Unpack[SignalOfSymbol]
    ) -> T:
        """The value as of now; `initial_value` where none was stored yet."""
        at = signal_moment("get_signal_state", symbol, names)
        book = current_kit().adapters.state.to_read(at.backtest, "get_signal_state")
        value: T = await book.read(at, bucket_name, initial_value)
        return value

    @overload
    async def set_signal_state(
        self, symbol: str, value: Change[T], *, bucket_name: str, initial_value: T, **names: Unpack[SignalOfSymbol]
    ) -> T: ...
    @overload
    async def set_signal_state(
        self, symbol: str, value: T, *, bucket_name: str, initial_value: T, **names: Unpack[SignalOfSymbol]
    ) -> T: ...
    async def set_signal_state(
        self, symbol: str, value: Any, *, bucket_name: str, initial_value: T, **names: Unpack[SignalOfSymbol]
    ) -> T:
        """Store a value, or what a plain or async function makes of the one before; returns the new one.

        Changes of one state follow each other: a function sees what the one before it has left.
        """
        at = signal_moment("set_signal_state", symbol, names)
        book = current_kit().adapters.state.to_write(at.backtest, "set_signal_state")
        stored: T = await book.write(at, bucket_name, value, initial_value)
        return stored


class _Session(SwitchFacade):
    """A JSON value per context. In a backtest it lasts as long as the run, in live longer than the process."""

    _name = "session"

    async def get_session_data(self, symbol: str, **names: Unpack[ContextNames]) -> Any:
        """The value as of now; None where none was stored yet."""
        at = moment("get_session_data", symbol, names)
        return await current_kit().adapters.session.to_read(at.backtest, "get_session_data").read(at)

    async def set_session_data(self, symbol: str, value: Any, **names: Unpack[ContextNames]) -> None:
        """Store a value; None empties the session."""
        at = moment("set_session_data", symbol, names)
        await current_kit().adapters.session.to_write(at.backtest, "set_session_data").write(at, value)


State = _State()
"""A value per signal: `get_signal_state`, `set_signal_state`."""
Session = _Session()
"""A value per run: `get_session_data`, `set_session_data`."""

get_signal_state = State.get_signal_state
set_signal_state = State.set_signal_state
get_session_data = Session.get_session_data
set_session_data = Session.set_session_data


def create_signal_state(bucket_name: str, initial_value: T) -> tuple[GetState[T], SetState[T]]:
    """`(get, set)` bound to a bucket: `await get(symbol)` and `await set(symbol, value)`."""

    async def get(symbol: str, **names: Unpack[SignalOfSymbol]) -> T:
        return await State.get_signal_state(symbol, bucket_name=bucket_name, initial_value=initial_value, **names)

    async def set(symbol: str, value: T | Change[T], **names: Unpack[SignalOfSymbol]) -> T:
        return await State.set_signal_state(
            symbol, value, bucket_name=bucket_name, initial_value=initial_value, **names
        )

    return get, set
