"""Registers a market, a strategy with parameters, and walkers over it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import backtestkit as bk


async def get_signal(symbol: str, when: datetime, price: float) -> bk.Signal | None:
    params = bk.get_params()
    if params.get("broken"):
        raise RuntimeError("this one never works")
    closes = (await bk.get_candles(symbol, "15m", 24)).close
    if closes[-params["fast"] :].mean() <= closes.mean():
        return None
    bracket = bk.Position.bracket("long", price, percent_take_profit=1, percent_stop_loss=params["stop"])
    return bk.Signal(**bracket, minute_estimated_time=120)


def register() -> None:
    """Everything a walk needs, in the current kit."""
    bk.add_exchange(bk.SyntheticExchange("market", seed=3))
    bk.add_frame(frame_name="week", start_date="2025-06-02", end_date="2025-06-09")
    bk.add_strategy(strategy_name="s", interval="15m", get_signal=get_signal, params={"fast": 2, "stop": 1.0})
    bk.add_strategy(
        strategy_name="broken", interval="15m", get_signal=get_signal, params={"broken": True}, on_error="raise"
    )
    common: dict[str, Any] = {"exchange_name": "market", "frame_name": "week", "metric": "total_pnl"}
    bk.add_walker(walker_name="space", strategies=["s"], space={"fast": [2, 4, 8], "stop": [0.6, 1.2]}, **common)
    bk.add_walker(
        walker_name="mixed",
        strategies=["s"],
        space={"fast": bk.IntRange(2, 12), "stop": bk.FloatRange(0.6, 2.0, log=True), "label": ["x", "y"]},
        method="optuna",
        samples=12,
        **common,
    )
    bk.add_walker(walker_name="two", strategies=["broken", "s"], **common)


def die(how: dict[str, Any]) -> None:
    """End the process if that is the way: always, or unless it was done before."""
    if how and (how["always"] or not Path(how["dies"]).exists()):
        Path(how["dies"]).touch()
        os._exit(1)


async def deadly(symbol: str, when: datetime, price: float) -> bk.Signal | None:
    """The same, but some ways end the process: once, or always."""
    die(bk.get_params()["how"])
    return await get_signal(symbol, when, price)


def register_deadly() -> None:
    """Everything, with the deadly strategy."""
    register()
    bk.override_strategy("s", get_signal=deadly)
