"""The work of `backtestkit data convert`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from backtestkit.market.convert import convert
from backtestkit.market.verify import guess_interval, verify_candles
from backtestkit.model.interval import iso


def run_convert(source: Path, target: Path) -> None:
    """Convert, then show how the file was read and what is wrong with what was in it."""
    done = asyncio.run(convert(source, target))
    candles = done.candles
    typer.echo(f"Read {source}: {done.layout.describe()}")
    if not len(candles):
        typer.echo(f"Wrote {target}: no candles.")
        return
    interval = guess_interval(candles)
    ends = f"{iso(int(candles.timestamp[0]))} to {iso(int(candles.timestamp[-1]))} UTC"
    dropped = f", {done.dropped:,} repeated rows left out" if done.dropped else ""
    typer.echo(f"Wrote {target}: {len(candles):,} candles of {interval}, {ends}{dropped}")
    for finding in verify_candles(candles, interval):
        typer.echo(f"{finding.severity}: {finding.code} ({finding.count:,}): {finding.detail}")
