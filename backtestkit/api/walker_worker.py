"""What a process of a walk does: set itself up once, then run backtests."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from backtestkit.api.backtest import Backtest
from backtestkit.clients.state import Counters
from backtestkit.kit import Kit
from backtestkit.model.result import ClosedResult
from backtestkit.services.logic.walk import Candidate
from backtestkit.services.logic.walker_pool import SharedCandles, attach, run_setup

_kept: list[Any] = []  # shared memory must stay mapped as long as columns over it are used


@lru_cache(maxsize=4)
def _kit(
    setup: tuple[str, ...] | Callable[[], object],
    config: tuple[tuple[str, Any], ...],
    shared: tuple[SharedCandles, ...],
) -> Kit:
    """The kit of this process for one set-up, with the parent's candles in it."""
    kit = Kit()
    with kit:
        kit.set_config(dict(config), unsafe=True)
        run_setup(setup)
        for spec in shared:
            memory, candles = attach(spec)
            _kept.append(memory)
            connection = kit.container.exchange_pool().connect(spec.exchange_name)
            connection.adopt(spec.symbol, candles, spec.since, spec.until)
    return kit


def backtest_candidate(
    setup: tuple[str, ...] | Callable[[], object],
    config: dict[str, Any],
    shared: tuple[SharedCandles, ...],
    walk: tuple[str, str, str, Any, bool],
    candidate: Candidate,
) -> tuple[tuple[ClosedResult, ...], str, Counters]:
    """Run one backtest in this process; its closed trades, fingerprint and counters."""
    symbol, exchange_name, frame_name, policy, stepping = walk
    with _kit(setup, tuple(sorted(config.items())), shared):
        result = Backtest.run(
            symbol,
            strategy_name=candidate.strategy_name,
            exchange_name=exchange_name,
            frame_name=frame_name,
            policy=policy,
            stepping=stepping,
            params=candidate.params,
        ).wait()
    return result.closed, result.fingerprint, result.counters
