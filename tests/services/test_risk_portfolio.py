"""Runs that share a profile live on one simulated time: what comes out depends on nothing but the data."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtestkit as bk
from scenarios.market import Row, flat, still
from scenarios.portfolio import backtest, long_signal, portfolio
from scenarios.run import minute

SYMBOLS = ("A", "B", "C", "D")
Story = list[tuple[str, int, str]]


def walk(seed: int, minutes: int) -> list[Row]:
    """A random walk that meets levels one percent away every now and then."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, minutes + 6)))
    rows: list[Row] = []
    last = 100.0
    for close in closes.tolist():
        rows.append((last, max(last, close) * 1.0005, min(last, close) * 0.9995, close, 1.0))
        last = close
    return rows


def story_of(
    seed: int,
    *,
    order: Sequence[int] = range(len(SYMBOLS)),
    nap: Callable[[], int] = lambda: 0,
    limit: int = 1,
    stepping: bool = False,
    take: str = "gather",
) -> tuple[Story, list[str]]:
    """What four symbols that share a limit of open positions tell: their events as heard, and their fingerprints."""
    story: Story = []

    async def pause() -> None:
        for _ in range(nap()):
            await asyncio.sleep(0)

    async def get_signal(symbol: str, when: Any, price: float) -> bk.Signal | None:
        await pause()
        if (when.minute + ord(symbol)) % 3 == 0:
            return None
        sign = 1 if (when.minute // 10 + ord(symbol)) % 2 else -1
        waits = when.minute % 4 == 0
        entry = price * (1 - sign * 0.001) if waits else None
        base = price if entry is None else entry
        return bk.Signal(
            position="long" if sign > 0 else "short",
            price_open=entry,
            price_take_profit=base * (1 + sign * 0.006),
            price_stop_loss=base * (1 - sign * 0.006),
            minute_estimated_time=20,
        )

    async def within_limit(payload: bk.RiskPayload) -> object:
        await pause()
        return bk.rules.max_positions(limit)(payload)

    async def hear(event: bk.SignalEvent) -> None:
        story.append((event.symbol, minute(event.timestamp), event.action))
        await pause()

    with portfolio({symbol: walk(seed + i, 240) for i, symbol in enumerate(SYMBOLS)}, 236, schedule_await_minutes=10):
        bk.add_risk(risk_name="r", validations=[within_limit, bk.rules.cooldown_after_loss(3, per="side")])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=get_signal)
        bk.listen_signal_event(hear)
        bk.listen_risk(lambda event: story.append((event.symbol, minute(event.timestamp), "rejected")))
        runs = [backtest(symbol, stepping=stepping) for symbol in SYMBOLS]

        async def consume(run: bk.BacktestRun) -> None:
            if take == "background":
                await run.result()
                return
            async for _ in run:
                await pause()

        async def main() -> None:
            await asyncio.gather(*(consume(runs[i]) for i in order))

        asyncio.run(main())
        return story, [run.fingerprint for run in runs]


def places(story: Story) -> int:
    """The most positions that were open at once."""
    most = count = 0
    for _, _, what in story:
        count += {"opened": 1, "closed": -1}.get(what, 0)
        most = max(most, count)
    return most


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**20), st.permutations(range(len(SYMBOLS))), st.integers(1, 3), st.integers(0, 2**16))
def test_neither_the_order_of_tasks_nor_what_they_wait_for_changes_anything(
    seed: int, order: list[int], limit: int, naps: int
) -> None:
    chance = random.Random(naps)
    plain = story_of(seed, limit=limit)
    assert story_of(seed, limit=limit, order=order, nap=lambda: chance.randrange(4)) == plain
    assert places(plain[0]) <= limit


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20), st.integers(1, 3))
def test_both_gears_tell_the_same_story(seed: int, limit: int) -> None:
    assert story_of(seed, limit=limit) == story_of(seed, limit=limit, stepping=True)


def test_the_stories_are_worth_comparing() -> None:
    story, fingerprints = story_of(1, limit=2)
    kinds = {what for _, _, what in story}
    assert kinds == {"opened", "closed", "rejected"}
    assert places(story) == 2
    assert len(set(fingerprints)) == len(SYMBOLS)
    assert len({symbol for symbol, _, what in story if what == "opened"}) == len(SYMBOLS)


