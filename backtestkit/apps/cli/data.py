"""`backtestkit data`: download, verify, list and convert candles."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(help="Download, verify, list and convert candles.", no_args_is_help=True, add_completion=False)

STORE_HELP = "Folder of the candle store."
DEFAULT_STORE = Path("dump/data/candle")


class MarketType(StrEnum):
    """What a symbol of a venue means when it may mean several markets."""

    spot = "spot"
    margin = "margin"
    swap = "swap"
    future = "future"
    option = "option"


@data_app.command()
def download(
    venue: Annotated[str, typer.Argument(help="A venue that ccxt knows, such as bybit.")],
    symbols: Annotated[list[str], typer.Argument(help="Markets, such as BTC/USDT or BTC/USDT:USDT.")],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="First candle, such as 2025-06-01 (UTC).")],
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End, not included; now when it is not given.")
    ] = None,
    interval: Annotated[
        list[str] | None, typer.Option("--interval", "-i", help="An interval (1m); may be given several times.")
    ] = None,
    store: Annotated[Path, typer.Option(help=STORE_HELP)] = DEFAULT_STORE,
    market_type: Annotated[MarketType | None, typer.Option(help="What a symbol such as BTCUSDT means.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Ask the venue's sandbox.")] = False,
    attempts: Annotated[int, typer.Option(min=1, help="How often a request is tried.")] = 5,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again for what is in the store, and replace it.")
    ] = False,
    ccxt_options: Annotated[
        str | None, typer.Option("--ccxt", metavar="JSON", help="Configuration of the ccxt client, such as a proxy.")
    ] = None,
) -> None:
    """Download candles of a venue into the store. What is there is not asked for again, so it can be interrupted."""
    from backtestkit.apps.cli.data_download import DownloadRequest, run_download

    run_download(
        DownloadRequest(
            venue,
            symbols,
            interval or ["1m"],
            since,
            until,
            store,
            None if market_type is None else market_type.value,
            sandbox,
            attempts,
            refresh,
            ccxt_options,
        )
    )


@data_app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Candle files, folders of them, or candle stores; the default store when none is given."),
    ] = None,
    interval: Annotated[
        str | None, typer.Option("--interval", "-i", help="Interval of the files; guessed when it is not given.")
    ] = None,
    gaps_ok: Annotated[bool, typer.Option("--gaps-ok", help="Take missing candles as remarks.")] = False,
) -> None:
    """Look for what is wrong with candles and where. Ends with 1 when there is an error; remarks do not count."""
    from backtestkit.apps.cli.data_verify import run_verify

    if not run_verify(paths or [DEFAULT_STORE], interval, gaps_ok):
        raise typer.Exit(1)


@data_app.command("list")
def list_markets(
    store: Annotated[Path, typer.Argument(help=STORE_HELP)] = DEFAULT_STORE,
) -> None:
    """List the markets of a candle store: what is there, since when, and what the venue did not have."""
    from backtestkit.apps.cli.data_verify import run_list

    run_list(store)


@data_app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A CSV, Parquet or JSON file with candles.")],
    target: Annotated[Path, typer.Argument(help="The file to write: .parquet, .csv, .json or .jsonl.")],
) -> None:
    """Convert a candle file. Names of columns and units of times are guessed, and the guess is shown."""
    from backtestkit.apps.cli.data_convert import run_convert

    run_convert(source, target)
