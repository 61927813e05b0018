"""`backtestkit sweep`: what it reads, what it prints, and which lines it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.apps.cli import main as cli
from backtestkit.apps.cli.sweep_show import table_rows
from scenarios.market import MINUTE, START

MINUTES = 9000
HEADING = "timestamp,open,high,low,close,volume"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Candles, ideas in three formats and a grid, in the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(MINUTES)) * 0.001)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.0005, np.minimum(open_, close) * 0.9995
    rows = zip(range(MINUTES), open_.tolist(), high.tolist(), low.tolist(), close.tolist(), strict=True)
    lines = [f"{START + i * MINUTE},{o!r},{h!r},{lo!r},{c!r},1" for i, o, h, lo, c in rows]
    Path("candles.csv").write_text("\n".join([HEADING, *lines]), encoding="utf-8")
    ideas = [
        {
            "id": f"i{i}",
            "ts": START + i * 480 * MINUTE,
            "symbol": "BTC",
            "direction": "LONG" if i % 2 else "SHORT",
            "author": "ann",
        }
        for i in range(18)
    ]
    write_ideas(ideas)
    Path("grid.json").write_text('{"hard_stop_percent": [1, 2], "hold_minutes": [60, 120]}', encoding="utf-8")
    return tmp_path


def write_ideas(ideas: list[dict[str, Any]]) -> None:
    Path("ideas.json").write_text(json.dumps(ideas), encoding="utf-8")
    Path("ideas.jsonl").write_text("\n\n".join(map(json.dumps, ideas)), encoding="utf-8")
    rows = [",".join(str(value) for value in idea.values()) for idea in ideas]
    Path("ideas.csv").write_text("\n".join([",".join(ideas[0]), *rows]), encoding="utf-8")


def line(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    """Output and errors of one command line."""
    with pytest.raises(SystemExit) as end:
        cli.main(["sweep", *words])
    shown = capsys.readouterr()
    assert end.value.code == code, shown.err
    return shown.out, shown.err


def objects(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(line(capsys, *words, "--json")[0])
    return found


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a line that makes no sense is told, on one line."""
    _, shown = line(capsys, *words, code=2)
    return " ".join(shown.replace("│", " ").split())


CANDLES = ("--candles", "BTC=candles.csv")


