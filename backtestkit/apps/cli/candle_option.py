"""`--candles`: files and folders of candles as an exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from backtestkit.model.interval import CANDLE_INTERVALS

if TYPE_CHECKING:
    from backtestkit.kit import Kit

Source: TypeAlias = "list[Path] | dict[str, list[Path]]"


def parse_candles(values: Sequence[str], symbols: Sequence[str]) -> Source:
    """What `--candles` named: files by symbol, or files and folders whose names say which market they hold.

    One file for one symbol is taken as it is, whatever it is called.
    """
    by_symbol: dict[str, list[Path]] = {}
    bare: list[Path] = []
    for value in values:
        symbol, sign, place = value.partition("=")
        if sign and not Path(value).exists():
            if not symbol or not place:
                raise typer.BadParameter(f"--candles {value!r} must be PATH or SYMBOL=PATH")
            by_symbol.setdefault(symbol, []).append(Path(place))
        else:
            bare.append(Path(value))
    if bare and by_symbol:
        raise typer.BadParameter("give --candles either as paths or as SYMBOL=PATH for each of them, not both")
    for path in [*bare, *(path for paths in by_symbol.values() for path in paths)]:
        if not path.exists():
            raise typer.BadParameter(f"--candles {path} does not exist")
    missing = [symbol for symbol in symbols if by_symbol and symbol not in by_symbol]
    if missing:
        raise typer.BadParameter(f"--candles names no file for {', '.join(missing)}; add {missing[0]}=PATH")
    if len(bare) == len(symbols) == 1 and bare[0].is_file():
        return {symbols[0]: bare}
    return by_symbol or bare


def absolute(value: str) -> str:
    """One value of `--candles` that means the same in every folder."""
    symbol, sign, place = value.partition("=")
    if sign and not Path(value).exists():
        return f"{symbol}={Path(place).resolve()}"
    return str(Path(value).resolve())


def add_candle_exchange(
    kit: Kit, source: Source, *, name: str, gaps: str | None, base_interval: str | None, coarser: str | None
) -> str:
    """Register the exchange over `source`; its name.

    Without `base_interval` it is the finest that the file names mention, 1m when they mention none.
    """
    import backtestkit as bk

    make = bk.CsvExchange if _holds_text(source) else bk.ParquetExchange
    given = {"gaps": gaps, "base_interval": base_interval, "coarser": coarser}
    options: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
    exchange = make(name, source, **options)
    if base_interval is None:
        mentioned = {file.interval or "1m" for file in exchange.files}
        finest = next((interval for interval in CANDLE_INTERVALS if interval in mentioned), "1m")
        if finest != "1m":
            options["base_interval"] = finest
            exchange = make(name, source, **options)
    kit.registries["exchange"].add(exchange, replace=True)
    return name


def _holds_text(source: Source) -> bool:
    """Whether the files are tables of text; folders are asked for what they hold."""
    paths = [p for listed in source.values() for p in listed] if isinstance(source, Mapping) else source
    files = [file for path in paths for file in (path.iterdir() if path.is_dir() else [path])]
    parquet = [file.suffix.lower() == ".parquet" for file in files]
    if any(not path.is_dir() for path in paths) and any(parquet) and not all(parquet):
        raise typer.BadParameter("--candles mixes Parquet and text files; give one kind at a time")
    return not any(parquet)
