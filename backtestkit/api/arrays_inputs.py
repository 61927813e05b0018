"""What an array test is given, checked: candles, costs, signals, positions and levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from backtestkit.errors import DataError, UsageError
from backtestkit.kit import current_kit
from backtestkit.math.profit import Costs
from backtestkit.model.arrays import ArrayFill, ArrayLevels, ArrayMarket
from backtestkit.model.candle import Candles, Flags, Floats, Integers
from backtestkit.model.interval import DAY_MS, iso


@dataclass(frozen=True, slots=True, eq=False)
class ArrayInputs:
    """The market and the assumptions of an array test; `step` is the length of a candle, ms."""

    candles: Candles
    market: ArrayMarket
    costs: Costs
    periods_per_year: float
    step: int

    @classmethod
    def of(
        cls,
        given: object,
        fill: ArrayFill,
        percent_fee: float | None,
        percent_slippage: float | None,
        periods_per_year: float | None,
    ) -> ArrayInputs:
        """The inputs, checked; `UsageError` or `DataError` when they cannot be true."""
        candles = _candles(given)
        if fill not in get_args(ArrayFill):
            raise UsageError(f"fill={fill!r} is unknown; give one of {', '.join(get_args(ArrayFill))}")
        config = current_kit().config
        costs = Costs(
            _percent("percent_slippage", config.percent_slippage if percent_slippage is None else percent_slippage),
            _percent("percent_fee", config.percent_fee if percent_fee is None else percent_fee),
        )
        step = int(np.diff(candles.timestamp).min())
        yearly = 365 * DAY_MS / step if periods_per_year is None else float(periods_per_year)
        if not 0 < yearly < float("inf"):
            raise UsageError(f"periods_per_year={periods_per_year!r} must be a finite number above 0")
        filled = candles.open if fill == "next_open" else np.concatenate((candles.open[:1], candles.close[:-1]))
        market = ArrayMarket(candles.open, candles.high, candles.low, candles.close, filled, fill)
        return cls(candles, market, costs, yearly, step)

    def times(self, start: Integers, stop: Integers, at_open: Flags) -> tuple[Integers, Integers]:
        """When trades were opened and closed, ms UTC; `at_open` tells which ended at the open of candle `stop`.

        A fill at an open happens when the candle opens; what happened inside a candle is dated by its end.
        """
        opens = self.candles.timestamp
        opened = opens[start] if self.market.fill_at == "next_open" else opens[start - 1] + self.step
        closed = np.where(at_open, opens[np.minimum(stop, len(opens) - 1)], opens[stop - 1] + self.step)
        return opened, closed

    @staticmethod
    def params_of(params: Mapping[str, npt.ArrayLike] | None, sets: int) -> dict[str, npt.NDArray[Any]]:
        """`params` as columns; `UsageError` for one that does not have a value for each set."""
        made = {str(name): np.asarray(values) for name, values in (params or {}).items()}
        for name, values in made.items():
            if values.shape != (sets,):
                raise UsageError(f"params[{name!r}] has shape {values.shape}; give one value for each of {sets} sets")
        return made


def _candles(given: object) -> Candles:
    candles = given if isinstance(given, Candles) else Candles.coerce(given)
    if len(candles) < 2:
        raise UsageError(f"an array test needs at least 2 candles, not {len(candles)}")
    late = np.flatnonzero(np.diff(candles.timestamp) <= 0)
    if len(late):
        raise DataError(f"the candle after {iso(int(candles.timestamp[late[0]]))} is not later; sort them by time")
    for name in ("open", "high", "low", "close"):
        wrong = np.flatnonzero(~((getattr(candles, name) > 0) & np.isfinite(getattr(candles, name))))
        if len(wrong):
            place = int(wrong[0])
            raise DataError(
                f"{name}={float(getattr(candles, name)[place])!r} of the candle {iso(int(candles.timestamp[place]))} "
                f"must be a finite number above 0"
            )
    return candles


def _percent(name: str, value: float) -> float:
    if not 0 <= value < 100:
        raise UsageError(f"{name}={value!r} must be a percentage from 0 to below 100, such as 0.1 for 0.1 %")
    return float(value)


def signals_of(given: Mapping[str, npt.ArrayLike | None], candles: int) -> tuple[int, list[Flags]]:
    """The number of sets and the signals, each of shape (sets, candles); a signal for one set serves all of them."""
    if given["long_entries"] is None and given["short_entries"] is None:
        raise UsageError("give long_entries, short_entries or both; without an entry there is nothing to test")
    made = {name: _rows(name, values, candles) for name, values in given.items() if values is not None}
    for name, rows in made.items():
        if rows.dtype != np.bool_:
            raise UsageError(f"{name} has the type {rows.dtype}; give booleans, for example {name}=fast > slow")
    counts = {name: len(rows) for name, rows in made.items()}
    sets = max(counts.values())
    for name, count in counts.items():
        if count not in (1, sets):
            raise UsageError(f"{name} has {count} sets where others have {sets}; give as many, or one for all")
    none = np.zeros((1, candles), dtype=np.bool_)
    return sets, [np.broadcast_to(made.get(name, none), (sets, candles)) for name in given]


def positions_of(given: npt.ArrayLike, candles: int) -> npt.NDArray[Any]:
    """Target positions of shape (sets, candles), in the type they were given in."""
    rows = _rows("positions", given, candles)
    if rows.dtype == np.bool_:
        return rows
    allowed = rows.dtype.kind in "if" and all(bool(((part == 0) | (part == 1) | (part == -1)).all()) for part in rows)
    if not allowed:
        raise UsageError(f"positions ({rows.dtype}) must be booleans, or 1 for long, 0 for flat and -1 for short")
    return rows


def _rows(name: str, given: npt.ArrayLike, candles: int) -> npt.NDArray[Any]:
    values = np.asarray(given)
    rows = values[None] if values.ndim == 1 else values
    if rows.ndim == 2 and rows.shape[1] == candles and len(rows):
        return rows
    hint = " They are the other way around: transpose them (.T)." if rows.ndim == 2 and len(rows) == candles else ""
    raise UsageError(f"{name} has shape {values.shape}; give ({candles},) or (sets, {candles}).{hint}")


def levels_of(sets: int, stop_loss: Any, take_profit: Any, trailing_stop: Any) -> ArrayLevels:
    """The levels of each set; `UsageError` for one that is no percentage."""
    return ArrayLevels(
        _level("percent_stop_loss", stop_loss, sets, 100),
        _level("percent_take_profit", take_profit, sets, float("inf")),
        _level("percent_trailing_stop", trailing_stop, sets, 100),
    )


def _level(name: str, given: Any, sets: int, limit: float) -> Floats:
    values = np.asarray(np.nan if given is None else given, dtype=np.float64)
    if values.shape not in ((), (sets,)):
        raise UsageError(f"{name} has shape {values.shape}; give one number, or one for each of {sets} sets")
    wrong = values[~(np.isnan(values) | ((values > 0) & (values < limit)))]
    if wrong.size:
        top = "" if limit == float("inf") else f" and below {limit:g}"
        raise UsageError(f"{name}={float(wrong.flat[0])!r} must be above 0{top}, percent; NaN is none")
    return np.broadcast_to(values, (sets,))
