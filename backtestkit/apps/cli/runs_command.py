"""What `backtestkit runs` and `backtestkit report` do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import typer

from backtestkit.apps.cli.candle_option import add_candle_exchange, parse_candles
from backtestkit.apps.cli.show_table import NONE, aligned
from backtestkit.apps.cli.strategy_file import load_strategy_file
from backtestkit.errors import UsageError
from backtestkit.model.interval import iso
from backtestkit.services.report import formats

if TYPE_CHECKING:
    from backtestkit.kit import Kit
    from backtestkit.model.run_record import Difference, RunRecord

HEADINGS: Final = (
    "Strategy", "Symbol", "Run", "Kept (UTC)", "Outcome", "Trades", "Total PNL", "Max DD", "Sharpe", "Parameters",
    "Fingerprint",
)  # fmt: skip
SHORT: Final = 12
"""Digits of a hash that are shown."""


def show_list(store: Path | None, *, limit: int, as_json: bool, **wanted: str | None) -> None:
    """Print the newest runs, or a sentence when there are none."""
    import backtestkit as bk

    with _kit(store) as kit:
        records = bk.Runs.list(limit=limit, **wanted)
        where = kit.config.runs_path
    if as_json:
        _echo_json([_object(record) for record in records])
    elif records:
        for line in aligned([HEADINGS, *map(_row, records)]):
            typer.echo(line)
    else:
        typer.echo(f"{where} has no such runs.")


def show_run(store: Path | None, run: str, *, as_json: bool) -> None:
    """Print all that was kept of a run."""
    import backtestkit as bk

    with _kit(store):
        record = bk.Runs.get(run)
    if as_json:
        _echo_json(_object(record))
        return
    for line in _described(record):
        typer.echo(line)


def show_comparison(store: Path | None, runs: Sequence[str], *, as_json: bool) -> None:
    """Print runs side by side."""
    import backtestkit as bk

    with _kit(store):
        comparison = bk.Runs.compare(*runs)
    records = comparison.records
    if as_json:
        different = {difference.name: difference.values for difference in comparison.differences}
        _echo_json({"runs": [_object(record) for record in records], "differences": different})
        return
    names = [f"Run {record.number}" for record in records]
    if comparison.differences:
        _echo_pairs(["Difference", *names], [[d.name, *map(_short, d.values)] for d in comparison.differences])
    else:
        typer.echo("Nothing that was chosen differs, nor code, data and versions.")
    typer.echo()
    rows = [["trades", *(str(record.trades) for record in records)]]
    for name in dict.fromkeys(name for record in records for name in record.statistics):
        values = comparison.figure(name)
        if any(value is not None for value in values):
            rows.append([name, *map(_short, values)])
    rows.append(["fingerprint", *(record.fingerprint[:SHORT] for record in records)])
    _echo_pairs(["Figure", *names], rows)


def replay_run(store: Path | None, run: str, files: Sequence[Path], *, as_json: bool) -> int:
    """Do a run again; 0 when it decided the same, 1 when not."""
    import backtestkit as bk

    with _kit(store) as kit:
        _set_up(kit, bk.Runs.get(run), files)
        replay = asyncio.run(bk.Runs.replay(run))
    record, result = replay.record, replay.result
    if as_json:
        different = {difference.name: difference.values for difference in replay.changes}
        told = {"run": record.number, "same": replay.same, "then": record.fingerprint, "now": result.fingerprint}
        _echo_json(told | {"trades_then": record.trades, "trades_now": len(result.closed), "changes": different})
        return 0 if replay.same else 1
    if replay.same:
        typer.echo(f"Run {record.number} decided the same: {record.trades} trades, {record.fingerprint[:SHORT]}.")
    else:
        typer.echo(
            f"Run {record.number} did not decide the same: {record.trades} trades and {record.fingerprint[:SHORT]} then, "
            f"{len(result.closed)} and {result.fingerprint[:SHORT]} now."
        )
    for line in _changed(replay.changes, same=replay.same):
        typer.echo(line)
    return 0 if replay.same else 1


def delete_runs(store: Path | None, runs: Sequence[str], *, walk: str | None, before: str | None) -> None:
    """Delete runs and say how many. A line that names none is wrong usage."""
    import backtestkit as bk

    if not runs and walk is None and before is None:
        raise typer.BadParameter("say which: the numbers of runs, --walk or --before")
    with _kit(store):
        count = bk.Runs.delete(*runs, walk=walk, before=before)
    typer.echo(f"Deleted: {count}. That they were tried is kept.")


def show_trials(store: Path | None, symbol: str, strategy: str | None, *, as_json: bool) -> None:
    """Print how often strategies were tried on a market."""
    import backtestkit as bk

    with _kit(store):
        trials = bk.Runs.trials(symbol, strategy_name=strategy)
    if as_json:
        _echo_json(asdict(trials))
        return
    typer.echo(
        f"{symbol}: {trials.configurations} configurations in {trials.runs} runs, {trials.failed} of them failed."
    )
    if trials.swept:
        typer.echo(f"Sweeps have tried {trials.swept} exit rules on it.")
    if trials.sharpe_ratios:
        best = max(trials.sharpe_ratios)
        typer.echo(f"The best Sharpe ratio per trade of {len(trials.sharpe_ratios)} that have one is {best:.3f}.")


def report_run(
    store: Path | None, run: str, files: Sequence[Path], *, html: Path | None, markdown: Path | None
) -> None:
    """Print the report of a run, or write it to the files that were asked for."""
    import backtestkit as bk
    from backtestkit.runtime.files import write_atomic

    if html is not None and html.suffix != ".html":
        raise typer.BadParameter(f"--html {html} must end in .html")
    with _kit(store) as kit:
        _set_up(kit, bk.Runs.get(run), files)
        if html is not None:
            typer.echo(f"Report: {asyncio.run(bk.Runs.dump_html(run, html))}")
        if html is not None and markdown is None:
            return
        text = kit.container.markdown().get_report("backtest", asyncio.run(bk.Runs.load(run)))
        if markdown is None:
            typer.echo(text)
        else:
            asyncio.run(write_atomic(markdown, text.encode()))
            typer.echo(f"Report: {markdown}")


@contextmanager
def _kit(store: Path | None) -> Iterator[Kit]:
    """A kit of its own, with the run store that was named."""
    import backtestkit as bk

    with bk.Kit({} if store is None else {"runs_path": str(store)}) as kit:
        if store is not None and not store.is_file():
            raise typer.BadParameter(f"--store {store} does not exist")
        yield kit


def _set_up(kit: Kit, record: RunRecord, files: Sequence[Path]) -> None:
    """Register what a run needs: from its strategy files, or from `files`, and from its candle options.

    Errors that end the command are shown; they need not be logged as well.
    """
    import backtestkit as bk

    bk.listen_error(lambda event: None)
    origin = record.origin
    for file in files or [Path(name) for name in origin.get("files", ())]:
        if not file.is_file():
            raise UsageError(
                f"the strategy file {file} of run {record.number} is not there any more. Say where it is now: "
                f"add the file to the command."
            )
        load_strategy_file(file)
    if origin.get("candles"):
        options = {name: origin.get(name) for name in ("gaps", "base_interval", "coarser")}
        source = parse_candles(origin["candles"], [record.symbol])
        add_candle_exchange(kit, source, name=record.exchange_name, **options)


def _row(record: RunRecord) -> tuple[str, ...]:
    figures = record.statistics
    cells = (
        record.strategy_name,
        record.symbol,
        str(record.number),
        iso(record.kept_at)[:16].replace("T", " "),
        record.outcome,
        str(record.trades),
        formats.signed_percent(figures.get("total_pnl"), 2),
        formats.percent(figures.get("max_drawdown"), 2),
        formats.fixed(figures.get("sharpe_ratio"), 3),
        " ".join(f"{name}={_short(value)}" for name, value in record.params.items()),
        record.fingerprint[:SHORT],
    )
    return tuple(NONE if cell in (None, "") else str(cell) for cell in cells)


def _described(record: RunRecord) -> Iterator[str]:
    key = record.key
    facts: list[tuple[str, Any]] = [
        ("outcome", f"{record.outcome} {record.error}".strip()),
        ("kept", f"{iso(record.kept_at)}, after {record.seconds:.2f} s; id {record.id}"),
        ("frame", f"{record.frame['interval']} from {record.frame['start_date']} to {record.frame['end_date']}"),
        ("policy", record.policy.get("name")),
        *((f"params.{name}", value) for name, value in record.params.items()),
        ("trades", record.trades),
        (
            "errors in your code",
            f"{record.error_count}, the newest: {record.newest_error}" if record.error_count else "",
        ),
        ("fingerprint", record.fingerprint),
        ("data", record.data_hash),
        ("code", record.code_hash),
        ("versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        *((f"origin.{name}", value) for name, value in record.origin.items() if value),
        ("walk", f"{record.walk} {record.label}".strip()),
    ]
    yield f"Run {record.number}: {key.symbol} / {key.strategy_name} / {key.exchange_name} / {key.frame_name}"
    yield from _pairs([[name, _long(value)] for name, value in facts if value not in (None, "")])
    yield ""
    yield "Assumed and paid"
    yield from _pairs([[name, _long(value)] for name, value in record.summary.items() if name != "fingerprint"])
    yield ""
    yield "Statistics"
    yield from _pairs([[name, _long(value)] for name, value in record.statistics.items()])
    yield ""
    yield "Settings that are not the default"
    yield from _pairs([[name, _long(value)] for name, value in _unusual(record.config).items()] or [["none", ""]])


def _unusual(config: Mapping[str, Any]) -> dict[str, Any]:
    from backtestkit.config import Config

    usual = Config.defaults().as_dict()
    return {name: value for name, value in config.items() if name not in usual or usual[name] != value}


def _changed(changes: Sequence[Difference], *, same: bool) -> Iterator[str]:
    for change in changes:
        then, now = map(_short, change.values)
        yield f"  {change.name} was {then}, is {now}"
    if not same and not changes:
        yield (
            "  Nothing that is recorded has changed. Does the strategy use chance or the wall clock, read other data, or "
            "share risk rules with runs that were not repeated?"
        )


def _pairs(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    width = max((len(row[0]) for row in rows), default=0)
    return (f"  {name:<{width}}  {value}".rstrip() for name, value in rows)


def _echo_pairs(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, ["-" * width for width in widths], *rows):
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join([first.strip().ljust(widths[0]), *rest]))


def _short(value: Any) -> str:
    """A value for a cell: hashes and numbers shortened."""
    text = NONE if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text[:SHORT] if len(text) == 64 else text


def _long(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return NONE if value is None else str(value)


def _object(record: RunRecord) -> dict[str, Any]:
    return asdict(record)


def _echo_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
