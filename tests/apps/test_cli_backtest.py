"""`backtestkit backtest`: what it runs, what it prints, and which lines it refuses."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from backtestkit.apps.cli import main as cli
from backtestkit.apps.cli.candle_option import parse_candles
from backtestkit.apps.cli.outcome import BacktestOutcome, Outcome
from backtestkit.apps.cli.show_json import run_object
from backtestkit.apps.cli.show_progress import progress_bars
from backtestkit.apps.cli.show_table import aligned, assumed, problems, show_table, table_row
from backtestkit.errors import DataError, RunError
from backtestkit.model.event import ErrorEvent
from backtestkit.model.interval import MINUTE_MS, parse_time, to_ms
from backtestkit.model.statistics import BacktestStatistics, RunSummary
from backtestkit.runtime.context import RunKey

START = to_ms(parse_time("2025-06-01"))
KEY = RunKey("BTCUSDT", "steady", "candles", "f", True)

STRATEGY = """
import backtestkit as bk

def get_signal(symbol, when, current_price):
    bracket = bk.Position.bracket("long", current_price, percent_take_profit=1, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=60)

bk.add_strategy(strategy_name="steady", interval="1h", get_signal=get_signal)
"""


@dataclass
class FakeRun:
    key: RunKey = KEY
    progress: float = 0.0
    record: None = None


@dataclass
class FakeResult:
    statistics: BacktestStatistics = field(default_factory=BacktestStatistics)
    summary: RunSummary = field(default_factory=lambda: RunSummary(policy="conservative"))
    ambiguous_exits: int = 0
    fingerprint: str = "0123456789abcdef" * 4
    errors: tuple[ErrorEvent, ...] = ()
    error_count: int = 0


def outcome(**changes: Any) -> BacktestOutcome:
    run: Any = FakeRun()
    return Outcome(**({"run": run, "result": FakeResult(), "report": Path("out/report.md")} | changes))


class TestTable:
    FIGURES = BacktestStatistics(
        total_signals=12, win_rate=58.33, total_pnl=1.234, total_pnl_cost=2.5, max_drawdown=3.5, sharpe_ratio=0.25
    )

    def test_a_row_holds_what_matters_first(self) -> None:
        summary = RunSummary(policy="conservative", first_time=START, last_time=START + 36 * 60 * MINUTE_MS)
        result = FakeResult(self.FIGURES, summary, ambiguous_exits=3)
        assert table_row(outcome(result=result)) == (
            "steady", "BTCUSDT", "1.5", "12", "58.3%", "+1.23%", "+2.50 USDT", "3.50%", "0.250", "3", "0123456789ab", "-",
        )  # fmt: skip

    def test_what_is_not_known_is_a_dash(self) -> None:
        assert table_row(outcome()) == (
            "steady", "BTCUSDT", "-", "0", "-", "-", "-", "-", "-", "0", "0123456789ab", "-",
        )  # fmt: skip

    def test_names_stand_left_and_numbers_right(self) -> None:
        lines = aligned([("Name", "Symbol", "N"), ("a", "BTCUSDT", "100"), ("long name", "X", "7")])
        assert lines == [
            "Name       Symbol     N",
            "---------  -------  ---",
            "a          BTCUSDT  100",
            "long name  X          7",
        ]

    def test_what_was_assumed_is_said_once_for_runs_that_assumed_the_same(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        show_table([outcome(), outcome()])
        out = capsys.readouterr().out
        assert out.count("Assumed: fills conservative") == 1
        assert out.count("Report: out/report.md") == 2

    def test_assumptions_name_costs_and_gaps(self) -> None:
        summary = RunSummary(policy="next_open", percent_fee=0.1, percent_slippage=0.05, gaps="flat", candles_missing=3)
        assert assumed(outcome(result=FakeResult(summary=summary))) == (
            "Assumed: fills next_open, fee 0.1% and slippage 0.05% of each entry and exit, "
            "3 candles missing (gaps=flat)"
        )

    def test_a_failed_run_has_no_row_and_its_error_is_on_standard_error(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        show_table([outcome(result=None, report=None, error=DataError("no candles"))])
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("steady BTCUSDT failed.\nerror: no candles\n")

    def test_errors_in_user_code_are_never_kept_quiet(self) -> None:
        try:
            exec(compile("1 / 0", __file__, "exec"))
        except ZeroDivisionError as error:
            event = ErrorEvent(error, "get_signal", KEY, START)
        (text,) = problems(outcome(result=FakeResult(errors=(event,), error_count=96)))
        assert text.startswith(
            "steady BTCUSDT: your code raised an error 96 times and the run went on. "
            f"The newest: ZeroDivisionError: division by zero\n  at {__file__}:"
        )
        bare = ErrorEvent(ValueError("x"), "get_signal", KEY, START)
        (text,) = problems(outcome(result=FakeResult(errors=(bare,), error_count=1)))
        assert text.endswith("an error once and the run went on. The newest: ValueError: x")
        assert problems(outcome()) == []


class TestJson:
    def test_a_run_is_its_names_its_figures_and_its_summary(self) -> None:
        shown = run_object(outcome(result=FakeResult(TestTable.FIGURES)))
        assert shown["strategy_name"] == "steady"
        assert shown["error"] is None
        assert shown["statistics"]["win_rate"] == 58.33
        assert shown["statistics"]["trend"] is None
        assert "signal_list" not in shown["statistics"]
        assert shown["summary"]["policy"] == "conservative"
        assert shown["report"] == "out/report.md"

    def test_a_failed_run_has_an_error_and_no_figures(self) -> None:
        shown = run_object(outcome(result=None, report=None, error=RunError("broken")))
        assert shown["error"] == "broken"
        assert "statistics" not in shown


class TestProgress:
    def test_bars_follow_their_runs_without_being_told(self) -> None:
        from rich.console import Console

        screen = io.StringIO()
        run = FakeRun()
        with progress_bars([run], Console(file=screen, force_terminal=True, width=100)) as bars:
            run.progress = 0.42
            bars.refresh()
        assert "steady BTCUSDT" in screen.getvalue()
        assert "42%" in screen.getvalue()

    def test_nothing_is_drawn_into_a_pipe_and_bars_on_a_terminal(
        self, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = (shell.strategy, "-s", "BTCUSDT", "--candles", write_candles(tmp_path / "c.parquet"))
        assert shell.run(*words) == 0
        assert shell.err == ""
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        assert shell.run(*words) == 0
        assert "steady BTCUSDT" in screen.getvalue()
        shown = len(screen.getvalue())
        assert shell.run(*words, "--no-progress") == 0
        assert len(screen.getvalue()) == shown


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestCandlesOption:
    @pytest.fixture
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        for name in ("a.parquet", "b.parquet", "odd=name.parquet"):
            (tmp_path / name).touch()
        (tmp_path / "folder").mkdir()
        return tmp_path

    def test_files_by_symbol(self, files: Path) -> None:
        parsed = parse_candles(["BTC=a.parquet", "BTC=b.parquet", "ETH=folder"], ["BTC"])
        assert parsed == {"BTC": [Path("a.parquet"), Path("b.parquet")], "ETH": [Path("folder")]}

    def test_one_file_for_one_symbol_is_taken_whatever_its_name(self, files: Path) -> None:
        assert parse_candles(["a.parquet"], ["BTC"]) == {"BTC": [Path("a.parquet")]}

    def test_folders_and_several_files_are_told_apart_by_their_names(self, files: Path) -> None:
        assert parse_candles(["folder"], ["BTC"]) == [Path("folder")]
        assert parse_candles(["a.parquet", "b.parquet"], ["BTC"]) == [Path("a.parquet"), Path("b.parquet")]
        assert parse_candles(["a.parquet"], ["BTC", "ETH"]) == [Path("a.parquet")]

    def test_a_path_with_an_equals_sign_is_a_path(self, files: Path) -> None:
        assert parse_candles(["odd=name.parquet"], []) == [Path("odd=name.parquet")]

    @pytest.mark.parametrize(
        ("values", "symbols", "message"),
        [
            (["=a.parquet"], [], "must be PATH or SYMBOL=PATH"),
            (["BTC="], [], "must be PATH or SYMBOL=PATH"),
            (["BTC=a.parquet", "b.parquet"], [], "either as paths or as SYMBOL=PATH"),
            (["gone.parquet"], [], "gone.parquet does not exist"),
            (["BTC=gone.parquet"], [], "gone.parquet does not exist"),
            (["BTC=a.parquet"], ["BTC", "ETH"], "names no file for ETH; add ETH=PATH"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self, files: Path, values: list[str], symbols: list[str], message: str
    ) -> None:
        with pytest.raises(typer.BadParameter, match=message):
            parse_candles(values, symbols)


def write_candles(path: Path, minutes: int = 1440, interval_minutes: int = 1) -> Path:
    """A wave of one and a half percent every four hours, as a Parquet or CSV file."""
    step = interval_minutes * MINUTE_MS
    stamps = START + np.arange(minutes // interval_minutes) * step
    close = 100 + 1.5 * np.sin(np.arange(len(stamps)) * interval_minutes / 240 * 2 * np.pi)
    columns = {
        "timestamp": stamps, "open": close, "high": close + 0.1, "low": close - 0.1, "close": close,
        "volume": np.ones(len(stamps)),
    }  # fmt: skip
    if path.suffix == ".csv":
        rows = np.column_stack(list(columns.values()))
        np.savetxt(path, rows, delimiter=",", header=",".join(columns), comments="", fmt="%.10g")
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


class Shell:
    """The program in a folder with a strategy file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.strategy = self.file("strategy.py", STRATEGY)
        self.out = self.err = ""

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *words: str | Path) -> int:
        with pytest.raises(SystemExit) as end:
            cli.main(["backtest", *map(str, words), "--output", str(self.folder / "reports")])
        shown = self.capsys.readouterr()
        self.out, self.err = shown.out, " ".join(shown.err.replace("│", " ").split())
        return int(end.value.code or 0)

    def json(self, *words: str | Path) -> list[dict[str, Any]]:
        assert self.run(*words, "--json") == 0, self.err
        runs: list[dict[str, Any]] = json.loads(self.out)
        return runs


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


