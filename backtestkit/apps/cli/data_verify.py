"""The work of `backtestkit data verify` and `backtestkit data list`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from backtestkit.errors import UsageError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.tables import TABLE_ENDINGS
from backtestkit.market.verify import Finding, Verified, verify_file, verify_store
from backtestkit.model.interval import iso

_WIDTH_OF_PIPES = 200


def run_verify(paths: list[Path], interval: str | None, gaps_ok: bool) -> bool:
    """Show what is found in files, folders and stores; whether there is no error."""
    table = _table("Candles", "Interval", "Count", "From", "To", "Finding", "Times", "What", "Where")
    sound = True
    looked_at = 0
    for path in paths:
        for verified in _verify(path, interval):
            result = replace(verified, findings=tuple(_lenient(verified.findings))) if gaps_ok else verified
            looked_at += 1
            sound &= result.sound
            _add(table, result)
    _console().print(table)
    typer.echo(f"{looked_at} looked at: " + ("no errors." if sound else "there are errors."))
    return sound


def run_list(root: Path) -> None:
    """Show the markets of a store."""
    markets = CandleStore(root).markets()
    if not markets:
        raise UsageError(
            f"{root} holds no candle store. Fill one with: backtestkit data download VENUE SYMBOL --from TIME"
        )
    table = _table("Exchange", "Symbol", "Interval", "Candles", "From", "To", "Ranges", "Missing", "MB")
    for market in markets:
        table.add_row(
            market.exchange_name,
            market.symbol,
            market.interval,
            f"{market.candles:,}",
            iso(market.coverage[0][0]),
            iso(market.coverage[-1][1]),
            str(len(market.coverage)),
            f"{market.missing:,}",
            f"{market.size_bytes / 1e6:.1f}",
        )
    _console().print(table)


def _verify(path: Path, interval: str | None) -> Iterator[Verified]:
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    if path.is_file():
        yield verify_file(path, interval)
        return
    store = CandleStore(path)
    if any(store.blocks()):
        yield from verify_store(store)
        return
    files = sorted(file for file in path.iterdir() if file.name.lower().removesuffix(".gz").endswith(TABLE_ENDINGS))
    if not files:
        raise UsageError(f"{path} holds neither a candle store nor files that end in {', '.join(TABLE_ENDINGS)}")
    for file in files:
        yield verify_file(file, interval)


def _lenient(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    for finding in findings:
        yield replace(finding, severity="remark") if finding.code == "gap" else finding


def _add(table: Table, result: Verified) -> None:
    ends = ["-" if at is None else iso(at) for at in (result.first, result.last)]
    head = [result.subject, result.interval, f"{result.candles:,}", *ends]
    for finding in result.findings or (Finding("none", "remark", 0, ""),):
        style = "red" if finding.severity == "error" else ""
        where = ", ".join(finding.places) + (", ..." if finding.count > len(finding.places) else "")
        name = finding.code if finding.severity == "remark" else f"{finding.code} (error)"
        table.add_row(*head, name, f"{finding.count:,}" if finding.count else "", finding.detail, where, style=style)
        head = [""] * len(head)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        right = heading in {"Count", "Times", "Candles", "Ranges", "Missing", "MB"} and heading != headings[0]
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    return table


def _console() -> Console:
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=_WIDTH_OF_PIPES)
