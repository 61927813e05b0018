"""From the names of a run to what it works with, checked before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from backtestkit.config import Config
from backtestkit.errors import NotRegisteredError, UsageError
from backtestkit.kit import Kit
from backtestkit.model.fill_policy import CONSERVATIVE, NEXT_OPEN, REFERENCE
from backtestkit.runtime.context import RunKey
from backtestkit.services.core.run_resolver import resolve_policy

KEY = RunKey("BTC", "s", "x", "f", True)


def registered(kit: Kit) -> None:
    bk.add_exchange(bk.SyntheticExchange("x"))
    bk.add_frame(frame_name="f", interval="1m", start_date="2025-06-01", end_date="2025-06-02")
    bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: None)


def test_a_plan_holds_what_the_names_stand_for() -> None:
    with Kit() as kit:
        registered(kit)
        plan = kit.container.run_resolver().backtest(KEY, kit.config, None)
        assert (plan.key, plan.strategy.strategy_name, plan.frame.frame_name) == (KEY, "s", "f")
        assert plan.exchange.schema.exchange_name == "x"
        assert plan.policy is CONSERVATIVE
        assert plan.config is kit.config


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"strategy_name": "nobody"}, "strategy"),
        ({"exchange_name": "nowhere"}, "exchange"),
        ({"frame_name": "never"}, "frame"),
    ],
)
def test_an_unknown_name_is_told_with_what_there_is(names: dict[str, Any], kind: str) -> None:
    with Kit() as kit:
        registered(kit)
        wanted = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"} | names
        with pytest.raises(
            NotRegisteredError, match=rf"{kind} '{next(iter(names.values()))}' is not registered\. Known: '"
        ):
            bk.Backtest.run("BTC", **wanted)


def test_the_exchange_of_all_runs_is_one() -> None:
    with Kit() as kit:
        registered(kit)
        resolver = kit.container.run_resolver()
        first, second = (resolver.backtest(KEY, kit.config, None).exchange for _ in range(2))
        assert first is second


def test_a_policy_is_a_record_a_name_or_the_configured_one() -> None:
    config = Config.defaults()
    assert resolve_policy(REFERENCE, config) is REFERENCE
    assert resolve_policy("next_open", config) is NEXT_OPEN
    assert resolve_policy(None, config) is CONSERVATIVE
    assert resolve_policy(None, config.merged({"fill_policy": "reference"})) is REFERENCE


def test_an_unknown_policy_is_refused_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match=r"fill policy 'conservativ' is unknown\. Did you mean 'conservative'\?"):
        resolve_policy("conservativ", Config.defaults())
