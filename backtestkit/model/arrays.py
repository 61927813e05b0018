"""What an array test assumes, and the trades that it finds, as columns over all sets.

A set is one idea: its decisions on every candle of one market. Trades of thousands of sets are kept as columns, and a
trade is the candles `start` to `stop - 1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from backtestkit.model.candle import Flags, Floats, Integers

ArrayFill: TypeAlias = Literal["next_open", "close"]
Small: TypeAlias = npt.NDArray[np.int8]

CLOSED, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, LIQUIDATION, FRAME_END = range(6)
EXIT_REASONS: Final = ("closed", "stop_loss", "take_profit", "trailing_stop", "liquidation", "frame_end")
"""The words for the codes in `ArrayTrades.reason`. `closed` is an exit that was decided by the set."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMarket:
    """The candles of an array test; all columns have shape (candles,).

    `fill[b]` is the price of what was decided one candle earlier: the open of candle b, or the close of candle b - 1.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    fill: Floats
    fill_at: ArrayFill

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayLevels:
    """The exit levels of each set, percent of the entry price (trailing: of the best price so far).

    All have shape (sets,); NaN is none.
    """

    stop_loss: Floats
    take_profit: Floats
    trailing_stop: Floats

    @property
    def any(self) -> bool:
        """Whether a set has a level at all."""
        return not all(
            bool(np.isnan(column).all()) for column in (self.stop_loss, self.take_profit, self.trailing_stop)
        )

    def of(self, sets: slice | Integers) -> ArrayLevels:
        """Those of some sets."""
        return ArrayLevels(self.stop_loss[sets], self.take_profit[sets], self.trailing_stop[sets])


@dataclass(frozen=True, slots=True, eq=False)
class ArrayTrades:
    """Trades as columns of equal length, by set and within a set by time.

    - `set`: which set. `side`: 1 long, -1 short.
    - `start`, `stop`: the trade was open in the candles `start` to `stop - 1`, the last of them perhaps not to its end.
    - `price_open`, `price_close`: quote currency, before slippage.
    - `reason`: an index into `EXIT_REASONS`. `ambiguous`: the last candle also reached the other level.
    """

    set: Integers
    side: Small
    start: Integers
    stop: Integers
    price_open: Floats
    price_close: Floats
    reason: Small
    ambiguous: Flags

    def __len__(self) -> int:
        return len(self.set)

    def of(self, places: slice | Integers | Flags) -> ArrayTrades:
        """Some of them."""
        return ArrayTrades(*(getattr(self, name)[places] for name in TRADE_COLUMNS))


TRADE_COLUMNS: Final = tuple(ArrayTrades.__dataclass_fields__)


def joined(parts: list[ArrayTrades]) -> ArrayTrades:
    """The trades of several parts, one after the other."""
    columns: list[Any] = [np.concatenate([getattr(part, name) for part in parts]) for name in TRADE_COLUMNS]
    return ArrayTrades(*columns)
