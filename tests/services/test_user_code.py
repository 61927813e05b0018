"""The hash of a strategy's code: what changes it and what does not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.services.core.user_code import user_code


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(text: str, name: str = "strategy_under_test") -> ModuleType:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module

    return load


def unfiled(text: str) -> Any:
    """`get_signal` of code that was typed at a prompt."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<prompt>", "exec"), namespace)
    return namespace["get_signal"]


def schema(get_signal: Any, **changes: Any) -> bk.StrategySchema:
    return bk.StrategySchema(strategy_name="s", interval="1m", get_signal=get_signal, **changes)


def test_the_file_of_a_function_counts(load: Callable[..., ModuleType]) -> None:
    text = "def get_signal(symbol, when, price): return None\n"
    first = user_code(schema(load(text).get_signal))
    assert user_code(schema(load(text).get_signal)) == first
    assert user_code(schema(load(text + "LEVEL = 3\n").get_signal)).hash != first.hash
    assert [Path(file).name for file in first.files] == ["strategy_under_test.py"]


def test_files_of_the_user_that_it_imports_count(load: Callable[..., ModuleType]) -> None:
    importing = "import levels_under_test\ndef get_signal(symbol, when, price): return levels_under_test.top\n"
    naming = "from levels_under_test import top\ndef get_signal(symbol, when, price): return top()\n"
    for text in (importing, naming):
        load("def top(): return 1\n", "levels_under_test")
        first = user_code(schema(load(text).get_signal))
        assert [Path(file).name for file in first.files] == ["strategy_under_test.py", "levels_under_test.py"]
        load("def top(): return 2\n", "levels_under_test")
        assert user_code(schema(load(text).get_signal)).hash != first.hash


def test_the_framework_and_installed_packages_count_by_their_versions(load: Callable[..., ModuleType]) -> None:
    module = load("import json\nimport numpy as np\nimport backtestkit as bk\ndef get_signal(*_): return np.nan\n")
    assert len(user_code(schema(module.get_signal)).files) == 1


def test_a_file_that_is_gone_is_no_error(load: Callable[..., ModuleType]) -> None:
    module = load("def get_signal(*_): return None\n")
    there = user_code(module.get_signal)
    Path(str(module.__file__)).unlink()
    assert user_code(module.get_signal).hash != there.hash


def closure(level: Any) -> Any:
    def get_signal(*_: Any) -> Any:
        return level

    return get_signal


@dataclass
class Rule:
    level: float

    def __call__(self, payload: Any) -> None:
        return None


class Holder:
    def __init__(self, level: Any) -> None:
        self.level = level
        self.me = self

    def get_signal(self, *_: Any) -> Any:
        return None


class Side(Enum):
    LONG = 1
    SHORT = 2


MAKERS: dict[str, Callable[[Any], Any]] = {
    "closure": closure,
    "default": lambda level: unfiled(f"def get_signal(a, b, c, level={level!r}): return None"),
    "keyword default": lambda level: unfiled(f"def get_signal(*_, level={level!r}): return None"),
    "partial": lambda level: partial(closure(0), level=level),
    "object": Rule,
    "method": lambda level: Holder(level).get_signal,
    "nested": lambda level: closure({"levels": [(level, {1, 2})]}),
}


@pytest.mark.parametrize("how", MAKERS)
def test_what_a_function_was_made_with_counts(how: str) -> None:
    make = MAKERS[how]
    assert user_code(make(1)).hash == user_code(make(1)).hash
    assert user_code(make(1)).hash != user_code(make(2)).hash


@pytest.mark.parametrize(
    ("first", "second"),
    [(timedelta(hours=1), timedelta(hours=2)), (Side.LONG, Side.SHORT), (1, 1.0), (True, 1), (None, 0)],
    ids=str,
)
def test_values_are_told_apart(first: object, second: object) -> None:
    assert user_code(closure(first)).hash != user_code(closure(second)).hash


def test_fields_of_schemas_count() -> None:
    def get_signal(*_: Any) -> None:
        return None

    plain = user_code(schema(get_signal)).hash
    assert user_code(schema(get_signal, warmup={"1h": 3})).hash != plain
    assert user_code(schema(get_signal), (bk.rules.max_positions(2),)).hash != plain
    two, three = (user_code(schema(get_signal), (bk.rules.max_positions(n),)).hash for n in (2, 3))
    assert two != three


def test_handlers_count_by_their_methods() -> None:
    class Quiet(bk.ActionBase):
        async def risk_rejection(self, event: Any) -> None:
            return None

    assert user_code(Quiet).hash == user_code(Quiet).hash != user_code(bk.ActionBase).hash


def test_the_file_of_a_class_counts(load: Callable[..., ModuleType]) -> None:
    plain = "class Rule:\n    def __call__(self, payload): return None\n"
    frozen = "from dataclasses import dataclass\n@dataclass\n" + plain
    for text in (plain, frozen):
        first = user_code(load(text).Rule())
        assert len(first.files) == 1
        assert user_code(load(text + "LEVEL = 3\n").Rule()).hash != first.hash


def test_what_others_have_made_counts_by_its_kind_only() -> None:
    assert user_code(closure(np.zeros(3))).hash == user_code(closure(np.ones(3))).hash
    assert user_code(closure(np.zeros(3))).hash != user_code(closure(sys)).hash


def test_a_function_without_a_file_counts_with_what_it_calls_there() -> None:
    text = "LEVEL = 3\ndef up(x): return x + {}\ndef get_signal(*_): return [up(i) for i in (LEVEL, up)]\n"
    first = user_code(unfiled(text.format(1)))
    assert first == user_code(unfiled(text.format(1)))
    assert first.files == ()
    assert user_code(unfiled(text.format(2))).hash != first.hash
    assert user_code(unfiled(text.format(1).replace("LEVEL = 3", "LEVEL = 4"))).hash != first.hash


def test_a_huge_value_costs_little_and_an_endless_one_ends() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert user_code(closure(ring)).hash == user_code(closure(ring)).hash
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    assert user_code(closure(deep)).hash
    many = closure(list(range(1_000_000)))
    calls = [0]

    def count(frame: Any, event: str, argument: Any) -> None:
        calls[0] += 1

    sys.setprofile(count)
    try:
        user_code(many)
    finally:
        sys.setprofile(None)
    assert calls[0] < 500_000


def test_an_object_that_cannot_be_looked_at_counts_by_its_kind() -> None:
    class Shy(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("do not look")

    assert user_code(closure(Shy())).hash == user_code(closure(Shy(a=1))).hash != user_code(closure({})).hash


def test_an_empty_cell_is_no_error() -> None:
    made = closure(1)
    empty = FunctionType(made.__code__, made.__globals__, closure=(CellType(),))
    assert user_code(empty).hash != user_code(made).hash
