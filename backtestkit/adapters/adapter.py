"""The one mechanism of all adapters: backends to choose from, per mode, and a switch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from backtestkit.errors import UsageError, suggest
from backtestkit.persistence.store import KeyValueStore

T = TypeVar("T")

Undo: TypeAlias = Callable[[], None]
"""Ends what the call that returned it has begun. It may be called again."""


class Backends(Generic[T]):
    """The backends of one adapter in one mode. One is in use; it is made when it is first needed."""

    def __init__(self, name: str, makers: Mapping[str, Callable[[], T]], default: str) -> None:
        """`makers` by the names of the backends; `name` is for messages."""
        self.name: Final = name
        self._makers, self._make = dict(makers), makers[default]
        self.chosen = default
        self._current: T | None = None

    @property
    def current(self) -> T:
        """The backend in use."""
        if self._current is None:
            self._current = self._make()
        return self._current

    def use(self, backend: str) -> None:
        """Use the backend of that name from now on. The one before is dropped, with what it held in memory."""
        if backend not in self._makers:
            known = list(self._makers)
            raise UsageError(
                f"{self.name} has no backend {backend!r}. {suggest(backend, known, 'a class of your own')}"
            )
        self._use(backend, self._makers[backend])

    def use_custom(self, make: Callable[[], T]) -> None:
        """Use what `make` gives."""
        if not callable(make):
            raise UsageError(f"{self.name} was given {make!r}. Give a class, or a function that makes the backend.")
        self._use("custom", make)

    def clear(self) -> None:
        """Drop the backend in use, with what it held in memory; the next use makes a new one. Files stay.

        One that has a method `close` is closed.
        """
        dropped, self._current = self._current, None
        close = getattr(dropped, "close", None)
        if close is not None:
            close()

    def _use(self, backend: str, make: Callable[[], T]) -> None:
        self.chosen, self._make = backend, make
        self.clear()


class StoreBackends(Backends[T]):
    """Backends that differ only in the store of records below them."""

    def __init__(
        self,
        name: str,
        build: Callable[[KeyValueStore], T],
        stores: Mapping[str, Callable[[], KeyValueStore]],
        default: str,
    ) -> None:
        """`build` makes the backend over a store; `stores` makes the stores, by the names of the backends."""
        super().__init__(name, {key: partial(_over, build, make) for key, make in stores.items()}, default)
        self._build = build

    def use_store(self, make: Callable[[], KeyValueStore]) -> None:
        """Use the records of the store that `make` gives."""
        self.use_custom(lambda: self._build(self._checked(make())))

    def _checked(self, store: KeyValueStore) -> KeyValueStore:
        missing = [name for name in _STORE_METHODS if not callable(getattr(store, name, None))]
        if missing:
            raise UsageError(
                f"{self.name} was given {store!r}, which has no method {missing[0]!r}. A store has "
                f"{', '.join(_STORE_METHODS)}; backtestkit.testing checks it."
            )
        return store


def _over(build: Callable[[KeyValueStore], T], make: Callable[[], KeyValueStore]) -> T:
    return build(make())


_STORE_METHODS = ("read", "write", "remove", "keys", "forget")


class Adapter(Generic[T]):
    """Backends for both modes, and a switch.

    An adapter that records what runs do (`subscribe`) is switched on by `enable` and hears events from then on. One that
    strategies call themselves (`automatic`) is on from its first use. Either is off after `disable`: then nothing new is
    recorded or written, and what is there can still be read.
    """

    def __init__(
        self,
        name: str,
        backtest: Backends[T],
        live: Backends[T],
        *,
        subscribe: Callable[[], Iterable[Undo]] = tuple,
        automatic: bool = False,
    ) -> None:
        """`subscribe` starts listening and gives what ends it."""
        self.name: Final = name
        self.backtest, self.live = backtest, live
        self._subscribe, self._automatic = subscribe, automatic
        self._subscriptions: list[Undo] | None = None
        self._decided = False

    @property
    def enabled(self) -> bool:
        """Whether it is on."""
        return self._subscriptions is not None

    def of(self, backtest: bool) -> T:
        """The backend in use of a mode."""
        return (self.backtest if backtest else self.live).current

    def to_write(self, backtest: bool, function: str) -> T:
        """The backend to write to; `UsageError` that names `function` when the adapter is off."""
        if not self.enabled:
            if not self._automatic or self._decided:
                raise UsageError(
                    f"{function}: {self.name} is {'disabled' if self._decided else 'not enabled'}. "
                    f"Call bk.{self.name}.enable() first."
                )
            self.enable()
        return self.of(backtest)

    def to_read(self, backtest: bool, function: str) -> T:
        """The backend to read from; `UsageError` when it cannot hold anything because it was never on."""
        if not self._automatic and not self._decided:
            raise UsageError(
                f"{function}: {self.name} is not enabled. Call bk.{self.name}.enable() before the run, so that it hears "
                "what happens."
            )
        return self.of(backtest)

    def enable(self) -> Undo:
        """Switch it on, if it is not; returns a function that switches it off, as long as it was not off in between."""
        self._decided = True
        if self._subscriptions is None:
            self._subscriptions = list(self._subscribe())
        mine = self._subscriptions

        def undo() -> None:
            if self._subscriptions is mine:
                self.disable()

        return undo

    def disable(self) -> None:
        """Switch it off, if it is on."""
        self._decided = True
        ending, self._subscriptions = self._subscriptions or [], None
        for end in ending:
            end()

    def clear(self) -> None:
        """Drop the backends of both modes, with what they held in memory."""
        self.backtest.clear()
        self.live.clear()

    def reset(self) -> None:
        """Back to the beginning: nothing heard, nothing held in memory, neither on nor off. The choice of backends stays."""
        self.disable()
        self._decided = False
        self.clear()
