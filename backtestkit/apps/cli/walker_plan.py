"""From a command line to a walk: which walker, over which candles, and what other processes have to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from backtestkit.apps.cli.candle_option import add_candle_exchange, parse_candles
from backtestkit.apps.cli.market_plan import MarketRequest, add_frame, choose, need_symbols, plan_market
from backtestkit.services.logic.walker_remote import SetupFile, portable, run_setup

if TYPE_CHECKING:
    from backtestkit.kit import Kit
    from backtestkit.model.fill_policy import FillPolicy
    from backtestkit.model.schema import WalkerSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerRequest(MarketRequest):
    """One command line, as the options of `backtestkit walker` have it."""

    walker: str | None = None
    processes: int = 1
    cluster: str | None = None
    resume: bool = False
    top: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerSetup:
    """Registers in another process what a line has registered here: files, candles and the frame."""

    files: tuple[SetupFile, ...]
    candles: tuple[str, ...]
    symbols: tuple[str, ...]
    exchange: str
    gaps: str | None
    base_interval: str | None
    coarser: str | None
    frame: tuple[str, str, datetime, datetime] | None

    def __call__(self) -> None:
        """Do it, in the current kit."""
        import backtestkit as bk

        kit = bk.current_kit()
        bk.listen_error(lambda event: None)  # as here: they are counted and shown with the results
        run_setup(self.files)
        if self.candles:
            add_candle_exchange(
                kit,
                parse_candles(self.candles, self.symbols),
                name=self.exchange,
                gaps=self.gaps,
                base_interval=self.base_interval,
                coarser=self.coarser,
            )
        if self.frame is not None:
            name, interval, start, end = self.frame
            kit.registries["frame"].add(
                frame_name=name, interval=interval, start_date=start, end_date=end, replace=True
            )


def plan_walker(kit: Kit, request: WalkerRequest) -> tuple[WalkerSchema, list[str]]:
    """The walker and the symbols of a line. What is missing or ambiguous is wrong usage."""
    if request.processes < 1:
        raise typer.BadParameter(f"--processes {request.processes} must be at least 1")
    if request.cluster is not None and request.processes > 1:
        raise typer.BadParameter("--cluster has processes of its own; leave out --processes")
    walker = choose(kit, "walker", request.walker, "Add one in the file")
    schema: WalkerSchema = kit.registries["walker"].get(walker)
    exchanges: tuple[str, ...] = kit.registries["exchange"].names()
    if not request.candles and schema.exchange_name not in exchanges:
        raise typer.BadParameter(
            f"walker {walker!r} needs exchange {schema.exchange_name!r}, which is not in the files. "
            f"Give --candles, or add it with bk.add_exchange(...)."
        )
    _, symbols = plan_market(kit, request, schema.exchange_name, schema.exchange_name)
    need_symbols(symbols)
    return schema, symbols


async def plan_frame(
    kit: Kit, request: WalkerRequest, schema: WalkerSchema, symbol: str, policy: FillPolicy
) -> WalkerSetup:
    """The set-up of other processes for one symbol.

    The frame of the walker is used as it is registered; when the line has dates, or the files have no such frame, one
    over the data of the symbol takes its name.
    """
    name, frame = schema.frame_name, None
    if request.dated or name not in kit.registries["frame"].names():
        await add_frame(kit, request, kit.registries["exchange"].get(schema.exchange_name), symbol, policy, name)
        added = kit.registries["frame"].get(name)
        frame = (name, added.interval, added.start_date, added.end_date)
    return WalkerSetup(
        files=texts(request.files),
        candles=tuple(request.candles),
        symbols=tuple(request.symbols),
        exchange=schema.exchange_name,
        gaps=request.gaps,
        base_interval=request.base_interval,
        coarser=request.coarser,
        frame=frame,
    )


def texts(files: Sequence[Path]) -> tuple[SetupFile, ...]:
    """The strategy files with their texts."""
    read = portable(list(files))
    assert isinstance(read, tuple), read
    return read
