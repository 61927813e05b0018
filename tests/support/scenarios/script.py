"""Random markets, signals and commands, and everything that a run tells about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from hypothesis import strategies as st

import backtestkit as bk
from backtestkit.model.fill_policy import PolicyName
from backtestkit.model.interval import SignalInterval

from .market import MINUTE, START, Row, candles
from .run import HISTORY, Told, minute, run

LISTENED = (
    "signal_event", "order_schedule", "partial_profit_available", "partial_loss_available", "breakeven_available",
    "highest_profit", "max_drawdown", "strategy_commit", "pause", "error", "funding", "after_end",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """One random scenario. Prices lie on a grid, so that levels are met exactly and often."""

    seed: int
    minutes: int
    window: int
    policy: PolicyName
    interval: SignalInterval
    silent_share: float
    gap_share: float
    signals: tuple[tuple[str, int | None, int, int, int, float], ...]
    commands: tuple[tuple[str, int, str, float], ...]
    fundings: tuple[tuple[int, float], ...] = ()
    listened: frozenset[str] = frozenset(LISTENED)


COMMANDS = (
    "partial_profit", "partial_loss", "trailing_stop", "trailing_take", "breakeven", "average_buy", "close_pending",
    "create_take_profit", "create_stop_loss", "cancel_scheduled", "activate_scheduled", "create_signal", "pause",
)  # fmt: skip

_signal = st.tuples(
    st.sampled_from(["long", "short"]),
    st.one_of(st.none(), st.integers(-8, 8)),  # price_open in grid steps from the market
    st.integers(3, 12),  # distance of the take profit
    st.integers(3, 12),  # distance of the stop
    st.integers(1, 60),  # lifetime
    st.sampled_from([0.5, 1.0, 3.0, 20.0]),  # leverage
)
_funding = st.tuples(
    st.integers(0, 400),  # when, in half minutes from the first tick
    st.sampled_from([-0.02, -0.0005, 0.0001, 0.003, 0.05]),
)
_command = st.tuples(
    st.sampled_from((*LISTENED[:7], "funding")),
    st.integers(0, 4),  # which event of that kind
    st.sampled_from(COMMANDS),
    st.sampled_from([-2.5, -1.0, -0.4, 0.5, 10.0, 35.0, 60.0, 100.0]),
)


def plans(*, with_commands: bool) -> st.SearchStrategy[Plan]:
    """Random plans."""
    return st.builds(
        Plan,
        seed=st.integers(0, 2**32 - 1),
        minutes=st.integers(10, 220),
        window=st.integers(1, 5),
        policy=st.sampled_from(["conservative", "reference", "next_open"]),
        interval=st.sampled_from(["1m", "3m", "5m"]),
        silent_share=st.sampled_from([0.0, 0.3, 1.0]),
        gap_share=st.sampled_from([0.0, 0.2]),
        signals=st.lists(_signal, min_size=1, max_size=6).map(tuple),
        commands=st.lists(_command, min_size=4, max_size=12).map(tuple) if with_commands else st.just(()),
        fundings=st.one_of(st.just(()), st.lists(_funding, min_size=1, max_size=12).map(tuple)),
        listened=st.frozensets(st.sampled_from(LISTENED)),
    )


def rows_of(plan: Plan, seed: int | None = None) -> list[Row]:
    """A random walk on a grid of 0.25, with flat stretches, gaps and minutes without volume."""
    rng = np.random.default_rng(plan.seed if seed is None else seed)
    rows: list[Row] = []
    price = 100.0
    for _ in range(plan.minutes + 6):
        move, up, down = int(rng.integers(-3, 4)), int(rng.integers(0, 4)), int(rng.integers(0, 4))
        if rng.random() < 0.3:
            move = up = down = 0
        if rng.random() < plan.gap_share:
            price = max(price + 0.25 * int(rng.integers(-20, 21)), 60.0)
        close = max(price + 0.25 * move, 60.0)
        high, low = max(price, close) + 0.25 * up, min(price, close) - 0.25 * down
        volume = 0.0 if rng.random() < plan.silent_share else float(rng.integers(1, 9))
        rows.append((price, high, low, close, volume))
        price = close
    return rows


def tell(
    plan: Plan,
    *,
    stepping: bool = False,
    listen: bool = True,
    rows: list[Row] | None = None,
    start: int = START,
    cost: float | None = None,
    also: Callable[[], object] | None = None,
) -> Told:
    """Run `plan`, writing down everything that listeners and the run itself tell.

    `rows` from `start` on replace those of the plan, `cost` is that of every signal, `also` adds further listeners.
    """
    events: list[str] = []
    asked = cycle(plan.signals)
    rates = [(start + HISTORY * MINUTE + half * MINUTE // 2, rate) for half, rate in plan.fundings]

    def get_signal(symbol: str, when: Any, price: float) -> bk.Signal | None:
        side, offset, take, stop, life, multiplier = next(asked)
        sign = 1 if side == "long" else -1
        base = price if offset is None else price - sign * 0.25 * offset
        events.append(f"asked {minute(round(when.timestamp() * 1000))} {price!r}")
        return bk.Signal(
            position=side,  # type: ignore[arg-type]
            price_open=None if offset is None else base,
            price_take_profit=base + sign * 0.25 * take,
            price_stop_loss=base - sign * 0.25 * stop,
            minute_estimated_time=life,
            multiplier=multiplier,
            cost=cost,
        )

    def prepare() -> None:
        if listen:
            _listen(plan, events)
        if also is not None:
            also()

    told = run(
        candles(rows_of(plan) if rows is None else rows, start),
        get_signal,
        policy=plan.policy,
        interval=plan.interval,
        last=plan.minutes - 2,
        stepping=stepping,
        config={
            "avg_price_candles_count": plan.window,
            "schedule_await_minutes": 20,
            "min_takeprofit_distance_percent": 0.1,
            "min_stoploss_distance_percent": 0.1,
        },
        prepare=prepare,
        exchange={"get_funding_rates": lambda *_: rates} if plan.fundings else None,
    )
    told.events.extend(_without_ids(events + [repr(r) for r in told.closed]))
    told.events.append(repr(told.result.counters))
    return told


def _listen(plan: Plan, events: list[str]) -> None:
    seen: dict[str, int] = {}

    def listener(name: str) -> Any:
        async def on_event(event: Any) -> None:
            count = seen[name] = seen.get(name, -1) + 1
            events.append(f"{name} {minute(event.timestamp or 0)} {event!r}")
            for source, number, command, value in plan.commands:
                if source == name and number == count:
                    events.append(f"{command} -> {await _command_of(event.symbol, command, value)}")

        return on_event

    for name in sorted(plan.listened):
        getattr(bk, f"listen_{name}")(listener(name))


async def _command_of(symbol: str, command: str, value: float) -> str:
    try:
        if command in ("partial_profit", "partial_loss", "trailing_stop", "trailing_take"):
            return repr(await getattr(bk, f"commit_{command}")(symbol, value))
        if command == "average_buy":
            return repr(await bk.commit_average_buy(symbol, abs(value) + 1))
        if command == "pause":
            await bk.set_strategy_paused(symbol, value > 30)
            return repr(await bk.get_strategy_status(symbol))
        if command == "create_signal":
            price = await bk.get_average_price(symbol)
            signal = bk.Signal(position="long", price_take_profit=price + 2, price_stop_loss=price - 2)
            return repr(await bk.commit_create_signal(symbol, signal))
        return repr(await getattr(bk, f"commit_{command}")(symbol))
    except bk.BacktestKitError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await asyncio.sleep(0)


def _without_ids(lines: list[str]) -> list[str]:
    """Generated ids by their order of appearance."""
    import re

    ids: dict[str, str] = {}
    return [re.sub(r"'(01[0-9a-z]{20})'", lambda m: repr(ids.setdefault(m[1], f"#{len(ids)}")), line) for line in lines]
