"""What commands over candles have in common: which exchange, which symbols, from when to when."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from backtestkit.apps.cli.candle_option import Source, absolute, add_candle_exchange, parse_candles
from backtestkit.errors import UsageError, suggest

if TYPE_CHECKING:
    from backtestkit.kit import Kit
    from backtestkit.model.fill_policy import FillPolicy
    from backtestkit.model.schema import ExchangeSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRequest:
    """The options of one command line about files, candles and time, and about what is shown."""

    files: Sequence[Path]
    symbols: Sequence[str] = ()
    candles: Sequence[str] = ()
    start: str | None = None
    end: str | None = None
    policy: str | None = None
    gaps: str | None = None
    base_interval: str | None = None
    coarser: str | None = None
    output: Path | None = None
    progress: bool = False
    as_json: bool = False

    @property
    def dated(self) -> bool:
        """Whether the line says from when or to when."""
        return self.start is not None or self.end is not None

    @property
    def origin(self) -> dict[str, Any]:
        """What it takes to set the runs of the line up again, wherever that is done."""
        return {
            "files": [str(file.resolve()) for file in self.files],
            "candles": [absolute(value) for value in self.candles],
            "gaps": self.gaps,
            "base_interval": self.base_interval,
            "coarser": self.coarser,
        }


def plan_market(kit: Kit, request: MarketRequest, exchange: str | None, stand_in: str) -> tuple[str, list[str]]:
    """The exchange and the symbols of a line. What is missing or ambiguous is wrong usage.

    With --candles their files become the exchange, named `exchange` or `stand_in`; else it is the one named, or the only
    one there is.
    """
    source = parse_candles(request.candles, request.symbols)
    name = candle_exchange(kit, request, source, exchange or stand_in)
    if name is None:
        name = choose(kit, "exchange", exchange, "Give --candles, or add one in the file")
    return name, list(dict.fromkeys(request.symbols or (source if isinstance(source, dict) else ())))


def candle_exchange(kit: Kit, request: MarketRequest, source: Source, name: str) -> str | None:
    """The exchange `name` over --candles; None without them, and then their other options are wrong usage."""
    if request.candles:
        options = {"gaps": request.gaps, "base_interval": request.base_interval, "coarser": request.coarser}
        return add_candle_exchange(kit, source, name=name, **options)
    for option in ("gaps", "base_interval", "coarser"):
        if getattr(request, option) is not None:
            flag = option.replace("_", "-")
            raise typer.BadParameter(f"--{flag} needs --candles; an exchange of a file has its own")
    return None


def need_symbols(symbols: Sequence[str]) -> None:
    """A line without a symbol is wrong usage."""
    if not symbols:
        raise typer.BadParameter("say which market with --symbol, for example --symbol BTCUSDT")


def choose(kit: Kit, kind: str, name: str | None, how: str) -> str:
    """The schema that was named, or the only one there is."""
    names: tuple[str, ...] = kit.registries[kind].names()
    if name is not None:
        if name in names:
            return name
        hint = suggest(name, names, f"bk.add_{kind}(...)")
        raise typer.BadParameter(f"--{kind} {name!r} is not in the files. {hint}")
    if len(names) == 1:
        return names[0]
    if names:
        kinds = "strategies" if kind == "strategy" else f"{kind}s"
        raise typer.BadParameter(f"the files have several {kinds}: {', '.join(names)}. Choose with --{kind}.")
    raise typer.BadParameter(f"there is no {kind}. {how} with bk.add_{kind}(...).")


async def add_frame(
    kit: Kit,
    request: MarketRequest,
    schema: ExchangeSchema,
    symbol: str,
    policy: FillPolicy,
    name: str | None = None,
) -> str:
    """Register a frame over the data of `symbol`, or over the part that --from and --to leave; its name.

    Without a `name` the dates are the name.
    """
    from backtestkit.model.interval import from_ms, interval_step_ms, iso

    start, end = _time(request.start, "--from"), _time(request.end, "--to")
    span = None if schema.span is None else schema.span(symbol, schema.base_interval)
    if inspect.isawaitable(span):
        span = await span
    if span is not None:
        step = interval_step_ms(schema.base_interval)
        # Before its first tick a run reads the candles of one average; a last tick needs a candle that follows it.
        first = span[0] + kit.config.avg_price_candles_count * step
        last = span[1] if policy.frame_end == "last_tick" else span[1] + step
        start, end = max(first, start or first), min(last, end or last)
        if start >= end:
            raise typer.BadParameter(
                f"{symbol} has candles from {iso(span[0])} to {iso(span[1])} (UTC); nothing to test is left between "
                f"--from {request.start or 'the first'} and --to {request.end or 'the last'}"
            )
    if start is None or end is None:
        raise typer.BadParameter(
            f"exchange {schema.name!r} does not say from when to when it has candles of {symbol}. "
            f"Give --from and --to, or add a frame in the file."
        )
    name = name or f"{_frame_time(start)}..{_frame_time(end)}"
    kit.registries["frame"].add(
        frame_name=name, interval=schema.base_interval, start_date=from_ms(start), end_date=from_ms(end), replace=True
    )
    return name


def _time(text: str | None, option: str) -> int | None:
    from backtestkit.model.interval import parse_time, to_ms

    if text is None:
        return None
    try:
        return to_ms(parse_time(text, option))
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None


def _frame_time(timestamp: int) -> str:
    from backtestkit.model.interval import from_ms

    when = from_ms(timestamp)
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%dT%H:%M}"