class TestRuns:
    def test_a_file_and_candles_are_enough(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "any name.parquet")
        assert shell.run(shell.strategy, "--symbol", "BTCUSDT", "--candles", candles) == 0, shell.err
        assert shell.out.splitlines()[2].startswith("steady    BTCUSDT  ")
        (report,) = (tmp_path / "reports").iterdir()
        assert f"Report: {report}" in shell.out
        assert report.read_text().startswith("# Backtest Report: steady\n")

    def test_the_frame_spans_the_data(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        (run,) = shell.json(shell.strategy, "-s", "BTCUSDT", "--candles", candles)
        assert run["summary"]["first_time"] == START + 5 * MINUTE_MS
        assert run["summary"]["last_time"] == START + 1440 * MINUTE_MS
        assert run["frame_name"] == "2025-06-01T00:05..2025-06-02"
        assert run["statistics"]["total_signals"] > 10

    def test_from_and_to_narrow_it(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        (run,) = shell.json(
            shell.strategy,
            "-s",
            "BTCUSDT",
            "--candles",
            candles,
            "--from",
            "2025-06-01T06:00",
            "--to",
            "2025-06-01T12:00",
        )
        assert run["summary"]["first_time"] == START + 360 * MINUTE_MS
        assert run["summary"]["last_time"] == START + 720 * MINUTE_MS

    def test_each_symbol_is_tested_over_its_own_data(self, shell: Shell, tmp_path: Path) -> None:
        long, short = write_candles(tmp_path / "a.parquet", 1440), write_candles(tmp_path / "b.parquet", 600)
        runs = shell.json(shell.strategy, "--candles", f"AAA={long}", "--candles", f"BBB={short}")
        assert [run["summary"]["last_time"] - START for run in runs] == [1440 * MINUTE_MS, 600 * MINUTE_MS]

    @pytest.mark.parametrize("policy", ["conservative", "reference", "next_open"])
    def test_every_policy_runs_over_the_whole_data(self, shell: Shell, tmp_path: Path, policy: str) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        (run,) = shell.json(shell.strategy, "-s", "BTCUSDT", "--candles", candles, "--policy", policy)
        assert run["summary"]["policy"] == policy
        assert run["summary"]["last_time"] >= START + 1438 * MINUTE_MS

    def test_csv_files_coarser_candles_and_folders(self, shell: Shell, tmp_path: Path) -> None:
        folder = tmp_path / "candles"
        folder.mkdir()
        write_candles(folder / "BTCUSDT_5m.csv", 5 * 1440, 5)
        write_candles(folder / "ETHUSDT_5m.csv", 5 * 1440, 5)
        runs = shell.json(shell.strategy, "-s", "BTCUSDT", "-s", "ETHUSDT", "--candles", folder)
        assert [run["symbol"] for run in runs] == ["BTCUSDT", "ETHUSDT"]
        assert runs[0]["statistics"] == runs[1]["statistics"]
        assert runs[0]["summary"]["first_time"] == START + 25 * MINUTE_MS

    def test_all_strategies_of_all_files_run_on_each_symbol(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        other = shell.file("other.py", STRATEGY.replace("steady", "other"))
        runs = shell.json(shell.strategy, other, "--candles", f"BTCUSDT={candles}", "--candles", f"ETHUSDT={candles}")
        assert [(run["symbol"], run["strategy_name"]) for run in runs] == [
            ("BTCUSDT", "steady"), ("BTCUSDT", "other"), ("ETHUSDT", "steady"), ("ETHUSDT", "other"),
        ]  # fmt: skip
        (run,) = shell.json(shell.strategy, other, "--candles", f"BTCUSDT={candles}", "--strategy", "other")
        assert run["strategy_name"] == "other"
        assert len(list((tmp_path / "reports").iterdir())) == 5

    def test_an_exchange_and_a_frame_of_the_file_are_used(self, shell: Shell) -> None:
        file = shell.file(
            "whole.py",
            STRATEGY
            + "bk.add_exchange(bk.SyntheticExchange('market'))\n"
            + "bk.add_frame(frame_name='day', interval='1m', start_date='2025-06-01', end_date='2025-06-02')\n",
        )
        (run,) = shell.json(file, "--symbol", "BTCUSDT")
        assert (run["exchange_name"], run["frame_name"]) == ("market", "day")

    def test_candles_stand_in_for_a_named_exchange(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        (run,) = shell.json(shell.strategy, "-s", "X", "--candles", candles, "--exchange", "bybit", "--gaps", "flat")
        assert run["exchange_name"] == "bybit"
        assert run["summary"]["gaps"] == "flat"

    def test_a_run_that_fails_does_not_stop_the_others(self, shell: Shell, tmp_path: Path) -> None:
        good, short = write_candles(tmp_path / "a.parquet"), write_candles(tmp_path / "b.parquet", 60)
        needs_history = shell.file("needs.py", STRATEGY.replace('interval="1h"', 'interval="1h", warmup={"1h": 10}'))
        assert shell.run(needs_history, "--candles", f"AAA={good}", "--candles", f"BBB={short}") == 1
        assert "AAA" in shell.out
        assert "BBB" not in shell.out
        assert "steady BBB failed." in shell.err

    def test_a_report_that_cannot_be_written_is_an_error_and_the_figures_stay(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        shell.file("reports", "a file where the folder should be")
        candles = write_candles(tmp_path / "c.parquet")
        assert shell.run(shell.strategy, "-s", "BTCUSDT", "--candles", candles) == 1
        assert "steady    BTCUSDT" in shell.out
        assert "Report:" not in shell.out
        assert "steady BTCUSDT failed. error: [Errno" in shell.err

    def test_an_exchange_may_have_to_wait_for_its_span(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        file = shell.file(
            "own.py",
            STRATEGY
            + f"files = bk.ParquetExchange('own', {{'X': {str(candles)!r}}})\n"
            + "async def span(symbol, interval):\n    return files.span(symbol, interval)\n"
            + "bk.add_exchange(exchange_name='own', read_candles=files.read_candles, span=span)\n",
        )
        (run,) = shell.json(file, "-s", "X")
        assert run["summary"]["last_time"] == START + 1440 * MINUTE_MS

    def test_the_base_interval_of_files_can_be_said(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet", 5 * 1440, 15)
        (run,) = shell.json(shell.strategy, "-s", "X", "--candles", candles, "--base-interval", "15m")
        assert run["summary"]["first_time"] == START + 5 * 15 * MINUTE_MS

    def test_errors_in_get_signal_are_shown_with_their_place(self, shell: Shell, tmp_path: Path) -> None:
        candles = write_candles(tmp_path / "c.parquet")
        file = shell.file("raises.py", STRATEGY.replace("bracket = bk", "1 / 0\n    bracket = bk"))
        assert shell.run(file, "-s", "BTCUSDT", "--candles", candles) == 0
        assert f"ZeroDivisionError: division by zero at {file}:5, in get_signal" in shell.err


class TestRefusedLines:
    @pytest.fixture
    def candles(self, tmp_path: Path) -> Path:
        return write_candles(tmp_path / "c.parquet")

    def refused(self, shell: Shell, *words: str | Path) -> str:
        assert shell.run(*words) == 2, shell.out + shell.err
        return shell.err

    def test_a_symbol_is_needed(self, shell: Shell, candles: Path) -> None:
        assert "--symbol" in self.refused(shell, shell.strategy, "--candles", candles)

    def test_an_exchange_is_needed(self, shell: Shell) -> None:
        assert "Give --candles" in self.refused(shell, shell.strategy, "-s", "BTCUSDT")

    def test_a_strategy_is_needed(self, shell: Shell, candles: Path) -> None:
        empty = shell.file("empty.py", "import backtestkit\n")
        assert "there is no strategy" in self.refused(shell, empty, "-s", "X", "--candles", candles)

    def test_a_wrong_name_is_answered_with_the_near_ones(self, shell: Shell, candles: Path) -> None:
        shown = self.refused(shell, shell.strategy, "-s", "X", "--candles", candles, "--strategy", "stedy")
        assert "Did you mean 'steady'?" in shown

    def test_several_exchanges_ask_for_a_choice(self, shell: Shell) -> None:
        file = shell.file(
            "two.py",
            STRATEGY + "bk.add_exchange(bk.SyntheticExchange('a'))\nbk.add_exchange(bk.SyntheticExchange('b'))\n",
        )
        assert "Choose with --exchange" in self.refused(shell, file, "-s", "X")

    @pytest.mark.parametrize("option", [("--gaps", "flat"), ("--base-interval", "5m"), ("--coarser", "resampled")])
    def test_options_of_files_need_files(self, shell: Shell, option: tuple[str, str]) -> None:
        assert f"{option[0]} needs --candles" in self.refused(shell, shell.strategy, "-s", "X", *option)

    def test_a_frame_has_its_own_dates(self, shell: Shell, candles: Path) -> None:
        words = ("-s", "X", "--candles", candles, "--frame", "f", "--from", "2025-06-01")
        assert "--frame has its own dates" in self.refused(shell, shell.strategy, *words)

    def test_dates_must_be_dates_and_leave_something(self, shell: Shell, candles: Path) -> None:
        words = (shell.strategy, "-s", "X", "--candles", candles)
        assert "is not a time" in self.refused(shell, *words, "--from", "yesterday")
        assert "X has candles from 2025-06-01 00:00 to" in self.refused(shell, *words, "--from", "2025-07-01")

    def test_an_exchange_that_does_not_know_its_span_needs_both_dates(self, shell: Shell) -> None:
        file = shell.file(
            "own.py", STRATEGY + "bk.add_exchange(exchange_name='own', get_candles=lambda *arguments: [])\n"
        )
        assert "Give --from and --to" in self.refused(shell, file, "-s", "X", "--from", "2025-06-01")

    def test_kinds_of_files_are_not_mixed(self, shell: Shell, candles: Path, tmp_path: Path) -> None:
        csv = write_candles(tmp_path / "d.csv")
        shown = self.refused(shell, shell.strategy, "--candles", f"A={candles}", "--candles", f"B={csv}")
        assert "mixes Parquet and text files" in shown
