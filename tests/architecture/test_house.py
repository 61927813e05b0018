"""Rules that hold for every file: rooms introduce themselves, and nothing knows the machine it was written on."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted((ROOT / "backtestkit").rglob("__init__.py"))

# Written in pieces, so that this file does not break its own rule.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.~])/(" + "|".join(["work", "root", "home", "opt", "Users"]) + r")/\w",
            r"py" r"pi\.org",
            r"files\.python" r"hosted",
            r"-" r"-(extra-)?index-url|-" r"-find-links",
        ]
    )
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_every_room_says_what_it_is_for(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text and len(text) >= 40, "the docstring of the room's __init__.py should say in a few lines what it is for"


def test_every_file_is_text_that_somebody_wrote() -> None:
    made = [path for path in tracked() if b"\0" in path.read_bytes() or "dump" in path.parent.parts]
    assert made == [], "left behind by a run"


def test_no_file_names_a_path_of_a_machine_or_a_package_index() -> None:
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FOREIGN.search(line) and "--no-emit" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number} {line.strip()[:100]}")
    assert found == []


def test_an_installed_package_lacks_nothing() -> None:
    package = ROOT / "backtestkit"
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in files:
        if path.suffix == ".py":
            assert (path.parent / "__init__.py").exists(), f"{path.parent} is no package: setuptools leaves it out"
        else:
            assert any(path.match(pattern) for pattern in settings["package-data"]["backtestkit"]), path
            assert path.parent == package or path.suffix in {".pyi", ".css", ".js"}, path
    assert settings["packages"]["find"]["include"] == ["backtestkit*"]
    assert settings["package-data"]["*"] == ["*.pyi"]


def test_scripts_can_be_run() -> None:
    scripts = [path for path in tracked() if path.read_bytes()[:2] == b"#!"]
    assert {"scripts/test", ".ci/run"} <= {path.relative_to(ROOT).as_posix() for path in scripts}
    assert [path.name for path in scripts if not path.stat().st_mode & 0o111] == []
