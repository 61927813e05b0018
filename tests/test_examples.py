"""The examples run as they say they do: by themselves, from the command line, and on real candles."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.apps.cli import main as cli

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ON_CANDLES_ALONE = [path for path in EXAMPLES if path.stem != "funding_perpetual"]  # which needs funding rates too
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
@pytest.mark.parametrize("example", ON_CANDLES_ALONE, ids=lambda path: path.stem)
def test_an_example_trades_on_real_candles(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = command_line(
        capsys, str(example), "--symbol", "BTCUSDT", "--candles", str(CANDLES), "--output", str(tmp_path)
    )
    assert run["error_count"] == 0
    assert run["statistics"]["total_signals"] >= 10
    assert Path(run["report"]).read_text(encoding="utf-8").startswith("# Backtest Report: ")


@pytest.mark.skipif(not CANDLES.exists(), reason="the real candles are not beside this checkout")
def test_the_perpetual_collects_funding_on_real_candles() -> None:
    with bk.Kit():
        example = runpy.run_path(str(ROOT / "examples" / "funding_perpetual.py"))
        bk.add_exchange(bk.ParquetExchange("real", CANDLES), get_funding_rates=example["made_up_rates"])
        bk.add_frame(frame_name="june", start_date="2025-05-31", end_date="2025-06-29")
        result = bk.Backtest.run(
            "BTCUSDT", strategy_name="funding-perpetual", exchange_name="real", frame_name="june"
        ).wait()
    assert len(result.closed) >= 10 and result.error_count == 0
    paid = [funding for trade in result.closed for funding in trade.signal.fundings]
    received = sum(funding.cost for funding in paid)
    assert len(paid) >= 10 and received > 0  # it stands on the side that was paid last
    assert result.summary.funding_paid == pytest.approx(-received)


def test_without_funding_rates_the_perpetual_does_nothing() -> None:
    with bk.Kit():
        runpy.run_path(str(ROOT / "examples" / "funding_perpetual.py"))
        bk.add_exchange(bk.SyntheticExchange("synthetic"))
        bk.add_frame(frame_name="week", start_date="2025-06-02", end_date="2025-06-09")
        result = bk.Backtest.run(
            "BTCUSDT", strategy_name="funding-perpetual", exchange_name="synthetic", frame_name="week"
        ).wait()
    assert not result.closed and result.error_count == 0
