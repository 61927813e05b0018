"""What may change about a run without changing what it does: the future, the calendar, its neighbours, its listeners."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.model.interval import DAY_MS
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, Told, market, once
from scenarios.script import LISTENED, Plan, plans, rows_of, tell
from scenarios.states import long

TIMES = re.compile(r"(?<==)1[67]\d{11}(?=[,)])")


def facts(told: Told, until: float = float("inf")) -> list[tuple[Any, ...]]:
    """What a run decided before `until`, and when."""
    return [
        (r.action, r.timestamp, r.current_price, r.signal.pnl, r.signal.price_open, r.signal.peak, r.signal.fall)
        for r in told.results
        if r.timestamp < until
    ]


def events_before(told: Told, minute: int) -> list[str]:
    """The lines `name minute details` of events before a minute; answers of commands are part of what follows."""
    kept: list[str] = []
    for line in told.events:
        found = re.match(r"\w+ (-?\d+) ", line)
        if found is None:
            continue
        if int(found[1]) >= minute:
            break
        kept.append(line)
    return kept


@settings(max_examples=100, deadline=None)
@given(plans(with_commands=True), st.floats(0, 1), st.integers(0, 2**32 - 1), st.booleans())
def test_another_future_changes_nothing_that_was_before_it(plan: Plan, share: float, seed: int, stepping: bool) -> None:
    """What opens at the instant at which the futures part is known then, but what fills at that open is not before."""
    rows, others = rows_of(plan), rows_of(plan, seed)
    turn = HISTORY + round(share * (plan.minutes - HISTORY))
    changed = rows[:turn] + others[turn:]
    here, there = tell(plan, stepping=stepping), tell(plan, stepping=stepping, rows=changed)
    until = START + turn * MINUTE + (MINUTE if plan.policy == "conservative" else 0)
    assert facts(here, until) == facts(there, until)
    minute = turn - HISTORY + (1 if plan.policy == "conservative" else 0)
    assert events_before(here, minute) == events_before(there, minute)


@settings(max_examples=60, deadline=None)
@given(plans(with_commands=True), st.floats(0, 1))
def test_a_shorter_frame_is_the_beginning_of_a_longer_one(plan: Plan, share: float) -> None:
    if plan.minutes < 12:
        return
    shorter = Plan(**{**vars_of(plan), "minutes": 10 + round(share * (plan.minutes - 10))})
    whole, part = tell(plan), tell(shorter, rows=rows_of(plan)[: shorter.minutes + 6])
    until = START + (HISTORY + shorter.minutes - 2) * MINUTE
    assert facts(part, until) == facts(whole, until)


def vars_of(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in Plan.__dataclass_fields__}


@settings(max_examples=60, deadline=None)
@given(plans(with_commands=True), st.integers(1, 400), st.booleans())
def test_a_shift_by_whole_days_changes_times_only(plan: Plan, days: int, stepping: bool) -> None:
    shift = days * DAY_MS
    here, there = tell(plan, stepping=stepping), tell(plan, stepping=stepping, start=START + shift)
    assert len(here.events) == len(there.events)

    def back(found: re.Match[str]) -> str:
        return str(int(found[0]) - shift)

    minutes = re.compile(r"^(\w+) (-?\d+) ")
    for mine, other in zip(here.events, there.events, strict=True):
        assert minutes.sub(r"\1 ", mine) == TIMES.sub(back, minutes.sub(r"\1 ", other))


@settings(max_examples=60, deadline=None)
@given(plans(with_commands=True), st.sampled_from([0.5, 2.0, 1024.0]), st.booleans())
def test_the_cost_of_a_signal_scales_money_and_nothing_else(plan: Plan, factor: float, stepping: bool) -> None:
    """Powers of two, so that not even rounding differs; average buys have a cost of their own and are left out."""
    plan = Plan(**{**vars_of(plan), "commands": tuple(c for c in plan.commands if c[2] != "average_buy")})
    small, large = tell(plan, stepping=stepping, cost=64.0), tell(plan, stepping=stepping, cost=64.0 * factor)
    assert [(r.action, r.timestamp, r.current_price) for r in small.results] == [
        (r.action, r.timestamp, r.current_price) for r in large.results
    ]
    for one, other in zip(small.closed, large.closed, strict=True):
        assert other.pnl.pnl_percentage == one.pnl.pnl_percentage
        assert other.pnl.pnl_cost == one.pnl.pnl_cost * factor
        assert other.signal.peak_profit.pnl_cost == one.signal.peak_profit.pnl_cost * factor
        assert other.signal.partial_executed == one.signal.partial_executed


@settings(max_examples=40, deadline=None)
@given(plans(with_commands=True), st.booleans())
def test_the_same_run_twice_has_the_same_fingerprint(plan: Plan, stepping: bool) -> None:
    first, second = tell(plan, stepping=stepping), tell(plan, stepping=stepping)
    assert first.result.fingerprint == second.result.fingerprint
    assert first.events == second.events


@settings(max_examples=60, deadline=None)
@given(
    plans(with_commands=True),
    st.sampled_from([*LISTENED[:7], "active_ping", "schedule_ping", "idle_ping"]),
    st.integers(0, 5),
)
def test_a_listener_that_comes_or_goes_in_the_middle_changes_nothing_else(plan: Plan, channel: str, stays: int) -> None:
    heard: list[Any] = []

    def also() -> None:
        def listener(event: Any) -> None:
            heard.append(event)
            if len(heard) > stays:
                stop()

        stop = getattr(bk, f"listen_{channel}")(listener)

    plain, watched = tell(plan), tell(plan, also=also)
    assert watched.events == plain.events
    assert watched.result.fingerprint == plain.result.fingerprint
    assert len(heard) <= stays + 1


@settings(max_examples=25, deadline=None)
@given(plans(with_commands=False), st.integers(0, 2**32 - 1), st.booleans())
def test_an_unrelated_symbol_changes_nothing(plan: Plan, seed: int, stepping: bool) -> None:
    """Both runs go on at once, in one kit, over one exchange."""
    own, other = candles(rows_of(plan)), candles(rows_of(plan, seed))
    begin = START + HISTORY * MINUTE
    fingerprints: dict[int, str] = {}
    for count in (1, 2):
        with bk.Kit({"avg_price_candles_count": plan.window, "min_takeprofit_distance_percent": 0.4}):
            sources = {"BTC": own, "ETH": other}
            bk.add_exchange(
                exchange_name="x",
                read_candles=lambda symbol, interval, since, until: sources[symbol][  # noqa: B023
                    slice(*(int(i) for i in sources[symbol].timestamp.searchsorted([since, until])))  # noqa: B023
                ],
            )
            bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + (plan.minutes - 2) * MINUTE)

            def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
                side, _, take, stop, life, multiplier = plan.signals[int(when.timestamp() // 60) % len(plan.signals)]
                sign = 1 if side == "long" else -1
                return bk.Signal(
                    position=side,  # type: ignore[arg-type]
                    price_take_profit=price + sign * 0.25 * take,
                    price_stop_loss=price - sign * 0.25 * stop,
                    minute_estimated_time=life,
                    multiplier=multiplier,
                )

            bk.add_strategy(strategy_name="s", interval=plan.interval, get_signal=get_signal)

            async def main() -> list[bk.BacktestResult]:
                runs = [
                    bk.Backtest.run(
                        symbol,
                        strategy_name="s",
                        exchange_name="x",
                        frame_name="f",
                        policy=plan.policy,
                        stepping=stepping,
                    )
                    for symbol in ("BTC", "ETH")[:count]  # noqa: B023
                ]
                return await asyncio.gather(*(run.result() for run in runs))

            fingerprints[count] = asyncio.run(main())[0].fingerprint
    assert fingerprints[1] == fingerprints[2]


@pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
def test_reports_and_queries_change_nothing(policy: Any) -> None:
    """Looking at a run at each of its results is not doing anything to it."""
    context: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}
    begin = START + HISTORY * MINUTE
    fingerprints = []
    for look in (False, True):
        with bk.Kit():
            market(candles(still(60, lambda m: 104 if m >= 2 else 100)))
            bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
            bk.add_strategy(strategy_name="s", interval="1m", get_signal=once(long()))
            run = bk.Backtest.run("BTC", **context, policy=policy)
            for _ in run:
                if look:
                    bk.Backtest.get_report("BTC", **context)
                    bk.Backtest.get_data("BTC", **context)
                    asyncio.run(bk.Backtest.get_pending_signal("BTC", **context))
                    run.snapshot()
            fingerprints.append(run.fingerprint)
    assert fingerprints[0] == fingerprints[1]
