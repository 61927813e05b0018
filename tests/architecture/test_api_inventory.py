"""Every public name that was promised is there, documented and typed; and the comparison sees what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_check import main as check
from api_check.inventory import read_inventory
from api_check.quality import shortcomings

import backtestkit as bk


def test_the_inventory_is_kept() -> None:
    if not check.INVENTORY.exists():
        pytest.skip("there is no ../shared with the inventory")
    told, wrong = check.compare(check.INVENTORY)
    assert wrong == []
    assert told[0].startswith("3")


INVENTORY = """\
## Position queries (1)

| Peer name | Python name | Meaning |
|---|---|---|
| getBreakeven | get_breakeven | x |

## Commands (1)

| commitNothing | commit_nothing | x |

## Run facades (2)

| Live | Live | x |
| lib | lib (internal) | x |

## Members of the run facades

`Backtest` and `Live` share: `run`, `fly`, all position queries except `get_a` and `get_b`, and all commands. Differences: `x`.
"""


def test_what_is_missing_waiting_or_internal_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "inventory.md"
    file.write_text(INVENTORY)
    inventory = read_inventory(file)
    assert inventory.sections == {
        "Position queries": ["get_breakeven"],
        "Commands": ["commit_nothing"],
        "Run facades": ["Live", "lib"],
    }
    assert inventory.run_members == {"run", "fly", "get_breakeven", "commit_nothing"}
    told, wrong = check.compare(file)
    assert {"commit_nothing is missing", "Backtest.commit_nothing is missing", "Backtest.fly is missing"} <= set(wrong)
    assert "Live" in bk.__all__ or told[-1] == "waiting for live (1): Live"


class Undocumented:
    pass


class Documented:
    """It is."""

    def method(self, a: int, b):  # type: ignore[no-untyped-def]
        pass

    @property
    def value(self):  # type: ignore[no-untyped-def]
        """It is."""

    def _private(self, a):  # type: ignore[no-untyped-def]
        pass


Documented.__module__ = "backtestkit.sample"


def plain(a, *, b: int = 1):  # type: ignore[no-untyped-def]
    pass


@pytest.mark.parametrize(
    ("value", "lacks"),
    [
        (Undocumented, ["x is not documented"]),
        (Undocumented(), ["x is not documented"]),
        (
            Documented,
            [
                "x.method is not documented",
                "x.method: parameter b has no type",
                "x.method: what it returns has no type",
                "x.value: what it returns has no type",
            ],
        ),
        (plain, ["x is not documented", "x: parameter a has no type", "x: what it returns has no type"]),
        (check.main, []),
    ],
)
def test_what_an_object_lacks_is_seen(value: Any, lacks: list[str]) -> None:
    assert list(shortcomings("x", value)) == lacks


def test_a_function_with_a_stub_is_typed_there() -> None:
    assert list(shortcomings("x", plain, stubbed=True)) == ["x is not documented"]


def test_without_the_inventory_the_check_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "INVENTORY", check.ROOT.parent / "nowhere.md")
    assert check.main() == 0
    assert capsys.readouterr().out == "skipped: there is no inventory at ../nowhere.md\n"


def test_the_check_ends_with_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inventory.md").write_text(INVENTORY)
    monkeypatch.setattr(check, "INVENTORY", tmp_path / "inventory.md")
    assert check.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Backtest.fly is missing"
