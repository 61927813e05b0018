"""The package itself: lazy, complete, light, and helpful about names that do not exist."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import backtestkit as bk
from backtestkit import sync

ROOT = Path(__file__).resolve().parents[1]


def in_a_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout.strip()


def test_every_name_of_the_table_is_there() -> None:
    for module, names in bk.ROOMS.items():
        for name in names.split():
            assert getattr(bk, name) is getattr(import_module(module), name), name
    assert len(bk.__all__) == len(set(bk.__all__)) == sum(len(names.split()) for names in bk.ROOMS.values())
    assert set(bk.__all__) <= set(dir(bk))


def test_every_public_name_of_the_api_is_exported() -> None:
    for path in (ROOT / "backtestkit" / "api").glob("[!_]*.py"):
        module = import_module(f"backtestkit.api.{path.stem}")
        if module.__name__ in bk.SUBMODULES.values():
            continue  # exported as a whole
        public = set(getattr(module, "__all__", ())) | {name for name in vars(module) if name.startswith("listen_")}
        assert public <= set(bk.__all__), path


def test_submodules_are_attributes_that_are_imported_when_used() -> None:
    for name, module in bk.SUBMODULES.items():
        assert getattr(bk, name) is import_module(module)
        assert name in dir(bk)
    assert in_a_new_process("import backtestkit as bk; print(bk.rules.max_positions(1))") == (
        "max_positions(n=1, per='total')"
    )
    with pytest.raises(AttributeError, match=r"no 'rule'\. Did you mean rules"):
        bk.rule  # type: ignore[attr-defined]  # noqa: B018


def test_a_mistyped_name_gets_the_near_ones() -> None:
    with pytest.raises(AttributeError, match=r"backtestkit has no 'add_strateg'\. Did you mean add_strategy"):
        bk.add_strateg  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"no 'zzzzzz'\. dir\(backtestkit\) lists all names"):
        bk.zzzzzz  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(bk, "_zzzzzz")


def test_importing_the_package_imports_nothing_else() -> None:
    loaded = json.loads(in_a_new_process("import backtestkit, sys, json; print(json.dumps(list(sys.modules)))"))
    assert [name for name in loaded if name.startswith("backtestkit")] == ["backtestkit"]
    heavy = {"numpy", "pydantic", "dependency_injector", "structlog", "pyarrow", "ccxt", "typer", "rich", "asyncio"}
    assert heavy.isdisjoint(loaded)


def test_importing_the_package_costs_no_more_than_numpy_allows() -> None:
    code = "import time, {0}\nprint(time.process_time())"  # CPU time of the whole process, start of Python included
    best = {
        name: min(float(in_a_new_process(code.format(name))) for _ in range(3)) for name in ("numpy", "backtestkit")
    }
    assert best["backtestkit"] <= 2.5 * best["numpy"], best


def test_registering_does_not_load_what_only_runs_need() -> None:
    code = (
        "import backtestkit as bk, sys, json; bk.add_strategy(strategy_name='s'); print(json.dumps(list(sys.modules)))"
    )
    loaded = set(json.loads(in_a_new_process(code)))
    assert {"structlog", "pyarrow", "ccxt", "typer", "rich", "pandas", "polars"}.isdisjoint(loaded)


def test_every_coroutine_function_has_a_twin_of_the_same_name() -> None:
    coroutines = {name for name in bk.__all__ if inspect.iscoroutinefunction(getattr(bk, name))}
    assert set(sync.__all__) == coroutines
    for name in coroutines:
        twin = getattr(sync, name)
        assert not inspect.iscoroutinefunction(twin)
        assert twin.__name__ == name and twin.__doc__ == getattr(bk, name).__doc__
        assert inspect.signature(twin) == inspect.signature(getattr(bk, name))


def test_sync_is_an_attribute_of_the_package() -> None:
    assert in_a_new_process("import backtestkit as bk; print(bk.sync.__name__)") == "backtestkit.sync"
