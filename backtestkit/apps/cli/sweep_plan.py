"""From a command line to sweeps: which ideas, which grid, over which candles."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

from backtestkit.apps.cli.candle_option import parse_candles
from backtestkit.apps.cli.market_plan import MarketRequest, candle_exchange, choose
from backtestkit.errors import NotRegisteredError, SchemaError, UsageError, suggest

if TYPE_CHECKING:
    from backtestkit.api.sweep import SweepRun
    from backtestkit.kit import Kit
    from backtestkit.model.sweep import Idea


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest(MarketRequest):
    """One command line, as the options of `backtestkit sweep` have it."""

    ideas: Path
    grid: Path | None = None
    sweep: str | None = None
    exchange: str | None = None
    order: str | None = None
    holdout: float | None = None
    holdout_from: str | None = None


def plan_sweeps(kit: Kit, request: SweepRequest) -> list[SweepRun]:
    """One sweep for each symbol. What is missing, malformed or ambiguous in the line is wrong usage."""
    import backtestkit as bk
    from backtestkit.services.core.run_resolver import resolve_policy

    ideas = read_ideas(request.ideas)
    symbols = list(dict.fromkeys(request.symbols or [idea.symbol for idea in ideas]))
    if not symbols:
        raise typer.BadParameter(f"--ideas {request.ideas} holds no idea")
    about = sorted({idea.symbol for idea in ideas})
    for symbol in symbols:
        if symbol not in about:
            hint = suggest(symbol, about, "an idea about it")
            raise typer.BadParameter(f"--symbol {symbol}: no idea of {request.ideas} is about it. {hint}")
    policy = resolve_policy(request.policy, kit.config)
    name = _sweep(kit, request, symbols)
    return [bk.Sweep.run(symbol, sweep_name=name, ideas=ideas, policy=policy) for symbol in symbols]


def _sweep(kit: Kit, request: SweepRequest, symbols: Sequence[str]) -> str:
    """The sweep of the files, or a new one, with what the line says about it; its name."""
    from backtestkit.model.schema.sweep import HOLDOUT_PERCENT

    exchange = _exchange(kit, request, symbols)
    registry = kit.registries["sweep"]
    names = registry.names()
    given: dict[str, Any] = {
        "exchange_name": exchange,
        "grid_axes": None if request.grid is None else _read_json(request.grid, "--grid"),
        "report_order": request.order,
        "holdout_percent": request.holdout,
        "holdout_from": request.holdout_from,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    # The line's word on the hold-out takes the place of the file's, in either form.
    if request.holdout is not None:
        changes.setdefault("holdout_from", None)
    elif request.holdout_from is not None:
        changes["holdout_percent"] = HOLDOUT_PERCENT
    name = request.sweep or (names[0] if len(names) == 1 else None)
    if name is None and names:
        raise typer.BadParameter(f"the files have several sweeps: {', '.join(names)}. Choose with --sweep.")
    if request.sweep is not None and request.sweep not in names:
        hint = suggest(request.sweep, names, "bk.add_sweep(...)")
        raise typer.BadParameter(f"--sweep {request.sweep!r} is not in the files. {hint}")
    try:
        if name is not None:
            if changes:
                registry.override(name, **changes)
            return name
        if exchange is None:
            exchange = changes["exchange_name"] = choose(kit, "exchange", None, "Give --candles, or add one in a file")
        registry.add(sweep_name=request.ideas.stem, **changes)
        return request.ideas.stem
    except SchemaError as error:
        raise typer.BadParameter(f"{_options(request)}: {error}") from None


def _options(request: SweepRequest) -> str:
    """The options that a refused sweep may be refused for."""
    given = {
        "--grid": request.grid, "--order": request.order, "--holdout": request.holdout,
        "--holdout-from": request.holdout_from,
    }  # fmt: skip
    return ", ".join(option for option, value in given.items() if value is not None) or f"--ideas {request.ideas}"


def _exchange(kit: Kit, request: SweepRequest, symbols: Sequence[str]) -> str | None:
    """The exchange over --candles or the one that --exchange names; None when the line names none."""
    source = parse_candles(request.candles, symbols) if request.candles else []
    name = candle_exchange(kit, request, source, request.exchange or "candles")
    if name is not None:
        return name
    if request.exchange is not None:
        try:
            kit.registries["exchange"].get(request.exchange)
        except NotRegisteredError as error:
            raise typer.BadParameter(f"--exchange: {error}") from None
    return request.exchange


def read_ideas(path: Path) -> list[Idea]:
    """The ideas of a file: a JSON list of objects, an object a line, or a table with a heading."""
    from backtestkit.clients.sweep_ideas import as_ideas

    ending = path.suffix.lower()
    if ending == ".json":
        rows = _read_json(path, "--ideas")
    elif ending == ".jsonl":
        rows = [
            _parsed(line, f"--ideas {path}, line {number}")
            for number, line in enumerate(path.read_bytes().splitlines(), 1)
            if line.strip()
        ]
    elif ending == ".csv":
        rows = _read_table(path)
    else:
        raise typer.BadParameter(f"--ideas {path} must end in .json, .jsonl or .csv")
    try:
        return as_ideas(rows)
    except UsageError as error:
        raise typer.BadParameter(f"--ideas {path}: {error}") from None


def _read_table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file, strict=True), 2):
                if None in row or None in row.values():
                    raise typer.BadParameter(f"--ideas {path}, line {number}: has not as many fields as the heading")
                rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--ideas {path} is no table in UTF-8: {error}") from None
    for row in rows:
        for field in ("ts", "timestamp"):
            if str(row.get(field, "")).isdigit():
                row[field] = int(row[field])
    return rows


def _read_json(path: Path, option: str) -> Any:
    return _parsed(path.read_bytes(), f"{option} {path}")


def _parsed(text: bytes, place: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"{place} is no JSON: {error}") from None
