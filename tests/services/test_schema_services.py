"""The registry of one kind: what goes in, what is refused, what comes out."""

from __future__ import annotations

import pytest

from backtestkit.errors import AlreadyRegisteredError, NotRegisteredError, SchemaError
from backtestkit.model.schema import SCHEMAS, FrameSchema, SizingSchema, StrategySchema
from backtestkit.services import schema as room
from backtestkit.services.schema import (
    FrameSchemaService,
    SchemaService,
    SizingSchemaService,
    StrategySchemaService,
)


def test_there_is_one_service_per_kind() -> None:
    services = [value for name, value in vars(room).items() if name.endswith("SchemaService") and name in room.__all__]
    kinds = [service().kind for service in services if service is not SchemaService]
    assert sorted(kinds) == sorted(SCHEMAS)


def test_keywords_a_mapping_a_schema_and_a_source_register_the_same() -> None:
    class Ready:
        def schema(self) -> StrategySchema:
            return StrategySchema(strategy_name="s", note="n")

    by_keywords = StrategySchemaService().add(strategy_name="s", note="n")
    assert StrategySchemaService().add({"strategy_name": "s", "note": "n"}) == by_keywords
    assert StrategySchemaService().add(StrategySchema(strategy_name="s", note="n")) == by_keywords
    assert StrategySchemaService().add(Ready()) == by_keywords


def test_keywords_win_over_what_is_given() -> None:
    services = StrategySchemaService()
    assert services.add({"strategy_name": "a", "note": "n"}, note="m").note == "m"
    assert services.add(StrategySchema(strategy_name="b", interval="5m"), note="m").as_dict() == (
        StrategySchema(strategy_name="b", interval="5m", note="m").as_dict()
    )


@pytest.mark.parametrize("wrong", [3, "name", ["strategy_name"]])
def test_other_things_are_refused(wrong: object) -> None:
    with pytest.raises(SchemaError, match="strategy expected keywords, a mapping or a StrategySchema"):
        StrategySchemaService().add(wrong)  # type: ignore[arg-type]


def test_a_schema_of_another_kind_is_sent_to_its_own_registry() -> None:
    frame = FrameSchema.model_validate({"frame_name": "f", "start_date": "2025-01-01", "end_date": "2025-01-02"})
    with pytest.raises(SchemaError, match=r"not FrameSchema; register it with bk\.add_frame"):
        StrategySchemaService().add(frame)  # type: ignore[arg-type]


def test_a_name_is_refused_twice_with_a_hint_and_replaced_on_request() -> None:
    services = StrategySchemaService()
    first = services.add(strategy_name="s")
    with pytest.raises(AlreadyRegisteredError, match=r"bk\.override_strategy\('s', \.\.\.\).*replace=True"):
        services.add(strategy_name="s", note="second")
    assert services.get("s") is first
    services.add(strategy_name="s", note="second", replace=True)
    assert services.get("s").note == "second"


def test_bad_input_changes_nothing() -> None:
    services = StrategySchemaService()
    services.add(strategy_name="s")
    version = services.version
    with pytest.raises(SchemaError):
        services.add(strategy_name="s", interval="7m", replace=True)
    with pytest.raises(SchemaError):
        services.override("s", interval="7m")
    assert (services.version, services.get("s").interval) == (version, "1m")


def test_override_merges_and_checks_the_whole() -> None:
    services = FrameSchemaService()
    services.add(frame_name="f", start_date="2025-01-01", end_date="2025-01-02", note="n")
    assert services.override("f", end_date="2025-01-03").note == "n"
    with pytest.raises(SchemaError, match="must not be before start_date"):
        services.override("f", end_date="2024-01-01")


def test_override_of_a_default_of_another_method_is_not_mistaken_for_a_choice() -> None:
    services = SizingSchemaService()
    services.add(SizingSchema(sizing_name="z", method="fixed_percentage", risk_percentage=1))
    assert services.override("z", risk_percentage=2).risk_percentage == 2.0


def test_override_does_not_rename_and_needs_the_name_to_exist() -> None:
    services = StrategySchemaService()
    services.add(strategy_name="s")
    with pytest.raises(SchemaError, match="cannot be renamed to 't'"):
        services.override("s", strategy_name="t")
    with pytest.raises(NotRegisteredError, match="strategy 't' is not registered"):
        services.override("t", note="x")


def test_an_unknown_name_gets_the_near_ones() -> None:
    services = StrategySchemaService()
    with pytest.raises(NotRegisteredError, match=r"Nothing is registered yet; add it with bk\.add_strategy"):
        services.get("s")
    services.add(strategy_name="above-mean")
    with pytest.raises(NotRegisteredError, match="Did you mean 'above-mean'"):
        services.get("above_mean")


def test_list_keeps_the_order_of_registration_and_is_a_copy() -> None:
    services = StrategySchemaService()
    for name in ("b", "a"):
        services.add(strategy_name=name)
    services.list().clear()
    assert services.names() == ("b", "a") == tuple(schema.name for schema in services.list())


def test_version_grows_with_every_change_only() -> None:
    services = StrategySchemaService()
    seen = [services.version]
    services.add(strategy_name="s")
    seen.append(services.version)
    services.override("s", note="n")
    seen.append(services.version)
    services.clear()
    seen.append(services.version)
    assert seen == sorted(set(seen))
    services.list()
    assert services.version == seen[-1] and services.names() == ()
