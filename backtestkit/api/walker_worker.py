"""What a process of a walk does: set itself up once, then run backtests."""

from __future__ import annotations

import threading
from typing import Final

from backtestkit.kit import Kit
from backtestkit.runtime.bridge import wait
from backtestkit.services.logic.walk import Candidate, Conditions, Tested
from backtestkit.services.logic.walker_answer import pack_answer
from backtestkit.services.logic.walker_local import LocalTester
from backtestkit.services.logic.walker_remote import Lent, Session, run_setup

KITS_MAX: Final = 2
"""Kits that are kept for the next job. A cluster may serve two walks by turns."""

_kits: Final[dict[tuple[str, int], Kit]] = {}
_turn: Final = threading.Lock()  # workers of a cluster may have several threads; a kit runs one job at a time


def backtest_candidate(session: Session, lent: list[Lent], conditions: Conditions, candidate: Candidate) -> bytes:
    """Run one backtest in this process; its outcome as bytes (`pack_answer`)."""
    with _turn:
        try:
            kit = _kit(session, lent)
            with kit:
                container = kit.container
                tester = LocalTester(container.run_resolver(), container.backtest_logic(), container.run_keeper(), kit)
                tested = wait(tester.one(conditions, candidate))
        except Exception as error:
            tested = Tested(candidate, error=error)
    return pack_answer(tested)


def _kit(session: Session, lent: list[Lent]) -> Kit:
    """The kit of this process for one set-up, with the candles in it that were lent."""
    key = session.id, len(lent)
    kit = _kits.pop(key, None)
    if kit is None:
        kit = Kit()
        with kit:
            run_setup(session.setup)
            kit.set_config(session.config, unsafe=True)  # what is in force there, whatever the files set first
            for candles in lent:
                market = candles.market
                connection = kit.container.exchange_pool().connect(market.exchange_name)
                connection.adopt(market.symbol, candles.attach(), market.since, market.until)
    while len(_kits) >= KITS_MAX:
        del _kits[next(iter(_kits))]
    _kits[key] = kit
    return kit
