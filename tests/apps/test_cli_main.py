"""The program: what it lists, how it ends, and how it shows errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backtestkit.apps.cli import main as cli
from backtestkit.apps.cli.error_block import error_block, user_place
from backtestkit.apps.cli.strategy_file import load_strategy_file
from backtestkit.errors import UsageError


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    return int(end.value.code or 0)


class TestProgram:
    def test_help_lists_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("--help") == 0
        shown = capsys.readouterr().out
        for command in cli.COMMANDS:
            assert command in shown

    def test_version_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("version") == 0
        assert capsys.readouterr().out.startswith("backtestkit ")

    @pytest.mark.parametrize(
        "words", [("nonsense",), ("version", "--nonsense"), ("backtest",), ("backtest", "no-such.py")]
    )
    def test_a_line_that_makes_no_sense_ends_with_two(self, words: tuple[str, ...]) -> None:
        assert run(*words) == 2

    def test_words_come_from_the_process_when_none_are_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["backtestkit", "nonsense"])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 2


class TestErrors:
    FILE = "import backtestkit.errors\nraise backtestkit.errors.DataError('the data is gone')\n"

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Path:
        file = tmp_path / "broken.py"
        file.write_text(self.FILE)
        return file

    def test_an_error_of_the_framework_is_one_block_and_ends_with_one(
        self, broken: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("backtest", str(broken)) == 1
        shown = capsys.readouterr().err
        assert shown.splitlines() == [
            f"error: {broken} could not be loaded",
            "  caused by DataError: the data is gone",
            f"    at {broken}:2, in <module>",
            "Add --debug for the traceback.",
        ]

    def test_debug_lets_the_exception_travel(self, broken: Path) -> None:
        with pytest.raises(UsageError):
            cli.main(["backtest", str(broken), "--debug"])

    def test_a_syntax_error_is_placed_in_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "unfinished.py"
        file.write_text("x = 1\ndef f(:\n")
        with pytest.raises(UsageError) as caught:
            load_strategy_file(file)
        assert f"SyntaxError: invalid syntax\n    at {file}:2" in error_block(caught.value)

    def test_the_place_is_the_innermost_line_of_the_users_own_code(self, tmp_path: Path) -> None:
        file = tmp_path / "calls_library.py"
        file.write_text("import json\ndef parse():\n    json.loads('{')\nparse()\n")
        with pytest.raises(UsageError) as caught:
            load_strategy_file(file)
        assert caught.value.__cause__ is not None
        assert user_place(caught.value.__cause__) == f"{file}:3, in parse"

    def test_causes_are_listed_once_and_suppressed_ones_not(self) -> None:
        outer, inner = UsageError("outer"), ValueError()
        outer.__cause__, inner.__cause__ = inner, outer
        assert error_block(outer).splitlines() == ["error: outer", "  caused by ValueError: ValueError", cli_hint()]
        hidden = UsageError("alone")
        hidden.__context__, hidden.__suppress_context__ = inner, True
        assert error_block(hidden).splitlines() == ["error: alone", cli_hint()]


def cli_hint() -> str:
    return "Add --debug for the traceback."


class TestStrategyFile:
    def test_a_file_may_import_from_its_own_folder_and_is_not_main(self, tmp_path: Path) -> None:
        (tmp_path / "beside_it_37.py").write_text("VALUE = 5\n")
        file = tmp_path / "uses_it_37.py"
        file.write_text("import beside_it_37\nassert beside_it_37.VALUE == 5\nassert __name__ != '__main__'\n")
        load_strategy_file(file)
        load_strategy_file(file)

    def test_a_file_that_is_not_python_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "strategy.txt"
        file.write_text("hello")
        with pytest.raises(UsageError, match=r"must end in \.py"):
            load_strategy_file(file)

    def test_what_failed_to_load_is_not_left_behind(self, tmp_path: Path) -> None:
        file = tmp_path / "half_loaded_37.py"
        file.write_text("1 / 0\n")
        with pytest.raises(UsageError):
            load_strategy_file(file)
        assert not [name for name in sys.modules if name.endswith("half_loaded_37")]


def test_the_package_is_the_program() -> None:
    shown = subprocess.run([sys.executable, "-m", "backtestkit", "version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("backtestkit ")


def test_starting_the_program_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pydantic", "pyarrow", "rich", "asyncio", "ccxt", "dependency_injector", "structlog")
    code = (
        "import sys; from backtestkit.apps.cli import main as cli; import backtestkit.apps.cli.backtest; "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
