"""Rules that candles must keep, over whole columns at once.

Two kinds. *Values*: a candle that cannot be true (not finite, not positive, high below low, a price a thousand times
away from its neighbours) is refused with a `CandleError`, the way a forming candle or a broken feed shows itself.
*Times*: an answer must hold exactly the candles that were asked for, in order; what does not is refused with what
was asked, what came and where the hole is.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from backtestkit.errors import CandleError, GapError, SourceError
from backtestkit.model.candle import COLUMNS, Candles, Flags, Floats, Integers
from backtestkit.model.interval import iso

# Room for the rounding of the mean and of the two products that `is_clean` and `validate_candles` compare.
_ROUNDING = 1e-9
_HOLES_SHOWN = 3


def validate_candles(candles: Candles, *, anomaly_factor: float, min_candles_for_median: int, strict: bool) -> None:
    """Refuse candles that cannot be true; no candles are fine.

    The reference price is taken over all open, high, low and close values above 0: the upper median from
    `min_candles_for_median` candles on, the arithmetic mean below. Candle by candle, oldest first, the first broken
    rule raises `CandleError` with its code: `candle_not_finite`, `candle_not_positive` (a price of 0 or less, a
    volume below 0), `candle_high_below_low`, `candle_anomaly` (a price below reference / `anomaly_factor`). `strict`
    adds `candle_open_close_outside` (open or close outside [low, high]) and makes the anomaly rule symmetric (a
    price above reference * `anomaly_factor`).
    """
    if not len(candles) or (
        is_clean(candles, anomaly_factor=anomaly_factor) and not (strict and _outside(candles).any())
    ):
        return
    prices = np.stack((candles.open, candles.high, candles.low, candles.close))
    reference = _reference_price(prices, len(candles) >= min_candles_for_median)
    with np.errstate(invalid="ignore", over="ignore"):
        broken: dict[str, Flags] = {
            "candle_not_finite": ~(np.isfinite(prices).all(axis=0) & np.isfinite(candles.volume)),
            "candle_not_positive": (prices <= 0).any(axis=0) | (candles.volume < 0),
            "candle_high_below_low": candles.high < candles.low,
            "candle_anomaly": prices.min(axis=0) < reference / anomaly_factor,
        }
        if strict:
            broken["candle_anomaly"] = broken["candle_anomaly"] | (prices.max(axis=0) > reference * anomaly_factor)
            broken["candle_open_close_outside"] = _outside(candles)
    worst: Flags = np.logical_or.reduce(list(broken.values()))
    if worst.any():
        at = int(worst.argmax())
        code = next(code for code, mask in broken.items() if mask[at])
        _refuse(candles, at, code, reference, anomaly_factor)


def is_clean(candles: Candles, *, anomaly_factor: float) -> bool:
    """Whether no part of these candles can break a rule of `validate_candles` without `strict`.

    A screen of a few passes: False only means that each part has to be looked at on its own. NaN makes every comparison
    false, so it is never clean.
    """
    if not len(candles):
        return True
    # Not `max` and `min`, which forget a NaN depending on the order of their arguments.
    highest = float(np.max((candles.high.max(), candles.open.max(), candles.close.max())))
    lowest = float(np.min((candles.low.min(), candles.open.min(), candles.close.min())))
    return bool(
        0 < lowest <= highest < np.inf
        and highest * (1 + _ROUNDING) < lowest * anomaly_factor
        and candles.volume.min() >= 0
        and candles.volume.max() < np.inf
        and (candles.high >= candles.low).all()
    )


def check_times(candles: Candles, since: int, step: int, count: int, subject: str = "candles") -> None:
    """Require exactly the `count` candles that open at `since`, `since + step`, ... (ms).

    Raises `SourceError` for times out of order, off the grid or outside the range, and `GapError` for candles that are
    missing. `subject` names the market in the message, for example `"bybit BTCUSDT 1m"`.
    """
    check_order(candles, since, step, since + count * step, subject)
    if len(candles) == count:
        return
    holes = find_holes(candles.timestamp, since, step, since + count * step)
    raise GapError(
        f"{subject}: asked for {count} candles [{iso(since)}, {iso(since + count * step)}), got {len(candles)}. "
        f"{describe_holes(holes, step)}",
        holes,
    )


def check_order(candles: Candles, since: int, step: int, until: int, subject: str = "candles") -> None:
    """Require strictly increasing open times on the grid of `step` inside [since, until); holes are fine.

    Raises `SourceError` that names the first offending time.
    """
    stamps = candles.timestamp
    if not len(stamps):
        return
    asked = f"asked for [{iso(since)}, {iso(until)})"
    if (stamps[1:] <= stamps[:-1]).any():
        at = int((stamps[1:] <= stamps[:-1]).argmax())
        raise SourceError(
            f"{subject}: {iso(int(stamps[at + 1]))} comes after {iso(int(stamps[at]))} ({asked}). "
            "Answer candles oldest first, each once."
        )
    off = stamps % step != 0
    if off.any():
        raise SourceError(
            f"{subject}: {_precise(int(stamps[off.argmax()]))} is not the open time of a candle of {step // 1000} s "
            f"({asked}). `timestamp` is the open time in ms UTC, a multiple of the interval."
        )
    if stamps[0] < since or stamps[-1] >= until:
        wrong = int(stamps[0] if stamps[0] < since else stamps[-1])
        raise SourceError(f"{subject}: got a candle of {iso(wrong)}, {asked}.")


def find_holes(timestamp: Integers, since: int, step: int, until: int) -> list[tuple[int, int]]:
    """What ordered open times lack in [since, until): `(first missing open time, how many)`, oldest first."""
    edges = np.concatenate(([since - step], timestamp, [until]))
    missing = np.diff(edges) // step - 1
    at = np.flatnonzero(missing)
    return list(zip((edges[at] + step).tolist(), missing[at].tolist(), strict=True))


def describe_holes(holes: list[tuple[int, int]], step: int) -> str:
    """A sentence with the first few holes, their number and what is missing in total."""
    shown = ", ".join(
        iso(first) if count == 1 else f"{iso(first)} .. {iso(first + (count - 1) * step)} ({count})"
        for first, count in holes[:_HOLES_SHOWN]
    )
    more = f" and {len(holes) - _HOLES_SHOWN} more holes" if len(holes) > _HOLES_SHOWN else ""
    total = sum(count for _, count in holes)
    return f"{total} {'is' if total == 1 else 'are'} missing: {shown}{more}."


def _outside(candles: Candles) -> Flags:
    top, bottom = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    outside: Flags = (top > candles.high) | (bottom < candles.low)
    return outside


def _reference_price(prices: Floats, median: bool) -> float:
    positive = prices[prices > 0]
    if not len(positive):
        raise CandleError(
            "no price above 0 among these candles, so there is no reference price to compare them with.",
            "candle_not_finite" if np.isnan(prices).any() else "candle_not_positive",
        )
    if median:
        middle = len(positive) // 2
        return float(np.partition(positive, middle)[middle])
    return float(positive.mean())


def _refuse(candles: Candles, at: int, code: str, reference: float, anomaly_factor: float) -> NoReturn:
    row = candles[at]
    why = {
        "candle_not_finite": "a value is not finite",
        "candle_not_positive": "a price is not above 0, or the volume is below 0",
        "candle_high_below_low": "high is below low",
        "candle_anomaly": f"a price is more than {anomaly_factor:g} times away from the typical {reference:g}",
        "candle_open_close_outside": "open or close lies outside [low, high]",
    }[code]
    values = ", ".join(f"{name}={getattr(row, name):g}" for name in COLUMNS[1:])
    raise CandleError(
        f"candle of {iso(row.timestamp)} cannot be true: {why} ({values}). "
        "It may still be forming, or the source is broken.",
        code,
        row.timestamp,
    )


def _precise(timestamp: int) -> str:
    return f"{iso(timestamp)}.{timestamp % 1000:03d}" if timestamp % 1000 else iso(timestamp)
