"""From plain code into coroutines and back: one mechanism behind every sync twin.

Every public coroutine function has a plain twin. Where the twin is called decides how it waits:

- in a plain strategy function, callback or listener that the framework called (`call_plain`): the coroutine is driven
  by hand; most find their data in memory and end there. One that suspends is handed to the running loop through a
  greenlet, and the plain function sleeps while other tasks go on;
- in a script without a loop: in the loop that the thread keeps;
- in plain code beside a running loop, such as a notebook cell: in a loop thread.

Plain functions are bridged from the first twin on; before, nothing can wait inside them, and they are called directly.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

from backtestkit.runtime import loops
from backtestkit.runtime.iteration import iterate as iterate

P = ParamSpec("P")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")

_greenlets: ModuleType | None = None  # backtestkit.runtime.greenlets, once it is needed


def twin(fn: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """The plain twin of a coroutine function: same name, arguments and documentation, and it returns the result."""
    arm()

    @functools.wraps(fn)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        return wait(fn(*args, **kwargs))

    return plain


def wait(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of `coroutine`, from plain code of any kind (see the head of this module)."""
    worker = None if _greenlets is None else _greenlets.current_worker()
    if worker is not None:
        result: R = worker.wait(coroutine)
        return result
    return loops.run(coroutine)


async def call_plain(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call the plain function `fn` so that it may use sync twins; exceptions and context variables pass through."""
    if _greenlets is None:
        return fn(*args, **kwargs)
    answer = _greenlets.begin(functools.partial(fn, **kwargs) if kwargs else fn, *args)
    result: R = await answer if type(answer) is _greenlets.Suspended else answer
    return result


def begin_plain(fn: Callable[[*Ts], R], *args: *Ts) -> R | Awaitable[R]:
    """Like `call_plain`, but without a coroutine when `fn` does not wait: its result, or the awaitable rest of the call.

    A function that waits and one that returns an awaitable look alike: the answer is to be awaited either way.
    """
    if _greenlets is None:
        return fn(*args)
    answer: R | Awaitable[R] = _greenlets.begin(fn, *args)
    return answer


def armed() -> bool:
    """Whether plain functions are run in greenlets: True once a twin exists."""
    return _greenlets is not None


def arm() -> ModuleType:
    """Load the greenlets: from now on plain functions may wait."""
    global _greenlets
    if _greenlets is None:
        from backtestkit.runtime import greenlets

        _greenlets = greenlets
    return _greenlets


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling `fn` gives a coroutine: functions, methods, partials of them, objects with async `__call__`."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn) or (
        not inspect.isroutine(fn) and inspect.iscoroutinefunction(getattr(type(fn), "__call__", None))  # noqa: B004
    )
