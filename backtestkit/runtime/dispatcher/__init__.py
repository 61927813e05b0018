"""Delivery of timed events: many sources, one total order, handlers that may wait.

`BacktestingDispatcher` moves its clock from event to event; `RealtimeDispatcher` follows the wall. Handlers, jobs and
producers are written once for both.
"""

from backtestkit.runtime.dispatcher.backtesting import BacktestingDispatcher
from backtestkit.runtime.dispatcher.base import EventDispatcher
from backtestkit.runtime.dispatcher.realtime import RealtimeDispatcher

__all__ = [
    "BacktestingDispatcher",
    "EventDispatcher",
    "RealtimeDispatcher",
    "backtesting_dispatcher",
    "realtime_dispatcher",
]


def backtesting_dispatcher(max_concurrent: int = 50) -> BacktestingDispatcher:
    """A dispatcher whose time is driven by events. Handlers of one time overlap up to `max_concurrent`."""
    return BacktestingDispatcher(max_concurrent)


def realtime_dispatcher(max_concurrent: int = 50) -> RealtimeDispatcher:
    """A dispatcher that follows the wall clock."""
    return RealtimeDispatcher(max_concurrent)
