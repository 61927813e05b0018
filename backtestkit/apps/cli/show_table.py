"""Results of runs as a table, and the problems they had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from backtestkit.apps.cli.error_block import error_block, user_place
from backtestkit.model.interval import DAY_MS
from backtestkit.model.statistics import RunSummary
from backtestkit.services.report import formats

if TYPE_CHECKING:
    from backtestkit.apps.cli.outcome import BacktestOutcome

HEADINGS = (
    "Strategy", "Symbol", "Days", "Trades", "Win rate", "Total PNL", "PNL cost", "Max DD", "Sharpe", "Ambiguous",
    "Fingerprint", "Run",
)  # fmt: skip
NONE = "-"


def show_table(outcomes: Sequence[BacktestOutcome]) -> None:
    """Print a row per run that ended well, what was assumed, where the reports are, and what went wrong."""
    done = [outcome for outcome in outcomes if outcome.result is not None]
    if done:
        for line in aligned([HEADINGS, *map(table_row, done)]):
            typer.echo(line)
        typer.echo()
        for line in dict.fromkeys(map(assumed, done)):
            typer.echo(line)
    for outcome in done:
        if outcome.report is not None:
            typer.echo(f"Report: {outcome.report}")
    for outcome in outcomes:
        for line in problems(outcome):
            typer.echo(line, err=True)


def table_row(outcome: BacktestOutcome) -> tuple[str, ...]:
    """The cells of one run."""
    assert outcome.result is not None, outcome
    key, result = outcome.run.key, outcome.result
    figures = result.statistics
    cells = (
        key.strategy_name,
        key.symbol,
        formats.fixed(days_tested(result.summary), 1),
        str(figures.total_signals),
        formats.percent(figures.win_rate, 1),
        formats.signed_percent(figures.total_pnl, 2),
        formats.signed_money(figures.total_pnl_cost, formats.quote_currency(key.symbol)),
        formats.percent(figures.max_drawdown, 2),
        formats.fixed(figures.sharpe_ratio, 3),
        str(result.ambiguous_exits),
        result.fingerprint[:12],
        None if outcome.run.record is None else str(outcome.run.record.number or NONE),
    )
    return tuple(NONE if cell is None else cell for cell in cells)


def days_tested(summary: RunSummary) -> float | None:
    """The length of the span that was tested, in days."""
    if summary.first_time is None or summary.last_time is None:
        return None
    return (summary.last_time - summary.first_time) / DAY_MS


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of columns, the first row as heading. The two names stand left, everything else right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    places = [f"{{:{'<' if i < 2 else '>'}{width}}}" for i, width in enumerate(widths)]
    heading, *lines = ["  ".join(places).format(*row) for row in rows]
    return [heading, "  ".join("-" * width for width in widths), *lines]


def assumed(outcome: BacktestOutcome) -> str:
    """What a run assumed, in one line; equal for runs that assumed the same."""
    assert outcome.result is not None, outcome
    summary = outcome.result.summary
    parts = [f"fills {summary.policy}"]
    if summary.percent_fee is not None and summary.percent_slippage is not None:
        fee, slippage = formats.number(summary.percent_fee), formats.number(summary.percent_slippage)
        parts.append(f"fee {fee}% and slippage {slippage}% of each entry and exit")
    if summary.gaps is not None and summary.candles_missing:
        parts.append(f"{summary.candles_missing} candles missing (gaps={summary.gaps})")
    return "Assumed: " + ", ".join(parts)


def problems(outcome: BacktestOutcome) -> list[str]:
    """What went wrong: the error that ended the run, or the errors in user code that it went on after."""
    name = f"{outcome.run.key.strategy_name} {outcome.run.key.symbol}"
    if outcome.error is not None:
        return [f"{name} failed.", error_block(outcome.error)]
    if outcome.result is None or not outcome.result.error_count:
        return []
    error = outcome.result.errors[-1].error
    place = user_place(error)
    times = "once" if outcome.result.error_count == 1 else f"{outcome.result.error_count} times"
    return [
        f"{name}: your code raised an error {times} and the run went on. The newest: {type(error).__name__}: {error}"
        + (f"\n  at {place}" if place else "")
    ]
