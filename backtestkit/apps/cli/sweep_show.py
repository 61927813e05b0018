"""Results of sweeps, as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import orjson
import typer

from backtestkit.apps.cli.error_block import error_block
from backtestkit.apps.cli.outcome import SweepOutcome
from backtestkit.apps.cli.show_table import NONE, aligned
from backtestkit.model.sweep import SweepPair, SweepReport, SweepResult
from backtestkit.services.report import formats
from backtestkit.services.report.sweep_report import out_of_sample_rank

HEADINGS = ("Symbol", "Best rule", "Ideas", "Sample", "Trades", "Sharpe", "Sortino", "Total PNL", "Win rate", "Max DD")
TOP = 20
"""How many rules the JSON lists."""


def show_table(outcomes: Sequence[SweepOutcome]) -> None:
    """Print two rows per sweep, in sample and out of sample, what was tried, where the reports are, and what went wrong."""
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    if results:
        for line in aligned([HEADINGS, *(row for result in results for row in table_rows(result))]):
            typer.echo(line)
        typer.echo()
    for result in results:
        typer.echo(tried(result))
    for outcome in outcomes:
        if outcome.report is not None:
            typer.echo(f"Report: {outcome.report}")
    for outcome in outcomes:
        if outcome.error is not None:
            typer.echo(f"{outcome.run.key.strategy_name} {outcome.run.key.symbol} failed.", err=True)
            typer.echo(error_block(outcome.error), err=True)


def table_rows(result: SweepResult) -> list[tuple[str, ...]]:
    """The winner in both samples."""
    pair, counts = result.best[result.order], result.counts
    rule = NONE if pair is None else str(pair.rule)
    inside = _cells(None if pair is None else pair.in_sample)
    rows = [(result.symbol, rule, str(counts.in_sample), "in", *inside)]
    if result.out_of_sample is not None:
        outside = _cells(None if pair is None else pair.out_of_sample)
        rows.append(("", "", str(counts.out_of_sample), "out", *outside))
    return rows


def _cells(report: SweepReport | None) -> tuple[str, ...]:
    if report is None:
        return (NONE,) * 6
    cells = (
        str(report.trade_count),
        formats.fixed(report.sharpe, 3),
        formats.fixed(report.sortino, 3),
        formats.signed_percent(report.total_pnl_percent, 2),
        formats.percent(report.win_rate, 1),
        formats.percent(report.max_series_drawdown_percent, 2),
    )
    return tuple(NONE if cell is None else cell for cell in cells)


def tried(result: SweepResult) -> str:
    """What was tried, and what became of the ideas, in one line."""
    counts = result.counts
    left_out = [
        f"{count} {what}"
        for count, what in (
            (counts.neutral, "neutral"),
            (counts.repeated, "repeated"),
            (counts.without_candles, "without candles"),
            (counts.purged, "purged"),
        )
        if count
    ]
    ideas = f"{counts.total} ideas" + (f" ({', '.join(left_out)} left out)" if left_out else "")
    truncated = f", {counts.truncated} of them truncated" if counts.truncated else ""
    pair = result.best[result.order]
    rank = None if pair is None else out_of_sample_rank(result, pair)
    place = "" if rank is None else f"; the best by {result.order} in sample ranks {rank} out of sample"
    return f"{result.symbol}: {result.points} rules tried on {ideas}{truncated}{place}"


def show_json(outcomes: Sequence[SweepOutcome]) -> None:
    """Print a list with one object per sweep: its names, `error` (null when it went through), counts and figures."""
    typer.echo(orjson.dumps([sweep_object(outcome) for outcome in outcomes], option=orjson.OPT_INDENT_2).decode())


def sweep_object(outcome: SweepOutcome) -> dict[str, Any]:
    """One sweep. Figures that a sample cannot carry are null; the best rules come in both samples."""
    key, result = outcome.run.key, outcome.result
    shown: dict[str, Any] = {
        "symbol": key.symbol,
        "sweep_name": key.strategy_name,
        "exchange_name": key.exchange_name,
        "error": None if outcome.error is None else str(outcome.error),
    }
    if result is not None:
        shown |= {
            "policy": result.policy,
            "order": result.order,
            "points": result.points,
            "counts": asdict(result.counts),
            "split_at": result.split_at,
            "best": {order: _pair(pair) for order, pair in result.best.items()},
            "top": [_pair(pair) for pair in result.pairs[:TOP]],
            "report": None if outcome.report is None else str(outcome.report),
        }
    return shown


def _pair(pair: SweepPair | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    outside = pair.out_of_sample
    return {
        "rule": asdict(pair.rule),
        "in_sample": _report(pair.in_sample),
        "out_of_sample": None if outside is None else _report(outside),
    }


def _report(report: SweepReport) -> dict[str, Any]:
    return {
        field.name: getattr(report, field.name) for field in fields(report) if field.name not in ("rule", "trades_of")
    }
