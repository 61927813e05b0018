"""What `Cache` and `Interval` make of functions."""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable
from functools import update_wrapper
from typing import Any, Final, Generic, ParamSpec, TypeVar

from backtestkit.adapters.memo import MISSING, FileMemo, Instant, Slot, Slots, hashable, record_id
from backtestkit.adapters.owner import Owner
from backtestkit.errors import UsageError
from backtestkit.model.interval import CandleInterval, interval_step_ms
from backtestkit.persistence.domains import Domain
from backtestkit.runtime.bridge import is_async
from backtestkit.runtime.context import RunContext, run_context

__all__ = [
    "CachedCoroutine", "CachedFile", "CachedFunction", "IntervalCoroutine", "IntervalFile", "IntervalFunction",
]  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")
Key = Callable[..., Any]


class Memo(Generic[P]):
    """What cached and limited functions share: their interval, their key and their values in memory.

    Values belong to the run they were computed in; in live, to the names of its context.
    """

    only_first = False
    """Whether the first argument tells calls apart, instead of all of them."""

    def __init__(self, run: Callable[..., Any], interval: CandleInterval, key: Key | None) -> None:
        """`key` makes of the arguments what tells them apart."""
        self.wrapped, self._step, self._key = run, interval_step_ms(interval), key
        self._name = getattr(run, "__qualname__", repr(run))
        self._slots = Slots()
        look_like(self, run)

    def has_value(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether there is a value for these arguments now."""
        context = run_context(self._name)
        return self._slots.find(self._place(context, args, kwargs), self._at(context)) is not None

    def clear(self) -> None:
        """Forget the values of the running context."""
        context = run_context(self._name)
        self._slots.clear(self._owner(context))

    def gc(self) -> int:
        """Forget the values of other intervals than that of now, of all contexts; how many there were."""
        return self._slots.remove_others(self._at(run_context(self._name)).start)

    def forget(self) -> None:
        """Forget all values."""
        self._slots.clear_all()

    def _at(self, context: RunContext) -> Instant:
        now = context.clock.now_ms()
        return Instant(now, now // self._step * self._step)

    def _owner(self, context: RunContext) -> Hashable:
        return context.kit, Owner.of(context)

    def _place(self, context: RunContext, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        return self._owner(context), hashable(self._arguments(args, kwargs), self._name)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._key is not None:
            return self._key(*args, **kwargs)
        if self.only_first:
            return first_argument(args, kwargs)
        return (args, tuple(sorted(kwargs.items()))) if kwargs else args

    def _limit(self, context: RunContext) -> int:
        limit: int = context.kit.config.max_cached_values
        return limit

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}>"


class CachedFunction(Memo[P], Generic[P, R]):
    """A plain function that computes once in each interval."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The value of this interval, computed if there is none; what the function raises is not kept."""
        context = run_context(self._name)
        place, at = self._place(context, args, kwargs), self._at(context)
        slot = self._slots.find(place, at)
        if slot is None:
            slot = Slot(at, _plain(self.wrapped(*args, **kwargs), self._name))
            self._slots.put(place, slot, self._limit(context))
        value: R = slot.value
        return value


class IntervalFunction(Memo[P], Generic[P, R]):
    """A plain function that acts once in each interval."""

    only_first = True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """The answer of the function, None when it has acted in this interval. An answer of None does not count."""
        context = run_context(self._name)
        place, at = self._place(context, args, kwargs), self._at(context)
        if self._slots.find(place, at) is not None:
            return None
        value: R | None = _plain(self.wrapped(*args, **kwargs), self._name)
        if value is not None:
            self._slots.put(place, Slot(at, value), self._limit(context))
        return value


class CachedCoroutine(Memo[P], Generic[P, R]):
    """A coroutine function that computes once in each interval."""

    def __init__(self, run: Callable[..., Any], interval: CandleInterval, key: Key | None) -> None:
        super().__init__(run, interval, key)
        self._waiting: dict[Slot, list[asyncio.Future[None]]] = {}

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The value of this interval, computed if there is none.

        Whoever asks while it is being computed waits for it. What the function raises is not kept, and whoever has waited
        tries for himself.
        """
        context = run_context(self._name)
        place, at = self._place(context, args, kwargs), self._at(context)
        while (slot := self._slots.find(place, at)) is not None:
            if slot.value is not MISSING:
                known: R = slot.value
                return known
            await self._wait(slot)
        slot = Slot(at)
        self._slots.put(place, slot, self._limit(context))
        try:
            slot.value = value = await self.wrapped(*args, **kwargs)
        except BaseException:
            self._slots.drop(place, slot)
            raise
        finally:
            for future in self._waiting.pop(slot, ()):
                if not future.done():
                    future.set_result(None)
        computed: R = value
        return computed

    async def _wait(self, slot: Slot) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(slot, []).append(future)
        await future


class IntervalCoroutine(Memo[P], Generic[P, R]):
    """A coroutine function that acts once in each interval."""

    only_first = True

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """The answer of the function, None when it acts or has acted in this interval. An answer of None does not count."""
        context = run_context(self._name)
        place, at = self._place(context, args, kwargs), self._at(context)
        if self._slots.find(place, at) is not None:
            return None
        slot = Slot(at)
        self._slots.put(place, slot, self._limit(context))
        value: R | None = None
        try:
            value = await self.wrapped(*args, **kwargs)
        finally:
            if value is None:
                self._slots.drop(place, slot)
        return value


class FileMemoFunction(ABC, Generic[P]):
    """What functions have in common whose values are kept in the store of the kit."""

    def __init__(
        self, run: Callable[..., Awaitable[Any]], interval: CandleInterval, name: str, key: Key | None, domain: Domain
    ) -> None:
        """`name` and `interval` name the bucket of the store, which belongs to this function."""
        if not is_async(run):
            raise UsageError(f"{run!r} is a plain function. Keeping values in files needs a coroutine function.")
        self.wrapped, self._step, self._key = run, interval_step_ms(interval), key
        self._name = getattr(run, "__qualname__", repr(run))
        self.bucket: Final = f"{name}_{interval}"
        self._memo = FileMemo(domain, self.bucket)
        _claim(domain, self.bucket, run)
        look_like(self, run)

    async def clear(self) -> None:
        """Mark all values of this function as removed, of all contexts; they stay on disks."""
        context = run_context(self._name)
        await self._memo.clear(context.kit.adapters.store)

    async def has_value(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether there is a value for these arguments now."""
        context = run_context(self._name)
        id, at = self._record(context, args, kwargs)
        return await self._memo.find(context.kit.adapters.store, id, at) is not MISSING

    def _record(self, context: RunContext, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Instant]:
        now = context.clock.now_ms()
        at = Instant(now, now // self._step * self._step)
        key = self._key(*args, **kwargs) if self._key is not None else self._arguments(args, kwargs)
        return record_id(self._whose(context), key, at, self._name), at

    @abstractmethod
    def _whose(self, context: RunContext) -> tuple[str, ...]:
        """Who may have a value."""

    @abstractmethod
    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What tells calls apart."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name} in {self.bucket}>"


class CachedFile(FileMemoFunction[P], Generic[P, R]):
    """A coroutine function whose values are kept in the store, for all strategies of an exchange and a mode."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The value of this interval, computed if none was known by now; None is a value too."""
        context = run_context(self._name)
        store = context.kit.adapters.store
        id, at = self._record(context, args, kwargs)
        async with self._memo.turn(id):
            value = await self._memo.find(store, id, at)
            if value is MISSING:
                value = await self.wrapped(*args, **kwargs)
                await self._memo.put(store, id, value, at, self._name)
        found: R = value
        return found

    def _whose(self, context: RunContext) -> tuple[str, ...]:
        return context.key.mode, context.key.exchange_name

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return [list(args), kwargs]


class IntervalFile(FileMemoFunction[P], Generic[P, R]):
    """A coroutine function that acts once in each interval, also when the process starts anew."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """The answer of the function, None when it has acted in this interval. An answer of None does not count."""
        context = run_context(self._name)
        store = context.kit.adapters.store
        id, at = self._record(context, args, kwargs)
        async with self._memo.turn(id):
            if await self._memo.find(store, id, at) is not MISSING:
                return None
            value: R | None = await self.wrapped(*args, **kwargs)
            if value is not None:
                await self._memo.put(store, id, value, at, self._name)
            return value

    def _whose(self, context: RunContext) -> tuple[str, ...]:
        return Owner.of(context).names

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return first_argument(args, kwargs)


_buckets: dict[tuple[str, str], str] = {}


def _claim(domain: Domain, bucket: str, run: Callable[..., Any]) -> None:
    """Two functions in one bucket would answer for each other. A function that is defined anew keeps its bucket."""
    mine = f"{getattr(run, '__module__', '')}.{getattr(run, '__qualname__', repr(run))}"
    owner = _buckets.setdefault((domain.name, bucket), mine)
    if owner != mine:
        raise UsageError(
            f"{domain.name} files {bucket!r} belong to {owner} already, and {mine} would answer for it. Use another name."
        )


def _plain(value: R, name: str) -> R:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise UsageError(f"{name} returned an awaitable, which can be awaited only once. Give a coroutine function.")
    return value


def look_like(wrapper: object, run: Callable[..., Any]) -> None:
    """Give `wrapper` the name, the documentation and the signature of `run`."""
    update_wrapper(wrapper, run)  # type: ignore[arg-type]  # it takes whatever has attributes


def first_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The first argument, given by place or by name; nothing without arguments."""
    return args[:1] or tuple(kwargs.values())[:1]
