"""What is wrong with candles, as data: errors that a backtest would refuse or believe, and remarks worth knowing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from backtestkit.errors import DataError
from backtestkit.market.candle_block import DamagedBlockError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.coverage import Coverage, merge_ranges, missing_ranges
from backtestkit.market.layout import read_layout
from backtestkit.market.tables import read_table
from backtestkit.model.candle import Candles, Flags, Floats, Integers
from backtestkit.model.interval import DAY_MS, INTERVAL_MS, MINUTE_MS, interval_step_ms, iso

Severity: TypeAlias = Literal["error", "remark"]

PLACES_KEPT = 5
# A market that is closed on at least half of its Saturday noons has sessions; holes of half an hour belong to them.
_SATURDAY_NOON_MS = 2 * DAY_MS + DAY_MS // 2
_BREAK_MS = 30 * MINUTE_MS
_OUTLIER_SPREADS = 30.0
_OUTLIER_AT_LEAST = 0.02
_ANOMALY_FACTOR = 1000.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault: how often, and the open times (ms UTC) of its first `PLACES_KEPT` places with their sizes."""

    code: str
    severity: Severity
    count: int
    detail: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what was found."""

    subject: str
    interval: str
    candles: int
    first: int | None
    last: int | None
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether there are no errors; remarks are allowed."""
        return not any(finding.severity == "error" for finding in self.findings)


def verify_candles(candles: Candles, interval: str, coverage: Coverage | None = None) -> list[Finding]:
    """The findings in `candles` of `interval`, in the order of the table in the manual.

    Errors: `no_candles`, `out_of_order`, `duplicate`, `misaligned`, `not_finite`, `not_positive`, `negative_volume`,
    `high_below_low`, `open_close_outside`, `anomaly` (a thousand times away from the median), `gap`. Remarks:
    `session_break` (a hole of 30 minutes or more in a market that is closed on Saturdays), `not_downloaded` (between
    the ranges of `coverage`), `zero_volume`, `outlier` (a move or wick of 2 % and 30 usual moves).
    """
    if not len(candles):
        return [Finding("no_candles", "error", 1, "there is nothing to test on")]
    step = interval_step_ms(interval)
    findings = [*_times(candles.timestamp, step)]
    stamps, first = np.unique(candles.timestamp, return_index=True)
    ordered = candles.take(first[stamps % step == 0])
    if len(ordered):
        findings += [*_values(ordered), *_holes(ordered.timestamp, step, coverage), *_remarks(ordered)]
    return findings


def guess_interval(candles: Candles) -> str:
    """The interval of candles: the commonest distance of their times; `DataError` when that is none we know."""
    distances = np.diff(np.unique(candles.timestamp))
    if not len(distances):
        return "1m"
    values, counts = np.unique(distances, return_counts=True)
    common = int(values[counts.argmax()])
    found = next((name for name, step in INTERVAL_MS.items() if step == common), None)
    if found is None:
        raise DataError(f"candles {common / 1000:g} s apart are of no known interval ({', '.join(INTERVAL_MS)})")
    return found


def verify_file(path: Path, interval: str | None = None) -> Verified:
    """Verify a Parquet, CSV or JSON file; the interval is guessed from its times when it is not given."""
    table = read_table(path)
    candles, _ = read_layout(table, str(path), in_order=False)
    interval = interval or guess_interval(candles)
    return _verified(str(path), interval, candles, verify_candles(candles, interval))


def verify_store(store: CandleStore) -> Iterator[Verified]:
    """Verify every market of a store: each block against its hash, then the candles of all of them together."""
    folders = sorted({path.parent for path in store.blocks()})
    for folder in folders:
        parts: list[Candles] = []
        covered: list[tuple[int, int]] = []
        damaged: list[Finding] = []
        subject, interval = str(folder.relative_to(store.root)), folder.name
        for path in sorted(folder.glob("*.parquet")):
            try:
                block = store.read_block(path)
            except DamagedBlockError as error:
                damaged.append(Finding("damaged", "error", 1, str(error), (str(path),)))
                continue
            subject = f"{block.exchange_name} {block.symbol} {block.interval}"
            parts.append(block.candles)
            covered += block.coverage
        candles = Candles.concat([part for part in parts if len(part)])
        findings = verify_candles(candles, interval, tuple(covered)) if parts else []
        yield _verified(subject, interval, candles, [*damaged, *findings])


def _verified(subject: str, interval: str, candles: Candles, findings: list[Finding]) -> Verified:
    stamps = candles.timestamp
    first, last = (int(stamps.min()), int(stamps.max())) if len(stamps) else (None, None)
    return Verified(subject, interval, len(candles), first, last, tuple(findings))


def _times(stamps: Integers, step: int) -> Iterator[Finding]:
    back = np.flatnonzero(stamps[1:] < stamps[:-1]) + 1
    if len(back):
        yield _finding("out_of_order", "error", "older than the row before", stamps[back])
    values, counts = np.unique(stamps, return_counts=True)
    repeated = values[counts > 1]
    if len(repeated):
        yield _finding("duplicate", "error", "times that occur more than once", repeated)
    off = stamps[stamps % step != 0]
    if len(off):
        yield _finding("misaligned", "error", f"no multiple of {step // 1000} s", off)


