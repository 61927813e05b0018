"""What a user may write about array tests and exports, as type checkers see it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt

import backtestkit as bk


def screen(candles: bk.Candles) -> None:
    fast, slow = bk.arrays.sma(candles.close, [10, 50])
    result = bk.arrays.run_signals(
        candles,
        long_entries=bk.arrays.crossed_above(fast, slow),
        long_exits=bk.arrays.crossed_below(fast, slow),
        params={"fast": [10]},
        fill="next_open",
        percent_stop_loss=[1.0],
    )
    assert_type(result, bk.ArrayResult)
    assert_type(result["sharpe_ratio"], npt.NDArray[np.float64])
    assert_type(result.best("total_return"), int)
    assert_type(result.trades(0), bk.Table)
    assert_type(result.equity(0), bk.EquityCurve)
    assert_type(bk.arrays.run_positions(candles, fast > slow), bk.ArrayResult)


def export(result: bk.BacktestResult, walk: bk.WalkerStatistics, heat: bk.HeatStatistics) -> None:
    assert_type(result.to_csv("trades.csv"), Path)
    assert_type(result.to_table(), bk.Table)
    assert_type(result.daily_table(), bk.Table)
    assert_type(result.analysis.breakdown_table(), bk.Table)
    print(result.to_pandas().dtypes, walk.to_polars().schema, heat.to_arrow(), result.plot(theme="dark"))