def test_listeners_hear_all_runs_in_the_order_of_time() -> None:
    story, _ = story_of(3, limit=3, take="background")
    times = [time for _, time, _ in story]
    assert times == sorted(times)


def pinned(limit: int, order: Sequence[int], life: float = 5) -> Story:
    """Three symbols at a standstill that all want to be long all the time."""
    story: Story = []
    with portfolio({symbol: flat(100.0, 40) for symbol in "ABC"}, 24):
        bk.add_risk(risk_name="r", validations=[bk.rules.max_positions(limit)])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(life))
        bk.listen_signal_event(lambda e: story.append((e.symbol, minute(e.timestamp), e.action)))
        runs = [backtest(symbol) for symbol in "ABC"]

        async def main() -> None:
            await asyncio.gather(*(runs[i].result() for i in order))

        asyncio.run(main())
    return story


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_limit_of_one_passes_the_place_from_run_to_run(order: tuple[int, ...]) -> None:
    assert pinned(1, order) == [
        ("A", 0, "opened"), ("A", 5, "closed"),
        ("B", 5, "opened"), ("B", 10, "closed"),  # at 10, A was asked before B closed
        ("C", 10, "opened"), ("C", 15, "closed"),
        ("A", 16, "opened"), ("A", 21, "closed"),
        ("B", 21, "opened"), ("B", 24, "closed"),
    ]  # fmt: skip


def test_at_equal_times_the_run_that_was_made_first_goes_first() -> None:
    assert pinned(2, (2, 0, 1))[:6] == [
        ("A", 0, "opened"), ("B", 0, "opened"), ("A", 5, "closed"), ("B", 5, "closed"), ("C", 5, "opened"),
        ("A", 6, "opened"),
    ]  # fmt: skip


def test_runs_in_the_background_keep_step_too() -> None:
    story: Story = []
    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 12):
        bk.add_risk(risk_name="r", validations=[bk.rules.max_positions(1)])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(5))
        bk.listen_signal_event(lambda e: story.append((e.symbol, minute(e.timestamp), e.action)))

        async def main() -> None:
            runs = [
                bk.Backtest.background(symbol, strategy_name="s", exchange_name="x", frame_name="f") for symbol in "AB"
            ]
            for run in runs:
                await run

        asyncio.run(main())
    assert story[:4] == [("A", 0, "opened"), ("A", 5, "closed"), ("B", 5, "opened"), ("B", 10, "closed")]


def test_a_run_taken_by_a_for_loop_goes_on_beside_a_paused_one() -> None:
    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 12):
        bk.add_risk(risk_name="r", validations=[bk.rules.max_positions(1)])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(5))
        paused, other = backtest("A"), backtest("B")
        for _ in paused:
            break
        taken = [(r.action, minute(r.timestamp)) for r in other]
        assert paused.status == "running"
        rest = [(r.action, minute(r.timestamp)) for r in paused]
    assert taken == [("opened", 5), ("closed", 10)]
    assert rest == [("closed", 5), ("opened", 11), ("closed", 12)]


def test_results_of_a_run_that_was_carried_to_its_end_are_kept() -> None:
    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 24):
        bk.add_risk(risk_name="r")
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(3))
        paused, other = backtest("A"), backtest("B")
        bk.listen_signal_closed(lambda r: paused.stop() if r.symbol == "A" and minute(r.timestamp) == 7 else None)
        for _ in paused:
            break
        other.wait()
        assert paused.status == "ready"
        assert [(r.action, minute(r.timestamp)) for r in paused] == [("closed", 3), ("opened", 4), ("closed", 7)]
        assert list(paused) == []
        assert len(paused.wait().closed) == 2


def test_results_of_two_runs_may_be_taken_in_turns() -> None:
    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 12):
        bk.add_risk(risk_name="r", validations=[bk.rules.max_positions(1)])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(5))
        pairs = list(zip(backtest("A"), backtest("B"), strict=False))
    assert [(a.action, b.action, minute(a.timestamp), minute(b.timestamp)) for a, b in pairs] == [
        ("opened", "opened", 0, 5), ("closed", "closed", 5, 10)
    ]  # fmt: skip


def test_a_run_that_starts_later_sees_what_was_open_at_its_time() -> None:
    counts: dict[str, list[tuple[int, int]]] = {"A": [], "B": []}

    def note(payload: bk.RiskPayload) -> None:
        counts[payload.symbol].append((minute(payload.timestamp), payload.active_position_count))

    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 24):
        bk.add_risk(risk_name="r", validations=[note])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(5))
        early, late = backtest("A"), backtest("B")
        for result in early:
            if result.action == "closed":
                break
        late.wait()
        early.wait()
    assert counts["A"][0] == (0, 0)
    assert counts["B"][0] == (0, 1)  # what was open at minute 0, although it has closed since


