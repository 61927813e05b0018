"""`backtestkit walker`: what it walks, what it prints, its exit codes, and which lines it refuses."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.apps.cli import main as cli
from backtestkit.apps.cli.outcome import WalkOutcome
from backtestkit.apps.cli.walker_table import walk_lines, walk_problems
from backtestkit.model.interval import MINUTE_MS, parse_time, to_ms
from backtestkit.model.walker import WalkerFailure, WalkerResult

START = to_ms(parse_time("2025-06-01"))
STRATEGY = """
import backtestkit as bk

async def get_signal(symbol, when, current_price):
    params = bk.get_params()
    if params["target"] > 3:
        raise ValueError("too far")
    closes = (await bk.get_candles(symbol, "1m", 60)).close
    if closes[-1] > closes.mean():
        bracket = bk.Position.bracket("long", current_price, percent_take_profit=params["target"], percent_stop_loss=1)
        return bk.Signal(**bracket, minute_estimated_time=60)

bk.add_strategy(strategy_name="steady", interval="1h", get_signal=get_signal, warmup={"1m": 60}, on_error="raise")
"""
WALKER = """
bk.add_walker(walker_name="targets", exchange_name="market", frame_name="all", strategies=["steady"],
              space={"target": [0.6, 1.0, 2.0]}, metric="total_pnl")
"""
MARKET = """
bk.add_exchange(bk.SyntheticExchange("market", seed=3))
bk.add_frame(frame_name="all", start_date="2025-06-02", end_date="2025-06-04")
"""


class Shell:
    """The program in a folder with a strategy file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.out = self.err = ""

    def file(self, text: str, name: str = "strategy.py") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *words: str | Path) -> int:
        with pytest.raises(SystemExit) as end:
            cli.main(["walker", *map(str, words), "--output", str(self.folder / "reports")])
        shown = self.capsys.readouterr()
        self.out, self.err = shown.out, " ".join(shown.err.replace("│", " ").split())
        return int(end.value.code or 0)

    def json(self, *words: str | Path) -> list[dict[str, Any]]:
        assert self.run(*words, "--json") == 0, self.err
        walks: list[dict[str, Any]] = json.loads(self.out)
        return walks


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    import pyarrow.parquet

    source = bk.SyntheticExchange("market", seed=5).schema()
    assert source.read_candles is not None
    read = source.read_candles("BTCUSDT", "1m", START, START + 2 * 1440 * MINUTE_MS)
    assert isinstance(read, bk.Candles)
    pyarrow.parquet.write_table(read.to_arrow(), tmp_path / "BTCUSDT.parquet")
    return tmp_path / "BTCUSDT.parquet"


def without_report(walks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in walk.items() if name != "report"} for walk in walks]


def test_a_walk_shows_its_ranking_and_writes_its_report(shell: Shell) -> None:
    assert shell.run(shell.file(STRATEGY + WALKER + MARKET), "--symbol", "BTCUSDT", "--top", "2") == 0, shell.err
    lines = shell.out.splitlines()
    assert lines[0] == "targets BTCUSDT by total_pnl (maximise): 3 of 3 tested"
    assert lines[1].split() == [
        "Rank",
        "Strategy",
        "total_pnl",
        "Trades",
        "Win",
        "rate",
        "Total",
        "PNL",
        "Max",
        "DD",
        "Sharpe",
    ]
    assert [line.split()[0] for line in lines[3:5]] == ["1", "2"] and lines[5].startswith("Report: ")
    (report,) = (shell.folder / "reports").iterdir()
    assert "## Top Strategies Comparison" in report.read_text(encoding="utf-8")
    assert shell.err == ""


def test_processes_and_candles_of_files_give_the_same_walk(shell: Shell, candles: Path) -> None:
    words = (shell.file(STRATEGY + WALKER), "-s", "BTCUSDT", "--candles", candles, "--from", "2025-06-01T12:00")
    (walk,) = here = shell.json(*words)
    assert without_report(shell.json(*words, "--processes", "2")) == without_report(here)
    assert (walk["exchange_name"], walk["frame_name"], walk["best_strategy"]) == (
        "market", "all", walk["ranking"][0]["strategy_name"],
    )  # fmt: skip
    assert [entry["rank"] for entry in walk["ranking"]] == [1, 2, 3]
    assert (
        walk["best_metric"]
        == walk["ranking"][0]["metrics"]["total_pnl"]
        == max(entry["statistics"]["total_pnl"] for entry in walk["ranking"])
    )
    assert walk["ranking"][0]["params"]["target"] in (0.6, 1.0, 2.0)


