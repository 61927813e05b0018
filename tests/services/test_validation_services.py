"""Whether names and what they refer to exist."""

from __future__ import annotations

from typing import Any

import pytest

from backtestkit.errors import NotRegisteredError
from backtestkit.services.schema import (
    ActionSchemaService,
    ExchangeSchemaService,
    FrameSchemaService,
    McpSchemaService,
    RiskSchemaService,
    SizingSchemaService,
    StrategySchemaService,
    SweepSchemaService,
    WalkerSchemaService,
)
from backtestkit.services.validation import (
    ActionValidationService,
    ExchangeValidationService,
    FrameValidationService,
    McpValidationService,
    RiskValidationService,
    SizingValidationService,
    StrategyValidationService,
    SweepValidationService,
    WalkerValidationService,
)


class House:
    """All registries and their validation, wired by hand."""

    def __init__(self) -> None:
        self.strategy, self.exchange, self.frame = (
            StrategySchemaService(),
            ExchangeSchemaService(),
            FrameSchemaService(),
        )
        self.risk, self.sizing, self.action = RiskSchemaService(), SizingSchemaService(), ActionSchemaService()
        self.walker, self.sweep, self.mcp = WalkerSchemaService(), SweepSchemaService(), McpSchemaService()
        exchanges, frames = ExchangeValidationService(self.exchange), FrameValidationService(self.frame)
        self.strategies = StrategyValidationService(
            self.strategy,
            risks=RiskValidationService(self.risk),
            sizings=SizingValidationService(self.sizing),
            actions=ActionValidationService(self.action),
        )
        self.walkers = WalkerValidationService(self.walker, exchanges, frames, self.strategies)
        self.sweeps = SweepValidationService(self.sweep, exchanges)
        self.mcps = McpValidationService(self.mcp, self.strategies)


class Handler:
    def signal(self, event: object) -> None: ...


def load(*_: Any) -> list[list[float]]:
    return []


@pytest.fixture
def house() -> House:
    return House()


def test_a_schema_without_references_passes_when_it_exists(house: House) -> None:
    schema = house.strategy.add(strategy_name="s")
    assert house.strategies.validate("s") is schema
    with pytest.raises(NotRegisteredError, match="strategy 't' is not registered"):
        house.strategies.validate("t")


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"risk_name": "r"}, "risk 'r', needed by strategy 's', is not registered"),
        ({"risk_list": ["r"]}, "risk 'r', needed by strategy 's'"),
        ({"sizing_name": "z"}, "sizing 'z', needed by strategy 's'"),
        ({"actions": ["a", "b"]}, "action 'b', needed by strategy 's'"),
    ],
)
def test_every_reference_of_a_strategy_must_exist(house: House, fields: dict[str, Any], missing: str) -> None:
    house.action.add(action_name="a", handler=Handler)
    house.strategy.add(strategy_name="s", **fields)
    with pytest.raises(NotRegisteredError, match=missing):
        house.strategies.validate("s")


def test_references_are_followed_through_kinds(house: House) -> None:
    house.strategy.add(strategy_name="s", risk_name="r")
    house.exchange.add(exchange_name="e", get_candles=load)
    house.frame.add(frame_name="f", start_date="2025-01-01", end_date="2025-01-02")
    house.walker.add(walker_name="w", exchange_name="e", frame_name="f", strategies=["s"])
    with pytest.raises(NotRegisteredError, match="risk 'r', needed by strategy 's'"):
        house.walkers.validate("w")
    house.risk.add(risk_name="r")
    assert house.walkers.validate("w").name == "w"


def test_sweeps_and_mcp_refer_too(house: House) -> None:
    house.sweep.add(sweep_name="x", exchange_name="e")
    house.mcp.add(mcp_name="m", strategy_name="s")
    house.mcp.add(mcp_name="any")
    assert house.mcps.validate("any").strategy_name is None
    with pytest.raises(NotRegisteredError, match="exchange 'e', needed by sweep 'x'"):
        house.sweeps.validate("x")
    with pytest.raises(NotRegisteredError, match="strategy 's', needed by mcp 'm'"):
        house.mcps.validate_all()


def test_an_answer_is_kept_until_a_registry_changes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.risk.add(risk_name="r")
    house.strategy.add(strategy_name="s", risk_name="r")
    house.strategies.validate_all()
    looked: list[str] = []
    get = house.strategy.get

    def watched(name: str, needed_by: str = "") -> Any:
        looked.append(name)
        return get(name, needed_by)

    monkeypatch.setattr(house.strategy, "get", watched)
    house.strategies.validate("s")
    assert looked == []
    house.risk.clear()
    with pytest.raises(NotRegisteredError, match="risk 'r'"):
        house.strategies.validate("s")
    assert looked == ["s"]


def test_replacing_a_schema_gives_the_new_one(house: House) -> None:
    house.strategy.add(strategy_name="s")
    house.strategies.validate("s")
    house.strategy.add(strategy_name="s", note="new", replace=True)
    assert house.strategies.validate("s").note == "new"