@pytest.mark.usefixtures("folder")
class TestRuns:
    def test_the_formats_of_ideas_come_to_the_same(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = [
            objects(capsys, "--ideas", f"ideas.{ending}", "--grid", "grid.json", *CANDLES, "--output", "out")
            for ending in ("json", "jsonl", "csv")
        ]
        assert [f"{one.pop('report') is not None}" for (one,) in found] == ["True"] * 3
        assert found[0] == found[1] == found[2]
        (only,) = found[0]
        assert only["error"] is None and only["points"] == 320 and only["counts"]["out_of_sample"] == 5
        assert len(only["top"]) == 20 and only["best"]["sharpe"] == only["top"][0]
        assert only["best"]["sharpe"]["out_of_sample"]["trade_count"] > 0

    def test_a_table_shows_the_winner_in_both_samples_and_says_what_was_tried(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shown, _ = line(capsys, "--ideas", "ideas.csv", "--grid", "grid.json", *CANDLES, "--output", "out")
        heading, _, inside, outside, *rest = shown.splitlines()
        assert heading.split()[:4] == ["Symbol", "Best", "rule", "Ideas"]
        assert inside.startswith("BTC") and "  in  " in inside and "  out  " in outside
        assert "BTC: 320 rules tried on 18 ideas;" in shown
        assert "the best by sharpe in sample ranks" in shown
        (report,) = Path("out").iterdir()
        assert rest[-1] == f"Report: {report}" and report.read_text(encoding="utf-8").startswith(
            "# Sweep Report: ideas"
        )

    def test_every_symbol_of_the_ideas_unless_told_otherwise(self, capsys: pytest.CaptureFixture[str]) -> None:
        ideas = json.loads(Path("ideas.json").read_text(encoding="utf-8"))
        write_ideas([*ideas, {**ideas[0], "symbol": "ETH"}])
        common = ("--ideas", "ideas.json", "--grid", "grid.json", "--output", "out")
        both = objects(capsys, *common, *CANDLES, "--candles", "ETH=candles.csv")
        assert [one["symbol"] for one in both] == ["BTC", "ETH"]
        assert [one["symbol"] for one in objects(capsys, *common, *CANDLES, "--symbol", "BTC")] == ["BTC"]

    def test_options_change_the_sweep(self, capsys: pytest.CaptureFixture[str]) -> None:
        common = ("--ideas", "ideas.json", "--grid", "grid.json", *CANDLES, "--output", "out")
        (pnl,) = objects(capsys, *common, "--order", "pnl", "--holdout", "0", "--policy", "reference")
        assert (pnl["order"], pnl["policy"], pnl["split_at"]) == ("pnl", "reference", None)
        assert pnl["best"]["pnl"]["out_of_sample"] is None
        (dated,) = objects(capsys, *common, "--holdout-from", "2025-01-02")
        assert dated["split_at"] == START + 1440 * MINUTE

    def test_a_file_may_bring_the_exchange_and_the_sweep(self, capsys: pytest.CaptureFixture[str]) -> None:
        file = Path("mine.py")
        code = """
import backtestkit as bk
bk.add_exchange(bk.CsvExchange("files", {"BTC": ["candles.csv"]}))
bk.add_sweep(sweep_name="mine", exchange_name="files", grid_axes={"hold_minutes": [60]}, repeat_minutes=0)
"""
        file.write_text(code, encoding="utf-8")
        (found,) = objects(capsys, "mine.py", "--ideas", "ideas.csv", "--output", "out")
        assert (found["sweep_name"], found["exchange_name"], found["points"]) == ("mine", "files", 1520)
        (changed,) = objects(capsys, "mine.py", "--ideas", "ideas.csv", "--output", "out", "--grid", "grid.json")
        assert (changed["sweep_name"], changed["points"]) == ("mine", 320)
        file.write_text(code.replace("repeat_minutes=0", "holdout_from='2025-01-03'"), encoding="utf-8")
        common = ("mine.py", "--ideas", "ideas.csv", "--output", "out", "--grid", "grid.json")
        assert [objects(capsys, *common, *words)[0]["split_at"] for words in ((), ("--holdout", "0"))] == [
            START + 2 * 1440 * MINUTE,
            None,
        ]
        file.write_text(code.replace("repeat_minutes=0", "holdout_percent=50"), encoding="utf-8")
        assert objects(capsys, *common, "--holdout-from", "2025-01-02")[0]["split_at"] == START + 1440 * MINUTE
        file.write_text(code.split("bk.add_sweep")[0], encoding="utf-8")
        for words in ((), ("--exchange", "files")):
            (plain,) = objects(
                capsys, "mine.py", "--ideas", "ideas.csv", "--output", "out", "--grid", "grid.json", *words
            )
            assert (plain["sweep_name"], plain["exchange_name"]) == ("ideas", "files")

    def test_a_sweep_that_fails_is_shown_and_the_others_go_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        ideas = json.loads(Path("ideas.json").read_text(encoding="utf-8"))
        write_ideas([{**ideas[0], "symbol": "ETH"}, *ideas])
        text = Path("candles.csv").read_text(encoding="utf-8").splitlines()
        Path("holes.csv").write_text("\n".join(text[:10] + text[20:]), encoding="utf-8")
        words = (
            "--ideas",
            "ideas.json",
            "--grid",
            "grid.json",
            *CANDLES,
            "--candles",
            "ETH=holes.csv",
            "--output",
            "out",
        )
        shown, errors = line(capsys, *words, code=1)
        assert "ideas ETH failed." in errors and "holes" in errors and "BTC: 320 rules" in shown
        with pytest.raises(SystemExit):
            cli.main(["sweep", *words, "--json"])
        failed, fine = json.loads(capsys.readouterr().out)
        assert "holes" in failed["error"] and "best" not in failed and fine["error"] is None
        only, errors = line(capsys, *words, "--symbol", "ETH", code=1)
        assert only == "" and "ideas ETH failed." in errors

    def test_ideas_that_nothing_came_of_have_no_winner(self, capsys: pytest.CaptureFixture[str]) -> None:
        ideas = json.loads(Path("ideas.json").read_text(encoding="utf-8"))
        write_ideas([{**ideas[0], "ts": START + 99_000 * MINUTE}])
        common = ("--ideas", "ideas.json", "--grid", "grid.json", *CANDLES, "--output", "out")
        shown, _ = line(capsys, *common)
        assert "BTC: 320 rules tried on 1 ideas (1 without candles left out)" in shown
        (found,) = objects(capsys, *common)
        assert found["best"]["sharpe"] is None and found["counts"]["without_candles"] == 1

    def test_bars_are_drawn_where_somebody_sees_them(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import sys

        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        line(capsys, "--ideas", "ideas.csv", "--grid", "grid.json", *CANDLES, "--output", "out")
        line(capsys, "--ideas", "ideas.csv", "--grid", "grid.json", *CANDLES, "--output", "out", "--no-progress")


@pytest.mark.usefixtures("folder")
class TestRefused:
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            ((), "there is no exchange. Give --candles, or add one in a file"),
            (("--gaps", "skip"), "--gaps needs --candles"),
            (
                ("--holdout", "40", "--holdout-from", "2025-01-02", *CANDLES),
                "--holdout, --holdout-from: sweep 'ideas' refused: holdout_percent=40 has no place beside holdout_from",
            ),
            (("--base-interval", "5m"), "--base-interval needs --candles"),
            (("--exchange", "nowhere"), "--exchange: exchange 'nowhere' is not registered"),
            (("--sweep", "s", *CANDLES), "--sweep 's' is not in the files"),
            (
                ("--symbol", "BTX", "--candles", "candles.csv"),
                "--symbol BTX: no idea of ideas.csv is about it. Did you mean 'BTC'",
            ),
            (
                ("--holdout", "100", *CANDLES),
                "--holdout: sweep 'ideas' refused: holdout_percent=100.0 must be a percentage",
            ),
            (
                ("--holdout-from", "soon", *CANDLES),
                "--holdout-from: sweep 'ideas' refused: holdout_from='soon' is not a time",
            ),
        ],
    )
    def test_a_line_that_makes_no_sense(
        self, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
    ) -> None:
        assert complaint in refusal(capsys, "--ideas", "ideas.csv", *words)

    @pytest.mark.parametrize(
        ("name", "text", "complaint"),
        [
            ("ideas.txt", "", "--ideas ideas.txt must end in .json, .jsonl or .csv"),
            ("ideas.json", "{", "--ideas ideas.json is no JSON"),
            ("ideas.json", "[]", "--ideas ideas.json holds no idea"),
            ("ideas.json", "{}", "--ideas ideas.json: ideas must be a list"),
            (
                "ideas.json",
                '[{"id": "1"}]',
                "--ideas ideas.json: 1 ideas refused: ideas[0] lacks timestamp, symbol, direction",
            ),
            ("ideas.jsonl", '{"id": "1"}\n\n{', "--ideas ideas.jsonl, line 3 is no JSON"),
            ("ideas.csv", "id,ts\n1", "--ideas ideas.csv, line 2: has not as many fields as the heading"),
            ("ideas.csv", 'id,ts\n1,"2"3', "--ideas ideas.csv is no table in UTF-8: ',' expected after '\"'"),
            ("ideas.csv", "id,ts\n1,2,3", "--ideas ideas.csv, line 2: has not as many fields as the heading"),
        ],
    )
    def test_ideas(self, capsys: pytest.CaptureFixture[str], name: str, text: str, complaint: str) -> None:
        Path(name).write_text(text, encoding="utf-8")
        assert complaint in refusal(capsys, "--ideas", name, *CANDLES)

    def test_a_grid(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("grid.json").write_text('{"hold_minutes": [], "hard_stop": [1]}', encoding="utf-8")
        told = refusal(capsys, "--ideas", "ideas.csv", "--grid", "grid.json", *CANDLES)
        assert "--grid: sweep grid refused: hold_minutes=[] must have at least one value" in told
        assert "hard_stop=[1] is no field of GridAxes. Did you mean hard_stop_percent" in told

    def test_an_ambiguous_choice(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("two.py").write_text(
            "import backtestkit as bk\nfor name in 'ab':\n    bk.add_exchange(bk.SyntheticExchange(name))\n",
            encoding="utf-8",
        )
        told = refusal(capsys, "two.py", "--ideas", "ideas.csv")
        assert "the files have several exchanges: a, b. Choose with --exchange" in told
        with Path("two.py").open("a", encoding="utf-8") as file:
            file.write("    bk.add_sweep(sweep_name=name, exchange_name=name)\n")
        told = refusal(capsys, "two.py", "--ideas", "ideas.csv")
        assert "the files have several sweeps: a, b. Choose with --sweep" in told


def test_a_sweep_without_a_hold_out_has_one_row() -> None:
    class Counts:
        in_sample = 0

    class Result:
        best: dict[str, Any] = {"sharpe": None}  # noqa: RUF012
        order, symbol, counts, out_of_sample = "sharpe", "BTC", Counts(), None

    result: Any = Result()
    assert table_rows(result) == [("BTC", "-", "0", "in", *("-",) * 6)]
