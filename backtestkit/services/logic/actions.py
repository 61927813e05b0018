"""Actions: handlers that hear the events of the strategies that name them.

The hook table says which channel feeds which method. For every event the listeners of the channel come first, then for
each action of the strategy, in the order of its list, the handler's method and the callback. A failing action is reported
and harms neither the run nor the next action.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from backtestkit.model.schema import ActionSchema
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.user_code import UserFunction, user_function

Tell: TypeAlias = Callable[[Exception, str], Awaitable[None]]

HOOKS: Final[dict[str, str]] = {
    "signal": "signal",
    "signal_live": "signal_live",
    "signal_backtest": "signal_backtest",
    "breakeven_available": "breakeven_available",
    "partial_profit_available": "partial_profit_available",
    "partial_loss_available": "partial_loss_available",
    "ping_active": "active_ping",
    "ping_scheduled": "schedule_ping",
    "ping_idle": "idle_ping",
    "schedule_event": "order_schedule",
    "pending_event": "signal_event",
    "risk_rejection": "risk",
    "order_sync": "sync",
    "order_check": "check",
}
"""Hook to the channel that feeds it. `init` and `dispose` are called at the two ends of a run instead."""


class Action:
    """One action in one run: a handler of its own if the schema gives a class, else the shared object."""

    def __init__(self, schema: ActionSchema, key: RunKey) -> None:
        """Make the handler; what its constructor raises is raised."""
        self.name = schema.action_name
        self._about = (schema.action_name, key.strategy_name, key.frame_name, key.backtest)
        self._schema = schema
        handler: Any = schema.handler
        is_class = inspect.isclass(schema.handler)
        if is_class:
            handler = handler(key.strategy_name, key.frame_name, schema.action_name, key.backtest)
        self._methods = {
            hook: fn for hook in ("init", *HOOKS, "dispose") if (fn := self._method(handler, hook)) is not None
        }

    def _method(self, handler: object, hook: str) -> UserFunction | None:
        method = getattr(handler, hook, None)
        return user_function(method) if callable(method) else None

    def _callback(self, hook: str) -> UserFunction | None:
        fn = getattr(self._schema.callbacks, f"on_{hook}", None)
        return None if fn is None else user_function(fn)

    def steps(self, hook: str) -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
        """What a hook calls, in order, each with a name for errors; every one takes the event (or nothing)."""
        found: list[tuple[str, Callable[..., Awaitable[Any]]]] = []
        method, callback = self._methods.get(hook), self._callback(hook)
        if method is not None:
            found.append((f"{hook} of action {self.name!r}", method))
        if callback is not None:
            about = self._about
            found.append((f"on_{hook} of action {self.name!r}", lambda *event: callback(*event, *about)))
        return found


class ActionSet:
    """The actions of one run."""

    def __init__(self, schemas: Sequence[ActionSchema], key: RunKey, tell: Tell) -> None:
        """`tell` reports an error with its source."""
        self._tell = tell
        actions = [Action(schema, key) for schema in schemas]
        self._steps = {
            channel: steps
            for hook, channel in HOOKS.items()
            if (steps := [step for action in actions for step in action.steps(hook)])
        }
        self._start = [step for action in actions for step in action.steps("init")]
        self._end = [step for action in actions for step in action.steps("dispose")]

    def hears(self, channel: str) -> bool:
        """Whether any action wants the events of `channel`."""
        return channel in self._steps

    async def dispatch(self, channel: str, event: object) -> None:
        """Tell the actions about one event."""
        for source, call in self._steps.get(channel, ()):
            await self._guarded(source, call, event)

    async def init(self) -> None:
        """The run is about to start."""
        for source, call in self._start:
            await self._guarded(source, call)

    async def dispose(self) -> None:
        """The run has ended; nothing is called after this."""
        ending, self._end = self._end, []
        self._steps = {}
        for source, call in ending:
            await self._guarded(source, call)

    async def _guarded(self, source: str, call: Callable[..., Awaitable[Any]], *event: object) -> None:
        try:
            await call(*event)
        except Exception as error:
            await self._tell(error, source)
