"""The examples run as they say they do: by themselves, from the command line, and on real candles."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.apps.cli import main as cli
from scenarios.market import MINUTE, START, candles
from scenarios.run import market

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SWEEPS = ("forecast_sweep",)  # which test forecasts, not strategies
# The perpetual needs funding rates too.
ON_CANDLES_ALONE = [path for path in EXAMPLES if path.stem not in ("funding_perpetual", *SWEEPS)]
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
    kind, proof = ("Sweep", "rules were tried") if example.stem in SWEEPS else ("Backtest", "**Fingerprint:** ")
    assert shown.stdout.startswith(f"# {kind} Report: {example.stem.replace('_', '-')}\n")
    assert proof in shown.stdout


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


def example_trades(name: str, minutes: list[float], first: int = 400) -> tuple[list[Any], list[Any]]:
    """The trades of an example in a market that stands at a price each minute, and the commands it gave."""
    begin = START + first * MINUTE
    source = candles([(p, p, p, p, 1.0) for p in minutes])
    commits: list[Any] = []
    with bk.Kit():
        runpy.run_path(str(ROOT / "examples" / f"{name}.py"))
        market(source, span=lambda symbol, interval: (START, int(source.timestamp[-1])), coarser="resampled")
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=START + len(minutes) * MINUTE)
        bk.listen_strategy_commit(commits.append)
        run = bk.Backtest.run("BTC", strategy_name=name.replace("_", "-"), exchange_name="x", frame_name="f")
        result = run.wait()
    assert result.error_count == 0
    return list(result.closed), commits


def test_the_ladder_buys_every_step_down_and_closes_on_the_blended_target() -> None:
    fall = [100.0] * 405 + [100 - 0.01 * m for m in range(300)] + [97.0 + 0.02 * m for m in range(200)]
    (trade, *_), commits = example_trades("dca_ladder", fall)
    prices = [entry.price for entry in trade.signal.entries]
    assert 5 <= len(prices) <= 7
    assert all(later <= earlier * 0.995 for earlier, later in pairwise(prices))
    assert trade.close_reason == "closed"
    assert 0.4 <= trade.pnl.pnl_percentage < 0.5
    assert trade.current_price < prices[0], "the whole is in profit below its first entry"
    (note,) = [c.note for c in commits if c.action == "close_pending"][:1]
    assert note == f"{len(prices)} rungs"


def test_the_ladder_has_ten_rungs_and_no_more() -> None:
    fall = [100.0] * 405 + [100 - 0.008 * m for m in range(1000)]
    (trade, *_), _ = example_trades("dca_ladder", fall)
    assert trade.signal.total_entries == 10
    assert trade.pnl.pnl_entries == 1000.0


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
def test_the_stop_goes_to_the_entry_and_then_follows_the_best_price(sign: int) -> None:
    rise = [100.0] * 410 + [100 + sign * 0.02 * m for m in range(1, 151)] + [100 + sign * 3.0] * 20 + [100.0] * 60
    (trade, *_), given = example_trades("trailing_breakeven", rise)
    commits = [c for c in given if c.data.id == trade.signal.id]
    assert trade.signal.position == ("long" if sign > 0 else "short")
    actions = [c.action for c in commits]
    assert "breakeven" in actions
    assert actions.count("trailing_stop") > 50
    stops = [c.data.price_stop_loss for c in commits]
    assert stops == sorted(stops, reverse=sign < 0), "it only ever tightens"
    assert trade.close_reason == "stop_loss"
    assert trade.signal.price_stop_loss == pytest.approx(trade.signal.peak.price * (1 - sign * 0.01), rel=1e-6)


def test_a_breakout_that_fails_ends_at_its_first_stop() -> None:
    fails = [100.0] * 410 + [100.0 + 0.05 * m for m in range(1, 6)] + [100.25] * 15 + [98.0] * 60
    (trade, *_), commits = example_trades("trailing_breakeven", fails)
    assert trade.close_reason == "stop_loss"
    assert trade.signal.price_stop_loss == trade.signal.original_price_stop_loss
    assert trade.signal.id not in {c.data.id for c in commits}
