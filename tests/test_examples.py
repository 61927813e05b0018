"""The examples run as they say they do: by themselves, from the command line, and on real candles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backtestkit.apps.cli import main as cli

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CANDLES = ROOT.parent / "shared" / "data" / "candles" / "BYBIT_BTCUSDT-PERP_1m_20250529_20250629.parquet"


def command_line(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit) as end:
        cli.main(["backtest", *words, "--json"])
    shown = capsys.readouterr()
    assert end.value.code == 0, shown.err
    runs: list[dict[str, Any]] = json.loads(shown.out)
    return runs


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_itself_and_prints_its_report(example: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-W", "error", str(example)], capture_output=True, text=True, env=environment, timeout=120
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"# Backtest Report: {example.stem.replace('_', '-')}\n")
    assert "**Fingerprint:** " in shown.stdout


@pytest.mark.skipif(not CANDLES.exists(), reason="the real candles are not beside this checkout")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_trades_on_real_candles(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = command_line(
        capsys, str(example), "--symbol", "BTCUSDT", "--candles", str(CANDLES), "--output", str(tmp_path)
    )
    assert run["error_count"] == 0
    assert run["statistics"]["total_signals"] >= 10
    assert Path(run["report"]).read_text(encoding="utf-8").startswith("# Backtest Report: ")
