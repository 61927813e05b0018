"""`backtestkit runs` and `backtestkit report`: what they show, and what they say when something has changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backtestkit.apps.cli import main as cli
from backtestkit.apps.cli.candle_option import absolute

STRATEGY = """
import backtestkit as bk

LEVEL = 1

def get_signal(symbol, when, current_price):
    bracket = bk.Position.bracket("long", current_price, percent_take_profit=LEVEL, percent_stop_loss=1)
    return bk.Signal(**bracket, minute_estimated_time=60)

bk.add_strategy(strategy_name="steady", interval="1h", get_signal=get_signal)
"""

MARKET = """
import backtestkit as bk

bk.add_exchange(bk.SyntheticExchange("market"))
bk.add_frame(frame_name="day", interval="1m", start_date="2025-06-01", end_date="2025-06-02")
"""


@dataclass
class Line:
    """What one command line came to."""

    code: int
    out: str
    err: str


class Shell:
    """A folder with a strategy in it, and the commands that are run there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.strategy = folder / "steady.py"
        self.strategy.write_text(STRATEGY + MARKET)

    def __call__(self, *words: str) -> Line:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        shown = self._capsys.readouterr()
        code = ended.value.code
        return Line(code if isinstance(code, int) else 0, shown.out, shown.err)

    def backtest(self, *words: str) -> Line:
        return self("backtest", "steady.py", "--symbol", "BTCUSDT", "--no-progress", *words)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTESTKIT_KEEP_RUNS", "true")
    yield Shell(tmp_path, capsys)


def test_a_backtest_is_kept_and_listed(shell: Shell) -> None:
    line = shell.backtest()
    assert (line.code, line.err) == (0, "")
    heading, _, row = line.out.splitlines()[:3]
    assert heading.endswith("  Run") and row.endswith("  1")
    listed = shell("runs", "list").out.splitlines()
    assert listed[0].split()[:3] == ["Strategy", "Symbol", "Run"]
    assert listed[2].split()[:3] == ["steady", "BTCUSDT", "1"]
    assert (shell.folder / "dump" / "runs.db").is_file()


def test_json_has_the_number_of_the_run(shell: Shell) -> None:
    assert [run["run"] for run in json.loads(shell.backtest("--json").out)] == [1]
    (kept,) = json.loads(shell("runs", "list", "--json").out)
    assert (kept["number"], kept["symbol"], kept["outcome"]) == (1, "BTCUSDT", "ready")
    assert kept["origin"]["files"] == [str(shell.strategy)]


def test_an_empty_store_says_so(shell: Shell) -> None:
    assert shell("runs", "list").out == "dump/runs.db has no such runs.\n"
    assert not (shell.folder / "dump").exists()
    line = shell("runs", "show", "1")
    assert line.code == 1
    assert line.err.startswith("error: there is no run 1 in dump/runs.db. It has none.")


def test_filters_of_the_list(shell: Shell) -> None:
    for _ in range(3):
        shell.backtest()
    assert [run["number"] for run in json.loads(shell("runs", "list", "--limit", "2", "--json").out)] == [2, 3]
    assert shell("runs", "list", "--symbol", "ETHUSDT").out == "dump/runs.db has no such runs.\n"
    assert shell("runs", "list", "--limit", "0").code == 2


def test_show_has_everything_that_was_kept(shell: Shell) -> None:
    shell.backtest("--policy", "reference")
    out = shell("runs", "show", "1").out
    kept = json.loads(shell("runs", "show", "1", "--json").out)
    assert out.startswith("Run 1: BTCUSDT / steady / market / day\n")
    for text in ("policy        reference", kept["fingerprint"], kept["data_hash"], kept["code_hash"], "steady.py"):
        assert text in out
    assert "Settings that are not the default\n  none" in out
    for name, value in kept["statistics"].items():
        assert f"  {name} " in out and ("-" if value is None else str(value)) in out


def test_a_replay_of_what_has_not_changed_is_the_same(shell: Shell) -> None:
    shell.backtest()
    line = shell("runs", "replay", "1")
    assert line.code == 0
    assert line.out.startswith("Run 1 decided the same: ")
    told = json.loads(shell("runs", "replay", "1", "--json").out)
    assert told["same"] is True
    assert told["then"] == told["now"]
    assert told["changes"] == {}
    assert len(json.loads(shell("runs", "list", "--json").out)) == 1


def test_a_replay_of_changed_code_says_so_and_exits_with_1(shell: Shell) -> None:
    shell.backtest()
    shell.strategy.write_text((STRATEGY + MARKET).replace("LEVEL = 1", "LEVEL = 2"))
    line = shell("runs", "replay", "1")
    assert line.code == 1
    assert line.out.startswith("Run 1 did not decide the same: ")
    assert "\n  code_hash was " in line.out
    assert shell("runs", "replay", "1", "--json").code == 1


def test_a_file_that_changes_twice_within_a_second_runs_as_it_is(shell: Shell) -> None:
    texts = [STRATEGY.replace("LEVEL = 1", f"LEVEL = {level}") + MARKET for level in (1, 2, 3)]
    prints = set()
    for text in texts:  # of one size, and all in the same moment as far as the file system tells
        shell.strategy.write_text(text)
        os.utime(shell.strategy, (1_750_000_000, 1_750_000_000))
        (run,) = json.loads(shell.backtest("--json").out)
        prints.add(run["summary"]["fingerprint"])
    assert len(prints) == 3


