"""The work of `backtestkit data download`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from backtestkit.market.ccxt_exchange import CcxtExchange, MarketType
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms, iso, parse_time, to_ms
from backtestkit.runtime.clock import SystemClock


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What the command line asked for."""

    venue: str
    symbols: list[str]
    intervals: list[str]
    since: str
    until: str | None
    store: Path
    market_type: str | None
    sandbox: bool
    attempts: int
    refresh: bool
    ccxt_options: str | None


def run_download(request: DownloadRequest) -> None:
    """Download every market and interval, one after the other, and say what there is then."""
    for interval in request.intervals:
        interval_step_ms(interval)
    since = to_ms(parse_time(request.since, "--from"))
    until = SystemClock().now_ms() if request.until is None else to_ms(parse_time(request.until, "--to"))
    if since >= until:
        raise typer.BadParameter(f"--from {iso(since)} must be before --to {iso(until)}")
    try:
        asyncio.run(_download(request, since, until, _options(request.ccxt_options)))
    except KeyboardInterrupt:
        typer.echo("Interrupted. What was downloaded is kept; the same command goes on from there.", err=True)
        raise typer.Exit(130) from None


async def _download(request: DownloadRequest, since: int, until: int, options: dict[str, Any]) -> None:
    source = CcxtExchange(
        request.venue,
        store=request.store,
        market_type=cast("MarketType | None", request.market_type),
        sandbox=request.sandbox,
        attempts=request.attempts,
        options=options,
    )
    async with source:
        with _bars() as progress:
            for symbol in request.symbols:
                for interval in request.intervals:
                    task = progress.add_task(f"{symbol} {interval}", total=until - since)
                    show = partial(_show, progress, task)
                    found = await source.download(
                        symbol, interval, since, until, refresh=request.refresh, on_progress=show
                    )
                    progress.update(task, completed=1, total=1)
                    progress.console.print(_summary(f"{source.stored_as} {symbol} {interval}", found))


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def _summary(market: str, found: Candles) -> str:
    if not len(found):
        return f"{market}: the venue has no candles in that range."
    return f"{market}: {len(found):,} candles, {iso(int(found.timestamp[0]))} to {iso(int(found.timestamp[-1]))} UTC"


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )


def _options(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        options = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"--ccxt is no JSON: {error}") from None
    if not isinstance(options, dict):
        raise typer.BadParameter(f'--ccxt must be an object such as {{"timeout": 20000}}, not {text}')
    return options
