"""The registration functions: they act on the current kit and show their fields."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.api import registry
from backtestkit.api.schema_functions import REQUIRED, UNCHANGED, schema_functions
from backtestkit.model.schema import SCHEMAS, Kind

KINDS: list[Kind] = list(SCHEMAS)


class Handler:
    def signal(self, event: object) -> None: ...


def load(*_: Any) -> list[list[float]]:
    return []


GIVEN: dict[str, dict[str, Any]] = {
    "strategy": {"strategy_name": "x"},
    "exchange": {"exchange_name": "x", "get_candles": load},
    "frame": {"frame_name": "x", "start_date": "2025-06-01", "end_date": "2025-06-02"},
    "risk": {"risk_name": "x", "validations": [load]},
    "sizing": {"sizing_name": "x", "method": "kelly_criterion"},
    "walker": {"walker_name": "x", "exchange_name": "e", "frame_name": "f", "strategies": ["s"]},
    "action": {"action_name": "x", "handler": Handler},
    "sweep": {"sweep_name": "x", "exchange_name": "e"},
    "mcp": {"mcp_name": "x"},
}


@pytest.fixture(autouse=True)
def kit() -> Iterator[bk.Kit]:
    with bk.Kit() as kit:
        yield kit


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added_read_listed_and_overridden(kind: Kind, kit: bk.Kit) -> None:
    add, override, get, list_all = (
        getattr(bk, name) for name in (f"add_{kind}", f"override_{kind}", f"get_{kind}_schema", f"list_{kind}_schema")
    )
    schema = add(**GIVEN[kind])
    assert isinstance(schema, SCHEMAS[kind])
    assert get("x") is schema is kit.registries[kind].get("x")
    assert list_all() == [schema]
    changed = override("x", note="changed")
    assert (changed.note, get("x")) == ("changed", changed)
    with pytest.raises(bk.AlreadyRegisteredError):
        add(**GIVEN[kind])
    assert add(**GIVEN[kind], replace=True).note == ""


def test_override_takes_the_name_and_the_changes_in_any_form() -> None:
    bk.add_frame(frame_name="f", start_date="2025-06-01", end_date="2025-06-02")
    assert bk.override_frame("f", note="1").note == "1"
    assert bk.override_frame(frame_name="f", note="2").note == "2"
    assert bk.override_frame({"frame_name": "f", "note": "3"}).note == "3"
    assert bk.override_frame({"frame_name": "f", "note": "3"}, note="4").note == "4"
    schema = bk.FrameSchema.model_validate({"frame_name": "f", "start_date": "2025-05-01", "end_date": "2025-06-02"})
    changed = bk.override_frame(schema)
    assert (changed.start_date, changed.note) == (schema.start_date, "4")


def test_override_without_a_name_says_what_is_missing() -> None:
    with pytest.raises(bk.SchemaError, match="override needs strategy_name, the name of the strategy to change"):
        registry.override_strategy(note="x")  # type: ignore[call-overload]


def test_the_current_kit_is_meant() -> None:
    with bk.Kit():
        bk.add_strategy(strategy_name="inner")
    assert bk.list_strategy_schema() == []


@pytest.mark.parametrize("kind", KINDS)
def test_help_shows_all_fields_with_their_defaults(kind: Kind) -> None:
    functions = schema_functions(kind)
    add = inspect.signature(functions.add).parameters
    override = inspect.signature(functions.override).parameters
    fields = SCHEMAS[kind].model_fields
    assert list(add) == ["given", *fields, "replace"]
    assert list(override) == ["given", *fields]
    for name, field in fields.items():
        assert add[name].default is (REQUIRED if field.is_required() else field.default)
        assert override[name].default is UNCHANGED
        assert f"- `{name}`: " in str(functions.add.__doc__)


def test_help_shows_what_a_field_accepts() -> None:
    assert "start_date: TimeLike = <required>" in str(inspect.signature(bk.add_frame))
    assert "risk_list: Sequence[str] = ()" in str(inspect.signature(bk.add_strategy))
    assert "risk_name: str | None = <unchanged>" in str(inspect.signature(bk.override_strategy))
    assert "callbacks: FrameCallbacks | Mapping[str, Any] | None = None" in str(inspect.signature(bk.add_frame))


def test_the_functions_are_named_after_their_kind() -> None:
    for kind in KINDS:
        names = [function.__name__ for function in schema_functions(kind)]
        assert names == [f"add_{kind}", f"override_{kind}", f"get_{kind}_schema", f"list_{kind}_schema"]
        assert all(hasattr(registry, name) for name in names)


def test_validate_checks_everything_or_what_is_named() -> None:
    bk.add_strategy(strategy_name="good")
    bk.add_strategy(strategy_name="bad", risk_name="r")
    bk.validate(strategies=["good"])
    bk.validate(frames=[])
    for names in (None, ["bad"]):
        with pytest.raises(bk.NotRegisteredError, match="risk 'r', needed by strategy 'bad'"):
            bk.validate(strategies=names)
    bk.add_risk(risk_name="r")
    bk.validate()
