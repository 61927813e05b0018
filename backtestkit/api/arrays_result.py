"""What an array test came to: figures of every set, and the trades and the equity of any of them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backtestkit.api.arrays_inputs import ArrayInputs
from backtestkit.errors import UsageError, suggest
from backtestkit.math.arrays_equity import FIGURES, array_profits, equity, equity_lines
from backtestkit.model.analysis import EquityCurve
from backtestkit.model.arrays import CLOSED, EXIT_REASONS, ArrayTrades
from backtestkit.model.candle import Floats
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.table import Table, Tabular
from backtestkit.model.table_column import TableColumn, TableKind
from backtestkit.model.table_html import ROWS_SHOWN, page, table_part

FIGURE_COLUMNS: Final = {
    "trades": TableColumn("trades", "count"),
    "win_rate": TableColumn("win_rate", "number", "percent", "Share of the decisive trades that won."),
    "total_return": TableColumn("total_return", "number", "percent", "Growth when each trade takes all there is."),
    "total_pnl": TableColumn("total_pnl", "number", "percent", "Sum over trades of equal size."),
    "avg_pnl": TableColumn("avg_pnl", "number", "percent", "Mean over the trades."),
    "profit_factor": TableColumn("profit_factor", "number", about="Sum of wins / absolute sum of losses."),
    "sharpe_ratio": TableColumn("sharpe_ratio", "number", about="Of the returns from close to close, a year."),
    "max_drawdown": TableColumn("max_drawdown", "number", "percent", "Largest fall of the equity at the closes."),
    "exposure": TableColumn("exposure", "number", "percent", "Share of the candles with a position."),
    "turnover": TableColumn("turnover", "number", about="Value bought and sold / starting capital."),
    "fee_paid": TableColumn("fee_paid", "number", "percent", "Of the starting capital."),
    "slippage_paid": TableColumn("slippage_paid", "number", "percent", "Of the starting capital."),
    "ambiguous_exits": TableColumn("ambiguous_exits", "count", about="Exits on candles that held both levels."),
}
LOWER_IS_BETTER: Final = frozenset({"max_drawdown", "fee_paid", "slippage_paid", "turnover", "ambiguous_exits"})

TRADE_COLUMNS: Final = (
    TableColumn("position", "text"),
    TableColumn("open_time", "time"),
    TableColumn("close_time", "time"),
    TableColumn("duration", "number", "minutes"),
    TableColumn("price_open", "number", "quote", "Before slippage."),
    TableColumn("price_close", "number", "quote", "Before slippage."),
    TableColumn("close_reason", "text"),
    TableColumn("ambiguous", "flag", about="Whether the last candle also reached the other level."),
    TableColumn("pnl", "number", "percent", "Net profit."),
    TableColumn("equity_before", "number", about="Equity of the set before the trade, from 1 at its start."),
    TableColumn("equity_after", "number"),
)


class ArrayResult(Tabular):
    """What an array test came to. `result["sharpe_ratio"]` is a figure of all sets, an array of shape (sets,).

    `figures` has them all; NaN stands where the trades of a set cannot carry a figure. As a table, a frame or a file it
    has one row a set: its number, its `params`, its figures.
    """

    def __init__(
        self,
        inputs: ArrayInputs,
        sets: int,
        params: Mapping[str, npt.NDArray[Any]],
        trades: ArrayTrades,
        figures: Mapping[str, Floats],
    ) -> None:
        """Made by `run_signals` and `run_positions`."""
        self._inputs, self._sets, self._trades = inputs, sets, trades
        self._params = dict(params)
        self._figures = {name: figures[name] for name in FIGURES}
        self._firsts = np.searchsorted(trades.set, np.arange(sets + 1))

    @property
    def figures(self) -> Mapping[str, Floats]:
        """All figures by name, each of shape (sets,)."""
        return dict(self._figures)

    @property
    def params(self) -> Mapping[str, npt.NDArray[Any]]:
        """What each set is, as it was given."""
        return dict(self._params)

    @property
    def periods_per_year(self) -> float:
        """The candles in a year that the Sharpe ratio counts with."""
        return self._inputs.periods_per_year

    def __len__(self) -> int:
        return self._sets

    def __getitem__(self, figure: str) -> Floats:
        if figure not in self._figures:
            raise UsageError(f"an array test has no figure {figure!r}. {suggest(figure, FIGURES, 'one of these')}")
        return self._figures[figure]

    def __repr__(self) -> str:
        return f"<ArrayResult {self._sets:,} sets, {len(self._inputs.candles):,} candles, {len(self._trades):,} trades>"

    def ranked(self, figure: str) -> npt.NDArray[np.int64]:
        """The numbers of the sets, the best of `figure` first; sets without it come last, equal ones in their order.

        More is better, except for drawdown, costs, turnover and ambiguous exits.
        """
        values = self[figure]
        order = values if figure in LOWER_IS_BETTER else -values
        return np.argsort(order, kind="stable").astype(np.int64)  # NaN sorts to the end

    def best(self, figure: str = "sharpe_ratio") -> int:
        """The number of the best set by `figure`; `UsageError` when no set has it. Of many, the best was often lucky."""
        place = int(self.ranked(figure)[0])
        if np.isnan(self[figure][place]):
            raise UsageError(f"no set has a {figure}: their trades are too few for it. Choose another figure.")
        return place

    def row(self, number: int) -> dict[str, Any]:
        """Params and figures of one set by name."""
        number = self._checked(number)
        columns = {**self._params, **self._figures}
        return {name: values[number].item() for name, values in columns.items()}

    def trades(self, number: int) -> Table:
        """The trades of one set, oldest first."""
        trades = self._of(number)
        profits = array_profits(trades, 1, self._inputs.costs)
        at_open = (trades.reason == CLOSED) & (self._inputs.market.fill_at == "next_open")
        opened, closed = self._inputs.times(trades.start, trades.stop, at_open)
        return Table.of_cells(
            TRADE_COLUMNS,
            [
                np.where(trades.side == 1, "long", "short").tolist(),
                opened,
                closed,
                (closed - opened) / MINUTE_MS,
                trades.price_open,
                trades.price_close,
                [EXIT_REASONS[reason] for reason in trades.reason.tolist()],
                trades.ambiguous,
                profits.pnl,
                profits.before,
                profits.after,
            ],
        )

    def equity(self, number: int) -> EquityCurve:
        """The equity of one set at every close, from a capital of 1, net of what closing would cost."""
        inputs, trades = self._inputs, self._of(number)
        market = inputs.market
        profits = array_profits(trades, 1, inputs.costs)
        values = equity(equity_lines(trades, profits, 1, market, inputs.costs), 0, 1, market.close)[0]
        invested = np.zeros(len(market))
        working = np.repeat(np.arange(len(trades)), trades.stop - trades.start)
        starts = np.cumsum(trades.stop - trades.start) - (trades.stop - trades.start)
        invested[trades.start[working] + np.arange(len(working)) - starts[working]] = profits.before[working]
        return EquityCurve(inputs.candles.timestamp + inputs.step, values, invested, 1.0, True)

    def to_table(self) -> Table:
        """One row a set: `set`, the params, the figures."""
        columns = [TableColumn("set", "count"), *(TableColumn(name, _kind(c)) for name, c in self._params.items())]
        cells: list[Any] = [np.arange(self._sets), *self._params.values()]
        return Table.of_cells([*columns, *FIGURE_COLUMNS.values()], [*cells, *self._figures.values()])

    def _repr_html_(self) -> str:
        table = self.to_table()
        best = self.ranked("sharpe_ratio")[:ROWS_SHOWN]
        shown = Table(table.columns, tuple(cells[best] for cells in table.cells))
        text = f"{self!r}"[1:-1] + (f"; the best {len(best)} by Sharpe ratio" if len(best) < len(self) else "")
        return page(f'<div class="bk-quiet">{escape(text)}</div>{table_part(shown)}')

    def _of(self, number: int) -> ArrayTrades:
        number = self._checked(number)
        own = self._trades.of(slice(int(self._firsts[number]), int(self._firsts[number + 1])))
        return ArrayTrades(
            np.zeros(len(own), dtype=np.int64), own.side, own.start, own.stop, own.price_open, own.price_close,
            own.reason, own.ambiguous,
        )  # fmt: skip

    def _checked(self, number: int) -> int:
        if not -self._sets <= number < self._sets:
            raise UsageError(f"there is no set {number}; they are numbered from 0 to {self._sets - 1}")
        return number % self._sets


def _kind(values: npt.NDArray[Any]) -> TableKind:
    kinds: dict[str, TableKind] = {"b": "flag", "i": "count", "u": "count", "f": "number"}
    return kinds.get(values.dtype.kind, "text")