def _values(candles: Candles) -> Iterator[Finding]:
    prices = np.stack((candles.open, candles.high, candles.low, candles.close))
    finite = np.isfinite(prices).all(axis=0) & np.isfinite(candles.volume)
    top, bottom = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    positive = prices[np.isfinite(prices) & (prices > 0)]
    typical = float(np.median(positive)) if len(positive) else 0.0
    lowest, highest = prices.min(axis=0), prices.max(axis=0)
    with np.errstate(invalid="ignore"):
        checks: list[tuple[str, str, Flags]] = [
            ("not_finite", "a value is missing or infinite", ~finite),
            ("not_positive", "a price is 0 or less", lowest <= 0),
            ("negative_volume", "the volume is below 0", candles.volume < 0),
            ("high_below_low", "high is below low", candles.high < candles.low),
            (
                "open_close_outside",
                "open or close lies outside [low, high]",
                finite & (candles.high >= candles.low) & ((top > candles.high) | (bottom < candles.low)),
            ),
            (
                "anomaly",
                f"a price is {_ANOMALY_FACTOR:g} times away from the median {typical:g}",
                finite & (lowest > 0) & ((lowest < typical / _ANOMALY_FACTOR) | (highest > typical * _ANOMALY_FACTOR)),
            ),
        ]
    for code, detail, broken in checks:
        if broken.any():
            yield _finding(code, "error", detail, candles.timestamp[broken])


def _holes(stamps: Integers, step: int, coverage: Coverage | None) -> Iterator[Finding]:
    distance = np.diff(stamps)
    at = np.flatnonzero(distance > step)
    starts, lengths = stamps[at] + step, distance[at] - step
    unknown = np.zeros(len(at), dtype=np.bool_)
    for i, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        unknown[i] = coverage is not None and not _covered(coverage, start, start + length)
    closed = ~unknown & (lengths >= _BREAK_MS) & _has_sessions(stamps)
    kinds: list[tuple[str, Severity, str, Flags]] = [
        ("gap", "error", "candles are missing", ~unknown & ~closed),
        ("session_break", "remark", "the market was closed", closed),
        ("not_downloaded", "remark", "ranges that nobody asked the venue for", unknown),
    ]
    for code, severity, detail, chosen in kinds:
        if chosen.any():
            missing = lengths[chosen] // step
            yield Finding(
                code,
                severity,
                int(chosen.sum()),
                f"{detail}: {int(missing.sum())} candles in {len(missing)} holes, the longest {int(missing.max())}",
                tuple(
                    f"{iso(start)} ({count})"
                    for start, count in list(zip(starts[chosen].tolist(), missing.tolist(), strict=True))[:PLACES_KEPT]
                ),
            )


def _covered(coverage: Coverage, since: int, until: int) -> bool:
    return not missing_ranges(merge_ranges(coverage), since, until)


def _has_sessions(stamps: Integers) -> bool:
    """Whether at least half of the Saturday noons between the first and the last candle have none within an hour."""
    week = 7 * DAY_MS
    first = int(stamps[0]) + (_SATURDAY_NOON_MS - int(stamps[0])) % week
    noons = np.arange(first, int(stamps[-1]), week)
    if not len(noons):
        return False
    after = stamps.searchsorted(noons)
    open_then = stamps[np.minimum(after, len(stamps) - 1)] - noons < 60 * MINUTE_MS
    return bool(open_then.mean() <= 0.5)


def _remarks(candles: Candles) -> Iterator[Finding]:
    silent = candles.volume == 0
    if silent.any():
        detail = "no candle has a volume" if silent.all() else "nothing traded"
        yield _finding("zero_volume", "remark", detail, candles.timestamp[silent])
    sizes = _moves(candles)
    usual = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 0.0
    far = sizes > max(_OUTLIER_AT_LEAST, _OUTLIER_SPREADS * usual)
    if far.any():
        detail = f"moves or wicks of {100 * sizes[far].min():.1f} % and more, usual are {100 * usual:.2g} %"
        yield _finding("outlier", "remark", detail, candles.timestamp[far])


def _moves(candles: Candles) -> Floats:
    """The largest relative move of each candle: from the close before, inside it, and along its wicks."""
    usable = (candles.low > 0) & np.isfinite(candles.high) & (candles.open > 0) & (candles.close > 0)
    with np.errstate(all="ignore"):
        before = np.concatenate((candles.open[:1], candles.close[:-1]))
        steps = [
            np.abs(np.log(candles.open / before)),
            np.abs(np.log(candles.close / candles.open)),
            np.log(candles.high / np.maximum(candles.open, candles.close)),
            np.log(np.minimum(candles.open, candles.close) / candles.low),
        ]
        largest: Floats = np.nan_to_num(np.max(steps, axis=0), nan=0.0, posinf=0.0, neginf=0.0)
    return np.where(usable, largest, 0.0)


def _finding(code: str, severity: Severity, detail: str, stamps: Integers) -> Finding:
    return Finding(code, severity, len(stamps), detail, tuple(iso(int(at)) for at in stamps[:PLACES_KEPT]))
