"""Notes on the open position: told to who listens, and nothing of the position changes."""

from __future__ import annotations

from typing import Any

from kept_runs import LONG, new_run, prepare

import backtestkit as bk
from scenarios.market import still


def test_a_note_is_told_with_the_position_and_changes_nothing() -> None:
    told: list[Any] = []
    answers: list[Any] = []

    async def ping(*_: Any) -> None:
        answers.append(await bk.commit_signal_notify("BTC", "hello", notification_id="n", price=101.0))

    def run(listening: bool) -> bk.BacktestResult:
        with bk.Kit():
            if listening:
                bk.listen_signal_notify(told.append)
            signal = {**LONG, "id": "mine"}
            callbacks = {"on_active_ping": ping}
            prepare(still(6), lambda *_: dict(signal), interval="1h", callbacks=callbacks, on_error="raise")
            return new_run().wait()

    assert run(True).fingerprint == run(False).fingerprint
    first = told[0]
    assert all(answers) and answers[0].price == 101.0
    assert (first.note, first.notification_id, first.current_price, first.data.id) == ("hello", "n", 101.0, "mine")
    assert first.data.pnl.price_close == bk.to_profit_loss(first.data, 101.0).price_close


def test_without_a_position_there_is_nothing_to_note_on() -> None:
    answers: list[Any] = []

    async def get_signal(*_: Any) -> None:
        answers.append(await bk.commit_signal_notify("BTC", "hello"))

    with bk.Kit():
        prepare(still(1), get_signal, on_error="raise")
        new_run().wait()
    assert [answer.code for answer in answers] == ["no_pending_signal"]