def test_a_walk_compares_strategies_apart_from_the_runs_beside_it() -> None:
    counts: list[int] = []
    with portfolio({symbol: flat(100.0, 40) for symbol in "AB"}, 24):
        bk.add_risk(risk_name="r", validations=[lambda p: counts.append(p.active_position_count)])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(5))
        bk.add_walker(walker_name="w", exchange_name="x", frame_name="f", strategies=["s"])

        async def main() -> None:
            await asyncio.gather(backtest("A").result(), bk.Walker.run("A", walker_name="w").result())

        asyncio.run(main())
    assert counts == [0] * 8


def crossed(stepping: bool, act: Callable[[str], Any], at: int, rows: dict[str, list[Row]] | None = None) -> list[str]:
    """Run A commands B at minute `at`; what B tells, and what A was answered."""
    told: list[str] = []
    markets = rows or {"A": still(40, lambda m: 100 + m / 10), "B": still(40, lambda m: 100 + m / 10)}
    with portfolio(markets, 24):
        bk.add_risk(risk_name="r")
        bk.add_strategy(strategy_name="s", interval="30m", risk_name="r", get_signal=lambda *_: long_signal(20))
        bk.add_strategy(strategy_name="commands", interval="1m", risk_name="r")

        async def hear(event: bk.IdlePingEvent) -> None:
            if event.symbol == "A" and minute(event.timestamp) == at:
                answer = act("B")
                answer = await answer if hasattr(answer, "__await__") else answer
                told.append(re.sub("'01[0-9a-z]{20}'", "an id", repr(answer)))

        bk.listen_idle_ping(hear)
        bk.listen_signal_event(lambda e: told.append(f"{e.action} {minute(e.timestamp)} {e.current_price:.4f}"))
        runs = [backtest("A", "commands"), backtest("B", stepping=stepping)]

        async def main() -> None:
            await asyncio.gather(*(run.result() for run in runs))

        asyncio.run(main())
        told.append(repr(runs[1].snapshot().counters))
    return told


CONTEXT: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}


@pytest.mark.parametrize(
    "act",
    [
        lambda symbol: bk.Backtest.commit_close_pending(symbol, **CONTEXT),
        lambda symbol: bk.Backtest.commit_partial_profit(symbol, 50, **CONTEXT),
        lambda symbol: bk.Backtest.commit_trailing_stop_cost(symbol, 100.2, **CONTEXT),
        lambda symbol: bk.Backtest.get_position_pnl_percent(symbol, **CONTEXT),
        lambda symbol: bk.Backtest.get_position_highest_profit_price(symbol, **CONTEXT),
        lambda symbol: bk.Backtest.get_position_active_minutes(symbol, **CONTEXT),
        lambda symbol: bk.Backtest.stop(symbol, **CONTEXT),
        lambda symbol: bk.Backtest.commit_create_signal(symbol, long_signal(), **CONTEXT),
        lambda symbol: bk.Backtest.get_strategy_status(symbol, **CONTEXT),
    ],
)
@pytest.mark.parametrize("at", [0, 7, 22])
def test_a_run_that_another_one_comes_to_is_where_that_is(act: Callable[[str], Any], at: int) -> None:
    def attempt(symbol: str) -> Any:
        async def tried() -> Any:
            try:
                answer = act(symbol)
                return await answer if hasattr(answer, "__await__") else answer
            except bk.BacktestKitError as error:
                return str(error)

        return tried()

    assert crossed(False, attempt, at) == crossed(True, attempt, at)


def test_a_close_commanded_by_another_run_happens_now_and_not_in_the_past() -> None:
    told = crossed(False, lambda symbol: bk.Backtest.commit_close_pending(symbol, **CONTEXT), 7)
    assert told[0] == "opened 0 99.7000"
    assert told[2] == "closed 7 100.4000"


def test_nobody_sees_the_future_of_another_run() -> None:
    told = crossed(False, lambda symbol: bk.Backtest.get_position_highest_profit_price(symbol, **CONTEXT), 7)
    assert 100.0 < float(told[1]) <= 100.7
