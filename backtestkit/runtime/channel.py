"""Channels: how one part of the framework tells any number of others that something happened.

A channel calls its listeners in the order of their subscription and awaits each, so a slow listener slows the emitter
down instead of being flooded. All listeners run even when one raises. Calls of one listener never overlap and keep
their order, also when several runs emit at once: an emitter waits for its turn. Only an emission from inside a listener
does not wait for a listener that is busy: the event is put off and delivered right after the call in progress. Waiting
there could mean to wait for itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from backtestkit.errors import UsageError
from backtestkit.runtime import bridge
from backtestkit.runtime.context import Mode, RunKey
from backtestkit.runtime.log import logger
from backtestkit.runtime.subscription import Subscription

E = TypeVar("E")

OnError: TypeAlias = Literal["report", "raise"]
Unsubscribe: TypeAlias = Callable[[], None]
ErrorSink: TypeAlias = Callable[[Exception, str, Any], Awaitable[None]]


class Channel(Generic[E]):
    """Events of one kind and whoever listens to them.

    `key` reads the action of an event and `signal` the id of its signal; without them listeners cannot filter by these.
    Filters by mode and by signal read `event.key`, the `RunKey`. `on_listener_error(error, channel name, event)` is
    told what listeners raise.

    `version` grows with every change of the listeners, so an emitter may cache what `heard` said; `on_change` is called
    with it.
    """

    __slots__ = ("_heard", "_key", "_listeners", "_on_change", "_on_listener_error", "_signal", "name", "version")

    def __init__(
        self,
        name: str,
        on_listener_error: ErrorSink,
        *,
        key: Callable[[E], str] | None = None,
        signal: Callable[[E], str | None] | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.version = 0
        self._key, self._signal = key, signal
        self._on_listener_error, self._on_change = on_listener_error, on_change
        self._listeners: tuple[_Listener[E], ...] = ()
        self._heard: dict[tuple[str | None, bool | None], bool] = {}

    def __repr__(self) -> str:
        return f"<Channel {self.name}, {len(self._listeners)} listeners>"

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def heard(self, action: str | None = None, backtest: bool | None = None) -> bool:
        """Whether anybody would receive an event with this action, from a run of this mode; None stands for any."""
        try:
            return self._heard[action, backtest]
        except KeyError:
            answer = any(
                (action is None or listener.actions is None or action in listener.actions)
                and (backtest is None or listener.backtest is None or backtest is listener.backtest)
                for listener in self._listeners
            )
            self._heard[action, backtest] = answer
            return answer

    def listen(
        self,
        fn: Callable[[E], object],
        *,
        mode: Mode | None = None,
        action: str | Collection[str] | None = None,
        where: Callable[[E], bool] | None = None,
        once: bool = False,
        per_signal: bool = False,
        on_error: OnError = "report",
    ) -> Unsubscribe:
        """Call `fn`, a plain or an async function, with every event that passes the filters.

        - `mode`, `action`: only events of runs in this mode, only events with this action or one of these.
        - `where`: only events for which it is true. It sees one event at a time, like `fn`.
        - `once`: `fn` is called one time, then unsubscribed.
        - `per_signal`: at most one call for each signal of a run (the last signal of 200 runs is remembered); events
          without a signal are left out.
        - `on_error`: what `fn` or `where` raises is reported to the error channel, or raised to the emitter when all
          listeners have run (of several, the first is raised and the rest is reported).

        Returns a function that ends the subscription, at once, also in the middle of an emission.
        """
        if not callable(fn):
            raise UsageError(f"listener of {self.name} is {fn!r}. Give a plain or an async function of one event.")
        if where is not None and (not callable(where) or bridge.is_async(where)):
            raise UsageError(f"filter of a listener of {self.name} is {where!r}. Give a plain function of one event.")
        if per_signal and self._signal is None:
            raise UsageError(f"events of channel {self.name} carry no signal: per_signal cannot be used there.")
        if on_error not in ("report", "raise"):
            raise UsageError(f"on_error={on_error!r} is unknown. Use 'report' or 'raise'.")
        subscription = Subscription(
            fn, self._report, where=where, once=once, signal_of=self._signal if per_signal else None
        )
        listener = _Listener(subscription, self._actions(action), _backtest(mode), on_error == "raise")

        def unsubscribe() -> None:
            if subscription.active:
                subscription.active = False
                self._change(tuple(other for other in self._listeners if other is not listener))

        subscription.cancel = unsubscribe
        self._change((*self._listeners, listener))
        return unsubscribe

    def set_aside(self) -> Callable[[], None]:
        """Take all listeners away; returns a function that puts those back, before the ones that have come since."""
        aside = self._listeners
        self._change(())

        def put_back() -> None:
            nonlocal aside
            back, aside = aside, ()
            if back:
                self._change((*(listener for listener in back if listener.subscription.active), *self._listeners))

        return put_back

    async def emit(self, event: E) -> None:
        """Call every listener that wants `event`, one after the other."""
        failure: Exception | None = None
        for listener in self._listeners:
            if listener.selective and not self._wants(listener, event):
                continue
            try:
                rest = listener.subscription.deliver(event)
                if rest is not None:
                    await rest
            except Exception as error:
                if listener.raises and failure is None:
                    failure = error
                else:
                    await self._report(error, event)
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None

    def _wants(self, listener: _Listener[E], event: Any) -> bool:
        if listener.actions is not None and self._key is not None and self._key(event) not in listener.actions:
            return False
        if listener.backtest is None:
            return True
        run: RunKey | None = event.key
        return run is not None and run.backtest is listener.backtest

    def _actions(self, action: str | Collection[str] | None) -> frozenset[str] | None:
        if action is None:
            return None
        if self._key is None:
            raise UsageError(f"events of channel {self.name} have no action: action={action!r} cannot be used there.")
        return frozenset((action,) if isinstance(action, str) else action)

    def _change(self, listeners: tuple[_Listener[E], ...]) -> None:
        self._listeners = listeners
        self._heard = {}
        self.version += 1
        if self._on_change is not None:
            self._on_change()

    async def _report(self, error: Exception, event: E) -> None:
        try:
            await self._on_listener_error(error, self.name, event)
        except Exception as second:
            second.add_note(f"while an error in a listener of channel {self.name} was reported: {error!r}")
            logger(channel=self.name).error("listener_error_lost", exc_info=second)


class _Listener(Generic[E]):
    """A subscription and the filters that need no turn."""

    __slots__ = ("actions", "backtest", "raises", "selective", "subscription")

    def __init__(
        self, subscription: Subscription[E], actions: frozenset[str] | None, backtest: bool | None, raises: bool
    ) -> None:
        self.subscription, self.actions, self.backtest, self.raises = subscription, actions, backtest, raises
        self.selective = actions is not None or backtest is not None


def _backtest(mode: Mode | None) -> bool | None:
    if mode not in (None, "backtest", "live"):
        raise UsageError(f"mode={mode!r} is unknown. Use 'backtest' or 'live'.")
    return None if mode is None else mode == "backtest"
