"""Array tests: thousands of ideas over one market at once, each idea a row of arrays.

    fast, slow = bk.arrays.sma(candles.close, [10, 50])
    result = bk.arrays.run_signals(
        candles,
        long_entries=bk.arrays.crossed_above(fast, slow),
        long_exits=bk.arrays.crossed_below(fast, slow),
    )
    print(result["sharpe_ratio"])

They screen; `Backtest.run` judges. `docs/arrays.md` says what they leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from backtestkit.api.arrays_inputs import ArrayInputs, levels_of, positions_of, signals_of
from backtestkit.api.arrays_result import ArrayResult
from backtestkit.math.arrays_decisions import Decisions, joined_decisions, position_decisions, signal_decisions
from backtestkit.math.arrays_equity import array_profits, equity_lines, marked_figures, trade_figures
from backtestkit.math.arrays_levels import levelled_trades
from backtestkit.math.arrays_rolling import crossed_above, crossed_below, sma
from backtestkit.math.arrays_trades import decided_trades, lost_everything
from backtestkit.model.arrays import ArrayFill, ArrayLevels, ArrayTrades, joined
from backtestkit.model.candle import Floats

__all__ = ["ArrayResult", "crossed_above", "crossed_below", "run_positions", "run_signals", "sma"]

Percents: TypeAlias = "float | npt.ArrayLike | None"
CELLS_AT_ONCE = 1 << 20
"""Sets times candles whose decisions are read at once, for some bytes each."""
DECISIONS_AT_ONCE = 1 << 20
"""Decisions that are traded at once, for some 100 bytes each; a part of sets with more of them is traded as one."""


def run_signals(
    candles: object,
    *,
    long_entries: npt.ArrayLike | None = None,
    long_exits: npt.ArrayLike | None = None,
    short_entries: npt.ArrayLike | None = None,
    short_exits: npt.ArrayLike | None = None,
    params: Mapping[str, npt.ArrayLike] | None = None,
    fill: ArrayFill = "next_open",
    percent_stop_loss: Percents = None,
    percent_take_profit: Percents = None,
    percent_trailing_stop: Percents = None,
    percent_fee: float | None = None,
    percent_slippage: float | None = None,
    periods_per_year: float | None = None,
) -> ArrayResult:
    """Trade boolean signals, each of shape (candles,) for one set or (sets, candles) for many.

    Signals are read at the close of a candle and filled at the open of the next one; `fill="close"` fills at that very
    close, which nobody can do who has to see it first. An entry opens a position when the set is flat and turns it
    around when it holds the other side; an exit closes its own side. Signals that contradict each other on one candle
    (entry and exit of a side, entries of both sides) are ignored. Signals on the last candle are not filled; what is
    open there is closed at the last close.

    - `candles`: `Candles`, or what `Candles.coerce` takes.
    - `params`: columns of length sets that say what each set is, shown beside its figures.
    - `percent_stop_loss`, `percent_take_profit`, `percent_trailing_stop`: percent of the entry price (trailing: of the
      best price so far), one number or one a set; NaN is none. They are watched on every candle of the trade, the first
      one included. A stop is met by the candle's extreme and fills at its level, at the open where the candle opened
      beyond; a take profit fills at its level. Of both on one candle the stop counts, and the exit as ambiguous. A
      trailing stop knows the best price up to the candle before.
    - `percent_fee`, `percent_slippage`: of each entry and exit; by default those of the configuration.
    - `periods_per_year`: candles in a year for the Sharpe ratio; by default 365 days of candles as far apart as the
      closest two.

    Raises `UsageError` for arrays that do not fit the candles, and `DataError` for prices that cannot be true.
    """
    inputs = ArrayInputs.of(candles, fill, percent_fee, percent_slippage, periods_per_year)
    given = {
        "long_entries": long_entries,
        "long_exits": long_exits,
        "short_entries": short_entries,
        "short_exits": short_exits,
    }
    sets, signals = signals_of(given, len(inputs.candles))
    levels = levels_of(sets, percent_stop_loss, percent_take_profit, percent_trailing_stop)
    return _run(inputs, sets, levels, params, lambda own: signal_decisions(*(each[own] for each in signals)))


def run_positions(
    candles: object,
    positions: npt.ArrayLike,
    *,
    params: Mapping[str, npt.ArrayLike] | None = None,
    fill: ArrayFill = "next_open",
    percent_stop_loss: Percents = None,
    percent_take_profit: Percents = None,
    percent_trailing_stop: Percents = None,
    percent_fee: float | None = None,
    percent_slippage: float | None = None,
    periods_per_year: float | None = None,
) -> ArrayResult:
    """Trade target positions: 1 long, 0 flat, -1 short, or booleans, of shape (candles,) or (sets, candles).

    A change of the target at the close of a candle is a decision; after a level was met the set stays flat until its
    target changes. Everything else is as in `run_signals`.
    """
    inputs = ArrayInputs.of(candles, fill, percent_fee, percent_slippage, periods_per_year)
    targets = positions_of(positions, len(inputs.candles))
    levels = levels_of(len(targets), percent_stop_loss, percent_take_profit, percent_trailing_stop)
    return _run(inputs, len(targets), levels, params, lambda own: position_decisions(targets[own].astype(np.int8)))


def _run(
    inputs: ArrayInputs,
    sets: int,
    levels: ArrayLevels,
    params: Mapping[str, npt.ArrayLike] | None,
    decide: Callable[[slice], Decisions],
) -> ArrayResult:
    candles = len(inputs.candles)
    named = inputs.params_of(params, sets)
    rows = max(1, CELLS_AT_ONCE // candles)
    trades: list[ArrayTrades] = []
    figures: list[dict[str, Floats]] = []
    waiting: list[Decisions] = []
    first = 0
    for start in range(0, sets, rows):
        end = min(start + rows, sets)
        waiting.append(decide(slice(start, end)))
        if end < sets and sum(len(part.at) for part in waiting) < DECISIONS_AT_ONCE:
            continue
        made, figured = _traded(inputs, joined_decisions(waiting), levels.of(slice(first, end)))
        made.set[:] += first
        trades.append(made)
        figures.append(figured)
        first, waiting = end, []
    together = {name: np.concatenate([part[name] for part in figures]) for name in figures[0]}
    return ArrayResult(inputs, sets, named, joined(trades), together)


def _traded(inputs: ArrayInputs, decisions: Decisions, levels: ArrayLevels) -> tuple[ArrayTrades, dict[str, Floats]]:
    """Trades and figures of some sets."""
    market, costs, sets = inputs.market, inputs.costs, decisions.sets
    if levels.any:
        trades = levelled_trades(decisions, market, levels, costs)
    else:
        trades = decided_trades(decisions, market)
        if lost_everything(trades, market, costs):
            trades = levelled_trades(decisions, market, levels, costs)
    profits = array_profits(trades, sets, costs)
    lines = equity_lines(trades, profits, sets, market, costs)
    marked = marked_figures(lines, sets, market.close, inputs.periods_per_year)
    return trades, trade_figures(trades, profits, sets, len(market), costs) | marked
