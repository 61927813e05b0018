"""The runs of a kit: one per key at a time, the newest kept."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.context import RunKey
from backtestkit.services.core.run_book import RunBook, describe


@dataclass
class Run:
    key: RunKey
    running: bool = False


BTC = RunKey("BTC", "s", "x", "f", True)
ETH = RunKey("ETH", "s", "x", "f", True)


def book(*runs: Run) -> RunBook[Run]:
    made: RunBook[Run] = RunBook()
    for run in runs:
        made.add(run)
    return made


def test_the_newest_run_of_a_key_is_kept() -> None:
    first, second, other = Run(BTC), Run(BTC), Run(ETH)
    kept = book(first, other, second)
    assert kept.get(BTC) is second
    assert kept.all() == [second, other]


def test_a_running_run_does_not_make_room() -> None:
    going = Run(BTC, running=True)
    kept = book(going)
    with pytest.raises(UsageError, match=r"backtest BTC / s / x / f is running already"):
        kept.add(Run(BTC))
    assert kept.get(BTC) is going
    assert kept.running() == [going]


def test_an_unknown_key_names_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no run of backtest BTC / s / x / f\. Known: nothing was run yet\."):
        book().get(BTC)
    with pytest.raises(UsageError, match=r"Known: backtest ETH / s / x / f\."):
        book(Run(ETH)).get(BTC)


def test_clearing_forgets_one_run_or_all() -> None:
    kept = book(Run(BTC), Run(ETH))
    kept.clear(BTC)
    assert [run.key for run in kept.all()] == [ETH]
    kept.clear()
    assert kept.all() == []
    with pytest.raises(UsageError, match="there is no run of"):
        kept.clear(BTC)


@pytest.mark.parametrize("key", [BTC, None])
def test_a_running_run_is_not_cleared_and_then_nothing_is(key: RunKey | None) -> None:
    kept = book(Run(BTC, running=True), Run(ETH))
    with pytest.raises(UsageError, match=r"backtest BTC / s / x / f is running\. Stop it or wait"):
        kept.clear(key)
    assert len(kept.all()) == 2


def test_clearing_a_finished_run_does_not_mind_others_that_go_on() -> None:
    kept = book(Run(BTC, running=True), Run(ETH))
    kept.clear(ETH)
    assert [run.key for run in kept.all()] == [BTC]


def test_a_key_in_words_leaves_out_what_is_empty() -> None:
    assert describe(RunKey("BTC", "s", "x", "", False)) == "live BTC / s / x"