def test_a_cluster_by_its_address_gives_the_same_walk(shell: Shell, candles: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")
    words = (shell.file(STRATEGY + WALKER), "-s", "BTCUSDT", "--candles", candles)
    here = shell.json(*words)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, host="tcp://127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        assert without_report(shell.json(*words, "--cluster", cluster.scheduler_address)) == without_report(here)


def test_candidates_that_fail_are_shown_and_do_not_fail_the_walk(shell: Shell) -> None:
    file = shell.file(STRATEGY + WALKER.replace("2.0]", "2.0, 4.0]") + MARKET)
    assert shell.run(file, "-s", "BTCUSDT") == 0
    assert "3 of 4 tested, 1 failed" in shell.out
    assert "steady(target=4) failed: " in shell.err and "(ValueError: too far)" in shell.err
    (walk,) = shell.json(file, "-s", "BTCUSDT")
    assert walk["tested"] == 3 and walk["total_strategies"] == 4
    assert walk["failed"][0]["params"] == {"target": 4.0} and "too far" in walk["failed"][0]["error"]


def test_a_walk_of_which_every_candidate_fails_is_an_error(shell: Shell) -> None:
    file = shell.file(STRATEGY + WALKER.replace("0.6, 1.0, 2.0", "4.0, 5.0") + MARKET)
    assert shell.run(file, "-s", "BTCUSDT") == 1
    assert "0 of 2 tested, 2 failed" in shell.out


def test_several_symbols_are_walked_one_by_one(shell: Shell) -> None:
    walks = shell.json(shell.file(STRATEGY + WALKER + MARKET), "-s", "BTCUSDT", "-s", "ETHUSDT", "--top", "1")
    assert [walk["symbol"] for walk in walks] == ["BTCUSDT", "ETHUSDT"]
    assert [len(walk["ranking"]) for walk in walks] == [1, 1]


def test_a_walk_that_fails_says_why(shell: Shell, candles: Path) -> None:
    file = shell.file(STRATEGY + WALKER.replace('["steady"]', '["stedy"]'))
    assert shell.run(file, "-s", "BTCUSDT", "--candles", candles) == 1
    assert "targets BTCUSDT failed. error: " in shell.err and "Did you mean 'steady'?" in shell.err
    assert shell.run(file, "-s", "BTCUSDT", "--candles", candles, "--json") == 1
    (walk,) = json.loads(shell.out)
    assert "Did you mean 'steady'?" in walk["error"] and "ranking" not in walk


def test_progress_is_drawn_on_a_terminal_alone(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = shell.file(STRATEGY + WALKER + MARKET)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert shell.run(file, "-s", "BTCUSDT") == 0
    assert "targets BTCUSDT" in screen.getvalue()
    shown = len(screen.getvalue())
    assert shell.run(file, "-s", "BTCUSDT", "--no-progress") == 0
    assert len(screen.getvalue()) == shown


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--walker", "targts"), "Did you mean 'targets'?"),
        (("--processes", "0"), "--processes 0 must be at least 1"),
        (("--cluster", "tcp://127.0.0.1:1", "--processes", "2"), "leave out --processes"),
        (("--gaps", "flat"), "--gaps needs --candles"),
        (("--from", "yesterday"), "is not a time"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(shell: Shell, words: tuple[str, ...], complaint: str) -> None:
    assert shell.run(shell.file(STRATEGY + WALKER + MARKET), "-s", "BTCUSDT", *words) == 2
    assert complaint in shell.err


def test_a_symbol_an_exchange_and_a_walker_are_needed(shell: Shell) -> None:
    assert shell.run(shell.file(STRATEGY + WALKER + MARKET)) == 2
    assert "say which market with --symbol" in shell.err
    assert shell.run(shell.file(STRATEGY + WALKER), "-s", "BTCUSDT") == 2
    assert "needs exchange 'market', which is not in the files. Give --candles" in shell.err
    assert shell.run(shell.file(STRATEGY + MARKET), "-s", "BTCUSDT") == 2
    assert "there is no walker" in shell.err


def test_the_front_and_the_counts_are_shown_and_long_lists_are_cut() -> None:
    result = WalkerResult(
        strategy_name="a",
        stats=bk.BacktestStatistics(),
        metric_value=1.5,
        first_event_time=None,
        last_event_time=None,
        metric_values={"total_pnl": 1.5, "max_drawdown": None},
        error_count=7,
        newest_error="ValueError: odd",
    )
    walk = bk.WalkerStatistics(
        walker_name="w", symbol="BTC", exchange_name="e", frame_name="f", metric="total_pnl", total_strategies=8,
        best_strategy="a", best_metric=1.5, best_stats=None, strategy_results=(result,), front=("a",),
        objectives={"total_pnl": "maximise", "max_drawdown": "minimise"},
        failed=tuple(WalkerFailure(strategy_name=f"x{i}", params={}, error=ValueError("no")) for i in range(7)),
    )  # fmt: skip
    lines = walk_lines(walk, 3)
    assert lines[0] == "w BTC by total_pnl (maximise), max_drawdown (minimise): 1 of 8 tested, 7 failed"
    assert lines[3].split() == ["1", "a", "1.5000", "-", "0", "-", "-", "-", "-"] and lines[-1] == "Pareto front: a"
    assert walk_problems(WalkOutcome("w", "BTC", walk)) == [
        *(f"x{i} failed: no" for i in range(5)),
        "and 2 more failed; the report has all of them.",
        "The code of one candidate raised errors and went on. a, 7 times, the newest: ValueError: odd",
    ]


def test_an_interrupted_walk_goes_on_where_it_stood(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    store = str(shell.folder / "runs.db")
    monkeypatch.setenv("BACKTESTKIT_KEEP_RUNS", "true")
    monkeypatch.setenv("BACKTESTKIT_RUNS_PATH", store)
    interrupting = """
import os

def on_strategy_start(strategy, symbol):
    if os.environ.get("INTERRUPT_AT") == strategy:
        raise KeyboardInterrupt

bk.override_walker("targets", callbacks={"on_strategy_start": on_strategy_start})
"""
    path = shell.file(STRATEGY + WALKER + MARKET + interrupting)
    monkeypatch.setenv("INTERRUPT_AT", "steady(target=2)")
    assert shell.run(path, "--symbol", "BTCUSDT") == 130
    assert shell.err == "Interrupted. What was tested is kept; the same command with --resume goes on."
    monkeypatch.delenv("INTERRUPT_AT")
    (walk,) = shell.json(path, "--symbol", "BTCUSDT", "--resume")
    assert walk["tested"] == 3
    with bk.Kit({"runs_path": store}):
        labels = [record.label for record in bk.Runs.list()]
    assert labels == ["steady(target=0.6)", "steady(target=1)", "steady(target=2)"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups to interrupt on Windows")
def test_ctrl_c_ends_all_processes_of_a_walk_without_tracebacks(shell: Shell) -> None:
    telling = """
bk.override_walker("targets", space={"target": [0.6 + i / 1000 for i in range(2000)]},
                   callbacks={"on_strategy_complete": lambda strategy, *_: print(strategy, flush=True)})
"""
    path = shell.file(STRATEGY + WALKER + MARKET + telling)
    words = ["walker", str(path), "--symbol", "BTCUSDT", "--processes", "2", "--output", str(shell.folder)]
    environment = os.environ | {"BACKTESTKIT_KEEP_RUNS": "true", "BACKTESTKIT_RUNS_PATH": str(shell.folder / "runs.db")}
    with subprocess.Popen(
        [sys.executable, "-m", "backtestkit", *words],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert first == "steady(target=0.6)"
    assert process.returncode == 130
    assert err == "Interrupted. What was tested is kept; the same command with --resume goes on.\n"
