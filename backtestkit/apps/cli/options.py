"""Options that several commands have, written once: what they are called, what they take, what their help says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer


class Policy(StrEnum):
    """The fill policies that can be named."""

    conservative = "conservative"
    reference = "reference"
    next_open = "next_open"


class Gaps(StrEnum):
    """What to do about missing candles."""

    refuse = "refuse"
    skip = "skip"
    flat = "flat"


class Coarser(StrEnum):
    """Where candles of coarser intervals come from."""

    exchange = "exchange"
    resampled = "resampled"


E = TypeVar("E", bound=StrEnum)


def value_of(choice: E | None) -> str | None:
    """The word that was chosen."""
    return None if choice is None else choice.value


SymbolsOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--symbol", "-s", help="A symbol; may be given several times.")
]
CandlesOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH|SYMBOL=PATH",
        help="Candles, in the place of an exchange of the files: Parquet or CSV, or a folder; may be given several times.",
    ),
]
ExchangeOption: TypeAlias = Annotated[str | None, typer.Option(help="The exchange, when the files add several.")]
StartOption: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Start no earlier, such as 2025-06-01 (UTC).")
]
EndOption: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End no later.")]
PolicyOption: TypeAlias = Annotated[Policy | None, typer.Option(help="The fill policy; the configured one without it.")]
GapsOption: TypeAlias = Annotated[Gaps | None, typer.Option(help="What to do about missing candles (with --candles).")]
BaseIntervalOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="INTERVAL", help="The interval of the candles (with --candles).")
]
CoarserOption: TypeAlias = Annotated[
    Coarser | None, typer.Option(help="Where coarser candles come from (with --candles).")
]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder of the reports; a folder of the command's name in dump without it.")
]
ProgressOption: TypeAlias = Annotated[bool, typer.Option("--progress/--no-progress", help="Show how far it is.")]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
StoreOption: TypeAlias = Annotated[
    Path | None, typer.Option("--store", metavar="FILE", help="The run store; the configured one without it.")
]
