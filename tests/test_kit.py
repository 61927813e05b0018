"""Kits: isolated from each other, current by context, and wired completely."""

from __future__ import annotations

import asyncio
import inspect
import os
from dataclasses import dataclass
from typing import Any

import pytest
from dependency_injector import providers

from backtestkit.config import Config
from backtestkit.container import Container, Later
from backtestkit.errors import ConfigError, UsageError
from backtestkit.kit import Kit, current_kit
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import RunContext, RunKey, current_run

DEFAULT = current_kit()
KEY = RunKey("BTCUSDT", "s", "e", "f", True)


@dataclass
class Run:
    key: RunKey = KEY
    running: bool = True


def services() -> list[tuple[str, Any]]:
    return [(name, provider) for name, provider in Container.providers.items() if name != "settings"]


@pytest.mark.parametrize(("name", "provider"), services(), ids=[name for name, _ in services()])
def test_every_provider_resolves_and_gives_its_constructor_what_it_takes(name: str, provider: Any) -> None:
    service = getattr(Kit().container, name)()
    made_by = provider.provides
    if isinstance(made_by, Later):
        assert type(service) is made_by.load()
        inspect.signature(made_by.load()).bind(*provider.args, **provider.kwargs)
    assert isinstance(provider, providers.Singleton)


def test_a_service_is_made_once_per_kit() -> None:
    kit, other = Kit(), Kit()
    assert kit.container.strategy_schema() is kit.container.strategy_schema()
    assert kit.container.strategy_schema() is not other.container.strategy_schema()


def test_registries_and_validations_are_there_for_all_nine_kinds() -> None:
    kit = Kit()
    assert len(kit.registries) == len(kit.validations) == 9
    for kind, registry in kit.registries.items():
        assert registry.kind == kind
        assert kit.validations[kind]._schemas is registry


def test_two_kits_share_nothing() -> None:
    one, two = Kit(), Kit()
    one.registries["strategy"].add(strategy_name="s")
    one.set_config({"percent_fee": 0.05})
    one.runs.add(Run())
    assert two.registries["strategy"].names() == ()
    assert two.config == Config.from_environment(os.environ)
    assert two.runs.all() == []
    assert one.channels is not two.channels


def test_a_kit_starts_with_defaults_environment_and_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTESTKIT_PERCENT_FEE", "0.05")
    monkeypatch.setenv("BACKTESTKIT_PERCENT_SLIPPAGE", "0.05")
    config = Kit({"percent_slippage": 0.01}).config
    assert (config.percent_fee, config.percent_slippage, config.max_signals) == (0.05, 0.01, 50)


def test_a_wrong_config_is_refused_when_the_kit_is_made() -> None:
    with pytest.raises(ConfigError, match="percent_fee"):
        Kit({"percent_fee": -1})


def test_set_config_replaces_and_a_refused_change_leaves_it() -> None:
    kit = Kit()
    before = kit.config
    with pytest.raises(ConfigError):
        kit.set_config({"percent_fee": -1})
    assert kit.config is before
    assert kit.set_config({"percent_fee": -1}, unsafe=True) is kit.config
    assert kit.config.percent_fee == -1.0


def test_services_see_the_config_in_force() -> None:
    kit = Kit()
    settings = kit.container.settings()
    kit.set_config({"percent_fee": 0.05})
    assert settings() is kit.config


def test_the_default_kit_is_current_where_none_was_entered() -> None:
    assert current_kit() is DEFAULT


def test_entering_makes_a_kit_current_and_leaving_restores() -> None:
    with Kit() as outer:
        assert current_kit() is outer
        with Kit() as inner, inner:
            assert current_kit() is inner
        assert current_kit() is outer
    assert current_kit() is DEFAULT


def test_entering_works_in_tasks_that_interleave() -> None:
    kit = Kit()

    async def visit(other: Kit, turns: int) -> None:
        async with kit:
            for _ in range(turns):
                async with other:
                    await asyncio.sleep(0)
                    assert current_kit() is other
                assert current_kit() is kit
        assert current_kit() is DEFAULT

    async def main() -> None:
        await asyncio.gather(visit(Kit(), 3), visit(Kit(), 1), visit(kit, 2))

    asyncio.run(main())


def test_leaving_restores_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), Kit():
        _ = 1 / 0
    assert current_kit() is DEFAULT


def test_inside_a_run_the_kit_of_the_run_is_current_unless_another_is_entered_there() -> None:
    entered, owner = Kit(), Kit()
    with entered:
        token = current_run.set(RunContext(KEY, SimulatedClock(), owner))
        try:
            assert current_kit() is owner
            with Kit() as inside:
                assert current_kit() is inside
            assert current_kit() is owner
        finally:
            current_run.reset(token)
        assert current_kit() is entered


def test_reset_empties_a_kit() -> None:
    kit = Kit({"percent_fee": 0.05})
    kit.registries["strategy"].add(strategy_name="s")
    kit.set_config({"percent_fee": 0.01})
    channels = kit.channels
    kit.runs.add(Run(running=False))
    kit.reset()
    assert kit.registries["strategy"].names() == ()
    assert (kit.config.percent_fee, kit.runs.all()) == (0.05, [])
    assert kit.channels is not channels


def test_reset_forgets_a_config_that_was_set_on_a_plain_kit() -> None:
    kit = Kit()
    kit.set_config({"percent_fee": 0.01})
    kit.reset()
    assert kit.config == Config.from_environment(os.environ)


def test_reset_forgets_walks_and_sweeps_too() -> None:
    kit = Kit()
    for book in (kit.walks, kit.sweeps):
        book.add(Run())
        with pytest.raises(UsageError, match="is running"):
            kit.reset()
        book._runs.clear()
        finished = Run()
        finished.running = False
        book.add(finished)
    kit.reset()
    assert kit.walks.all() == kit.sweeps.all() == []


def test_reset_is_refused_while_something_runs_and_loses_nothing() -> None:
    kit = Kit()
    kit.registries["strategy"].add(strategy_name="s")
    kit.runs.add(Run())
    with pytest.raises(UsageError, match="backtest BTCUSDT / s / e / f is running"):
        kit.reset()
    assert kit.registries["strategy"].names() == ("s",)


def test_a_kit_shows_its_name() -> None:
    assert repr(Kit(name="mine")) == "<Kit mine>"
    assert repr(DEFAULT) == "<Kit default>"