def test_a_replay_of_what_changes_by_itself_asks_why(shell: Shell) -> None:
    shell.strategy.write_text(
        STRATEGY.replace("LEVEL = 1", "import time\n").replace("take_profit=LEVEL", "take_profit=1 + time.time() % 1")
        + MARKET
    )
    shell.backtest()
    line = shell("runs", "replay", "1")
    assert line.code == 1
    assert "Nothing that is recorded has changed. Does the strategy use chance" in line.out


def test_a_moved_strategy_file_can_be_named(shell: Shell) -> None:
    shell.backtest()
    moved = shell.folder / "moved.py"
    shell.strategy.rename(moved)
    line = shell("runs", "replay", "1")
    assert line.code == 1
    assert line.err.startswith(f"error: the strategy file {shell.strategy} of run 1 is not there any more.")
    line = shell("runs", "replay", "1", "moved.py")
    assert line.out.startswith("Run 1 decided the same: ")  # the name of a file is no part of its code


def test_runs_over_files_of_candles_are_replayed_over_them(shell: Shell) -> None:
    import backtestkit as bk

    shell.strategy.write_text(STRATEGY)
    with bk.Kit():
        source = bk.SyntheticExchange("market")
        candles = source.read_candles("BTCUSDT", "1m", 1_748_736_000_000, 1_748_822_400_000)
    rows = ["timestamp,open,high,low,close,volume"]
    columns = (candles.timestamp, candles.open, candles.high, candles.low, candles.close, candles.volume)
    rows += [",".join(map(str, row)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    file = shell.folder / "candles.csv"
    file.write_text("\n".join(rows))
    assert shell.backtest("--candles", "candles.csv").code == 0
    assert shell("runs", "replay", "1").code == 0
    rows[-100] = rows[-100].rpartition(",")[0] + ",123456"
    file.write_text("\n".join(rows))
    line = shell("runs", "replay", "1")
    assert "\n  data_hash was " in line.out
    line = shell("report", "1")
    assert line.code == 1
    assert line.err.startswith(
        "error: the candles of BTCUSDT that exchange 'candles' has are not those of run 1 any more"
    )


def test_runs_side_by_side(shell: Shell) -> None:
    shell.backtest()
    shell.backtest("--policy", "next_open")
    out = shell("runs", "compare", "1", "2").out
    assert "Difference" in out and "\npolicy.market " in out
    figures = json.loads(shell("runs", "compare", "1", "2", "--json").out)
    assert figures["differences"]["policy.market"] == ["average", "next_open"]
    shell.backtest()
    assert shell("runs", "compare", "1", "3").out.startswith("Nothing that was chosen differs")


def test_deleted_runs_stay_counted(shell: Shell) -> None:
    shell.backtest()
    shell.backtest("--policy", "next_open")
    assert shell("runs", "delete", "1").out == "Deleted: 1. That they were tried is kept.\n"
    assert "2 configurations in 2 runs, 0 of them failed" in shell("runs", "trials", "BTCUSDT").out
    assert json.loads(shell("runs", "trials", "BTCUSDT", "--json").out)["configurations"] == 2
    assert shell("runs", "trials", "BTCUSDT", "--strategy", "other").out.startswith(
        "BTCUSDT: 0 configurations in 0 runs"
    )
    assert shell("runs", "delete", "1").err.startswith("error: run 1 was deleted from dump/runs.db")


def test_runs_are_deleted_by_age_and_by_walk(shell: Shell) -> None:
    shell.backtest()
    line = shell("runs", "delete")
    assert line.code == 2
    assert "say which: the numbers of runs, --walk or --before" in " ".join(line.err.replace("│", " ").split())
    assert shell("runs", "delete", "--walk", "none").out.startswith("Deleted: 0.")
    assert shell("runs", "delete", "--before", "2020-01-01").out.startswith("Deleted: 0.")
    assert shell("runs", "delete", "--before", "2100-01-01").out.startswith("Deleted: 1.")


def test_a_store_elsewhere(shell: Shell) -> None:
    shell.backtest()
    (shell.folder / "dump" / "runs.db").rename(shell.folder / "kept.db")
    assert [run["number"] for run in json.loads(shell("runs", "list", "--store", "kept.db", "--json").out)] == [1]
    line = shell("runs", "list", "--store", "nowhere.db")
    assert line.code == 2
    assert "--store nowhere.db does not exist" in line.err


def test_the_report_of_a_kept_run_is_that_of_the_run(shell: Shell) -> None:
    shell.backtest()
    (dumped,) = (shell.folder / "dump" / "backtest").glob("*.md")
    assert shell("report", "1").out == dumped.read_text() + "\n"
    line = shell("report", "1", "--markdown", "run.md")
    assert line.out == "Report: run.md\n"
    assert (shell.folder / "run.md").read_text() == dumped.read_text()


def test_the_tear_sheet_of_a_kept_run(shell: Shell) -> None:
    pytest.importorskip("plotly")
    shell.backtest()
    line = shell("report", "1", "--html", "run.html")
    assert (line.code, line.out) == (0, "Report: run.html\n")
    assert (
        json.loads(shell("runs", "show", "1", "--json").out)["fingerprint"] in (shell.folder / "run.html").read_text()
    )
    line = shell("report", "1", "--html", "run.pdf")
    assert line.code == 2
    assert "--html run.pdf must end in .html" in line.err


def test_a_value_of_candles_means_the_same_everywhere(shell: Shell) -> None:
    (shell.folder / "a=b.csv").touch()
    assert absolute("x.csv") == str(shell.folder / "x.csv")
    assert absolute("BTC=x.csv") == f"BTC={shell.folder / 'x.csv'}"
    assert absolute("a=b.csv") == str(shell.folder / "a=b.csv")
