"""The ranking of walks as a table, and what failed in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from backtestkit.apps.cli.error_block import error_block
from backtestkit.apps.cli.show_table import NONE, aligned
from backtestkit.services.report import formats
from backtestkit.services.report.walker_report import erring, in_words, ranked

if TYPE_CHECKING:
    from backtestkit.apps.cli.outcome import WalkOutcome
    from backtestkit.model.walker import WalkerResult, WalkerStatistics

TOP = 10
"""Rows of the ranking when nobody says how many."""
SHOWN_FAILURES = 5


def show_walks(outcomes: Sequence[WalkOutcome], top: int | None) -> None:
    """Print the ranking of each walk, how many candidates there were, where the report is, and what went wrong."""
    for outcome in outcomes:
        if outcome.result is not None:
            for line in walk_lines(outcome.result, top or TOP):
                typer.echo(line)
        if outcome.report is not None:
            typer.echo(f"Report: {outcome.report}")
        for line in walk_problems(outcome):
            typer.echo(line, err=True)


def walk_lines(walk: WalkerStatistics, top: int) -> list[str]:
    """The ranking down to place `top`, and the counts."""
    results = ranked(walk)[:top]
    goals = ", ".join(f"{name} ({direction})" for name, direction in walk.objectives.items())
    counts = [f"{len(walk.strategy_results)} of {walk.total_strategies} tested"]
    counts += [f"{len(given)} {word}" for given, word in ((walk.failed, "failed"), (walk.pruned, "pruned")) if given]
    lines = [f"{walk.walker_name} {walk.symbol} by {goals}: {', '.join(counts)}"]
    if results:
        headings = ("Rank", "Strategy", *walk.objectives, "Trades", "Win rate", "Total PNL", "Max DD", "Sharpe")
        lines += aligned([headings, *(table_row(place, result) for place, result in enumerate(results, 1))])
    if walk.front:
        lines.append(f"Pareto front: {', '.join(walk.front)}")
    return lines


def table_row(place: int, result: WalkerResult) -> tuple[str, ...]:
    """The cells of one candidate."""
    figures = result.stats
    cells = (
        str(place),
        result.strategy_name,
        *(formats.fixed(value, 4) for value in result.metric_values.values()),
        str(figures.total_signals),
        formats.percent(figures.win_rate, 1),
        formats.signed_percent(figures.total_pnl, 2),
        formats.percent(figures.max_drawdown, 2),
        formats.fixed(figures.sharpe_ratio, 3),
    )
    return tuple(NONE if cell is None else cell for cell in cells)


def walk_problems(outcome: WalkOutcome) -> list[str]:
    """The error that ended a walk, the first candidates that failed, and those whose code raised."""
    lines: list[str] = []
    if outcome.result is not None:
        failed = outcome.result.failed
        lines += [f"{failure.strategy_name} failed: {in_words(failure.error)}" for failure in failed[:SHOWN_FAILURES]]
        if len(failed) > SHOWN_FAILURES:
            lines.append(f"and {len(failed) - SHOWN_FAILURES} more failed; the report has all of them.")
        if raised := erring(outcome.result):
            count = f"{len(raised)} candidates" if len(raised) > 1 else "one candidate"
            lines.append(
                f"The code of {count} raised errors and went on. {raised[0].strategy_name}, {raised[0].error_count} times, "
                f"the newest: {raised[0].newest_error}"
            )
    if outcome.error is not None:
        lines += [f"{outcome.walker_name} {outcome.symbol} failed.", error_block(outcome.error)]
    return lines
